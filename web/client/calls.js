/**
 * One window's part in calls: asks the server, sits in a call, sends and shows what is said there.
 *
 * Guarantees: devices are opened only when a person starts, answers or goes on with a call, and are let go with it; a
 * page that is loaded anew, or whose socket comes back, sits where it sat; a hanging up that could not be told is told
 * when the connection is back. Has never heard of elements.
 */
import { after, frameOf, isBoundToNetwork, isLive, isSeated, none } from '../core/calls.js';
import { unique } from '../core/ids.js';
import { locale, t } from '../core/i18n.js';
import * as api from './api.js';
import { Line } from './call_line.js';
import * as browser from './devices.js';
import { own as window_ } from './kept.js';

/** Which seat this window has, and in which call. */
const KEPT = 'lexchat.call';

/**
 * @typedef {import('../core/calls.js').View} View
 * @typedef {import('../core/calls.js').Call} Call
 * @typedef {{devices?: typeof browser, keep?: typeof window_, makeConnection?: (given: any) => RTCPeerConnection,
 *   fetchCall?: (id: number) => Promise<Call>, hostname?: string}} Parts for tests: what else the browser gives
 */

export class Calls {
  /**
   * @param {import('./client.js').Client} client
   * @param {{onChange: () => void, onOver: (call: Call) => void}} listener
   * @param {Parts} [parts]
   */
  constructor(client, listener, parts = {}) {
    this.client = client;
    this.listener = listener;
    this.devices = parts.devices ?? browser;
    this.keep = parts.keep ?? window_;
    this.fetchCall = parts.fetchCall ?? ((id) => api.get(`/calls/${id}`));
    this.hostname = parts.hostname ?? location.hostname;
    this.view = none();
    /** Counts what a person decides: an answer that belongs to an earlier decision is not acted on. */
    this.turn = 0;
    this.line = new Line(this, parts.makeConnection);
    /** A call that was left without a connection. @type {number|null} */
    this.owed = null;
    this.back = () => this.returned();
    client.socket.socket.on('connect', this.back);
    if (client.socket.isUp()) this.returned();
  }

  /** @param {{type: string} & Record<string, any>} event */
  dispatch(event) {
    const before = this.view;
    this.view = after(before, event);
    if (this.view === before) return;
    this.listener.onChange();
    if (this.view.over && this.view.over !== before.over) this.listener.onOver(this.view.over);
  }

  /**
   * An event of the server.
   * @param {string} name
   * @param {any} data
   */
  heard(name, data) {
    if (name === 'call:signal') this.line.signalled(data);
    else if (name === 'call:taken') this.taken(data);
    else if (data?.call) this.told(data.call);
  }

  /** @param {Call} call */
  told(call) {
    const { over } = this.view;
    this.dispatch({ type: 'heard', call });
    if (this.view.over && this.view.over !== over) {
      this.turn += 1;
      this.line.close();
    }
    if (!isLive(call) && this.kept().callId === call.id) this.remember(null);
  }

  /** Another window or device of this person has the call now. @param {{callId: number}} data */
  taken({ callId }) {
    if (this.view.call?.id !== callId || !isSeated(this.view)) return;
    this.turn += 1;
    this.line.close();
    this.remember(null);
    this.dispatch({ type: 'elsewhere' });
  }

  /** The socket is there, for the first time or again. */
  returned() {
    const { owed } = this;
    this.owed = null;
    if (owed) this.ask('call:leave', { callId: owed });
    const { seat } = this.view;
    if (seat === 'in' || seat === 'joining') this.join();
    else if (seat === 'none' && this.kept().callId) this.resume();
    else if (this.view.call) this.look(this.view.call.id);
  }

  /** Whether a call that rang, or was elsewhere, when the connection went is still there. @param {number} id */
  async look(id) {
    const call = await this.fetchCall(id).catch(() => null);
    if (call) this.told(call);
  }

  /** After a reload the window takes its seat again. */
  async resume() {
    const { callId, own } = this.kept();
    const call = await this.fetchCall(callId).catch(() => null);
    if (!call) return;
    this.told(call);
    if (!isLive(call)) this.remember(null);
    else if (this.view.call?.id === callId && !isSeated(this.view)) await this.answer({ own });
  }

  /** @param {{conversationId: number, media: 'audio'|'video'}} wanted */
  async start({ conversationId, media }) {
    const { call } = this.view;
    if (isSeated(this.view)) return;
    const fault = this.devices.obstacle();
    if (fault) {
      this.client.notice(fault, 'alert');
      return;
    }
    if (call?.conversationId === conversationId) {
      await this.answer({ own: { camera: media === 'video' }, takeOver: call.state === 'ongoing' });
      return;
    }
    const turn = (this.turn += 1);
    this.dispatch({ type: 'wanted', conversationId, media });
    if (this.provider() === 'direct' && !(await this.open(turn, media === 'video'))) return;
    const reply = await this.ask('call:start', { conversationId, media });
    if (turn !== this.turn) {
      // Hung up before the server had answered.
      if (reply?.success && isLive(reply.call)) this.leave(reply.call.id);
      return;
    }
    if (!reply?.success) this.fail(reply?.error ?? t('error.offline'));
    else {
      this.told(reply.call);
      if (isLive(reply.call)) await this.join();
    }
  }

