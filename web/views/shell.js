/** The signed-in page: the list, what is open beside it, and what lies over both. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { Conversation } from './conversation.js';
import { useTick } from './hooks.js';
import { FETCHED_AFTER_MS, lazy, loadShared } from './lazy.js';
import { List } from './list.js';

const MINUTE_MS = 60_000;
const NOTICE_MS = 5_000;
const PILL_MS = 2_000;
const BANNER_MS = 5_000;

const messageDialogs = () => import('./message_dialogs.js');
const palette = () => import('./palette.js');
const lightbox = () => import('./lightbox.js');
const directory = () => import('./directory.js');
const transcript = () => import('./transcript.js');
const admin = () => import('./admin.js');
const staged = () => import('./staged.js');

/** What is fetched when the page has time, so that it is there when it is needed, and the server perhaps is not. */
const LATER = [
  loadShared,
  messageDialogs,
  palette,
  directory,
  lightbox,
  () => import('./format_bar.js'),
  staged,
  () => import('./entry_ways.js'),
  () => import('./row_keys.js'),
  () => import('../client/refusals.js'),
  () => import('./signed_out.js'),
  () => import('../client/uploads.js'),
  () => import('../client/version.js'),
];

/** Who listens to the page hears of what comes, not of what is there when it opens. */
const Announcer = lazy(() => import('./announcer.js'), 'Announcer', FETCHED_AFTER_MS);
const SignedOut = lazy(() => import('./signed_out.js'), 'SignedOut');

/** @type {Record<string, any>} */
const SCREENS = {
  conversation: Conversation,
  search: lazy(() => import('./search.js'), 'Search'),
  me: lazy(() => import('./settings.js'), 'Settings'),
  admin: lazy(admin, 'Admin'),
  bills: lazy(() => import('./bills.js'), 'Bills'),
  share: lazy(() => import('./share.js'), 'Share'),
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
  account: lazy(admin, 'AccountDialog'),
  file: lazy(staged, 'FileDialog'),
  takeOut: lazy(() => import('./export.js'), 'ExportDialog'),
};

/** @param {KeyboardEvent} event */
const isShortcut = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || ['?', 'End', 'Escape'].includes(event.key);

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
export function Shell({ app, state, route }) {
  const minute = useTick(MINUTE_MS);
  useEffect(() => {
    /** @type {any} */
    let shortcut;
    /** @type {any} */
    let keys;
    // Once, so that keys that wait are obeyed in the order in which they were pressed.
    const fetchKeys = () =>
      (keys ??= import('./shortcuts.js').then((fetched) => ({ shortcut } = fetched), () => (keys = null)));
    // A key that is faster than the network does what it does when that has come, judged by what lay over the page when
    // it was pressed: Escape that closed a dialog goes nowhere else. Who writes fetches nothing.
    /** @param {KeyboardEvent} event */
    const pressed = async (event) => {
      const free = !document.querySelector('dialog[open]');
      if (!shortcut && isShortcut(event)) await fetchKeys();
      shortcut?.(app, event, free);
    };
    addEventListener('keydown', pressed);
    setTimeout(() => {
      for (const load of [...LATER, fetchKeys, app.later]) load().catch(() => {});
      transcript().then(({ watchCopies }) => watchCopies(app), () => {});
      import('./dates.js').then(({ watchDays }) => watchDays(), () => {});
      keepPage();
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
      <${List} app=${app} state=${state} route=${route} minute=${minute} />
      <div class="main"><${LinkState} app=${app} link=${state.link} />
        <${screen} app=${app} state=${state} route=${route} /></div>
    </main>
    <${Announcer} state=${state} />
    <div class="notice-place" role="status" aria-live="polite">
      ${state.notice?.tone === 'info' && html`<p key=${state.notice.at} class="notice">${state.notice.text}</p>`}</div>
    <div class="notice-place" role="alert">
      ${state.notice?.tone === 'alert' && html`
        <p key=${state.notice.at} class="notice alert">${state.notice.text}</p>`}</div>
    ${dialog && !state.needsSignIn
      && html`<${dialog} key=${route.dialog.name} app=${app} state=${state} data=${route.dialog.data} />`}
    ${state.needsSignIn && html`<${SignedOut} app=${app} state=${state} />`}`;
}

/** The page's files are kept for when the server is gone; where a browser cannot, it goes on without. */
function keepPage() {
  try {
    navigator.serviceWorker.register('/sw.js').catch(() => {});
  } catch {
    // This browser has no such thing, or does not let the page have one.
  }
}

/**
 * Says that the connection is gone: nothing at first, then a word, then what it means.
 * @param {{app: import('../app/create.js').App, link: {stage: string, since: number}}} props
 */
function LinkState({ app, link }) {
  const [age, setAge] = useState(0);
  useEffect(() => {
    setAge(0);
    if (link.stage !== 'down') return undefined;
    const timers = [PILL_MS, BANNER_MS].map((ms) =>
      setTimeout(() => setAge(ms), Math.max(0, link.since + ms - Date.now())),
    );
    return () => timers.forEach(clearTimeout);
  }, [link.stage, link.since]);
  const shown = link.stage === 'down' ? age : 0;
  return html`<div class="link-state" role="status">
    ${shown === PILL_MS && html`<p class="pill">${t('link.again')}</p>`}
    ${shown === BANNER_MS
      && html`<p class="banner"><span>${t('link.offline')}</span>
        <button class="link" type="button" onClick=${() => app.client?.hurry()}>${t('entry.retry')}</button></p>`}
          </div>`;
}

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
function Welcome({ app, state, route }) {
  if (route.name === 'lost')
    return html`<div class="empty"><h1 class="empty-title">${t('lost.title')}</h1><p><a class="button" href="/">
      ${t('back.list')}</a></p></div>`;
  const isAdmin = state.me?.role === 'admin';
  return html`
    <div class="empty">
      <p class="empty-title">${t('welcome.title', { name: state.me?.name ?? '' })}</p>
      <p>${isAdmin ? t('welcome.admin') : t('welcome.text')}</p>
      <p>${
        isAdmin
          ? html`<a class="button primary" href="/admin">${t('admin.title')}</a>`
          : html`<button class="button primary" type="button" onClick=${() => app.open('directory')}>
            ${t('list.start')}</button>`
      }</p>
      <p class="quiet">${t('welcome.keys')}</p>
    </div>`;
}
