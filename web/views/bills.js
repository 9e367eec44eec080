/** Bills: all of them, or one that is written or looked at. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { csvOf, owed, written } from '../core/bills.js';
import { locale, t, tn } from '../core/i18n.js';
import * as api from '../client/api.js';
import { BillForm } from './bill_form.js';
import { allBills, epochOf, saveAs, useNews, withBill } from './bill_hooks.js';
import { BillPage } from './bill_page.js';
import { BillRow } from './bill_row.js';
import { euros, nameOf, narrowings, statusOf } from './bill_words.js';
import { Back, Icon } from './hooks.js';

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
export function Bills({ app, state, route }) {
  const { id, isNew } = route;
  // A draft that has just been kept for the first time goes on where it is typed.
  const [made, setMade] = useState({ id: 0, key: '' });
  const key = made.id === id && !isNew ? made.key : `${isNew ? 'new' : 'bill'} ${id}`;
  /** @param {number} fresh */
  const onMade = (fresh) => {
    setMade({ id: fresh, key });
    history.replaceState(history.state, '', `/factures/${fresh}`);
  };
  if (!state.listLoaded) return html`<div class="empty" aria-busy="true"></div>`;
  if (!id) return html`<${BillList} app=${app} state=${state} />`;
  return html`
    <${OneBill} key=${key} app=${app} state=${state} route=${route} id=${id} isNew=${isNew} onMade=${onMade} />`;
}

/** Nothing that this person may see. */
const Lost = () => html`<div class="empty"><h1 class="empty-title">${t('lost.title')}</h1>
  <p><a class="button" href="/factures">${t('bill.list')}</a></p></div>`;

/** @param {any} props `isNew`: `id` is that of the conversation that it is begun in */
function OneBill({ app, state, route, id, isNew, onMade }) {
  const [bill, setBill] = useState(/** @type {any} */ (null));
  const [isGone, setGone] = useState(false);
  const begunIn = useRef(isNew ? id : null);
  const known = useRef(isNew ? null : id);
  // An answer that was longer on its way than an event is no news.
  const show = (fresh) => setBill((shown) => (shown && shown.updatedAt > fresh.updatedAt ? shown : fresh));
  const take = (fresh) => {
    if (!known.current) onMade(fresh.id);
    known.current = fresh.id;
    show(fresh);
  };
  const epoch = epochOf(state);
  useEffect(() => {
    if (!known.current) return;
    api.get(`/invoices/${known.current}`).then(show, (error) => {
      if (error.code === 'NOT_FOUND') setGone(true);
      else app.client?.report(error);
    });
  }, [epoch]);
  useNews('invoice:updated', ({ invoice }) => invoice.id === known.current && show(invoice));
  const me = /** @type {any} */ (state.me);
  const conversationId = bill?.conversationId ?? begunIn.current;
  const isTheirs = me.role === 'juriste' && state.conversations[conversationId];
  if (isGone || (begunIn.current && !isTheirs)) return html`<${Lost} />`;
  if (!bill && !begunIn.current) return html`<div class="empty" aria-busy="true"></div>`;
  const isDraft = !bill || bill.state === 'draft';
  const title = bill ? nameOf(bill) : t('bill.new');
  const leave = () => app.go({ name: 'conversation', id: conversationId, messageId: null });
  return html`
    <section class="pane" aria-label=${title}><div class="pane-body wide bill">
      <header class="pane-head"><a class="bill-back" href="/factures"><${Icon} name="back" />${t('bill.list')}</a>
        <h1>${title}</h1></header>
      ${isDraft ? html`<${BillForm} app=${app} route=${route} conversationId=${conversationId} bill=${bill}
        onBill=${take} onGone=${leave} />`
        : html`<${BillPage} app=${app} route=${route} bill=${bill} me=${me} onBill=${show} />`}
    </div></section>`;
}

/**
 * A page of bills, as they are now.
 * @param {import('../app/create.js').App} app
 * @param {import('../core/state.js').State} state
 * @param {string} query
 */
