/** What browsers refuse: storage that is blocked, full or silent, a connection that is not secure, a clock that is wrong. */
import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.addEventListener ??= () => {};
const { shared, own } = await import('../../web/client/kept.js');
const { open, memory } = await import('../../web/client/storage.js');
const { unique, uniqueInTime } = await import('../../web/core/ids.js');
const clock = await import('../../web/core/clock.js');
const { pastedFiles } = await import('../../web/core/pasting.js');
const { uploadKept } = await import('../../web/client/uploads.js');
const { election } = await import('../../web/client/outbox.js');
const { initials, visible } = await import('../../web/core/format.js');

/** @param {string} name @param {PropertyDescriptor} property */
function given(name, property) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { configurable: true, ...property });
  return () => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]);
}

test('a_browser_that_blocks_storage_keeps_in_memory_and_never_throws', () => {
  const blocked = { get() { throw new DOMException('blocked', 'SecurityError'); } };
  const ends = [given('localStorage', blocked), given('sessionStorage', blocked)];
  for (const kept of [shared, own]) {
    assert.equal(kept.get('a'), null);
    kept.setJson('a', { b: 1 });
    assert.deepEqual(kept.getJson('a'), { b: 1 });
    assert.equal(kept.isDurable(), false);
    kept.set('a', null);
    assert.equal(kept.get('a'), null);
  }
  ends.forEach((end) => end());
});

test('full_storage_leaves_no_older_value_behind', () => {
  const held = new Map([['token', '"old"']]);
  const storage = { getItem: (name) => held.get(name) ?? null, setItem: () => { throw new DOMException('full', 'QuotaExceededError'); }, removeItem: (name) => held.delete(name) };
  const end = given('localStorage', { value: storage });
  shared.setJson('token', 'new');
  assert.equal(shared.getJson('token'), 'new');
  assert.equal(held.has('token'), false, 'a reload must not find the token that was traded');
  end();
});

test('a_database_that_never_opens_is_not_waited_for', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  for (const indexedDB of [{ open: () => ({}) }, { open: () => { throw new DOMException('no', 'SecurityError'); } }]) {
    const end = given('indexedDB', { value: indexedDB });
    const opening = open(1);
    context.mock.timers.tick(3_000);
    assert.equal((await opening).durable, false);
    end();
  }
  const end = given('indexedDB', { get() { throw new DOMException('blocked', 'SecurityError'); } });
  assert.equal((await open(1)).durable, false);
  end();
});

test('ids_need_no_secure_connection', () => {
  const end = given('crypto', { value: { getRandomValues: crypto.getRandomValues.bind(crypto) } });
  assert.match(unique(), /^[0-9a-f]{32}$/);
  assert.ok(uniqueInTime().length <= 64);
  assert.equal(new Set(Array.from({ length: 1_000 }, unique)).size, 1_000);
  end();
});

test('without_locks_or_where_they_are_refused_this_window_sends', async () => {
  const locks = [undefined, { request: () => Promise.reject(new DOMException('no', 'SecurityError')) }, { get request() { throw new DOMException('no', 'SecurityError'); } }];
  for (const one of locks) {
    const end = given('navigator', { value: { locks: one } });
    await new Promise((resolve) => election(1, new AbortController().signal, () => resolve(undefined)));
    end();
  }
});

test('a_clock_that_is_wrong_by_hours_is_set_by_the_server_and_a_slow_answer_sets_nothing', () => {
  clock.heard(new Date(Date.now() + 7_200_000).toUTCString());
  assert.ok(Math.abs(clock.now() - Date.now() - 7_200_000) < 2_000);
  clock.heard('nonsense');
  clock.heard(null);
  assert.ok(Math.abs(clock.now() - Date.now() - 7_200_000) < 2_000);
  clock.heard(new Date(Date.now() - 5_000).toUTCString());
  assert.ok(Math.abs(clock.now() - Date.now()) < 1_000);
});

test('a_clipboard_is_about_files_only_where_there_is_no_other_text', () => {
  const clipboard = (text, ...names) => ({ files: names.map((name) => ({ name })), getData: () => text });
  const names = (data) => pastedFiles(data).map((file) => file.name);
  assert.deepEqual(names(clipboard('', 'image.png')), ['image.png']);
  assert.deepEqual(names(clipboard('Loyer\t850\nCharges\t60', 'image.png')), [], 'cells of a spreadsheet are text');
  assert.deepEqual(names(clipboard('bail.pdf', 'bail.pdf')), ['bail.pdf'], 'some systems give the name of a file as text');
  assert.deepEqual(names(clipboard('a.pdf\nb.pdf', 'a.pdf', 'b.pdf')), ['a.pdf', 'b.pdf']);
  assert.deepEqual(pastedFiles(null), []);
});

