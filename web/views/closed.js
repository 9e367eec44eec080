/** What stands in the composer's place where nobody would read what one writes. */
import { html } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';

/** @param {{name: string}} props */
export function Closed({ name }) {
  return html`<p class="closed" role="note">${t('conversation.closed', { name })}</p>`;
}
