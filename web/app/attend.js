/** What goes on in the background while somebody is signed in. */
import { attend as attendTo } from '../client/notices.js';
import { watchBadge } from '../views/badge.js';
import { guardDrags } from '../views/drags.js';
import { keepFocus } from './focus.js';

/** @type {WeakSet<object>} */
const followed = new WeakSet();

/** @param {import('./create.js').App} app */
export function attend(app) {
  if (!followed.has(app)) follow(app);
  attendTo(app.client);
}

/** @param {import('./create.js').App} app */
function follow(app) {
  followed.add(app);
  keepFocus();
  guardDrags();
  app.retitle = watchBadge(app.store, app.route);
  // A press on a notification is told by the service worker.
  navigator.serviceWorker?.addEventListener('message', ({ data }) => {
    if (typeof data?.open === 'string' && data.open.startsWith('/')) app.go(data.open);
  });
}
