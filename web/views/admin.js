/** For administrators: people, invitations, and how the server is. Conversations are never shown here. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fileSize, fullMoment } from '../core/format.js';
import { href } from '../core/router.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { settings } from '../client/notices.js';
import { Back, Icon, useDebounced } from './hooks.js';
import { Dialog } from './dialog.js';
import { PracticePart } from './practice.js';
import { Avatar } from './person.js';
import { Checks } from './checks.js';
import { Deliveries } from './deliveries.js';
import { whenInShort } from './wording.js';

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
export function Admin({ app, state, route: { part } }) {
  const [channels, setChannels] = useState(/** @type {any} */ ({}));
  const sends = channels.email || channels.fcm || Boolean(channels.webPush) || part === 'deliveries';
  useEffect(() => {
    if (state.me?.role === 'admin') settings().then(({ available }) => setChannels(available), () => {});
  }, []);
  if (state.me?.role !== 'admin')
    return html`<div class="empty"><h1 class="empty-title">${t('lost.title')}</h1><p><a class="button" href="/">
      ${t('back.list')}</a></p></div>`;
  /** @type {['people'|'invitations'|'practice'|'deliveries'|'status', string][]} */
  const parts = [
    ['people', t('admin.people')],
    ['invitations', t('admin.invitations')],
    ['practice', t('practice.title')],
    ...(/** @type {['deliveries', string][]} */ (sends ? [['deliveries', t('admin.deliveries')]] : [])),
    ['status', t('admin.status')],
  ];
  return html`
    <section class="pane" aria-label=${t('admin.title')}><div class="pane-body wide">
      <header class="pane-head"><${Back} /><h1>${t('admin.title')}</h1></header>
      <nav class="filters" aria-label=${t('admin.parts')}>
        ${parts.map(([name, text]) => html`
          <a key=${name} href=${href({ name: 'admin', part: name })}
            aria-current=${part === name ? 'page' : undefined}>${text}</a>`)}</nav>
      ${part === 'people' && html`<${People} app=${app} />`}
      ${part === 'invitations' && html`<${Invitations} app=${app} />`}
      ${part === 'practice' && html`<${PracticePart} app=${app} />`}
      ${part === 'deliveries' && html`<${Deliveries} app=${app} mails=${channels.email} />`}
      ${part === 'status' && html`<${Status} app=${app} />`}
    </div></section>`;
}

/**
 * The list of a page, whether it comes bare or with a cursor.
 * @param {any} page
 * @param {string} name
 */
function listOf(page, name) {
  return Array.isArray(page) ? page : (page[name] ?? page.results ?? []);
}

/** @returns {[string, string][]} */
const roles = () => [
  ['client', t('role.client')],
  ['juriste', t('role.juriste')],
  ['admin', t('role.admin')],
];

/** @param {{app: import('../app/create.js').App}} props */
function People({ app }) {
  const [people, setPeople] = useState(/** @type {any[]|null} */ (null));
  const [cursor, setCursor] = useState(/** @type {any} */ (null));
  const [query, setQuery] = useState('');
  const [role, setRole] = useState('');
  /** @param {any} from */
  const ask = (from) => {
    const more = { ...(role && { role }), ...(from && { cursor: from }) };
    const asked = new URLSearchParams({ limit: '50', q: query.trim(), ...more });
    return api.get(`/admin/users?${asked}`).catch(app.client?.report);
  };
  /** @param {any[]} before @param {any} page */
  const take = (before, page) => {
    setPeople([...before, ...listOf(page, 'users')]);
    setCursor(page.nextCursor ?? null);
  };
  useDebounced(
    async (isCurrent) => {
      const page = await ask(null);
      if (page && isCurrent()) take([], page);
    },
    [query, role],
  );
  const more = async () => {
    const page = await ask(cursor);
    if (page) take(people ?? [], page);
  };
  /** @param {any} fresh */
  const changed = (fresh) => setPeople((people ?? []).map((one) => (one.id === fresh.id ? { ...one, ...fresh } : one)));
  return html`
    <div class="section">
      <div class="admin-tools">
        <label class="field"><span>${t('admin.search')}</span>
          <input type="search" value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
        <label class="field"><span>${t('field.role')}</span>
          <select value=${role} onChange=${(e) => setRole(e.target.value)}>
            <option value="">${t('role.all')}</option>
            ${roles().map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
          </select></label>
        <${InviteButton} app=${app} />
      </div>
      <ul class="table people">
        ${people?.map((one) => html`<${Account} key=${one.id} app=${app} person=${one} onChanged=${changed} />`)}</ul>
      ${people && !people.length && html`<p class="quiet">${t('directory.none')}</p>`}
      ${cursor && html`<p><button class="button" type="button" onClick=${more}>${t('search.more')}</button></p>`}
    </div>`;
}

