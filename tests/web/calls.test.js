/** Calls without a browser: their life, and what a window does in them with a server and a connection that are played. */
import assert from 'node:assert/strict';
import test, { afterEach } from 'node:test';

globalThis.MediaStream = class {
  constructor(tracks = []) { this.held = [...tracks]; }
  getTracks() { return this.held; }
  addTrack(track) { this.held.push(track); }
  removeTrack(track) { this.held = this.held.filter((one) => one !== track); }
};

const life = await import('../../web/core/calls.js');
const news = await import('../../web/core/call_news.js');
const { Calls } = await import('../../web/client/calls.js');

const ME = 1;
const PEER = 6;

/** @param {object} [more] */
const call = (more = {}) => ({
  id: 3, conversationId: 2, messageId: null, media: 'audio', provider: 'direct', state: 'ringing', reachable: true,
  startedBy: PEER, startedAt: '2026-11-28T10:00:00.000Z', answeredAt: null, endedAt: null, endReason: null, participants: [],
  recording: { state: 'off', consents: [], attachmentId: null }, ...more,
});

const heard = (view, ...calls) => calls.reduce((now, one) => life.after(now, { type: 'heard', call: one }), view);
const phase = (view) => life.phaseOf(view, ME);

test('a_call_of_another_rings_is_answered_and_ends', () => {
  let view = heard(life.none(), call());
  assert.equal(phase(view), 'incoming');
  view = life.after(view, { type: 'accepted', own: { microphone: true, camera: false, screen: false } });
  assert.equal(phase(view), 'answering');
  view = life.after(life.after(view, { type: 'joining' }), { type: 'joined', at: 5 });
  view = heard(view, call({ state: 'ongoing', answeredAt: '2026-11-28T10:00:05.000Z' }));
  assert.equal(phase(view), 'talking');
  view = heard(view, call({ state: 'ended' }));
  assert.equal(phase(view), 'none');
  assert.equal(view.over.state, 'ended');
});

test('what_is_over_stays_over_and_what_is_answered_rings_no_more', () => {
  const ongoing = heard(life.none(), call({ state: 'ongoing' }));
  assert.equal(heard(ongoing, call()), ongoing, 'a late word');
  assert.equal(phase(ongoing), 'elsewhere', 'answered by another device');
  const over = heard(ongoing, call({ state: 'ended' }));
  assert.equal(phase(heard(life.none(), call({ state: 'missed' }))), 'none', 'one that never was seen is not shown');
  assert.equal(over.call, null);
});

test('a_window_that_talks_does_not_ring_for_another_call', () => {
  let view = heard(life.none(), call());
  view = life.after(view, { type: 'accepted', own: view.own });
  assert.equal(heard(view, call({ id: 4, conversationId: 9 })), view);
  assert.equal(heard(view, call({ id: 4, conversationId: 9, state: 'ended' })), view);
});

test('both_at_once_is_one_call_that_does_not_ring_for_who_calls', () => {
  let view = life.after(life.none(), { type: 'wanted', conversationId: 2, media: 'audio' });
  assert.equal(phase(view), 'starting');
  view = heard(view, call());
  assert.equal(phase(view), 'answering');
  const elsewhere = life.after(life.none(), { type: 'wanted', conversationId: 7, media: 'audio' });
  assert.equal(heard(elsewhere, call()), elsewhere, 'another conversation is not what was wanted');
});

test('a_call_that_was_busy_at_once_is_over_for_who_wanted_it', () => {
  const view = life.after(life.none(), { type: 'wanted', conversationId: 2, media: 'audio' });
  const after = heard(view, call({ state: 'busy', startedBy: ME }));
  assert.equal(phase(after), 'none');
  assert.equal(life.outcomeOf(after.over, ME), 'busy');
});

