/** "Facturer": a bill from its first line to the moment when it takes its number. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { buyerBody, buyerForm, freeDeposits } from '../core/bills.js';
import { peerOf } from '../core/conversations.js';
import { t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Dialog } from './dialog.js';
import { useDraft } from './bill_draft.js';
import { BuyerFields, ChoiceField, FaultSummary, LongField, TextField, faultsOf, useAttempt } from './bill_fields.js';
import { addressOf, showDocument, useBillsOf, useNews } from './bill_hooks.js';
import { Lines, Totals, totalsTyped } from './bill_lines.js';
import { dayText, euros, mentionText, nameOf } from './bill_words.js';

/** @param {any} props `bill`: the draft, or `null` before it is saved; `onBill`, `onGone` */
export function BillForm(props) {
  const { app, conversationId, bill } = props;
  const [others] = useBillsOf(app, conversationId);
  // With what one billed last one will bill again: a practice has one régime of VAT.
  const lines = (others ?? []).flatMap((one) => (one.state === 'draft' ? [] : (one.lines ?? [])));
  const rate = lines.find((line) => line.kind !== 'disbursement')?.vatRateBp;
  if (!others && !bill) return html`<div class="section" aria-busy="true"></div>`;
  return html`<${Form} ...${props} others=${others ?? []} rate=${rate} />`;
}

/** @param {any} props */
function Form({ app, route, conversationId, bill, others, rate, onBill, onGone }) {
  const draft = useDraft({ bill, conversationId, rate, onBill });
  const { form, change, keep, isDirty, busy, faults, at, attempt, forget } = draft;
  const set = (name) => (value) => change((old) => ({ ...old, [name]: value }));
  const typed = totalsTyped(form);
  const { missing, rest } = apart(faults);
  const printed = async () => addressOf(`/invoices/${(await keep()).id}/preview.pdf`);
  const preview = () => attempt(() => showDocument(printed));
  const ask = (act) => async () => {
    if (act === 'discard' || (await attempt(keep))) app.open('bill', { act });
  };
  const issue = async () => {
    await app.closeDialog();
    await attempt(async () => {
      const issued = await api.call('POST', `/invoices/${bill.id}/issue`);
      forget();
      app.client?.notice(t('bill.issued', { name: nameOf(issued) }));
      onBill(issued);
    });
  };
  const submit = (event) => {
    event.preventDefault();
    attempt(keep);
  };
  const dialog = route.dialog?.name === 'bill' ? route.dialog.data.act : '';
  return html`
    <form class="form bill-form" onSubmit=${submit} novalidate>
      <${FaultSummary} faults=${rest} at=${at} extra=${missing} />
      <${Buyer} app=${app} conversationId=${conversationId} form=${form} faults=${faults} set=${set('buyer')} />
      <div class="section"><h2>${t('bill.what')}</h2>
        <${ChoiceField} name="type" text=${t('bill.type')} faults=${faults} value=${form.type}
          choices=${[['standard', t('bill.standard')], ['deposit', t('bill.deposit')]]} onChoose=${set('type')} />
        <${Lines} form=${form} faults=${faults} change=${change} />
        ${form.type === 'standard' && html`
          <${Deposits} bills=${others} ids=${form.depositIds} faults=${faults} set=${set('depositIds')} />`}
        <${Totals} ...${typed} rows=${taken(form, others, typed)} /></div>
      <div class="section"><h2>${t('bill.terms')}</h2>
        <${TextField} name="dueInDays" text=${t('bill.dueInDays')} hint=${t('bill.dueInDaysHint')} faults=${faults}
          value=${form.dueInDays} inputmode="numeric" autocomplete="off" onText=${set('dueInDays')} />
        <${LongField} name="note" text=${t('bill.note')} faults=${faults} value=${form.note} maxlength="1000"
          onText=${set('note')} /></div>
      <div class="bill-ways">
        <p class="quiet" role="status">${savedText(bill, isDirty)}</p>
        <button class="button" type="submit" disabled=${busy}>${t('bill.save')}</button>
        <button class="button" type="button" disabled=${busy} onClick=${preview}>${t('bill.preview')}</button>
        <button class="button primary" type="button" disabled=${busy} onClick=${ask('issue')}>
          ${t('bill.issue')}</button>
        ${bill && html`<button class="link" type="button" onClick=${ask('discard')}>${t('bill.discard')}</button>`}
      </div>
    </form>
    ${dialog === 'issue' && bill && html`<${Issue} app=${app} bill=${bill} onIssue=${issue} />`}
    ${dialog === 'discard' && bill && html`
      <${Discard} app=${app} bill=${bill} onGone=${() => {
        forget();
        onGone();
      }} />`}`;
}

