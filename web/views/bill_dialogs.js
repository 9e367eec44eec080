/** What is done to an issued bill, each in its dialog: money noted and taken back, credited, given back. */
import { html, useState } from '/vendor/preact-htm.js';
import { creditOf, decimal, heldOnline, refundOf, refundable, written } from '../core/bills.js';
import { locale, t } from '../core/i18n.js';
import { dayHere } from '../core/money.js';
import { Refusal, call } from '../client/api.js';
import { ChoiceField, FaultSummary, LongField, TextField, useAttempt } from './bill_fields.js';
import { euros, nameOf } from './bill_words.js';
import { Dialog } from './dialog.js';

/** @param {number} cents for a field */
const typed = (cents) => written(cents, 2, locale(), 2);

/**
 * An amount that was typed, in cents.
 * @param {string} text
 * @param {string} field
 * @param {boolean} [isSigned]
 */
function amountOf(text, field, isSigned = false) {
  const cents = decimal(text, 2);
  if (cents === null || cents === 0 || (cents < 0 && !isSigned))
    throw new Refusal('INVALID', t('fault.some'), [{ field, message: t('fault.amount') }]);
  return cents;
}

/**
 * A form over the page: it goes when the server has done what it asks for.
 * @param {any} props `send`: gives the bill as it is afterwards
 */
function Asking({ app, title, submit, danger = false, send, onBill, done, children }) {
  const { busy, faults, at, attempt } = useAttempt();
  const act = async (event) => {
    event.preventDefault();
    await attempt(async () => {
      const bill = await send();
      await app.closeDialog();
      if (done) app.client?.notice(done(bill));
      onBill(bill);
    });
  };
  return html`<${Dialog} title=${title} onClose=${app.closeDialog}>
    <form class="form" onSubmit=${act} novalidate><${FaultSummary} faults=${faults} at=${at} />
      ${children(faults)}
      <p class="dialog-ways"><button class="button" type="button" onClick=${app.closeDialog}>${t('dialog.cancel')}
        </button><button class="button ${danger ? 'danger' : 'primary'}" type="submit" disabled=${busy}>${submit}
        </button></p></form></${Dialog}>`;
}

/** Money that came, or went back, beside Stripe. @param {any} props */
export function PaymentDialog({ app, bill, onBill }) {
  const back = bill.toRefundCents > 0;
  const [isBack, setBack] = useState(back);
  const [method, setMethod] = useState('transfer');
  const [amount, setAmount] = useState(typed(back ? bill.toRefundCents : bill.dueCents));
  const [date, setDate] = useState(dayHere());
  const [reference, setReference] = useState('');
  const send = () => {
    const cents = amountOf(amount, 'amountCents');
    const named = reference.trim() && { reference: reference.trim() };
    const body = { method, amountCents: isBack ? -cents : cents, date, ...named };
    return call('POST', `/invoices/${bill.id}/payments`, body);
  };
  const methods = [['transfer', t('bill.transfer')], ['cheque', t('bill.cheque')], ['cash', t('bill.cash')]];
  return html`<${Asking} app=${app} title=${t('bill.notePayment')} submit=${t('bill.note.submit')} send=${send}
    onBill=${onBill} done=${() => t('saved')}>${(faults) => html`
      ${back && html`<${ChoiceField} name="direction" text=${t('bill.direction')} faults=${faults}
        value=${isBack ? 'back' : 'in'} choices=${[['in', t('bill.cameIn')], ['back', t('bill.wentBack')]]}
        onChoose=${(way) => setBack(way === 'back')} />`}
      <${TextField} name="amountCents" text=${t('bill.amount')} faults=${faults} value=${amount} inputmode="decimal"
        data-first autocomplete="off" onText=${setAmount} />
      <${ChoiceField} name="method" text=${t('bill.method')} faults=${faults} value=${method} choices=${methods}
        onChoose=${setMethod} />
      <${TextField} name="date" type="date" text=${isBack ? t('bill.wentOn') : t('bill.cameOn')} faults=${faults}
        value=${date} max=${dayHere()} onText=${setDate} />
      <${TextField} name="reference" text=${t('bill.reference')} faults=${faults} value=${reference} maxlength="200"
        autocomplete="off" onText=${setReference} />`}</${Asking}>`;
}

/** A payment that was noted by mistake. @param {any} props */
export function ReverseDialog({ app, bill, data, onBill }) {
  const [reason, setReason] = useState('');
  const payment = bill.payments?.find((one) => one.id === data.paymentId);
  const send = () => call('DELETE', `/payments/${data.paymentId}`, reason.trim() ? { reason: reason.trim() } : {});
  return html`<${Asking} app=${app} title=${t('bill.reverseTitle')} submit=${t('bill.reverseDo')} danger send=${send}
    onBill=${onBill} done=${() => t('saved')}>${(faults) => html`
      <p>${t('bill.reverseText', { amount: euros(payment?.amountCents ?? 0) })}</p>
      <${TextField} name="reason" text=${t('bill.reason')} faults=${faults} value=${reason} maxlength="500" data-first
        onText=${setReason} />`}</${Asking}>`;
}

