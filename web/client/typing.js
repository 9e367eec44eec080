/** Who is writing: shown for a while after each sign of it, and told sparingly. */

const SHOWN_MS = 6_000;
const SENT_EVERY_MS = 2_000;

export class Typing {
  /** @param {import('./client.js').Client} client */
  constructor(client) {
    this.client = client;
    this.sentAt = 0;
    /** @type {Map<number, ReturnType<typeof setTimeout>>} */
    this.ends = new Map();
  }

  /**
   * Another member began or ceased to write.
   * @param {{conversationId: number, userId: number, isTyping: boolean}} event
   */
  show({ conversationId, userId, isTyping }) {
    clearTimeout(this.ends.get(conversationId));
    const end = () => this.client.dispatch({ type: 'typingEnded', conversationId });
    if (!isTyping) {
      end();
      return;
    }
    this.client.dispatch({ type: 'typed', conversationId, userId, until: Date.now() + SHOWN_MS });
    this.ends.set(conversationId, setTimeout(end, SHOWN_MS));
  }

  /**
   * This person writes, or has emptied the box.
   * @param {number} conversationId
   * @param {boolean} isTyping
   */
  tell(conversationId, isTyping) {
    const now = Date.now();
    if (isTyping && now - this.sentAt < SENT_EVERY_MS) return;
    if (!isTyping && !this.sentAt) return;
    this.sentAt = isTyping ? now : 0;
    this.client.socket.tell('message:typing', { conversationId, isTyping });
  }

  /** A message went out, which says by itself that its writing has ended. */
  ended() {
    this.sentAt = 0;
  }

  close() {
    for (const timer of this.ends.values()) clearTimeout(timer);
  }
}