/** @param {{app: import('../app/create.js').App}} props */
function InviteButton({ app }) {
  const open = () => app.open('invite', { roles: ['client', 'juriste', 'admin'] });
  return html`<button class="button primary" type="button" onClick=${open}>
    <${Icon} name="plus" />${t('invite.open')}</button>`;
}

/**
 * One account and what may be done to it.
 * @param {{app: import('../app/create.js').App, person: any, onChanged: (fresh: any) => void}} props
 */
function Account({ app, person, onChanged }) {
  const { id, name, email, role, isActive, lastSignInAt } = person;
  const isMe = id === app.client?.me.id;
  /**
   * It asks first, and says what follows.
   * @param {'role'|'disable'|'enable'|'sessions'} act
   * @param {string} [wanted]
   */
  const ask = (act, wanted = role) => app.open('account', { id, name, act, role: wanted });
  useEffect(() => {
    const told = (/** @type {any} */ { detail }) => detail.id === id && onChanged(detail);
    document.addEventListener('lexchat:account', told);
    return () => document.removeEventListener('lexchat:account', told);
  }, [id, onChanged]);
  const when = lastSignInAt && whenInShort(lastSignInAt);
  const seen = when ? t('admin.lastSignIn', { when }) : t('admin.never');
  return html`
    <li class=${isActive ? '' : 'off'}>
      <${Avatar} person=${person} size="small" />
      <span class="table-main"><span class="ellipsis" dir="auto">${name}</span>
        <span class="quiet ellipsis">${email}</span>
        <span class="quiet">${isActive ? seen : t('admin.disabled')}</span></span>
      <label class="table-role"><span class="spoken">${t('admin.roleOf', { name })}</span>
        <select value=${role} disabled=${isMe} onChange=${(e) => {
          ask('role', e.target.value);
          e.target.value = role;
        }}>
          ${roles().map(([value, text]) => html`
            <option key=${value} value=${value} selected=${role === value}>${text}</option>`)}</select></label>
      ${!isMe && html`<span class="table-ways">
        <button class="link" type="button" onClick=${() => ask(isActive ? 'disable' : 'enable')}>
          ${isActive ? t('admin.disable') : t('admin.enable')}</button>
        <button class="link" type="button" onClick=${() => ask('sessions')}>${t('admin.endSessions')}</button></span>`}
    </li>`;
}

/**
 * Before somebody gets another role, is shut out or signed out: what will follow.
 * @param {{app: import('../app/create.js').App, data: {id: number, name: string, act: string, role: string}}} props
 */
export function AccountDialog({ app, data: { id, name, act, role } }) {
  const roleName = Object.fromEntries(roles())[role] ?? role;
  const said = {
    role: [t('account.roleTitle', { name, role: roleName }), t('account.roleText'), t('account.roleDo')],
    disable: [t('account.disableTitle', { name }), t('account.disableText'), t('admin.disable')],
    enable: [t('account.enableTitle', { name }), t('account.enableText'), t('admin.enable')],
    sessions: [t('account.sessionsTitle', { name }), t('account.sessionsText'), t('admin.endSessions')],
  };
  const [title, text, way] = said[/** @type {keyof typeof said} */ (act)];
  const done = async () => {
    await app.closeDialog();
    try {
      const change = act === 'role' ? { role } : { isActive: act === 'enable' };
      if (act === 'sessions') {
        await api.call('DELETE', `/admin/users/${id}/sessions`);
        app.client?.notice(t('admin.sessionsEnded'));
        return;
      }
      const fresh = await api.call('PATCH', `/admin/users/${id}`, change);
      document.dispatchEvent(new CustomEvent('lexchat:account', { detail: { ...change, ...fresh, id } }));
    } catch (error) {
      app.client?.report(error);
    }
  };
  return html`
    <${Dialog} title=${title} onClose=${app.closeDialog}><p>${text}</p>
      <p class="dialog-ways"><button class="button" type="button" data-first onClick=${app.closeDialog}>
        ${t('dialog.cancel')}</button>
        <button class="button ${act === 'enable' ? 'primary' : 'danger'}" type="button" onClick=${done}>${way}</button>
      </p></${Dialog}>`;
}

