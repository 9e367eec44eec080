/** The real server as a process of its own: started on a fresh database, killed, started again where it was. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from '../support/node.mjs';

const BIN = process.env.LEXCHAT_BIN ?? new URL('../../target/debug/lexchat', import.meta.url).pathname;

/** Whether the files of the page are part of the server, and it is as fast as it gets. */
export const IS_RELEASE = BIN.includes('/release/');
export const PASSWORD = 'Pass123!';

/** Makes databases with the demo accounts and without their conversation: where nothing was said yet, tests count what they say. */
const PEOPLE_ONLY = new URL('../../target/debug/examples/people_only', import.meta.url).pathname;

export class Server {
  /** @param {string[]} [flags] @param {{talks?: boolean}} [as] `talks`: the conversation that the demo accounts come with is there @returns {Promise<Server>} serving, with the demo accounts */
  static async start(flags = [], { talks = false } = {}) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), 'lexchat-browser-'));
    server.port = await freePort();
    server.flags = flags;
    server.url = `http://127.0.0.1:${server.port}`;
    if (!talks && !flags.includes('--no-demo')) execFileSync(PEOPLE_ONLY, [join(server.folder, 'lexchat.db')]);
    await server.resume();
    return server;
  }

  /** Starts the process on the database that is there. */
  async resume() {
    const flags = ['serve', '--listen', `127.0.0.1:${this.port}`, '--db', join(this.folder, 'lexchat.db'), '--message-rate', '0', '--event-rate', '0', ...this.flags];
    this.output = '';
    this.process = spawn(BIN, flags, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.gone = new Promise((resolve) => this.process.once('exit', resolve));
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (bytes) => { this.output += bytes; });
    await until(async () => {
      if (this.process.exitCode !== null) throw new Error(`the server did not start: ${this.output}`);
      return (await fetch(`${this.url}/readyz`).catch(() => null))?.ok;
    }, 'the server is ready');
  }

  /** What the process has printed, once it matches: it answers before it has said all. @param {RegExp} wanted @returns {Promise<RegExpExecArray>} */
  prints(wanted) {
    return until(() => wanted.exec(this.output), `the server prints ${wanted}`);
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

  /** @param {string} name of a seeded account, as `client1` @returns {Promise<any>} its session */
  async signIn(name) {
    return (await this.call('POST', '/auth/sign-in', { body: { email: `${name}@example.com`, password: PASSWORD } })).body;
  }

  /** @param {string} name of a seeded account, as `client1` @returns {Promise<string>} its token */
  async tokenOf(name) {
    return (await this.signIn(name)).accessToken;
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
    // Only a change is told at once: whoever looked a moment ago has seen this person write already.
    const says = (isTyping) => `42/chat,${JSON.stringify(['message:typing', { conversationId, isTyping }])}`;
    await ask(sid, `${says(false)}\x1e${says(true)}`);
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
