/** A bill in a list. */
import { html } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { dayInList, euros, nameOf, statusOf } from './bill_words.js';

/** @param {any} props `onRemind`: for the juriste; `narrow`: beside a conversation, where all are of one client */
export function BillRow({ bill, narrow = false, onRemind = null }) {
  const { id, buyer, issuedAt, dueAt, totalCents, dueCents, type, state, isSpecimen, toTransmit } = bill;
  const { text, tone } = statusOf(bill);
  const isOpen = state !== 'draft' && type !== 'credit' && dueCents > 0;
  const day = isOpen ? t('bill.dueBy', { day: dayInList(dueAt) }) : issuedAt && dayInList(issuedAt);
  const name = narrow && type === 'standard' && bill.number ? bill.number : nameOf(bill);
  return html`
    <li class="bill-row"><a href="/factures/${id}">
      <span class="bill-row-main"><span class="bill-row-name">${name}</span>
        ${!narrow && buyer && html`<span class="ellipsis" dir="auto">${buyer.name}</span>`}
        ${day && html`<span class="quiet">${day}</span>`}
        ${!narrow && isSpecimen && html`<span class="quiet">${t('invoice.specimen')}</span>`}</span>
      <span class="bill-row-end"><span class="tabular">${euros(type === 'credit' ? -totalCents : totalCents)}</span>
        <span class="bill-tag ${tone}">${text}</span>
        ${toTransmit && html`<span class="bill-tag late">${t('bill.toTransmitTag')}</span>`}</span></a>
      ${onRemind && isOpen && bill.overdue && html`<button class="link" type="button"
        aria-label=${t('bill.remindOf', { name: nameOf(bill) })} onClick=${() => onRemind(id)}>${t('bill.remind')}
        </button>`}</li>`;
}
