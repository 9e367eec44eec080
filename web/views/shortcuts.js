/** Keys that work everywhere. */
import { listed } from '../core/conversations.js';

/**
 * @param {import('../app/create.js').App} app
 * @param {KeyboardEvent} event
 * @param {boolean} free nothing lay over the page when the key was pressed
 */
export function shortcut(app, event, free) {
  const typing = /** @type {HTMLElement} */ (event.target).closest?.('input, textarea, select, [contenteditable]');
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && key === 'k') {
    event.preventDefault();
    if (app.route().dialog?.name === 'palette') app.closeDialog();
    else app.open('palette');
  } else if (event.altKey && free && (key === 'arrowup' || key === 'arrowdown')) {
    event.preventDefault();
    const all = listed(app.store.state(), 'all').map((one) => one.id);
    const route = app.route();
    const at = route.name === 'conversation' ? all.indexOf(route.id) : -1;
    const id = all[key === 'arrowdown' ? at + 1 : Math.max(0, at < 0 ? all.length - 1 : at - 1)];
    if (id) app.go({ name: 'conversation', id, messageId: null });
  } else if (key === '?' && !typing && free) {
    event.preventDefault();
    app.open('keys');
  } else if (key === 'end' && free && (!typing || !(/** @type {any} */ (typing).value))) {
    document.dispatchEvent(new CustomEvent('lexchat:end'));
  } else if (key === 'escape' && free && !typing && ['search', 'me', 'admin', 'bills'].includes(app.route().name)) {
    history.back();
  }
}
