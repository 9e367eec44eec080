/** From draft to message: nothing goes out without its files, nothing is lost, nothing is said twice. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createStore } from '../../web/core/store.js';
import { memory } from '../../web/client/storage.js';
import { gist, readMoment, spoken } from '../../web/views/wording.js';

globalThis.addEventListener ??= () => {};
const { Drafts } = await import('../../web/client/drafts.js');
const { textOf } = await import('../../web/client/refusals.js');
await textOf('empty');
const { Sending } = await import('../../web/client/sending.js');

/** A client with its parts, and uploads that end as a test says. */
function made({ upload = async (file) => ({ id: file.key }), storage = memory(), tellOthers = () => {}, isAttended = () => true } = {}) {
  const store = createStore();
  const client = {
    me: { id: 1 }, store, storage, others: null, notices: [], sent: [], up: false, upload,
    state: () => store.state(),
    dispatch: (event) => store.dispatch(event),
    refuse: (why, values) => textOf(why, values).then((text) => client.notices.push(['alert', text])),
    socket: { isUp: () => client.up, ask: async (_, request) => { client.sent.push(request); return { success: true, message: { id: 1, ...request } }; } },
    typing: { ended() {} },
    timelines: { inOrder() {}, line: (id) => store.state().timelines[id] },
    changes: { edit: async () => true },
  };
  client.drafts = new Drafts({ storage, store, upload: (...given) => client.upload(...given), tellOthers, isAttended });
  client.sending = new Sending(client);
  client.sending.outbox.elect();
  return client;
}
const idle = async () => { for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve)); };
const failing = (code) => async () => { throw Object.assign(new Error('raison'), { code }); };
const file = (name = 'contrat.docx') => /** @type {any} */ ({ name, size: 3, type: 'text/plain' });

test('a_message_waits_for_a_file_that_could_not_be_uploaded_yet_and_goes_with_it', async () => {
  const client = made({ upload: failing('OFFLINE') });
  client.drafts.stage(1, [file()]);
  client.drafts.set(1, { text: 'Voici le contrat signé' });
  await idle();
  assert.equal(client.sending.send(1), true);
  assert.equal(client.sending.outbox.entries[0].files.length, 1, 'the file goes with it');
  client.up = true;
  client.sending.outbox.work();
  await idle();
  assert.deepEqual(client.sent, [], 'never without it');
  client.upload = async () => ({ id: 42 });
  client.sending.outbox.pauses.clear();
  client.sending.outbox.work();
  await idle();
  assert.deepEqual(client.sent.map(({ content, files }) => [content, files]), [['Voici le contrat signé', [42]]]);
});

test('enter_in_the_moment_of_choosing_sends_both', async () => {
  let finish = (_) => {};
  const client = made({ upload: () => new Promise((resolve) => { finish = resolve; }) });
  client.up = true;
  client.drafts.stage(1, [file()]);
  client.drafts.set(1, { text: 'Voici' });
  assert.equal(client.sending.send(1), true);
  await idle();
  assert.deepEqual(client.sent, []);
  finish({ id: 9 });
  await idle();
  assert.deepEqual(client.sent.map(({ files }) => files), [[9]]);
});

for (const code of ['TOO_LARGE', 'INVALID', 'FORBIDDEN', 'UNREADABLE', 'NOT_FOUND']) {
  test(`a_file_that_was_refused_keeps_the_message_back_and_says_which ${code}`, async () => {
    const client = made({ upload: failing(code) });
    client.drafts.stage(1, [file()]);
    client.drafts.set(1, { text: 'Voici' });
    await idle();
    assert.equal(client.sending.send(1), false);
    await idle();
    assert.match(client.notices[0][1], /contrat\.docx/);
    assert.equal(client.drafts.find(1).text, 'Voici', 'it stays in the composer');
    assert.equal(client.sending.outbox.entries.length, 0);
    client.drafts.unstage(1, client.drafts.find(1).files[0].key);
    assert.equal(client.sending.send(1), true);
  });
}

test('a_file_that_is_refused_on_the_way_fails_its_message_by_name_and_lets_the_next_one_pass', async () => {
  const client = made({ upload: failing('OFFLINE') });
  client.drafts.stage(1, [file()]);
  await idle();
  client.sending.send(1);
  client.upload = failing('TOO_LARGE');
  client.up = true;
  client.sending.outbox.work();
  client.drafts.set(1, { text: 'ensuite' });
  client.sending.send(1);
  await idle();
  const [failed] = client.sending.outbox.entries;
  assert.deepEqual([failed.stage, failed.reason], ['failed', 'contrat.docx : raison']);
  assert.deepEqual(client.sent.map(({ content }) => content), ['ensuite']);
  await client.sending.reword(failed.clientMessageId);
  assert.equal(client.drafts.find(1).files.length, 1, 'the file comes back with it');
});

