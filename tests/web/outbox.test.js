/** The outbox: nothing lost, nothing doubled, in order, whatever the network does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Outbox } from '../../web/client/outbox.js';
import { memory } from '../../web/client/storage.js';

/** A server that stores each `clientMessageId` once, and a network that a test can break. */
function world(options = {}) {
  const world = {
    storage: options.storage ?? memory(), stored: [], attempts: 0, up: true, clock: 1000, timers: [], shown: [], accepted: [],
    answer: (request) => ({ success: true, message: store(request) }),
  };
  const store = (request) => {
    const known = world.stored.find((one) => one.clientMessageId === request.clientMessageId);
    if (known) return known;
    const message = { id: world.stored.length + 1, ...request };
    world.stored.push(message);
    return message;
  };
  world.store = store;
  world.outbox = new Outbox({
    storage: world.storage,
    send: async (request) => {
      world.attempts += 1;
      return world.answer(request);
    },
    isUp: () => world.up,
    upload: options.upload ?? (async (file) => ({ id: file.key })),
    onChange: (entries) => { world.shown = entries; },
    onAccepted: (message) => world.accepted.push(message),
    now: () => world.clock,
    later: (work, ms) => world.timers.push({ work, at: world.clock + ms }),
  });
  world.outbox.elect();
  world.pass = async (ms) => {
    world.clock += ms;
    const due = world.timers.filter((timer) => timer.at <= world.clock);
    world.timers = world.timers.filter((timer) => timer.at > world.clock);
    for (const timer of due) timer.work();
    await idle();
  };
  return world;
}

/** Until every promise that is ready has run, and those that it made ready. */
async function idle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
const entry = (id, conversationId = 1, more = {}) => ({ clientMessageId: id, conversationId, content: id, files: [], replyToId: null, createdAt: '2026-01-01T00:00:00.000Z', ...more });

test('messages_arrive_once_each_in_the_order_of_writing', async () => {
  const { outbox, stored } = world();
  await Promise.all(['a', 'b', 'c', 'd'].map((id) => outbox.add(entry(id))));
  await idle();
  assert.deepEqual(stored.map((one) => one.content), ['a', 'b', 'c', 'd']);
  assert.deepEqual(outbox.entries, []);
});

test('a_message_is_shown_before_anything_is_awaited', () => {
  const { outbox, ...rest } = world();
  outbox.add(entry('a'));
  assert.equal(outbox.entries[0].stage, 'queued');
  assert.equal(rest.stored.length, 0, 'and sent only when it is stored');
});

test('nothing_is_sent_while_there_is_no_connection_and_everything_after', async () => {
  const w = world();
  w.up = false;
  for (const id of ['a', 'b', 'c']) await w.outbox.add(entry(id));
  await idle();
  assert.equal(w.attempts, 0);
  assert.deepEqual(w.shown.map((one) => one.stage), ['queued', 'queued', 'queued']);
  w.up = true;
  w.outbox.work();
  await idle();
  assert.deepEqual(w.stored.map((one) => one.content), ['a', 'b', 'c']);
});

test('a_page_that_died_finds_its_messages_again_and_sends_each_once', async () => {
  const storage = memory();
  const first = world({ storage });
  first.answer = () => new Promise(() => {});
  for (const id of ['a', 'b']) await first.outbox.add(entry(id));
  await idle();
  assert.equal(first.shown[0].stage, 'sending');
  first.outbox.close();

  const second = world({ storage });
  await second.outbox.load();
  await idle();
  assert.deepEqual(second.stored.map((one) => one.content), ['a', 'b']);
  assert.deepEqual(await storage.all('outbox'), []);
});

test('a_lost_acknowledgement_leads_to_a_second_attempt_and_one_message', async () => {
  const w = world();
  w.answer = (request) => {
    w.store(request);
    throw new Error('the connection went');
  };
  await w.outbox.add(entry('a'));
  await idle();
  assert.equal(w.shown[0].stage, 'queued', 'never sent by a guess');
  w.answer = (request) => ({ success: true, message: w.store(request), duplicate: true });
  await w.pass(5000);
  assert.equal(w.attempts, 2);
  assert.equal(w.stored.length, 1);
  assert.deepEqual(w.outbox.entries, []);
});

