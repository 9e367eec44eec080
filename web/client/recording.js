/**
 * A window's part in recording a call: asks, answers, and where it was this window that asked, records as long as
 * everybody agrees, and not a moment longer.
 *
 * A window that is loaded anew cannot go on with the file that it was making: what has arrived is kept.
 */
import { isSeated } from '../core/calls.js';
import { peerOf } from '../core/conversations.js';
import { t } from '../core/i18n.js';
import { SCREEN_WEIGHT, changeOf, isOn } from '../core/recording.js';
import * as api from './api.js';
import { own as window_ } from './kept.js';
import { Recorder, recordedType } from './recorder.js';
import { canMix } from './recording_mix.js';

/** Which call this window records. */
const KEPT = 'lexchat.recording';
/** How often, and how far apart, the end is told where no answer comes. */
const FINISHES_MAX = 20;
const FINISHES_EVERY_MS = 3_000;

/**
 * @typedef {import('../core/calls.js').Call} Call
 * @typedef {{onRecording: (change: import('../core/recording.js').Change, call: Call) => void}} Listener
 * @typedef {{keep?: typeof window_, finish?: (callId: number) => Promise<any>,
 *   makeRecorder?: (given: import('./recorder.js').Given) => Recorder, canMix?: () => Promise<boolean>,
 *   everyMs?: number}} Parts for tests
 */

export class Recording {
  /**
   * @param {import('./calls.js').Calls} calls
   * @param {Listener} listener
   * @param {Parts} [parts]
   */
  constructor(calls, listener, parts = {}) {
    this.calls = calls;
    this.listener = listener;
    this.keep = parts.keep ?? window_;
    this.send = parts.finish ?? ((callId) => api.call('POST', `/calls/${callId}/recording/finish`));
    this.makeRecorder = parts.makeRecorder ?? ((given) => new Recorder(given));
    this.canMix = parts.canMix ?? canMix;
    this.everyMs = parts.everyMs ?? FINISHES_EVERY_MS;
    /** @type {Recorder|null} */
    this.recorder = null;
    /** The picture and sound of this window, where a frame holds the call. @type {MediaStream|null} */
    this.tab = null;
    /** The call as it was when it was looked at last. @type {Call|null} */
    this.known = null;
    /** Calls whose recording has ended here, and not at the server yet. @type {Set<number>} */
    this.ending = new Set();
    const kept = this.kept();
    if (kept?.hasBegun) this.finish(kept.callId, t('recording.cut'));
  }

  /** @returns {import('../core/recording.js').Offer|null} what the server says of recordings */
  offer() {
    return this.calls.client.state().me?.calls?.recordings ?? null;
  }

  /** @returns {string|null} why this browser cannot make the recording, in words */
  obstacle() {
    if (this.offer()?.by !== 'browser') return null;
    if (!recordedType()) return t('recording.unable');
    const isFramed = this.calls.provider() === 'jitsi';
    return isFramed && !this.calls.devices.canRecordTab() ? t('recording.unableTab') : null;
  }

  /** Asks the other members; this person's own consent is in it. */
  async ask() {
    const { calls } = this;
    const { call } = calls.view;
    if (!call) return;
    const byWindow = this.offer()?.by === 'browser';
    // A browser gives the picture of a window only where somebody has just pressed something.
    if (byWindow && call.provider === 'jitsi' && !(await this.openTab())) return;
    if (byWindow && !(await this.canMix())) {
      this.closeTab();
      calls.client.notice(t('recording.noVoice'), 'alert');
      return;
    }
    const reply = await calls.ask('call:recording', { callId: call.id, ask: true });
    if (!reply?.success) {
      this.closeTab();
      calls.client.notice(reply?.error ?? t('error.offline'), 'alert');
      return;
    }
    if (byWindow) this.keep.setJson(KEPT, { callId: call.id, hasBegun: false });
    calls.told(reply.call);
    this.follow();
  }

  /**
   * @param {boolean} consent
   * @param {boolean} [keep] what is recorded already, where a consent is taken back
   */
  async answer(consent, keep = false) {
    const { calls } = this;
    const { call } = calls.view;
    if (!call) return;
    const said = consent ? { consent, version: this.offer()?.version } : { consent, keep };
    const reply = await calls.ask('call:recording', { callId: call.id, ...said });
    if (reply?.success) calls.told(reply.call);
    else calls.client.notice(reply?.error ?? t('error.offline'), 'alert');
  }

  /** Ends what runs. @param {boolean} keep */
  async stop(keep) {
    if (keep && this.recorder) await this.end();
    else await this.answer(false, keep);
  }

  /** Does what the call asks for now; called after each change of it. */
  follow() {
    const { view } = this.calls;
    const call = view.call ?? (view.over?.id === this.known?.id ? view.over : null);
    const change = changeOf(this.known, call);
    this.known = call;
    if (this.recorder) this.steer(view);
    else if (view.seat === 'in' && isOn(call) && this.isMine(call)) this.begin(/** @type {Call} */ (call));
    if (change && call) this.listener.onRecording(change, call);
  }

