/** A bill that is issued: what it says, what became of the money, and what can still be done. */
import { html } from '/vendor/preact-htm.js';
import { heldOnline, refundable, written } from '../core/bills.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { CreditDialog, PaymentDialog, RefundDialog, ReverseDialog, TransmittedDialog } from './bill_dialogs.js';
import { FaultSummary, useAttempt } from './bill_fields.js';
import { addressLines } from './bill_form.js';
import { addressOf, documentOf, saveAs, showDocument } from './bill_hooks.js';
import { Totals } from './bill_lines.js';
import { dayText, euros, failureText, kinds, methodText, rateText, refundText, statusOf } from './bill_words.js';

/** @type {Record<string, any>} */
const DIALOGS = {
  payment: PaymentDialog,
  reverse: ReverseDialog,
  credit: CreditDialog,
  refund: RefundDialog,
  transmitted: TransmittedDialog,
};

/** @param {any} props `bill`, `me`, `onBill`: what the server has made of it */
export function BillPage({ app, route, bill, me, onBill }) {
  const dialog = route.dialog?.name === 'bill' ? route.dialog.data : {};
  const Dialog = DIALOGS[dialog.act];
  return html`
    <${Sums} bill=${bill} />
    <${Ways} app=${app} bill=${bill} me=${me} onBill=${onBill} />
    <div class="section"><h2>${t('bill.buyer')}</h2>
      <address><strong>${bill.buyer.name}</strong><br />${addressLines(bill.buyer).map((line) => html`${line}<br />`)}
      </address></div>
    ${bill.lines && html`<div class="section"><h2>${t('bill.what')}</h2>
      <ul class="bill-said">${bill.lines.map((line) => html`<${Line} key=${line.id} line=${line} />`)}</ul>
      ${bill.note && html`<p class="bill-note" dir="auto">${bill.note}</p>`}
      <${Totals} ...${bill} rows=${taken(bill)} /></div>`}
    ${bill.payments?.length > 0 && html`<${Payments} app=${app} bill=${bill} me=${me} />`}
    ${bill.refunds?.length > 0 && html`<${Refunds} refunds=${bill.refunds} />`}
    <${Related} title=${t('bill.creditOf')} of=${bill.creditOf ? [bill.creditOf] : []} />
    <${Related} title=${t('bill.credits')} of=${bill.credits} />
    <${Related} title=${t('bill.deposits')} of=${bill.deposits} />
    ${bill.transmitted && html`<p class="quiet">${t('bill.transmittedOn', {
      platform: bill.transmitted.platform,
      reference: bill.transmitted.reference,
      day: dayText(bill.transmitted.date),
    })}</p>`}
    ${Dialog && html`<${Dialog} app=${app} bill=${bill} data=${dialog} onBill=${onBill} />`}`;
}

/** What it comes to, and where it stands. @param {{bill: any}} props */
function Sums({ bill }) {
  const { text, tone } = statusOf(bill);
  const isDeal = bill.type !== 'credit';
  /** @type {[string, string][]} */
  const facts = [[t('bill.issuedOn'), dayText(bill.issuedAt)]];
  if (isDeal) facts.push([t('bill.dueOn'), dayText(bill.dueAt)]);
  if (isDeal && bill.paidCents) facts.push([t('bill.paid'), euros(bill.paidCents)]);
  if (bill.creditedCents) facts.push([t('bill.credited'), euros(bill.creditedCents)]);
  if (isDeal && bill.dueCents) facts.push([t('bill.due'), euros(bill.dueCents)]);
  if (bill.toRefundCents) facts.push([t('bill.toRefund'), euros(bill.toRefundCents)]);
  return html`
    <div class="bill-sums">
      <p class="bill-total tabular">${euros(bill.totalCents)}</p>
      <p><span class="bill-tag ${tone}">${text}</span></p>
      ${bill.isSpecimen && html`<p class="quiet">${t('invoice.specimen')}</p>`}
      ${bill.testMode && html`<p class="quiet">${t('invoice.testMode')}</p>`}
      ${bill.toTransmit && html`<p class="bill-warn">${t('bill.toTransmit')}</p>`}
      <dl class="facts wide">${facts.map(([name, value]) => html`
        <div key=${name}><dt>${name}</dt><dd class="tabular">${value}</dd></div>`)}</dl>
    </div>`;
}

