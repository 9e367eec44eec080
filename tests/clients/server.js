// The real binary on a free port, with a database of its own, and what one asks of it over HTTP.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, within } from '../support/node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const binary = process.env.LEXCHAT_BIN ?? join(root, 'target', 'debug', 'lexchat');

/** Starts the server on a free port, or another time with the `port` and `dir` of an earlier one. */
export async function start({ port: wanted, dir: given } = {}) {
  wanted ??= await freePort();
  const dir = given ?? (await mkdtemp(join(tmpdir(), 'lexchat-clients-')));
  const child = spawn(binary, ['serve', '--listen', `localhost:${wanted}`, '--db', join(dir, 'lexchat.db')], {
    cwd: dir,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const port = await within(portOf(child), 'the port that the server listens on');
  return {
    port,
    dir,
    url: `http://localhost:${port}`,
    /** Ends it without a word and keeps its folder. */
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    /** Ends it as Ctrl-C does and removes its folder. */
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The port that the start-up text names. */
function portOf(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk) => {
      text += chunk;
      const named = /https?:\/\/[^\s/]+:(\d+)/.exec(text);
      if (named) resolve(Number(named[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${text}`)));
  });
}

/** An HTTP request with JSON both ways: `{ status, body }`. */
export async function ask(server, method, path, { token, body } = {}) {
  const answer = await fetch(server.url + path, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}

/** Signs a seeded person in: `{ accessToken, refreshToken, user }`. */
export async function signIn(server, email) {
  const { status, body } = await ask(server, 'POST', '/auth/sign-in', { body: { email, password: 'Pass123!' } });
  if (status !== 200) throw new Error(`sign-in of ${email} answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
