/** The store: what each event makes of what the page knows. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Changes } from '../../web/client/changes.js';
import { titleOf } from '../../web/views/badge.js';
import { listed, pending, unreadTotal } from '../../web/core/conversations.js';
import { apply, initial } from '../../web/core/state.js';
import { WINDOW } from '../../web/core/timelines.js';

const me = { id: 1, name: 'Camille', role: 'client', isOnline: true, email: 'c@example.com' };
const peer = { id: 6, name: 'Claire', role: 'juriste', isOnline: false };

/** @param {number} id @param {object} [more] */
const message = (id, more = {}) => ({
  id, conversationId: 1, senderId: 6, content: `m${id}`, attachments: null, files: [], replyToId: null, reactions: [], isRead: false, readAt: null,
  isDeleted: false, deletedAt: null, editedAt: null, createdAt: new Date(1_800_000_000_000 + id * 1000).toISOString(), rev: id, ...more,
});
const conversation = (more = {}) => ({
  id: 1, clientId: 1, lawyerId: 6, client: me, lawyer: peer, lastMessageAt: null, lastMessageText: null, unreadCount: 0, lastReadMessageId: null,
  peerLastReadMessageId: null, rev: 0, isActive: true, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z', ...more,
});
const after = (state, ...events) => events.reduce(apply, state);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
const page = (messages, more = {}) => ({ type: 'pageLoaded', conversationId: 1, mode: 'replace', messages, hasBefore: false, hasAfter: false, rev: messages.at(-1)?.rev ?? 0, ...more });
const ready = (messages = [], more = {}) => after(initial(), { type: 'signedIn', me }, { type: 'conversationsLoaded', conversations: [conversation(more)] }, page(messages));
const ids = (state) => state.timelines[1].items.map((one) => one.id);

test('a_message_told_twice_stands_once', () => {
  const state = after(ready(), { type: 'messageReceived', message: message(1) }, { type: 'messageReceived', message: message(1) });
  assert.deepEqual(ids(state), [1]);
  assert.equal(state.conversations[1].unreadCount, 1);
});

test('messages_stand_in_order_of_id_whatever_order_they_arrive_in', () => {
  const state = after(ready([message(1)]), { type: 'messageReceived', message: message(3) }, { type: 'messageReceived', message: message(2) });
  assert.deepEqual(ids(state), [1, 2, 3]);
});

test('an_older_state_of_a_message_never_overwrites_a_newer_one', () => {
  const edited = message(1, { content: 'new', rev: 9 });
  const state = after(ready([message(1)]), { type: 'messageChanged', message: edited }, { type: 'messageReceived', message: message(1) }, page([message(1)], { mode: 'before' }));
  assert.equal(state.timelines[1].items[0].content, 'new');
});

test('what_is_quoted_follows_its_message', () => {
  const before = after(ready([message(9)]), { type: 'quoteLoaded', messageId: 3, message: message(3) });
  const state = apply(before, { type: 'messageChanged', message: message(3, { content: '', isDeleted: true, rev: 10 }) });
  assert.deepEqual([state.quotes[3].content, state.quotes[3].isDeleted], ['', true]);
  const missed = after(apply(before, page([message(9)], { hasBefore: true })), { type: 'synced', conversationId: 1, messages: [message(3, { content: 'autre', rev: 10 })], rev: 10 });
  assert.deepEqual([missed.quotes[3].content, ids(missed)], ['autre', [9]]);
});

test('what_is_quoted_and_could_not_be_fetched_is_asked_for_when_the_connection_is_back_or_it_is_shown_again', async (context) => {
  const { fetch } = globalThis;
  context.after(() => { globalThis.fetch = fetch; });
  let asked = 0;
  let isUp = false;
  globalThis.fetch = async () => {
    asked += 1;
    if (!isUp) throw new TypeError('no way out');
    return Response.json(message(3));
  };
  let state = ready([message(9)]);
  const dispatch = (event) => { state = apply(state, event); };
  const changes = new Changes(/** @type {any} */ ({ state: () => state, dispatch }));
  const drawn = async () => {
    const shown = changes.quoted(3);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
    return shown;
  };
  dispatch({ type: 'linkChanged', stage: 'down', at: 1 });
  for (let round = 0; round < 3; round += 1) assert.equal(await drawn(), null);
  assert.equal(asked, 1, 'not at each drawing');
  for (const event of [{ type: 'linkChanged', stage: 'up', at: 2 }, { type: 'opened', conversationId: 1 }]) {
    dispatch(event);
    await drawn();
  }
  assert.equal(asked, 3);
  isUp = true;
  dispatch({ type: 'opened', conversationId: 1 });
  await drawn();
  assert.equal((await drawn()).id, 3);
  dispatch({ type: 'linkChanged', stage: 'down', at: 3 });
  assert.equal((await drawn()).id, 3);
  assert.equal(asked, 4, 'what is there is not asked for');
});

