// The examples of docs/GUIDE.md, extracted by their first line (`// exemple: name`) and run as they stand.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';
import { JSDOM } from 'jsdom';
import { freePort, until, within } from '../support/node.mjs';

const here = import.meta.dirname;
let server;
let base;
let folder;
let examples;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lexchat-guide-'));
  server = await startServer();
  base = server.url;
  examples = await extract(path.join(here, '../../docs/GUIDE.md'));
});

after(async () => {
  server?.process.kill('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

test('every example of the guide is run by a test of this file', async () => {
  const text = await readFile(import.meta.filename, 'utf8');
  for (const name of examples.keys()) assert.match(text, new RegExp(`'${name}'`), `the example ${name} is not run`);
});

test('the first steps end with a stored message', async () => {
  const file = await example('premiers-pas');
  const { code, output } = await run(process.execPath, [file], { LEXCHAT_URL: base });
  assert.equal(code, 0, output);
  assert.match(output, /Rejoint la conversation \d+/);
  assert.match(output, /enregistré sous le numéro \d+/);
});

test('all three ways to give the token connect', async () => {
  const { parRequete, parAuth, parEnTete } = await load('trois-facons');
  const { accessToken } = await signIn('client2');
  for (const connect of [parRequete, parAuth, parEnTete]) {
    const socket = connect(base, accessToken);
    await once(socket, 'connect');
    socket.disconnect();
  }
  const refused = parAuth(base, 'pas un jeton');
  const error = await once(refused, 'connect_error');
  assert.equal(error.message, 'Token invalide ou expiré');
  assert.equal(error.data.code, 'UNAUTHENTICATED');
  refused.disconnect();
});

test('what happened during an absence is caught up, once each', async () => {
  const { envoyer, suivre } = await load('ne-rien-perdre');
  const { parAuth } = await load('trois-facons');
  const [client, jurist] = await Promise.all([signIn('client3'), signIn('juriste1')]);
  const conversation = await call('POST', '/conversations', client.accessToken, { participantId: 6 });
  const writer = parAuth(base, client.accessToken);
  const reader = parAuth(base, jurist.accessToken);
  await Promise.all([once(writer, 'connect'), once(reader, 'connect')]);

  const applied = new Map();
  suivre(reader, conversation.id, (message) => applied.set(message.id, message.content));
  const first = await envoyer(writer, conversation.id, 'avant');
  await until(() => applied.get(first.id) === 'avant');

  reader.disconnect();
  const second = await envoyer(writer, conversation.id, 'pendant');
  const edit = await writer.emitWithAck('message:edit', { messageId: first.id, content: 'corrigé' });
  assert.ok(edit.success);
  reader.connect();
  await until(() => applied.get(second.id) === 'pendant' && applied.get(first.id) === 'corrigé');
  await assert.rejects(envoyer(writer, 999_999, 'ailleurs'), { code: 'NOT_FOUND' });
  writer.disconnect();
  reader.disconnect();
});

test('after a restore nothing is taken for what had its number before', async () => {
  const { envoyer, suivre } = await load('ne-rien-perdre');
  const { parAuth } = await load('trois-facons');
  const place = await mkdtemp(path.join(folder, 'restore-'));
  const lexchat = async (...words) => {
    const { code, output } = await run(process.env.LEXCHAT_BIN, words, {}, place);
    assert.equal(code, 0, output);
  };
  const port = await freePort();
  let own = await startServer(place, port);
  const [client, jurist] = await Promise.all([signIn('client1', own.url), signIn('juriste1', own.url)]);
  const writer = parAuth(own.url, client.accessToken);
  const reader = parAuth(own.url, jurist.accessToken);
  await Promise.all([once(writer, 'connect'), once(reader, 'connect')]);
  const shown = new Map();
  const { id } = await call('POST', '/conversations', client.accessToken, { participantId: 6 }, own.url);
  suivre(reader, id, (message) => shown.set(message.id, message.content), () => shown.clear());
  const say = async (...texts) => { for (const text of texts) await envoyer(writer, id, text); };
  await say('un', 'deux', 'trois');
  await lexchat('backup', 'b.db');
  await say('perdu 1', 'perdu 2', 'perdu 3');
  await until(() => [...shown.values()].includes('perdu 3'));
  own.process.kill('SIGKILL');
  await once(own.process, 'exit');
  for (const ending of ['', '-wal', '-shm']) await rm(path.join(place, `lexchat.db${ending}`), { force: true });
  await lexchat('restore', 'b.db');
  own = await startServer(place, port);
  await until(() => writer.connected && reader.connected);
  await say('nouveau 1', 'nouveau 2');
  await until(() => [...shown.values()].includes('nouveau 2'));
  const stored = await call('GET', `/messages?conversationId=${id}`, jurist.accessToken, undefined, own.url);
  assert.deepEqual([...shown.values()].sort(), stored.map((message) => message.content).sort());
  writer.disconnect();
  reader.disconnect();
  own.process.kill('SIGTERM');
});

test('a file goes with a message and is fetched by its signed link', async () => {
  const { deposer, lien } = await load('fichiers');
  const { accessToken } = await signIn('client4');
  const conversation = await call('POST', '/conversations', accessToken, { participantId: 6 });
  const file = await deposer(base, accessToken, conversation.id, 'note.txt', new TextEncoder().encode('pièce jointe'));
  const message = await call('POST', '/messages', accessToken, {
    conversationId: conversation.id,
    content: '',
    files: [file.id],
  });
  assert.equal(message.files[0].id, file.id);
  const answer = await fetch(await lien(base, accessToken, file.id));
  assert.equal(await answer.text(), 'pièce jointe');
});

test('an expiring socket is prolonged', async () => {
  const { prolonger } = await load('rafraichir');
  const { parAuth } = await load('trois-facons');
  const tokens = await signIn('client5');
  const before = tokens.accessToken;
  const socket = parAuth(base, tokens.accessToken);
  await once(socket, 'connect');
  prolonger(socket, base, tokens);
  const [expiring] = socket.listeners('auth:expiring');
  await expiring({ expiresAt: new Date().toISOString() });
  assert.notEqual(tokens.accessToken, before);
  const ack = await socket.emitWithAck('auth:refresh', { token: tokens.accessToken });
  assert.ok(ack.success, JSON.stringify(ack));
  socket.disconnect();
});

for (const [name, ending] of [['react', 'jsx'], ['vue', 'js']]) {
  test(`the ${name} example shows what the other party writes, and sends`, async () => {
    const mount = {
      react: `import { createElement } from 'react'; import { createRoot } from 'react-dom/client';
        import { Conversation } from './react.jsx';
        export function mount(element, props) { const root = createRoot(element); root.render(createElement(Conversation, props)); return () => root.unmount(); }`,
      vue: `import { createApp } from 'vue'; import { Conversation } from './vue.js';
        export function mount(element, props) { const app = createApp(Conversation, props); app.mount(element); return () => app.unmount(); }`,
    };
    const [client, jurist] = await Promise.all([signIn('client1'), signIn('juriste2')]);
    const conversation = await call('POST', '/conversations', client.accessToken, { participantId: 7 });
    await example(name, ending);
    const entry = path.join(folder, `${name}-mount.js`);
    await writeFile(entry, mount[name]);

    const { window } = new JSDOM('<!doctype html><div id="app"></div>', { pretendToBeVisual: true, url: base });
    const ofBrowsers = ['window', 'document', 'Element', 'SVGElement', 'MathMLElement', 'HTMLElement', 'Node', 'Event',
      'XMLHttpRequest', 'WebSocket'];
    for (const key of ofBrowsers) {
      Object.defineProperty(globalThis, key, { value: key === 'window' ? window : window[key], configurable: true });
    }
    const bundle = path.join(folder, `${name}-bundle.mjs`);
    await build({
      entryPoints: [entry], bundle: true, outfile: bundle, format: 'esm', jsx: 'automatic', platform: 'browser',
      mainFields: ['module', 'main'], nodePaths: [path.join(here, 'node_modules')], logLevel: 'error',
      define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false',
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    });
    const { mount: start } = await import(pathToFileURL(bundle));
    const root = window.document.getElementById('app');
    const stop = start(root, { url: base, token: client.accessToken, conversationId: conversation.id });

    await until(() => root.querySelector('button') && !root.querySelector('button').disabled);
    await call('POST', '/messages', jurist.accessToken, { conversationId: conversation.id, content: 'Bonjour de Maître' });
    await until(() => root.textContent.includes('Bonjour de Maître'));

    const input = root.querySelector('input');
    Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, 'value').set.call(input, `Bonjour de ${name}`);
    input.dispatchEvent(new window.Event('input', { bubbles: true }));
    await new Promise((next) => setImmediate(next));
    root.querySelector('form').dispatchEvent(new window.Event('submit', { bubbles: true, cancelable: true }));
    await until(() => [...root.querySelectorAll('li')].some((item) => item.textContent === `Bonjour de ${name}`));
    stop();
  });
}

async function extract(file) {
  const found = new Map();
  for (const [, code] of (await readFile(file, 'utf8')).matchAll(/```jsx?\n([\s\S]*?)```/g)) {
    const name = code.match(/^\/\/ exemple: (\S+)\n/)?.[1];
    assert.ok(name, `an example without a name:\n${code.slice(0, 80)}`);
    found.set(name, code);
  }
  return found;
}

/** Writes one example into the folder, beside the installed packages, and gives its path. */
async function example(name, ending = 'mjs') {
  assert.ok(examples.has(name), `the guide has no example ${name}`);
  const file = path.join(folder, `${name}.${ending}`);
  await writeFile(file, examples.get(name));
  if (ending !== 'mjs') return file;
  const bundle = path.join(folder, `${name}-run.mjs`);
  await build({
    entryPoints: [file], bundle: true, outfile: bundle, format: 'esm', platform: 'node', logLevel: 'error',
    nodePaths: [path.join(here, 'node_modules')],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return bundle;
}

async function load(name) {
  return import(pathToFileURL(await example(name)));
}

async function startServer(cwd = folder, port = 0) {
  const child = spawn(process.env.LEXCHAT_BIN, ['serve', '--listen', `127.0.0.1:${port}`], { cwd });
  let output = '';
  const address = new Promise((resolve, reject) => {
    const read = (chunk) => {
      output += chunk;
      const found = output.match(/http:\/\/(localhost|127\.0\.0\.1):\d+/);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  return { process: child, url: await within(address, 'the address of the server', () => output) };
}

async function run(command, args, env, cwd) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env } });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, output };
}

async function call(method, address, token, body, at = base) {
  const answer = await fetch(at + address, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  const value = await answer.json();
  assert.ok(answer.ok, `${method} ${address}: ${JSON.stringify(value)}`);
  return value;
}

const signIn = (who, at) =>
  call('POST', '/auth/sign-in', null, { email: `${who}@example.com`, password: 'Pass123!' }, at);

function once(socket, event) {
  return within(new Promise((resolve) => socket.once(event, resolve)), event);
}
