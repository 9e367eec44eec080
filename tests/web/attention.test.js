/** Reading: only what was seen is called read, and the line stands where attention ended. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Attention, SEEN_MS, unreadOf } from '../../web/core/attention.js';
import { fateOf, lastRead } from '../../web/core/receipts.js';

/** @param {number[]} ids that are looked at for long enough */
function looked(attention, ids, at = 0) {
  attention.look(ids, at);
  attention.look(ids, at + SEEN_MS);
}

test('the_mark_moves_over_an_unbroken_run_and_never_to_the_highest_one_seen', () => {
  const attention = new Attention();
  const unread = [11, 12, 13, 14, 15];
  looked(attention, [14, 15]);
  assert.equal(attention.run(unread), 0, 'what lies before was seen by nobody');
  looked(attention, [11, 12], 1_000);
  assert.equal(attention.run(unread), 12);
  assert.equal(attention.firstUnseen(unread), 13);
  looked(attention, [13], 2_000);
  assert.equal(attention.run(unread), 15);
  assert.equal(attention.firstUnseen(unread), null);
});

test('a_message_that_passes_by_is_not_read', () => {
  const attention = new Attention();
  attention.look([1], 0);
  attention.look([1], SEEN_MS - 50);
  assert.ok(attention.isLooking());
  attention.look([2], SEEN_MS);
  attention.look([1], SEEN_MS + 1);
  assert.equal(attention.run([1, 2]), 0);
  attention.lookAway();
  attention.look([1], 10 * SEEN_MS);
  assert.equal(attention.run([1, 2]), 0, 'the time away does not count');
});

const said = (id, senderId = 6, more = {}) => ({ id, senderId, ...more });

test('where_something_unread_may_lie_above_what_is_loaded_nothing_can_be_marked', () => {
  const items = [said(70), said(71, 1), said(72)];
  assert.deepEqual(unreadOf({ items, hasBefore: true }, 0, 1), []);
  assert.deepEqual(unreadOf({ items, hasBefore: true }, 69, 1), []);
  assert.deepEqual(unreadOf({ items, hasBefore: true }, 70, 1), [72]);
  assert.deepEqual(unreadOf({ items, hasBefore: false }, 0, 1), [70, 72]);
  assert.deepEqual(unreadOf({ items: [], hasBefore: false }, 0, 1), []);
});

test('own_and_deleted_messages_need_no_reading', () => {
  const items = [said(1), said(2, 1), said(3, 6, { isDeleted: true }), said(4)];
  assert.deepEqual(unreadOf({ items, hasBefore: false }, 0, 1), [1, 4]);
});

const own = (id, more = {}) => ({ id, senderId: 1, isRead: false, readAt: null, editedAt: null, isDeleted: false, ...more });

test('what_was_read_before_it_was_changed_is_not_called_read', () => {
  const readAt = '2026-11-25T08:32:00.000Z';
  assert.equal(fateOf(own(1), 0), 'sent');
  assert.equal(fateOf(own(1), 1), 'read');
  assert.equal(fateOf(own(1, { isRead: true, readAt }), 0), 'read');
  assert.equal(fateOf(own(1, { isRead: true, readAt, editedAt: '2026-11-25T08:31:59.999Z' }), 1), 'read');
  assert.equal(fateOf(own(1, { isRead: true, readAt, editedAt: '2026-11-25T08:33:00.000Z' }), 1), 'stale');
});

test('only_the_last_message_that_was_read_says_when', () => {
  const stale = { isRead: true, readAt: '2026-11-25T08:32:00.000Z', editedAt: '2026-11-25T08:33:00.000Z' };
  assert.equal(lastRead([own(1), own(2), { ...own(3), senderId: 6 }, own(4)], 3, 1), 2);
  assert.equal(lastRead([own(1), own(2, stale)], 2, 1), 1);
  assert.equal(lastRead([own(1)], 0, 1), null);
});