/** What can be done, by whom. A button that is at work keeps the focus. @param {any} props */
function Ways({ app, bill, me, onBill }) {
  const { busy, faults, at, attempt } = useAttempt();
  const { id, type, conversationId, clientId, lawyerId, creditedCents, totalCents } = bill;
  const isClient = me.id === clientId;
  const isLawyer = me.id === lawyerId;
  const keeps = isLawyer || me.role === 'admin';
  const isDeal = type !== 'credit';
  const open = (act) => () => app.open('bill', { act });
  const remind = () => attempt(async () => {
    onBill(await api.call('POST', `/invoices/${id}/remind`));
    app.client?.notice(t('bill.reminded'));
  });
  const pay = () => attempt(async () => location.assign((await api.call('POST', `/invoices/${id}/checkout`)).url));
  const xml = () => attempt(async () => saveAs(await addressOf(`/invoices/${id}/factur-x.xml`), 'factur-x.xml'));
  const show = () => attempt(() => showDocument(() => documentOf(id)));
  // An administrator is not told what stands inside: the server says whether there is anything to give back.
  const canRefund = isDeal && (bill.payments ? refundable(bill) > 0 : bill.toRefundCents > 0);
  /** @type {[string, () => any, boolean|string][]} */
  const ways = [
    [t('invoice.pay'), pay, isClient && bill.canPayOnline && 'primary'],
    [isDeal ? t('invoice.show') : t('invoice.showCredit'), show, true],
    [t('bill.xml'), xml, true],
    [t('bill.remind'), remind, isLawyer && isDeal && bill.dueCents > 0],
    [t('bill.notePayment'), open('payment'), keeps && isDeal],
    [t('bill.refund'), open('refund'), keeps && canRefund],
    [t('bill.creditDo'), open('credit'), keeps && isDeal && creditedCents < totalCents],
    [t('bill.noteTransmitted'), open('transmitted'), keeps && bill.toTransmit],
  ];
  return html`
    <div class="section"><${FaultSummary} faults=${faults} at=${at} />
      <div class="bill-ways">${ways.filter(([, , is]) => is).map(([text, act, is]) => html`
        <button key=${text} class="button ${is === true ? '' : is}" type="button"
          aria-disabled=${busy ? 'true' : undefined} onClick=${() => busy || act()}>${text}</button>`)}</div>
      ${keeps && heldOnline(bill) > 0 && !canRefund && html`<p class="quiet">${t('bill.refundByCredit')}</p>`}
      ${(isClient || isLawyer) && html`<p><a href="/c/${conversationId}">
        ${t('bill.toConversation')}</a></p>`}</div>`;
}

/** @param {{line: any}} props */
function Line({ line }) {
  const { description, quantity, unitPriceCents, discountCents, vatRateBp, kind, netCents, creditedCents } = line;
  const kindText = Object.fromEntries(kinds())[kind];
  const rate = kind === 'disbursement' ? '' : ` · ${t('bill.vatOf', { rate: rateText(vatRateBp) })}`;
  return html`<li><p class="bill-said-what" dir="auto">${description}</p>
    <p class="tabular">${euros(netCents)}</p>
    <p class="quiet tabular">${kindText} · ${written(quantity, 3, locale())} × ${euros(unitPriceCents)}${
      discountCents ? ` − ${euros(discountCents)}` : ''}${rate}</p>
    ${creditedCents > 0 && html`<p class="quiet tabular">${t('bill.creditedOf', { amount: euros(creditedCents) })}</p>`}
    </li>`;
}

/** What was paid already, and what is left. @param {any} bill @returns {[string, number][]} */
function taken({ prepaidCents, creditedCents, paidCents, dueCents, type }) {
  /** @type {[string, number][]} */
  const rows = [];
  if (prepaidCents) rows.push([t('bill.deposits'), -prepaidCents]);
  if (creditedCents) rows.push([t('bill.credited'), -creditedCents]);
  if (paidCents) rows.push([t('bill.paid'), -paidCents]);
  if (rows.length && type !== 'credit') rows.push([t('bill.due'), dueCents]);
  return rows;
}

/** @param {any} props */
function Payments({ app, bill, me }) {
  const keeps = me.id === bill.lawyerId || me.role === 'admin';
  const reversed = new Set(bill.payments.map((one) => one.reversesId));
  const byHand = ['transfer', 'cheque', 'cash'];
  const mayReverse = ({ id, method, reversesId }) =>
    keeps && byHand.includes(method) && !reversesId && !reversed.has(id);
  return html`<div class="section"><h2>${t('bill.payments')}</h2>
    <ul class="table">${bill.payments.map((one) => html`<li key=${one.id}>
      <span class="table-main"><span>${one.amountCents < 0 ? wayBack(one) : methodText(one.method)}</span>
        <span class="quiet">${[dayText(one.date), one.reference, one.reason].filter(Boolean).join(' · ')}</span></span>
      <span class="tabular">${euros(one.amountCents)}</span>
      ${mayReverse(one) && html`<button class="link" type="button"
        onClick=${() => app.open('bill', { act: 'reverse', paymentId: one.id })}>${t('bill.reverse')}</button>`}</li>`)}
    </ul></div>`;
}

/** @param {any} payment below zero */
const wayBack = ({ reversesId, method }) =>
  reversesId ? t('bill.reversed') : t('bill.givenBack', { way: methodText(method) });

/** @param {{refunds: any[]}} props */
function Refunds({ refunds }) {
  return html`<div class="section"><h2>${t('bill.refunds')}</h2>
    <ul class="table">${refunds.map((one, at) => html`<li key=${at}>
      <span class="table-main"><span class=${one.state === 'failed' ? 'bill-warn' : ''}>${refundText(one.state)}</span>
        ${one.failure && html`<span class="quiet">${failureText(one.failure)}</span>`}</span>
      <span class="tabular">${euros(one.amountCents)}</span></li>`)}</ul></div>`;
}

/** @param {{title: string, of?: any[]}} props */
function Related({ title, of = [] }) {
  if (!of.length) return null;
  return html`<div class="section"><h2>${title}</h2><ul class="table">${of.map((one) => html`<li key=${one.id}>
    <a class="table-main" href="/factures/${one.id}">${one.number}</a>
    <span class="quiet">${dayText(one.issuedAt)}</span><span class="tabular">${euros(one.totalCents)}</span></li>`)}
    </ul></div>`;
}