test('a_connection_that_was_there_and_is_lost_comes_again', () => {
  let view = heard(life.none(), call({ state: 'ongoing' }));
  const link = (state, at) => { view = life.after(view, { type: 'linked', link: state, at }); };
  link('connecting', 1);
  assert.deepEqual([view.link, view.linkSince], ['connecting', 1]);
  link('lost', 2);
  assert.deepEqual([view.link, view.linkSince], ['connecting', 1], 'it never was connected');
  link('connected', 3);
  link('lost', 4);
  link('connecting', 5);
  assert.deepEqual([view.link, view.linkSince], ['again', 4]);
});

test('what_became_of_a_call_depends_on_who_reads_it', () => {
  const outcome = (state, startedBy, more) => life.outcomeOf(call({ state, startedBy, ...more }), ME);
  assert.deepEqual(['declined', 'missed', 'busy', 'cancelled'].map((state) => outcome(state, ME)), ['declined', 'unanswered', 'busy', 'cancelled']);
  assert.deepEqual(['declined', 'missed', 'busy', 'cancelled'].map((state) => outcome(state, PEER)), ['declinedByMe', 'missed', 'missed', 'missed']);
  assert.equal(outcome('missed', ME, { endReason: 'restart' }), 'restart');
  assert.equal(outcome('ended', ME, { answeredAt: '2026-11-28T10:00:05.000Z' }), 'talked');
});

test('lengths_are_written_as_clocks', () => {
  assert.deepEqual([7, 65, 3_723].map(life.clockOf), ['0:07', '1:05', '1:02:03']);
  const talked = { answeredAt: '2026-11-28T10:00:05.000Z', endedAt: '2026-11-28T10:01:04.900Z' };
  assert.equal(life.secondsOf(talked, 0), 59);
  assert.equal(life.secondsOf({ answeredAt: null, endedAt: null }, 5), 0);
});

test('a_connection_is_weak_when_much_is_lost_or_answers_take_long', () => {
  const at = (received, lost, roundTrip = 0.02) => ({ received, lost, roundTrip });
  assert.equal(life.isWeak(at(0, 0), at(100, 1)), false);
  assert.equal(life.isWeak(at(100, 1), at(190, 11)), true);
  assert.equal(life.isWeak(at(100, 50), at(200, 50)), false, 'what was lost long ago is forgiven');
  assert.equal(life.isWeak(at(0, 0), at(0, 0, 0.9)), true);
  const counts = life.countsOf([{ type: 'inbound-rtp', packetsReceived: 5, packetsLost: 1 }, { type: 'inbound-rtp', packetsReceived: 2 },
    { type: 'candidate-pair', state: 'succeeded', nominated: true, currentRoundTripTime: 0.1 }, { type: 'candidate-pair', state: 'failed', currentRoundTripTime: 9 }]);
  assert.deepEqual(counts, { received: 7, lost: 1, roundTrip: 0.1 });
});

test('what_changes_in_a_call_is_said_once_and_only_while_the_two_sides_reach_each_other', () => {
  let view = { ...life.none(), link: 'connected' };
  let signs = news.NO_SIGNS;
  const says = (...events) => {
    view = events.reduce(life.after, view);
    const before = signs;
    signs = news.signsOf(view, before);
    return news.newsOf(before, signs);
  };
  const theirs = (change) => ({ type: 'theirs', theirs: change });
  assert.deepEqual(says(), []);
  assert.deepEqual(says(theirs({ microphone: false })), ['theyMute']);
  assert.deepEqual(says(theirs({ microphone: false, camera: true })), [], 'a camera is no news, nor what was said already');
  assert.deepEqual(says(theirs({ microphone: true, screen: true })), ['theyUnmute', 'theyShare']);
  assert.deepEqual(says({ type: 'own', own: { screen: true, microphone: false } }), ['sharing'], 'who mutes has pressed the button');
  assert.deepEqual(says({ type: 'judged', isWeak: true }), ['weak']);
  assert.deepEqual(says({ type: 'judged', isWeak: false }), []);
  const link = (to) => ({ type: 'linked', link: to, at: 5 });
  assert.deepEqual(says(link('lost'), theirs({ screen: false })), [], 'the state of the connection is said already');
  assert.deepEqual(says(link('connected')), ['theyShareNoMore']);
  assert.deepEqual(says({ type: 'own', own: { screen: false } }), ['sharingNoMore']);
});

