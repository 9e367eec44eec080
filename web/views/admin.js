/** For administrators: people, invitations, and how the server is. Conversations are never shown here. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fileSize, fullMoment, shortMoment } from '../core/format.js';
import { href } from '../core/router.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Back, Icon } from './hooks.js';
import { Avatar } from './person.js';

const DEBOUNCE_MS = 200;

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Admin({ app, state, route: { part } }) {
  if (state.me?.role !== 'admin') return html`<div class="empty"><p class="empty-title">${t('lost.title')}</p><p><a class="button" href="/">${t('back.list')}</a></p></div>`;
  /** @type {['people'|'invitations'|'status', string][]} */
  const parts = [['people', t('admin.people')], ['invitations', t('admin.invitations')], ['status', t('admin.status')]];
  return html`
    <section class="pane" aria-label=${t('admin.title')}><div class="pane-body wide">
      <header class="pane-head"><${Back} /><h1>${t('admin.title')}</h1></header>
      <nav class="filters" aria-label=${t('admin.parts')}>${parts.map(([name, text]) => html`<a key=${name} href=${href({ name: 'admin', part: name })} aria-current=${part === name ? 'page' : undefined}>${text}</a>`)}</nav>
      ${part === 'people' && html`<${People} app=${app} />`}
      ${part === 'invitations' && html`<${Invitations} app=${app} />`}
      ${part === 'status' && html`<${Status} app=${app} />`}
    </div></section>`;
}

/** The list of a page, whether it comes bare or with a cursor. @param {any} page @param {string} name */
function listOf(page, name) {
  return Array.isArray(page) ? page : page[name] ?? page.results ?? [];
}

/** @param {{app: import('../app.js').App}} props */
function People({ app }) {
  const [people, setPeople] = useState(/** @type {any[]|null} */ (null));
  const [cursor, setCursor] = useState(/** @type {any} */ (null));
  const [query, setQuery] = useState('');
  const [role, setRole] = useState('');
  const ask = (from) => api.get(`/admin/users?limit=50&q=${encodeURIComponent(query.trim())}${role ? `&role=${role}` : ''}${from ? `&cursor=${encodeURIComponent(from)}` : ''}`);
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => ask(null).then((page) => {
      if (!wanted) return;
      setPeople(listOf(page, 'users'));
      setCursor(page.nextCursor ?? null);
    }, app.client?.report), people ? DEBOUNCE_MS : 0);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [query, role]);
  const more = () => ask(cursor).then((page) => {
    setPeople([...(people ?? []), ...listOf(page, 'users')]);
    setCursor(page.nextCursor ?? null);
  }, app.client?.report);
  /** @param {any} person @param {object} change */
  const patch = (person, change) => api.call('PATCH', `/admin/users/${person.id}`, change)
    .then((fresh) => setPeople((people ?? []).map((one) => (one.id === person.id ? { ...one, ...change, ...fresh } : one))), app.client?.report);
  const end = (person) => api.call('DELETE', `/admin/users/${person.id}/sessions`).then(() => app.client?.notice(t('admin.sessionsEnded')), app.client?.report);
  return html`
    <div class="section">
      <div class="admin-tools">
        <label class="field"><span>${t('admin.search')}</span><input type="search" value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
        <label class="field"><span>${t('field.role')}</span><select value=${role} onChange=${(e) => setRole(e.target.value)}>
          <option value="">${t('role.all')}</option><option value="client">${t('role.client')}</option><option value="juriste">${t('role.juriste')}</option><option value="admin">${t('role.admin')}</option></select></label>
        <button class="button primary" type="button" onClick=${() => app.open('invite', { roles: ['client', 'juriste', 'admin'] })}><${Icon} name="plus" />${t('invite.open')}</button>
      </div>
      <ul class="table people">${people?.map((one) => html`
        <li key=${one.id} class=${one.isActive ? '' : 'off'}>
          <${Avatar} person=${one} size="small" />
          <span class="table-main"><span class="ellipsis" dir="auto">${one.name}</span><span class="quiet ellipsis">${one.email}</span>
            <span class="quiet">${one.isActive ? (one.lastSignInAt ? t('admin.lastSignIn', { when: shortMoment(one.lastSignInAt, Date.now(), locale(), t('day.yesterdayShort')) }) : t('admin.never')) : t('admin.disabled')}</span></span>
          <label class="table-role"><span class="spoken">${t('admin.roleOf', { name: one.name })}</span><select value=${one.role} disabled=${one.id === app.client?.me.id} onChange=${(e) => patch(one, { role: e.target.value })}>
            <option value="client" selected=${one.role === 'client'}>${t('role.client')}</option><option value="juriste" selected=${one.role === 'juriste'}>${t('role.juriste')}</option><option value="admin" selected=${one.role === 'admin'}>${t('role.admin')}</option></select></label>
          ${one.id !== app.client?.me.id && html`<span class="table-ways"><button class="link" type="button" onClick=${() => patch(one, { isActive: !one.isActive })}>${one.isActive ? t('admin.disable') : t('admin.enable')}</button>
            <button class="link" type="button" onClick=${() => end(one)}>${t('admin.endSessions')}</button></span>`}
        </li>`)}</ul>
      ${people && !people.length && html`<p class="quiet">${t('directory.none')}</p>`}
      ${cursor && html`<p><button class="button" type="button" onClick=${more}>${t('search.more')}</button></p>`}
    </div>`;
}

