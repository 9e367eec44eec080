/** Recording a call without a browser: who is asked, what a window records and for how long, and how parts arrive. */
import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.addEventListener ??= () => {};
const { changeOf, fitted, hasSomething, isAsked, layout, mayAsk } = await import('../../web/core/recording.js');
const { Recording } = await import('../../web/client/recording.js');
const { Parts } = await import('../../web/client/recording_parts.js');

const ME = 6;
const PEER = 1;
const OFFER = { mayAsk: true, by: 'browser', keepDays: 90, version: 1, partBytes: 4, bitsPerSecond: 1_200_000 };

const consent = (userId, answer = true) => ({ userId, answer, at: '2026-11-28T10:00:00.000Z' });
/** @param {string} state @param {any[]} [consents] @param {object} [more] */
const call = (state, consents = [], more = {}) => ({
  id: 3, conversationId: 2, state: 'ongoing', provider: 'direct', startedBy: ME, recording: { state, consents, attachmentId: null }, ...more,
});

test('only_who_may_is_offered_a_recording_and_only_where_none_runs_or_is_kept', () => {
  for (const [state, offered] of [['off', true], ['refused', true], ['asked', false], ['on', false], ['stored', false], ['deleted', false]]) {
    assert.equal(mayAsk(call(state), OFFER), offered, state);
    assert.equal(mayAsk(call(state), { ...OFFER, mayAsk: false }), false);
    for (const nothing of [null, undefined, false]) assert.equal(mayAsk(call(state), nothing), false);
  }
  assert.equal(mayAsk(call('off', [], { state: 'ended' }), OFFER), false);
  assert.equal(mayAsk(null, OFFER), false);
});

test('each_member_who_has_not_answered_is_asked_and_nobody_twice', () => {
  assert.equal(isAsked(call('asked', [consent(ME)]), PEER), true);
  assert.equal(isAsked(call('asked', [consent(ME)]), ME), false);
  for (const state of ['off', 'on', 'refused', 'stored', 'deleted']) assert.equal(isAsked(call(state), PEER), false, state);
});

test('what_is_recorded_already_is_asked_about_and_a_question_alone_is_just_taken_back', () => {
  assert.equal(hasSomething(call('on', [consent(ME), consent(PEER)])), true);
  assert.equal(hasSomething(call('asked', [consent(ME), consent(PEER)])), true, 'who joins later is asked');
  for (const state of ['asked', 'off', 'refused', 'stored', 'deleted']) assert.equal(hasSomething(call(state, [consent(ME)])), false, state);
});

test('what_changed_is_told_once_and_of_the_same_call_only', () => {
  const told = (before, now) => changeOf(before && call(before), now && call(now));
  assert.equal(told('asked', 'on'), 'begun');
  assert.equal(told('on', 'asked'), 'waits');
  assert.equal(told('on', 'stored'), 'stopped');
  assert.equal(told('on', 'refused'), 'erased');
  assert.equal(told('asked', 'refused'), 'refused');
  for (const pair of [['off', 'asked'], ['on', 'on'], [null, 'on'], ['on', null]]) assert.equal(told(...pair), null, String(pair));
  assert.equal(changeOf(call('on'), call('refused', [], { id: 4 })), null);
});

test('pictures_stand_side_by_side_and_keep_their_proportions', () => {
  const size = { width: 1280, height: 540 };
  assert.deepEqual(layout([{ weight: 1 }, { weight: 3 }], size), [{ x: 0, y: 0, width: 320, height: 540 }, { x: 320, y: 0, width: 960, height: 540 }]);
  for (const weights of [[1], [1, 1], [3, 3], [1, 1, 1], [3, 1, 1]]) {
    const boxes = layout(weights.map((weight) => ({ weight })), size);
    assert.ok(Math.abs(boxes.at(-1).x + boxes.at(-1).width - size.width) <= weights.length);
    boxes.slice(1).forEach((box, at) => assert.equal(box.x, boxes[at].x + boxes[at].width));
  }
  for (const [width, height] of [[320, 240], [1920, 1080], [240, 320], [1, 900]]) {
    const box = { x: 100, y: 0, width: 640, height: 540 };
    const place = fitted({ width, height }, box);
    assert.ok(Math.abs(place.width / place.height - width / height) < 1e-6);
    assert.ok(place.x >= box.x - 1e-6 && place.x + place.width <= box.x + box.width + 1e-6 && place.height <= box.height + 1e-6);
  }
});

