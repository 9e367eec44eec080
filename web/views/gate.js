/** Before somebody is signed in: signing in, and the screens that lead to an account. */
import { html, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { locale, setLocale, t } from '../core/i18n.js';

/** The people of the two buttons (contract §5). */
const DEMO = { client: 'client1@example.com', juriste: 'juriste1@example.com' };
const DEMO_PASSWORD = 'Pass123!';

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Gate({ app, state, route }) {
  return html`
    <main class="gate">
      <div class="gate-card">
        <h1 class="brand">${t('app.name')}</h1>
        <${SignIn} app=${app} demo=${state.demo} />
      </div>
    </main>`;
}

/** @param {{app: import('../app.js').App, demo: boolean, email?: string}} props */
export function SignIn({ app, demo, email: known = '' }) {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');

  /** @param {string} address @param {string} secret */
  const signIn = async (address, secret) => {
    setBusy(true);
    setFault('');
    try {
      await app.enter(await api.openCall('/auth/sign-in', { email: address.trim(), password: secret }));
    } catch (error) {
      setFault(explained(error));
      setBusy(false);
    }
  };
  /** @param {Event} event */
  const submitted = (event) => {
    event.preventDefault();
    if (!email.trim() || !password) setFault(t('signIn.fillIn'));
    else signIn(email, password);
  };

  return html`
    <form class="form" onSubmit=${submitted} novalidate>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <label class="field"><span>${t('field.email')}</span>
        <input type="email" name="email" autocomplete="username" required value=${email} onInput=${(/** @type {any} */ e) => setEmail(e.target.value)} /></label>
      <label class="field"><span>${t('field.password')}</span>
        <input type="password" name="password" autocomplete="current-password" required value=${password} onInput=${(/** @type {any} */ e) => setPassword(e.target.value)} /></label>
      <button class="button primary" type="submit" disabled=${busy}>${t('signIn.submit')}</button>
    </form>
    ${demo && html`
      <section class="demo" aria-label=${t('demo.title')}>
        <p>${t('demo.explained')}</p>
        <div class="demo-buttons">
          <button class="button" type="button" disabled=${busy} onClick=${() => signIn(DEMO.client, DEMO_PASSWORD)}>${t('demo.client')}</button>
          <button class="button" type="button" disabled=${busy} onClick=${() => signIn(DEMO.juriste, DEMO_PASSWORD)}>${t('demo.juriste')}</button>
        </div>
      </section>`}`;
}

/** @param {unknown} error @returns {string} */
export function explained(error) {
  if (!(error instanceof api.Refusal)) return t('error.unknown');
  if (error.code === 'UNAUTHENTICATED') return t('signIn.refused');
  if (error.code === 'RATE_LIMITED') return t('signIn.wait', { n: error.retryAfter || 30 });
  if (error.code === 'OFFLINE') return t('error.unreachable');
  return error.details[0]?.message ?? error.message;
}
