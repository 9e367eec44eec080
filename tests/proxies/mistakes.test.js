// Whoever sets the office up behind a proxy makes one of the usual mistakes: what the doctor says names the flag that mends
// it, and nothing else is called bad; so does the log where people would notice something.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../support/node.mjs';
import { binary, until } from './office.js';
import { PROXIES, startProxy } from './proxies.js';

/** For documentation (RFC 5737): nobody is reached by it. */
const BORROWED = '192.0.2.1';
const host = ownAddress();
const TRUST = ['--trust-proxy', '127.0.0.1'];

/**
 * The mistakes, by what is typed: which rows of the doctor are bad or a warning, what mends them, and what the log has.
 * @param {string} url
 */
const MISTAKES = (url) => [
  { name: 'nothing is said', words: [], bad: ['reachable'], mends: `--public-url ${url}`, log: `--public-url ${url}` },
  { name: 'the proxy is not trusted', words: ['--public-url', url], bad: ['proxy'], mends: '--trust-proxy 127.0.0.1', log: '--trust-proxy 127.0.0.1' },
  { name: 'the address is not said', words: TRUST, bad: ['address'], mends: `--public-url ${url}`, log: '--public-url https://' },
  { name: 'another address is said', words: [...TRUST, '--public-url', 'https://autre.example'], bad: [], warns: ['address'], mends: `--public-url ${url}` },
  { name: 'all is right', words: [...TRUST, '--public-url', url], bad: [] },
];

/**
 * The same behind a proxy that is told its target and nothing else. What it passes on by itself differs.
 * @param {string} url @type {Record<string, (url: string) => {words: string[], mends: string[], log?: string}[]>}
 */
const BARE = {
  nginx: (url) => [
    { words: [], mends: [`--public-url ${url}`], log: `--public-url ${url}` },
    { words: ['--public-url', url], mends: ['--trust-proxy 127.0.0.1', 'pass `Upgrade`'], log: 'let it pass `Upgrade`' },
    { words: TRUST, mends: [`--public-url ${url}`], log: '--public-url https://' },
    { words: [...TRUST, '--public-url', url], mends: ['X-Forwarded-For', 'pass `Upgrade`'], log: 'let it pass `Upgrade`' },
  ],
  haproxy: (url) => [
    { words: [], mends: [`--public-url ${url}`], log: `--public-url ${url}` },
    { words: ['--public-url', url], mends: ['--trust-proxy 127.0.0.1'] },
    { words: TRUST, mends: [`--public-url ${url}`], log: `--public-url ${url}` },
    { words: [...TRUST, '--public-url', url], mends: ['X-Forwarded-For'] },
  ],
  apache: (url) => [
    { words: [], mends: [`--public-url ${url}`], log: `--public-url ${url}` },
    { words: ['--public-url', url], mends: ['--trust-proxy 127.0.0.1', 'pass `Upgrade`'], log: '--trust-proxy 127.0.0.1' },
    { words: TRUST, mends: [`--public-url ${url}`], log: `--public-url ${url}` },
    { words: [...TRUST, '--public-url', url], mends: ['pass `Upgrade`'], log: 'let it pass `Upgrade`' },
  ],
};

/**
 * An address by which others know this machine: to the server it is a name like any other. A machine without a network is
 * lent one until the tests end, which takes root.
 */
function ownAddress() {
  const own = Object.values(networkInterfaces()).flat().find(({ address, family, internal }) => family === 'IPv4' && (!internal || address === BORROWED));
  if (own) return own.address;
  execFileSync('ip', ['address', 'add', `${BORROWED}/32`, 'dev', 'lo']);
  process.once('exit', () => execFileSync('ip', ['address', 'del', `${BORROWED}/32`, 'dev', 'lo']));
  return BORROWED;
}