test('a_message_that_the_server_tells_of_needs_no_second_attempt', async () => {
  const w = world();
  w.up = false;
  await w.outbox.add(entry('a'));
  await w.outbox.arrived({ id: 1, clientMessageId: 'a' });
  w.up = true;
  w.outbox.work();
  await idle();
  assert.equal(w.attempts, 0);
  assert.deepEqual(await w.storage.all('outbox'), []);
});

test('a_refused_message_says_why_and_lets_the_next_one_pass', async () => {
  const w = world();
  const honest = w.answer;
  w.answer = (request) => (request.content === 'bad' ? { success: false, code: 'INVALID', error: 'trop long' } : honest(request));
  await w.outbox.add(entry('bad'));
  await w.outbox.add(entry('good'));
  await idle();
  assert.deepEqual(w.stored.map((one) => one.content), ['good']);
  assert.equal(w.shown[0].stage, 'failed');
  assert.equal(w.shown[0].reason, 'trop long');
  assert.equal(w.accepted.length, 1, 'never shown as accepted');
});

test('a_refused_message_can_be_tried_again_or_given_up', async () => {
  const w = world();
  const honest = w.answer;
  w.answer = () => ({ success: false, code: 'FORBIDDEN', error: 'non' });
  await w.outbox.add(entry('a'));
  await w.outbox.add(entry('b'));
  await idle();
  w.answer = honest;
  await w.outbox.retry('a');
  await idle();
  assert.deepEqual(w.stored.map((one) => one.content), ['a']);
  assert.equal((await w.outbox.discard('b')).content, 'b');
  assert.deepEqual(await w.storage.all('outbox'), []);
});

test('a_server_that_asks_for_patience_gets_it_and_order_is_kept', async () => {
  const w = world();
  const honest = w.answer;
  w.answer = () => ({ success: false, code: 'RATE_LIMITED', retryAfter: 4 });
  await w.outbox.add(entry('a'));
  await w.outbox.add(entry('b'));
  await idle();
  assert.equal(w.attempts, 1);
  await w.pass(3000);
  assert.equal(w.attempts, 1, 'not before the time');
  w.answer = honest;
  await w.pass(1500);
  await idle();
  assert.deepEqual(w.stored.map((one) => one.content), ['a', 'b']);
});

test('one_conversation_never_holds_up_another', async () => {
  const w = world();
  const honest = w.answer;
  w.answer = (request) => (request.conversationId === 1 ? new Promise(() => {}) : honest(request));
  await w.outbox.add(entry('a', 1));
  await w.outbox.add(entry('b', 2));
  await idle();
  assert.deepEqual(w.stored.map((one) => one.content), ['b']);
});

test('a_window_that_was_not_elected_sends_nothing', async () => {
  const w = world();
  w.outbox.elected = false;
  await w.outbox.add(entry('a'));
  await idle();
  assert.equal(w.attempts, 0);
  assert.equal((await w.storage.all('outbox')).length, 1, 'but it is there for the one that is');
});

test('what_another_window_stored_is_sent_and_what_is_being_written_is_not_forgotten', async () => {
  const w = world();
  w.up = false;
  await w.storage.put('outbox', { ...entry('other'), stage: 'queued', seq: 1 });
  const slow = w.storage.put;
  let written = () => {};
  w.storage.put = (store, record) => new Promise((resolve) => { written = () => resolve(slow(store, record)); });
  w.outbox.add(entry('mine'));
  await w.outbox.load();
  assert.deepEqual(w.outbox.entries.map((one) => one.content), ['other', 'mine']);
  written();
  await idle();
  w.up = true;
  w.outbox.work();
  await idle();
  assert.deepEqual(w.stored.map((one) => one.content), ['other', 'mine']);
});