test('folders_are_parted_from_files', async () => {
  const { parted } = await import('../../web/views/drags.js');
  const item = (isDirectory) => ({ kind: 'file', webkitGetAsEntry: () => (isDirectory === null ? null : { isDirectory }) });
  const of = (...items) => ({ items: [{ kind: 'string' }, ...items], files: items.map((_, at) => ({ name: `f${at}` })) });
  const names = ({ files, hasFolders }) => [files.map(({ name }) => name), hasFolders];
  assert.deepEqual(names(parted(of(item(false), item(true), item(null)))), [['f0', 'f2'], true]);
  assert.deepEqual(names(parted(of({ kind: 'file' }))), [['f0'], false], 'where a browser does not say');
});

test('a_file_that_was_changed_on_disk_goes_from_the_copy_in_storage_or_says_so', async () => {
  const gone = Object.assign(new Error('changed'), { code: 'UNREADABLE' });
  const send = async (file) => {
    if (file.blob !== 'copy') throw gone;
    return { id: 7 };
  };
  const file = { key: 'f', name: 'contrat.docx', blob: 'disk' };
  const storage = { ...memory(), file: async (key) => (key === 'f' ? 'copy' : undefined) };
  assert.deepEqual(await uploadKept(storage, file, 1, {}, send), { id: 7 });
  await assert.rejects(uploadKept(memory(), file, 1, {}, send), gone);
  const offline = Object.assign(new Error('offline'), { code: 'OFFLINE' });
  await assert.rejects(uploadKept(storage, file, 1, {}, async () => { throw offline; }), offline);
});

test('names_are_shown_as_they_are', () => {
  assert.equal(visible('facture\u202Efdp.exe'), 'facturefdp.exe');
  for (const [name, letters] of [['M. et Mme Perrault (indivision)', 'P'], ['Mme Anne Roux', 'AR'], ['Etienne Petit', 'EP']]) assert.equal(initials(name), letters, name);
});

test('a_notification_goes_by_the_worker_or_by_the_page_and_where_neither_may_nothing_breaks', async () => {
  const { show } = await import('../../web/app/notification.js');
  const app = /** @type {any} */ ({ store: { state: () => ({ conversations: {}, me: null }) }, go() {} });
  const message = { conversationId: 3, senderName: 'Camille Moreau' };
  const told = [];
  const worker = (registration) => given('navigator', { value: { serviceWorker: { getRegistration: async () => registration } } });
  const pages = (make) => [given('Notification', { value: make }), given('window', { value: { Notification: make } })];
  const forbidden = class { static permission = 'granted'; constructor() { throw new TypeError('Illegal constructor'); } };
  for (const [registration, Page, expected] of [
    [{ active: true, showNotification: async (title, { data }) => told.push(['worker', data.open]) }, forbidden, ['worker', '/c/3']],
    [undefined, class { static permission = 'granted'; constructor(title, { data }) { told.push(['page', data.open]); } }, ['page', '/c/3']],
    [{ active: true, showNotification: async () => { throw new TypeError('no permission'); } }, forbidden, undefined],
    [undefined, forbidden, undefined],
  ]) {
    told.length = 0;
    const ends = [worker(registration), ...pages(Page)];
    await show(app, message);
    assert.deepEqual(told[0], expected);
    ends.forEach((end) => end());
  }
});

test('what_cannot_be_copied_is_told_and_a_message_without_a_text_empties_no_clipboard', async () => {
  const { copy } = await import('../../web/app/copy.js');
  const written = [];
  const box = { select() {}, remove() {} };
  const page = { querySelector: () => null, activeElement: null, createElement: () => box, body: { append() {} }, execCommand: () => false };
  const notices = [];
  const app = /** @type {any} */ ({ client: { notice: (text, tone) => notices.push([text, tone]) } });
  const ends = [given('document', { value: page })];
  const clipboard = (writeText) => given('navigator', { value: { clipboard: { writeText } } });
  ends.push(clipboard(async (text) => { written.push(text); }));
  await copy(app, 'Bonjour');
  await copy(app, '');
  assert.deepEqual(written, ['Bonjour'], 'what one had copied before stays');
  ends.push(clipboard(async () => { throw new DOMException('no', 'NotAllowedError'); }));
  await copy(app, 'Bonjour');
  assert.deepEqual(notices.map(([, tone]) => tone), [undefined, 'alert', 'alert']);
  assert.equal(new Set(notices.map(([text]) => text)).size, 3, 'each in words of its own');
  ends.reverse().forEach((end) => end());
});