/** @param {any} bill @param {boolean} isDirty */
function savedText(bill, isDirty) {
  if (isDirty) return bill ? t('bill.unsaved') : t('bill.unsavedYet');
  return bill ? t('bill.saved') : '';
}

/** What deposits have paid of it, and what remains. @param {any} form @param {any[]} bills @param {any} typed */
function taken(form, bills, typed) {
  if (form.type !== 'standard') return [];
  const chosen = bills.filter((bill) => form.depositIds.includes(bill.id));
  const cents = chosen.reduce((sum, bill) => sum + bill.totalCents, 0);
  return cents ? [[t('bill.deposits'), -cents], [t('bill.remains'), typed.totalCents - cents]] : [];
}

/**
 * What the practice must tell before anything is issued, apart from what is wrong in this form.
 * @param {Record<string, string>} faults
 * @returns {{missing: string[], rest: Record<string, string>}}
 */
function apart(faults) {
  const ofPractice = (name) => name.startsWith('practice.');
  const names = Object.keys(faults).filter(ofPractice).map((name) => mentionText(name.slice('practice.'.length)));
  const rest = Object.fromEntries(Object.entries(faults).filter(([name]) => !ofPractice(name)));
  return { missing: names.length ? [t('bill.practiceMissing', { names: names.join(', ') })] : [], rest };
}

/** Who is billed: the client as they said, or somebody else. @param {any} props */
function Buyer({ app, conversationId, form, faults, set }) {
  const { conversations, me } = app.store.state();
  const client = conversations[conversationId] && peerOf(conversations[conversationId], me.id);
  const [known, setKnown] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (client) api.get(`/users/${client.id}/billing`).then(setKnown, app.client?.report);
  }, [client?.id]);
  useNews('billing:updated', ({ userId, billing }) => userId === client?.id && setKnown(billing));
  const isOther = Boolean(form.buyer);
  return html`
    <div class="section"><h2>${t('bill.buyer')}</h2>
      ${!isOther && known && html`<${KnownBuyer} app=${app} userId=${client.id} known=${known} faults=${faults}
        onKnown=${setKnown} />`}
      <label class="check"><input type="checkbox" checked=${isOther}
        onChange=${(e) => set(e.target.checked ? buyerForm(known?.address ? known : null) : null)} />
        <span>${t('bill.otherBuyer')}</span></label>
      ${isOther && html`<${BuyerFields} of=${form.buyer} path="buyer." faults=${faults} onChange=${set} />`}
    </div>`;
}

