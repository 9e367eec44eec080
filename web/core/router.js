/**
 * Addresses and what they show. Every state of the page has one; `parse` and `href` are inverse to each other.
 *
 * @typedef {{name: 'home'|'test'|'me'|'signUp'|'signIn'|'lost'}
 *   | {name: 'admin', part: 'people'|'invitations'|'status'}
 *   | {name: 'conversation', id: number, messageId: number|null}
 *   | {name: 'search', query: string}
 *   | {name: 'invitation'|'setup', token: string}} Route
 */

const PLAIN = /** @type {const} */ ({
  '/': 'home', '/index.html': 'home', '/test-websocket.html': 'test', '/moi': 'me',
  '/inscription': 'signUp', '/connexion': 'signIn',
});

/** How the parts of the administration are called in an address. */
const PARTS = /** @type {const} */ ({ people: '', invitations: 'invitations', status: 'diagnostic' });

/** The list's filters in an address; it stands beside whatever is open. */
const FILTERS = /** @type {const} */ ({ all: null, unread: 'non-lues', unanswered: 'sans-reponse' });

/** @typedef {keyof typeof FILTERS} Filter */

/** @param {string} address @returns {Filter} */
export function filterOf(address) {
  const named = new URL(address, 'http://page').searchParams.get('filtre');
  return named === FILTERS.unread ? 'unread' : named === FILTERS.unanswered ? 'unanswered' : 'all';
}

/** @param {string} address @param {Filter} filter @returns {string} the same place with another filter of the list */
export function withFilter(address, filter) {
  const url = new URL(address, 'http://page');
  url.searchParams.delete('filtre');
  if (FILTERS[filter]) url.searchParams.set('filtre', FILTERS[filter]);
  return url.pathname + url.search;
}

/**
 * @param {string} address path and query, as `/c/3/m/14` or `/recherche?q=bail`
 * @returns {Route}
 */
export function parse(address) {
  const url = new URL(address, 'http://page');
  const path = url.pathname.replace(/(.)\/+$/, '$1');
  if (path in PLAIN) return { name: PLAIN[/** @type {keyof typeof PLAIN} */ (path)] };
  const conversation = /^\/c\/([1-9]\d{0,15})(?:\/m\/([1-9]\d{0,15}))?$/.exec(path);
  if (conversation) {
    return { name: 'conversation', id: Number(conversation[1]), messageId: conversation[2] ? Number(conversation[2]) : null };
  }
  if (path === '/admin') {
    const named = url.searchParams.get('partie');
    return { name: 'admin', part: named === PARTS.invitations ? 'invitations' : named === PARTS.status ? 'status' : 'people' };
  }
  if (path === '/recherche') return { name: 'search', query: url.searchParams.get('q') ?? '' };
  const token = /^\/(invitation|installation)\/([\w.~-]{1,512})$/.exec(path);
  if (token) return { name: token[1] === 'invitation' ? 'invitation' : 'setup', token: token[2] };
  return { name: 'lost' };
}

/**
 * @param {Route} route
 * @returns {string} the address of a route
 */
export function href(route) {
  switch (route.name) {
    case 'conversation': return `/c/${route.id}${route.messageId ? `/m/${route.messageId}` : ''}`;
    case 'search': return `/recherche${route.query ? `?q=${encodeURIComponent(route.query)}` : ''}`;
    case 'invitation': return `/invitation/${route.token}`;
    case 'setup': return `/installation/${route.token}`;
    case 'test': return '/test-websocket.html';
    case 'me': return '/moi';
    case 'admin': return `/admin${PARTS[route.part] && `?partie=${PARTS[route.part]}`}`;
    case 'signUp': return '/inscription';
    case 'signIn': return '/connexion';
    default: return '/';
  }
}
