/** Calls through a Jitsi server: its page in a frame, with a token in the fragment, and nothing of it in ours. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { Caller, launchCaller } from './caller.js';
import { probed } from './film.js';
import { CHOSEN } from './person.js';
import { Server } from './server.js';
import { until } from '../support/node.mjs';

const RECORDED_MS = 3_000;
const SECRET = 'partagé avec le serveur Jitsi, et avec lui seul';
/** Reads its fragment as Jitsi does, opens what a call needs, and says what came of it. */
const PAGE = `<!doctype html><title>Jitsi</title><p id="state">…</p><script>
  const given = {};
  for (const part of location.hash.slice(1).split('&')) {
    const [name, value] = part.split('=');
    try { given[name] = JSON.parse(decodeURIComponent(value)); } catch { given.unreadable = name; }
  }
  const say = (state) => { document.getElementById('state').textContent = JSON.stringify({ ...given, state }); };
  navigator.mediaDevices.getUserMedia({ audio: true, video: true }).then((stream) => say(stream.getTracks().map(({ kind }) => kind).sort().join()), (error) => say(error.name));
</script>`;

for (const name of CHOSEN) describe(`calls through Jitsi in ${name}`, { concurrency: 1 }, () => {
  let launched, server, jitsi, origin, id, folder, a, b;
  /** What was asked of the Jitsi server. @type {{path: string, referer: string|undefined}[]} */
  const asked = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lexchat-jitsi-'));
    writeFileSync(join(folder, 'secret'), SECRET);
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    jitsi = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, answer) => {
      asked.push({ path: request.url, referer: request.headers.referer });
      answer.writeHead(request.url.startsWith('/lex-') ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE);
    });
    await new Promise((resolve) => jitsi.listen(0, '127.0.0.1', resolve));
    origin = `https://127.0.0.1:${jitsi.address().port}`;
    launched = await launchCaller(name, { acceptInsecureCerts: true });
    server = await Server.start(['--jitsi-url', origin, '--jitsi-app-id', 'lexchat', '--jitsi-secret-file', join(folder, 'secret'), '--recordings', 'consent']);
    id = await server.conversation();
    [a, b] = [await Caller.in(launched), await Caller.in(launched)];
    for (const [person, as] of [[a, 'client'], [b, 'juriste']]) {
      await person.enter(server.url, as);
      await person.openConversation(id);
      await person.see('button', 'Appel vidéo');
    }
  });
  after(async () => {
    await a?.close();
    await b?.close();
    await launched.close();
    await server?.stop();
    jitsi.close();
    rmSync(folder, { recursive: true });
  });

  /** What the frame says of itself, once its devices are open or refused. @param {Caller} person */
  const frameOf = (person) => until(async () => {
    const frame = person.page.frames().find((one) => one.url().startsWith(origin));
    const text = await frame?.evaluate(() => document.getElementById('state').textContent).catch(() => '');
    return text?.startsWith('{') && JSON.parse(text);
  }, 'the frame has opened its devices');

  const recording = async () => (await server.call('GET', `/calls?conversationId=${id}&limit=1`, { token: await server.tokenOf('client1') })).body[0].recording;

  test('both are let into one room by tokens of their own, and no script of that server runs in the page', async () => {
    await a.presses('Appel vidéo');
    await b.rings();
    await b.presses('Accepter');
    await Promise.all([a.talks(), b.talks()]);
    const shown = await Promise.all([frameOf(a), frameOf(b)]);
    const claims = shown.map(({ jwt }) => jsonwebtoken.verify(jwt, SECRET, { algorithms: ['HS256'], audience: 'jitsi', issuer: 'lexchat' }));
    assert.deepEqual(shown.map(({ state, unreadable }) => [state, unreadable]), [['audio,video', undefined], ['audio,video', undefined]]);
    assert.equal(claims[0].room, claims[1].room);
    assert.notEqual(claims[0].context.user.id, claims[1].context.user.id);
    assert.ok(asked.length >= 2 && asked.every(({ path }) => path === `/${claims[0].room}` || path === '/favicon.ico'), JSON.stringify(asked));
    assert.deepEqual(asked.map(({ referer }) => referer).filter(Boolean).filter((one) => !one.startsWith(origin)), [], 'nobody is told from where');
    for (const person of [a, b]) {
      const foreign = await person.page.evaluate((host) => [
        [...document.scripts].filter(({ src }) => !src.startsWith(location.origin)).map(({ src }) => src),
        performance.getEntriesByType('resource').map((one) => one.name).filter((one) => one.startsWith(host) && /\.js\b/.test(one)),
        [...document.querySelectorAll('iframe')].map((one) => new URL(one.src).search),
      ], origin);
      assert.deepEqual(foreign, [[], [], ['']]);
    }
  });

  test('the window itself is recorded where the browser gives its picture and sound, and elsewhere one is told', async () => {
    if (name === 'firefox') {
      await b.until(() => document.querySelector('.call-record .quiet')?.textContent.includes('Chrome'));
      assert.equal(await b.page.$('::-p-aria([role="button"][name="Enregistrer"])'), null);
      return;
    }
    await b.presses('Enregistrer');
    await b.presses('Demander l’accord');
    await a.presses('J’accepte');
    await a.until(() => document.querySelector('.call-recording'));
    await new Promise((resolve) => setTimeout(resolve, RECORDED_MS));
    await b.presses('Arrêter l’enregistrement');
    await b.presses('Arrêter et garder');
    await until(async () => (await recording()).state === 'stored', 'it is stored');
    const { kinds } = await probed(server, (await recording()).attachmentId);
    assert.deepEqual(kinds, ['audio', 'video']);
  });

  test('who hangs up takes the frame away on both sides, and the call stands in the timeline', async () => {
    await b.presses('Raccrocher');
    await Promise.all([a.talks(false), b.talks(false)]);
    for (const person of [a, b]) {
      await person.until(() => !document.querySelector('iframe'));
      await person.until(() => document.querySelector('.call-entry')?.textContent.startsWith('Appel vidéo'));
      assert.deepEqual(person.complaints, []);
    }
  });
});