/** @param {{app: import('../app.js').App}} props */
function Invitations({ app }) {
  const [all, setAll] = useState(/** @type {any[]|null} */ (null));
  const load = () => api.get('/invitations').then((page) => setAll(listOf(page, 'invitations')), app.client?.report);
  useEffect(() => {
    load();
    document.addEventListener('lexchat:invited', load);
    return () => document.removeEventListener('lexchat:invited', load);
  }, []);
  const names = /** @type {Record<string, string>} */ ({ client: t('role.client'), juriste: t('role.juriste'), admin: t('role.admin') });
  return html`
    <div class="section">
      <p><button class="button primary" type="button" onClick=${() => app.open('invite', { roles: ['client', 'juriste', 'admin'] })}><${Icon} name="plus" />${t('invite.open')}</button></p>
      <ul class="table">${all?.map((one) => html`<li key=${one.id}><span class="table-main"><span class="ellipsis" dir="auto">${one.name || one.email || names[one.role]}</span>
        <span class="quiet">${names[one.role]} · ${t('admin.until', { when: fullMoment(one.expiresAt, locale()) })}</span></span>
        <button class="link" type="button" onClick=${() => api.call('DELETE', `/invitations/${one.id}`).then(load, app.client?.report)}>${t('admin.withdraw')}</button></li>`)}</ul>
      ${all && !all.length && html`<p class="quiet">${t('admin.noInvitations')}</p>`}
    </div>`;
}

/** @param {{app: import('../app.js').App}} props */
function Status({ app }) {
  const [status, setStatus] = useState(/** @type {any} */ (null));
  useEffect(() => { api.get('/admin/status').then(setStatus, app.client?.report); }, []);
  if (!status) return null;
  const { settings = {}, ...facts } = status;
  const known = factsOf(facts);
  return html`
    <div class="section"><dl class="facts wide">${known.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd class="tabular">${value}</dd></div>`)}</dl></div>
    <div class="section"><h2>${t('status.settings')}</h2>
      <dl class="facts wide">${Object.entries(settings).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd class="tabular">${value}</dd></div>`)}</dl></div>`;
}

/** What the server tells of itself, in words; a fact that has no word yet keeps its name, so that none is left out. @param {Record<string, any>} facts @returns {[string, string][]} */
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
    databaseBytes: [t('status.databaseBytes'), size],
    freeBytes: [t('status.freeBytes'), size],
  };
  return Object.entries(facts).map(([name, value]) => {
    const [word, shown] = words[name] ?? [name, (other) => (typeof other === 'object' ? JSON.stringify(other) : String(other))];
    return [word, value === null ? '—' : shown(value)];
  });
}
