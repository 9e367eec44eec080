/** Calls between two real browsers: what rings, what arrives, and what becomes of it when something goes wrong. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, describe, test } from 'node:test';
import { Caller, launchCaller } from './caller.js';
import { CHOSEN } from './person.js';
import { Server } from './server.js';
import { until } from '../support/node.mjs';

const PAIRS = [['chromium', 'chromium'], ['chromium', 'firefox']].filter((pair) => pair.every((one) => CHOSEN.includes(one)));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
for (const [first, second] of PAIRS) describe(`calls between ${first} and ${second}`, { concurrency: 1 }, () => {
  /** The life of a call is the server's and the page's, whatever the browsers: it is told once, where both are the same. */
  const testLife = first === second ? test : () => {};
  let launched, server, id, a, b;
  before(async () => {
    launched = { a: await launchCaller(first) };
    launched.b = second === first ? launched.a : await launchCaller(second);
    server = await Server.start();
    id = await server.conversation();
    a = await Caller.in(launched.a);
    b = await Caller.in(launched.b);
    await enter(a, 'client');
    await enter(b, 'juriste');
  });
  after(async () => {
    await a?.close();
    await b?.close();
    await launched.a.close();
    if (launched.b !== launched.a) await launched.b.close();
    await server?.stop();
  });
  // A test that broke off in the middle of a call leaves the others an empty line.
  afterEach(async () => {
    for (const person of [a, b]) await person.leaves();
  });

  /** @param {Caller} person @param {'client'|'juriste'} as */
  async function enter(person, as) {
    await person.enter(server.url, as);
    await person.openConversation(id);
    await person.see('button', 'Appel vidéo');
  }

  /** @param {'audio'|'vidéo'} [media] @param {Caller} [caller] @param {Caller} [callee] */
  async function talk(media = 'vidéo', caller = a, callee = b) {
    await caller.presses(`Appel ${media}`);
    await callee.rings();
    await callee.presses('Accepter');
    await Promise.all([caller.talks(), callee.talks()]);
  }

  /** @param {Caller} [who] */
  async function hangUp(who = a) {
    await who.presses('Raccrocher');
    await Promise.all([a.talks(false), b.talks(false)]);
  }

  test('pictures and sound arrive on both sides, and what was talked stands in the timeline', async () => {
    await talk();
    await a.see('region', 'Appel en cours');
    await Promise.all([a.sees(), b.sees()]);
    await a.listens();
    await b.listens();
    await hangUp(b);
    await a.until(() => [...document.querySelectorAll('.call-entry')].some((one) => one.textContent.startsWith('Appel vidéo')));
    await b.until(() => document.querySelectorAll('.call-entry').length > 0);
    assert.deepEqual(await a.states(), [['closed', 'closed', 'closed']]);
  });

  /** What axe finds on the page as it is, in both themes and as narrow as a phone. @param {Caller} who */
  async function faultsOf(who) {
    const faults = [];
    await who.page.evaluate(`if (!window.axe) { ${axe} }`);
    for (const width of [360, 1280]) {
      await who.page.setViewport({ width, height: 800 });
      for (const theme of ['light', 'dark']) {
        faults.push(...await who.page.evaluate(async (tags, look) => {
          document.documentElement.dataset.theme = look;
          // Colours on their way from one theme to the other are nobody's.
          await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
          const passing = document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity);
          await Promise.all(passing.map((one) => one.finished.catch(() => {})));
          const { violations } = await window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
          return violations.map((one) => `${innerWidth} ${look} ${one.id}: ${one.nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
        }, TAGS, theme));
      }
    }
    return faults;
  }

  // Two calls: one does not ring as long as a slow machine looks at both sides.
  test('axe finds nothing where it rings and is talked', async () => {
    await a.presses('Appel vidéo');
    await b.rings();
    const faults = await faultsOf(b);
    await b.presses('Accepter');
    await Promise.all([a.talks(), b.talks()]);
    await a.sees();
    faults.push(...await faultsOf(b));
    assert.deepEqual(faults, []);
    await hangUp();
  });

  testLife('axe finds nothing where an answer is awaited', async () => {
    await b.presses('Appel vidéo');
    await a.rings();
    assert.deepEqual(await faultsOf(b), []);
    await b.presses('Raccrocher');
    await a.rings(false);
  });

  test('who is muted is not heard, who hides is not seen, and the other side is told', async () => {
    await talk('vidéo', b, a);
    await b.listens();
    await a.presses('Couper le micro');
    await b.until(() => document.querySelector('.call-signs').textContent.includes('Micro coupé'));
    await b.isSaid('a coupé son micro.');
    await b.listens(false);
    await a.presses('Couper le micro');
    await b.isSaid('a rétabli son micro.');
    await b.listens();
    await a.presses('Couper la caméra');
    await b.until(() => document.querySelector('.call-theirs').classList.contains('unseen'));
    await a.presses('Couper la caméra');
    await b.until(() => !document.querySelector('.call-theirs').classList.contains('unseen'));
    await b.sees();
    await hangUp();
  });

  test('a call by voice takes a picture up later', async () => {
    await talk('audio');
    await b.listens();
    assert.equal(await b.frames(), 0);
    await a.presses('Couper la caméra');
    await b.sees();
    await b.presses('Couper la caméra');
    await a.sees();
    await hangUp();
  });

  test('a page that is loaded anew goes on with the call', async () => {
    await talk('vidéo', b, a);
    await a.sees();
    for (const who of [b, a]) {
      await who.page.reload({ waitUntil: 'load' });
      await who.talks();
      await Promise.all([a.sees(), b.sees()]);
    }
    await hangUp();
  });

  test('a server that restarts leaves the talk alone, and it ends as always', async () => {
    await talk();
    await a.sees();
    await server.kill();
    await b.sees();
    await server.resume();
    for (const who of [a, b]) await who.until(() => !document.querySelector('.link-state').textContent);
    await Promise.all([a.sees(), b.sees()]);
    await a.talks();
    await hangUp();
  });

  testLife('the one who is called on three windows answers in one, and the others fall silent', async () => {
    const others = [await b.window(), await b.window()];
    for (const other of others) {
      await other.visit(`${server.url}/c/${id}`);
      await other.see('button', 'Appel vidéo');
    }
    await a.presses('Appel audio');
    await Promise.all([b, ...others].map((one) => one.rings()));
    // Two at once: one of them has the call, and may have silenced the other before it was pressed there.
    await Promise.all([b, others[0]].map((one) => one.page.evaluate(() => document.querySelector('dialog.incoming .primary')?.click())));
    await Promise.all([b, ...others].map((one) => one.rings(false)));
    await a.talks();
    await others[1].until(() => document.querySelector('section.call[data-phase="elsewhere"]'));
    // Who came second asks for its microphone still, and is told then.
    const seated = () => Promise.all([b, others[0]].map((one) => one.page.evaluate(() => document.querySelectorAll('section.call[data-phase="talking"]').length)));
    await until(async () => (await seated()).filter(Boolean).length === 1, 'one window has it');
    await others[1].presses('Prendre l’appel ici');
    await others[1].talks();
    await others[1].listens();
    await Promise.all([b.talks(false), others[0].talks(false)]);
    await a.presses('Raccrocher');
    await others[1].talks(false);
    await Promise.all(others.map((one) => one.page.close()));
  });

  testLife('who call each other at the same time are in one call', async () => {
    await Promise.all([a, b].map((one) => one.mayStart()));
    // Whose press is slower presses while it rings: that answers.
    await Promise.all([a, b].map((one) => one.presses('Appel audio')));
    await Promise.all([a.talks(), b.talks()]);
    await Promise.all([a.listens(), b.listens()]);
    await hangUp();
    const { body } = await server.call('GET', `/calls?conversationId=${id}&live=true`, { token: await server.tokenOf('client1') });
    assert.deepEqual(body, []);
  });

  testLife('a call that is declined, taken back or refused by the browser leaves nobody waiting', async () => {
    await a.presses('Appel audio');
    await b.rings();
    await b.presses('Refuser');
    await a.isTold('a refusé l’appel');
    await a.until(() => !document.querySelector('section.call'));
    await b.presses('Appel vidéo');
    await a.rings();
    await b.presses('Raccrocher');
    await a.rings(false);
    await a.until(() => [...document.querySelectorAll('.call-entry')].some((one) => one.textContent.includes('Appel vidéo manqué')));
    await a.page.evaluate(() => { window.refusal = 'NotAllowedError'; });
    await a.presses('Appel audio');
    await a.isTold('Le microphone est refusé');
    await b.never(1_000, () => document.querySelector('dialog.incoming[open]'));
    await a.page.evaluate(() => { window.refusal = ''; });
  });

  testLife('who talks already is busy for others', async () => {
    await talk('audio', b, a);
    const token = await server.tokenOf('client2');
    const { body } = await server.call('POST', '/conversations', { token, body: { participantId: 6 } });
    const called = await server.call('POST', `/conversations/${body.id}/calls`, { token, body: { media: 'audio' } });
    assert.equal(called.body.state, 'busy');
    await b.never(1_000, () => document.querySelector('dialog.incoming[open]'));
    await hangUp();
  });

  testLife('one party over long-polling talks as well', async () => {
    await a.visit(`${server.url}/c/${id}?transport=polling`);
    await a.see('button', 'Appel vidéo');
    await talk();
    await Promise.all([a.sees(), b.sees()]);
    await hangUp();
    await enterAgain(a);
  });

  /** @param {Caller} person */
  async function enterAgain(person) {
    await person.visit(`${server.url}/c/${id}`);
    await person.see('button', 'Appel vidéo');
  }

  test('the screen of Chromium is shown to the other side', async () => {
    await talk('audio', b, a);
    await a.presses('Partager l’écran');
    await a.until(() => document.querySelector('.call-signs').textContent.includes('Vous partagez'));
    await b.sees(1);
    await b.until(() => document.querySelector('.call-theirs.screen:not(.unseen)')?.videoWidth > 320);
    await Promise.all([a.isSaid('Vous partagez votre écran.'), b.isSaid('partage son écran.')]);
    await a.presses('Partager l’écran');
    await Promise.all([a.isSaid('Vous ne partagez plus votre écran.'), b.isSaid('ne partage plus son écran.')]);
    await b.until(() => document.querySelector('.call-theirs').classList.contains('unseen'));
    await hangUp();
  });

  test('the picture of the other side goes into a window of its own and comes back, at the latest with the end of the call', async () => {
    for (const who of [a, b]) {
      await talk();
      await who.sees(1);
      // What was decoded may be drawn a moment later, and what has no picture yet goes nowhere.
      await who.until(() => document.querySelector('.call-theirs').readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
      // A browser opens the window for a press of a hand alone.
      const pressIt = () => who.click('button', 'Image dans l’image');
      const isOut = (wanted) => who.until((out) => Boolean(document.pictureInPictureElement?.matches('.call-theirs')) === out, wanted);
      await pressIt();
      await isOut(true);
      await pressIt();
      await isOut(false);
      await who.until(() => new Promise((resolve) => document.querySelector('.call-theirs').requestVideoFrameCallback(() => resolve(true))));
      await pressIt();
      await isOut(true);
      await hangUp();
      await isOut(false);
    }
  });

  test('a weak connection is shown and said as long as it is weak', async () => {
    await talk('vidéo', b, a);
    for (const who of [a, b]) {
      await who.isConnected();
      await who.loses(0.25);
      await who.until(() => document.querySelector('.call-signs .weak')?.textContent === 'Connexion faible');
      await who.isSaid('La connexion est faible.');
      await who.loses(0);
      await who.until(() => !document.querySelector('.call-signs .weak'));
      // It went because the connection is good, not because there is none.
      await who.isConnected();
    }
    await hangUp();
  });

  test('no page complained', () => assert.deepEqual([a.complaints, b.complaints], [[], []]));
});
