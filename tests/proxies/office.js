// An office behind a proxy: the real server on a port that is held for it, the real proxy before it, two people.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { createRequire } from 'node:module';
import https from 'node:https';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/node.mjs';
import { startProxy } from './proxies.js';

const here = dirname(fileURLToPath(import.meta.url));
export const binary = process.env.LEXCHAT_BIN ?? join(here, '..', '..', 'target', 'debug', 'lexchat');
const { io } = createRequire(join(here, '..', 'clients', 'package.json'))('socket.io-client-4.8');
/** What only a hang reaches. */
const PATIENCE_MS = 60_000;
const PASSWORD = 'une phrase assez longue';

/** Waits until `holds` gives something true. */
export async function until(holds, what, patience = 30_000) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await sleep(20);
  }
}

export class Office {
  /** @param {string} proxy its name in PROXIES */
  static async open(proxy) {
    const office = new Office();
    office.dir = await mkdtemp(join(tmpdir(), `lexchat-${proxy}-`));
    await chmod(office.dir, 0o755);
    const [port, upstream, admin] = [await freePort(), await freePort(), await freePort()];
    Object.assign(office, { port, url: `https://localhost:${port}`, agent: new https.Agent({ keepAlive: true, rejectUnauthorized: false }) });
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost', '-keyout', join(office.dir, 'key.pem'), '-out', join(office.dir, 'cert.pem')], { stdio: 'ignore' });
    await chmod(join(office.dir, 'key.pem'), 0o644);
    office.db = join(office.dir, 'lexchat.db');
    office.log = '';
    office.server = spawn('python3', [join(here, 'activate.py'), String(upstream), binary, 'serve', '--db', office.db, '--message-rate', '0', '--public-url', office.url,
      '--trust-proxy', '127.0.0.1/32', '--trust-proxy', '::1/128'], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
    for (const stream of [office.server.stdout, office.server.stderr]) stream.on('data', (bytes) => { office.log += bytes; });
    office.proxy = await startProxy(proxy, { dir: office.dir, port, upstream, admin });
    try {
      await until(() => office.ask('GET', '/readyz').then(({ status }) => status === 200, () => false), `${proxy} answers`);
      office.client = await office.person('client', 'anne@cabinet.example');
      office.jurist = await office.person('juriste', 'paul@cabinet.example');
      const { body } = await office.ask('POST', '/conversations', { token: office.client.token, body: { participantId: office.jurist.id } });
      office.conversation = body.id;
    } catch (error) {
      const text = `${error.stack}\n--- the proxy\n${office.proxy.output()}\n--- the server\n${office.log}`;
      await office.close();
      throw new Error(text);
    }
    return office;
  }

  async person(role, email) {
    execFileSync(binary, ['user', 'add', '--role', role, '--email', email, '--name', 'Camille Moreau', '--password-stdin', '--db', this.db], { input: PASSWORD });
    const { status, body } = await this.ask('POST', '/auth/sign-in', { body: { email, password: PASSWORD } });
    if (status !== 200) throw new Error(`sign-in answered ${status}`);
    return { id: body.user.id, token: body.accessToken };
  }

  /**
   * A request with JSON over HTTP/1.1: status, headers and body. A kept connection may be closed by the proxy just as it is
   * taken again; every client asks once more then, and Node leaves it to its user.
   */
  async ask(method, path, options = {}) {
    return this.askOnce(method, path, options).catch((error) => {
      if (!error.wasKept) throw error;
      return this.askOnce(method, path, { ...options, agent: new https.Agent({ rejectUnauthorized: false }) });
    });
  }

  askOnce(method, path, { token, body, bytes, agent = this.agent }) {
    const payload = bytes ?? (body && JSON.stringify(body));
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(payload && { 'content-length': Buffer.byteLength(payload) }), ...(body && { 'content-type': 'application/json' }) };
    return new Promise((resolve, reject) => {
      const request = https.request(this.url + path, { method, headers, agent, timeout: PATIENCE_MS }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => resolve(read(answer.statusCode, answer.headers, parts)));
      });
      request.on('error', (error) => reject(Object.assign(error, { wasKept: request.reusedSocket && error.code === 'ECONNRESET' }))).on('timeout', () => request.destroy(new Error('no answer'))).end(payload);
    });
  }

  /** The same over HTTP/2. What is sent waits for the other side: more than some MB in its memory, and Node refuses the answer. */
  async askH2(method, path, { token, bytes } = {}) {
    const session = http2.connect(this.url, { rejectUnauthorized: false });
    try {
      return await new Promise((resolve, reject) => {
        const headers = { ':method': method, ':path': path, ...(token && { authorization: `Bearer ${token}` }), ...(bytes && { 'content-length': bytes.length }) };
        const stream = session.request(headers, { endStream: !bytes });
        const sending = bytes && Readable.from(pieces(bytes), { objectMode: false });
        let answered;
        const parts = [];
        const settle = (error) => (answered ? resolve(read(answered[':status'], answered, parts, session.alpnProtocol)) : reject(error ?? new Error('ended without an answer')));
        session.on('error', settle);
        stream.on('response', (fields) => { answered = fields; });
        stream.on('data', (part) => parts.push(part));
        // A refusal may come before all is sent, and the wish to be sent no more with it.
        stream.on('aborted', () => sending?.destroy());
        for (const end of ['end', 'close', 'error']) stream.on(end, settle);
        stream.setTimeout(PATIENCE_MS, () => settle(new Error('no answer')));
        sending?.on('error', settle).pipe(stream);
      });
    } finally {
      session.destroy();
    }
  }

  /** A socket of somebody that comes back by itself. */
  socket(person, options = {}) {
    return io(`${this.url}/chat`, { auth: { token: person.token }, rejectUnauthorized: false, reconnectionDelay: 50, reconnectionDelayMax: 300, timeout: 5000, forceNew: true, ...options });
  }

  restart() {
    const starts = () => this.log.split('Ctrl-C stops it.').length;
    const before = starts();
    this.server.kill('SIGHUP');
    return until(() => starts() > before, 'the server starts anew');
  }

  async close() {
    this.agent.destroy();
    const ended = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.kill('SIGTERM');
    await Promise.all([this.proxy.stop(), this.server.exitCode === null ? ended : undefined]);
    await rm(this.dir, { recursive: true, force: true });
  }
}