/** More has come than is owed: Stripe gives it back. @param {any} props */
export function RefundDialog({ app, bill, onBill }) {
  const most = bill.payments ? refundable(bill) : bill.toRefundCents;
  const [amount, setAmount] = useState(typed(most));
  const send = () => call('POST', `/invoices/${bill.id}/refund`, { amountCents: amountOf(amount, 'amountCents') });
  return html`<${Asking} app=${app} title=${t('bill.refund')} submit=${t('bill.refundDo')} send=${send}
    onBill=${onBill} done=${() => t('bill.refundAsked')}>${(faults) => html`
      <p>${t('bill.refundText', { amount: euros(most) })}</p>
      <${TextField} name="amountCents" text=${t('bill.amount')} faults=${faults} value=${amount} inputmode="decimal"
        data-first autocomplete="off" onText=${setAmount} />`}</${Asking}>`;
}

/** The whole of it or some lines are taken back. @param {any} props */
export function CreditDialog({ app, bill, onBill }) {
  const [isWhole, setWhole] = useState(true);
  const [nets, setNets] = useState(/** @type {Record<number, string>} */ ({}));
  const [reason, setReason] = useState('');
  const [refundTyped, setRefund] = useState(/** @type {string|null} */ (null));
  const held = heldOnline(bill);
  const left = (bill.lines ?? []).filter((line) => line.netCents > line.creditedCents);
  const chosen = () => left.filter((line) => nets[line.id]?.trim());
  const credit = isWhole ? null : creditOf(chosen(), chosen().map((line) => decimal(nets[line.id], 2) ?? 0));
  const refund = refundTyped ?? typed(refundOf(bill, credit));
  const send = async () => {
    const named = chosen();
    const lines = named.map((line, at) => ({ lineId: line.id, netCents: amountOf(nets[line.id], `lines[${at}]`) }));
    const wanted = held ? decimal(refund || '0', 2) : 0;
    const wrong = (field, message) => new Refusal('INVALID', t('fault.some'), [{ field, message }]);
    if (!isWhole && !lines.length) throw wrong('lines', t('fault.noLine'));
    if (!reason.trim()) throw wrong('reason', t('fault.required'));
    if (wanted === null || wanted < 0) throw wrong('refundCents', t('fault.amount'));
    const body = { reason: reason.trim(), ...(!isWhole && { lines }), ...(wanted > 0 && { refundCents: wanted }) };
    const note = await call('POST', `/invoices/${bill.id}/credit`, body);
    app.client?.notice(t('bill.issued', { name: nameOf(note) }));
    return call('GET', `/invoices/${bill.id}`);
  };
  return html`<${Asking} app=${app} title=${t('bill.creditDo')} submit=${t('bill.creditSubmit')} send=${send}
    onBill=${onBill}>${(faults) => html`
      <p>${t('bill.creditText')}</p>
      ${left.length > 0 && html`<${ChoiceField} name="part" text=${t('bill.creditWhat')} faults=${faults}
        value=${isWhole ? 'all' : 'some'} choices=${[['all', t('bill.creditAll')], ['some', t('bill.creditSome')]]}
        onChoose=${(part) => setWhole(part === 'all')} />`}
      ${!isWhole && html`<fieldset class="bill-credit" id="f-lines"><legend>${t('bill.creditNets')}</legend>
        ${faults.lines && html`<p class="field-fault">${faults.lines}</p>`}
        ${left.map((line) => html`<${TextField} key=${line.id} name=${nameIn(chosen(), line)} text=${line.description}
          hint=${t('bill.creditMost', { amount: euros(line.netCents - line.creditedCents) })} faults=${faults}
          value=${nets[line.id] ?? ''} inputmode="decimal" autocomplete="off"
          onText=${(text) => setNets({ ...nets, [line.id]: text })} />`)}</fieldset>`}
      <${LongField} name="reason" text=${t('bill.reasonPrinted')} faults=${faults} value=${reason} maxlength="500"
        data-first onText=${setReason} />
      ${!isWhole && credit !== null && credit > 0 && html`<p class="quiet tabular" role="status">
        ${t('bill.creditComesTo', { amount: euros(credit) })}</p>`}
      ${held > 0 && html`<${TextField} name="refundCents" text=${t('bill.refundWith')} faults=${faults} value=${refund}
        hint=${t('bill.refundWithHint', { amount: euros(held) })} inputmode="decimal" autocomplete="off"
        onText=${setRefund} />`}`}</${Asking}>`;
}

/**
 * A line's place among those that are sent; one that is not sent has a name of its own.
 * @param {any[]} chosen
 * @param {any} line
 */
function nameIn(chosen, line) {
  const at = chosen.indexOf(line);
  return at < 0 ? `line.${line.id}` : `lines[${at}]`;
}

/** By which platform the original went. @param {any} props */
export function TransmittedDialog({ app, bill, onBill }) {
  const [platform, setPlatform] = useState('');
  const [reference, setReference] = useState('');
  const [date, setDate] = useState(dayHere());
  const send = () => call('POST', `/invoices/${bill.id}/transmitted`, { platform, reference, date });
  return html`<${Asking} app=${app} title=${t('bill.noteTransmitted')} submit=${t('bill.note.submit')} send=${send}
    onBill=${onBill} done=${() => t('saved')}>${(faults) => html`
      <${TextField} name="platform" text=${t('bill.platform')} faults=${faults} value=${platform} maxlength="200"
        data-first onText=${setPlatform} />
      <${TextField} name="reference" text=${t('bill.reference')} faults=${faults} value=${reference} maxlength="200"
        onText=${setReference} />
      <${TextField} name="date" type="date" text=${t('bill.sentOn')} faults=${faults} value=${date} max=${dayHere()}
        onText=${setDate} />`}</${Asking}>`;
}