  /** @param {import('../core/calls.js').View} view */
  steer(view) {
    const recorder = /** @type {Recorder} */ (this.recorder);
    if (!view.call || !isSeated(view)) {
      this.end();
      return;
    }
    const { state } = view.call.recording;
    if (state === 'on') recorder.resume();
    else if (state === 'asked') recorder.pause();
    else {
      // Somebody has taken their consent back: the server takes nothing more.
      this.recorder = null;
      recorder.drop();
      this.forget();
      return;
    }
    recorder.refresh();
  }

  /** @param {Call|null} call */
  isMine(call) {
    return call !== null && this.kept()?.callId === call.id && !this.ending.has(call.id);
  }

  /** @param {Call} call */
  begin(call) {
    const offer = this.offer();
    if (!offer) return;
    const isFramed = call.provider === 'jitsi';
    if (isFramed && !this.tab) {
      // The window was loaded anew before it began.
      this.answer(false);
      return;
    }
    try {
      this.recorder = this.makeRecorder({
        callId: call.id,
        offer,
        members: () => (isFramed ? this.inTab() : this.members()),
        picture: this.tab?.getVideoTracks()[0],
        onFault: (error) => this.failed(error),
        onNearlyFull: () => this.nearlyFull(),
      });
      this.keep.setJson(KEPT, { callId: call.id, hasBegun: true });
    } catch (error) {
      console.warn(error);
      this.calls.client.notice(t('recording.failed'), 'alert');
      this.answer(false);
    }
  }

  /** Who is heard and seen, from this side and from the other. @returns {import('./recording_mix.js').Member[]} */
  members() {
    const { client, line, view } = this.calls;
    const conversation = client.state().conversations[view.call?.conversationId ?? 0];
    const peer = conversation ? peerOf(conversation, client.me.id) : { name: '' };
    const weightOf = (isScreen) => (isScreen ? SCREEN_WEIGHT : 1);
    const [theirSound] = line.theirs?.getAudioTracks() ?? [];
    const [theirPicture] = line.theirs?.getVideoTracks() ?? [];
    const isSeen = view.theirs.camera || view.theirs.screen;
    return [
      { name: client.me.name, audio: line.tracks.audio, video: line.picture(), weight: weightOf(view.own.screen) },
      {
        name: peer.name,
        audio: theirSound ?? null,
        video: isSeen && theirPicture ? theirPicture : null,
        weight: weightOf(view.theirs.screen),
      },
    ];
  }

  /** The sound of this window and of its microphone. @returns {import('./recording_mix.js').Member[]} */
  inTab() {
    const sounds = this.tab?.getAudioTracks() ?? [];
    return sounds.map((audio) => ({ name: '', audio, video: null, weight: 1 }));
  }

  /** @returns {Promise<boolean>} whether this window's picture and sound, and a microphone, are there */
  async openTab() {
    const { devices, client } = this.calls;
    try {
      this.tab = await devices.tab();
    } catch (error) {
      client.notice(/** @type {Error} */ (error).message, 'alert');
    }
    // The browser's own button ends it as well.
    this.tab?.getVideoTracks()[0].addEventListener('ended', () => this.recorder && this.stop(true));
    return Boolean(this.tab);
  }

  closeTab() {
    for (const track of this.tab?.getTracks() ?? []) track.stop();
    this.tab = null;
  }

  /** Sends what is left, and says that it was all. */
  async end() {
    const { recorder } = this;
    const { callId } = this.kept() ?? {};
    this.recorder = null;
    if (!recorder || !callId) return;
    this.ending.add(callId);
    await recorder.stop();
    this.closeTab();
    await this.finish(callId);
  }

  /**
   * @param {number} callId
   * @param {string} [told] in words, once it has arrived
   */
  async finish(callId, told) {
    const { client } = this.calls;
    this.ending.add(callId);
    for (let attempt = 0; attempt < FINISHES_MAX; attempt += 1) {
      const error = await this.send(callId).then((call) => this.calls.told(call), (refused) => refused);
      if (!error && told) client.notice(told);
      // What the server has closed by itself needs no end.
      if (!error || !['OFFLINE', 'UNAVAILABLE', 'INTERNAL'].includes(error.code)) break;
      await new Promise((resolve) => setTimeout(resolve, this.everyMs));
    }
    this.ending.delete(callId);
    if (this.kept()?.callId === callId) this.forget();
  }

  /** No part is taken any more: what has arrived is kept. @param {Error} error */
  failed(error) {
    console.warn(error);
    const { recorder } = this;
    if (!recorder) return;
    const isFull = /** @type {any} */ (error).code === 'TOO_LARGE';
    this.calls.client.notice(isFull ? t('recording.full') : t('recording.failed'), 'alert');
    this.end();
  }

  nearlyFull() {
    if (this.isWarned) return;
    this.isWarned = true;
    this.calls.client.notice(t('recording.nearlyFull'), 'alert');
  }

  /** Whether this window has something that would be lost with it. */
  isBusy() {
    return Boolean(this.recorder) || this.ending.size > 0;
  }

  /** @returns {{callId: number, hasBegun: boolean}|null} */
  kept() {
    return this.keep.getJson(KEPT);
  }

  forget() {
    this.keep.set(KEPT, null);
    this.isWarned = false;
    this.closeTab();
  }

  /** This person is gone from this window. */
  close() {
    this.recorder?.drop();
    this.recorder = null;
    this.forget();
  }
}