function useList(app, state, query) {
  const [bills, setBills] = useState(/** @type {any[]|null} */ (null));
  const [cursor, setCursor] = useState(/** @type {any} */ (null));
  const asked = useRef(0);
  const load = async (before, from) => {
    const turn = (asked.current += 1);
    const page = await api.get(`/invoices?limit=50&${query}${from ? `&cursor=${from}` : ''}`).catch(app.client?.report);
    if (!page || turn !== asked.current) return;
    setBills([...before, ...page.invoices]);
    setCursor(page.nextCursor);
  };
  const epoch = epochOf(state);
  useEffect(() => {
    load([], null);
  }, [query, epoch]);
  // One that is shown stays, however it stands now; a new one appears where nothing narrows the list.
  useNews('invoice:updated', ({ invoice }) => setBills((known) => {
    const belongs = known && (!query || known.some((one) => one.id === invoice.id));
    return belongs ? withBill(known, invoice) : known;
  }));
  return { bills, cursor, more: () => load(bills ?? [], cursor) };
}

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State}} props */
function BillList({ app, state }) {
  const me = /** @type {any} */ (state.me);
  const [narrow, setNarrow] = useState('');
  const choices = narrowings().filter(([name]) => me.role === 'juriste' || name !== 'draft');
  const query = choices.find(([name]) => name === narrow)?.[2] ?? '';
  const { bills, cursor, more } = useList(app, state, query);
  const csv = () => allBills(query).then((all) => {
    const file = new Blob([csvOf(rowsOf(all))], { type: 'text/csv' });
    saveAs(URL.createObjectURL(file), `${t('bill.list').toLowerCase()}.csv`);
  }, app.client?.report);
  const remind = (id) => api.call('POST', `/invoices/${id}/remind`)
    .then(() => app.client?.notice(t('bill.reminded')), app.client?.report);
  return html`
    <section class="pane" aria-label=${t('bill.list')}><div class="pane-body wide bill">
      <header class="pane-head"><${Back} /><h1>${t('bill.list')}</h1></header>
      <${Owed} app=${app} state=${state} />
      <div class="bill-tools"><label class="field"><span>${t('bill.narrow')}</span>
        <select value=${narrow} onChange=${(e) => setNarrow(e.target.value)}>${choices.map(([name, text]) => html`
          <option key=${name} value=${name} selected=${name === narrow}>${text}</option>`)}</select></label>
        ${me.role !== 'client' && html`<button class="button" type="button" disabled=${!bills?.length} onClick=${csv}>
          ${t('bill.csv')}</button>`}</div>
      ${me.role === 'admin' && html`<p class="quiet"><a href="/admin?partie=cabinet">${t('bill.toPractice')}</a></p>`}
      <ul class="bill-rows">${bills?.map((bill) => html`
        <${BillRow} key=${bill.id} bill=${bill} me=${me} onRemind=${me.id === bill.lawyerId ? remind : null} />`)}</ul>
      ${bills && html`<p class="quiet" role="status">
        ${bills.length ? tn('bill.count', bills.length) : narrow ? t('bill.noneSuch') : emptyText(me.role)}</p>`}
      ${cursor && html`<p><button class="button" type="button" onClick=${more}>${t('search.more')}</button></p>`}
    </div></section>`;
}

/** @param {string} role */
const emptyText = (role) => (role === 'juriste' ? t('bill.noneYet') : t('bill.none'));

/** What is still to be paid, of all of them. @param {any} props */
function Owed({ app, state }) {
  const [open, setOpen] = useState(/** @type {any[]|null} */ (null));
  const epoch = epochOf(state);
  useEffect(() => {
    const asked = ['open', 'partly_paid', 'in_process'].map((payment) => allBills(`payment=${payment}`));
    Promise.all(asked).then((found) => setOpen(found.flat()), app.client?.report);
  }, [epoch]);
  useNews('invoice:updated', ({ invoice }) => setOpen((known) => withBill(known ?? [], invoice)));
  if (!open) return null;
  const { openCents, lateCents } = owed(open);
  return html`<dl class="bill-owed">
    <div><dt>${t('bill.open')}</dt><dd>${euros(openCents)}</dd></div>
    <div class=${lateCents ? 'late' : ''}><dt>${t('bill.overdue')}</dt><dd>${euros(lateCents)}</dd></div></dl>`;
}

/** As a table. @param {any[]} bills @returns {string[][]} */
function rowsOf(bills) {
  const amount = (cents) => written(cents, 2, locale(), 2);
  const head = [t('bill.column.number'), t('bill.buyer'), t('bill.issuedOn'), t('bill.dueOn'), t('bill.totalNet'),
    t('bill.column.vat'), t('bill.total'), t('bill.paid'), t('bill.due'), t('bill.narrow')];
  return [head, ...bills.map((bill) => {
    const { number, buyer, issuedAt, dueAt, netCents, vatCents, totalCents, paidCents, dueCents } = bill;
    const days = [issuedAt, dueAt].map((day) => day ?? '');
    const amounts = [netCents, vatCents, totalCents, paidCents, dueCents].map(amount);
    return [number ?? '', buyer?.name ?? '', ...days, ...amounts, statusOf(bill).text];
  })];
}
