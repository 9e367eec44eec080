/**
 * Who is signed in on this page, and the tokens that prove it.
 *
 * One browser can hold several people (a window each): sessions are kept per person, and each window remembers
 * whose it is; a new window starts as the person signed in last. A refresh token works once, so windows of one
 * person refresh one at a time, under a lock, and take over what another window has just fetched.
 */
import { own, shared } from './kept.js';

const WHO = 'lexchat.who';
const LATEST = 'lexchat.latest';
const key = (id) => `lexchat.session.${id}`;
const peopleKey = (id) => `lexchat.people.${id}`;

/** @typedef {{accessToken: string, refreshToken: string, user: any}} Session */

/** @type {Session|null} */
let session = null;

/** @returns {Session|null} the session of this window */
export function find() {
  if (session) return session;
  const who = own.getJson(WHO) ?? shared.getJson(LATEST);
  session = who ? shared.getJson(key(who)) : null;
  if (session) own.setJson(WHO, session.user.id);
  return session;
}

/** @param {Session} fresh of a sign-in, or with a changed user */
export function keep(fresh) {
  session = fresh;
  const id = fresh.user.id;
  shared.setJson(key(id), fresh);
  shared.setJson(LATEST, id);
  own.setJson(WHO, id);
}

/** @param {object} user what the server now says of the person */
export function update(user) {
  if (!session) return;
  session = { ...session, user: { ...session.user, ...user } };
  shared.setJson(key(session.user.id), session);
}

/**
 * Keeps with whom this person is in conversation, for a page that is opened while the server is
 * gone: names, and nothing that was said.
 * @param {import('../core/state.js').Conversation[]} conversations
 */
export function keepPeople(conversations) {
  if (!session) return;
  /** @param {any} person */
  const named = ({ id, name, role, specialty }) => ({ id, name, role, specialty });
  const known = conversations.map(({ id, clientId, lawyerId, client, lawyer, createdAt, lastMessageAt }) => {
    const people = { client: named(client), lawyer: named(lawyer) };
    return { id, clientId, lawyerId, ...people, createdAt, lastMessageAt, unreadCount: 0 };
  });
  shared.setJson(peopleKey(session.user.id), known);
}

/** @returns {import('../core/state.js').Conversation[]|null} what `keepPeople` kept */
export function people() {
  return session && shared.getJson(peopleKey(session.user.id));
}

/** Forgets the tokens of this person on this browser. Drafts and unsent messages stay. */
export function forget() {
  if (!session) return;
  const id = session.user.id;
  shared.set(key(id), null);
  shared.set(peopleKey(id), null);
  if (shared.getJson(LATEST) === id) shared.set(LATEST, null);
  own.set(WHO, null);
  session = null;
}

/** This window stops being that person; the session itself goes on elsewhere. */
export function leave() {
  own.set(WHO, 'null');
  session = null;
}

/** What another window does with this person's session. @param {(is: 'fresh'|'gone') => void} listener */
export function watch(listener) {
  addEventListener('storage', (event) => {
    if (!session || event.key !== key(session.user.id)) return;
    const stored = shared.getJson(event.key);
    if (stored) session = stored;
    listener(stored ? 'fresh' : 'gone');
  });
}

/**
 * A fresh access token, fetched once however many windows ask.
 * @param {string} stale the token that was refused or is about to end
 * @returns {Promise<'fresh'|'ended'|'unreachable'>}
 */
export async function renew(stale) {
  const mine = session;
  if (!mine) return 'ended';
  return locked(`lexchat.refresh.${mine.user.id}`, async () => {
    const stored = /** @type {Session|null} */ (shared.getJson(key(mine.user.id)));
    if (!stored) return 'ended';
    if (stored.accessToken !== stale) {
      session = stored;
      return 'fresh';
    }
    try {
      const answer = await fetch('/auth/refresh-token', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refreshToken: stored.refreshToken }),
      });
      if (answer.status === 401 || answer.status === 400) return 'ended';
      if (!answer.ok) return 'unreachable';
      const tokens = await answer.json();
      session = { ...stored, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken };
      shared.setJson(key(mine.user.id), session);
      return 'fresh';
    } catch {
      return 'unreachable';
    }
  });
}

/**
 * One at a time over all windows; where a browser has no locks, or refuses them, without waiting.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function locked(name, work) {
  let begun = false;
  const once = () => {
    begun = true;
    return work();
  };
  try {
    return await /** @type {any} */ (navigator.locks).request(name, once);
  } catch (error) {
    if (begun) throw error;
    return work();
  }
}
