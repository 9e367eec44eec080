/**
 * What is being written, per conversation: text, files, what it answers or edits. Kept in storage, so that it is there
 * again after a reload; files are uploaded while one still writes. Who edits a message meanwhile finds the draft again
 * afterwards.
 *
 * A draft is one over all windows: each takes over what another has written, and what was sent in one leaves the
 * others. It has the id that its message will have, so that sent twice it is still one message.
 *
 * @typedef {{key: string, name: string, size: number, type: string, blob?: Blob, progress: number, info: any,
 *   error: string|null, code?: string, width?: number, height?: number}} Staged
 * @typedef {{draft: number, sent?: string, text?: string}} Told what windows tell each other; `sent`: the draft's id
 */
import { t } from '../core/i18n.js';
import { isPicture } from './media.js';
import { visible } from '../core/format.js';
import { quoted } from '../core/formatting.js';
import { unique, uniqueInTime } from '../core/ids.js';
import { isPassing } from '../core/lifecycle.js';
import { limitsOf } from '../core/conversations.js';

const WRITE_AFTER_MS = 250;

/** @returns {import('../core/state.js').Draft} */
const blank = () => ({ id: '', text: '', replyToId: null, editingId: null, files: [] });

export class Drafts {
  /**
   * @param {{storage: import('./storage.js').Storage, store: import('../core/store.js').Store,
   *   upload: (file: any, conversationId: number, options?: object) => Promise<any>,
   *   tellOthers?: (told: Told) => void, isAttended?: () => boolean}} parts `isAttended`: somebody writes here
   */
  constructor({ storage, store, upload, tellOthers = () => {}, isAttended = () => document.hasFocus() }) {
    this.storage = storage;
    this.store = store;
    this.upload = upload;
    this.tellOthers = tellOthers;
    this.isAttended = isAttended;
    /**
     * Uploads under way, by the file's key: a message that is sent meanwhile waits for the same one.
     * @type {Map<string, Promise<any>>}
     */
    this.running = new Map();
    /** @type {Map<string, AbortController>} */
    this.stops = new Map();
    /** @type {Map<number, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
    addEventListener('pagehide', () => this.flush());
  }

  async load() {
    const stored = await this.storage.all('drafts').catch(() => []);
    const drafts = Object.fromEntries(stored.map(({ conversationId, ...draft }) => [conversationId, draft]));
    this.store.dispatch({ type: 'draftsLoaded', drafts });
    for (const { conversationId, files } of stored) {
      for (const file of files) if (!file.info && !file.error) this.begin(conversationId, file);
    }
  }

  /** @param {number} id @returns {import('../core/state.js').Draft & {files: any[]}} */
  find(id) {
    return this.store.state().drafts[id] ?? blank();
  }

  /**
   * @param {number} id
   * @param {Partial<import('../core/state.js').Draft>} change
   */
  set(id, change) {
    const draft = { ...this.find(id), ...change };
    draft.id ||= uniqueInTime();
    const isBlank = !draft.text && !draft.files.length && !draft.replyToId && !draft.editingId;
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: isBlank ? null : draft });
    clearTimeout(this.timers.get(id));
    this.timers.set(id, setTimeout(() => this.write(id), change.files ? 0 : WRITE_AFTER_MS));
  }

  /**
   * Puts a message of one's own in the place of the draft, which is set aside.
   * @param {number} id
   * @param {{id: number, content: string}} message
   */
  beginEdit(id, message) {
    const { text, replyToId, editingId, aside } = this.find(id);
    const before = editingId ? aside : { text, replyToId };
    this.set(id, { editingId: message.id, replyToId: null, text: message.content, aside: before });
  }

  /** Back to what was being written before. @param {number} id */
  endEdit(id) {
    const { aside } = this.find(id);
    this.set(id, { editingId: null, text: aside?.text ?? '', replyToId: aside?.replyToId ?? null, aside: null });
  }

  /**
   * @param {number} id
   * @param {number|null} messageId the message that is answered
   * @param {string} [part] of it that is quoted
   */
  answer(id, messageId, part = '') {
    if (this.find(id).editingId) this.endEdit(id);
    const { text } = this.find(id);
    this.set(id, { replyToId: messageId, text: part.trim() ? quoted(part) + text : text });
  }

  /**
   * Takes back a message that was not sent, before what is being written.
   * @param {number} id
   * @param {{content: string, replyToId: number|null, files: any[]}} message
   */
  takeBack(id, { content, replyToId, files }) {
    if (this.find(id).editingId) this.endEdit(id);
    const draft = this.find(id);
    const text = [content, draft.text].filter(Boolean).join('\n\n');
    this.set(id, { text, replyToId: replyToId ?? draft.replyToId, files: [...files, ...draft.files] });
    for (const file of files) if (!file.info) this.begin(id, file);
  }

  /** The draft is a message now. @param {number} id */
  clear(id) {
    const { id: sent, text } = this.find(id);
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: null });
    this.write(id, { draft: id, sent, text });
  }

  /**
   * @param {number} id
   * @param {Told} [told]
   */
  async write(id, told = { draft: id }) {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    const draft = this.store.state().drafts[id];
    const done = draft
      ? this.storage.put('drafts', { conversationId: id, ...draft })
      : this.storage.remove('drafts', id);
    await done.then(() => this.tellOthers(told), () => {});
  }

  /** All drafts as they are now, whoever changed them. */
  writeAll() {
    for (const id of Object.keys(this.store.state().drafts)) this.write(Number(id));
  }

  flush() {
    for (const id of [...this.timers.keys()]) this.write(id);
  }

  /** Another window has written or sent a draft. @param {Told} told */
  async heard({ draft: id, sent, text }) {
    const mine = this.find(id);
    if (sent) {
      if (mine.id !== sent) return;
      if (mine.text === text) this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: null });
      else this.set(id, { id: uniqueInTime() });
      return;
    }
    // Where somebody writes, their words stay. A box with nothing in it takes over what another window has.
    if (this.timers.has(id) || (mine.id && this.isAttended())) return;
    const stored = await this.storage.find('drafts', id).catch(() => null);
    const { conversationId: _, ...draft } = stored ?? { conversationId: id };
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: stored ? draft : null });
  }

  /**
   * Takes files into a draft and begins to upload them.
   * @param {number} id
   * @param {File[]} chosen
   * @returns {[why: string, values?: any]|null} why some were not taken
   */
  stage(id, chosen) {
    const draft = this.find(id);
    const { fileBytes, filesPerMessage } = limitsOf(this.store.state());
    const room = filesPerMessage - draft.files.length;
    const fitting = chosen.filter((file) => file.size <= fileBytes && file.size > 0);
    const taken = fitting.slice(0, room).map(staged);
    this.set(id, { files: [...draft.files, ...taken] });
    for (const file of taken) {
      this.begin(id, file);
      if (isPicture(file.type)) this.measure(id, file);
    }
    if (fitting.length > room) return ['tooMany', { n: filesPerMessage }];
    if (fitting.length === chosen.length) return null;
    return chosen.some((file) => file.size > fileBytes) ? ['tooLarge', { bytes: fileBytes }] : ['empty'];
  }

  /**
   * A file that keeps the draft from being sent: the server has refused it, or its bytes are gone. One that only waits
   * for the connection goes with the message.
   * @param {number} id
   */
  refusedFile(id) {
    return this.find(id).files.find((file) => file.error && !isPassing(file.code)) ?? null;
  }

  /**
   * How large a picture is, so that its place is right before it is drawn.
   * @param {number} id
   * @param {Staged} file
   */
  async measure(id, file) {
    const bitmap = await createImageBitmap(/** @type {Blob} */ (file.blob)).catch(() => null);
    if (bitmap) this.patch(id, file.key, { width: bitmap.width, height: bitmap.height });
    bitmap?.close();
  }

  /**
   * @param {number} id
   * @param {Staged} file
   */
  async begin(id, file) {
    const stop = new AbortController();
    this.stops.set(file.key, stop);
    const onProgress = (progress) => this.patch(id, file.key, { progress });
    const onBegun = (begun) => this.patch(id, file.key, { upload: begun });
    const upload = this.upload(file, id, { signal: stop.signal, onProgress, onBegun });
    this.running.set(file.key, upload);
    try {
      this.patch(id, file.key, { error: null, code: undefined });
      const info = await upload;
      this.patch(id, file.key, { info, progress: 1, uploadedAt: Date.now() });
    } catch (error) {
      const { message, code } = /** @type {any} */ (error);
      if (!stop.signal.aborted) this.patch(id, file.key, { error: message, code });
    } finally {
      this.running.delete(file.key);
      this.stops.delete(file.key);
    }
  }

  /**
   * @param {number} id
   * @param {string} key
   */
  retry(id, key) {
    const file = this.find(id).files.find((one) => one.key === key);
    if (file) this.begin(id, file);
  }

  /**
   * @param {number} id
   * @param {string} key
   */
  unstage(id, key) {
    this.stops.get(key)?.abort('unstaged');
    this.set(id, { files: this.find(id).files.filter((one) => one.key !== key) });
  }

  /**
   * @param {number} id
   * @param {string} key
   * @param {object} change
   */
  patch(id, key, change) {
    const draft = this.store.state().drafts[id];
    if (!draft?.files.some((one) => one.key === key)) return;
    const files = draft.files.map((one) => (one.key === key ? { ...one, ...change } : one));
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: { ...draft, files } });
    if (!('progress' in change) || 'info' in change) this.write(id);
  }
}

/** @param {File} file @returns {Staged} */
function staged(file) {
  const { size, type } = file;
  const name = visible(file.name) || t('file.unnamed');
  return { key: unique(), name, size, type, blob: file, progress: 0, info: null, error: null };
}
