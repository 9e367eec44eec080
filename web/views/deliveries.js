/** For administrators: which mails and pushes wait, have left or could not. Nothing of what they say. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Choice } from './choice.js';

/** @type {() => Record<string, string>} */
const kinds = () => ({
  messages: t('delivery.messages'),
  read: t('delivery.read'),
  call: t('delivery.call'),
  test: t('delivery.test'),
  invitation: t('delivery.invitation'),
  password: t('delivery.password'),
  address: t('delivery.address'),
  address_changed: t('delivery.addressChanged'),
  address_taken: t('delivery.addressTaken'),
  new_device: t('delivery.newDevice'),
});

/** @type {() => Record<string, string>} */
const channels = () => ({ email: t('field.email'), webpush: t('delivery.webpush'), fcm: t('delivery.fcm') });

/** @type {() => Record<string, string>} */
const states = () => ({
  waiting: t('delivery.waiting'),
  sent: t('delivery.sent'),
  failed: t('delivery.failed'),
  dropped: t('delivery.dropped'),
});

/** @param {{app: import('../app/create.js').App, mails: boolean}} props `mails`: whether mail is set up */
export function Deliveries({ app, mails }) {
  const [all, setAll] = useState(/** @type {any[]|null} */ (null));
  const [cursor, setCursor] = useState(/** @type {number|null} */ (null));
  const [state, setState] = useState('');
  const [channel, setChannel] = useState('');
  /** @param {number|null} from */
  const load = async (from) => {
    const wanted = { ...(state && { state }), ...(channel && { channel }), ...(from && { cursor: String(from) }) };
    const page = await api.get(`/admin/deliveries?${new URLSearchParams(wanted)}`).catch(app.client?.report);
    if (!page) return;
    setAll([...(from ? (all ?? []) : []), ...page.deliveries]);
    setCursor(page.nextCursor);
  };
  useEffect(() => {
    load(null);
  }, [state, channel]);
  /** @param {number} id */
  const retry = (id) =>
    api.call('POST', `/admin/deliveries/${id}/retry`).then(() => load(null), app.client?.report);
  return html`
    ${mails && html`<${TestMail} app=${app} onSent=${() => load(null)} />`}
    <div class="section"><p class="quiet">${t('delivery.text')}</p>
      <div class="field-pair">
        <${Choice} text=${t('delivery.state')} value=${state}
          choices=${[['', t('delivery.everyState')], ...Object.entries(states())]} onChoose=${setState} />
        <${Choice} text=${t('delivery.channel')} value=${channel}
          choices=${[['', t('delivery.everyChannel')], ...Object.entries(channels())]} onChoose=${setChannel} /></div>
      <ul class="table" aria-label=${t('admin.deliveries')}>
        ${all?.map((one) => html`<${Row} key=${one.id} delivery=${one} onRetry=${retry} />`)}</ul>
      ${all && !all.length && html`<p class="quiet">${t('delivery.none')}</p>`}
      ${cursor && html`<p><button class="button" type="button" onClick=${() => load(cursor)}>
        ${t('search.more')}</button></p>`}</div>`;
}

/** @param {{delivery: any, onRetry: (id: number) => void}} props */
function Row({ delivery: { id, channel, kind, state, to, attempts, reason, createdAt, dueAt }, onRetry }) {
  const when = (/** @type {string} */ at) => fullMoment(at, locale());
  const isAgain = state === 'waiting' && attempts > 0;
  return html`<li><span class="table-main">
      <span>${kinds()[kind] ?? kind}${to && html` · <span dir="auto">${to}</span>`}</span>
      <span class="quiet">${channels()[channel]} · ${states()[state]} · ${when(createdAt)}</span>
      ${isAgain && html`<span class="quiet">${t('delivery.again', { when: when(dueAt) })}</span>`}
      ${reason && html`<span class="quiet">${t('delivery.reason', { reason })}</span>`}</span>
    ${(state === 'failed' || isAgain) && html`<button class="link" type="button" onClick=${() => onRetry(id)}>
      ${t('entry.retry')}</button>`}</li>`;
}

/** A mail to see whether any arrives. @param {{app: import('../app/create.js').App, onSent: () => void}} props */
function TestMail({ app, onSent }) {
  const [to, setTo] = useState(app.client?.me.email ?? '');
  /** @param {Event} event */
  const send = async (event) => {
    event.preventDefault();
    try {
      await api.call('POST', '/admin/test-mail', { to: to.trim() });
      app.client?.notice(t('delivery.testSent', { email: to.trim() }));
      onSent();
    } catch (error) {
      const { details, message } = /** @type {api.Refusal} */ (error);
      app.client?.notice(details?.[0]?.message ?? message, 'alert');
    }
  };
  return html`<form class="admin-tools" onSubmit=${send} novalidate>
    <label class="field"><span>${t('delivery.testTo')}</span>
      <input type="email" value=${to} onInput=${(e) => setTo(e.target.value)} /></label>
    <button class="button" type="submit" disabled=${!to.trim()}>${t('delivery.testSend')}</button></form>`;
}
