/** From the composer to the outbox, and back again where a message was not accepted. */
import { now } from '../core/clock.js';
import { countOfFiles } from '../core/conversations.js';
import { mayChange } from '../core/editing.js';
import { isPassing } from '../core/lifecycle.js';
import { t } from '../core/i18n.js';
import { Outbox } from './outbox.js';
import { Refusal } from './api.js';
import { prime } from './media.js';

/** What a message may hold (contract §2). */
export const CHARACTERS_MAX = 10_000;

export class Sending {
  /** @param {import('./client.js').Client} client */
  constructor(client) {
    this.client = client;
    this.outbox = new Outbox({
      storage: client.storage,
      send: (request) => client.socket.ask('message:send', request),
      isUp: () => client.socket.isUp(),
      upload: (file, conversationId, signal) => this.upload(file, conversationId, signal),
      onChange: (entries) => client.dispatch({ type: 'outboxChanged', entries }),
      onAccepted: (message, entry) => this.accepted(message, entry),
      tellOthers: () => client.others?.postMessage('outbox'),
    });
  }

  /**
   * @param {any} message
   * @param {any} entry
   */
  accepted(message, entry) {
    for (const file of entry?.files ?? []) prime(file.info?.url, file.blob);
    this.client.timelines.inOrder(message, { type: 'messageReceived', message });
  }

  /**
   * Uploads what a message waits for: the upload that the composer began, or one of its own.
   * @param {any} file
   * @param {number} conversationId
   * @param {AbortSignal} signal
   */
  async upload(file, conversationId, signal) {
    const { drafts } = this.client;
    const running = drafts.running.get(file.key);
    signal.addEventListener('abort', () => drafts.stops.get(file.key)?.abort());
    try {
      return await (running ?? this.client.upload(file, conversationId, { signal }));
    } catch (error) {
      const { code, message, retryAfter } = /** @type {any} */ (error);
      if (!code || code === 'UNREADABLE' || isPassing(code)) throw error;
      throw new Refusal(code, t('colon', { name: file.name, text: message }), [], retryAfter);
    }
  }

  /**
   * Sends the draft of a conversation, or saves the edit that it is. What cannot go out stays where it is, and the
   * person hears why: nothing is sent without a file that was attached to it.
   * @param {number} id
   * @returns {boolean} whether it is on its way
   */
  send(id) {
    const { drafts, typing } = this.client;
    const { id: clientMessageId, text, files, replyToId, editingId } = drafts.find(id);
    const content = text.trim();
    const length = [...content].length;
    if (length > CHARACTERS_MAX) return this.stays('tooLong', { n: length, max: CHARACTERS_MAX });
    if (editingId) return this.save(id, editingId, content);
    if (!content && !files.length) return false;
    const refused = drafts.refusedFile(id);
    if (refused) return this.stays('fileRefused', { name: refused.name, reason: refused.error });
    const createdAt = new Date(now()).toISOString();
    this.outbox.add({ clientMessageId, conversationId: id, content, files, replyToId, createdAt });
    drafts.clear(id);
    typing.ended();
    return true;
  }

  /**
   * @param {string} why
   * @param {any} [values]
   * @returns {false}
   */
  stays(why, values) {
    this.client.refuse(why, values);
    return false;
  }

  /**
   * @param {number} id
   * @param {number} messageId
   * @param {string} content
   */
  save(id, messageId, content) {
    const { drafts, changes } = this.client;
    const hasFiles = this.client.timelines.line(id)?.items.some((one) => one.id === messageId && countOfFiles(one));
    if (!content && !hasFiles) return this.stays('emptyEdit');
    const { text } = drafts.find(id);
    changes.edit(messageId, content).then((done) => {
      const current = drafts.find(id);
      if (done && current.editingId === messageId && current.text === text) drafts.endEdit(id);
    });
    return true;
  }

  /** Oneself, with what the server allows. @returns {any} */
  me() {
    return this.client.state().me ?? this.client.me;
  }

  /**
   * Takes an own message into the composer.
   * @param {number} conversationId
   * @param {import('../core/state.js').Message} message
   */
  beginEdit(conversationId, message) {
    if (mayChange(message, this.me())) this.client.drafts.beginEdit(conversationId, message);
  }

  /** The latest own message that can still be changed. @param {number} conversationId */
  lastOwn(conversationId) {
    const { outbox, timelines } = this.client.state();
    if (outbox.some((entry) => entry.conversationId === conversationId)) return null;
    const items = timelines[conversationId]?.items ?? [];
    return items.findLast((one) => mayChange(one, this.me())) ?? null;
  }

  /** Puts a message that was not accepted back into the composer. @param {string} clientMessageId */
  async reword(clientMessageId) {
    const entry = await this.outbox.discard(clientMessageId);
    if (entry) this.client.drafts.takeBack(entry.conversationId, entry);
  }
}
