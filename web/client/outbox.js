/**
 * Messages on the way to the server. A message is in storage before it is sent and leaves storage when the server has
 * acknowledged it, so that it survives reload and crash; `clientMessageId` makes a second attempt harmless.
 *
 * Guarantees: a message and its files are one, and nothing goes out without a file that was attached to it; within
 * a conversation one message is sent at a time, in the order of writing; a refused one steps aside, the next goes on;
 * what waits can be given up. Of several windows of one person that are connected one sends (a Web Lock elects it),
 * the others hand over through storage. Storage, network and clock are given, so that tests run it without a browser.
 */
import { next, verdict } from '../core/lifecycle.js';

/** @typedef {import('../core/state.js').Entry} Entry */

/** What is no longer there needs nothing more. @type {ReturnType<typeof verdict>} */
const GIVEN_UP = { turn: 'lose', waitMs: 0 };

/** The server keeps for a day what no message carries yet; what lay here longer is uploaded anew. */
const UPLOAD_KEPT_MS = 20 * 3_600_000;

export class Outbox {
  /**
   * @param {{storage: import('./storage.js').Storage, send: (request: object) => Promise<any>, isUp: () => boolean,
   *   upload: (file: any, conversationId: number, signal: AbortSignal) => Promise<any>,
   *   onChange: (entries: Entry[]) => void, onAccepted: (message: any, entry: Entry|undefined) => void,
   *   tellOthers?: () => void, now?: () => number, later?: (work: () => void, ms: number) => void}} parts
   */
  constructor(parts) {
    this.parts = parts;
    /** @type {Entry[]} */
    this.entries = [];
    this.elected = false;
    this.closed = false;
    this.lastSeq = 0;
    /** Being written to storage: newer here than there, and not to be sent yet. @type {Set<string>} */
    this.writing = new Set();
    /** What storage did not take: it lives here alone. @type {Set<string>} */
    this.unstored = new Set();
    /** Ends the uploads of a message that is given up. @type {Map<string, AbortController>} */
    this.stops = new Map();
    /** Gone for good, even if a slower read of storage still shows them. @type {Set<string>} */
    this.dropped = new Set();
    /** Conversations with a message on its way right now. @type {Set<number>} */
    this.busy = new Set();
    /**
     * When a conversation may try again, after a pause that the server asked for.
     * @type {Map<number, number>}
     */
    this.pauses = new Map();
    this.now = parts.now ?? Date.now;
    this.later = parts.later ?? ((work, ms) => void setTimeout(work, ms));
  }

  /** Takes what storage holds; what was being sent when the page died is queued again. */
  async load() {
    const stored = await this.parts.storage.all('outbox');
    const known = new Map(this.entries.map((entry) => [entry.clientMessageId, entry]));
    const isOnlyHere = ({ clientMessageId: id }) => this.writing.has(id) || this.unstored.has(id);
    const unwritten = this.entries.filter(isOnlyHere);
    this.entries = stored
      .filter((entry) => !this.dropped.has(entry.clientMessageId) && !isOnlyHere(entry))
      .map((entry) => {
        const mine = known.get(entry.clientMessageId);
        if (mine?.stage === 'sending') return mine;
        return entry.stage === 'sending' ? { ...entry, stage: 'queued' } : entry;
      })
      .concat(unwritten)
      .sort((a, b) => a.seq - b.seq);
    this.lastSeq = Math.max(this.lastSeq, ...this.entries.map((entry) => entry.seq ?? 0));
    this.changed();
    this.work();
  }

  /** This window is the one that sends; what others have stored meanwhile is its work too. */
  elect() {
    this.elected = true;
    return this.load();
  }

  /** Another window may send now. */
  rest() {
    this.elected = false;
  }

  close() {
    this.closed = true;
  }

  /**
   * Takes a message. It is shown at once and sent as soon as it is stored.
   * @param {Omit<Entry, 'stage'|'seq'>} message
   */
  async add(message) {
    this.lastSeq = Math.max(this.lastSeq + 1, this.now());
    /** @type {Entry & {seq: number}} */
    const entry = { ...message, stage: 'queued', seq: this.lastSeq };
    this.entries = [...this.entries, entry];
    this.writing.add(entry.clientMessageId);
    this.changed();
    await this.store(entry);
    this.work();
  }

