/** Mail about messages that wait, and whether the address is known to be read. */
import { html, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { t } from '../core/i18n.js';
import { Choice } from './choice.js';
import { Field } from './gate.js';

/** @param {{app: import('../app/create.js').App, me: any, notices: any}} props */
export function EmailChoice({ app, me, notices: { settings, save } }) {
  /** @type {[string, string][]} */
  const choices = [
    ['never', t('mail.never')],
    ['10m', t('mail.soon')],
    ['1h', t('mail.hour')],
    ['daily', t('mail.daily')],
  ];
  return html`
    <${Choice} text=${t('mail.choice')} value=${settings.email} choices=${choices}
      onChoose=${(email) => save({ email })} />
    <${AddressState} app=${app} email=${me.email} state=${settings.emailAddress} />`;
}

/**
 * What is known of the address, in words, and the way out where no mail goes there.
 * @param {{app: import('../app/create.js').App, email: string, state: 'unconfirmed'|'confirmed'|'failed'}} props
 */
function AddressState({ app, email, state }) {
  const [sent, setSent] = useState(false);
  if (state === 'confirmed') return html`<p class="quiet">${t('mail.confirmed', { email })}</p>`;
  const resend = () => api.call('POST', '/users/me/email/confirmation').then(() => setSent(true), app.client?.report);
  return html`<div class="callout">
    <p>${state === 'failed' ? t('mail.failed', { email }) : t('mail.unconfirmed', { email })}</p>
    <div role="status">${sent && html`<p>${t('mail.resent', { email })}</p>`}</div>
    ${!sent && html`<p><button class="button" type="button" onClick=${resend}>${t('mail.resend')}</button></p>`}</div>`;
}

/**
 * The address that one signs in with; another one holds once its link was followed.
 * @param {{app: import('../app/create.js').App, me: any, notices: any}} props
 */
export function Address({ app, me, notices: { settings } }) {
  const [open, setOpen] = useState(false);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  /** @param {Event} event */
  const change = async (event) => {
    event.preventDefault();
    try {
      await api.call('POST', '/users/me/email', { email: email.trim(), password });
      app.client?.notice(t('mail.changeSent', { email: email.trim() }));
      for (const clear of [setEmail, setPassword, setFault]) clear('');
      setOpen(false);
    } catch (error) {
      const refusal = /** @type {api.Refusal} */ (error);
      const detail = refusal.details?.[0];
      setFault(detail?.field === 'password' ? t('mail.wrongPassword') : (detail?.message ?? refusal.message));
    }
  };
  if (!settings?.available.email) return null;
  if (!open)
    return html`<div class="form"><p><button class="link" type="button" onClick=${() => setOpen(true)}>
      ${t('mail.change')}</button></p></div>`;
  return html`
    <form class="form" onSubmit=${change} novalidate aria-label=${t('mail.change')}>
      <p class="quiet">${t('mail.changeText', { email: me.email })}</p>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <${Field} text=${t('mail.newAddress')} type="email" autocomplete="email" focused=${true} value=${email}
        onText=${setEmail} />
      <${Field} text=${t('me.currentPassword')} type="password" autocomplete="current-password" value=${password}
        onText=${setPassword} />
      <p class="dialog-ways"><button class="button primary" type="submit" disabled=${!email.trim() || !password}>
        ${t('mail.changeSubmit')}</button>
        <button class="button" type="button" onClick=${() => setOpen(false)}>${t('dialog.cancel')}</button></p></form>`;
}
