/**
 * The life of a call as one window of one person sees it: `after(view, event, myId) -> view`, pure.
 *
 * Guarantees: a call that is over never comes back by a late word of the server; a window that sits in a call does not
 * ring for another one; one that asks for its devices, to start or to answer, rings no more. Has never heard of
 * sockets, devices or pictures.
 *
 * @typedef {'ringing'|'ongoing'|'ended'|'declined'|'missed'|'cancelled'|'busy'} CallState
 * @typedef {{state: 'off'|'asked'|'on'|'stored'|'refused', attachmentId: number|null,
 *   consents: {userId: number, answer: boolean, at: string}[]}} Recording
 * @typedef {{id: number, conversationId: number, messageId: number|null, media: 'audio'|'video',
 *   provider: 'direct'|'jitsi', state: CallState, reachable: boolean, startedBy: number, startedAt: string,
 *   answeredAt: string|null, endedAt: string|null, endReason: string|null,
 *   participants: {userId: number, joinedAt: string, leftAt: string|null}[], recording: Recording}} Call
 * @typedef {{microphone: boolean, camera: boolean, screen: boolean}} Media what one sends
 * @typedef {'none'|'asking'|'joining'|'in'|'elsewhere'} Seat whether this window sits in the call
 * @typedef {'waiting'|'connecting'|'connected'|'again'} Link `again`: was connected, and is not any more
 * @typedef {{call: Call|null, wanted: {conversationId: number, media: 'audio'|'video'}|null, seat: Seat, link: Link,
 *   linkSince: number, own: Media, theirs: Media, isWeak: boolean, frame: string|null, isLocal: boolean,
 *   fault: string|null, over: Call|null}} View
 *   `frame`: where another server holds the call; `isLocal`: no way leads out of this network; `over`: what ended last
 */

/** How far a call has come: what was heard later may not take it back. @type {Record<string, number>} */
const RANK = { ringing: 0, ongoing: 1 };
const OVER = 2;

/** What a person sends who has said nothing else yet. @type {Media} */
const SOUND = Object.freeze({ microphone: true, camera: false, screen: false });

/** @returns {View} no call */
export function none() {
  return {
    call: null, wanted: null, seat: 'none', link: 'waiting', linkSince: 0, own: SOUND, theirs: SOUND, isWeak: false,
    frame: null, isLocal: false, fault: null, over: null,
  };
}

/** @param {Call} call */
export const isLive = (call) => call.state in RANK;

/** @param {View} view whether this window talks, or is about to */
export const isSeated = ({ seat }) => seat === 'asking' || seat === 'joining' || seat === 'in';

/**
 * @param {View} view
 * @param {{type: string} & Record<string, any>} event
 * @returns {View}
 */
export function after(view, event) {
  const change = CHANGES[event.type];
  if (!change) throw new Error(`no such event: ${event.type}`);
  return change(view, event);
}

/** @type {Record<string, (view: View, event: any) => View>} */
const CHANGES = {
  wanted: (_, { conversationId, media }) => ({
    ...none(), wanted: { conversationId, media }, seat: 'asking', own: { ...SOUND, camera: media === 'video' },
  }),
  accepted: (view, { own }) => ({ ...view, seat: 'asking', own, fault: null }),
  heard,
  joining: (view) => ({ ...view, seat: 'joining' }),
  joined: (view, { frame = null, isLocal = false, at }) => {
    const link = view.seat === 'in' ? view.link : 'waiting';
    return { ...view, seat: 'in', wanted: null, frame, isLocal, link, linkSince: at, fault: null };
  },
  elsewhere: (view) => (view.call ? { ...none(), call: view.call, seat: 'elsewhere' } : none()),
  // Who could not answer may try again as long as it rings.
  failed: (view, { fault = null }) => (view.call ? { ...none(), call: view.call, fault } : none()),
  linked: (view, { link, at }) => linked(view, link, at),
  own: (view, { own }) => ({ ...view, own: { ...view.own, ...own } }),
  theirs: (view, { theirs }) => ({ ...view, theirs: { ...view.theirs, ...theirs } }),
  judged: (view, { isWeak }) => (view.isWeak === isWeak ? view : { ...view, isWeak }),
  left: () => none(),
};

/**
 * The server has told of a call.
 * @param {View} view
 * @param {{call: Call}} event
 * @returns {View}
 */
function heard(view, { call }) {
  const known = view.call;
  if (known && known.id !== call.id && (isSeated(view) || !isLive(call))) return view;
  if (!known && view.wanted && view.wanted.conversationId !== call.conversationId) return view;
  if (known?.id === call.id && rank(call) < rank(known)) return view;
  if (isLive(call)) return known?.id === call.id || view.wanted ? { ...view, call } : { ...none(), call };
  // A call that was answered with "busy" was never shown before.
  return known?.id === call.id || view.wanted ? { ...none(), over: call } : view;
}

/** @param {Call} call */
const rank = (call) => RANK[call.state] ?? OVER;

/**
 * @param {View} view
 * @param {'connecting'|'connected'|'lost'} link
 * @param {number} at
 * @returns {View}
 */
function linked(view, link, at) {
  const was = view.link === 'connected' || view.link === 'again';
  const next = link === 'connected' ? link : was ? 'again' : 'connecting';
  return next === view.link ? view : { ...view, link: next, linkSince: at, isWeak: false };
}