  /** @param {string} clientMessageId */
  async retry(clientMessageId) {
    const entry = this.turned(clientMessageId, 'retry', { code: undefined, reason: undefined });
    if (entry) await this.store(entry);
    this.work();
  }

  /** The messages that unsent ones answer are not there any more, nor are the files that were uploaded for them. */
  async detach() {
    for (const { clientMessageId, files } of this.entries) {
      const again = files.map((file) => ({ ...file, uploadedAt: 0, upload: undefined }));
      const entry = this.turned(clientMessageId, null, { replyToId: null, files: again });
      if (entry) await this.store(entry);
    }
  }

  /**
   * Gives a message up.
   * @param {string} clientMessageId
   * @returns {Promise<Entry|undefined>} what it was
   */
  async discard(clientMessageId) {
    const entry = this.find(clientMessageId);
    if (!entry || next(entry.stage, 'discard') !== 'gone') return undefined;
    this.stops.get(clientMessageId)?.abort();
    await this.drop(clientMessageId);
    return entry;
  }

  /**
   * The server has told of a message: if it is one of ours, it has arrived, whatever became of the
   * acknowledgement.
   * @param {any} message
   */
  async arrived(message) {
    if (message.clientMessageId && this.find(message.clientMessageId)) await this.drop(message.clientMessageId);
  }

  /**
   * Sends what can be sent. Called whenever something may have become possible: a new entry, the
   * socket up, a pause over.
   */
  work() {
    if (this.closed || !this.elected || !this.parts.isUp()) return;
    /** @type {Set<number>} */
    const seen = new Set();
    for (const entry of this.entries) {
      if (seen.has(entry.conversationId) || entry.stage === 'failed') continue;
      seen.add(entry.conversationId);
      const pause = (this.pauses.get(entry.conversationId) ?? 0) - this.now();
      if (this.writing.has(entry.clientMessageId)) continue;
      if (entry.stage === 'queued' && !this.busy.has(entry.conversationId) && pause <= 0) this.send(entry);
    }
  }

  /** @param {Entry} entry */
  async send(entry) {
    const conversation = entry.conversationId;
    this.busy.add(conversation);
    const outcome = await this.attempt(entry.clientMessageId);
    if (this.closed) return;
    await this.settle(entry.clientMessageId, outcome);
    if (outcome.waitMs > 0) {
      this.pauses.set(conversation, this.now() + outcome.waitMs);
      this.later(() => this.work(), outcome.waitMs);
    }
    this.busy.delete(conversation);
    this.work();
  }

  /**
   * A message goes out with every file that was attached to it, or not at all. While its files are on their way it
   * waits, and can be given up.
   * @param {string} id
   * @returns {Promise<ReturnType<typeof verdict> & {message?: any}>}
   */
  async attempt(id) {
    const stopped = await this.uploadAll(id);
    if (stopped) return stopped;
    const entry = this.turned(id, 'take');
    if (!entry) return GIVEN_UP;
    const { conversationId, content, replyToId, clientMessageId } = entry;
    const files = entry.files.map((file) => file.info.id);
    const request = { conversationId, content, clientMessageId, ...(replyToId && { replyToId }) };
    try {
      const reply = await this.parts.send(files.length ? { ...request, files } : request);
      return { ...verdict(null, reply), message: reply?.message };
    } catch (error) {
      return { ...verdict(/** @type {Error} */ (error), undefined), waitMs: this.parts.isUp() ? 1_000 : 0 };
    }
  }

  /** @param {string} id @returns {AbortSignal} */
  stopOf(id) {
    const stop = this.stops.get(id) ?? new AbortController();
    this.stops.set(id, stop);
    return stop.signal;
  }

  /** Whether the server has the file, and still has it. @param {any} file */
  isThere(file) {
    return Boolean(file.info) && (!file.blob || this.now() - (file.uploadedAt ?? 0) < UPLOAD_KEPT_MS);
  }

