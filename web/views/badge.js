/** How many messages wait, where one sees it from another window: the title and the favicon. */
import { unreadTotal } from '../core/state.js';
import { t } from '../core/i18n.js';

/** @param {import('../core/store.js').Store} store */
export function watchBadge(store) {
  let shown = -1;
  const update = () => {
    const count = unreadTotal(store.state());
    if (count === shown) return;
    shown = count;
    document.title = count ? `(${count}) ${t('app.name')}` : t('app.name');
    const icon = document.querySelector('link[rel="icon"]');
    icon?.setAttribute('href', count ? '/favicon-unread.svg' : '/favicon.svg');
  };
  store.subscribe(update);
  update();
}
