/** What this person has read: told to the server at once, or when the connection is back. */

export class ReadMarks {
  /** @param {import('./client.js').Client} client */
  constructor(client) {
    this.client = client;
    /** Marks that the server does not know yet, by conversation. @type {Map<number, number>} */
    this.owed = new Map();
  }

  /**
   * Everything up to a message is read. A mark never moves backwards.
   * @param {number} conversationId
   * @param {number} messageId
   */
  mark(conversationId, messageId) {
    const { me } = this.client;
    if (messageId <= (this.client.state().conversations[conversationId]?.lastReadMessageId ?? 0)) return;
    this.client.dispatch({ type: 'readMarked', conversationId, messageId, userId: me.id });
    this.owed.set(conversationId, messageId);
    this.tell(conversationId, messageId);
  }

  /** What is owed is about messages that are not there any more. */
  forget() {
    this.owed.clear();
  }

  /** Everything in a conversation is read, because the person says so. @param {number} conversationId */
  all(conversationId) {
    const { conversations, timelines } = this.client.state();
    const shown = timelines[conversationId]?.items.at(-1)?.id ?? 0;
    this.mark(conversationId, Math.max(shown, conversations[conversationId]?.lastMessageId ?? 0));
  }

  /** Tells what is still owed. */
  repeat() {
    for (const [conversationId, messageId] of this.owed) this.tell(conversationId, messageId);
  }

  /**
   * @param {number} conversationId
   * @param {number} messageId
   */
  async tell(conversationId, messageId) {
    const { me, socket } = this.client;
    try {
      const { success, lastReadMessageId, unreadCount } = await socket.ask('message:read', { messageId });
      if (this.owed.get(conversationId) === messageId) this.owed.delete(conversationId);
      if (!success) return;
      const mark = { type: 'readMarked', conversationId, messageId: lastReadMessageId, userId: me.id, unreadCount };
      this.client.dispatch(mark);
    } catch {
      // Still owed: told again when the connection is back.
    }
  }
}