/**
 * @typedef {'none'|'starting'|'calling'|'incoming'|'answering'|'talking'|'elsewhere'} Phase
 * @param {View} view
 * @param {number} myId
 * @returns {Phase} what there is to show
 */
export function phaseOf(view, myId) {
  const { call, wanted, seat } = view;
  if (!call) return wanted ? 'starting' : 'none';
  const mine = call.startedBy === myId;
  if (call.state === 'ongoing') return isSeated(view) ? 'talking' : 'elsewhere';
  if (isSeated(view)) return mine ? 'calling' : 'answering';
  return mine || seat === 'elsewhere' ? 'elsewhere' : 'incoming';
}

/**
 * What became of a call, for the one who reads it.
 * @typedef {'talked'|'lost'|'declined'|'declinedByMe'|'unanswered'|'missed'|'busy'|'quiet'|'restart'|
 *   'cancelled'} Outcome
 * @param {Pick<Call, 'state'|'startedBy'|'endReason'|'answeredAt'>} call
 * @param {number} myId
 * @returns {Outcome}
 */
export function outcomeOf({ state, startedBy, endReason, answeredAt }, myId) {
  const mine = startedBy === myId;
  switch (state) {
    case 'declined':
      return mine ? 'declined' : 'declinedByMe';
    case 'missed':
      if (!mine) return 'missed';
      return endReason === 'restart' ? 'restart' : endReason === 'quiet' ? 'quiet' : 'unanswered';
    case 'busy':
      return mine ? (endReason === 'quiet' ? 'quiet' : 'busy') : 'missed';
    case 'cancelled':
      return mine ? 'cancelled' : 'missed';
    default:
      return answeredAt && endReason !== 'timeout' && endReason !== 'lost' ? 'talked' : 'lost';
  }
}

/**
 * @param {Pick<Call, 'answeredAt'|'endedAt'>} call
 * @param {number} now
 * @returns {number} whole seconds that were talked
 */
export function secondsOf({ answeredAt, endedAt }, now) {
  if (!answeredAt) return 0;
  const end = endedAt ? Date.parse(endedAt) : now;
  return Math.max(0, Math.floor((end - Date.parse(answeredAt)) / 1000));
}

/** @param {number} seconds @returns {string} `0:07`, `12:30`, `1:02:03` */
export function clockOf(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map((one) => String(one).padStart(2, '0'))].join(':');
}

/** Beyond these, one hears or sees it. */
const LOST_SHARE_MAX = 0.05;
const ROUND_TRIP_MAX_S = 0.4;

/**
 * What arrived and what was lost, as the browser counts it since the beginning.
 * @typedef {{received: number, lost: number, roundTrip: number}} Counts
 * @param {Counts} before
 * @param {Counts} now
 * @returns {boolean} whether the connection is too weak for a good talk
 */
export function isWeak(before, now) {
  const lost = Math.max(0, now.lost - before.lost);
  const all = lost + Math.max(0, now.received - before.received);
  return (all > 0 && lost / all > LOST_SHARE_MAX) || now.roundTrip > ROUND_TRIP_MAX_S;
}

/**
 * @param {Iterable<any>} reports of `RTCPeerConnection.getStats`
 * @returns {Counts}
 */
export function countsOf(reports) {
  const counts = { received: 0, lost: 0, roundTrip: 0 };
  for (const one of reports) {
    if (one.type === 'inbound-rtp') {
      counts.received += one.packetsReceived ?? 0;
      counts.lost += one.packetsLost ?? 0;
    }
    const isUsed = one.type === 'candidate-pair' && one.state === 'succeeded' && one.nominated;
    if (isUsed) counts.roundTrip = Math.max(counts.roundTrip, one.currentRoundTripTime ?? 0);
  }
  return counts;
}

/** @param {string} hostname of the page @returns {boolean} whether people reach it from one network only */
export const isOfOneNetwork = (hostname) =>
  /^(localhost|127\.|\[?::1\]?$|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)|\.local$/i.test(hostname);

/** @param {{urls: string|string[]}[]} iceServers @returns {boolean} whether one of them passes sound and pictures on */
export const hasRelay = (iceServers) =>
  iceServers.some(({ urls }) => [urls].flat().some((one) => /^turns?:/i.test(one)));

/**
 * Whether a call can only be held inside of one network: no server relays, and the page is not of this machine.
 * @param {{urls: string|string[]}[]} iceServers
 * @param {string} hostname of the page
 */
export function isBoundToNetwork(iceServers, hostname) {
  return !hasRelay(iceServers) && !isOfOneNetwork(hostname);
}

/**
 * The address of a Jitsi frame. All stands in the fragment, which no server is sent; Jitsi reads what stands there as
 * JSON, a token too. Who has answered here is not asked again there.
 * @param {{url: string, token: string}} jitsi
 * @param {{hasCamera: boolean, locale: string}} options
 */
export function frameOf({ url, token }, { hasCamera, locale }) {
  const given = {
    jwt: token,
    'config.prejoinConfig.enabled': false,
    'config.startWithVideoMuted': !hasCamera,
    'config.defaultLanguage': locale,
  };
  const parts = Object.entries(given).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  return `${url}#${parts.join('&')}`;
}
