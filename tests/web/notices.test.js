/** Being told of messages: whose pushes a browser shows, what the server hears of who looks, what is closed when it was read. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../support/node.mjs';
import { FOREVER, isForever, mutedUntil } from '../../web/core/muting.js';
import { createStore } from '../../web/core/store.js';
import { attend } from '../../web/client/notices.js';
import * as push from '../../web/client/push.js';
import { watchBadge } from '../../web/views/badge.js';
import { shared } from '../../web/client/kept.js';

/** Puts things into the world until the test ends. @param {import('node:test').TestContext} context @param {Record<string, any>} things */
function world(context, things) {
  for (const [name, value] of Object.entries(things)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    context.after(() => (before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name)));
  }
}

/** A browser with pushes. @param {import('node:test').TestContext} context @param {{permission?: string, answer?: string, key?: Uint8Array}} [given] */
function browser(context, { permission = 'default', answer = 'granted', key } = {}) {
  const asked = [];
  const subscription = (bytes) => ({
    options: { applicationServerKey: bytes.buffer },
    toJSON: () => ({ endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } }),
    unsubscribe: async () => { asked.push('unsubscribe'); known = null; },
  });
  let known = key ? subscription(key) : null;
  const pushManager = {
    getSubscription: async () => known,
    subscribe: async ({ applicationServerKey }) => {
      asked.push(`subscribe ${applicationServerKey}`);
      known = subscription(new Uint8Array(Buffer.from(applicationServerKey, 'base64url')));
      return known;
    },
  };
  const registration = { pushManager, getNotifications: async () => [] };
  const serviceWorker = { register: async () => registration, ready: Promise.resolve(registration), getRegistration: async () => registration, addEventListener() {}, removeEventListener() {} };
  const Notification = { permission, requestPermission: async () => { asked.push('permission'); Notification.permission = answer; return answer; } };
  world(context, {
    isSecureContext: true, Notification, PushManager: class {}, navigator: { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/153.0', serviceWorker },
    fetch: async (path, { method, body }) => { asked.push(`${method} ${path} ${body}`); return Response.json({ id: 1 }); },
  });
  world(context, { window: globalThis });
  context.after(() => shared.set('lexchat.push', null));
  return { asked, registration, Notification };
}

test('a_browser_is_registered_after_a_press_for_the_servers_key_and_its_person_alone', async (context) => {
  const { asked } = browser(context);
  await push.turnOn(1, 'BBBB');
  assert.deepEqual(asked, ['permission', 'subscribe BBBB', 'POST /notifications/devices {"kind":"webpush","endpoint":"https://push.example/1","keys":{"p256dh":"p","auth":"a"},"name":"Firefox · Linux"}']);
  assert.deepEqual([push.isOn(1), push.isOn(2)], [true, false]);
  await push.turnOff();
  assert.deepEqual([asked.at(-1), push.isOn(1)], ['unsubscribe', false]);
});

test('who_refuses_is_not_subscribed_and_not_registered', async (context) => {
  const { asked } = browser(context, { answer: 'denied' });
  await assert.rejects(push.turnOn(1, 'BBBB'), { code: 'DENIED' });
  assert.deepEqual(asked, ['permission']);
  assert.deepEqual([push.isOn(1), push.obstacle()], [false, 'denied']);
});

test('a_subscription_for_another_servers_key_is_given_up_and_one_for_this_key_is_kept', async (context) => {
  const old = browser(context, { permission: 'granted', key: new Uint8Array([1, 2, 3]) });
  shared.setJson('lexchat.push', 1);
  await push.renew(1, 'BBBB');
  assert.deepEqual(old.asked.slice(0, 2), ['unsubscribe', 'subscribe BBBB']);
  old.asked.length = 0;
  await push.renew(1, 'BBBB');
  assert.match(old.asked.join(), /^POST/);
  old.asked.length = 0;
  await push.renew(2, 'BBBB');
  assert.deepEqual(old.asked, [], 'somebody else on this browser did not ask for it');
});

test('how_many_messages_wait_stands_on_the_icon_of_the_installed_app_until_none_does', (context) => {
  const counts = [];
  world(context, { navigator: { setAppBadge: async (count) => { counts.push(count); } }, document: { title: '', querySelector: () => null } });
  const store = createStore();
  watchBadge(store, () => ({ name: 'list' }));
  for (const unreadCount of [2, 2, 0]) store.dispatch({ type: 'conversationsLoaded', conversations: [{ id: 1, unreadCount, rev: 1 }] });
  assert.deepEqual(counts, [2, 0], 'told once per change');
});

