/** The service worker, with a network and a store that the tests hold in their hands. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const ORIGIN = 'http://localhost:3000';
const source = readFileSync(new URL('../../web/sw.js', import.meta.url), 'utf8');

/** A worker as the server sends it, in a browser of its own. */
function born(version = 'two') {
  const listeners = {};
  const stores = new Map([['lexchat-one', new Map()], ['another page’s', new Map()]]);
  const world = {
    stores,
    /** @type {(request: any) => Promise<any>} */
    network: async (request) => ({ status: 200, from: 'network', path: new URL(request.url).pathname }),
    /** @param {string} type @param {object} [event] */
    async happens(type, event = {}) {
      const waits = [];
      let answer;
      listeners[type]({ ...event, waitUntil: (work) => waits.push(work), respondWith: (given) => { answer = given; } });
      await Promise.all(waits);
      return answer;
    },
    /** @param {string} path @param {object} [more] what is answered, or `undefined` where the worker stands back */
    asks: (path, more = {}) => world.happens('fetch', { request: { method: 'GET', mode: 'cors', url: new URL(path, ORIGIN).href, ...more } }),
  };
  const caches = {
    keys: async () => [...stores.keys()],
    delete: async (name) => stores.delete(name),
    open: async (name) => ({ addAll: async (requests) => { stores.set(name, new Map(requests.map(({ url }) => [url, { status: 200, from: name, path: url }]))); } }),
    match: async (path, { cacheName }) => stores.get(cacheName)?.get(path),
  };
  const self = { addEventListener: (type, listener) => { listeners[type] = listener; }, skipWaiting() {}, clients: { claim: async () => {} } };
  vm.runInNewContext(source.replace('{version}', version).replace('{files}', '/ /app.js /views/search.js /favicon.svg'), {
    self, caches, URL, Promise, Response: { error: () => ({ status: 0 }) }, Request: class { constructor(url, options) { Object.assign(this, options, { url }); } },
    fetch: (request) => world.network(request), location: { origin: ORIGIN },
  });
  return world;
}

test('the_worker_keeps_the_files_of_the_page_and_of_no_other_version', async () => {
  const world = born();
  await world.happens('install');
  await world.happens('activate');
  assert.deepEqual([...world.stores.keys()].sort(), ['another page’s', 'lexchat-two']);
  assert.deepEqual([...world.stores.get('lexchat-two').keys()], ['/', '/app.js', '/views/search.js', '/favicon.svg']);
});

test('the_network_comes_first_and_what_is_kept_answers_when_the_server_does_not', async () => {
  const world = born();
  await world.happens('install');
  const visit = { mode: 'navigate' };
  for (const [path, file, more] of [['/', '/', visit], ['/?filtre=non-lues', '/', visit], ['/c/3/m/14', '/', visit], ['/moi', '/', visit], ['/app.js', '/app.js'], ['/views/search.js', '/views/search.js']]) {
    world.network = async () => ({ status: 200, from: 'network' });
    assert.equal((await world.asks(path, more)).from, 'network', path);
    for (const network of [async () => { throw new TypeError('nobody there'); }, async () => ({ status: 502, from: 'proxy' })]) {
      world.network = network;
      const { from, path: kept } = await world.asks(path, more);
      assert.deepEqual([from, kept], ['lexchat-two', file], path);
    }
    world.network = async () => ({ status: 404, from: 'network' });
    assert.equal((await world.asks(path, more)).status, 404, 'what the server says is not hidden');
  }
});

test('whatever_is_not_a_file_of_the_page_never_goes_through_the_worker', async () => {
  const world = born();
  await world.happens('install');
  world.network = async () => assert.fail('asked by the worker');
  for (const path of ['/socket.io/?EIO=4&transport=polling', '/socket.io/socket.io.esm.min.js', '/chat/?EIO=4', '/chat', '/attachments/1/lettre.png', '/messages?conversationId=1', '/conversations', '/users/me',
    '/auth/refresh-token', '/admin/users', '/healthz', '/sw.js', '/openapi.json', 'https://elsewhere.example/app.js', 'https://elsewhere.example/']) {
    assert.equal(await world.asks(path), undefined, path);
    assert.equal(await world.asks(path, { method: 'POST' }), undefined, path);
  }
  for (const path of ['/test-websocket.html', '/attachments/1/lettre.png?signature=x', '/api', '/openapi.json', '/metrics', '/admin/users', '/chat']) {
    assert.equal(await world.asks(path, { mode: 'navigate' }), undefined, path);
  }
  for (const method of ['HEAD', 'POST']) assert.equal(await world.asks('/', { method, mode: 'navigate' }), undefined, method);
});
