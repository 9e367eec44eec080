/**
 * The line of a direct call: the devices of this side, the way to the other side's seat, and what comes from there.
 *
 * One other seat at a time: one that offers anew, or that took the call over, takes the place of the former.
 */
import { countsOf, hasRelay, isWeak } from '../core/calls.js';
import { t } from '../core/i18n.js';
import { Peer } from './peer.js';

const JUDGED_EVERY_MS = 2_000;
/** Looks at something unsettled after which an offer is made again. */
const INSISTED_EVERY = 4;

/** @typedef {'audio'|'video'|'screen'} Source */

export class Line {
  /**
   * @param {import('./calls.js').Calls} calls
   * @param {(given: any) => RTCPeerConnection} [makeConnection] for tests
   */
  constructor(calls, makeConnection) {
    this.calls = calls;
    this.makeConnection = makeConnection;
    /** @type {Record<Source, MediaStreamTrack|null>} */
    this.tracks = { audio: null, video: null, screen: null };
    /** @type {Peer|null} */
    this.peer = null;
    this.seat = '';
    /** @type {{iceServers: any[], relayOnly?: boolean}|null} */
    this.direct = null;
    /** @type {MediaStream|null} what comes from the other side */
    this.theirs = null;
    /** What is opened while this changes is opened for nobody. */
    this.epoch = 0;
    this.waited = 0;
  }

  /**
   * Opens microphone and camera.
   * @param {boolean} camera
   * @param {() => boolean} isWanted asked again when they are there
   * @returns {Promise<boolean>} whether they are kept; rejects with a `DeviceFault`
   */
  async open(camera, isWanted) {
    const { calls } = this;
    const { devices } = calls;
    const opened = camera ? await devices.both() : { audio: await devices.microphone(), video: null, fault: null };
    if (!isWanted()) {
      for (const track of [opened.audio, opened.video]) track?.stop();
      return false;
    }
    this.tracks = { audio: opened.audio, video: opened.video, screen: null };
    opened.audio.enabled = calls.view.own.microphone;
    this.watch('audio', opened.audio);
    if (opened.video) this.watch('video', opened.video);
    if (opened.fault) calls.client.notice(opened.fault, 'alert');
    calls.dispatch({ type: 'own', own: { camera: Boolean(opened.video) } });
    return true;
  }

  /**
   * This window sits in the call, for the first time or again.
   * @param {any} direct of the answer to `call:join`
   * @param {string} mine the own seat
   */
  joined(direct, mine) {
    this.direct = direct;
    const seats = direct.seats.map((one) => one.seat ?? one).filter((one) => one !== mine);
    for (const seat of seats) this.say(seat, { state: this.calls.view.own });
    if (this.peer && seats.includes(this.seat)) this.mend();
    else if (seats.length) this.meet(seats[seats.length - 1]);
  }

  /** The same talk by another way, unless it goes on well. One side does it: the one who called. */
  mend() {
    if (this.calls.isCaller() && !this.peer?.isConnected) this.peer?.restart();
  }

  /** @param {string} seat the one other seat of the call */
  meet(seat) {
    const { calls } = this;
    this.peer?.close();
    this.theirs = new MediaStream();
    this.seat = seat;
    const { iceServers, relayOnly } = /** @type {NonNullable<typeof this.direct>} */ (this.direct);
    calls.dispatch({ type: 'linked', link: 'connecting', at: Date.now() });
    this.peer = new Peer({
      isPolite: !calls.isCaller(),
      iceServers,
      isRelayOnly: Boolean(relayOnly) || (hasRelay(iceServers) && Boolean(calls.devices.isRelayOnly?.())),
      tracks: () => ({ audio: this.tracks.audio, video: this.picture() }),
      send: (data) => this.say(seat, data),
      onTrack: (track) => this.showTrack(track),
      onAnew: () => {
        this.theirs = new MediaStream();
        calls.dispatch({ type: 'linked', link: 'lost', at: Date.now() });
        calls.listener.onChange();
      },
      onLink: (link) => this.linked(link),
      make: this.makeConnection,
    });
    clearInterval(this.judging);
    this.judging = setInterval(() => this.judge(), JUDGED_EVERY_MS);
  }

  /** @param {MediaStreamTrack} track */
  showTrack(track) {
    const stream = /** @type {MediaStream} */ (this.theirs);
    for (const old of stream.getTracks()) if (old.kind === track.kind && old !== track) stream.removeTrack(old);
    stream.addTrack(track);
    this.calls.listener.onChange();
  }

  /** @param {'connecting'|'connected'|'lost'} link */
  linked(link) {
    this.calls.dispatch({ type: 'linked', link, at: Date.now() });
    this.counts = undefined;
    if (link === 'connected') this.say(this.seat, { state: this.calls.view.own });
  }

