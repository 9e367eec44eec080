/** Recording a call: nobody is recorded without a yes, everybody sees that it runs, and what was recorded plays and seeks. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Caller, launchCaller } from './caller.js';
import { probed, watched } from './film.js';
import { loudspeaker } from './loudspeaker.js';
import { CHOSEN } from './person.js';
import { Server } from './server.js';

const RECORDED_MS = 20_000;
/** How much of it may be missing: it begins with the last yes, and ends with the press. */
const MISSING_S = 2;
/** Pictures a second at least, on a busy machine: a window out of sight that the browser slows down gives one, or none. */
const PICTURES = 1.5;
/** Between two pictures of what moves, of 255; those of what stands still hardly differ. */
const MOVED = 40;
/** Of the tones that the browsers play as what a microphone hears. */
const LOUD_DB = -40;
const CONSENT = 'Acceptez-vous d’être enregistré ?';

/** The client is in Chromium, whoever records. */
const RECORDERS = CHOSEN.includes('chromium') ? CHOSEN : [];

/** The browsers of the file, each opened once. @type {Map<string, any>} */
const browsers = new Map();
let speaker;
before(async () => {
  if (RECORDERS.length) speaker = await loudspeaker();
  for (const name of RECORDERS) browsers.set(name, await launchCaller(name, { env: speaker.env }));
});
after(async () => {
  for (const one of browsers.values()) await one.close();
  speaker?.close();
});

