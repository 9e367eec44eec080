/** The service worker, with a network and a store that the tests hold in their hands. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const ORIGIN = 'http://localhost:3000';
const source = readFileSync(new URL('../../web/sw.js', import.meta.url), 'utf8');

/** A worker as the server sends it, in a browser of its own. */
function born(version = 'two', language = 'fr-FR') {
  const listeners = {};
  const stores = new Map([['lexchat-one', new Map()], ['another page’s', new Map()]]);
  const clients = { claim: async () => {}, matchAll: async () => [] };
  const shown = [];
  const registration = { showNotification: async (title, options) => shown.push({ title, ...options }), pushManager: { subscribe: async (options) => shown.push(options) } };
  const world = {
    stores,
    shown,
    /** @type {any} */
    clients,
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
    open: async (name) => ({ put: async (path, answer) => { stores.set(name, (stores.get(name) ?? new Map()).set(path, answer)); }, addAll: async (requests) => { stores.set(name, new Map(requests.map(({ url }) => [url, { status: 200, from: name, path: url }]))); } }),
    match: async (path, { cacheName }) => stores.get(cacheName)?.get(path),
  };
  const self = { addEventListener: (type, listener) => { listeners[type] = listener; }, skipWaiting() {}, clients, registration };
  vm.runInNewContext(source.replace('{version}', version).replace('{files}', '/ /app.js /views/search.js /favicon.svg'), {
    self, caches, URL, Promise, encodeURIComponent, navigator: { language },
    Response: class { static error() { return { status: 0 }; } static redirect(to, status) { return { to, status }; } constructor(body) { this.body = body; } }, Request: class { constructor(url, options) { Object.assign(this, options, { url }); } },
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
  for (const [path, file, more] of [['/', '/', visit], ['/?filtre=non-lues', '/', visit], ['/c/3/m/14', '/', visit], ['/moi', '/', visit], ['/mot-de-passe', '/', visit], ['/mot-de-passe/a1', '/', visit], ['/confirmation/a1', '/', visit], ['/app.js', '/app.js'], ['/views/search.js', '/views/search.js']]) {
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

test('a_press_on_a_notification_shows_its_place_in_a_window_that_is_there_or_in_a_new_one', async () => {
  const notification = { close() {}, data: { open: '/c/3' } };
  const world = born();
  const said = [];
  world.clients.matchAll = async () => [{ postMessage: (message) => said.push(message), focus: async () => said.push('focus') }];
  await world.happens('notificationclick', { notification });
  assert.deepEqual(said.map((one) => one.open ?? one), ['/c/3', 'focus']);
  world.clients.matchAll = async () => [];
  world.clients.openWindow = async (path) => said.push(path);
  await world.happens('notificationclick', { notification });
  assert.equal(said.at(-1), '/c/3');
});

test('a_push_is_shown_by_its_tag_and_its_press_asks_for_the_conversation_that_the_tag_stands_for', async () => {
  const world = born();
  const data = { kind: 'messages', tag: 'ab12', title: 'Cabinet', body: 'Vous avez un nouveau message', url: '/' };
  await world.happens('push', { data: { json: () => data } });
  const [{ title, body, tag, data: { kind, open } }] = world.shown;
  assert.deepEqual([title, body, tag, kind, open], ['Cabinet', data.body, 'ab12', 'messages', '/?avis=ab12']);
});

test('a_call_stays_until_it_is_over_and_only_what_is_new_makes_a_sound', async () => {
  const world = born();
  for (const kind of ['call', 'missed-call', 'call-elsewhere', 'messages', 'test']) await world.happens('push', { data: { json: () => ({ kind, tag: 'ab12', title: 'Cabinet', body: 'x', url: '/' }) } });
  assert.deepEqual(world.shown.map((one) => [one.requireInteraction, one.renotify, one.silent, one.data.open]), [
    [true, true, false, '/?avis=ab12'], [false, true, false, '/?avis=ab12'], [false, false, true, '/?avis=ab12'], [false, true, false, '/?avis=ab12'], [false, true, false, '/'],
  ]);
});

test('whatever_a_push_holds_something_is_shown_and_no_other_page_can_be_opened', async () => {
  const world = born();
  const broken = { json: () => { throw new SyntaxError('no JSON'); } };
  await world.happens('push', { data: null });
  await world.happens('push', { data: broken });
  for (const url of ['https://elsewhere.example/', '//elsewhere.example', '/\\\\elsewhere.example', 7]) await world.happens('push', { data: { json: () => ({ title: 'x', tag: 't', url }) } });
  assert.equal(world.shown.length, 6);
  for (const { title, data } of world.shown) assert.ok(title && data.open === '/', data.open);
});

test('a_push_that_says_nothing_is_shown_as_a_message_in_the_language_of_the_browser_and_once', async () => {
  for (const [language, said] of [['fr-FR', 'Vous avez un nouveau message'], ['de', 'Vous avez un nouveau message'], ['en-GB', 'You have a new message']]) {
    const world = born('two', language);
    for (let times = 0; times < 2; times += 1) await world.happens('push', { data: null });
    assert.deepEqual(world.shown.map(({ title, body, tag }) => [title, body, tag]), Array(2).fill(['lexchat', said, 'lexchat']));
  }
});

test('another_address_of_this_browser_is_subscribed_and_told_to_the_pages', async () => {
  const world = born();
  const said = [];
  world.clients.matchAll = async () => [{ postMessage: (message) => said.push(message.subscription) }];
  await world.happens('pushsubscriptionchange', { oldSubscription: { options: { applicationServerKey: 'key' } } });
  assert.deepEqual(world.shown, [{ applicationServerKey: 'key' }]);
  await world.happens('pushsubscriptionchange', { oldSubscription: null });
  assert.deepEqual(said, ['changed', 'changed']);
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
  for (const path of ['/test-websocket.html', '/attachments/1/lettre.png?signature=x', '/api', '/openapi.json', '/metrics', '/admin/users', '/chat', '/confirmation', '/notifications/unsubscribe/a1']) {
    assert.equal(await world.asks(path, { mode: 'navigate' }), undefined, path);
  }
  for (const method of ['HEAD', 'POST']) assert.equal(await world.asks('/', { method, mode: 'navigate' }), undefined, method);
});

test('what_another_app_shares_waits_until_the_page_has_asked_to_whom_it_goes', async () => {
  const world = born();
  const form = new Map([['title', 'Bail'], ['text', 'à lire']]);
  const formData = async () => ({ get: (name) => form.get(name), getAll: () => [{ name: 'pièce 1.pdf' }] });
  const answer = await world.asks('/partage', { method: 'POST', formData });
  assert.deepEqual([answer.to, answer.status], ['/partage', 303]);
  const kept = world.stores.get('shared-lexchat');
  assert.deepEqual([...kept.keys()], ['/partage/text', '/partage/0/pi%C3%A8ce%201.pdf']);
  assert.equal(kept.get('/partage/text').body, 'Bail\nà lire');
  await world.happens('activate');
  assert.ok(world.stores.has('shared-lexchat'), 'another version of the page keeps it');
  assert.equal(await world.asks('/messages', { method: 'POST', formData }), undefined);
});
