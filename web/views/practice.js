/** For administrators: who bills, what of that is missing, numbers, what the accountant needs, and Stripe. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { dayHere } from '../core/money.js';
import * as api from '../client/api.js';
import { FaultSummary, TextField, useAttempt } from './bill_fields.js';
import { addressOf, saveAs } from './bill_hooks.js';
import { mentionText } from './bill_words.js';
import { Day } from './export.js';
import { PracticeForm } from './practice_form.js';

/** @param {{app: import('../app/create.js').App}} props */
export function PracticePart({ app }) {
  const [practice, setPractice] = useState(/** @type {any} */ (null));
  const load = () => api.get('/admin/practice').then(setPractice, app.client?.report);
  useEffect(() => {
    load();
  }, []);
  if (!practice) return html`<div class="section" aria-busy="true"></div>`;
  return html`
    ${practice.onHold && html`<${Hold} app=${app} latest=${practice.latestNumbers} onDone=${load} />`}
    <${Readiness} practice=${practice} />
    <${PracticeForm} app=${app} practice=${practice} onPractice=${setPractice} />
    <${Numbers} latest=${practice.latestNumbers} />
    <${Export} app=${app} />
    <${Foreign} events=${practice.foreignEvents} />`;
}

/** Whether anything can be issued and paid now. @param {{practice: any}} props */
function Readiness({ practice: { missing, isDemo, onlinePayment } }) {
  const stripe = { live: t('practice.stripeLive'), test: t('practice.stripeTest') };
  return html`
    <div class="section"><h2>${t('practice.state')}</h2>
      ${isDemo && html`<p class="bill-warn">${t('practice.demo')}</p>`}
      ${missing.length ? html`<div class="bill-warn"><p>${t('practice.missing')}</p>
        <ul class="bill-missing">${missing.map((name) => html`<li key=${name}>${mentionText(name)}</li>`)}</ul></div>`
        : html`<p>${t('practice.whole')}</p>`}
      <p>${onlinePayment ? stripe[onlinePayment] : t('practice.stripeNone')}</p>
      <p><a href="/factures">${t('practice.allBills')}</a></p></div>`;
}

/** A restored copy is behind: which numbers have left the house? @param {any} props */
function Hold({ app, latest, onDone }) {
  const [numbers, setNumbers] = useState({ invoice: latest.invoice ?? '', credit: latest.credit ?? '' });
  const { busy, faults, at, attempt } = useAttempt();
  const submit = (event) => {
    event.preventDefault();
    attempt(async () => {
      const named = Object.entries(numbers).filter(([, number]) => number.trim());
      const body = Object.fromEntries(named.map(([name, number]) => [name, number.trim()]));
      await api.call('POST', '/admin/invoices/resume', body);
      app.client?.notice(t('practice.resumed'));
      onDone();
    });
  };
  const field = (name, text) => html`<${TextField} name=${name} text=${text} faults=${faults} value=${numbers[name]}
    autocomplete="off" onText=${(number) => setNumbers({ ...numbers, [name]: number })} />`;
  return html`
    <form class="form section bill-hold" onSubmit=${submit} novalidate><h2>${t('practice.hold')}</h2>
      <p>${t('practice.holdText')}</p>
      <${FaultSummary} faults=${faults} at=${at} />
      <div class="field-pair">${field('invoice', t('practice.lastInvoice'))}
        ${field('credit', t('practice.lastCredit'))}</div>
      <p><button class="button primary" type="submit" disabled=${busy}>${t('practice.resume')}</button></p></form>`;
}

/** @param {{latest: any}} props */
function Numbers({ latest }) {
  const fact = (text, number) => html`<div><dt>${text}</dt><dd class="tabular">${number ?? t('practice.noNumber')}</dd>
    </div>`;
  return html`
    <div class="section"><h2>${t('practice.numbers')}</h2><p class="quiet">${t('practice.numbersText')}</p>
      <dl class="facts wide">${fact(t('practice.lastInvoice'), latest.invoice)}
        ${fact(t('practice.lastCredit'), latest.credit)}</dl></div>`;
}

/** For the accountant. @param {{app: import('../app/create.js').App}} props */
function Export({ app }) {
  const [from, setFrom] = useState(`${new Date().getFullYear()}-01-01`);
  const [to, setTo] = useState(dayHere());
  const { busy, faults, at, attempt } = useAttempt();
  /** @param {string} more @param {string} name */
  const save = (more, name) => () => attempt(async () => {
    const url = await addressOf(`/admin/invoices/export?${new URLSearchParams({ from, to })}&${more}`);
    saveAs(url, `${name}-${from}-${to}.${more.includes('zip') ? 'zip' : 'csv'}`);
  });
  /** @type {[string, string, string][]} */
  const ways = [
    [t('practice.exportInvoices'), 'format=csv&table=invoices', 'factures'],
    [t('practice.exportPayments'), 'format=csv&table=payments', 'paiements'],
    [t('practice.exportAll'), 'format=zip', 'facturation'],
  ];
  return html`
    <div class="section"><h2>${t('practice.export')}</h2><p class="quiet">${t('practice.exportText')}</p>
      <${FaultSummary} faults=${faults} at=${at} />
      <div class="field-pair"><${Day} text=${t('export.from')} value=${from} max=${to} onDay=${setFrom} />
        <${Day} text=${t('export.to')} value=${to} min=${from} onDay=${setTo} /></div>
      <div class="bill-ways">${ways.map(([text, more, name]) => html`
        <button key=${name} class="button" type="button" disabled=${busy || !from || !to} onClick=${save(more, name)}>
          ${text}</button>`)}</div></div>`;
}

/** What was paid for invoices that this copy does not know. @param {{events: any[]}} props */
function Foreign({ events }) {
  if (!events.length) return null;
  return html`
    <div class="section"><h2>${t('practice.foreign')}</h2><p>${t('practice.foreignText')}</p>
      <ul class="table">${events.map((one) => html`<li key=${one.id}><span class="table-main"><span>${one.type}</span>
        <span class="quiet">${one.id}</span></span>
        <span class="quiet">${fullMoment(one.createdSeconds * 1000, locale())}</span></li>`)}</ul></div>`;
}