  /**
   * Uploads what was staged and not finished.
   * @param {string} id
   * @returns {Promise<ReturnType<typeof verdict>|null>} why it cannot go on
   */
  async uploadAll(id) {
    for (const { key } of this.find(id)?.files ?? []) {
      const entry = this.find(id);
      const file = entry?.files.find((one) => one.key === key);
      if (!entry) return GIVEN_UP;
      if (this.isThere(file)) continue;
      try {
        const info = await this.parts.upload(file, entry.conversationId, this.stopOf(id));
        await this.patch(key, { info, uploadedAt: this.now() });
      } catch (error) {
        const { code, message, retryAfter } = /** @type {any} */ (error);
        if (code === 'OFFLINE') return { turn: 'lose', waitMs: 2_000 };
        return verdict(null, { success: false, code: code ?? 'INTERNAL', error: message, retryAfter });
      }
    }
    return null;
  }

  /**
   * What has become of a file, if a message waits for it.
   * @param {string} key
   * @param {object} change
   */
  async patch(key, change) {
    const entry = this.entries.find(({ files }) => files.some((one) => one.key === key));
    if (!entry) return;
    const files = entry.files.map((one) => (one.key === key ? { ...one, ...change } : one));
    const stored = this.turned(entry.clientMessageId, null, { files });
    if (stored) await this.store(stored);
  }

  /**
   * @param {string} id
   * @param {ReturnType<typeof verdict> & {message?: any}} outcome
   */
  async settle(id, outcome) {
    if (outcome.turn === 'accept') {
      if (outcome.message) this.parts.onAccepted(outcome.message, this.find(id));
      await this.drop(id);
      return;
    }
    const entry = this.turned(id, outcome.turn, { code: outcome.code, reason: outcome.reason });
    if (entry) await this.store(entry);
  }

  /**
   * @param {string} id
   * @returns {Entry|undefined}
   */
  find(id) {
    return this.entries.find((entry) => entry.clientMessageId === id);
  }

  /**
   * The entry after a turn.
   * @param {string} id
   * @param {import('../core/lifecycle.js').Turn|null} turn
   * @param {Partial<Entry>} [more]
   */
  turned(id, turn, more = {}) {
    const entry = this.find(id);
    if (!entry) return undefined;
    const after = { ...entry, ...more, stage: turn ? next(entry.stage, turn) : entry.stage };
    this.entries = this.entries.map((one) => (one === entry ? after : one));
    this.changed();
    return after;
  }

  /** @param {string} id */
  async drop(id) {
    this.entries = this.entries.filter((entry) => entry.clientMessageId !== id);
    this.dropped.add(id);
    this.unstored.delete(id);
    this.stops.delete(id);
    this.changed();
    await this.parts.storage.remove('outbox', id).catch(() => {});
    this.parts.tellOthers?.();
  }

  /** @param {Entry} entry */
  async store(entry) {
    this.writing.add(entry.clientMessageId);
    const { clientMessageId: id } = entry;
    await this.parts.storage.put('outbox', entry).then(
      () => this.unstored.delete(id),
      () => this.unstored.add(id),
    );
    this.writing.delete(entry.clientMessageId);
    if (this.dropped.has(entry.clientMessageId))
      await this.parts.storage.remove('outbox', entry.clientMessageId).catch(() => {});
    this.parts.tellOthers?.();
  }

  changed() {
    this.parts.onChange(this.entries);
  }
}

/**
 * Waits until this window is the one that sends for a person. It lets go when the page ends or with
 * `signal`: a window that has
 * lost its connection must not keep another one from sending.
 * @param {number} userId @param {AbortSignal} signal @param {() => void} elected
 */
export function election(userId, signal, elected) {
  const name = `lexchat.outbox.${userId}`;
  const turn = () => {
    if (signal.aborted) return undefined;
    elected();
    return new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  // Where a browser has no locks, or refuses them, each window sends: the same message twice is one to the server.
  try {
    const waiting = navigator.locks.request(name, { signal }, turn);
    waiting.catch(() => !signal.aborted && elected());
  } catch {
    elected();
  }
}
