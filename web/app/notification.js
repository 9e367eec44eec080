/** A new message, told by the system: by this page, or by a push of which somebody has pressed the notice. */
import { now } from '../core/clock.js';
import { peerOf } from '../core/conversations.js';
import { mutedUntil } from '../core/muting.js';
import { href } from '../core/router.js';
import { t } from '../core/i18n.js';
import { conversationsOf } from '../client/notices.js';
import * as push from '../client/push.js';

/**
 * Never the text: a notification stands on screens that others see.
 * @param {import('./create.js').App} app
 * @param {any} message
 */
export async function show(app, { conversationId, senderName, title = '' }) {
  const { conversations, me } = app.store.state();
  const conversation = conversations[conversationId];
  // Nobody is told twice: where pushes come to, the server tells.
  if (mutedUntil(conversation, now()) || (me && push.isOn(me.id))) return;
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const name = senderName ?? (conversation && me ? peerOf(conversation, me.id).name : t('app.name'));
  const open = href({ name: 'conversation', id: conversationId, messageId: null });
  const options = { tag: `lexchat-${conversationId}`, icon: '/favicon.svg', data: { open } };
  const heading = title || t('me.notifyTitle', { name });
  try {
    // The only way on a phone; and what it shows is answered even when this page is gone.
    const worker = await navigator.serviceWorker.getRegistration();
    if (worker?.active) await worker.showNotification(heading, options);
    else fromPage(app, heading, options);
  } catch {
    fromPage(app, heading, options);
  }
}

/** A call rings no more in this browser: the push that told of it goes. */
export async function closeRinging() {
  const registration = await navigator.serviceWorker?.getRegistration();
  const shown = (await registration?.getNotifications?.()) ?? [];
  for (const notice of shown) if (notice.data?.kind === 'call') notice.close();
}

/**
 * Opens the conversation that a pressed notice is about, named by its tag in the address.
 * @param {import('./create.js').App} app
 */
export async function find(app) {
  const tag = new URLSearchParams(location.search).get('avis') ?? '';
  const found = await conversationsOf([tag]).catch(() => ({}));
  const id = /** @type {Record<string, number>} */ (found)[tag];
  if (new URLSearchParams(location.search).get('avis') !== tag) return;
  app.go(id ? { name: 'conversation', id, messageId: null } : '/', { replace: true });
}

/**
 * Where there is no service worker.
 * @param {import('./create.js').App} app
 * @param {string} title
 * @param {{data: {open: string}}} options
 */
function fromPage(app, title, options) {
  try {
    new Notification(title, options).onclick = () => {
      window.focus();
      app.go(options.data.open);
    };
  } catch {
    // This browser shows none; the message itself waits in the list.
  }
}
