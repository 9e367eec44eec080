/** One's own matters: name, language, theme, notifications, password, devices. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fullMoment } from '../core/format.js';
import { locale, setLocale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { shared } from '../client/kept.js';
import * as session from '../client/session.js';
import { nameOf } from '../client/push.js';
import { PASSWORD_MIN } from './accounts.js';
import { Calls } from './call_settings.js';
import { Choice } from './choice.js';
import { Address } from './email_notices.js';
import { Field } from './gate.js';
import { Back } from './hooks.js';
import { Billing } from './me_billing.js';
import { Notifications, useNotices } from './notices.js';

/**
 * What there is to settle, in the order in which it is shown.
 * @type {((props: {app: any, me: any, notices: any}) => any)[]}
 */
const SECTIONS = [Profile, Billing, Writing, Notifications, Calls, Appearance, Password, Devices];

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State}} props */
export function Settings({ app, state }) {
  const notices = useNotices(app, state.link.stage);
  return html`
    <section class="pane" aria-label=${t('me.title')}><div class="pane-body">
      <header class="pane-head"><${Back} /><h1>${t('me.title')}</h1></header>
      ${SECTIONS.map((Section) => html`
        <${Section} key=${Section.name} app=${app} me=${state.me} notices=${notices} />`)}
    </div></section>`;
}

/**
 * What the server has stored becomes what this page knows of the person.
 * @param {import('../app/create.js').App} app
 * @param {object} change
 */
async function patchMe(app, change) {
  const user = await api.call('PATCH', '/users/me', change);
  session.update(user);
  app.store.dispatch({ type: 'signedIn', me: { ...app.store.state().me, ...user } });
}

/** @param {{app: import('../app/create.js').App, me: any, notices: any}} props */
function Profile({ app, me, notices }) {
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
  return html`<div class="section">
    <form class="form" onSubmit=${save} novalidate><h2>${t('me.profile')}</h2>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <label class="field"><span>${t('field.name')}</span>
        <input autocomplete="name" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
      <p class="quiet">${me.email}</p>
      <p><button class="button" type="submit" disabled=${!name.trim() || name.trim() === me.name}>${t('save')}
        </button></p></form>
    <${Address} app=${app} me=${me} notices=${notices} /></div>`;
}

/** @param {{app: import('../app/create.js').App, me: any}} props */
function Appearance({ app }) {
  const [theme, setTheme] = useState(shared.get('lexchat.theme') ?? 'system');
  /** @param {string} chosen */
  const choose = (chosen) => {
    setTheme(chosen);
    shared.set('lexchat.theme', chosen === 'system' ? null : chosen);
    if (chosen === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
  };
  /** @param {string} chosen */
  const speak = async (chosen) => {
    shared.set('lexchat.locale', chosen);
    await setLocale(chosen);
    document.documentElement.lang = chosen;
    app.redraw();
    await patchMe(app, { locale: chosen }).catch(app.client?.report);
  };
  /** @type {[string, string][]} */
  const themes = [['system', t('theme.system')], ['light', t('theme.light')], ['dark', t('theme.dark')]];
  return html`
    <div class="form section"><h2>${t('me.appearance')}</h2>
      <${Choice} text=${t('field.locale')} value=${locale()} onChoose=${speak}
        choices=${[['fr', 'Français'], ['en', 'English']]} />
      <${Choice} text=${t('me.theme')} value=${theme} onChoose=${choose} choices=${themes} />
    </div>`;
}

/** How a message is sent, on this device. */
function Writing() {
  const [send, setSend] = useState(shared.get('lexchat.send') ?? 'enter');
  /** @param {string} chosen */
  const choose = (chosen) => {
    setSend(chosen);
    shared.set('lexchat.send', chosen);
  };
  return html`
    <div class="form section"><h2>${t('me.writing')}</h2>
      <${Choice} text=${t('me.sendKey')} value=${send} onChoose=${choose}
        choices=${[['enter', t('me.sendEnter')], ['ctrl', t('me.sendCtrl')]]} />
      <p class="quiet">${t('me.formatting')}</p></div>`;
}

/** @param {{app: import('../app/create.js').App, me: any}} props */
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
      <${Field} text=${t('me.currentPassword')} type="password" autocomplete="current-password" value=${current}
        onText=${setCurrent} />
      <${Field} text=${t('me.nextPassword', { n: PASSWORD_MIN })} type="password" autocomplete="new-password"
        value=${next} onText=${setNext} />
      <p><button class="button" type="submit" disabled=${!current || [...next].length < PASSWORD_MIN}>
        ${t('me.changePassword')}</button></p></form>`;
}

/** @param {{app: import('../app/create.js').App}} props */
function Devices({ app }) {
  const [devices, setDevices] = useState(/** @type {any[]} */ ([]));
  const load = () => api.get('/auth/sessions').then(setDevices, app.client?.report);
  useEffect(() => {
    load();
  }, []);
  /** @param {number} id */
  const end = (id) => api.call('DELETE', `/auth/sessions/${id}`).then(load, app.client?.report);
  return html`
    <div class="form section"><h2>${t('me.devices')}</h2>
      <ul class="table">${devices.map(
        (one) => html`<li key=${one.id}><span class="table-main"><span class="ellipsis">
          ${nameOf(one.userAgent ?? '') ?? (one.userAgent?.slice(0, 60) || t('me.unknownDevice'))}</span>
        <span class="quiet">
          ${one.isCurrent ? t('me.thisDevice')
            : t('me.lastSeen', { when: fullMoment(one.lastUsedAt ?? one.lastSeenAt ?? one.createdAt, locale()) })}
              </span></span>
        ${!one.isCurrent
          && html`<button class="link" type="button" onClick=${() => end(one.id)}>${t('me.endDevice')}</button>`}
            </li>`,
      )}</ul>
      <p><button class="button" type="button" onClick=${() => app.leave()}>${t('signOut')}</button></p></div>`;
}
