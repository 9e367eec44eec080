/** The three ways to an account: sign-up, invitation, first administrator. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Field, explained } from './gate.js';

export const PASSWORD_MIN = 12;

/** @param {{app: import('../app/create.js').App}} props */
export function SignUp({ app }) {
  return html`<p class="gate-text">${t('signUp.text')}</p>
    <${NewAccount} app=${app} submit=${t('signUp.submit')} send=${(person) => api.openCall('/auth/sign-up', person)}
      />
    <p class="quiet"><a href="/">${t('signUp.back')}</a></p>`;
}

/** @param {{app: import('../app/create.js').App, route: any}} props */
export function Invitation({ app, route }) {
  const [invitation, setInvitation] = useState(/** @type {any} */ (null));
  const [gone, setGone] = useState(false);
  useEffect(() => {
    api.openCall(`/invitations/${encodeURIComponent(route.token)}`).then(setInvitation, () => setGone(true));
  }, [route.token]);
  if (gone)
    return html`<p class="fault" role="alert">${t('invitation.gone')}</p><p><a class="button" href="/">
      ${t('signUp.back')}</a></p>`;
  if (!invitation) return null;
  return html`<p class="gate-text">
    ${t('invitation.text', { name: invitation.inviterName, when: fullMoment(invitation.expiresAt, locale()) })}</p>
    <${NewAccount} app=${app} known=${invitation} submit=${t('invitation.submit')}
      send=${(person) => api.openCall('/auth/accept-invitation', { token: route.token, ...person })} />`;
}

/** @param {{app: import('../app/create.js').App, route: any}} props */
export function Setup({ app, route }) {
  return html`<p class="gate-text">${t('setup.text')}</p>
    <${NewAccount} app=${app} submit=${t('setup.submit')}
      send=${(person) => api.openCall('/auth/setup', { token: route.token, ...person })} />`;
}

/**
 * Name, e-mail, password.
 * @param
 *   {{app: import('../app/create.js').App, known?: any, submit: string, send: (person: object) =>
 *   Promise<any>}}
 *   props
 */
function NewAccount({ app, known = {}, submit, send }) {
  const [person, setPerson] = useState({ name: known.name ?? '', email: known.email ?? '', password: '' });
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const set = (name) => (value) => setPerson({ ...person, [name]: value });
  /** @param {Event} event */
  const submitted = async (event) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      await app.enter(await send({ ...person, name: person.name.trim(), email: person.email.trim() }));
    } catch (error) {
      setFault(explained(error));
    }
    setBusy(false);
  };
  return html`
    <form class="form" onSubmit=${submitted} novalidate>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <${Field} text=${t('field.name')} autocomplete="name" focused=${true}
        value=${person.name} onText=${set('name')} />
      <${Field} text=${t('field.email')} type="email" autocomplete="username" value=${person.email}
        onText=${set('email')} />
      <${Field} text=${t('field.password')} type="password" autocomplete="new-password"
        hint=${t('field.passwordHint', { n: PASSWORD_MIN })} value=${person.password} onText=${set('password')} />
      <button class="button primary" type="submit" disabled=${busy}>${submit}</button>
    </form>`;
}
