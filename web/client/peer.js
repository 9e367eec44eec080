/**
 * The way to the other browser of a call: one RTCPeerConnection, negotiated "perfectly".
 *
 * Both sides may begin at any time (a new track, another network); where two offers meet, the polite side takes its own
 * back. A description from another RTCPeerConnection than before (the other page was loaded anew) begins a new one here
 * too. What could not be delivered is said again as soon as somebody is heard there. Signals are worked in order.
 *
 * @typedef {{description?: any, candidate?: any}} Signal
 * @typedef {{isPolite: boolean, iceServers: any[], isRelayOnly: boolean,
 *   tracks: () => Record<string, MediaStreamTrack|null>,
 *   send: (data: Signal) => Promise<boolean>, onTrack: (track: MediaStreamTrack) => void, onAnew: () => void,
 *   onLink: (link: 'connecting'|'connected'|'lost') => void, make?: (configuration: any) => RTCPeerConnection}} Parts
 *   `tracks`: what is sent now, by kind; `send`: whether it was delivered; `onAnew`: what came before comes no more
 */

/** How long a broken connection may mend itself before the caller mends it. */
const MENDS_ITSELF_MS = 3_000;
/** How often a new connection may take the place of one that does not fit, before one of them works. */
const ATTEMPTS_MAX = 3;