test('a_read_mark_never_moves_backwards', () => {
  const state = after(ready(range(1, 5), { unreadCount: 5 }), { type: 'readMarked', conversationId: 1, userId: 1, messageId: 4 }, { type: 'readMarked', conversationId: 1, userId: 1, messageId: 2 });
  assert.equal(state.conversations[1].lastReadMessageId, 4);
  assert.equal(state.conversations[1].unreadCount, 1);
});

test('what_the_other_one_has_read_is_told_of_own_messages_only_up_to_the_mark', () => {
  const own = range(1, 3).map((one) => ({ ...one, senderId: 1 }));
  const state = after(ready(own), { type: 'readMarked', conversationId: 1, userId: 6, messageId: 2, at: '2026-03-02T14:32:00.000Z' });
  assert.deepEqual(state.timelines[1].items.map((one) => one.isRead), [true, true, false]);
  assert.equal(state.timelines[1].items[0].readAt, '2026-03-02T14:32:00.000Z');
});

test('reading_on_another_device_clears_the_count_here', () => {
  const state = after(ready([], { unreadCount: 3, rev: 3 }), { type: 'conversationChanged', conversation: conversation({ unreadCount: 0, lastReadMessageId: 3, rev: 3 }) });
  assert.equal(unreadTotal(state), 0);
});

test('a_list_fetched_before_an_event_does_not_undo_it', () => {
  const state = after(ready([]), { type: 'messageReceived', message: message(1) }, { type: 'conversationsLoaded', conversations: [conversation({ rev: 0 })] });
  assert.equal(state.conversations[1].lastMessageText, 'm1');
  assert.equal(state.conversations[1].unreadCount, 1);
});

test('own_messages_are_never_unread', () => {
  const state = after(ready(), { type: 'messageReceived', message: message(1, { senderId: 1 }) });
  assert.equal(unreadTotal(state), 0);
});

test('who_reads_further_up_keeps_what_is_being_read_and_new_messages_are_counted', () => {
  let state = after(ready(range(1, WINDOW)), { type: 'followed', conversationId: 1, following: false });
  for (let id = WINDOW + 1; id <= WINDOW + 200; id += 1) state = apply(state, { type: 'messageReceived', message: message(id) });
  const line = state.timelines[1];
  assert.equal(line.items[0].id, 1, 'the rows on the screen stay');
  assert.equal(line.missed, 200);
  assert.ok(line.items.length <= WINDOW + 101, `${line.items.length} rows`);
  assert.ok(line.hasAfter);
});

test('who_follows_the_end_keeps_a_window_of_it', () => {
  let state = ready(range(1, WINDOW));
  for (let id = WINDOW + 1; id <= WINDOW + 50; id += 1) state = apply(state, { type: 'messageReceived', message: message(id) });
  assert.equal(state.timelines[1].items.length, WINDOW + 50, 'a new row and a cut never fall into one change');
  state = apply(state, { type: 'trimmed', conversationId: 1 });
  assert.equal(state.timelines[1].items.length, WINDOW);
  assert.equal(state.timelines[1].items.at(-1).id, WINDOW + 50);
  assert.equal(state.timelines[1].missed, 0);
  assert.ok(state.timelines[1].hasBefore);
});

test('pages_above_push_the_far_end_out_and_pages_below_bring_it_back', () => {
  let state = apply(ready(range(301, 600)), { type: 'followed', conversationId: 1, following: false });
  state = apply(state, page(range(251, 300), { mode: 'before', hasBefore: true }));
  assert.equal(state.timelines[1].items.length, WINDOW);
  assert.ok(state.timelines[1].hasAfter);
  state = apply(state, page(range(551, 600), { mode: 'after', hasAfter: false }));
  assert.equal(state.timelines[1].items.at(-1).id, 600);
  assert.ok(!state.timelines[1].hasAfter);
  assert.ok(state.timelines[1].hasBefore);
});

test('a_page_above_that_comes_when_one_is_back_at_the_end_takes_nothing_away_there', () => {
  const state = apply(ready(range(301, 600)), page(range(251, 300), { mode: 'before', hasBefore: false }));
  assert.equal(state.timelines[1].items.at(-1).id, 600);
  assert.equal(state.timelines[1].items.length, WINDOW);
  assert.ok(state.timelines[1].hasBefore && !state.timelines[1].hasAfter);
});

