/** Files that are looked at: pictures and PDF of a whole conversation, by key and by finger; and what else a touch screen needs. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { until } from '../support/node.mjs';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';
import { pdf, picture } from './picture.js';

for (const name of CHOSEN) {
  describe(`${name}, files`, { concurrency: 1 }, () => {
    const here = anew(name);
    let server, id, token;
    /** @type {import('./person.js').Person} */
    let person;
    beforeEach(async () => {
      ({ server, id } = here);
      token = await server.tokenOf('client1');
      person = await here.person();
    });

    /** @param {string} file @param {string} type @param {Buffer} bytes */
    async function sent(file, type, bytes) {
      const files = [await server.upload(token, id, file, type, bytes)];
      await server.call('POST', '/messages', { token, body: { conversationId: id, content: '', files } });
    }
    const shows = (file, place) => person.until((wanted) => [...document.querySelectorAll('dialog[open] .lightbox-name span')].map((one) => one.textContent).join(' ') === wanted, `${file} ${place}`);

    test('one looks through all files of a conversation, a PDF among them, and none of them runs anything', async () => {
      await sent('plan.png', 'image/png', Buffer.from(picture(64, 32), 'base64'));
      await server.flood(id, 60);
      await sent('bail.pdf', 'application/pdf', pdf('<script>parent.ran=1;top.ran=1</script>'));
      await sent('acte.png', 'image/png', Buffer.from(picture(48, 32), 'base64'));
      await person.enter(server.url, 'juriste');
      await person.openConversation(id);
      await person.click('button', 'Ouvrir bail.pdf');
      await shows('bail.pdf', '2 / 3');
      const frame = await person.page.waitForSelector('iframe.lightbox-pdf');
      assert.match(await frame.evaluate((one) => one.src), /^blob:/);
      assert.equal(await frame.evaluate((one) => one.getAttribute('sandbox')), name === 'firefox' ? 'allow-scripts allow-downloads allow-modals' : null);
      if (name === 'chromium') {
        await person.page.waitForFrame((one) => one.url().startsWith('chrome-extension://'));
      }
      await person.never(500, () => 'ran' in window || document.querySelector('dialog[open] [role=alert]'));
      await person.page.focus('.lightbox-next');
      await person.press('ArrowRight');
      await shows('acte.png', '3 / 3');
      assert.equal(await person.page.$eval('.lightbox-next', (one) => one.getAttribute('aria-disabled')), 'true');
      await person.press('ArrowRight');
      await shows('acte.png', '3 / 3');
      // What is there for pictures alone goes from between the buttons, and takes no focus along.
      await person.page.focus('dialog [aria-label="Fermer"]');
      await person.press('ArrowLeft');
      await shows('bail.pdf', '2 / 3');
      assert.equal(await person.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Fermer');
      await person.press('ArrowLeft');
      await shows('plan.png', '1 / 3');
      await person.until(() => document.querySelector('.lightbox-fitted img')?.getBoundingClientRect().width === 64);
      await person.press('r');
      await person.until(() => document.querySelector('.lightbox-fitted img').getBoundingClientRect().height === 64);
      await person.press('+');
      await person.until(() => document.querySelector('.lightbox-fitted img').getBoundingClientRect().height === 96);
      await person.press('Escape');
      await person.until(() => !document.querySelector('dialog[open]'));
    });

    test('where a browser shows no PDF it is saved', async () => {
      await person.page.evaluateOnNewDocument(() => Object.defineProperty(Navigator.prototype, 'pdfViewerEnabled', { get: () => false }));
      await sent('bail.pdf', 'application/pdf', pdf(''));
      await person.enter(server.url, 'juriste');
      await person.openConversation(id);
      await person.see('button', 'Télécharger bail.pdf');
    });

    test('days are named anew at midnight, and what is copied over several messages says who wrote it and when', async () => {
      await person.page.evaluateOnNewDocument(() => {
        const { now } = Date;
        const { get } = Headers.prototype;
        window.later = 0;
        // A day may have 23 hours, or 25.
        window.tomorrow = () => {
          const noon = new Date(now());
          noon.setDate(noon.getDate() + 1);
          return noon.setHours(12, 0, 0, 0) - now();
        };
        Date.now = () => now() + window.later;
        // Nobody comes back to the window, and the test waits for no minute.
        const { setInterval: every } = window;
        window.setInterval = (work, ms) => every(work, Math.min(ms, 500));
        // The server's clock goes on as well.
        Headers.prototype.get = function said(header) { return header === 'Date' ? new Date(Date.now()).toUTCString() : get.call(this, header); };
      });
      await server.send(token, id, 'Bonjour Maître');
      await server.send(await server.tokenOf('juriste1'), id, 'Bonjour Camille');
      // Written the day before, and read today by somebody who has been here and is gone.
      await person.page.evaluateOnNewDocument(() => {
        const { parse } = JSON;
        const dayBefore = new Date(Date.now());
        dayBefore.setDate(dayBefore.getDate() - 1);
        const createdAt = dayBefore.toISOString();
        JSON.parse = (text) => parse(text, (_, one) => (/^Bonjour (Maître|Camille)$/.test(one?.content) ? { ...one, createdAt } : one));
      });
      const client = await here.person();
      await client.enter(server.url, 'client');
      await client.openConversation(id);
      await client.hears('Bonjour Camille');
      await until(async () => (await server.call('GET', `/messages?conversationId=${id}`, { token })).body.every((one) => one.isRead || one.senderId !== 6), 'read');
      await client.close();
      await person.enter(server.url, 'juriste');
      await person.openConversation(id);
      await person.hears('Bonjour Camille');
      const says = (when, seen) => person.until((day, presence) => new RegExp(`^Lu · ${day} \\d\\d:\\d\\d$`).test(document.querySelector('.receipt')?.textContent)
        && new RegExp(`Lu · ${day} `).test([...document.querySelectorAll('article')].at(-1).getAttribute('aria-label'))
        && new RegExp(presence).test(document.querySelector('.conversation-who p').textContent), when, seen);
      await says('aujourd’hui', 'vu à \\d\\d:\\d\\d$');
      const days = () => person.page.$$eval('.timeline .day', (all) => all.map((one) => one.textContent.trim()));
      assert.deepEqual(await days(), ['Hier']);
      // Nothing comes that would have it drawn anew.
      await person.until(() => document.querySelector('[data-announcer]'));
      await server.kill();
      await person.until(() => document.querySelector('.link-state .banner'));
      await person.page.evaluate(() => { window.later = tomorrow(); });
      await person.until(() => /^\p{L}+ \d/u.test(document.querySelector('.timeline .day').textContent.trim()));
      await says('hier', 'vu hier$');
      const copied = () => person.page.evaluate(() => {
        getSelection().selectAllChildren(document.querySelector('.timeline'));
        const event = new ClipboardEvent('copy', { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
        document.querySelector('.timeline').dispatchEvent(event);
        return event.clipboardData.getData('text/plain').split('\n');
      });
      await person.until(() => document.querySelector('[data-announcer]'));
      // What copies is fetched after the first screen.
      const lines = await until(async () => {
        const all = await copied();
        return all.length > 1 && all;
      }, 'what is copied');
      assert.match(lines[0], /^\d.* \d\d:\d\d, Camille Moreau\u00a0: Bonjour Maître$/);
      assert.match(lines[1], /^\d.* \d\d:\d\d, Hélène Rousseau\u00a0: Bonjour Camille$/);
      assert.equal(lines.length, 2, 'and nothing else: no "Lu", no time by itself');
    });

    // Firefox has no touch screen to play with.
    if (name === 'chromium') test('on a touch screen a finger walks, Enter begins a line, and everything is as large as a finger', async () => {
      await person.page.setViewport({ width: 360, height: 780, isMobile: true, hasTouch: true });
      await sent('plan.png', 'image/png', Buffer.from(picture(640, 320), 'base64'));
      await sent('acte.png', 'image/png', Buffer.from(picture(640, 320), 'base64'));
      await person.visit(server.url);
      await person.see('button', 'Se connecter');
      const small = () => person.page.$$eval('input, textarea, select', (all) => all.filter((one) => parseFloat(getComputedStyle(one).fontSize) < 16).length);
      assert.equal(await small(), 0, 'a telephone would zoom in');
      await person.enter(server.url, 'client');
      await person.openConversation(id);
      const box = await person.see('textbox', 'Votre message');
      assert.equal(await small(), 0);
      await box.focus();
      await person.page.keyboard.type('une');
      await person.press('Enter');
      await person.page.keyboard.type('deux');
      assert.equal(await box.evaluate((one) => one.value), 'une\ndeux');
      await person.press('Control', 'Enter');
      await person.fateIs('deux', 'Envoyé');
      const { body } = await server.call('GET', `/messages?conversationId=${id}`, { token });
      await server.call('PUT', `/messages/${body.at(-1).id}/reactions/${encodeURIComponent('👍')}`, { token });
      const pill = await person.page.waitForSelector('.reaction');
      const { width, height } = await pill.boundingBox();
      assert.ok(width >= 44 && height >= 44, `${width} × ${height}`);
      await person.page.evaluate(() => document.activeElement.blur());
      await person.page.$$eval('.picture', (all) => all.at(-1).click());
      await shows('acte.png', '2 / 2');
      await person.until(() => document.querySelector('.lightbox-fitted img')?.getBoundingClientRect().width > 300);
      const pulled = async (from, to) => {
        const cdp = await person.page.createCDPSession();
        await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: from, y: 400 }] });
        for (const x of [(from + to) / 2, to]) await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y: 402 }] });
        await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
        await cdp.detach();
      };
      await pulled(60, 300);
      await shows('plan.png', '1 / 2');
      await person.until(() => document.querySelector('.lightbox-fitted img')?.getBoundingClientRect().width > 300);
      await pulled(300, 60);
      await shows('acte.png', '2 / 2');
    });
  });
}
