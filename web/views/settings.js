/** One's own matters: name, language, theme, notifications, password, devices. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fullMoment } from '../core/format.js';
import { locale, setLocale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import * as session from '../client/session.js';
import { Back } from './hooks.js';

export const PASSWORD_MIN = 12;

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State}} props */
export function Settings({ app, state }) {
  const me = /** @type {any} */ (state.me);
  return html`
    <section class="pane" aria-label=${t('me.title')}><div class="pane-body">
      <header class="pane-head"><${Back} /><h1>${t('me.title')}</h1></header>
      <${Profile} app=${app} me=${me} />
      <${Appearance} app=${app} me=${me} />
      <${Password} app=${app} me=${me} />
      <${Devices} app=${app} />
    </div></section>`;
}

/** What the server has stored becomes what this page knows of the person. @param {import('../app.js').App} app @param {object} change */
async function patchMe(app, change) {
  const user = await api.call('PATCH', '/users/me', change);
  session.update(user);
  app.store.dispatch({ type: 'signedIn', me: { ...app.store.state().me, ...user } });
}

/** @param {{app: import('../app.js').App, me: any}} props */
function Profile({ app, me }) {
  const [name, setName] = useState(me.name);
  const [fault, setFault] = useState('');
  /** @param {Event} event */
  const save = async (event) => {
    event.preventDefault();
    try {
      await patchMe(app, { name: name.trim() });
      setFault('');
      app.client?.notice(t('saved'));
    } catch (error) {
      const refusal = /** @type {api.Refusal} */ (error);
      setFault(refusal.details?.[0]?.message ?? refusal.message);
    }
  };
  return html`
    <form class="form section" onSubmit=${save} novalidate><h2>${t('me.profile')}</h2>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <label class="field"><span>${t('field.name')}</span><input autocomplete="name" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
      <p class="quiet">${me.email}</p>
      <p><button class="button" type="submit" disabled=${!name.trim() || name.trim() === me.name}>${t('save')}</button></p></form>`;
}

/** @param {{app: import('../app.js').App, me: any}} props */
function Appearance({ app, me }) {
  const [theme, setTheme] = useState(localStorage.getItem('lexchat.theme') ?? 'system');
  const [notify, setNotify] = useState(localStorage.getItem('lexchat.notify') === 'yes');
  /** @param {string} chosen */
  const choose = (chosen) => {
    setTheme(chosen);
    if (chosen === 'system') {
      localStorage.removeItem('lexchat.theme');
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem('lexchat.theme', chosen);
      document.documentElement.dataset.theme = chosen;
    }
  };
  /** @param {string} chosen */
  const speak = async (chosen) => {
    localStorage.setItem('lexchat.locale', chosen);
    await setLocale(chosen);
    document.documentElement.lang = chosen;
    app.redraw();
    await patchMe(app, { locale: chosen }).catch(app.client?.report);
  };
  /** @param {boolean} wanted */
  const allow = async (wanted) => {
    const granted = wanted && 'Notification' in window && (await Notification.requestPermission()) === 'granted';
    localStorage.setItem('lexchat.notify', granted ? 'yes' : 'no');
    setNotify(granted);
    if (wanted && !granted) app.client?.notice(t('me.notifyRefused'), 'alert');
  };
  return html`
    <div class="form section"><h2>${t('me.appearance')}</h2>
      <label class="field"><span>${t('field.locale')}</span><select value=${locale()} onChange=${(e) => speak(e.target.value)}><option value="fr" selected=${locale() === 'fr'}>Français</option><option value="en" selected=${locale() === 'en'}>English</option></select></label>
      <label class="field"><span>${t('me.theme')}</span><select value=${theme} onChange=${(e) => choose(e.target.value)}>
        <option value="system">${t('theme.system')}</option><option value="light">${t('theme.light')}</option><option value="dark">${t('theme.dark')}</option></select></label>
      <label class="check"><input type="checkbox" checked=${notify} onChange=${(e) => allow(e.target.checked)} /><span>${t('me.notify')}</span></label>
    </div>`;
}

/** @param {{app: import('../app.js').App, me: any}} props */
function Password({ app, me }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [fault, setFault] = useState('');
  /** @param {Event} event */
  const change = async (event) => {
    event.preventDefault();
    try {
      await api.call('POST', '/users/me/password', { current, next });
      setCurrent('');
      setNext('');
      setFault('');
      app.client?.notice(t('me.passwordChanged'));
    } catch (error) {
      const refusal = /** @type {api.Refusal} */ (error);
      setFault(refusal.details?.[0]?.message ?? refusal.message);
    }
  };
  return html`
    <form class="form section" onSubmit=${change} novalidate><h2>${t('me.password')}</h2>
      <p class="quiet">${t('me.passwordText')}</p>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <input type="email" autocomplete="username" value=${me.email} hidden readonly />
      <label class="field"><span>${t('me.currentPassword')}</span><input type="password" autocomplete="current-password" value=${current} onInput=${(e) => setCurrent(e.target.value)} /></label>
      <label class="field"><span>${t('me.nextPassword', { n: PASSWORD_MIN })}</span><input type="password" autocomplete="new-password" value=${next} onInput=${(e) => setNext(e.target.value)} /></label>
      <p><button class="button" type="submit" disabled=${!current || [...next].length < PASSWORD_MIN}>${t('me.changePassword')}</button></p></form>`;
}

/** @param {{app: import('../app.js').App}} props */
function Devices({ app }) {
  const [devices, setDevices] = useState(/** @type {any[]} */ ([]));
  const load = () => api.get('/auth/sessions').then(setDevices, app.client?.report);
  useEffect(() => { load(); }, []);
  /** @param {number} id */
  const end = (id) => api.call('DELETE', `/auth/sessions/${id}`).then(load, app.client?.report);
  return html`
    <div class="form section"><h2>${t('me.devices')}</h2>
      <ul class="table">${devices.map((one) => html`<li key=${one.id}><span class="table-main"><span class="ellipsis">${device(one.userAgent)}</span>
        <span class="quiet">${one.isCurrent ? t('me.thisDevice') : t('me.lastSeen', { when: fullMoment(one.lastUsedAt ?? one.lastSeenAt ?? one.createdAt, locale()) })}</span></span>
        ${!one.isCurrent && html`<button class="link" type="button" onClick=${() => end(one.id)}>${t('me.endDevice')}</button>`}</li>`)}</ul>
      <p><button class="button" type="button" onClick=${() => app.leave()}>${t('signOut')}</button></p></div>`;
}

/** The browser and the system, as people call them. @param {string|null|undefined} agent */
function device(agent) {
  const text = agent ?? '';
  const browser = /Firefox\//.test(text) ? 'Firefox' : /Edg\//.test(text) ? 'Edge' : /OPR\//.test(text) ? 'Opera' : /Chrome\//.test(text) ? 'Chrome' : /Safari\//.test(text) ? 'Safari' : null;
  const system = /Android/.test(text) ? 'Android' : /iPhone|iPad/.test(text) ? 'iOS' : /Windows/.test(text) ? 'Windows' : /Mac OS/.test(text) ? 'macOS' : /Linux/.test(text) ? 'Linux' : null;
  if (!browser) return text.slice(0, 60) || t('me.unknownDevice');
  return system ? `${browser} · ${system}` : browser;
}