test('catching_up_brings_new_edited_and_deleted_messages_and_read_marks', () => {
  const state = after(ready([message(1, { senderId: 1 }), message(2)]), {
    type: 'synced', conversationId: 1, rev: 6, reads: [{ userId: 6, messageId: 1, at: '2026-03-02T14:32:00.000Z' }],
    messages: [message(2, { rev: 4, content: 'edited' }), message(3, { rev: 5 }), message(1, { senderId: 1, rev: 6, isDeleted: true, content: '' })],
  });
  assert.deepEqual(ids(state), [1, 2, 3]);
  assert.equal(state.timelines[1].items[1].content, 'edited');
  assert.ok(state.timelines[1].items[0].isDeleted);
  assert.equal(state.timelines[1].rev, 6);
  assert.equal(state.conversations[1].peerLastReadMessageId, 1);
});

test('what_was_missed_before_a_message_that_came_first_is_put_in_its_place', () => {
  const synced = { type: 'synced', conversationId: 1, messages: range(2, 3), rev: 3 };
  assert.deepEqual(ids(after(ready(range(1, 1)), { type: 'messageReceived', message: message(3) }, synced)), [1, 2, 3]);
});

test('a_change_of_a_message_above_what_is_loaded_stays_there', () => {
  const edited = message(2, { content: 'new', rev: 20 });
  const above = after(ready(), page(range(5, 10), { hasBefore: true }), { type: 'synced', conversationId: 1, messages: [edited, message(11)], rev: 21 });
  assert.deepEqual(ids(above), [5, 6, 7, 8, 9, 10, 11]);
});

test('a_message_on_its_way_is_shown_until_the_timeline_has_it', () => {
  const entry = { clientMessageId: 'x', conversationId: 1, content: 'hello', files: [], replyToId: null, createdAt: '2026-01-01T00:00:00.000Z', stage: 'sending' };
  const waiting = apply(ready(), { type: 'outboxChanged', entries: [entry] });
  assert.equal(pending(waiting, 1).length, 1);
  const told = apply(waiting, { type: 'messageReceived', message: message(1, { senderId: 1, clientMessageId: 'x' }) });
  assert.equal(pending(told, 1).length, 0, 'shown once although the outbox still holds it');
});

test('parts_that_an_event_does_not_touch_keep_their_identity', () => {
  const before = ready(range(1, 3));
  const state = apply(before, { type: 'typed', conversationId: 1, userId: 6, until: 1 });
  assert.equal(state.timelines, before.timelines);
  assert.equal(state.conversations, before.conversations);
  const changed = apply(before, { type: 'messageChanged', message: message(2, { rev: 7 }) });
  assert.equal(changed.timelines[1].items[0], before.timelines[1].items[0]);
  assert.notEqual(changed.timelines[1].items[1], before.timelines[1].items[1]);
});

test('the_unanswered_are_those_where_the_client_had_the_last_word_longest_wait_first', () => {
  const all = [
    conversation({ id: 1, lastMessageSenderId: 1, lastMessageAt: '2026-01-03T00:00:00.000Z' }),
    conversation({ id: 2, lastMessageSenderId: 6, lastMessageAt: '2026-01-02T00:00:00.000Z' }),
    conversation({ id: 3, lastMessageSenderId: 1, lastMessageAt: '2026-01-01T00:00:00.000Z' }),
  ];
  const state = after(initial(), { type: 'signedIn', me }, { type: 'conversationsLoaded', conversations: all });
  assert.deepEqual(listed(state, 'unanswered').map((one) => one.id), [3, 1]);
  assert.deepEqual(listed(state, 'all').map((one) => one.id), [1, 2, 3]);
});

test('presence_changes_the_person_wherever_they_are_shown', () => {
  const state = apply(ready(), { type: 'presenceChanged', userId: 6, isOnline: true });
  assert.equal(state.conversations[1].lawyer.isOnline, true);
  assert.equal(apply(state, { type: 'presenceChanged', userId: 99, isOnline: true }), state);
});

test('signing_out_leaves_nothing_of_the_person_behind', () => {
  const state = apply(ready(range(1, 3)), { type: 'signedOut' });
  assert.deepEqual(state, initial());
});

test('an_unknown_event_is_a_fault_of_the_page', () => {
  assert.throws(() => apply(initial(), { type: 'nonsense' }), /nonsense/);
});

test('the_line_of_new_messages_is_gone_at_the_next_visit', () => {
  const state = after(ready(range(1, 3)), { type: 'unreadLineDrawn', conversationId: 1, messageId: 2 }, { type: 'opened', conversationId: null });
  assert.equal(state.timelines[1].unreadFrom, 2);
  assert.equal(apply(state, { type: 'opened', conversationId: 1 }).timelines[1].unreadFrom, null);
});