/** @param {{app: import('../app/create.js').App}} props */
function Invitations({ app }) {
  const [all, setAll] = useState(/** @type {any[]|null} */ (null));
  const load = () => api.get('/invitations').then((page) => setAll(listOf(page, 'invitations')), app.client?.report);
  useEffect(() => {
    load();
    document.addEventListener('lexchat:invited', load);
    return () => document.removeEventListener('lexchat:invited', load);
  }, []);
  const names = /** @type {Record<string, string>} */ ({
    client: t('role.client'),
    juriste: t('role.juriste'),
    admin: t('role.admin'),
  });
  return html`
    <div class="section">
      <p><button class="button primary" type="button"
        onClick=${() => app.open('invite', { roles: ['client', 'juriste', 'admin'] })}><${Icon} name="plus" />
          ${t('invite.open')}</button></p>
      <ul class="table">${all?.map(
        (
          one,
        ) => html`<li key=${one.id}><span class="table-main"><span class="ellipsis" dir="auto">
          ${one.name || one.email || names[one.role]}</span>
        <span class="quiet">${(one.name || one.email) && `${names[one.role]} · `}
          ${t('admin.until', { when: fullMoment(one.expiresAt, locale()) })}</span></span>
        <button class="link" type="button"
          onClick=${() => api.call('DELETE', `/invitations/${one.id}`).then(load, app.client?.report)}>
            ${t('admin.withdraw')}</button></li>`,
      )}</ul>
      ${all && !all.length && html`<p class="quiet">${t('admin.noInvitations')}</p>`}
    </div>`;
}

/** @param {{app: import('../app/create.js').App}} props */
function Status({ app }) {
  const [status, setStatus] = useState(/** @type {any} */ (null));
  useEffect(() => {
    api.get('/admin/status').then(setStatus, app.client?.report);
  }, []);
  if (!status) return null;
  const { settings = {}, checks = [], ...facts } = status;
  const shown = Object.entries(settings).map(([name, value]) => [html`<code>--${name}</code>`, settingOf(value)]);
  return html`
    <${Checks} app=${app} checks=${checks} facts=${[...factsOf(facts), ...Object.entries(settings)]} />
    <div class="section"><${Facts} of=${factsOf(facts)} /></div>
    <div class="section"><h2>${t('status.settings')}</h2><p class="quiet">${t('status.settingsText')}</p>
      <${Facts} of=${shown} />
    </div>`;
}

/** @param {{of: [any, any][]}} props names and values */
const Facts = ({ of }) => html`<dl class="facts wide">${of.map(([name, value], at) => html`
  <div key=${at}><dt>${name}</dt><dd class="tabular">${value}</dd></div>`)}</dl>`;

/** From here on a plain number is one of bytes: no other setting is as large. */
const BYTES_FROM = 100_000;

/** The value of a setting as a person reads it. @param {string} value */
function settingOf(value) {
  if (value === 'unset') return t('status.unset');
  if (value === 'set') return t('status.set');
  if (value === 'true' || value === 'false') return value === 'true' ? t('yes') : t('no');
  if (/^\d+$/.test(value) && Number(value) >= BYTES_FROM) return fileSize(Number(value), locale());
  return value;
}

/**
 * What the server tells of itself, in words; a fact that has no word yet keeps its name, so that
 * none is left out.
 * @param {Record<string, any>} facts
 * @returns {[string, string][]}
 */
function factsOf(facts) {
  const number = (value) => Number(value).toLocaleString(locale());
  const size = (value) => fileSize(value, locale());
  const yes = (value) => (value ? t('yes') : t('no'));
  /** @type {Record<string, [string, (value: any) => string]>} */
  const words = {
    version: [t('status.version'), String],
    uptimeSeconds: [t('status.uptime'), (value) => fullMoment(Date.now() - value * 1000, locale())],
    isHealthy: [t('status.healthy'), yes],
    demoAccountsActive: [t('status.demo'), yes],
    sockets: [t('status.sockets'), number],
    users: [t('status.users'), number],
    activeUsers: [t('status.activeUsers'), number],
    sessions: [t('status.sessions'), number],
    conversations: [t('list.label'), number],
    messages: [t('timeline.label'), number],
    attachments: [t('status.attachments'), number],
    attachmentBytes: [t('status.attachmentBytes'), size],
    calls: [t('status.calls'), number],
    liveCalls: [t('status.liveCalls'), number],
    recordings: [t('status.recordings'), number],
    recordingBytes: [t('status.recordingBytes'), size],
    refusedRecordings: [t('status.refusedRecordings'), number],
    databaseBytes: [t('status.databaseBytes'), size],
    freeBytes: [t('status.freeBytes'), size],
    walBytes: [t('status.walBytes'), size],
    diskFreeBytes: [t('status.diskFreeBytes'), size],
  };
  return Object.entries(facts).map(([name, value]) => {
    const [word, shown] = words[name] ?? [
      name,
      (other) => (typeof other === 'object' ? JSON.stringify(other) : String(other)),
    ];
    return [word, value === null ? '—' : shown(value)];
  });
}
