/** What one does to messages that stand: editing, deleting, reacting; and fetching one that is quoted. */
import * as api from './api.js';

export class Changes {
  /** @param {import('./client.js').Client} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * @param {number} messageId
   * @param {string} content
   * @returns {Promise<boolean>} whether it is done
   */
  async edit(messageId, content) {
    const reply = await this.client.ask('message:edit', { messageId, content });
    if (reply) this.client.dispatch({ type: 'messageChanged', message: reply.message });
    return Boolean(reply);
  }

  /** @param {number} messageId */
  async remove(messageId) {
    const reply = await this.client.ask('message:delete', { messageId });
    if (reply) this.client.dispatch({ type: 'messageChanged', message: reply.message });
  }

  /**
   * Adds a reaction, or takes one's own back.
   * @param {import('../core/state.js').Message} message
   * @param {string} emoji
   */
  async react({ id: messageId, conversationId, reactions: before }, emoji) {
    const { me } = this.client;
    const mine = before?.some((one) => one.emoji === emoji && one.userIds.includes(me.id));
    const reply = await this.client.ask('message:react', { messageId, emoji, remove: mine });
    if (!reply) return;
    this.client.dispatch({ type: 'reactionsChanged', conversationId, messageId, reactions: reply.reactions });
  }

  /**
   * A message that is answered and that the timeline does not hold. It is asked for once, and again when the connection
   * is back or another conversation was opened.
   * @param {number} messageId
   * @returns {any} `null` until it has come
   */
  quoted(messageId) {
    const { quotes } = this.client.state();
    if (!(messageId in quotes)) queueMicrotask(() => this.loadQuote(messageId));
    return quotes[messageId] ?? null;
  }

  /** @param {number} messageId */
  async loadQuote(messageId) {
    if (messageId in this.client.state().quotes) return;
    this.client.dispatch({ type: 'quoteLoaded', messageId, message: null });
    const message = await api.get(`/messages/${messageId}`).catch(() => null);
    if (message) this.client.dispatch({ type: 'quoteLoaded', messageId, message });
  }
}