test('without_a_relay_a_page_from_elsewhere_is_bound_to_one_network', () => {
  const turn = [{ urls: 'stun:s' }, { urls: ['turns:t:443'] }];
  assert.equal(life.isBoundToNetwork([], 'chat.cabinet.fr'), true);
  assert.equal(life.isBoundToNetwork([{ urls: 'stun:s' }], 'chat.cabinet.fr'), true);
  assert.equal(life.isBoundToNetwork(turn, 'chat.cabinet.fr'), false);
  for (const near of ['localhost', '127.0.0.1', '[::1]', '192.168.1.5', 'cabinet.local']) assert.equal(life.isBoundToNetwork([], near), false, near);
});

/** @type {any[]} */
let begun = [];

afterEach(() => {
  for (const one of begun) one.close();
  begun = [];
});

/** A window with a server that answers as told, and devices that are there. */
function seated({ replies = {}, kept = null, devices = {}, stored } = {}) {
  const told = [];
  const listeners = {};
  const notices = [];
  const overs = [];
  const track = (kind) => ({ kind, enabled: true, isStopped: false, stop() { this.isStopped = true; } });
  const opened = [];
  const give = (kind) => { const one = track(kind); opened.push(one); return one; };
  const storage = new Map(kept ? [['lexchat.call', kept]] : []);
  const socket = {
    isUp: () => true,
    ask: async (name, data) => {
      told.push([name, data]);
      const reply = replies[name];
      const given = typeof reply === 'function' ? reply(data) : reply;
      if (given === undefined) throw new Error('no answer');
      return given;
    },
    socket: { on: (name, work) => { listeners[name] = work; }, off: (name) => { delete listeners[name]; } },
  };
  const client = { me: { id: ME }, socket, state: () => ({ me: { id: ME } }), notice: (text) => notices.push(text) };
  const calls = new Calls(client, { onChange: () => {}, onOver: (one) => overs.push(one) }, {
    hostname: 'localhost',
    devices: {
      obstacle: () => null, chosen: () => ({}), microphone: async () => give('audio'), camera: async () => give('video'),
      both: async () => ({ audio: give('audio'), video: give('video'), fault: null }), screen: async () => give('video'), ...devices,
    },
    keep: { getJson: (name) => storage.get(name) ?? null, setJson: (name, value) => storage.set(name, value) },
    fetchCall: async () => stored ?? call(),
    makeConnection: (given) => new PlayedConnection(given),
  });
  begun.push(calls);
  return { calls, told, listeners, notices, overs, opened, storage, names: () => told.map(([name]) => name) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Where a connection of the browser would be: it tells its state and nothing more. */
class PlayedConnection {
  constructor() { Object.assign(this, { signalingState: 'stable', connectionState: 'new', localDescription: null, remoteDescription: null, sent: [], restarts: 0, candidates: [] }); PlayedConnection.made.push(this); }
  static made = [];
  static count = 0;
  origin = String((PlayedConnection.count += 1));
  addTrack(track) {
    const at = this.sent.push(track) - 1;
    queueMicrotask(() => this.onnegotiationneeded?.());
    return { replaceTrack: async (other) => { this.sent[at] = other; } };
  }
  async setLocalDescription() {
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    this.localDescription = { type, sdp: `v=0\r\no=- ${this.origin} 1 IN IP4 0.0.0.0\r\n` };
    this.signalingState = type === 'answer' ? 'stable' : 'have-local-offer';
  }
  async setRemoteDescription(description) {
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error('no offer was made');
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
  }
  async addIceCandidate(candidate) { if (!this.remoteDescription) throw new Error('no description'); this.candidates.push(candidate); }
  restartIce() { this.restarts += 1; }
  close() { this.signalingState = 'closed'; }
  becomes(state) { this.connectionState = state; this.onconnectionstatechange?.(); }
}

const made = () => PlayedConnection.made.at(-1);
const described = (type, origin = 'x1') => ({ description: { type, sdp: `v=0\r\no=- ${origin} 1 IN IP4 0.0.0.0\r\n` } });
const ongoing = (more) => call({ state: 'ongoing', answeredAt: '2026-11-28T10:00:05.000Z', ...more });
const joins = (more, seats = ['theirs']) => ({ success: true, call: ongoing(more), direct: { iceServers: [], seats } });

/** In a call, connected. @param {object} more about the call */
async function talking(more = {}) {
  PlayedConnection.made = [];
  const one = seated({ replies: { 'call:join': joins(more), 'call:signal': { success: true, delivered: true }, 'call:leave': { success: true } } });
  one.calls.heard('call:incoming', { call: ongoing(more) });
  await one.calls.answer({ takeOver: true });
  await settled();
  return one;
}

test('who_calls_opens_the_microphone_first_and_sits_down_when_the_server_has_the_call', async () => {
  const { calls, told, names, opened, storage } = seated({ replies: {
    'call:start': { success: true, call: call({ startedBy: ME }) }, 'call:join': { success: true, call: call({ startedBy: ME }), direct: { iceServers: [], seats: [] } },
  } });
  await calls.start({ conversationId: 2, media: 'audio' });
  assert.deepEqual(names(), ['call:start', 'call:join']);
  assert.deepEqual(told[0][1], { conversationId: 2, media: 'audio' });
  assert.equal(told[1][1].seat, storage.get('lexchat.call').seat);
  assert.equal(opened.length, 1);
  assert.equal(phase(calls.view), 'calling');
  assert.equal(calls.view.seat, 'in');
});

test('a_refused_microphone_calls_nobody_and_says_what_to_do', async () => {
  const { calls, names, notices } = seated({ devices: { microphone: async () => { throw new Error('Autorisez-le'); } } });
  await calls.start({ conversationId: 2, media: 'audio' });
  assert.deepEqual(names(), []);
  assert.deepEqual(notices, ['Autorisez-le']);
  assert.equal(phase(calls.view), 'none');
});

test('who_cannot_answer_for_want_of_a_microphone_is_still_asked', async () => {
  const { calls, names } = seated({ devices: { microphone: async () => { throw new Error('Autorisez-le'); } } });
  calls.heard('call:incoming', { call: call() });
  await calls.answer();
  assert.equal(phase(calls.view), 'incoming');
  assert.equal(calls.view.fault, 'Autorisez-le');
  assert.deepEqual(names(), []);
});

test('a_microphone_that_comes_when_nobody_wants_it_any_more_is_let_go', async () => {
  let give;
  const track = { stop() { this.isStopped = true; } };
  const { calls, names } = seated({ devices: { microphone: () => new Promise((resolve) => { give = () => resolve(track); }) } });
  const starting = calls.start({ conversationId: 2, media: 'audio' });
  calls.hangUp();
  give();
  await starting;
  assert.equal(track.isStopped, true);
  assert.deepEqual(names(), []);
});

test('what_ends_lets_go_of_microphone_and_connection', async () => {
  const { calls, opened, overs, storage } = await talking();
  assert.equal(storage.get('lexchat.call').callId, 3);
  calls.heard('call:updated', { call: ongoing({ state: 'ended', endedAt: '2026-11-28T10:02:00.000Z' }) });
  assert.deepEqual([opened[0].isStopped, made().signalingState, overs.length, storage.get('lexchat.call').callId], [true, 'closed', 1, 0]);
});

test('another_device_that_takes_the_call_ends_it_here_alone', async () => {
  const { calls, opened, names } = await talking();
  calls.heard('call:taken', { callId: 3 });
  assert.equal(phase(calls.view), 'elsewhere');
  assert.equal(opened[0].isStopped, true);
  assert.ok(!names().includes('call:leave'));
});

test('a_seat_that_is_taken_already_is_told_and_asks_no_device_any_more', async () => {
  const { calls, opened } = seated({ replies: { 'call:join': { success: false, code: 'CONFLICT' } }, stored: ongoing() });
  calls.heard('call:incoming', { call: call() });
  await calls.answer();
  assert.equal(phase(calls.view), 'elsewhere');
  assert.equal(opened[0].isStopped, true);
});

test('a_reload_sits_where_it_sat_with_the_microphone_as_it_was', async () => {
  const kept = { seat: 's'.repeat(32), callId: 3, own: { microphone: false, camera: false } };
  const { calls, told, opened } = seated({ kept, stored: ongoing(), replies: { 'call:join': joins(), 'call:signal': { success: true, delivered: true } } });
  await settled();
  await settled();
  assert.equal(told.find(([name]) => name === 'call:join')[1].seat, kept.seat);
  assert.equal(opened[0].enabled, false);
  assert.equal(phase(calls.view), 'talking');
});

test('hanging_up_without_a_connection_is_told_when_it_is_back', async () => {
  const one = await talking();
  one.calls.client.socket.ask = async () => { throw new Error('not connected'); };
  one.calls.hangUp();
  await settled();
  const asked = [];
  one.calls.client.socket.ask = async (...given) => asked.push(given);
  one.listeners.connect();
  assert.deepEqual(asked, [['call:leave', { callId: 3 }]]);
});

test('a_socket_that_comes_back_sits_down_again_and_only_the_caller_mends', async () => {
  for (const [startedBy, restarts] of [[ME, 1], [PEER, 0]]) {
    const one = await talking({ startedBy });
    made().becomes('connected');
    one.listeners.connect();
    await settled();
    assert.equal(made().restarts, 0, 'what goes on well is left alone');
    made().becomes('connecting');
    one.listeners.connect();
    await settled();
    assert.equal(one.names().filter((name) => name === 'call:join').length, 3);
    assert.deepEqual([PlayedConnection.made.length, made().restarts], [1, restarts]);
  }
});

test('the_newcomer_offers_and_who_waited_answers', async () => {
  const { calls, told } = await talking();
  assert.equal(told.find(([name, { data }]) => name === 'call:signal' && data.description)[1].data.description.type, 'offer');
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('answer') });
  await settled();
  assert.equal(made().signalingState, 'stable');
});

