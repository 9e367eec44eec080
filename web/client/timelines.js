/**
 * Which conversation is open and which part of it is loaded: joining, pages, and catching up with what
 * was missed. A change that comes out of order is applied, and what lies before it is fetched.
 */
import { peerOf } from '../core/conversations.js';

const PAGE = 50;
const JOIN_AGAIN_MS = 1_000;
/** Changes to catch up with, beyond which loading anew is cheaper. */
const SYNC_PAGES_MAX = 5;

export class Timelines {
  /** @param {import('./client.js').Client} client */
  constructor(client) {
    this.client = client;
    /** @type {{id: number|null, joined: boolean, target: number|null}} */
    this.open = { id: null, joined: false, target: null };
    /** Conversations that are catching up. @type {Set<number>} */
    this.syncing = new Set();
  }

  /** @param {number} id */
  line(id) {
    return this.client.state().timelines[id];
  }

  /**
   * Shows a conversation; with `messageId`, the part around that message.
   * @param {number|null} id
   * @param {number|null} [messageId]
   */
  show(id, messageId = null) {
    const { socket } = this.client;
    if (this.open.id !== id) {
      if (this.open.id && this.open.joined) socket.tell('conversation:leave', { conversationId: this.open.id });
      this.open = { id, joined: false, target: messageId };
      this.client.dispatch({ type: 'opened', conversationId: id });
      if (id && socket.isUp()) this.join(id);
    } else if (id && messageId && this.open.target !== messageId) {
      this.open.target = messageId;
      this.showMessage(id, messageId);
    }
  }

  /** The connection is gone, and with it every joining. */
  away() {
    this.open.joined = false;
  }

  /** The connection is there again. */
  back() {
    this.open.joined = false;
    if (this.open.id) this.join(this.open.id, Boolean(this.line(this.open.id)));
  }

  /**
   * @param {number} id
   * @param {boolean} [again] the connection was lost meanwhile: what is on the screen stays and catches up
   */
  async join(id, again = false) {
    const { client } = this;
    const before = this.line(id);
    const kept = before && (again || !(client.state().conversations[id]?.unreadCount > 0));
    const reply = await this.asked('conversation:join', { conversationId: id });
    if (!reply) {
      // Without a connection it is asked again when that is back; a slow server is asked again now.
      const asksAgain = () => this.open.id === id && !this.open.joined && client.socket.isUp();
      setTimeout(() => asksAgain() && this.join(id, again), JOIN_AGAIN_MS);
    } else if (this.open.id !== id) {
      client.socket.tell('conversation:leave', { conversationId: id });
    } else if (!reply.success) {
      client.dispatch({ type: 'conversationRefused', conversationId: id });
    } else if (client.seen(reply.history)) {
      // Everything begins anew, this joining too.
    } else {
      await this.joined(id, reply, kept ? before : null, again);
    }
  }

  /**
   * @param {number} id
   * @param {any} reply
   * @param {import('../core/state.js').Timeline|null} kept what is shown already, and stays
   * @param {boolean} again
   */
  async joined(id, reply, kept, again) {
    const { client } = this;
    this.open.joined = true;
    client.dispatch({ type: 'conversationChanged', conversation: reply.conversation });
    client.called('call', reply.call && reply);
    const { id: userId } = peerOf(reply.conversation, client.me.id);
    client.dispatch({ type: 'presenceChanged', userId, isOnline: reply.onlineUsers.includes(userId) });
    if (kept) await this.sync(id, kept.rev);
    if (this.open.target && !again) await this.showMessage(id, this.open.target, reply.conversation.rev);
    else if (kept) client.outbox.work();
    else await this.firstPage(id, reply);
    const line = this.line(id);
    if (line && line.rev < (client.state().conversations[id]?.rev ?? 0)) await this.sync(id, line.rev);
  }

  /**
   * The page that a conversation opens with: around the first unread message, else the latest.
   * @param {number} id
   * @param {any} reply
   */
  async firstPage(id, { conversation, messages, hasMore }) {
    const { me } = this.client;
    const mark = conversation.lastReadMessageId ?? 0;
    const isUnread = (one) => one.id > mark && one.senderId !== me.id;
    const firstUnread = conversation.unreadCount > 0 ? messages.find(isUnread) : null;
    const above = conversation.unreadCount > 0 && hasMore && (!firstUnread || firstUnread === messages[0]);
    if (above) {
      // Who has never read anything begins at the beginning, which is around nothing.
      const page = await this.history(id, { around: mark, limit: PAGE });
      if (page) {
        this.replace(id, page, conversation.rev, { unreadFrom: page.messages.find(isUnread)?.id ?? null });
        return;
      }
    }
    const page = { messages, hasMoreBefore: hasMore, hasMoreAfter: false };
    this.replace(id, page, conversation.rev, { unreadFrom: firstUnread?.id ?? null });
  }

