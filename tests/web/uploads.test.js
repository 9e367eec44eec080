/** Large files: what has arrived before a cut or a reload is not sent again. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../support/node.mjs';

globalThis.addEventListener ??= () => {};
globalThis.localStorage ??= /** @type {any} */ ({ getItem: () => null, setItem() {}, removeItem() {} });
const { upload } = await import('../../web/client/uploads.js');

const SIZE = 9 << 20;

/** A server that takes so many bytes of a part before the connection breaks, part by part. */
function serving({ cuts = [], forgets = false } = {}) {
  const server = { asked: [], offset: 0, sent: 0, forgets };
  globalThis.XMLHttpRequest = /** @type {any} */ (class {
    upload = {};
    open(method, path) { Object.assign(this, { method, path }); }
    setRequestHeader() {}
    abort() { this.onabort(); }
    getResponseHeader() { return String(server.offset); }
    answer(status, response) { Object.assign(this, { status, response }); this.onload(); }
    send(part) {
      server.asked.push(`${this.method} ${this.path.replace(/\?conv.*size/, '?size')}`);
      setImmediate(() => this.work(part));
    }
    work(part) {
      if (this.method === 'HEAD') return server.forgets ? this.answer(404) : this.answer(200);
      if (this.method === 'DELETE') return this.answer(204);
      if (this.method === 'POST') { server.forgets = false; return this.answer(201, { id: 7, offset: 0, file: null }); }
      const said = Number(new URLSearchParams(this.path.split('?')[1]).get('offset'));
      if (said !== server.offset) return this.answer(409, { code: 'CONFLICT', offset: server.offset });
      const taken = cuts.length ? cuts.shift() : part.size;
      server.offset += taken;
      server.sent += taken;
      if (taken < part.size) return this.onerror();
      return this.answer(200, { id: 7, offset: server.offset, file: server.offset === SIZE ? { id: 7 } : null });
    }
  });
  return server;
}
const large = (more = {}) => ({ key: String(Math.random()), name: 'plan.pdf', blob: new Blob([new Uint8Array(SIZE)]), ...more });

test('a_large_file_goes_in_parts_and_on_after_a_cut_without_a_byte_twice', async () => {
  const server = serving({ cuts: [4 << 20, 1_000_000] });
  const parts = [];
  let begun = 0;
  const file = await upload(large(), 1, { onProgress: (part) => parts.push(part), onBegun: (id) => { begun = id; } });
  assert.deepEqual([file, begun, server.sent], [{ id: 7 }, 7, SIZE]);
  assert.deepEqual(server.asked, [
    'POST /attachments?size=9437184', 'PATCH /attachments/7?offset=0', 'PATCH /attachments/7?offset=4194304',
    'HEAD /attachments/7', 'PATCH /attachments/7?offset=5194304', 'PATCH /attachments/7?offset=9388608',
  ]);
});

test('after_a_reload_it_goes_on_and_what_the_server_forgot_begins_anew', async () => {
  const server = serving();
  server.offset = 5 << 20;
  await upload(large({ upload: 7 }), 1);
  assert.deepEqual([server.asked[0], server.asked[1], server.sent], ['HEAD /attachments/7', 'PATCH /attachments/7?offset=5242880', 4 << 20]);
  const other = serving({ forgets: true });
  await upload(large({ upload: 3 }), 1);
  assert.deepEqual(other.asked.slice(0, 2), ['HEAD /attachments/3', 'POST /attachments?size=9437184']);
  assert.equal(other.sent, SIZE);
});

test('a_file_that_is_taken_out_of_the_composer_is_forgotten_by_the_server', async () => {
  const server = serving();
  const stop = new AbortController();
  const sending = upload(large(), 1, { signal: stop.signal, onBegun: () => setImmediate(() => stop.abort('unstaged')) });
  await assert.rejects(sending, { code: 'CANCELLED' });
  await until(() => server.asked.includes('DELETE /attachments/7'), `it is deleted: ${server.asked}`);
});

test('a_small_file_goes_in_one_request', async () => {
  const server = serving();
  await upload({ name: 'a.txt', blob: new Blob(['a']) }, 1);
  assert.equal(server.asked.length, 1);
  assert.doesNotMatch(server.asked[0], /size/);
});
