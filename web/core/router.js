/**
 * Addresses and what they show. Every state of the page has one; `parse` and `href` are inverse to
 * each other.
 *
 * @typedef {{name: 'home'|'test'|'me'|'share'|'signUp'|'signIn'|'forgotten'|'lost'}
 *   | {name: 'admin', part: keyof typeof PARTS}
 *   | {name: 'bills', id: number|null, isNew: boolean}
 *   | {name: 'conversation', id: number, messageId: number|null}
 *   | {name: 'search', query: string}
 *   | {name: keyof typeof LINKS, token: string}} Route
 */

const PLAIN = /** @type {const} */ ({
  '/': 'home',
  '/index.html': 'home',
  '/test-websocket.html': 'test',
  '/moi': 'me',
  '/partage': 'share',
  '/inscription': 'signUp',
  '/connexion': 'signIn',
  '/mot-de-passe': 'forgotten',
});

/** How the parts of the administration are called in an address. */
const PARTS = /** @type {const} */ ({
  people: '',
  invitations: 'invitations',
  practice: 'cabinet',
  deliveries: 'envois',
  status: 'diagnostic',
});

/** The one-time links that are sent to people. */
const LINKS = /** @type {const} */ ({
  invitation: 'invitation',
  setup: 'installation',
  password: 'mot-de-passe',
  confirmation: 'confirmation',
});

/**
 * @template {Record<string, string>} T
 * @param {T} words
 * @param {string|null} word
 * @returns {keyof T|undefined} what has this word
 */
const named = (words, word) => Object.keys(words).find((name) => words[name] === word);

/** The list's filters in an address; it stands beside whatever is open. */
const FILTERS = /** @type {const} */ ({ all: null, unread: 'non-lues', unanswered: 'sans-reponse' });

/** @typedef {keyof typeof FILTERS} Filter */

/**
 * @param {string} address
 * @returns {Filter}
 */
export function filterOf(address) {
  const named = new URL(address, 'http://page').searchParams.get('filtre');
  return named === FILTERS.unread ? 'unread' : named === FILTERS.unanswered ? 'unanswered' : 'all';
}

/**
 * @param {string} address
 * @param {Filter} filter
 * @returns {string} the same place with another filter of the list
 */
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
    return {
      name: 'conversation',
      id: Number(conversation[1]),
      messageId: conversation[2] ? Number(conversation[2]) : null,
    };
  }
  if (path === '/admin') return { name: 'admin', part: named(PARTS, url.searchParams.get('partie')) ?? 'people' };
  // One that is new is begun in a conversation: the number is that one's.
  const bill = /^\/factures(?:(\/nouvelle)?\/([1-9]\d{0,15}))?$/.exec(path);
  if (bill) return { name: 'bills', id: Number(bill[2]) || null, isNew: Boolean(bill[1]) };
  if (path === '/recherche') return { name: 'search', query: url.searchParams.get('q') ?? '' };
  const [, word, token] = /^\/([a-z-]+)\/([\w.~-]{1,512})$/.exec(path) ?? [];
  const link = named(LINKS, word);
  return link ? { name: link, token } : { name: 'lost' };
}

/**
 * @param {Route} route
 * @returns {string} the address of a route
 */
export function href(route) {
  switch (route.name) {
    case 'conversation':
      return `/c/${route.id}${route.messageId ? `/m/${route.messageId}` : ''}`;
    case 'search':
      return `/recherche${route.query ? `?q=${encodeURIComponent(route.query)}` : ''}`;
    case 'invitation':
    case 'setup':
    case 'password':
    case 'confirmation':
      return `/${LINKS[route.name]}/${route.token}`;
    case 'admin':
      return `/admin${PARTS[route.part] && `?partie=${PARTS[route.part]}`}`;
    case 'bills':
      return `/factures${route.isNew ? '/nouvelle' : ''}${route.id ? `/${route.id}` : ''}`;
    default:
      return route.name === 'lost' ? '/' : /** @type {string} */ (named(PLAIN, route.name));
  }
}