test('where_two_offers_meet_the_polite_one_gives_way', async () => {
  for (const [startedBy, taken] of [[PEER, true], [ME, false]]) {
    const { calls } = await talking({ startedBy });
    assert.equal(made().signalingState, 'have-local-offer');
    calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('offer') });
    calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: { candidate: { candidate: 'c' } } });
    await settled();
    assert.equal(Boolean(made().remoteDescription), taken);
    assert.equal(made().candidates.length, taken ? 1 : 0);
  }
});

test('a_page_that_was_loaded_anew_on_the_other_side_begins_a_new_connection_here', async () => {
  const { calls } = await talking({ startedBy: ME });
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('answer', 'old') });
  await settled();
  made().becomes('connected');
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('offer', 'new') });
  await settled();
  assert.equal(PlayedConnection.made.length, 2);
  assert.equal(PlayedConnection.made[0].signalingState, 'closed');
  assert.equal(made().remoteDescription.type, 'offer');
  assert.equal(calls.view.link, 'again');
});

test('an_offer_that_nobody_heard_is_made_again_when_somebody_is_there', async () => {
  PlayedConnection.made = [];
  let delivered = false;
  const offers = [];
  const signal = ({ data }) => { if (data.description) offers.push(data.description.type); return { success: true, delivered }; };
  const { calls } = seated({ replies: { 'call:join': joins(), 'call:signal': signal } });
  calls.heard('call:incoming', { call: ongoing() });
  await calls.answer();
  await settled();
  assert.deepEqual(offers, ['offer']);
  delivered = true;
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: { state: { microphone: true, camera: false, screen: false } } });
  await settled();
  assert.deepEqual(offers, ['offer', 'offer']);
});