/** A window that sits in a call, with a recorder, a server and a storage that are played. */
function seated({ kept = null, offer = OFFER, send = async () => call('stored'), replies = {}, hears = true } = {}) {
  const held = new Map(kept ? [['lexchat.recording', kept]] : []);
  const world = { did: [], notices: [], asked: [], held };
  const recorder = () => ({
    pause: () => world.did.push('pause'), resume: () => world.did.push('resume'), refresh: () => {}, drop: () => world.did.push('drop'),
    stop: async () => { world.did.push('stop'); },
  });
  world.calls = {
    view: { call: null, seat: 'in', over: null },
    client: { me: { id: ME, name: 'Me Roux' }, state: () => ({ me: { calls: { recordings: offer } }, conversations: {} }), notice: (text) => world.notices.push(text) },
    devices: {}, provider: () => 'direct',
    ask: async (name, data) => { world.asked.push(data); return replies[name] ?? { success: true, call: world.calls.view.call }; },
    told: (one) => world.calls.view.call && world.hears(one),
  };
  world.hears = (one, more = {}) => {
    const isLive = one?.state === 'ongoing';
    world.calls.view = { ...world.calls.view, call: isLive ? one : null, over: isLive ? null : one, ...more };
    world.recording?.follow();
  };
  world.recording = new Recording(world.calls, { onRecording: (change) => world.did.push(`told ${change}`) }, {
    keep: { getJson: (name) => held.get(name) ?? null, setJson: (name, value) => held.set(name, value), set: (name) => held.delete(name) },
    finish: async (id) => { world.did.push(`finish ${id}`); return send(id); },
    canMix: async () => hears, makeRecorder: () => { world.did.push('record'); return recorder(); }, everyMs: 1,
  });
  return world;
}

