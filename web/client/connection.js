/**
 * The socket: the official client, one connection per window. Events go to one listener; requests
 * are acknowledged or fail.
 *
 * The client's own send buffer is never used: what cannot go out now is refused at once, and who
 * asked decides what to do.
 * A token that ended is renewed before the next attempt; a session that ended is reported once and
 * the socket rests.
 */
import { io } from '/vendor/socket.io.esm.min.js';
import * as session from './session.js';
import { locale } from '../core/i18n.js';

const ACK_TIMEOUT_MS = 10_000;

/**
 * @typedef {{onUp: () => void, onDown: (unanswered?: boolean) => void,
 *   onEvent: (name: string, data: any) => void, onEnded: () => void}} Listener
 */

/** @param {Listener} listener @returns {Connection} that is being made */
export function connect(listener) {
  const connection = new Connection(listener);
  connection.socket.connect();
  return connection;
}

class Connection {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    this.socket = made();
    this.closed = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.again = undefined;
    const { socket } = this;
    socket.on('connect', listener.onUp);
    socket.on('disconnect', (reason) => {
      listener.onDown();
      if (reason === 'io server disconnect' && !this.closed) this.retryIn(500);
    });
    socket.on('connect_error', (error) => {
      listener.onDown(!error?.data);
      if (error?.data?.code === 'UNAUTHENTICATED') this.renew();
      else if (!socket.active) this.retryIn(2_000);
    });
    socket.on('auth:expiring', () => this.prolong());
    socket.onAny(listener.onEvent);
  }

  isUp() {
    return this.socket.connected;
  }

  /**
   * Sends one request and waits for its acknowledgement.
   * @param {string} name
   * @param {object} data
   * @returns {Promise<any>} the acknowledgement; rejects when none came
   */
  ask(name, data) {
    if (!this.socket.connected) return Promise.reject(new Error('not connected'));
    return this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(name, data);
  }

  /**
   * Nothing waits for an answer.
   * @param {string} name
   * @param {object} data
   */
  tell(name, data) {
    if (this.socket.connected) this.socket.emit(name, data, () => {});
  }

  /** @param {string} name of an event @param {(data: any) => void} heard @returns {() => void} ends the listening */
  on(name, heard) {
    this.socket.on(name, heard);
    return () => this.socket.off(name, heard);
  }

  /** Tries again now instead of at the end of the pause. */
  hurry() {
    if (this.socket.connected || this.closed) return;
    this.socket.disconnect();
    this.socket.connect();
  }

  close() {
    this.closed = true;
    clearTimeout(this.again);
    this.socket.disconnect();
  }

  /** @param {number} ms */
  retryIn(ms) {
    clearTimeout(this.again);
    this.again = setTimeout(() => !this.closed && this.socket.connect(), ms);
  }

  /** The token was refused. */
  async renew() {
    const outcome = await session.renew(session.find()?.accessToken ?? '');
    if (this.closed) return;
    if (outcome === 'ended') this.listener.onEnded();
    else this.retryIn(outcome === 'fresh' ? 0 : 2_000);
  }

  /** How messages travel now: `websocket`, `polling`, or not at all. @returns {string|undefined} */
  get transport() {
    return this.socket.io.engine?.transport?.name;
  }

  /** The token ends soon. */
  async prolong() {
    const outcome = await session.renew(session.find()?.accessToken ?? '');
    if (outcome === 'fresh') this.socket.emit('auth:refresh', { token: session.find()?.accessToken });
  }
}

function made() {
  const forced = new URLSearchParams(location.search).get('transport');
  return io('/chat', {
    autoConnect: false,
    forceNew: true,
    reconnectionDelay: 400,
    reconnectionDelayMax: 4_000,
    timeout: 8_000,
    transports: forced === 'polling' || forced === 'websocket' ? [forced] : undefined,
    auth: (give) => give({ token: session.find()?.accessToken }),
    // Read at each connection: refusals come in the language of the page, which need not be the browser's.
    get extraHeaders() {
      return { 'Accept-Language': locale() };
    },
  });
}
