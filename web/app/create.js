/** What the views are given: the store, the signed-in person's client, and how to go somewhere. */
import { html, render } from '/vendor/preact-htm.js';
import { heard } from '../core/clock.js';
import { createStore } from '../core/store.js';
import { locale, setLocale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { own, shared } from '../client/kept.js';
import * as session from '../client/session.js';
import { start } from '../client/client.js';
import { Navigation } from './navigation.js';
import { notify } from './notify.js';
import { Page } from './page.js';

/** Places that only somebody who is signed in can see. */
const INSIDE = ['home', 'conversation', 'search', 'me', 'admin', 'bills', 'share', 'test'];
/** Places that are there to sign in, whoever is signed in already. */
const GATES = ['invitation', 'setup', 'signIn', 'signUp', 'forgotten', 'password', 'confirmation'];

/** @returns {App} not begun yet */
export function createApp() {
  return new App();
}

export class App extends Navigation {
  constructor() {
    super();
    this.store = createStore();
    /** @type {import('../client/client.js').Client|null} */
    this.client = null;
    /** Makes title and icon of the window agree with what is shown, once its code is there. */
    this.retitle = () => {};
  }

  /** What is fetched when there is time. */
  later = () => Promise.all([import('./copy.js'), import('./attend.js').then(({ attend }) => attend(this))]);

  /** Shows the page, with the person who was signed in on this browser. */
  async boot() {
    if (history.state?.dialog) history.replaceState({}, '');
    api.onEnded(() => this.store.dispatch({ type: 'signInNeeded' }));
    session.watch((is) => {
      if (is === 'gone') this.leave({ everywhere: false });
      else if (this.store.state().needsSignIn) this.client?.resume();
    });
    this.askDemo();
    const who = session.find();
    await this.speak(who?.user.locale);
    document.addEventListener('click', (event) => this.stayInside(event));
    if (who && !GATES.includes(this.route().name)) await this.begin();
    const page = /** @type {HTMLElement} */ (document.getElementById('page'));
    page.replaceChildren();
    render(html`<${Page} app=${this} />`, page);
  }

  /** Whether demo accounts are active, and whether a forgotten password is mailed: before anybody is signed in. */
  async askDemo() {
    const answer = await fetch('/healthz', { cache: 'no-store' }).catch(() => null);
    heard(answer?.headers.get('Date'));
    const has = (/** @type {string} */ name) => answer?.headers.has(name) ?? false;
    this.store.dispatch({ type: 'demoSeen', demo: has('X-Demo-Accounts'), resets: has('X-Password-Reset') });
  }

  /** @param {string|undefined|null} wanted the person's language, before that of this browser */
  async speak(wanted) {
    await setLocale(wanted ?? shared.get('lexchat.locale') ?? navigator.language);
    document.documentElement.lang = locale();
  }

  async begin() {
    this.client = await start(this.store, { onMessage: (message) => notify(this, message), onNews: this.news });
    if (own.getJson('lexchat.call')?.callId) this.call();
    const keeps = this.client.storage.durable && shared.isDurable();
    if (!keeps) this.client.notice(t('storage.none'), 'alert');
    this.follow();
  }

  /** What is told beside messages, to whoever follows it. @param {string} name @param {any} detail */
  news = (name, detail) => {
    if (/^call/.test(name)) this.call(name, detail);
    else document.dispatchEvent(new CustomEvent(`lexchat:${name}`, { detail }));
  };

  /** Calls come with the first of them. @param {string} [name] what happens @param {any} [data] */
  call = (name, data) => import('./calls.js').then(({ told }) => told(this, name, data), () => {});

  /** After any way of signing in. @param {import('../client/session.js').Session} fresh */
  async enter(fresh) {
    session.keep(fresh);
    await this.speak(fresh.user.locale);
    if (this.client && this.client.me.id === fresh.user.id) {
      this.client.resume();
      return;
    }
    this.client?.close();
    if (this.client) this.store.dispatch({ type: 'signedOut' });
    if (!INSIDE.includes(this.route().name)) history.replaceState({}, '', '/');
    await this.begin();
  }

  /**
   * @param {{everywhere?: boolean}} [options] without `everywhere` only this window stops being that
   *   person: another one has ended the session
   */
  async leave({ everywhere = true } = {}) {
    if (everywhere) {
      if (shared.getJson('lexchat.push') === this.client?.me.id) {
        import('../client/push.js').then(({ turnOff }) => turnOff()).catch(() => {});
      }
      await api.call('POST', '/auth/sign-out').catch(() => {});
    }
    this.client?.close();
    this.client = null;
    if (everywhere) session.forget();
    else session.leave();
    this.store.dispatch({ type: 'signedOut' });
    this.go('/', { replace: true, filter: 'all' });
  }

  /** Makes what is shown agree with the address. */
  follow() {
    const route = this.route();
    if (route.name === 'conversation') this.client?.timelines.show(route.id, route.messageId);
    else this.client?.timelines.show(null);
    if (this.client && /[?&]avis=/.test(location.search)) {
      import('./notification.js').then(({ find }) => find(this)).catch(() => {});
    }
    this.retitle();
    this.redraw();
  }

  /** @param {string} text the text of a message, if it has one; or an address */
  copy(text) {
    import('./copy.js').then(({ copy }) => copy(this, text), () => this.client?.notice(t('error.offline'), 'alert'));
  }
}
