/** Drafts: what is being written is never lost to an edit, an answer or a message that came back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createStore } from '../../web/core/store.js';
import { memory } from '../../web/client/storage.js';

globalThis.addEventListener ??= () => {};
const { textOf } = await import('../../web/client/refusals.js');
const { Drafts } = await import('../../web/client/drafts.js');
const { move, rename } = await import('../../web/client/staging.js');

function made() {
  const drafts = new Drafts({ storage: memory(), store: createStore(), upload: () => new Promise(() => {}) });
  drafts.set(1, { text: 'commencé', replyToId: 4 });
  return drafts;
}

test('who_edits_a_message_finds_the_draft_again', () => {
  const drafts = made();
  drafts.set(1, { files: [{ key: 'f', info: {} }] });
  drafts.beginEdit(1, { id: 9, content: 'ancien' });
  assert.deepEqual([drafts.find(1).text, drafts.find(1).editingId, drafts.find(1).replyToId], ['ancien', 9, null]);
  drafts.beginEdit(1, { id: 8, content: 'un autre' });
  drafts.endEdit(1);
  assert.deepEqual([drafts.find(1).text, drafts.find(1).editingId, drafts.find(1).replyToId], ['commencé', null, 4]);
  assert.equal(drafts.find(1).files.length, 1);
});

test('answering_while_editing_ends_the_edit_and_keeps_the_draft', () => {
  const drafts = made();
  drafts.beginEdit(1, { id: 9, content: 'ancien' });
  drafts.answer(1, 5);
  assert.deepEqual([drafts.find(1).text, drafts.find(1).editingId, drafts.find(1).replyToId], ['commencé', null, 5]);
});

test('a_message_that_is_taken_back_stands_before_what_is_being_written', () => {
  const drafts = made();
  drafts.takeBack(1, { content: 'refusé', replyToId: null, files: [{ key: 'f' }] });
  assert.deepEqual([drafts.find(1).text, drafts.find(1).replyToId], ['refusé\n\ncommencé', 4]);
  assert.equal(drafts.find(1).files.length, 1);
});

test('an_edit_without_a_draft_leaves_nothing_behind', () => {
  const drafts = new Drafts({ storage: memory(), store: createStore(), upload: () => new Promise(() => {}) });
  drafts.beginEdit(1, { id: 9, content: 'ancien' });
  drafts.endEdit(1);
  assert.deepEqual(drafts.store.state().drafts, {});
});

test('what_a_message_may_carry_is_what_the_server_says', async () => {
  const drafts = made();
  const file = (name, size) => /** @type {any} */ ({ name, size, type: 'text/plain' });
  const names = () => drafts.find(1).files.map((one) => one.name);
  drafts.store.dispatch({ type: 'signedIn', me: { id: 1, limits: { fileBytes: 2_048, filesPerMessage: 2 } } });
  assert.deepEqual(drafts.stage(1, [file('trop grand', 2_049), file('juste', 2_048)]), ['tooLarge', { bytes: 2_048 }]);
  assert.deepEqual(drafts.stage(1, [file('deux', 1), file('trois', 1)]), ['tooMany', { n: 2 }]);
  assert.match(await textOf('tooLarge', { bytes: 2_048 }), /2 Ko/);
  assert.match(await textOf('tooMany', { n: 2 }), /: 2 au plus/);
  assert.deepEqual(names(), ['juste', 'deux']);
  drafts.store.dispatch({ type: 'signedIn', me: { id: 1 } });
  assert.equal(drafts.stage(1, [file('inconnu', 2 ** 40)]), null, 'what is not known is left to the server');
});

test('a_file_that_is_renamed_is_uploaded_under_its_new_name_and_stays_in_its_place', async () => {
  const uploads = [];
  const upload = (file, _, { signal }) => {
    uploads.push({ name: file.name, signal });
    return file.name === 'IMG_1.jpg' ? new Promise(() => {}) : Promise.resolve({ id: uploads.length, name: file.name });
  };
  const drafts = new Drafts({ storage: memory(), store: createStore(), upload });
  const file = (name) => /** @type {any} */ ({ name, size: 3, type: 'text/plain' });
  drafts.stage(1, [file('IMG_1.jpg'), file('b.txt'), file('c.txt')]);
  const [first, second] = drafts.find(1).files;
  rename(drafts, 1, first.key, ' bail\u202E signé.jpg ');
  assert.equal(uploads[0].signal.aborted, true, 'nobody waits for the upload under the name of before');
  rename(drafts, 1, second.key, 'b.txt');
  rename(drafts, 1, second.key, ' \u202E ');
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(uploads.map((one) => one.name), ['IMG_1.jpg', 'b.txt', 'c.txt', 'bail signé.jpg']);
  assert.deepEqual(drafts.find(1).files.map((one) => one.info?.name), ['bail signé.jpg', 'b.txt', 'c.txt']);
  assert.ok(drafts.find(1).files.every((one) => one.blob && !one.error), 'what was stopped is no failure');
});

test('files_go_in_the_order_that_they_were_put_in', () => {
  const drafts = made();
  drafts.set(1, { files: ['a', 'b', 'c'].map((key) => ({ key, info: {} })) });
  const order = () => drafts.find(1).files.map((one) => one.key).join('');
  move(drafts, 1, 'c', 0);
  assert.equal(order(), 'cab');
  move(drafts, 1, 'c', 1);
  assert.equal(order(), 'acb');
  move(drafts, 1, 'a', 9);
  assert.equal(order(), 'cba');
  move(drafts, 1, 'unknown', 0);
  assert.equal(order(), 'cba');
});