function read(status, headers, parts, protocol) {
  const text = Buffer.concat(parts).toString();
  let body = text;
  try { body = JSON.parse(text); } catch { /* a proxy's own page */ }
  return { status, headers, body, protocol };
}

function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** So many random bytes and their digest. */
export function file(size) {
  const bytes = randomBytes(size);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * A conversation with a follower and a sender who repeats what was not acknowledged, while something happens; and a prober.
 * What was sent, what of it the server has, what the follower heard twice, and what was refused.
 */
export async function converse(office, disturb, { messages = 150, transports } = {}) {
  const follower = follow(office, transports);
  const sender = office.socket(office.client, { transports });
  const prober = probe(office);
  try {
    await until(() => follower.socket.connected && sender.connected, 'both are connected');
    const sent = [];
    const disturbing = sleep(600).then(disturb);
    for (let number = 0; number < messages; number += 1) {
      const message = { conversationId: office.conversation, content: `message ${number}`, clientMessageId: randomUUID() };
      sent.push(message.clientMessageId);
      await until(async () => {
        const ack = await sender.timeout(1500).emitWithAck('message:send', message).catch(() => null);
        return ack?.success;
      }, `message ${number} is acknowledged`);
      await sleep(20);
    }
    await disturbing;
    const stored = (await everything(office)).filter(({ clientMessageId }) => sent.includes(clientMessageId));
    await until(() => stored.every(({ id }) => follower.known.has(id)), 'the follower knows all');
    const { heard } = follower;
    return { sent, stored: stored.map(({ clientMessageId }) => clientMessageId), heardTwice: heard.filter((id, at) => heard.indexOf(id) !== at), ...(await prober.end()) };
  } finally {
    for (const socket of [sender, follower.socket]) socket.close();
    await prober.end();
  }
}

/** Somebody who knows all of the conversation that comes from now on, as the guide shows it. */
function follow(office, transports) {
  const follower = { socket: office.socket(office.jurist, { transports }), known: new Map(), heard: [] };
  const { socket, known, heard } = follower;
  const conversationId = office.conversation;
  let rev = 0;
  const learn = (message) => { rev = Math.max(rev, message.rev); known.set(message.id, message); };
  socket.on('message:new', ({ message }) => { heard.push(message.id); learn(message); });
  socket.on('connect', async () => {
    try {
      const joined = await socket.timeout(5000).emitWithAck('conversation:join', { conversationId });
      for (let more = rev > 0; more;) {
        const synced = await socket.timeout(5000).emitWithAck('conversation:sync', { conversationId, rev, history: joined.history });
        synced.messages?.forEach(learn);
        more = synced.hasMore === true;
      }
      joined.messages?.forEach(learn);
    } catch { socket.io.engine?.close(); }
  });
  return follower;
}

/** Asks again and again; `end` says how often, and which requests found no server. */
function probe(office) {
  const failures = [];
  let probes = 0;
  let over = false;
  const probing = (async () => {
    while (!over) {
      probes += 1;
      await office.askOnce('GET', '/healthz', {}).then(({ status }) => { if (status >= 500) failures.push(status); }, (error) => failures.push(error.message));
      await sleep(15);
    }
  })();
  return {
    async end() {
      over = true;
      await probing;
      return { failures, probes };
    },
  };
}

/** All messages of the conversation, oldest first. */
async function everything(office) {
  const all = [];
  for (let before = ''; ;) {
    const { status, body } = await office.ask('GET', `/messages?conversationId=${office.conversation}&limit=200${before}`, { token: office.client.token });
    if (status !== 200) throw new Error(`messages: ${status}`);
    if (!body.length) return all;
    all.unshift(...body);
    before = `&before=${body[0].id}`;
  }
}
