/**
 * What goes on beside reading and writing so that people are told of messages, and not twice: the server hears
 * whether somebody looks at this window, this browser stays registered for pushes, and what was shown is closed when
 * it was read.
 */
import { unreadTotal } from '../core/conversations.js';
import * as api from './api.js';
import * as push from './push.js';

/** The server believes for a minute that somebody looks. */
const REPEAT_MS = 30_000;

/** The kinds of notices that go when their conversation is read. */
const CLOSED = ['messages', 'missed-call', 'call-elsewhere'];

/** As long as the client is there. @param {import('./client.js').Client|null} client */
export function attend(client) {
  if (!client) return;
  const ends = [sayAttention(client), closeWhatIsRead(client), renewAfterSignIn(client)];
  client.endNotices = () => ends.forEach((end) => end());
  ends.push(followWorker(client));
}

/** What this person chose, and what the server can do. @returns {Promise<any>} */
export const settings = () => api.get('/notifications/settings');

/** @param {import('./client.js').Client} client */
async function renewed({ me }) {
  if (!push.isOn(me.id)) return;
  try {
    const { available } = await settings();
    if (available.webPush) await push.renew(me.id, available.webPush.publicKey);
  } catch {
    // At the next start.
  }
}

/**
 * At the start, and whenever somebody has signed in again: a session that has ended has taken its device along.
 * @param {import('./client.js').Client} client
 */
function renewAfterSignIn(client) {
  let ended = true;
  const followed = () => {
    const { needsSignIn } = client.state();
    if (ended && !needsSignIn) renewed(client);
    ended = needsSignIn;
  };
  followed();
  return client.store.subscribe(followed);
}

/** @param {import('./client.js').Client} client */
function sayAttention(client) {
  let said = false;
  let link = '';
  const isLooking = () => document.visibilityState === 'visible' && document.hasFocus();
  const say = (/** @type {boolean} */ again) => {
    const visible = isLooking();
    if (visible === said && !(again && visible)) return;
    said = visible;
    client.socket.tell('presence:attention', { visible });
  };
  const changed = () => say(false);
  const followed = () => {
    const { stage } = client.state().link;
    if (stage === link) return;
    link = stage;
    // Another socket is one that has said nothing.
    said = false;
    if (stage === 'up') say(true);
  };
  const timer = setInterval(() => say(true), REPEAT_MS);
  for (const name of ['focus', 'blur']) addEventListener(name, changed);
  document.addEventListener('visibilitychange', changed);
  const unsubscribe = client.store.subscribe(followed);
  followed();
  return () => {
    clearInterval(timer);
    for (const name of ['focus', 'blur']) removeEventListener(name, changed);
    document.removeEventListener('visibilitychange', changed);
    unsubscribe();
  };
}

/** @param {import('./client.js').Client} client */
function closeWhatIsRead(client) {
  let before = -1;
  const followed = () => {
    const state = client.state();
    if (!state.listLoaded) return;
    const count = unreadTotal(state);
    if (before === -1 || count < before) closeRead(client).catch(() => {});
    before = count;
  };
  followed();
  return client.store.subscribe(followed);
}

/**
 * Closes the notices of this person's conversations in which nothing is unread.
 * @param {import('./client.js').Client} client
 */
async function closeRead(client) {
  const registration = await navigator.serviceWorker?.getRegistration();
  const shown = ((await registration?.getNotifications?.()) ?? []).filter(({ data }) => CLOSED.includes(data?.kind));
  if (!shown.length) return;
  const found = await conversationsOf(shown.map(({ tag }) => tag));
  const { conversations } = client.state();
  for (const notice of shown) {
    const id = found[notice.tag];
    if (id && !conversations[id]?.unreadCount) notice.close();
  }
}

/**
 * What the tags of notices stand for; they say nothing to who has not the server's key.
 * @param {string[]} tags
 * @returns {Promise<Record<string, number>>} conversations of this person, by tag
 */
export async function conversationsOf(tags) {
  const { conversations } = await api.get(`/notifications/conversations?tags=${tags.map(encodeURIComponent)}`);
  return Object.fromEntries(conversations.map((/** @type {any} */ one) => [one.tag, one.conversationId]));
}

/** The push service gave this browser another address. @param {import('./client.js').Client} client */
function followWorker(client) {
  const worker = navigator.serviceWorker;
  const heard = (/** @type {MessageEvent} */ { data }) => data?.subscription && renewed(client);
  worker?.addEventListener('message', heard);
  return () => worker?.removeEventListener('message', heard);
}
