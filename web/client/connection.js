/**
 * The socket: the official client, one connection per window. Events go to one listener; requests are acknowledged or fail.
 *
 * The client's own send buffer is never used: what cannot go out now is refused at once, and who asked decides what to do.
 * A token that ended is renewed before the next attempt; a session that ended is reported once and the socket rests.
 */
import { io } from '/vendor/socket.io.esm.min.js';
import * as session from './session.js';
import { locale } from '../core/i18n.js';

const ACK_TIMEOUT_MS = 10_000;

const EVENTS = [
  'message:new', 'message:edited', 'message:deleted', 'message:reaction', 'message:read:ack', 'user:typing', 'user:online', 'user:offline',
  'conversation:new', 'conversation:updated', 'notification',
];

/**
 * @param {{onUp: () => void, onDown: (unanswered?: boolean) => void, onEvent: (name: string, data: any) => void, onEnded: () => void}} listener
 */
export function connect({ onUp, onDown, onEvent, onEnded }) {
  const forced = new URLSearchParams(location.search).get('transport');
  const socket = io('/chat', {
    autoConnect: false,
    forceNew: true,
    reconnectionDelay: 400,
    reconnectionDelayMax: 4_000,
    timeout: 8_000,
    transports: forced === 'polling' || forced === 'websocket' ? [forced] : undefined,
    auth: (give) => give({ token: session.find()?.accessToken }),
    // Read at each connection: refusals come in the language of the page, which need not be the browser's.
    get extraHeaders() { return { 'Accept-Language': locale() }; },
  });
  let closed = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let again;

  const retryIn = (ms) => {
    clearTimeout(again);
    again = setTimeout(() => !closed && socket.connect(), ms);
  };
  const renew = async () => {
    const outcome = await session.renew(session.find()?.accessToken ?? '');
    if (closed) return;
    if (outcome === 'ended') onEnded();
    else retryIn(outcome === 'fresh' ? 0 : 2_000);
  };

  socket.on('connect', onUp);
  socket.on('disconnect', (reason) => {
    onDown();
    if (reason === 'io server disconnect' && !closed) retryIn(500);
  });
  socket.on('connect_error', (error) => {
    onDown(!error?.data);
    if (error?.data?.code === 'UNAUTHENTICATED') renew();
    else if (!socket.active) retryIn(2_000);
  });
  socket.on('auth:expiring', async () => {
    if ((await session.renew(session.find()?.accessToken ?? '')) === 'fresh') socket.emit('auth:refresh', { token: session.find()?.accessToken });
  });
  for (const name of EVENTS) socket.on(name, (data) => onEvent(name, data));
  socket.connect();

  return {
    isUp: () => socket.connected,
    /**
     * Sends one request and waits for its acknowledgement.
     * @param {string} name @param {object} data @returns {Promise<any>} the acknowledgement; rejects when none came
     */
    ask(name, data) {
      if (!socket.connected) return Promise.reject(new Error('not connected'));
      return socket.timeout(ACK_TIMEOUT_MS).emitWithAck(name, data);
    },
    /** @param {string} name @param {object} data nothing waits for an answer */
    tell(name, data) {
      if (socket.connected) socket.emit(name, data, () => {});
    },
    /** Tries again now instead of at the end of the pause. */
    hurry() {
      if (!socket.connected && !closed) {
        socket.disconnect();
        socket.connect();
      }
    },
    close() {
      closed = true;
      clearTimeout(again);
      socket.disconnect();
    },
  };
}