test('what_waits_for_its_file_can_be_given_up_and_holds_up_nothing', async () => {
  const stops = [];
  const client = made({ upload: (_, __, { signal }) => new Promise((_, reject) => { stops.push(signal); signal.addEventListener('abort', () => reject(Object.assign(new Error('stopped'), { code: 'CANCELLED' }))); }) });
  client.up = true;
  client.drafts.stage(1, [file()]);
  client.sending.send(1);
  client.drafts.set(1, { text: 'ensuite' });
  client.sending.send(1);
  await idle();
  const [{ clientMessageId, stage }] = client.sending.outbox.entries;
  assert.equal(stage, 'queued');
  assert.ok(await client.sending.outbox.discard(clientMessageId));
  await idle();
  assert.ok(stops.some((signal) => signal.aborted));
  assert.deepEqual(client.sent.map(({ content }) => content), ['ensuite']);
});

test('a_message_that_storage_does_not_take_lives_on_in_memory_whatever_other_windows_do', async () => {
  const storage = { ...memory(), put: async () => { throw new Error('full'); } };
  const client = made({ storage });
  client.drafts.set(1, { text: 'gardé' });
  client.sending.send(1);
  await idle();
  await client.sending.outbox.load();
  assert.deepEqual(client.sending.outbox.entries.map((entry) => entry.content), ['gardé']);
});

test('an_over_long_message_stays_in_the_composer_with_its_numbers', async () => {
  const client = made();
  client.drafts.set(1, { text: 'x'.repeat(10_399) });
  assert.equal(client.sending.send(1), false);
  await idle();
  assert.match(client.notices[0][1], /10.399.*10.000/);
  assert.equal(client.drafts.find(1).text.length, 10_399);
});

test('an_edit_without_text_is_not_saved_and_says_why_unless_files_remain', async () => {
  const client = made();
  client.drafts.beginEdit(1, { id: 5, content: 'ancien' });
  client.drafts.set(1, { text: '  ' });
  assert.equal(client.sending.send(1), false);
  await idle();
  assert.equal(client.notices.length, 1);
  client.timelines.line = () => ({ items: [{ id: 5, files: [{ url: 'x' }], attachments: null }] });
  assert.equal(client.sending.send(1), true);
});

test('what_one_window_sent_leaves_the_other_and_what_was_changed_there_is_another_message', async () => {
  const storage = memory();
  const told = [];
  const one = made({ storage, tellOthers: (message) => told.push(message) });
  const two = made({ storage, isAttended: () => false });
  one.drafts.set(1, { text: 'bonjour' });
  one.drafts.flush();
  await idle();
  for (const message of told.splice(0)) await two.drafts.heard(message);
  assert.equal(two.drafts.find(1).text, 'bonjour', 'taken over where nobody writes');
  assert.equal(two.drafts.find(1).id, one.drafts.find(1).id);
  const { id } = one.drafts.find(1);
  one.sending.send(1);
  await idle();
  assert.equal(one.sending.outbox.entries[0].clientMessageId, id, 'sent in both it would still be one message');
  const sent = told.find((message) => message.sent);
  const three = made({ isAttended: () => true });
  three.drafts.set(1, { id, text: 'bonjour à tous' });
  await three.drafts.heard(sent);
  assert.equal(three.drafts.find(1).text, 'bonjour à tous');
  assert.notEqual(three.drafts.find(1).id, id);
  await two.drafts.heard(sent);
  assert.equal(two.drafts.find(1).text, '');
});

test('what_somebody_is_writing_is_not_overwritten_by_another_window', async () => {
  const storage = memory();
  const mine = made({ storage, isAttended: () => true });
  mine.drafts.set(1, { text: 'brouillon A' });
  await storage.put('drafts', { conversationId: 1, id: 'x', text: 'brouillon B', files: [], replyToId: null, editingId: null });
  await mine.drafts.heard({ draft: 1 });
  assert.equal(mine.drafts.find(1).text, 'brouillon A');
  const empty = made({ storage, isAttended: () => true });
  await empty.drafts.heard({ draft: 1 });
  assert.equal(empty.drafts.find(1).text, 'brouillon B', 'an empty box takes over what was written before it was looked at');
});

test('answering_a_selected_part_quotes_it_before_what_is_written', () => {
  const client = made();
  client.drafts.set(1, { text: 'ma réponse' });
  client.drafts.answer(1, 4, 'un\ndeux');
  assert.deepEqual([client.drafts.find(1).replyToId, client.drafts.find(1).text], [4, '> un\n> deux\n\nma réponse']);
  client.drafts.answer(1, 4, '  ');
  assert.equal(client.drafts.find(1).text, '> un\n> deux\n\nma réponse');
});

