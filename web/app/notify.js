/** New messages: said to who listens to the page, and told by the system to who looks elsewhere and wants that. */
import { shared } from '../client/kept.js';

/**
 * @param {import('./create.js').App} app
 * @param {any} message
 */
export function notify(app, message) {
  document.dispatchEvent(new CustomEvent('lexchat:message', { detail: message }));
  if (document.hasFocus() || shared.get('lexchat.notify') !== 'yes') return;
  import('./notification.js').then(({ show }) => show(app, message), () => {});
}
