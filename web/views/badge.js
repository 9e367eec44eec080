/**
 * How many messages wait and what is open, where one sees it from another window: the title and the
 * favicon.
 */
import { peerOf, unreadTotal } from '../core/conversations.js';
import { t } from '../core/i18n.js';

/**
 * @param {import('../core/store.js').Store} store
 * @param {() => import('../core/router.js').Route} route
 * @returns {() => void} to be called when the address has changed
 */
export function watchBadge(store, route) {
  let unread = false;
  let told = 0;
  let shown = '';
  const update = () => {
    const title = titleOf(store.state(), route());
    if (title !== shown) document.title = shown = title;
    const count = unreadTotal(store.state());
    if (count !== told) /** @type {any} */ (navigator).setAppBadge?.(count).catch(() => {});
    told = count;
    const waits = count > 0;
    if (waits === unread) return;
    unread = waits;
    document.querySelector('link[rel="icon"]')?.setAttribute('href', waits ? '/favicon-unread.svg' : '/favicon.svg');
  };
  store.subscribe(update);
  update();
  return update;
}

/**
 * @param {import('../core/state.js').State} state
 * @param {import('../core/router.js').Route} route
 * @returns {string} as `(3) Hélène Rousseau · lexchat`
 */
export function titleOf(state, route) {
  const count = unreadTotal(state);
  const place = state.me ? placeOf(state, state.me.id, route) : '';
  return `${count ? `(${count}) ` : ''}${place && `${place} · `}${t('app.name')}`;
}

/**
 * @param {import('../core/state.js').State} state
 * @param {number} myId
 * @param {import('../core/router.js').Route} route
 */
function placeOf(state, myId, route) {
  switch (route.name) {
    case 'conversation':
      return state.conversations[route.id] ? peerOf(state.conversations[route.id], myId).name : '';
    case 'search':
      return t('search.label');
    case 'me':
      return t('me.title');
    case 'admin':
      return t('admin.title');
    default:
      return '';
  }
}