for (const recorder of RECORDERS) describe(`recording a call in ${recorder}`, { concurrency: 1 }, () => {
  let server, id, client, juriste;
  before(async () => {
    server = await Server.start(['--recordings', 'consent']);
    id = await server.conversation();
    [client, juriste] = [await Caller.in(browsers.get('chromium')), await Caller.in(browsers.get(recorder))];
    await enter(client, 'client');
    await enter(juriste, 'juriste');
  });
  after(async () => {
    await client?.close();
    await juriste?.close();
    await server?.stop();
  });

  /** @param {Caller} person @param {'client'|'juriste'} as */
  async function enter(person, as) {
    await person.enter(server.url, as);
    await person.openConversation(id);
    await person.see('button', 'Appel vidéo');
  }

  async function talk() {
    await client.presses('Appel vidéo');
    await juriste.rings();
    await juriste.presses('Accepter');
    await Promise.all([client.talks(), juriste.talks()]);
    await juriste.sees();
  }

  async function hangUp() {
    await juriste.presses('Raccrocher');
    await Promise.all([client.talks(false), juriste.talks(false)]);
  }

  async function ask() {
    await juriste.presses('Enregistrer');
    await juriste.presses('Demander l’accord');
    await client.see('dialog', CONSENT);
  }

  /** Until everybody sees, or nobody sees any more, that it is recorded. @param {boolean} [isRunning] */
  const runs = (isRunning = true) => Promise.all([client, juriste].map((one) =>
    one.until((wanted) => Boolean(document.querySelector('.call-recording')) === wanted, isRunning)));

  const state = async () => (await server.call('GET', `/calls?conversationId=${id}&limit=1`, { token: await server.tokenOf('client1') })).body[0].recording;

  test('only the juriste may ask, and a refusal records nothing', async () => {
    await talk();
    assert.equal(await client.page.$('::-p-aria([role="button"][name="Enregistrer"])'), null);
    await ask();
    await juriste.never(500, () => document.querySelector('.call-recording'));
    await client.presses('Je refuse');
    await juriste.isTold('sans enregistrement');
    await runs(false);
    assert.equal((await state()).state, 'refused');
  });

  test('a consent that is taken back erases what was recorded, and one may be asked again', async () => {
    await ask();
    await client.presses('J’accepte');
    await runs();
    await client.presses('Arrêter l’enregistrement');
    await client.presses('Arrêter et effacer');
    await runs(false);
    const { state: is, attachmentId } = await state();
    assert.deepEqual([is, attachmentId], ['refused', null]);
  });

  test('what all have agreed to is recorded, out of sight as well, and the call goes on after it', async () => {
    await ask();
    await client.presses('J’accepte');
    await runs();
    await new Promise((resolve) => setTimeout(resolve, RECORDED_MS / 2));
    const hides = (isHidden) => juriste.until((wanted) => document.hidden === wanted, isHidden);
    await juriste.page.emulateFocusedPage?.(false).catch(() => {});
    const front = await juriste.context.newPage();
    await front.bringToFront();
    await hides(true);
    await new Promise((resolve) => setTimeout(resolve, RECORDED_MS / 2));
    await front.close();
    await juriste.page.bringToFront();
    await hides(false);
    await juriste.page.emulateFocusedPage?.(true).catch(() => {});
    await juriste.presses('Arrêter l’enregistrement');
    await juriste.presses('Arrêter et garder');
    await runs(false);
    await juriste.sees();
    await hangUp();
    for (const one of [client, juriste]) await one.until(() => document.querySelector('.recording .button')?.textContent.trim() === 'Lire l’enregistrement');
  });

  /** A busy machine takes its time before it stops. @param {number} found seconds */
  function isAsLong(found) {
    const seconds = RECORDED_MS / 1000;
    assert.ok(found > seconds - MISSING_S && found < seconds * 3, `${found} s`);
  }

  /** Plays what stands in the conversation, from one place and from another. @param {import('./person.js').Person} person */
  async function plays(person) {
    await person.page.evaluate(() => document.querySelector('.recording .button').click());
    await person.until(() => document.querySelector('.recording-player')?.readyState >= 1);
    const played = await person.page.evaluate(async (wanted) => {
      const player = document.querySelector('.recording-player');
      player.muted = true;
      const at = async (seconds) => {
        const arrived = new Promise((resolve) => player.addEventListener('seeked', resolve, { once: true }));
        player.currentTime = seconds;
        await arrived;
        const from = player.currentTime;
        await player.play();
        while (player.currentTime < from + 0.3 && !player.ended) await new Promise((resolve) => setTimeout(resolve, 50));
        return from;
      };
      const places = [await at(wanted), await at(1)];
      // What each browser has decoded of the sound.
      const hasSound = player.mozHasAudio ?? player.webkitAudioDecodedByteCount > 0;
      return { duration: player.duration, places, width: player.videoWidth, hasSound, error: player.error?.message ?? null };
    }, RECORDED_MS / 2000);
    const seconds = RECORDED_MS / 1000;
    isAsLong(played.duration);
    assert.ok(Math.abs(played.places[0] - seconds / 2) < 0.2 && Math.abs(played.places[1] - 1) < 0.2, JSON.stringify(played));
    assert.deepEqual([played.width, played.hasSound, played.error], [1280, true, null]);
  }

  test('others find in the file how long it is, its sound and its picture', async () => {
    const { kinds, seconds } = await probed(server, (await state()).attachmentId);
    assert.deepEqual(kinds, ['audio', 'video']);
    isAsLong(seconds);
  });

  /** What is seen before the window is out of sight, and while it is. */
  async function seen() {
    const [half, whole] = [RECORDED_MS / 2000, RECORDED_MS / 1000 - MISSING_S];
    const spans = [[1, half - 1], [half + 2, whole]];
    const found = await watched(server, (await state()).attachmentId, spans);
    return { loudest: found.loudest, seen: found.seen.map((one, at) => ({ ...one, seconds: spans[at][1] - spans[at][0] })) };
  }

  test('it is heard, and the other members are seen in it, while the window was out of sight as well', async () => {
    const { loudest, seen: found } = await seen();
    assert.ok(loudest > LOUD_DB, `${loudest} dB`);
    for (const { pictures, right, seconds } of found) {
      assert.ok(pictures > PICTURES * seconds, `${pictures} pictures in ${seconds} s`);
      assert.ok(right > MOVED, `they differ by ${right}`);
    }
  });

  test('who records is seen in it as well, though another recording was broken off before', async () => {
    for (const { left } of (await seen()).seen) assert.ok(left > MOVED, `they differ by ${left}`);
  });

  test('it plays and seeks in both browsers', async () => {
    for (const one of [client, juriste]) await plays(one);
    for (const name of RECORDERS.filter((one) => ![client.browserName, juriste.browserName].includes(one))) {
      const other = await Caller.in(browsers.get(name));
      await enter(other, 'client');
      await other.until(() => document.querySelector('.recording .button'));
      await plays(other);
      assert.deepEqual(other.complaints, []);
      await other.close();
    }
  });

  test('a window that is loaded anew keeps what was recorded until then', async () => {
    await talk();
    await ask();
    await client.presses('J’accepte');
    await runs();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    let warned = false;
    juriste.page.once('dialog', (dialog) => {
      warned = dialog.type() === 'beforeunload';
      dialog.accept();
    });
    await juriste.page.reload({ waitUntil: 'load' });
    assert.ok(warned, 'one is asked first');
    await juriste.talks();
    await juriste.isTold('La page a été rechargée');
    await runs(false);
    await hangUp();
    await client.until(() => document.querySelectorAll('.recording').length === 2);
  });

  test('either member erases it for all', async () => {
    const { attachmentId } = await state();
    await client.page.evaluate(() => [...document.querySelectorAll('.recording-ways')].at(-1).lastElementChild.click());
    await client.see('dialog', 'Effacer l’enregistrement ?');
    await client.page.evaluate(() => document.querySelector('dialog[open] .danger').click());
    for (const one of [client, juriste]) await one.until(() => document.querySelectorAll('.recording').length === 1 && /effacé/.test([...document.querySelectorAll('article')].at(-1).textContent));
    assert.equal((await server.call('POST', `/attachments/${attachmentId}/link`, { token: await server.tokenOf('juriste1') })).status, 404);
    assert.deepEqual([client.complaints, juriste.complaints], [[], []]);
  });
});
