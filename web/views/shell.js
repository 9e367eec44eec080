/** The signed-in page: the list, what is open beside it, and what lies over both. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { listed } from '../core/state.js';
import { t } from '../core/i18n.js';
import { Announcer } from './announcer.js';
import { Conversation } from './conversation.js';
import { Dialog, FETCHED_AFTER_MS, lazy } from './dialog.js';
import { SignIn } from './gate.js';
import { List } from './list.js';

const NOTICE_MS = 5_000;
const PILL_MS = 2_000;
const BANNER_MS = 5_000;

const messageDialogs = () => import('./message_dialogs.js');
const palette = () => import('./palette.js');
const lightbox = () => import('./lightbox.js');
const directory = () => import('./directory.js');

/** @type {Record<string, any>} */
const SCREENS = {
  conversation: Conversation,
  search: lazy(() => import('./search.js'), 'Search'),
  me: lazy(() => import('./settings.js'), 'Settings'),
  admin: lazy(() => import('./admin.js'), 'Admin'),
};

/** @type {Record<string, any>} */
const DIALOGS = {
  menu: lazy(messageDialogs, 'MenuDialog'),
  react: lazy(messageDialogs, 'ReactDialog'),
  info: lazy(messageDialogs, 'InfoDialog'),
  remove: lazy(messageDialogs, 'RemoveDialog'),
  lightbox: lazy(lightbox, 'Lightbox'),
  palette: lazy(palette, 'Palette'),
  keys: lazy(palette, 'Keys'),
  directory: lazy(directory, 'Directory'),
  invite: lazy(directory, 'Invite'),
};

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Shell({ app, state, route }) {
  useEffect(() => {
    const pressed = (event) => shortcut(app, event);
    addEventListener('keydown', pressed);
    setTimeout(() => {
      for (const load of [messageDialogs, palette, directory, lightbox]) load().catch(() => {});
      // There is none where the connection is not secure.
      navigator.serviceWorker?.register('/sw.js').catch(() => {});
    }, FETCHED_AFTER_MS);
    return () => removeEventListener('keydown', pressed);
  }, []);
  useEffect(() => {
    if (!state.notice) return undefined;
    const timer = setTimeout(() => app.store.dispatch({ type: 'noticeEnded' }), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [state.notice?.at]);
  const screen = SCREENS[route.name] ?? Welcome;
  const dialog = route.dialog && DIALOGS[route.dialog.name];
  const atList = route.name === 'home' || route.name === 'test';
  return html`
    <main class="shell" data-at=${atList ? 'list' : 'main'}>
      <${List} app=${app} state=${state} route=${route} />
      <div class="main"><${LinkState} app=${app} link=${state.link} /><${screen} app=${app} state=${state} route=${route} /></div>
    </main>
    <${Announcer} state=${state} />
    <div class="notice-place" role="status" aria-live="polite">${state.notice?.tone === 'info' && html`<p class="notice">${state.notice.text}</p>`}</div>
    <div class="notice-place" role="alert">${state.notice?.tone === 'alert' && html`<p class="notice alert">${state.notice.text}</p>`}</div>
    ${dialog && !state.needsSignIn && html`<${dialog} key=${route.dialog.name} app=${app} state=${state} data=${route.dialog.data} />`}
    ${state.needsSignIn && html`<${Dialog} title=${t('signIn.again')}><p>${t('signIn.againText')}</p>
      <${SignIn} app=${app} demo=${state.demo} email=${state.me?.email} />
      <p class="quiet"><button class="link" type="button" onClick=${() => app.leave()}>${t('signOut')}</button></p></${Dialog}>`}`;
}

/** Keys that work everywhere (client.md §3). @param {import('../app.js').App} app @param {KeyboardEvent} event */
function shortcut(app, event) {
  const typing = /** @type {HTMLElement} */ (event.target).closest?.('input, textarea, select, [contenteditable]');
  const free = !document.querySelector('dialog[open]');
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && key === 'k') {
    event.preventDefault();
    if (app.route().dialog?.name === 'palette') app.closeDialog();
    else app.open('palette');
  } else if (event.altKey && free && (key === 'arrowup' || key === 'arrowdown')) {
    event.preventDefault();
    const all = listed(app.store.state(), 'all').map((one) => one.id);
    const route = app.route();
    const at = route.name === 'conversation' ? all.indexOf(route.id) : -1;
    const id = all[key === 'arrowdown' ? at + 1 : Math.max(0, at < 0 ? all.length - 1 : at - 1)];
    if (id) app.go({ name: 'conversation', id, messageId: null });
  } else if (key === '?' && !typing && free) {
    event.preventDefault();
    app.open('keys');
  } else if (key === 'end' && free && (!typing || !(/** @type {any} */ (typing).value))) {
    document.dispatchEvent(new CustomEvent('lexchat:end'));
  } else if (key === 'escape' && free && !typing && ['search', 'me', 'admin'].includes(app.route().name)) {
    history.back();
  }
}

/** Says that the connection is gone: nothing at first, then a word, then what it means. @param {{app: import('../app.js').App, link: {stage: string, since: number}}} props */
function LinkState({ app, link }) {
  const [age, setAge] = useState(0);
  useEffect(() => {
    setAge(0);
    if (link.stage !== 'down') return undefined;
    const timers = [PILL_MS, BANNER_MS].map((ms) => setTimeout(() => setAge(ms), Math.max(0, link.since + ms - Date.now())));
    return () => timers.forEach(clearTimeout);
  }, [link.stage, link.since]);
  const shown = link.stage === 'down' ? age : 0;
  return html`<div class="link-state" role="status">
    ${shown === PILL_MS && html`<p class="pill">${t('link.again')}</p>`}
    ${shown === BANNER_MS && html`<p class="banner"><span>${t('link.offline')}</span><button class="link" type="button" onClick=${() => app.client?.hurry()}>${t('entry.retry')}</button></p>`}</div>`;
}

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
function Welcome({ app, state, route }) {
  if (route.name === 'lost') return html`<div class="empty"><p class="empty-title">${t('lost.title')}</p><p><a class="button" href="/">${t('back.list')}</a></p></div>`;
  const isAdmin = state.me?.role === 'admin';
  return html`
    <div class="empty">
      <p class="empty-title">${t('welcome.title', { name: state.me?.name ?? '' })}</p>
      <p>${isAdmin ? t('welcome.admin') : t('welcome.text')}</p>
      <p>${isAdmin ? html`<a class="button primary" href="/admin">${t('admin.title')}</a>`
    : html`<button class="button primary" type="button" onClick=${() => app.open('directory')}>${t('list.start')}</button>`}</p>
      <p class="quiet">${t('welcome.keys')}</p>
    </div>`;
}
