/** The bills of a conversation, beside it: the latest, and for the juriste the way to another. */
import { html } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { useBillsOf } from './bill_hooks.js';
import { BillRow } from './bill_row.js';

const SHOWN_MAX = 5;

/** @param {{app: import('../app/create.js').App, conversationId: number}} props */
export function BillsBeside({ app, conversationId }) {
  const [bills] = useBillsOf(app, conversationId);
  const me = /** @type {any} */ (app.store.state().me);
  const isJuriste = me.role === 'juriste';
  if (!bills || (!bills.length && !isJuriste)) return null;
  return html`
    <h2 class="details-files-head">${t('bill.list')}</h2>
    ${bills.length > 0 && html`<ul class="bill-rows narrow">${bills.slice(0, SHOWN_MAX).map((bill) => html`
      <${BillRow} key=${bill.id} bill=${bill} narrow />`)}</ul>`}
    ${bills.length > SHOWN_MAX && html`<p><a class="link" href="/factures">${t('bill.seeAll')}</a></p>`}
    ${isJuriste && html`<p class="bill-begin"><button class="button" type="button"
      onClick=${() => app.go(`/factures/nouvelle/${conversationId}`)}>${t('bill.begin')}</button></p>`}`;
}
