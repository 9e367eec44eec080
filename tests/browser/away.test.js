/** What happens while nobody looks: another version of the page is taken, and new messages are told by the system. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';
import { Wire } from './proxy.js';

/** How often the page asks itself whether it may load anew; in the tests that takes no time. */
const ASKED_EVERY_MS = 5_000;

for (const name of CHOSEN) {
  describe(`${name}, while nobody looks`, { concurrency: 1 }, () => {
    const here = anew(name, [{ by: 'client1', content: 'Bonjour' }]);
    let server, id;
    /** @type {import('./person.js').Person} */
    let person;
    beforeEach(async () => {
      ({ server, id } = here);
      person = await here.person();
    });

    test('another version of the server is taken when nobody is at work, and not while somebody is', async () => {
      const wire = await Wire.to(server.port);
      try {
        await person.page.evaluateOnNewDocument((often) => {
          const { setInterval: each } = window;
          const { now } = Date;
          Object.assign(window, { asked: 0, later: 0 });
          Date.now = () => now() + window.later;
          window.setInterval = (work, ms, ...given) => each(ms === often ? () => { window.asked += 1; work(); } : work, ms === often ? 50 : ms, ...given);
          window.minutesPass = (minutes) => { window.later += minutes * 60_000; };
        }, ASKED_EVERY_MS);
        await person.enter(`${wire.url}/`, 'juriste');
        await person.openConversation(id);
        await person.hears('Bonjour');
        // What the page fetches for later is there: a cut would be told as an error of it.
        await person.isKept();
        await person.see('button', 'Appel audio');
        const asksAgain = async () => {
          const before = await person.page.evaluate(() => window.asked);
          await person.until((times) => window.asked > times + 3, before);
        };
        /** The connection comes back, and with it the question which version is served. */
        const comesBack = async () => {
          const asked = person.page.waitForResponse((answer) => answer.url().endsWith('/sw.js') && answer.request().method() === 'GET');
          wire.cut();
          await asked;
        };
        await person.page.evaluate(() => { window.marked = true; });
        await comesBack();
        await person.page.evaluate(() => window.minutesPass(10));
        await person.never(500, () => !window.marked || window.asked > 0);

        await person.write('Votre message', 'une ph');
        await person.page.evaluate(() => { document.documentElement.dataset.version = 'of-yesterday'; });
        await comesBack();
        await asksAgain();
        await person.page.evaluate(() => {
          window.minutesPass(10);
          dispatchEvent(new KeyboardEvent('keydown', { key: 'r' }));
        });
        await asksAgain();
        assert.equal(await person.page.$eval('.composer textarea', (box) => box.value), 'une ph', 'who writes is left alone');

        await Promise.all([person.page.waitForNavigation({ waitUntil: 'load' }), person.page.evaluate(() => window.minutesPass(2)).catch(() => {})]);
        await person.until(() => !window.marked && document.documentElement.dataset.version !== 'of-yesterday' && document.querySelector('.composer textarea')?.value === 'une ph');
      } finally {
        wire.close();
      }
    });

    test('a new message is told by the system to who looks elsewhere, without its text; a click leads to it', async () => {
      if (name === 'chromium') await person.context.overridePermissions(server.url, ['notifications']);
      await person.page.evaluateOnNewDocument((asksReally) => {
        const real = window.Notification;
        window.told = [];
        // As on a phone: only the service worker may show one.
        window.Notification = class {
          static get permission() { return asksReally ? real.permission : 'granted'; }
          static requestPermission() { return asksReally ? real.requestPermission() : Promise.resolve('granted'); }
          constructor() { throw new TypeError('Illegal constructor'); }
        };
        // A page that is still empty has no such thing.
        if (window.ServiceWorkerRegistration) ServiceWorkerRegistration.prototype.showNotification = async (title, options) => { window.told.push({ said: JSON.stringify([title, options]), data: options.data }); };
        const { hasFocus } = document;
        document.hasFocus = () => !window.away && hasFocus.call(document);
        Object.defineProperty(document, 'visibilityState', { get: () => (window.away ? 'hidden' : 'visible') });
      }, name === 'chromium');
      const told = (count) => person.until((wanted) => window.told.length === wanted, count);
      const looksAway = (away) => person.page.evaluate((is) => { window.away = is; }, away);
      const token = await server.tokenOf('client1');

      await person.enter(`${server.url}/`, 'juriste');
      await person.isKept();
      await looksAway(true);
      await server.send(token, id, 'sans accord');
      await person.until(() => document.querySelector('nav .row')?.textContent.includes('sans accord'));
      await told(0);
      await person.visit(`${server.url}/moi`);
      await person.until(() => {
        const label = [...document.querySelectorAll('.check')].find((one) => one.textContent.includes('quand la page est en arrière-plan'));
        label?.querySelector('input').click();
        return Boolean(label);
      });
      await person.until(() => localStorage.getItem('lexchat.notify') === 'yes');

      await server.send(token, id, 'vue d’ici');
      await person.until(() => document.querySelector('nav .row')?.textContent.includes('vue d’ici'));
      await told(0);
      await looksAway(true);
      await server.send(token, id, 'le secret');
      await told(1);
      const { said } = await person.page.evaluate(() => window.told[0]);
      assert.match(said, /Camille Moreau/);
      assert.doesNotMatch(said, /secret/);

      await looksAway(false);
      // What the service worker says when somebody presses it.
      await person.until((path) => {
        navigator.serviceWorker.dispatchEvent(new MessageEvent('message', { data: window.told[0].data }));
        return location.pathname === path;
      }, `/c/${id}`);
      await person.hears('le secret');
      await server.send(token, id, 'sous les yeux');
      await person.hears('sous les yeux');
      await told(1);
      await looksAway(true);
      await server.send(token, id, 'de nouveau ailleurs');
      await told(2);
    });
  });
}
