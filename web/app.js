/**
 * Begins here: the store, the address, who is signed in, and which screen that makes.
 */
import { html, render, useEffect, useReducer } from '/vendor/preact-htm.js';
import { filterOf, href, parse, withFilter } from './core/router.js';
import { peerOf } from './core/state.js';
import { createStore } from './core/store.js';
import { locale, setLocale, t } from './core/i18n.js';
import * as api from './client/api.js';
import * as session from './client/session.js';
import { start } from './client/client.js';
import { watchBadge } from './views/badge.js';
import { useStore } from './views/hooks.js';
import { Gate } from './views/gate.js';
import { Shell } from './views/shell.js';

const store = createStore();

/** What the views are given: the store, the signed-in person's client, and how to go somewhere. */
const app = {
  store,
  /** @type {import('./client/client.js').Client|null} */
  client: null,
  /** @type {() => void} */
  redraw: () => {},
  /** @type {() => void} */
  retitle: () => {},

  /** @returns {import('./core/router.js').Route & {filter: import('./core/router.js').Filter, dialog: {name: string, data?: any}|null}} */
  route: () => ({ ...parse(location.pathname + location.search), filter: filterOf(location.href), dialog: history.state?.dialog ?? null }),

  /** The list keeps its filter. @param {import('./core/router.js').Route|string} to @param {{replace?: boolean, filter?: import('./core/router.js').Filter}} [options] */
  go(to, { replace = Boolean(history.state?.dialog), filter = filterOf(location.href) } = {}) {
    const address = withFilter(typeof to === 'string' ? to : href(to), filter);
    history[replace ? 'replaceState' : 'pushState']({}, '', address);
    app.follow();
  },

  /** Opens a dialog on top of where one is; Back closes it. @param {string} name @param {any} [data] */
  open(name, data) {
    history[history.state?.dialog ? 'replaceState' : 'pushState']({ dialog: { name, data } }, '', location.href);
    app.redraw();
  },

  /** @returns {Promise<void>} when it is gone and the focus is back */
  closeDialog() {
    if (!history.state?.dialog) return Promise.resolve();
    return new Promise((resolve) => {
      addEventListener('popstate', () => setTimeout(resolve), { once: true });
      history.back();
    });
  },

  /** @param {string} text @param {string} [said] what is said when it is done */
  async copy(text, said = t('copied')) {
    await navigator.clipboard?.writeText(text).then(() => app.client?.notice(said), () => {});
  },

  /** Makes what is shown agree with the address. */
  follow() {
    const route = app.route();
    if (app.client) app.client.openConversation(route.name === 'conversation' ? route.id : null, route.name === 'conversation' ? route.messageId : null);
    app.retitle();
    app.redraw();
  },

  /** After any way of signing in. @param {import('./client/session.js').Session} fresh */
  async enter(fresh) {
    session.keep(fresh);
    await setLocale(fresh.user.locale ?? localStorage.getItem('lexchat.locale') ?? navigator.language);
    document.documentElement.lang = locale();
    if (app.client && app.client.me.id === fresh.user.id) {
      app.client.resume();
      return;
    }
    app.client?.close();
    if (app.client) store.dispatch({ type: 'signedOut' });
    app.client = await start(store, { onMessage: announce });
    const { name } = parse(location.pathname);
    if (!['home', 'conversation', 'search', 'me', 'admin', 'test'].includes(name)) history.replaceState({}, '', '/');
    app.follow();
  },

  /** @param {{everywhere?: boolean}} [options] without `everywhere` only this window stops being that person: another one has ended the session */
  async leave({ everywhere = true } = {}) {
    if (everywhere) await api.call('POST', '/auth/sign-out').catch(() => {});
    app.client?.close();
    app.client = null;
    if (everywhere) session.forget();
    else session.leave();
    store.dispatch({ type: 'signedOut' });
    app.go('/', { replace: true, filter: 'all' });
  },
};

/** @typedef {typeof app} App */

/** A new message: said to who listens to the page, and told by the system to who looks elsewhere and wants that. @param {any} message */
function announce(message) {
  document.dispatchEvent(new CustomEvent('lexchat:message', { detail: message }));
  if (document.hasFocus() || localStorage.getItem('lexchat.notify') !== 'yes' || !('Notification' in window) || Notification.permission !== 'granted') return;
  const state = store.state();
  const conversation = state.conversations[message.conversationId];
  const name = message.senderName ?? (conversation && state.me ? peerOf(conversation, state.me.id).name : t('app.name'));
  const notification = new Notification(t('me.notifyTitle', { name }), { tag: `lexchat-${message.conversationId}`, icon: '/favicon.svg' });
  notification.onclick = () => {
    window.focus();
    app.go({ name: 'conversation', id: message.conversationId, messageId: null });
  };
}

function Page() {
  const state = useStore(store);
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    app.redraw = () => redraw(null);
    const followed = () => app.follow();
    addEventListener('popstate', followed);
    return () => removeEventListener('popstate', followed);
  }, []);
  const route = app.route();
  if (!app.client || !state.me || (state.needsSignIn && !state.listLoaded)) return html`<${Gate} app=${app} state=${state} route=${route} />`;
  return html`<${Shell} app=${app} state=${state} route=${route} />`;
}

/** A click on one of our own addresses stays in the page. @param {MouseEvent} event */
function stayInside(event) {
  const link = /** @type {HTMLElement} */ (event.target).closest?.('a[href^="/"]');
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.hasAttribute('download') || link.getAttribute('target')) return;
  const route = parse(/** @type {string} */ (link.getAttribute('href')));
  if (route.name === 'lost') return;
  event.preventDefault();
  app.go(/** @type {string} */ (link.getAttribute('href')));
}

/** Whether demo accounts are active, as the server says on every answer. */
async function askDemo() {
  const answer = await fetch('/healthz', { cache: 'no-store' }).catch(() => null);
  store.dispatch({ type: 'demoSeen', demo: answer?.headers.has('X-Demo-Accounts') ?? false });
}

async function boot() {
  if (history.state?.dialog) history.replaceState({}, '');
  api.onEnded(() => store.dispatch({ type: 'signInNeeded' }));
  session.watch((is) => {
    if (is === 'gone') app.leave({ everywhere: false });
    else if (store.state().needsSignIn) app.client?.resume();
  });
  askDemo();
  const who = session.find();
  await setLocale(who?.user.locale ?? localStorage.getItem('lexchat.locale') ?? navigator.language);
  document.documentElement.lang = locale();
  document.addEventListener('click', stayInside);
  app.retitle = watchBadge(store, app.route);
  const { name } = parse(location.pathname);
  const wantsGate = name === 'invitation' || name === 'setup' || name === 'signIn' || name === 'signUp';
  if (who && !wantsGate) {
    app.client = await start(store, { onMessage: announce });
    app.follow();
  }
  const page = /** @type {HTMLElement} */ (document.getElementById('page'));
  page.replaceChildren();
  render(html`<${Page} />`, page);
}

boot();