test('a_broken_connection_is_mended_by_the_caller', async () => {
  for (const [startedBy, restarts] of [[ME, 1], [PEER, 0]]) {
    const { calls } = await talking({ startedBy });
    made().becomes('connected');
    made().becomes('failed');
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([made().restarts, calls.view.link], [restarts, 'again']);
  }
});

test('a_description_that_does_not_fit_begins_a_new_connection_but_not_for_ever', async () => {
  const { calls } = await talking();
  for (let round = 0; round < 6; round += 1) {
    made().setRemoteDescription = async () => { throw new Error('another role'); };
    calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('answer') });
    await settled();
  }
  assert.equal(PlayedConnection.made.length, 4);
  assert.equal(made().signalingState, 'have-local-offer');
});

test('an_offer_that_does_not_fit_is_answered_by_the_new_connection', async () => {
  const { calls, told } = await talking();
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('answer') });
  await settled();
  made().setRemoteDescription = async () => { throw new Error('other media'); };
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: described('offer') });
  await settled();
  assert.equal(PlayedConnection.made.length, 2);
  assert.equal(made().remoteDescription?.type, 'offer');
  assert.ok(told.some(([, { data }]) => data?.description?.type === 'answer'));
});

test('an_offer_without_an_answer_is_made_again_also_while_the_talk_goes_on', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  for (const state of ['connecting', 'connected']) {
    const { told } = await talking();
    made().becomes(state);
    const offers = () => told.filter(([, { data }]) => data?.description?.type === 'offer').length;
    assert.equal(offers(), 1);
    for (let round = 0; round < 4; round += 1) context.mock.timers.tick(2_000);
    await settled();
    assert.equal(offers(), 2, state);
  }
});

