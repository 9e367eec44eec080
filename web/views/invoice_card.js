/** A bill in the conversation: what it comes to, until when, and the ways to see and to pay it. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { call, get } from '../client/api.js';
import { t } from '../core/i18n.js';
import { dayHere } from '../core/money.js';
import { documentOf, showDocument, useNews } from './bill_hooks.js';
import { dayText, euros } from './bill_words.js';
import { invoiceLine } from './entry_line.js';
import { Transfer } from './transfer.js';

/** @param {any} props given what `MessageRow` is given */
export function InvoiceCard({ message, own, inner }) {
  const { content, invoice } = message;
  const [refusal, setRefusal] = useState('');
  const [busy, setBusy] = useState(false);
  const bill = useBill(message);
  const mayPay = !own && bill?.canPayOnline;
  if (!invoice?.number) return html`<p class="text">${content}</p>`;
  const attempt = (act) => async () => {
    setBusy(true);
    setRefusal('');
    await act(invoice.id).catch((error) => setRefusal(error.message));
    setBusy(false);
  };
  return html`
    <div class="invoice">
      <p class="invoice-name"><a href="/factures/${invoice.id}" tabindex=${inner}>
        ${invoiceLine(message)}</a></p>
      <p class="invoice-amount">${euros(invoice.totalCents)}</p>
      <p class="invoice-state">${stateOf(invoice)}</p>
      ${invoice.isSpecimen && html`<p class="invoice-test">${t('invoice.specimen')}</p>`}
      ${(bill ?? invoice).testMode && html`<p class="invoice-test">${t('invoice.testMode')}</p>`}
      ${own && bill?.toTransmit && html`<p class="invoice-test">${t('invoice.toTransmit')}</p>`}
      <p class="invoice-ways">
        <button class="button" type="button" tabindex=${inner} disabled=${busy} onClick=${attempt(show)}>
          ${invoice.type === 'credit' ? t('invoice.showCredit') : t('invoice.show')}</button>
        ${mayPay && html`
          <button class="button primary" type="button" tabindex=${inner} disabled=${busy} onClick=${attempt(pay)}>
            ${t('invoice.pay')}</button>`}
      </p>
      ${refusal && html`<p class="invoice-refusal" role="alert">${refusal}</p>`}
      ${!own && bill && !mayPay && bill.dueCents > 0 && html`<${Transfer} bill=${bill} />`}
    </div>`;
}

/**
 * The bill as it is now, where that says more than its message: which tells how it was when the bill last changed, and
 * the server may be set up otherwise since.
 * @param {any} message
 */
function useBill({ invoice, rev }) {
  const [bill, setBill] = useState(/** @type {any} */ (null));
  const asks = Boolean(invoice?.number);
  useEffect(() => {
    setBill(null);
    if (asks) get(`/invoices/${invoice.id}`).then(setBill, () => {});
  }, [invoice?.id, asks, rev]);
  useNews('invoice:updated', ({ invoice: fresh }) => fresh.id === invoice?.id && setBill(fresh));
  return bill;
}

/** @type {Record<string, () => string>} where nothing is to be paid now */
const OVER = {
  disputed: () => t('invoice.disputed'),
  in_process: () => t('invoice.in_process'),
  overpaid: () => t('invoice.overpaid'),
  paid: () => t('invoice.paid'),
  refunded: () => t('invoice.refunded'),
};

/** What became of the money, in a few words. @param {any} invoice */
function stateOf({ type, state, payment, paidCents, dueCents, dueAt }) {
  if (type === 'credit') return t('invoice.credit');
  if (state === 'cancelled' && payment === 'paid') return t('invoice.cancelled');
  if (payment in OVER) return OVER[payment]();
  const words = { amount: euros(dueCents), day: dayText(dueAt) };
  const due = dueAt < dayHere() ? t('invoice.late', words) : t('invoice.due', words);
  return paidCents > 0 ? `${t('invoice.part', { amount: euros(paidCents) })} ${due}` : due;
}

/** @param {number} id */
const show = (id) => showDocument(() => documentOf(id));

/** @param {number} id */
async function pay(id) {
  const { url } = await call('POST', `/invoices/${id}/checkout`);
  window.location.assign(url);
}
