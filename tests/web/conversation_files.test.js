/** The files of a conversation, and how one looks at them: order, months, sizes, fingers, pages of the server. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { byMonth, fitted, inOrder, swiped, withFiles, withMessages } from '../../web/core/files.js';

const file = (id, more = {}) => ({ id, url: `/attachments/${id}/f`, name: `f${id}`, mimeType: 'image/png', ...more });
const at = (...date) => new Date(...date).toISOString();

test('what_is_loaded_and_what_the_server_lists_are_one_row_of_files_and_none_stands_twice', () => {
  const loaded = withMessages(new Map(), [
    { id: 7, createdAt: at(2026, 10, 3), files: [file(4), file(5)] },
    { id: 8, createdAt: at(2026, 10, 4), files: [] },
  ]);
  assert.deepEqual(inOrder(loaded).map(({ id, messageId }) => [id, messageId]), [[4, 7], [5, 7]]);
  const whole = withFiles(loaded, [file(5, { createdAt: at(2026, 9, 31), messageId: 7 }), file(2, { createdAt: at(2026, 1, 1), messageId: 3 })]);
  assert.deepEqual(inOrder(whole).map(({ id }) => id), [2, 4, 5]);
  assert.equal(whole.get(5)?.createdAt, at(2026, 9, 31), 'the server knows when it arrived');
  const again = withMessages(whole, [{ id: 7, createdAt: at(2026, 10, 3), files: [file(5)] }]);
  assert.equal(again.get(5)?.createdAt, at(2026, 9, 31), 'and what it said is kept');
});

test('the_files_of_a_deleted_message_are_gone_from_all_that_was_found', () => {
  const known = withFiles(new Map(), [file(2, { messageId: 3 }), file(4, { messageId: 7 }), file(5, { messageId: 7 })]);
  const after = withMessages(known, [{ id: 7, createdAt: at(2026, 10, 3), files: [], isDeleted: true }]);
  assert.deepEqual([...after.keys()], [2]);
  assert.equal(known.size, 3, 'what was known before is left as it was');
});

test('files_stand_under_their_month_the_latest_first_also_over_a_new_year', () => {
  const files = [file(9, { createdAt: at(2027, 0, 2) }), file(8, { createdAt: at(2026, 11, 31) }), file(7, { createdAt: at(2026, 11, 1) }), file(6, { createdAt: at(2025, 11, 9) })];
  assert.deepEqual(byMonth(files, 'fr').map(({ month, files: of }) => [month, of.map(({ id }) => id)]),
    [['janvier 2027', [9]], ['décembre 2026', [8, 7]], ['décembre 2025', [6]]]);
  assert.equal(byMonth(files, 'en')[0].month, 'January 2027');
  // A file that waited in the composer is older than its number says.
  const late = [file(3, { createdAt: at(2026, 9, 31) }), file(2, { createdAt: at(2026, 10, 1) }), file(1, { createdAt: at(2026, 9, 30) })];
  assert.deepEqual(byMonth(late, 'fr').map(({ files: of }) => of.map(({ id }) => id)), [[2], [3, 1]], 'each month stands once');
  assert.deepEqual(byMonth([], 'fr'), []);
});

test('a_picture_fits_its_room_turned_or_not_and_a_small_one_is_not_blown_up', () => {
  const room = { width: 1000, height: 600 };
  assert.deepEqual(fitted({ width: 2000, height: 1000 }, room, 0, 1), { width: 1000, height: 500, across: 1000, down: 500 });
  assert.deepEqual(fitted({ width: 2000, height: 1000 }, room, 1, 1), { width: 600, height: 300, across: 300, down: 600 });
  assert.deepEqual(fitted({ width: 2000, height: 1000 }, room, 3, 1), fitted({ width: 2000, height: 1000 }, room, 1, 1));
  assert.deepEqual(fitted({ width: 2000, height: 1000 }, room, 4, 2), { width: 2000, height: 1000, across: 2000, down: 1000 });
  assert.deepEqual(fitted({ width: 48, height: 32 }, room, 0, 1), { width: 48, height: 32, across: 48, down: 32 });
});

test('a_finger_that_is_pulled_aside_walks_and_one_that_taps_or_scrolls_does_not', () => {
  const from = { x: 200, y: 300 };
  for (const [x, y, step] of [[120, 310, 1], [280, 290, -1], [200, 300, 0], [170, 300, 0], [120, 240, 0], [200, 100, 0]]) {
    assert.equal(swiped(from, { x, y }), step, `${x}, ${y}`);
  }
});

test('the_pages_of_the_server_follow_each_other_to_the_end_and_a_pdf_is_never_taken_for_a_page', async (ctx) => {
  const asked = [];
  globalThis.localStorage ??= /** @type {any} */ ({ getItem: () => null, setItem() {}, removeItem() {} });
  ctx.mock.method(globalThis, 'fetch', async (path) => {
    asked.push(path);
    if (path.startsWith('/attachments/')) return new Response('%PDF-1.4 <script>alert(1)</script>', { headers: { 'Content-Type': 'text/html' } });
    const isFirst = !path.includes('before');
    return new Response(JSON.stringify([file(isFirst ? 9 : 1)]), { headers: isFirst ? { Link: '</conversations/3/files?before=9&limit=200>; rel="next"' } : {} });
  });
  const { filesPage, pdfAddress } = await import('../../web/client/conversation_files.js');
  const first = await filesPage(3);
  assert.deepEqual([first.files[0].id, first.next], [9, '/conversations/3/files?before=9&limit=200']);
  const second = await filesPage(3, first.next);
  assert.deepEqual([second.files[0].id, second.next], [1, null]);
  assert.deepEqual(asked, ['/conversations/3/files?limit=200', '/conversations/3/files?before=9&limit=200']);
  const made = ctx.mock.method(URL, 'createObjectURL');
  const address = await pdfAddress('/attachments/7/x', new AbortController().signal);
  assert.match(address, /^blob:/);
  assert.equal(made.mock.calls[0].arguments[0].type, 'application/pdf', 'whatever the answer says that it is');
  URL.revokeObjectURL(address);
});
