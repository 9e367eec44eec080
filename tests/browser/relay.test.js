/** Calls through a TURN server alone: coturn carries every picture, and no browser tells another its own address. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Caller, launchCaller } from './caller.js';
import { CHOSEN } from './person.js';
import { Server } from './server.js';
import { freePort, until } from '../support/node.mjs';

const SECRET = 'shared by lexchat and the relay';
/** So long the page hopes for a way from one network to the other. */
const APART_MS = 15_000;
/** Browsers do not look for others on loopback where the machine has another address. */
const ADDRESS = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

let folder, relay, launched, server, callers, id;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lexchat-relay-'));
  writeFileSync(join(folder, 'secret'), SECRET);
  const port = await freePort();
  relay = await coturn(port);
  launched = await Promise.all(CHOSEN.map((one) => launchCaller(one)));
  server = await Server.start(['--ice-server', `turn:${ADDRESS}:${port}?transport=udp`, '--turn-secret-file', join(folder, 'secret'), '--ice-relay-only']);
  callers = await Promise.all([launched.at(0), launched.at(-1)].map((one) => Caller.in(one)));
  id = await server.conversation();
  for (const [at, as] of ['client', 'juriste'].entries()) {
    await callers[at].enter(server.url, as);
    await callers[at].openConversation(id);
  }
});
after(async () => {
  for (const one of callers ?? []) await one.close();
  for (const one of launched ?? []) await one.close();
  await server?.stop();
  relay?.kill();
  rmSync(folder, { recursive: true });
});

/** @param {number} port on which it listens */
async function coturn(port) {
  const told = [];
  const path = `${process.env.PATH}:/usr/sbin`;
  const started = spawn('turnserver', [
    '-n', '--no-cli', '--no-tls', '--no-dtls', '--use-auth-secret', `--static-auth-secret=${SECRET}`, '--realm=cabinet.example', `--listening-ip=${ADDRESS}`,
    `--relay-ip=${ADDRESS}`, `--listening-port=${port}`, '--allow-loopback-peers', '--fingerprint', '--log-file=stdout', '--verbose', `--pidfile=${join(folder, 'pid')}`,
  ], { cwd: folder, env: { ...process.env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [started.stdout, started.stderr]) stream.on('data', (bytes) => told.push(bytes));
  await until(() => told.join('').includes('IPv4. UDP listener opened on'), 'coturn listens');
  return started;
}

/** @param {Caller} who @returns {Promise<string[]>} the kinds of addresses that its browser offered */
const offered = (who) => who.page.evaluate(async () => {
  const reports = await Promise.all(window.connections.map(window.reportsOf));
  return [...new Set(reports.flat().filter(({ type }) => type === 'local-candidate').map(({ candidateType }) => candidateType))];
});

test('pictures and sound go through the relay, and only through it', async () => {
  const [a, b] = callers;
  await a.presses('Appel vidéo');
  await b.rings();
  await b.presses('Accepter');
  await Promise.all([a.talks(), b.talks()]);
  await Promise.all([a.sees(), b.sees()]);
  await Promise.all([a.listens(), b.listens()]);
  assert.deepEqual(await Promise.all([offered(a), offered(b)]), [['relay'], ['relay']]);
  await a.presses('Raccrocher');
  await Promise.all([a.talks(false), b.talks(false)]);
});

// The last one: the relay does not come back.
test('two networks that do not reach each other are told so after 15 s, and the call can be hung up', async () => {
  const [a, b] = callers;
  const gone = once(relay, 'exit');
  relay.kill();
  await gone;
  await a.presses('Appel vidéo');
  await b.rings();
  const began = Date.now();
  await b.presses('Accepter');
  await Promise.all(callers.map(async (who) => {
    await who.until(() => document.querySelector('.call-state')?.textContent === 'Connexion…');
    await who.until(() => document.querySelector('.call-state')?.textContent.startsWith('Vos réseaux ne se rejoignent pas.'));
    assert.ok(Date.now() - began >= APART_MS, `${who.browserName}: told after ${Date.now() - began} ms`);
  }));
  // A connection that fails for good meanwhile, or is tried again, changes nothing of that.
  for (const who of callers) {
    await who.talks();
    await who.see('region', 'Appel en cours');
    await who.see('button', 'Couper le micro');
    assert.match(await who.page.$eval('.call-state', (one) => one.textContent), /^Vos réseaux ne se rejoignent pas\./);
  }
  await a.presses('Raccrocher');
  await Promise.all([a.talks(false), b.talks(false)]);
  const { body } = await server.call('GET', `/calls?conversationId=${id}&live=true`, { token: await server.tokenOf('client1') });
  assert.deepEqual(body, []);
});
