/** Copying, also where the connection is not secure and the browser's clipboard is out of reach. */

import { loadTexts, t } from '../core/i18n.js';

/**
 * Copies a text, and says so.
 * @param {import('./create.js').App} app
 * @param {string} text
 */
export async function copy(app, text) {
  const done = text !== '' && (await copied(text));
  await loadTexts();
  if (done) app.client?.notice(t('copied'));
  else app.client?.notice(text ? t('copy.failed') : t('copy.nothing'), 'alert');
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is in the clipboard
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

/** The older way: what is selected is copied. @param {string} text */
function copiedBySelection(text) {
  const before = /** @type {HTMLElement|null} */ (document.activeElement);
  const box = document.createElement('textarea');
  box.value = text;
  box.className = 'spoken';
  // A dialog takes the focus from everything outside of it.
  (document.querySelector('dialog[open]') ?? document.body).append(box);
  box.select();
  let done = false;
  try {
    done = document.execCommand('copy');
  } catch {
    // Then it is not done.
  }
  box.remove();
  before?.focus({ preventScroll: true });
  return done;
}
