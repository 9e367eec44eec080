/** By the links in mails, before anybody is signed in: another password, and an address that is shown to be read. */
import { html, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { t } from '../core/i18n.js';
import { PASSWORD_MIN } from './accounts.js';
import { Field, explained } from './gate.js';

/**
 * A `ref`: what takes the place of the button that was pressed has the focus when it appears.
 * @param {HTMLElement|null} element
 */
const takesFocus = (element) => element?.focus();

/**
 * What a form sends once, and what came of it. Its button keeps the focus meanwhile, so nothing is disabled.
 * @param {() => Promise<void>} work
 */
function useSending(work) {
  const [stage, setStage] = useState(/** @type {'open'|'busy'|'done'} */ ('open'));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  /** @param {Event} event */
  const send = async (event) => {
    event.preventDefault();
    if (stage === 'busy') return;
    setStage('busy');
    setFault(null);
    try {
      await work();
      setStage('done');
    } catch (error) {
      setFault(error);
      setStage('open');
    }
  };
  return { stage, fault, send };
}

const BackToSignIn = () => html`<p class="quiet"><a href="/">${t('signUp.back')}</a></p>`;

/** Asks for a link. Whether there is such an account is told to nobody. */
export function Forgotten() {
  const [email, setEmail] = useState('');
  const { stage, fault, send } = useSending(() =>
    api.request('POST', '/auth/forgot-password', { body: { email: email.trim() }, open: true }).then(() => {}));
  if (stage === 'done')
    return html`<h2 tabindex="-1" ref=${takesFocus}>${t('forgot.sent')}</h2>
      <p role="status">${t('forgot.sentText', { email: email.trim() })}</p>
      <p class="quiet">${t('forgot.spam')}</p>
      <${BackToSignIn} />`;
  return html`<h2>${t('forgot.title')}</h2><p class="quiet">${t('forgot.text')}</p>
    <form class="form" onSubmit=${send} novalidate>
      ${fault && html`<p class="fault" role="alert">${explained(fault)}</p>`}
      <${Field} text=${t('field.email')} type="email" autocomplete="username" focused=${true} value=${email}
        onText=${setEmail} />
      <button class="button primary" type="submit" disabled=${!email.trim()}>
        ${t('forgot.submit')}</button>
    </form><${BackToSignIn} />`;
}

/** @param {unknown} fault @returns {boolean} whether the link is used, too old, or none at all */
const isSpent = (fault) => fault instanceof api.Refusal && fault.code === 'NOT_FOUND';

/** @param {{app: import('../app/create.js').App, route: any}} props */
export function NewPassword({ app, route: { token } }) {
  const [password, setPassword] = useState('');
  const { stage, fault, send } = useSending(async () =>
    app.enter(await api.openCall('/auth/reset-password', { token, password })));
  if (isSpent(fault))
    return html`<p class="fault" role="alert" tabindex="-1" ref=${takesFocus}>${t('reset.gone')}</p>
      <p><a class="button primary" href="/mot-de-passe">${t('reset.again')}</a></p><${BackToSignIn} />`;
  return html`<h2>${t('reset.title')}</h2><p class="quiet">${t('reset.text')}</p>
    <form class="form" onSubmit=${send} novalidate>
      ${fault && html`<p class="fault" role="alert">${explained(fault)}</p>`}
      <${Field} text=${t('field.newPassword')} type="password" autocomplete="new-password" focused=${true}
        hint=${t('field.passwordHint', { n: PASSWORD_MIN })} value=${password} onText=${setPassword} />
      <button class="button primary" type="submit"
        disabled=${[...password].length < PASSWORD_MIN}>${t('reset.submit')}</button>
    </form>`;
}

/**
 * It takes a press: programs that look into mails follow links by themselves.
 * @param {{route: any}} props
 */
export function Confirmation({ route: { token } }) {
  const [email, setEmail] = useState('');
  const { stage, fault, send } = useSending(async () => {
    setEmail((await api.openCall('/auth/confirm-email', { token })).email);
  });
  // A whole new page: who is signed in on this browser goes on as themselves.
  const onward = html`<p><a class="button ${stage === 'done' ? 'primary' : ''}" href="/" target="_self">
    ${t('confirm.onward')}</a></p>`;
  if (stage === 'done')
    return html`<h2 tabindex="-1" ref=${takesFocus}>${t('confirm.done')}</h2>
      <p role="status">${t('confirm.doneText', { email })}</p>${onward}`;
  if (isSpent(fault))
    return html`<p class="fault" role="alert" tabindex="-1" ref=${takesFocus}>${t('confirm.gone')}</p>${onward}`;
  return html`<h2>${t('confirm.title')}</h2><p class="quiet">${t('confirm.text')}</p>
    <form class="form" onSubmit=${send}>
      ${fault && html`<p class="fault" role="alert">${explained(fault)}</p>`}
      <button class="button primary" type="submit">${t('confirm.submit')}</button>
    </form>`;
}
