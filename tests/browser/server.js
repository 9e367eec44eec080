/** The real server as a process of its own: started on a fresh database, killed, started again where it was. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BIN = process.env.LEXCHAT_BIN ?? new URL('../../target/debug/lexchat', import.meta.url).pathname;

/** Whether the files of the page are part of the server, and it is as fast as it gets. */
export const IS_RELEASE = BIN.includes('/release/');
const STARTS_WITHIN_MS = 20_000;
export const PASSWORD = 'Pass123!';

/** @returns {Promise<number>} a port that nobody uses now */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export class Server {
  /** @returns {Promise<Server>} serving, with the demo accounts */
  static async start(flags = []) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), 'lexchat-browser-'));
    server.port = await freePort();
    server.flags = flags;
    server.url = `http://127.0.0.1:${server.port}`;
    await server.resume();
    return server;
  }

  /** Starts the process on the database that is there. */
  async resume() {
    const flags = ['serve', '--listen', `127.0.0.1:${this.port}`, '--db', join(this.folder, 'lexchat.db'), '--message-rate', '0', ...this.flags];
    this.output = '';
    this.process = spawn(BIN, flags, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.gone = new Promise((resolve) => this.process.once('exit', resolve));
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (bytes) => { this.output += bytes; });
    const until = Date.now() + STARTS_WITHIN_MS;
    for (;;) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
      if (this.process.exitCode !== null || Date.now() > until) throw new Error(`the server did not start: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** What the process has printed, once it matches: it answers before it has said all. @param {RegExp} wanted @returns {Promise<RegExpExecArray>} */
  async prints(wanted) {
    const until = Date.now() + STARTS_WITHIN_MS;
    for (;;) {
      const found = wanted.exec(this.output);
      if (found) return found;
      if (Date.now() > until) throw new Error(`${wanted} is not in: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** As a power cut would, for the process. */
  async kill() {
    this.process.kill('SIGKILL');
    await this.gone;
  }

  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param {string} method @param {string} path @param {{token?: string, body?: any}} [options] */
  async call(method, path, { token, body } = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
  }

  /** @param {string} name of a seeded account, as `client1` @returns {Promise<string>} its token */
  async tokenOf(name) {
    const { body } = await this.call('POST', '/auth/sign-in', { body: { email: `${name}@example.com`, password: PASSWORD } });
    return body.accessToken;
  }

  /** A conversation of client1 with juriste1, with messages of either. @param {{by: 'client1'|'juriste1', content: string}[]} [messages] @returns {Promise<number>} */
  async conversation(messages = []) {
    const tokens = { client1: await this.tokenOf('client1'), juriste1: await this.tokenOf('juriste1') };
    const { body } = await this.call('POST', '/conversations', { token: tokens.client1, body: { participantId: 6 } });
    for (const { by, content } of messages) await this.send(tokens[by], body.id, content);
    return body.id;
  }

  /** @param {string} token @param {number} conversationId @param {string} content */
  async send(token, conversationId, content) {
    const sent = await this.call('POST', '/messages', { token, body: { conversationId, content } });
    if (sent.status !== 201) throw new Error(`not sent: ${JSON.stringify(sent.body)}`);
  }

  /** @param {string} token @param {number} conversationId @param {string} name @param {string} type @param {Buffer} bytes @returns {Promise<number>} the file's id */
  async upload(token, conversationId, name, type, bytes) {
    const query = new URLSearchParams({ conversationId: String(conversationId), name });
    const answer = await fetch(`${this.url}/attachments?${query}`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': type }, body: bytes });
    return (await answer.json()).id;
  }

  /** Somebody begins to write, on a socket of their own; it is shown for six seconds. @param {string} token @param {number} conversationId */
  async types(token, conversationId) {
    const address = `${this.url}/socket.io/?EIO=4&transport=polling`;
    const ask = async (sid, body) => (await fetch(`${address}&sid=${sid}`, body && { method: 'POST', body })).text();
    const { sid } = JSON.parse((await (await fetch(address)).text()).slice(1));
    await ask(sid, `40/chat,${JSON.stringify({ token })}`);
    await ask(sid);
    await ask(sid, `42/chat,${JSON.stringify(['message:typing', { conversationId, isTyping: true }])}`);
  }

  /** Many messages of client1, `message 1` the first and `message {count}` the last. @param {number} conversationId @param {number} count */
  async flood(conversationId, count) {
    const token = await this.tokenOf('client1');
    await this.send(token, conversationId, 'message 1');
    for (let from = 2; from < count; from += 50) {
      await Promise.all(Array.from({ length: Math.min(50, count - from) }, (_, at) => this.send(token, conversationId, `message ${from + at}`)));
    }
    await this.send(token, conversationId, `message ${count}`);
    const read = await this.call('PATCH', `/conversations/${conversationId}/mark-as-read`, { token: await this.tokenOf('juriste1') });
    if (read.status !== 200) throw new Error(`not read: ${JSON.stringify(read.body)}`);
  }
}
