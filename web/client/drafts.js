/**
 * What is being written, per conversation: text, files, what it answers or edits. Kept in storage, so that it is there again after
 * a reload; files are uploaded while one still writes. Who edits a message meanwhile finds the draft again afterwards.
 *
 * @typedef {{key: string, name: string, size: number, type: string, blob: Blob, progress: number, info: any, error: string|null, width?: number, height?: number}} Staged
 */
import { locale, t } from '../core/i18n.js';
import { isPicture } from './media.js';
import { fileSize } from '../core/format.js';
import { limitsOf } from '../core/state.js';

const WRITE_AFTER_MS = 250;

/** @returns {import('../core/state.js').Draft} */
const blank = () => ({ text: '', replyToId: null, editingId: null, files: [] });

export class Drafts {
  /** @param {{storage: import('./storage.js').Storage, store: import('../core/store.js').Store, upload: typeof import('./uploads.js').upload}} parts */
  constructor({ storage, store, upload }) {
    this.storage = storage;
    this.store = store;
    this.upload = upload;
    /** Uploads under way, by the file's key: a message that is sent meanwhile waits for the same one. @type {Map<string, Promise<any>>} */
    this.running = new Map();
    /** @type {Map<string, AbortController>} */
    this.stops = new Map();
    /** @type {Map<number, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
    addEventListener('pagehide', () => this.flush());
  }

  async load() {
    const stored = await this.storage.all('drafts').catch(() => []);
    this.store.dispatch({ type: 'draftsLoaded', drafts: Object.fromEntries(stored.map(({ conversationId, ...draft }) => [conversationId, draft])) });
    for (const { conversationId, files } of stored) {
      for (const file of files) if (!file.info && !file.error) this.begin(conversationId, file);
    }
  }

  /** @param {number} id @returns {import('../core/state.js').Draft & {files: any[]}} */
  find(id) {
    return this.store.state().drafts[id] ?? blank();
  }

  /** @param {number} id @param {Partial<import('../core/state.js').Draft>} change */
  set(id, change) {
    const draft = { ...this.find(id), ...change };
    const isBlank = !draft.text && !draft.files.length && !draft.replyToId && !draft.editingId;
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: isBlank ? null : draft });
    clearTimeout(this.timers.get(id));
    this.timers.set(id, setTimeout(() => this.write(id), change.files ? 0 : WRITE_AFTER_MS));
  }

  /** Puts a message of one's own in the place of the draft, which is set aside. @param {number} id @param {{id: number, content: string}} message */
  beginEdit(id, message) {
    const { text, replyToId, editingId, aside } = this.find(id);
    this.set(id, { editingId: message.id, replyToId: null, text: message.content, aside: editingId ? aside : { text, replyToId } });
  }

  /** Back to what was being written before. @param {number} id */
  endEdit(id) {
    const { aside } = this.find(id);
    this.set(id, { editingId: null, text: aside?.text ?? '', replyToId: aside?.replyToId ?? null, aside: null });
  }

  /** @param {number} id @param {number|null} messageId the message that is answered */
  answer(id, messageId) {
    if (this.find(id).editingId) this.endEdit(id);
    this.set(id, { replyToId: messageId });
  }

  /** Takes back a message that was not sent, before what is being written. @param {number} id @param {{content: string, replyToId: number|null, files: any[]}} message */
  takeBack(id, { content, replyToId, files }) {
    if (this.find(id).editingId) this.endEdit(id);
    const draft = this.find(id);
    this.set(id, { text: [content, draft.text].filter(Boolean).join('\n\n'), replyToId: replyToId ?? draft.replyToId, files: [...files, ...draft.files] });
  }

  /** @param {number} id */
  clear(id) {
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: null });
    this.write(id);
  }

  /** @param {number} id */
  write(id) {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    const draft = this.store.state().drafts[id];
    const done = draft ? this.storage.put('drafts', { conversationId: id, ...draft }) : this.storage.remove('drafts', id);
    done.catch(() => {});
  }

  flush() {
    for (const id of [...this.timers.keys()]) this.write(id);
  }

  /** Takes files into a draft and begins to upload them. @param {number} id @param {File[]} chosen @returns {string|null} why some were not taken */
  stage(id, chosen) {
    const draft = this.find(id);
    const { fileBytes, filesPerMessage } = limitsOf(this.store.state());
    const room = filesPerMessage - draft.files.length;
    const fitting = chosen.filter((file) => file.size <= fileBytes && file.size > 0);
    const taken = fitting.slice(0, room).map((file) => ({
      key: crypto.randomUUID(), name: file.name || t('file.unnamed'), size: file.size, type: file.type, blob: file, progress: 0, info: null, error: null,
    }));
    this.set(id, { files: [...draft.files, ...taken] });
    for (const file of taken) {
      this.begin(id, file);
      if (isPicture(file.type)) this.measure(id, file);
    }
    if (fitting.length > room) return t('file.tooMany', { n: filesPerMessage });
    if (fitting.length < chosen.length) {
      return chosen.some((file) => file.size > fileBytes) ? t('file.tooLarge', { size: fileSize(fileBytes, locale()) }) : t('file.empty');
    }
    return null;
  }

  /** How large a picture is, so that its place is right before it is drawn. @param {number} id @param {Staged} file */
  async measure(id, file) {
    const bitmap = await createImageBitmap(file.blob).catch(() => null);
    if (bitmap) this.patch(id, file.key, { width: bitmap.width, height: bitmap.height });
    bitmap?.close();
  }

  /** @param {number} id @param {Staged} file */
  async begin(id, file) {
    const stop = new AbortController();
    this.stops.set(file.key, stop);
    const upload = this.upload(file, id, { signal: stop.signal, onProgress: (progress) => this.patch(id, file.key, { progress }) });
    this.running.set(file.key, upload);
    try {
      this.patch(id, file.key, { error: null });
      const info = await upload;
      this.patch(id, file.key, { info, progress: 1, uploadedAt: Date.now() });
    } catch (error) {
      if (!stop.signal.aborted) this.patch(id, file.key, { error: /** @type {Error} */ (error).message });
    } finally {
      this.running.delete(file.key);
      this.stops.delete(file.key);
    }
  }

  /** @param {number} id @param {string} key */
  retry(id, key) {
    const file = this.find(id).files.find((one) => one.key === key);
    if (file) this.begin(id, file);
  }

  /** @param {number} id @param {string} key */
  unstage(id, key) {
    this.stops.get(key)?.abort();
    this.set(id, { files: this.find(id).files.filter((one) => one.key !== key) });
  }

  /** @param {number} id @param {string} key @param {object} change */
  patch(id, key, change) {
    const draft = this.store.state().drafts[id];
    if (!draft?.files.some((one) => one.key === key)) return;
    const files = draft.files.map((one) => (one.key === key ? { ...one, ...change } : one));
    this.store.dispatch({ type: 'draftChanged', conversationId: id, draft: { ...draft, files } });
    if (!('progress' in change) || 'info' in change) this.write(id);
  }
}