export class Peer {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.work = Promise.resolve();
    /** Connections that were begun anew since one worked. */
    this.attempts = 0;
    this.isClosed = false;
    this.connection = this.begin();
  }

  /** @returns {RTCPeerConnection} a new one, with what is sent now */
  begin() {
    const { iceServers, isRelayOnly, make = (given) => new RTCPeerConnection(given), tracks, onTrack } = this.parts;
    const connection = make({ iceServers, iceTransportPolicy: isRelayOnly ? 'relay' : 'all' });
    this.isOffering = false;
    this.ignores = false;
    this.isUnheard = false;
    /** @type {Record<string, RTCRtpSender>} */
    this.senders = {};
    connection.onnegotiationneeded = () => this.offer(connection);
    connection.onicecandidate = ({ candidate }) => candidate && this.say({ candidate });
    connection.ontrack = ({ track }) => onTrack(track);
    connection.onconnectionstatechange = () => this.changed();
    for (const [kind, track] of Object.entries(tracks())) if (track) this.senders[kind] = connection.addTrack(track);
    return connection;
  }

  /** @param {Signal} data */
  async say(data) {
    const delivered = await this.parts.send(data);
    if (!delivered && data.description) this.isUnheard = true;
  }

  /** @param {RTCPeerConnection} connection */
  async offer(connection) {
    try {
      this.isOffering = true;
      await connection.setLocalDescription();
      if (connection === this.connection) await this.say({ description: connection.localDescription });
    } catch (error) {
      // Closed meanwhile, or the other side's offer came first: it will be asked for again.
      if (connection.signalingState !== 'closed') console.warn(error);
    } finally {
      if (connection === this.connection) this.isOffering = false;
    }
  }

  /** What the other side has said. @param {Signal} signal @returns {Promise<void>} when it is worked */
  heard(signal) {
    this.work = this.work.then(() => this.take(signal)).catch((error) => console.warn(error));
    return this.work;
  }

  /** @param {Signal} signal */
  async take({ description, candidate }) {
    if (this.isClosed) return;
    if (description) await this.described(description);
    else if (candidate) await this.reached(candidate);
    await this.repeat();
  }

  /** @param {RTCSessionDescriptionInit} description */
  async described(description) {
    const known = this.connection.remoteDescription;
    if (known && originOf(known) !== originOf(description)) {
      this.anew();
      // An answer was meant for the connection that is gone; the new one makes its own offer.
      if (description.type !== 'offer') return;
    }
    const { connection } = this;
    const collides = description.type === 'offer' && (this.isOffering || connection.signalingState !== 'stable');
    this.ignores = !this.parts.isPolite && collides;
    if (this.ignores) return;
    if (description.type === 'answer' && connection.signalingState !== 'have-local-offer') return;
    if (!(await this.applied(connection, description))) {
      // The other side waits for an answer to its offer: the new connection gives it.
      if (description.type === 'offer') await this.described(description);
      return;
    }
    this.isUnheard = false;
    if (description.type !== 'offer') return;
    await connection.setLocalDescription();
    await this.say({ description: connection.localDescription });
  }

  /**
   * Two browsers may not agree on how a connection goes on: Firefox answers to another way in another role than before,
   * which Chromium refuses. A new connection goes in its place.
   * @param {RTCPeerConnection} connection
   * @param {RTCSessionDescriptionInit} description
   * @returns {Promise<boolean>} whether it fits
   */
  async applied(connection, description) {
    try {
      await connection.setRemoteDescription(description);
      return true;
    } catch (error) {
      if (connection !== this.connection) return false;
      this.attempts += 1;
      if (this.attempts > ATTEMPTS_MAX) throw error;
      this.anew();
      return false;
    }
  }

  /** @param {RTCIceCandidateInit} candidate */
  async reached(candidate) {
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // Of an offer that was ignored, or of a connection that is gone.
      if (!this.ignores && this.connection.remoteDescription) console.warn(error);
    }
  }

  /** Says again what nobody heard: the other page was away for a moment. */
  async repeat() {
    const { localDescription, signalingState } = this.connection;
    if (!this.isUnheard || !localDescription || this.isClosed) return;
    this.isUnheard = false;
    if (signalingState === 'have-local-offer' || localDescription.type === 'answer') {
      await this.say({ description: localDescription });
    }
  }

  /** Says an offer again that has found no answer for a while: one of the two may have dropped it. */
  async insist() {
    const { localDescription, signalingState } = this.connection;
    if (signalingState === 'have-local-offer' && localDescription && !this.isClosed) {
      await this.say({ description: localDescription });
    }
  }

  anew() {
    this.parts.onAnew();
    this.release();
    this.connection = this.begin();
  }

  /** The same talk by another way. */
  restart() {
    if (!this.isClosed) this.connection.restartIce();
  }

  changed() {
    const { connectionState } = this.connection;
    clearTimeout(this.mending);
    if (connectionState === 'connected') this.attempts = 0;
    if (connectionState === 'connected') this.parts.onLink('connected');
    else if (connectionState === 'connecting' || connectionState === 'new') this.parts.onLink('connecting');
    else if (connectionState === 'failed') this.mend(0);
    else if (connectionState === 'disconnected') this.mend(MENDS_ITSELF_MS);
  }

  /** One side mends, so that two attempts do not meet: the caller, who is not polite. @param {number} afterMs */
  mend(afterMs) {
    this.parts.onLink('lost');
    if (!this.parts.isPolite) this.mending = setTimeout(() => this.restart(), afterMs);
  }

  get isConnected() {
    return this.connection.connectionState === 'connected';
  }

  /** Whether the two talk, and neither waits for a word of the other. */
  get isSettled() {
    return this.isConnected && !this.isUnheard && this.connection.signalingState !== 'have-local-offer';
  }

  /**
   * Sends another track of a kind, or none. The first of a kind is negotiated, a later one takes its place.
   * @param {'audio'|'video'} kind
   * @param {MediaStreamTrack|null} track
   */
  async replace(kind, track) {
    const sender = this.senders[kind];
    if (sender) await sender.replaceTrack(track);
    else if (track) this.senders[kind] = this.connection.addTrack(track);
  }

  /** @returns {Promise<any[]>} what the browser counts */
  async reports() {
    return [...(await this.connection.getStats()).values()];
  }

  close() {
    this.isClosed = true;
    this.release();
  }

  release() {
    clearTimeout(this.mending);
    const { connection } = this;
    connection.onnegotiationneeded = connection.onicecandidate = connection.ontrack = null;
    connection.onconnectionstatechange = null;
    connection.close();
  }
}

/** Which connection has made a description (RFC 8866, 5.2: its session's id). @param {{sdp?: string}} description */
function originOf({ sdp }) {
  return /^o=\S+ (\S+)/m.exec(sdp ?? '')?.[1] ?? '';
}