  /** @param {{callId: number, fromSeat: string, data: any}} signal */
  signalled({ callId, fromSeat, data }) {
    if (callId !== this.calls.view.call?.id || !this.direct || !data) return;
    if (data.state) this.stated(fromSeat, data.state);
    else if (this.peer && this.seat === fromSeat) this.peer.heard(data);
    else if (data.description?.type === 'offer') {
      this.meet(fromSeat);
      this.peer?.heard(data);
    }
  }

  /**
   * What the other side sends; who says so is there.
   * @param {string} seat
   * @param {any} state
   */
  stated(seat, { microphone, camera, screen }) {
    const theirs = { microphone: microphone !== false, camera: Boolean(camera), screen: Boolean(screen) };
    this.calls.dispatch({ type: 'theirs', theirs });
    if (this.seat !== seat || !this.peer || this.peer.isConnected) return;
    this.peer.repeat();
    if (this.calls.view.link === 'again') this.mend();
  }

  /** How well it goes, from what the browser counts; and whether something is still to be said. */
  async judge() {
    const { peer } = this;
    if (!peer?.isSettled) {
      this.waited += 1;
      if (this.waited % INSISTED_EVERY === 0) peer?.insist();
      else peer?.repeat();
      return;
    }
    this.waited = 0;
    const counts = countsOf(await peer.reports().catch(() => []));
    if (peer !== this.peer) return;
    if (this.counts) this.calls.dispatch({ type: 'judged', isWeak: isWeak(this.counts, counts) });
    this.counts = counts;
  }

  toggleMicrophone() {
    const microphone = !this.calls.view.own.microphone;
    if (this.tracks.audio) this.tracks.audio.enabled = microphone;
    this.tellOwn({ microphone });
  }

  /** A camera that is off is let go, so that its light goes out. */
  toggleCamera() {
    return this.change('video', () => (this.tracks.video ? null : this.calls.devices.camera()));
  }

  toggleScreen() {
    return this.change('screen', () => (this.tracks.screen ? null : this.calls.devices.screen()));
  }

  /**
   * Another microphone, camera or loudspeaker.
   * @param {import('./devices.js').DeviceKind} kind
   * @param {string} deviceId
   */
  async choose(kind, deviceId) {
    const { devices, listener } = this.calls;
    devices.choose(kind, deviceId);
    if (kind === 'audioinput' && this.tracks.audio) await this.change('audio', () => devices.microphone());
    if (kind === 'videoinput' && this.tracks.video) await this.change('video', () => devices.camera());
    listener.onChange();
  }

  /**
   * @param {Source} source
   * @param {() => Promise<MediaStreamTrack|null>|null} open
   */
  async change(source, open) {
    const { epoch } = this;
    try {
      const track = await open();
      if (epoch === this.epoch) await this.send(source, track);
      else track?.stop();
    } catch (error) {
      this.calls.client.notice(/** @type {Error} */ (error).message, 'alert');
    }
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack|null} track
   */
  async send(source, track) {
    this.tracks[source]?.stop();
    this.tracks = { ...this.tracks, [source]: track };
    if (track) this.watch(source, track);
    if (track && source === 'audio') track.enabled = this.calls.view.own.microphone;
    if (source === 'audio') await this.peer?.replace('audio', track);
    else await this.peer?.replace('video', this.picture());
    this.tellOwn({ camera: Boolean(this.tracks.video), screen: Boolean(this.tracks.screen) });
  }

  /** What is seen of this side: the screen before the camera. */
  picture() {
    return this.tracks.screen ?? this.tracks.video;
  }

  /**
   * A device that was pulled out, or a screen that the browser's own button took back.
   * @param {Source} source
   * @param {MediaStreamTrack} track
   */
  watch(source, track) {
    track.onended = () => {
      if (this.tracks[source] !== track) return;
      if (source === 'audio') this.calls.client.notice(t('call.microphoneMissing'), 'alert');
      this.send(source, null);
    };
  }

  /** @param {Partial<import('../core/calls.js').Media>} own */
  tellOwn(own) {
    const { calls } = this;
    calls.dispatch({ type: 'own', own });
    if (calls.view.call && calls.view.seat === 'in') calls.remember(calls.view.call.id);
    if (this.peer) this.say(this.seat, { state: calls.view.own });
    calls.listener.onChange();
  }

  /**
   * @param {string} toSeat
   * @param {any} data
   * @returns {Promise<boolean>} whether it was delivered
   */
  async say(toSeat, data) {
    const callId = this.calls.view.call?.id;
    const reply = callId ? await this.calls.ask('call:signal', { callId, toSeat, data }) : null;
    return Boolean(reply?.delivered);
  }

  /** Lets go of devices and connection. */
  close() {
    this.epoch += 1;
    clearInterval(this.judging);
    this.peer?.close();
    this.peer = this.direct = this.theirs = null;
    this.seat = '';
    this.counts = undefined;
    for (const track of Object.values(this.tracks)) track?.stop();
    this.tracks = { audio: null, video: null, screen: null };
  }
}