/** How the client said that they want to be billed; a juriste may say it for them. @param {any} props */
function KnownBuyer({ app, userId, known, faults, onKnown }) {
  const [typed, setTyped] = useState(/** @type {any} */ (null));
  const { busy, faults: refused, at, attempt } = useAttempt();
  const form = typed ?? (known.address ? null : buyerForm(known));
  const fault = faults.buyer ?? faults['buyer.siren'];
  if (!form) {
    return html`<div class="bill-known">
      <address id="f-buyer"><strong>${known.name}</strong><br />
        ${addressLines(known).map((line) => html`${line}<br />`)}</address>
      <button class="link" type="button" onClick=${() => setTyped(buyerForm(known))}>
        ${t('bill.editBuyer')}</button></div>${fault && html`<p class="field-fault">${fault}</p>`}`;
  }
  const save = () => attempt(async () => {
    onKnown(await api.call('PATCH', `/users/${userId}/billing`, buyerBody(form)));
    setTyped(null);
    app.client?.notice(t('saved'));
  });
  return html`<div class="form bill-buyer" role="group" aria-label=${t('bill.buyer')}>
    ${!known.address && html`<p class="quiet" id="f-buyer">${t('bill.buyerUnknown')}</p>`}
    ${fault && html`<p class="field-fault">${fault}</p>`}
    <${FaultSummary} faults=${refused} at=${at} />
    <${BuyerFields} of=${form} faults=${refused} onChange=${setTyped} />
    <p class="dialog-ways">${known.address && html`<button class="button" type="button" onClick=${() => setTyped(null)}>
      ${t('dialog.cancel')}</button>`}
      <button class="button" type="button" disabled=${busy} onClick=${save}>${t('bill.saveBuyer')}</button></p></div>`;
}

/** @param {any} buyer @returns {string[]} */
export function addressLines({ address, siren, vatNumber }) {
  const { line1, line2, postcode, city, country } = address;
  const place = `${postcode} ${city}${country === 'FR' ? '' : ` (${country})`}`;
  return [line1, line2, place, siren && `SIREN ${siren}`, vatNumber].filter(Boolean);
}

/** Deposits that were paid, and may be taken off. @param {any} props */
function Deposits({ bills, ids, faults, set }) {
  const free = freeDeposits(bills);
  const fault = faults.depositIds ?? Object.entries(faults).find(([name]) => name.startsWith('depositIds['))?.[1];
  if (!free.length && !fault) return null;
  return html`<fieldset class="bill-deposits" id="f-depositIds"><legend>${t('bill.takeOff')}</legend>
    ${fault && html`<p class="field-fault">${fault}</p>`}
    ${free.map((one) => html`<label class="check" key=${one.id}>
      <input type="checkbox" checked=${ids.includes(one.id)}
        onChange=${(e) => set(e.target.checked ? [...ids, one.id] : ids.filter((id) => id !== one.id))} />
      <span>${t('bill.depositOf', { number: one.number, amount: euros(one.totalCents), day: dayText(one.issuedAt) })}
        </span></label>`)}</fieldset>`;
}

/** Before it takes its number. @param {any} props */
function Issue({ app, bill, onIssue }) {
  return html`<${Dialog} title=${t('bill.issueTitle')} onClose=${app.closeDialog}>
    <p>${t('bill.issueText')}</p>
    <dl class="facts"><div><dt>${t('bill.buyer')}</dt><dd>${bill.buyer?.name ?? '—'}</dd></div>
      <div><dt>${t('bill.total')}</dt><dd class="tabular">${euros(bill.totalCents)}</dd></div></dl>
    <p class="dialog-ways"><button class="button" type="button" data-first onClick=${app.closeDialog}>
      ${t('dialog.cancel')}</button>
      <button class="button primary" type="button" onClick=${onIssue}>${t('bill.issueDo')}</button></p></${Dialog}>`;
}

/** @param {any} props */
function Discard({ app, bill, onGone }) {
  const discard = async () => {
    await app.closeDialog();
    try {
      await api.call('DELETE', `/invoices/${bill.id}`);
      onGone();
    } catch (error) {
      app.client?.notice(Object.values(faultsOf(error))[0], 'alert');
    }
  };
  return html`<${Dialog} title=${t('bill.discardTitle')} onClose=${app.closeDialog}>
    <p>${t('bill.discardText')}</p>
    <p class="dialog-ways"><button class="button" type="button" data-first onClick=${app.closeDialog}>
      ${t('dialog.cancel')}</button>
      <button class="button danger" type="button" onClick=${discard}>${t('bill.discard')}</button></p></${Dialog}>`;
}