  /**
   * Takes a seat in the call that rings, or that another window of this person has.
   * @param {{own?: Partial<import('../core/calls.js').Media>, takeOver?: boolean}} [options]
   */
  async answer({ own = {}, takeOver = false } = {}) {
    const { call } = this.view;
    if (!call || isSeated(this.view)) return;
    const turn = (this.turn += 1);
    const camera = own.camera ?? call.media === 'video';
    this.dispatch({ type: 'accepted', own: { microphone: own.microphone ?? true, camera, screen: false } });
    if (call.provider === 'direct' && !(await this.open(turn, camera))) return;
    await this.join(takeOver);
  }

  decline() {
    const { call } = this.view;
    this.turn += 1;
    this.dispatch({ type: 'left' });
    if (call) this.ask('call:decline', { callId: call.id });
  }

  hangUp() {
    const { call } = this.view;
    this.turn += 1;
    this.line.close();
    this.remember(null);
    this.dispatch({ type: 'left' });
    if (call) this.leave(call.id);
  }

  /** @param {number} callId */
  async leave(callId) {
    const reply = await this.ask('call:leave', { callId });
    if (!reply) this.owed = callId;
  }

  /**
   * @param {number} turn
   * @param {boolean} camera
   * @returns {Promise<boolean>} whether there is a microphone at least, and the call is still wanted
   */
  async open(turn, camera) {
    try {
      return await this.line.open(camera, () => turn === this.turn && isSeated(this.view));
    } catch (error) {
      if (turn === this.turn) this.fail(/** @type {Error} */ (error).message);
      return false;
    }
  }

  /** @param {string} fault in words */
  fail(fault) {
    this.turn += 1;
    this.line.close();
    this.remember(null);
    const wasStarting = !this.view.call;
    this.dispatch({ type: 'failed', fault });
    // Where it rings, the question itself says so.
    if (wasStarting || this.view.call?.startedBy === this.client.me.id) this.client.notice(fault, 'alert');
  }

  /** @param {boolean} [takeOver] from another window of this person */
  async join(takeOver = false) {
    const { call, seat } = this.view;
    if (!call) return;
    const { turn } = this;
    if (seat !== 'in') this.dispatch({ type: 'joining' });
    const reply = await this.ask('call:join', { callId: call.id, seat: this.kept().seat, takeOver });
    // Without an answer the socket is gone: it is asked again when it is back.
    if (turn !== this.turn || !reply) return;
    if (reply.success) this.joined(reply);
    else if (reply.code === 'CONFLICT') await this.conflicted(call.id);
    else this.fail(reply.error ?? t('error.unknown'));
  }

  /** It is over, or another window of this person sits in it. @param {number} id */
  async conflicted(id) {
    this.turn += 1;
    this.line.close();
    this.remember(null);
    this.dispatch({ type: 'elsewhere' });
    await this.look(id);
  }

  /** @param {any} reply to `call:join` */
  joined({ call, direct, jitsi }) {
    this.told(call);
    if (!isLive(call) || this.view.call?.id !== call.id) return;
    this.remember(call.id);
    const isLocal = Boolean(direct) && isBoundToNetwork(direct.iceServers, this.hostname);
    // A frame that is there stays: another address would load it anew, and the talk with it.
    const frame = jitsi && (this.view.frame ?? frameOf(jitsi, { hasCamera: this.view.own.camera, locale: locale() }));
    this.dispatch({ type: 'joined', frame: frame ?? null, isLocal, at: Date.now() });
    if (direct) this.line.joined(direct, this.kept().seat);
  }

  isCaller() {
    return this.view.call?.startedBy === this.client.me.id;
  }

  /**
   * @param {string} name
   * @param {object} data
   * @returns {Promise<any|null>} the acknowledgement; `null` if none came
   */
  ask(name, data) {
    return this.client.socket.ask(name, data).catch(() => null);
  }

  /** Through whom calls go, as the server has said. @returns {'direct'|'jitsi'} */
  provider() {
    return this.client.state().me?.calls?.provider ?? 'direct';
  }

  /** @returns {{seat: string, callId: number, own?: any}} `callId` 0: in none */
  kept() {
    const kept = this.keep.getJson(KEPT);
    if (kept) return kept;
    const fresh = { seat: unique(), callId: 0 };
    this.keep.setJson(KEPT, fresh);
    return fresh;
  }

  /** @param {number|null} callId the call that a reload goes on with */
  remember(callId) {
    const { microphone, camera } = this.view.own;
    this.keep.setJson(KEPT, { seat: this.kept().seat, callId: callId ?? 0, own: { microphone, camera } });
  }

  close() {
    this.turn += 1;
    this.client.socket.socket.off('connect', this.back);
    this.line.close();
    this.dispatch({ type: 'left' });
  }
}