test('what_stands_in_the_way_is_named', (context) => {
  browser(context);
  assert.equal(push.obstacle(), null);
  Reflect.deleteProperty(globalThis, 'PushManager');
  assert.equal(push.obstacle(), 'unable');
  world(context, { navigator: { userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1' } });
  assert.equal(push.obstacle(), 'install');
  world(context, { isSecureContext: false });
  assert.equal(push.obstacle(), 'insecure');
});

test('browsers_and_systems_have_the_names_that_people_call_them', () => {
  for (const [agent, name] of [
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0', 'Edge · Windows'],
    ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36', 'Chrome · Android'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15', 'Safari · macOS'],
    ['curl/8.5.0', undefined], ['', undefined],
  ]) assert.equal(push.nameOf(agent), name, agent);
});

test('a_key_is_written_as_the_server_writes_it', () => {
  const bytes = Uint8Array.from({ length: 65 }, (_, at) => 251 - at);
  assert.equal(push.keyOf(bytes.buffer), Buffer.from(bytes).toString('base64url'));
  assert.equal(push.keyOf(null), '');
});

test('a_conversation_is_muted_until_a_moment_and_one_far_away_is_always', () => {
  const now = Date.parse('2026-11-28T12:00:00.000Z');
  const later = '2026-11-28T12:00:00.001Z';
  assert.equal(mutedUntil({ mutedUntil: later }, now), later);
  for (const none of [undefined, {}, { mutedUntil: null }, { mutedUntil: '2026-11-28T12:00:00.000Z' }, { mutedUntil: 'soon' }]) assert.equal(mutedUntil(none, now), null);
  assert.deepEqual([isForever(FOREVER, now), isForever(later, now)], [true, false]);
});

/** A client at a window that has or has not the focus. @param {import('node:test').TestContext} context @param {any} [given] */
function client(context, { focused = true, shown = [], found = [], permission = 'default', key = '' } = {}) {
  const made = /** @type {any} */ ({ me: { id: 1 }, endNotices: () => {} });
  context.after(() => made.endNotices());
  const { registration } = browser(context, { permission });
  registration.getNotifications = async () => shown;
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible', hasFocus: () => page.focused, focused });
  const events = new EventTarget();
  const asked = [];
  world(context, {
    document: page, addEventListener: events.addEventListener.bind(events), removeEventListener: events.removeEventListener.bind(events),
    fetch: async (path) => { asked.push(path); return Response.json({ conversations: found, available: { webPush: { publicKey: key } } }); },
  });
  const store = createStore();
  const said = [];
  Object.assign(made, { store, state: store.state, socket: { tell: (name, data) => said.push([name, data.visible]) } });
  attend(made);
  const link = (stage) => store.dispatch({ type: 'linkChanged', stage, at: 0 });
  return { said, asked, store, link, look: (looks) => { page.focused = looks; events.dispatchEvent(new Event(looks ? 'focus' : 'blur')); } };
}

test('the_server_hears_who_looks_when_it_changes_and_again_on_each_connection', (context) => {
  const { said, link, look } = client(context);
  assert.deepEqual(said, [], 'nobody is there to hear it');
  link('up');
  look(false);
  look(false);
  look(true);
  link('down');
  link('up');
  assert.deepEqual(said.map(([, visible]) => visible), [true, false, true, true]);
  assert.ok(said.every(([name]) => name === 'presence:attention'));
});

test('a_browser_is_registered_at_the_start_and_after_signing_in_again', async (context) => {
  browser(context, { permission: 'granted' });
  shared.setJson('lexchat.push', 1);
  const { asked, store } = client(context, { permission: 'granted', key: 'BBBB' });
  const registered = () => asked.filter((path) => path === '/notifications/devices').length;
  const rest = () => new Promise((resolve) => setTimeout(resolve, 20));
  await until(() => registered() === 1, 'it is registered');
  store.dispatch({ type: 'signInNeeded' });
  await rest();
  assert.equal(registered(), 1);
  store.dispatch({ type: 'signedIn', me: { id: 1 } });
  await until(() => registered() === 2, 'it is registered again');
});

test('a_window_in_the_background_never_says_that_somebody_looks', (context) => {
  const { said, link } = client(context, { focused: false });
  link('up');
  assert.deepEqual(said, []);
});

test('a_notice_is_closed_once_its_conversation_was_read_and_no_other_one_is', async (context) => {
  const closed = [];
  const notice = (tag, kind = 'messages') => ({ tag, data: { kind }, close: () => closed.push(tag) });
  const found = [{ tag: 'a', conversationId: 1 }, { tag: 'missed', conversationId: 1 }, { tag: 'b', conversationId: 2 }];
  const shown = [notice('a'), notice('missed', 'missed-call'), notice('b'), notice('of somebody else'), notice('t', 'test'), notice('rings', 'call')];
  const { store, asked } = client(context, { shown, found });
  const one = (id, unreadCount) => ({ id, unreadCount, rev: 1, lastReadMessageId: null });
  store.dispatch({ type: 'conversationsLoaded', conversations: [one(1, 2), one(2, 3)] });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(closed, []);
  store.dispatch({ type: 'conversationChanged', conversation: { ...one(1, 0), lastReadMessageId: 9 } });
  await until(() => closed.length >= 2, 'two are closed');
  assert.deepEqual(closed, ['a', 'missed']);
  assert.equal(asked.at(-1), '/notifications/conversations?tags=a,missed,b,of%20somebody%20else');
});