test('a_message_without_a_text_that_is_told_of_has_a_file_and_is_not_a_deleted_one', () => {
  const told = { type: 'notified', conversationId: 1, messageId: 1, senderId: 6, preview: '', unreadCount: 1, timestamp: '2026-01-01T00:00:00.000Z' };
  assert.equal(apply(ready(), told).conversations[1].lastMessageFileCount, 1);
});

test('the_title_tells_how_many_messages_wait_and_what_is_open', () => {
  const at = { name: 'conversation', id: 1, messageId: null };
  assert.equal(titleOf(ready(), { name: 'home' }), 'lexchat');
  assert.equal(titleOf(ready(), at), 'Claire · lexchat');
  assert.equal(titleOf(ready([], { unreadCount: 3 }), at), '(3) Claire · lexchat');
  assert.equal(titleOf(ready([], { unreadCount: 3 }), { name: 'me' }), '(3) Mon compte · lexchat');
  assert.equal(titleOf(initial(), at), 'lexchat', 'nobody is named before somebody is signed in');
});

test('another_history_makes_it_forget_all_that_it_knew_by_number', () => {
  const draft = { text: 'réponse', replyToId: 3, editingId: null, files: [] };
  const edit = { text: 'corrigé', replyToId: null, editingId: 2, files: [], aside: { text: 'en cours', replyToId: 1 } };
  const before = after(ready(range(1, 6), { rev: 6, lastReadMessageId: 6 }), { type: 'historySeen', history: 'a' }, { type: 'opened', conversationId: 1 },
    { type: 'draftChanged', conversationId: 1, draft }, { type: 'draftChanged', conversationId: 2, draft: edit },
    { type: 'quoteLoaded', messageId: 3, message: message(3) }, { type: 'outboxChanged', entries: [{ clientMessageId: 'x', conversationId: 1 }] });
  assert.equal(apply(before, { type: 'historySeen', history: 'a' }), before);
  const state = apply(before, { type: 'historySeen', history: 'b' });
  assert.deepEqual([state.conversations, state.timelines, state.quotes, state.listLoaded], [{}, {}, {}, false]);
  assert.deepEqual([state.me, state.openId, state.outbox.length, state.history], [me, 1, 1, 'b']);
  assert.deepEqual(state.drafts[1], { ...draft, replyToId: null, aside: null });
  assert.deepEqual([state.drafts[2].text, state.drafts[2].editingId], ['en cours', null]);
  const anew = after(state, { type: 'conversationsLoaded', conversations: [conversation({ rev: 4 })] }, page(range(1, 4)), { type: 'messageReceived', message: message(5, { content: 'another' }) });
  assert.deepEqual(ids(anew), [1, 2, 3, 4, 5]);
  assert.equal(anew.timelines[1].items[4].content, 'another');
  assert.equal(anew.conversations[1].lastReadMessageId, null);
});

test('the_first_history_that_is_named_changes_nothing_else', () => {
  const before = ready(range(1, 3));
  const state = apply(before, { type: 'historySeen', history: 'a' });
  assert.equal(state.timelines, before.timelines);
  assert.deepEqual(apply(state, { type: 'historySeen', history: 'a', contradicted: true }).timelines, {});
});

test('what_is_marked_as_unread_is_unread_again_and_what_only_this_page_knows_to_be_read_is_not', () => {
  const read = after(ready(range(1, 5), { unreadCount: 5, rev: 5 }), { type: 'readMarked', conversationId: 1, userId: 1, messageId: 5 });
  const before = { type: 'conversationChanged', conversation: conversation({ unreadCount: 3, lastReadMessageId: 2, rev: 5 }) };
  assert.deepEqual([after(read, before).conversations[1].lastReadMessageId, after(read, before).conversations[1].unreadCount], [5, 0], 'the server does not know it yet');
  const known = after(read, { type: 'readMarked', conversationId: 1, userId: 1, messageId: 5, unreadCount: 0 });
  const list = after(known, { type: 'conversationsLoaded', conversations: [before.conversation] });
  assert.equal(list.conversations[1].lastReadMessageId, 5, 'an answer may be older than an event');
  const back = after(known, before).conversations[1];
  assert.deepEqual([back.lastReadMessageId, back.unreadCount], [2, 3]);
  const again = after(after(known, before), { type: 'readMarked', conversationId: 1, userId: 1, messageId: 5 }).conversations[1];
  assert.deepEqual([again.lastReadMessageId, again.unreadCount], [5, 0]);
});