class Newcomer {
  /** @param {string} proxy @param {boolean} bare */
  static async begin(proxy, bare) {
    const it = new Newcomer();
    it.dir = await mkdtemp(join(tmpdir(), `lexchat-newcomer-${proxy}-`));
    await chmod(it.dir, 0o755);
    const [port, upstream, admin] = [await freePort(), await freePort(), await freePort()];
    Object.assign(it, { upstream, url: `https://${host}:${port}`, db: join(it.dir, 'lexchat.db') });
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=cabinet',
      '-addext', `subjectAltName=IP:${host}`, '-keyout', join(it.dir, 'key.pem'), '-out', join(it.dir, 'cert.pem')], { stdio: 'ignore' });
    await chmod(join(it.dir, 'key.pem'), 0o644);
    it.proxy = await startProxy(proxy, { dir: it.dir, port, upstream, admin, host, bare });
    return it;
  }

  /** Serves with these words, opens the page as a browser does, and asks the doctor. @param {string[]} words */
  async tries(words) {
    const server = spawn(binary, ['serve', '--no-demo', '--listen', `127.0.0.1:${this.upstream}`, '--db', this.db, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
    let log = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (bytes) => { log += bytes; });
    // Not its exit: what it said last may be read after that.
    const ended = new Promise((resolve) => server.once('close', resolve));
    try {
      await until(() => log.includes('Ctrl-C stops it.'), `the server starts: ${log}`);
      await until(() => this.get('/healthz').then((status) => status < 500, () => false), 'the proxy answers');
      await this.get('/', { accept: 'text/html' });
      await this.get('/socket.io/?EIO=4&transport=polling', { origin: this.url });
      await this.get('/socket.io/?EIO=4&transport=websocket', { origin: this.url, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' });
      const { code, rows } = await this.doctor();
      return { code, rows, log: () => log };
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
  }

  /** The status of an answer. @param {string} path @param {Record<string, string>} [headers] @returns {Promise<number>} */
  get(path, headers = {}) {
    return new Promise((resolve, reject) => {
      const asked = https.request(this.url + path, { headers, agent: false, rejectUnauthorized: false }, (answer) => answer.on('error', reject).resume().on('end', () => resolve(answer.statusCode)));
      asked.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode); }).on('error', reject).end();
    });
  }

  doctor() {
    const words = ['doctor', '--json', '--listen', `127.0.0.1:${this.upstream}`, '--public-url', this.url, '--db', this.db];
    return new Promise((resolve) => {
      execFile(binary, words, { env: { PATH: process.env.PATH } }, (error, out) => resolve({ code: error?.code ?? 0, rows: JSON.parse(out) }));
    });
  }

  async end() {
    await this.proxy.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const remedies = (rows) => rows.map(({ remedy }) => remedy ?? '').join('\n');
const judged = (rows, verdict) => rows.filter((row) => row.verdict === verdict).map(({ check }) => check);

describe('mistakes', { concurrency: 2 }, () => {
  for (const proxy of Object.keys(PROXIES)) describe(proxy, { concurrency: 1 }, () => {
    /** @type {Newcomer} */
    let newcomer;
    before(async () => { newcomer = await Newcomer.begin(proxy, false); });
    after(() => newcomer?.end());

    test('each is named with what mends it', async () => {
      for (const { name, words, bad, warns = [], mends, log } of MISTAKES(newcomer.url)) {
        const found = await newcomer.tries(words);
        const shown = `${name}: ${JSON.stringify(found.rows, null, 1)}\n${found.log()}`;
        assert.deepEqual(judged(found.rows, 'bad'), bad, shown);
        // Whose certificate is the office's own is told so.
        assert.deepEqual(judged(found.rows, 'warning').filter((check) => !['authority', 'disk'].includes(check)), warns, shown);
        assert.equal(found.code, bad.length ? 1 : 0, shown);
        if (mends) assert.ok(remedies(found.rows).includes(mends), shown);
        if (log) assert.ok(found.log().includes(log), shown);
        else assert.ok(!found.log().includes('WARN'), shown);
      }
    });
  });

  for (const [proxy, mistakes] of Object.entries(BARE)) describe(`${proxy}, told nothing but its target`, { concurrency: 1 }, () => {
    /** @type {Newcomer} */
    let newcomer;
    before(async () => { newcomer = await Newcomer.begin(proxy, true); });
    after(() => newcomer?.end());

    test('each is named with what mends it', async () => {
      for (const { words, mends, log } of mistakes(newcomer.url)) {
        const found = await newcomer.tries(words);
        const shown = `${words.join(' ')}: ${JSON.stringify(found.rows, null, 1)}\n${found.log()}`;
        for (const flag of mends) assert.ok(remedies(found.rows).includes(flag), `${flag} in ${shown}`);
        if (log) assert.ok(found.log().includes(log), `${log} in ${shown}`);
      }
    });
  });
});