test('files_are_uploaded_before_the_message_that_carries_them', async () => {
  const order = [];
  const w = world({ upload: async (file) => { order.push(`file ${file.key}`); return { id: 7 }; } });
  const honest = w.answer;
  w.answer = (request) => {
    order.push('message');
    assert.deepEqual(request.files, [7]);
    return honest(request);
  };
  await w.outbox.add(entry('a', 1, { files: [{ key: 'f', name: 'f.png' }] }));
  await idle();
  assert.deepEqual(order, ['file f', 'message']);
});

test('a_file_that_the_server_does_not_take_fails_its_message_with_the_reason', async () => {
  const w = world({ upload: async () => { throw Object.assign(new Error('trop lourd'), { code: 'TOO_LARGE' }); } });
  await w.outbox.add(entry('a', 1, { files: [{ key: 'f' }] }));
  await idle();
  assert.equal(w.attempts, 0);
  assert.equal(w.shown[0].stage, 'failed');
  assert.equal(w.shown[0].reason, 'trop lourd');
});

test('a_window_whose_turn_comes_sends_what_another_one_left', async () => {
  const storage = memory();
  const first = world({ storage });
  first.answer = () => Promise.reject(new Error('the connection went'));
  await first.outbox.add(entry('a'));
  await idle();
  first.outbox.rest();
  first.up = false;
  const second = world({ storage });
  await idle();
  assert.deepEqual(second.stored.map((one) => one.content), ['a']);
  assert.equal(first.attempts, 1);
  first.up = true;
  await first.pass(5000);
  assert.equal(first.attempts, 1, 'a window that rests sends nothing');
});

test('what_an_upload_has_begun_is_kept_with_the_message_that_waits_for_it', async () => {
  const w = world({ upload: () => new Promise(() => {}) });
  await w.outbox.add(entry('a', 1, { files: [{ key: 'f', name: 'f.png' }, { key: 'g', name: 'g.png' }] }));
  await w.outbox.patch('f', { upload: 12 });
  await w.outbox.patch('of no message', { upload: 13 });
  const [kept] = await w.storage.all('outbox');
  assert.deepEqual(kept.files.map(({ key, upload }) => [key, upload]), [['f', 12], ['g', undefined]]);
});

test('what_was_known_by_number_in_another_history_is_not_asked_for_in_this_one', async () => {
  const uploads = [];
  const w = world({ upload: async (file) => { uploads.push(file.upload); return { id: `again-${file.key}` }; } });
  w.clock = 1_800_000_000_000;
  w.up = false;
  const known = { key: 'f1', blob: new Blob(['a']), info: { id: 41 }, uploadedAt: w.clock };
  const begun = { key: 'f2', blob: new Blob(['b']), upload: 42 };
  await w.outbox.add(entry('a', 1, { replyToId: 7, files: [known, begun] }));
  await idle();
  await w.outbox.detach();
  w.up = true;
  w.outbox.work();
  await idle();
  assert.deepEqual(uploads, [undefined, undefined]);
  assert.deepEqual([w.stored[0].files, w.stored[0].replyToId], [['again-f1', 'again-f2'], undefined]);
});

test('a_file_that_was_uploaded_long_ago_is_uploaded_anew', async () => {
  const uploads = [];
  const w = world({ upload: async (file) => { uploads.push(file.key); return { id: `new ${file.key}` }; } });
  w.clock = 30 * 3_600_000;
  const sent = [];
  const honest = w.answer;
  w.answer = (request) => { sent.push(request.files); return honest(request); };
  const staged = (key, uploadedAt) => ({ key, blob: {}, info: { id: key }, uploadedAt });
  await w.outbox.add(entry('a', 1, { files: [staged('old', 0), staged('fresh', w.clock - 1_000)] }));
  await idle();
  assert.deepEqual(uploads, ['old']);
  assert.deepEqual(sent, [['new old', 'fresh']]);
});
