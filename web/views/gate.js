/** Before somebody is signed in: signing in, and the ways to an account. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { shared } from '../client/kept.js';
import { locale, setLocale, t } from '../core/i18n.js';
import { lazy } from './lazy.js';

/** The people of the two buttons (contract §5). */
const DEMO = { client: 'client1@example.com', juriste: 'juriste1@example.com' };
const DEMO_PASSWORD = 'Pass123!';

const accounts = () => import('./accounts.js');
const recovery = () => import('./recovery.js');

/** @type {Record<string, any>} */
const WAYS = {
  signUp: lazy(accounts, 'SignUp'),
  invitation: lazy(accounts, 'Invitation'),
  setup: lazy(accounts, 'Setup'),
  forgotten: lazy(recovery, 'Forgotten'),
  password: lazy(recovery, 'NewPassword'),
  confirmation: lazy(recovery, 'Confirmation'),
};

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
export function Gate({ app, state, route }) {
  const way = WAYS[route.name] ?? SignInCard;
  return html`
    <main class="gate">
      <div class="gate-card">
        <header class="gate-head"><h1 class="brand">${t('app.name')}</h1><${Language} app=${app} /></header>
        <${way} app=${app} state=${state} route=${route} />
      </div>
    </main>`;
}

/** @param {{app: import('../app/create.js').App}} props */
function Language({ app }) {
  /** @param {string} chosen */
  const speak = async (chosen) => {
    shared.set('lexchat.locale', chosen);
    await setLocale(chosen);
    document.documentElement.lang = chosen;
    app.redraw();
  };
  return html`<div class="language" role="group" aria-label=${t('field.locale')}>${[
    ['fr', 'Français'],
    ['en', 'English'],
  ].map(
    ([code, name]) => html`
    <button key=${code} type="button" lang=${code} aria-pressed=${locale() === code ? 'true' : 'false'}
      onClick=${() => speak(code)}>${name}</button>`,
  )}</div>`;
}

/** @param {any} props */
function SignInCard({ app, state }) {
  return html`<p class="gate-text">${t('signIn.text')}</p>
    <${SignIn} app=${app} demo=${state.demo} resets=${state.resets} />`;
}

/** @param {{app: import('../app/create.js').App, demo: boolean, resets?: boolean, email?: string}} props */
export function SignIn({ app, demo, resets = false, email: known = '' }) {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');

  /**
   * @param {string} address
   * @param {string} secret
   */
  const signIn = async (address, secret) => {
    setBusy(true);
    setFault('');
    try {
      await app.enter(await api.openCall('/auth/sign-in', { email: address.trim(), password: secret }));
    } catch (error) {
      setFault(explained(error));
    }
    setBusy(false);
  };
  /** @param {Event} event */
  const submitted = (event) => {
    event.preventDefault();
    if (!email.trim() || !password) setFault(t('signIn.fillIn'));
    else signIn(email, password);
  };
  useEffect(() => {
    const wanted = new URLSearchParams(location.search).get('demo');
    if (demo && (wanted === 'client' || wanted === 'juriste')) signIn(DEMO[wanted], DEMO_PASSWORD);
  }, [demo]);

  return html`
    <form class="form" onSubmit=${submitted} novalidate>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <${Field} text=${t('field.email')} type="email" autocomplete="username" focused=${!known} value=${email}
        onText=${setEmail} />
      <${Field} text=${t('field.password')} type="password" autocomplete="current-password" first=${Boolean(known)}
        value=${password} onText=${setPassword} />
      <button class="button primary" type="submit" disabled=${busy}>${t('signIn.submit')}</button>
    </form>
    ${!known && html`<p class="quiet">${t('signUp.ask')} <a href="/inscription">${t('signUp.open')}</a></p>
      <p class="quiet">${resets ? html`<a href="/mot-de-passe">${t('signIn.forgot')}</a>` : t('signIn.forgotten')}</p>`}
    ${demo && html`<${DemoButtons} busy=${busy} onEnter=${(as) => signIn(DEMO[as], DEMO_PASSWORD)} />`}`;
}

/** @param {{busy: boolean, onEnter: (as: 'client'|'juriste') => void}} props */
function DemoButtons({ busy, onEnter }) {
  return html`
    <section class="demo" aria-label=${t('demo.title')}>
      <p>${t('demo.explained')}</p>
      <div class="demo-buttons">
        <button class="button" type="button" disabled=${busy} onClick=${() => onEnter('client')}>
          ${t('demo.client')}</button>
        <button class="button" type="button" disabled=${busy} onClick=${() => onEnter('juriste')}>
          ${t('demo.juriste')}</button>
      </div>
    </section>`;
}

let fields = 0;

/**
 * @param {{text: string, value: string, onText: (value: string) => void, type?: string, autocomplete?: string,
 *   hint?: string, first?: boolean, focused?: boolean}} props `first`: has the focus in a dialog; `focused`: in a page
 */
export function Field({ text, value, onText, type = 'text', autocomplete, hint, first = false, focused = false }) {
  const [id] = useState(() => `field-${(fields += 1)}`);
  const [shown, setShown] = useState(false);
  const box = useRef(/** @type {HTMLInputElement|null} */ (null));
  const isSecret = type === 'password';
  useEffect(() => {
    // A keyboard that jumps up over the page helps nobody.
    if (focused && !matchMedia('(pointer: coarse)').matches) box.current?.focus();
  }, []);
  return html`<div class="field"><label for=${id}>${text}</label>
    <div class="field-line">
      <input id=${id} ref=${box} type=${shown ? 'text' : type} data-first=${first ? '' : undefined} value=${value}
        autocomplete=${autocomplete} onInput=${(e) => onText(e.target.value)} />
      ${isSecret && html`<button class="link" type="button"
        aria-label=${shown ? t('field.hidePassword') : t('field.showPassword')} onClick=${() => setShown(!shown)}>
        ${shown ? t('field.hide') : t('field.show')}</button>`}</div>
    ${hint && html`<small>${hint}</small>`}</div>`;
}

/**
 * @param {unknown} error
 * @returns {string} what to do, without telling which part was wrong
 */
export function explained(error) {
  if (!(error instanceof api.Refusal)) return t('error.unknown');
  if (error.code === 'UNAUTHENTICATED') return t('signIn.refused');
  if (error.code === 'RATE_LIMITED') return t('signIn.wait', { n: error.retryAfter || 30 });
  if (error.code === 'OFFLINE') return t('error.unreachable');
  if (error.code === 'NOT_FOUND') return t('invitation.gone');
  return error.details[0]?.message ?? error.message;
}