/** Until a window has sent all that it had. */
async function settled({ recording }) {
  const deadline = Date.now() + 10_000;
  while (recording.isBusy()) {
    assert.ok(Date.now() < deadline, 'it does not end');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Asks in a call in which the other member agrees. */
async function recorded(options) {
  const world = seated(options);
  world.hears(call('off'));
  const asking = world.recording.ask();
  world.calls.view.call = call('asked', [consent(ME)]);
  await asking;
  assert.deepEqual(world.did, [], 'nothing is recorded before all have agreed');
  world.hears(call('on', [consent(ME), consent(PEER)]));
  assert.deepEqual(world.did, ['record', 'told begun']);
  world.did.length = 0;
  return world;
}

test('the_window_that_asked_records_while_all_agree_and_waits_for_who_joins_later', async () => {
  const world = await recorded();
  world.hears(call('asked', [consent(ME), consent(PEER)]));
  world.hears(call('on', [consent(ME), consent(PEER)]));
  assert.deepEqual(world.did, ['pause', 'told waits', 'resume', 'told begun']);
  assert.ok(world.recording.isBusy());
});

test('a_window_that_has_not_asked_records_nothing', () => {
  const world = seated();
  world.hears(call('asked', [consent(PEER)]));
  world.hears(call('on', [consent(PEER), consent(ME)]));
  assert.deepEqual(world.did, ['told begun']);
  assert.equal(world.recording.isBusy(), false);
});

test('where_a_browser_mixes_no_voices_nobody_is_asked', async () => {
  const world = seated({ hears: false });
  world.hears(call('off'));
  await world.recording.ask();
  assert.deepEqual([world.asked, world.notices.length], [[], 1]);
});

test('a_refusal_records_nothing_and_is_told', async () => {
  const world = seated();
  world.hears(call('off'));
  await world.recording.ask();
  world.hears(call('asked', [consent(ME)]));
  world.hears(call('refused', [consent(ME), consent(PEER, false)]));
  assert.deepEqual(world.did, ['told refused']);
  assert.deepEqual(world.asked, [{ callId: 3, ask: true }]);
});

test('a_consent_that_is_taken_back_ends_it_at_once_and_sends_nothing_more', async () => {
  for (const [state, change] of [['refused', 'erased'], ['stored', 'stopped']]) {
    const world = await recorded();
    world.hears(call(state, [consent(ME), consent(PEER, false)]));
    assert.deepEqual(world.did, ['drop', `told ${change}`]);
    assert.equal(world.recording.isBusy(), false);
    assert.equal(world.held.size, 0);
  }
});

test('the_one_who_records_stops_and_keeps_all_of_it_or_has_it_erased', async () => {
  const kept = await recorded();
  await kept.recording.stop(true);
  assert.deepEqual(kept.did, ['stop', 'finish 3', 'told stopped']);
  const erased = await recorded();
  await erased.recording.stop(false);
  assert.deepEqual(erased.asked.at(-1), { callId: 3, consent: false, keep: false });
});

test('the_end_of_the_call_ends_the_recording_and_what_is_left_is_sent', async () => {
  const world = await recorded();
  world.hears(call('on', [consent(ME), consent(PEER)], { state: 'ended' }), { seat: 'none' });
  assert.ok(world.recording.isBusy(), 'until the end has arrived');
  await settled(world);
  assert.deepEqual(world.did, ['stop', 'finish 3']);
  assert.equal(world.recording.isBusy(), false);
});

test('a_window_that_goes_elsewhere_ends_its_recording', async () => {
  const world = await recorded();
  world.hears(call('on', [consent(ME), consent(PEER)]), { seat: 'elsewhere' });
  await settled(world);
  assert.deepEqual(world.did.slice(0, 2), ['stop', 'finish 3']);
});

test('a_window_that_is_loaded_anew_ends_the_file_and_begins_no_second_one', async () => {
  let attempts = 0;
  const send = async () => {
    attempts += 1;
    if (attempts < 3) throw Object.assign(new Error('offline'), { code: 'OFFLINE' });
    return call('stored', [consent(ME), consent(PEER)]);
  };
  const world = seated({ kept: { callId: 3, hasBegun: true }, send });
  world.hears(call('on', [consent(ME), consent(PEER)]));
  await settled(world);
  assert.ok(!world.did.includes('record'));
  assert.deepEqual([attempts, world.held.size, world.notices.length], [3, 0, 1]);
  const early = seated({ kept: { callId: 3, hasBegun: false } });
  early.hears(call('on', [consent(ME), consent(PEER)]));
  assert.deepEqual(early.did, ['record'], 'nothing was made before');
});

test('an_end_that_the_server_has_made_by_itself_is_not_asked_for_again', async () => {
  const send = async () => { throw Object.assign(new Error('gone'), { code: 'FORBIDDEN' }); };
  const world = seated({ kept: { callId: 3, hasBegun: true }, send });
  await settled(world);
  assert.deepEqual([world.did, world.held.size, world.notices], [['finish 3'], 0, []]);
});

/** Parts, and a server that answers as `answers` say, one after the other; without one it takes what comes. */
function parts(answers = [], given = {}) {
  const world = { taken: [], faults: [], pauses: [], nearly: 0, mayGo: true };
  world.parts = new Parts(3, 4, {
    mayGo: () => world.mayGo, onFault: (error) => world.faults.push(error.code), onNearlyFull: () => { world.nearly += 1; },
    partBytesMin: 1, pause: async (ms) => { world.pauses.push(ms); },
    put: async (_, n, bytes) => {
      const answer = answers.shift();
      if (answer?.code) throw Object.assign(new Error(answer.code), { details: [], ...answer });
      world.taken.push([n, await bytes.text()]);
      return { nextPart: n + 1, isNearlyFull: false, ...answer };
    },
    ...given,
  });
  return world;
}

test('parts_arrive_in_order_and_large_ones_are_split', async () => {
  const world = parts();
  world.parts.add(new Blob(['abcdefghij']));
  world.parts.add(new Blob(['k']));
  world.parts.add(new Blob([]));
  await world.parts.go();
  assert.deepEqual(world.taken, [[0, 'abcd'], [1, 'efgh'], [2, 'ij'], [3, 'k']]);
});

test('what_is_too_little_for_a_part_goes_with_the_next_one_or_at_the_end', async () => {
  const world = parts([], { partBytesMin: 3 });
  world.parts.add(new Blob(['a']));
  await world.parts.go();
  assert.deepEqual(world.taken, []);
  world.parts.add(new Blob(['bc']));
  world.parts.add(new Blob(['d']));
  await world.parts.end();
  assert.deepEqual(world.taken, [[0, 'abc'], [1, 'd']]);
});

test('what_a_cut_held_up_is_sent_again_and_what_arrived_unanswered_is_not', async () => {
  const offline = { code: 'OFFLINE' };
  const ahead = { code: 'CONFLICT', details: [{ field: 'part', message: 'is not the one expected', value: 1 }] };
  const world = parts([offline, offline, { code: 'UNAVAILABLE' }, ahead]);
  world.parts.add(new Blob(['abcd', 'ef']));
  await world.parts.go();
  assert.deepEqual(world.taken, [[1, 'ef']]);
  assert.deepEqual([world.faults, world.pauses], [[], [500, 1_000, 2_000]]);
});

test('without_a_consent_nothing_goes_and_what_waits_goes_with_it', async () => {
  const world = parts([{ code: 'CONFLICT' }]);
  world.parts.add(new Blob(['abcd']));
  await world.parts.go();
  world.mayGo = false;
  world.parts.add(new Blob(['efgh']));
  await world.parts.go();
  assert.deepEqual(world.taken, []);
  world.mayGo = true;
  await world.parts.go();
  assert.deepEqual(world.taken, [[0, 'abcd'], [1, 'efgh']]);
});

test('a_limit_or_a_file_that_the_server_knows_otherwise_ends_it', async () => {
  for (const answer of [{ code: 'TOO_LARGE' }, { code: 'FORBIDDEN' }, { code: 'CONFLICT', details: [{ field: 'part', message: 'is not the one expected', value: 7 }] }]) {
    const world = parts([answer]);
    world.parts.add(new Blob(['abcd', 'efgh']));
    await world.parts.go();
    world.parts.add(new Blob(['more']));
    await world.parts.go();
    assert.deepEqual([world.faults, world.taken], [[answer.code], []]);
  }
  const nearly = parts([{ isNearlyFull: true }]);
  nearly.parts.add(new Blob(['a']));
  await nearly.parts.go();
  assert.equal(nearly.nearly, 1);
});