const message = (more = {}) => ({ id: 1, senderId: 6, content: 'Bonjour', files: [], reactions: [], createdAt: new Date(2026, 10, 25, 8, 32).toISOString(), readAt: null, editedAt: null, isDeleted: false, ...more });
const row = (more = {}, props = {}) => ({ message: message(more), own: false, author: { name: 'Hélène Rousseau' }, peer: { name: 'Hélène Rousseau' }, myId: 1, fate: 'sent', quote: null, ...props });

test('a_message_is_spoken_as_a_whole_sentence', () => {
  assert.equal(spoken(row()), 'Hélène Rousseau, 08:32, Bonjour');
  const full = row({ replyToId: 3, files: [{ name: 'plan.png' }], reactions: [{ emoji: '👍', userIds: [1] }], editedAt: '2026-11-25T09:00:00.000Z' }, { quote: { senderId: 1 }, fate: 'stale' });
  assert.equal(spoken(full), 'Hélène Rousseau, 08:32, Réponse à vous-même, Bonjour, 1 fichier : plan.png, 👍, modifié après votre lecture');
  assert.match(spoken(row({}, { own: true })), /^Vous, 08:32, Bonjour, Envoyé$/);
  assert.match(spoken(row({}, { own: true, fate: 'stale' })), /Lu avant la modification$/);
  assert.equal(spoken(row({ isDeleted: true, content: '' })), 'Hélène Rousseau, 08:32, Message supprimé');
  assert.match(spoken({ ...row({}, { own: true }), message: undefined, entry: { ...message(), stage: 'failed' } }), /Non envoyé$/);
});

test('a_receipt_has_its_day_unless_it_is_that_of_the_message', () => {
  const at = (...date) => new Date(...date).toISOString();
  assert.equal(readMoment(message({ readAt: at(2026, 10, 25, 13, 32) })), 'Lu à 13:32');
  assert.match(readMoment(message({ createdAt: at(2020, 10, 25, 8, 32), readAt: at(2020, 10, 28, 13, 32) })), /^Lu · 28 nov\. 2020 13:32$/);
  assert.equal(readMoment(message()), 'Lu');
  const now = new Date();
  const before = new Date(now.getTime() - 3 * 86_400_000);
  assert.match(readMoment(message({ createdAt: before.toISOString(), readAt: now.toISOString() })), /^Lu · aujourd’hui \d\d:\d\d$/);
});

test('a_message_that_was_deleted_is_called_so_wherever_it_is_quoted', () => {
  assert.equal(gist({ isDeleted: true, content: '', files: [] }), 'Message supprimé');
  assert.equal(gist({ content: '', files: [{}, {}] }), '2 fichiers');
  assert.equal(gist(null), '…');
  // Files that lie somewhere else are files; one that is stored here stands in both.
  const url = '/attachments/4/plan.png';
  const elsewhere = message({ content: '', files: [{ url, name: 'plan.png' }], attachments: [url, 'https://exemple.fr/bail.pdf'] });
  assert.equal(gist(elsewhere, 1), '2 fichiers');
  assert.match(spoken(row(elsewhere)), /2 fichiers\u00a0: plan\.png, https:\/\/exemple\.fr\/bail\.pdf$/);
  assert.equal(gist({ content: '', files: [], attachments: ['https://exemple.fr/a'] }, 1), '1 fichier');
});

test('what_is_too_old_to_be_changed_is_not_offered_for_it', () => {
  const client = made();
  const ago = (seconds) => new Date(Date.now() - seconds * 1_000).toISOString();
  const said = (id, seconds, more = {}) => ({ id, conversationId: 1, senderId: 1, content: 'x', createdAt: ago(seconds), isDeleted: false, ...more });
  client.store.dispatch({ type: 'signedIn', me: { id: 1, limits: { editWindow: 60 } } });
  client.sending.beginEdit(1, said(1, 61));
  assert.equal(client.drafts.find(1).editingId, null);
  client.sending.beginEdit(1, said(3, 5, { kind: 'invoice' }));
  assert.equal(client.drafts.find(1).editingId, null, 'what the server wrote');
  client.sending.beginEdit(1, said(2, 59));
  assert.equal(client.drafts.find(1).editingId, 2);
  client.store.dispatch({ type: 'signedIn', me: { id: 1, limits: { editWindow: 0 } } });
  client.sending.beginEdit(1, said(1, 90_000));
  assert.equal(client.drafts.find(1).editingId, 1, '0 = always');
});
