/**
 * Who is signed in on this page, and the tokens that prove it.
 *
 * One browser can hold several people (a window each): sessions are kept per person, and each window remembers whose it is; a new
 * window starts as the person signed in last. A refresh token works once, so windows of one person refresh one at a time,
 * under a lock, and take over what another window has just fetched.
 */

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
  const who = read(sessionStorage, WHO) ?? read(localStorage, LATEST);
  session = who ? read(localStorage, key(who)) : null;
  if (session) sessionStorage.setItem(WHO, JSON.stringify(session.user.id));
  return session;
}

/** @param {Session} fresh of a sign-in, or with a changed user */
export function keep(fresh) {
  session = fresh;
  const id = fresh.user.id;
  localStorage.setItem(key(id), JSON.stringify(fresh));
  localStorage.setItem(LATEST, JSON.stringify(id));
  sessionStorage.setItem(WHO, JSON.stringify(id));
}

/** @param {object} user what the server now says of the person */
export function update(user) {
  if (!session) return;
  session = { ...session, user: { ...session.user, ...user } };
  localStorage.setItem(key(session.user.id), JSON.stringify(session));
}

/**
 * Keeps with whom this person is in conversation, for a page that is opened while the server is gone: names, and nothing that was said.
 * @param {import('../core/state.js').Conversation[]} conversations
 */
export function keepPeople(conversations) {
  if (!session) return;
  /** @param {any} person */
  const named = ({ id, name, role, specialty }) => ({ id, name, role, specialty });
  localStorage.setItem(peopleKey(session.user.id), JSON.stringify(conversations.map(({ id, clientId, lawyerId, client, lawyer, createdAt, lastMessageAt }) => (
    { id, clientId, lawyerId, client: named(client), lawyer: named(lawyer), createdAt, lastMessageAt, unreadCount: 0 }))));
}

/** @returns {import('../core/state.js').Conversation[]|null} what `keepPeople` kept */
export function people() {
  return session && read(localStorage, peopleKey(session.user.id));
}

/** Forgets the tokens of this person on this browser. Drafts and unsent messages stay. */
export function forget() {
  if (!session) return;
  const id = session.user.id;
  localStorage.removeItem(key(id));
  localStorage.removeItem(peopleKey(id));
  if (read(localStorage, LATEST) === id) localStorage.removeItem(LATEST);
  sessionStorage.removeItem(WHO);
  session = null;
}

/** This window stops being that person; the session itself goes on elsewhere. */
export function leave() {
  sessionStorage.setItem(WHO, 'null');
  session = null;
}

/** What another window does with this person's session. @param {(is: 'fresh'|'gone') => void} listener */
export function watch(listener) {
  addEventListener('storage', (event) => {
    if (!session || event.key !== key(session.user.id)) return;
    const stored = read(localStorage, event.key);
    if (stored) session = stored;
    listener(stored ? 'fresh' : 'gone');
  });
}

/** @returns {number} milliseconds until the access token ends, by its own claim; 0 without a session */
export function lifetimeMs() {
  const token = session?.accessToken;
  if (!token) return 0;
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
    return claims.exp * 1000 - Date.now();
  } catch {
    return 0;
  }
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
    const stored = /** @type {Session|null} */ (read(localStorage, key(mine.user.id)));
    if (!stored) return 'ended';
    if (stored.accessToken !== stale) {
      session = stored;
      return 'fresh';
    }
    try {
      const answer = await fetch('/auth/refresh-token', {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ refreshToken: stored.refreshToken }),
      });
      if (answer.status === 401 || answer.status === 400) return 'ended';
      if (!answer.ok) return 'unreachable';
      const tokens = await answer.json();
      session = { ...stored, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken };
      localStorage.setItem(key(mine.user.id), JSON.stringify(session));
      return 'fresh';
    } catch {
      return 'unreachable';
    }
  });
}

/** @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
function locked(name, work) {
  return navigator.locks ? /** @type {Promise<T>} */ (navigator.locks.request(name, work)) : work();
}

/** @param {Storage} storage @param {string} name */
function read(storage, name) {
  try {
    return JSON.parse(storage.getItem(name) ?? 'null');
  } catch {
    return null;
  }
}