  /**
   * @param {number} id
   * @param {{messages: any[], hasMoreBefore: boolean, hasMoreAfter: boolean}} page
   * @param {number|undefined} rev
   * @param {{unreadFrom?: number|null, flash?: number}} [more]
   */
  replace(id, { messages, hasMoreBefore, hasMoreAfter }, rev, { unreadFrom, flash } = {}) {
    const page = { type: 'pageLoaded', conversationId: id, mode: 'replace', messages, rev, flash };
    this.client.dispatch({ ...page, hasBefore: hasMoreBefore, hasAfter: hasMoreAfter });
    if (unreadFrom === undefined) return;
    this.client.dispatch({ type: 'unreadLineDrawn', conversationId: id, messageId: unreadFrom });
  }

  /**
   * @param {number} id
   * @param {number} messageId
   * @param {number} [rev]
   */
  async showMessage(id, messageId, rev) {
    const line = this.line(id);
    if (line?.items.some((one) => one.id === messageId)) {
      this.client.dispatch({ type: 'flashed', conversationId: id, messageId });
      return;
    }
    const page = await this.history(id, { around: messageId, limit: PAGE });
    if (!page?.messages.some((one) => one.id === messageId)) {
      this.client.refuse('messageGone');
      if (!line) await this.latest(id);
      return;
    }
    this.replace(id, page, rev ?? line?.rev, { flash: messageId });
  }

  /** The end of a conversation, whatever part of it was shown. @param {number} id */
  async latest(id) {
    const { rev, lastReadMessageId } = this.client.state().conversations[id] ?? {};
    const page = await this.history(id, { limit: PAGE });
    if (!page) return;
    const first = page.messages.find((one) => one.id > (lastReadMessageId ?? 0) && one.senderId !== this.client.me?.id);
    // One goes to the end past what is unread, not over it; what lies further up is reached from there.
    const more = first && first !== page.messages[0] ? { unreadFrom: first.id } : undefined;
    this.replace(id, { ...page, hasMoreAfter: false }, Math.max(rev ?? 0, this.line(id)?.rev ?? 0), more);
  }

  /**
   * @param {number} id
   * @param {'before'|'after'} mode
   */
  async more(id, mode) {
    const line = this.line(id);
    const isThere = line && (mode === 'before' ? line.hasBefore : line.hasAfter) && line.items.length;
    if (!isThere || line.loading) return;
    this.client.dispatch({ type: 'pageAsked', conversationId: id, loading: mode });
    const edge = mode === 'before' ? line.items[0].id : line.items[line.items.length - 1].id;
    const page = await this.history(id, { [mode]: edge, limit: PAGE });
    if (!page) {
      this.client.dispatch({ type: 'pageFailed', conversationId: id });
      return;
    }
    const { messages, hasMoreBefore: hasBefore, hasMoreAfter: hasAfter } = page;
    this.client.dispatch({ type: 'pageLoaded', conversationId: id, mode, messages, hasBefore, hasAfter });
  }

  /**
   * @param {number} conversationId
   * @param {object} query
   * @returns {Promise<any|null>}
   */
  async history(conversationId, query) {
    const reply = await this.asked('conversation:history', { conversationId, ...query });
    return reply?.success ? reply : null;
  }

  /**
   * @param {string} name
   * @param {object} data
   * @returns {Promise<any|null>} the acknowledgement; `null` if none came
   */
  asked(name, data) {
    return this.client.socket.ask(name, data).catch(() => null);
  }

  /**
   * Applies a change of a timeline, and catches up if one before it is missing.
   * @param {{conversationId: number, rev: number}} change
   * @param {{type: string} & Record<string, any>} event
   */
  inOrder({ conversationId, rev }, event) {
    const line = this.line(conversationId);
    const gap = line && rev > line.rev + 1;
    this.client.dispatch(event);
    if (gap) this.sync(conversationId, line.rev);
  }

  /**
   * Fetches what changed after `rev`, page by page. A connection that goes meanwhile ends it; joining again catches up.
   * @param {number} id
   * @param {number} rev
   */
  async sync(id, rev) {
    if (this.syncing.has(id)) return;
    this.syncing.add(id);
    let from = rev;
    let hasMore = true;
    for (let round = 0; hasMore && round < SYNC_PAGES_MAX; round += 1) {
      const history = this.client.state().history ?? undefined;
      const reply = await this.asked('conversation:sync', { conversationId: id, rev: from, history });
      if (!reply?.success) {
        hasMore = false;
        // What is known here is not what the server has: all of it is loaded anew.
        if (reply?.code === 'CONFLICT') this.client.seen(reply.history, true);
      } else {
        const { messages, reads } = reply;
        this.client.dispatch({ type: 'synced', conversationId: id, messages, rev: reply.rev, reads });
        for (const message of messages) this.client.outbox.arrived(message);
        from = reply.rev;
        hasMore = reply.hasMore;
      }
    }
    if (hasMore) await this.latest(id);
    this.syncing.delete(id);
  }
}