test('signals_of_another_call_or_seat_change_nothing', async () => {
  const { calls } = await talking();
  calls.heard('call:signal', { callId: 9, fromSeat: 'theirs', data: described('answer') });
  calls.heard('call:signal', { callId: 3, fromSeat: 'stranger', data: described('answer') });
  calls.heard('call:signal', { callId: 3, fromSeat: 'theirs', data: null });
  await settled();
  assert.equal(made().remoteDescription, null);
});

test('muting_is_told_and_the_screen_is_shown_instead_of_the_camera', async () => {
  const { calls, told, opened } = await talking();
  calls.line.toggleMicrophone();
  assert.equal(opened[0].enabled, false);
  await calls.line.toggleCamera();
  await calls.line.toggleScreen();
  const states = told.filter(([name, { data }]) => name === 'call:signal' && data.state).map(([, { data }]) => data.state);
  assert.deepEqual(states.at(-1), { microphone: false, camera: true, screen: true });
  assert.equal(made().sent.at(-1), calls.line.tracks.screen);
  calls.line.tracks.screen.onended();
  await settled();
  assert.equal(made().sent.at(-1), calls.line.tracks.video);
  assert.equal(calls.view.own.screen, false);
});

test('the_frame_of_another_server_is_given_its_token_in_the_fragment_as_that_server_reads_it', () => {
  const jitsi = { url: 'https://meet.example/lex-abc', token: 'eyJh.eyJi.c-_d' };
  for (const hasCamera of [true, false]) {
    const address = new URL(life.frameOf(jitsi, { hasCamera, locale: 'fr' }));
    assert.deepEqual([address.origin, address.pathname, address.search], ['https://meet.example', '/lex-abc', '']);
    const given = Object.fromEntries(address.hash.slice(1).split('&').map((part) => part.split('=')).map(([name, value]) => [name, JSON.parse(decodeURIComponent(value))]));
    assert.deepEqual(given, {
      jwt: jitsi.token, 'config.prejoinConfig.enabled': false, 'config.startWithVideoMuted': !hasCamera, 'config.defaultLanguage': 'fr',
    });
  }
});
