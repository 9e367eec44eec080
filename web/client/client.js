/**
 * One signed-in person's page at work: puts socket, storage and state together, and offers what the
 * views can ask for.
 *
 * Everything that changes what is shown goes through the store's events. Messages go through the
 * outbox; read marks are remembered while there is no connection. Has never heard of elements.
 */
import { t } from '../core/i18n.js';
import * as api from './api.js';
import * as session from './session.js';
import { Changes } from './changes.js';
import { connect } from './connection.js';
import { Drafts } from './drafts.js';
import { eventsOf } from './events.js';
import { election } from './outbox.js';
import { People } from './people.js';
import { ReadMarks } from './read_marks.js';
import { Sending } from './sending.js';
import { open as openStorage } from './storage.js';
import { Timelines } from './timelines.js';
import { Typing } from './typing.js';

/**
 * @typedef {{onMessage?: (message: {conversationId: number, messageId: number, senderId: number,
 *   senderName?: string, text: string}) => void, onNews?: (name: string, data: any) => void}} Listener
 */

/**
 * The client of the person whose session this window holds.
 * @param {import('../core/store.js').Store} store
 * @param {Listener} [listener]
 * @returns {Promise<Client>} when drafts and unsent messages are there
 */
export async function start(store, listener = {}) {
  const who = session.find();
  if (!who) throw new Error('nobody is signed in');
  store.dispatch({ type: 'signedIn', me: who.user });
  const client = new Client({ me: who.user, store, listener, storage: await openStorage(who.user.id) });
  await client.begin();
  return client;
}

export class Client {
  /**
   * @param {{me: any, store: import('../core/store.js').Store, listener: Listener,
   *   storage: import('./storage.js').Storage}} parts
   */
  constructor({ me, store, listener, storage }) {
    this.me = me;
    this.store = store;
    this.listener = listener;
    this.storage = storage;
    this.others = channel(`lexchat.${me.id}`);
    /** Its code is fetched with the first file; without a connection the file waits for that too. */
    this.upload = async (file, id, options) => {
      const offline = () => Promise.reject(new api.Refusal('OFFLINE', t('error.offline')));
      const { uploadKept } = await import('./uploads.js').catch(offline);
      return uploadKept(storage, file, id, { ...options, outbox: this.outbox });
    };
    const tellOthers = (told) => this.others?.postMessage(told);
    this.drafts = new Drafts({ storage, store, upload: this.upload, tellOthers });
    this.sending = new Sending(this);
    this.outbox = this.sending.outbox;
    this.people = new People(this);
    this.timelines = new Timelines(this);
    this.marks = new ReadMarks(this);
    this.typing = new Typing(this);
    this.changes = new Changes(this);
    api.onHistory((history) => this.seen(history));
    const events = eventsOf(this);
    // Until the connection is there it is missing, and the page says so as it does later.
    store.dispatch({ type: 'linkChanged', stage: 'down', at: Date.now() });
    this.socket = connect({
      onUp: () => this.up(),
      onDown: (unanswered) => this.down(unanswered),
      onEvent: (name, data) => (events[name] ? events[name](data) : this.called(name, data)),
      onEnded: () => store.dispatch({ type: 'signInNeeded' }),
    });
    /** Ends this window's turn, or its waiting for it, to send what is in the outbox. */
    this.turn = new AbortController();
    this.isReady = false;
    this.wasAway = false;
    /** Ends what goes on beside reading and writing; see `notices.js`. */
    this.endNotices = () => {};
  }

  state() {
    return this.store.state();
  }

  /** @param {{type: string} & Record<string, any>} event */
  dispatch(event) {
    this.store.dispatch(event);
  }

  async begin() {
    if (this.others) this.others.onmessage = ({ data }) => (data?.draft ? this.drafts.heard(data) : this.outbox.load());
    await Promise.all([this.drafts.load(), this.outbox.load()]);
    this.people.refreshMe();
    this.isReady = true;
    if (this.socket.isUp()) this.takeTurn();
  }

  up() {
    this.dispatch({ type: 'linkChanged', stage: 'up', at: Date.now() });
    this.people.load();
    this.marks.repeat();
    this.timelines.back();
    if (this.isReady) this.takeTurn();
    // A page that was never without the server is of its version.
    if (this.wasAway) import('./version.js').then(({ check }) => check(), () => {});
  }

  /** What is told beside messages. @param {string} name @param {any} data */
  called(name, data) {
    if (data) this.listener.onNews?.(name, data);
  }

  /** @param {boolean} [unanswered] nobody is there: what was known before has to do */
  down(unanswered) {
    this.dispatch({ type: 'linkChanged', stage: 'down', at: Date.now() });
    this.wasAway = true;
    if (unanswered) this.people.recall();
    this.timelines.away();
    this.turn.abort();
    this.outbox.rest();
  }

  /**
   * The server has named its history. If it is another one than was known, all that was known is forgotten, and what is
   * shown is loaded anew.
   * @param {string} history
   * @param {boolean} [contradicted] what is known is not of this history, whatever it was called
   * @returns {boolean} whether everything begins anew
   */
  seen(history, contradicted = false) {
    const before = this.state().history;
    this.dispatch({ type: 'historySeen', history, contradicted });
    const isAnother = before !== null && this.state().history !== before;
    if (!isAnother && !contradicted) return false;
    this.marks.forget();
    this.outbox.detach();
    this.drafts.writeAll();
    this.people.load();
    this.timelines.back();
    return true;
  }

  takeTurn() {
    this.turn.abort();
    this.turn = new AbortController();
    election(this.me.id, this.turn.signal, () => this.outbox.elect());
  }

  /** Tries to connect now instead of at the end of the pause. */
  hurry() {
    this.socket.hurry();
  }

  /** After signing in again: the same page goes on with the new token. */
  resume() {
    this.dispatch({ type: 'signedIn', me: session.find()?.user });
    this.hurry();
  }

  /**
   * @param {string} text
   * @param {'info'|'alert'} [tone]
   */
  notice(text, tone = 'info') {
    this.dispatch({ type: 'noticed', text, tone, at: Date.now() });
  }

  /**
   * Says why something stays where it is.
   * @param {string} why one of `refusals.js`
   * @param {any} [values]
   */
  refuse(why, values) {
    import('./refusals.js').then(({ textOf }) => textOf(why, values))
      .then((text) => this.notice(text, 'alert'), () => this.notice(t('error.offline'), 'alert'));
  }

  /**
   * A failure that the person should hear of: what the connection's state tells is not repeated.
   * @param {unknown} error
   */
  report = (error) => {
    const told = error instanceof api.Refusal && error.code !== 'OFFLINE' && error.code !== 'UNAUTHENTICATED';
    if (told) this.notice(error.message, 'alert');
  };

  /**
   * A request that needs the server's word at once; its failure is told.
   * @param {string} name
   * @param {object} data
   * @returns {Promise<any|null>} the acknowledgement, if it is one of success
   */
  async ask(name, data) {
    try {
      const reply = await this.socket.ask(name, data);
      if (reply.success) return reply;
      this.notice(reply.error ?? t('error.unknown'), 'alert');
    } catch {
      this.notice(t('error.offline'), 'alert');
    }
    return null;
  }

  /** Ends this page's work for the person. */
  close() {
    this.endNotices();
    this.turn.abort();
    this.outbox.close();
    this.socket.close();
    this.others?.close();
    this.typing.close();
    this.storage.close();
  }
}

/**
 * To the other windows of a person; a browser that keeps nothing may have no such thing.
 * @param {string} name
 * @returns {BroadcastChannel|null}
 */
function channel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}
