/**
 * The conversations of the state: what events make of them, and how they are listed. Pure.
 *
 * @typedef {import('./state.js').State} State
 * @typedef {import('./state.js').Message} Message
 * @typedef {import('./state.js').Conversation} Conversation
 * @typedef {import('./state.js').Timeline} Timeline
 * @typedef {import('./state.js').Person} Person
 * @typedef {import('./state.js').Entry} Entry
 */
import { withConversation, withTimeline } from './update.js';

/**
 * The server's view of a conversation, unless an event has told more already.
 * @param {Conversation|undefined} old
 * @param {Conversation} fresh
 * @param {boolean} [inOrder] told after all that is known: the own mark may have moved back, for it is unread again
 */
export function merged(old, fresh, inOrder = false) {
  if (!old) return fresh;
  const back = inOrder && !old.owesMark && (fresh.rev ?? 0) >= (old.rev ?? 0);
  const lastReadMessageId = back ? fresh.lastReadMessageId : highest(old.lastReadMessageId, fresh.lastReadMessageId);
  const peerLastReadMessageId = highest(old.peerLastReadMessageId, fresh.peerLastReadMessageId);
  const stale = (fresh.rev ?? 0) < (old.rev ?? 0) || (fresh.lastReadMessageId ?? 0) < (lastReadMessageId ?? 0);
  const counted = stale ? { unreadCount: old.unreadCount } : null;
  const said =
    (fresh.rev ?? 0) < (old.rev ?? 0)
      ? {
          lastMessageAt: old.lastMessageAt,
          lastMessageText: old.lastMessageText,
          lastMessageEntry: old.lastMessageEntry,
          lastMessageId: old.lastMessageId,
          lastMessageSenderId: old.lastMessageSenderId,
          lastMessageFileCount: old.lastMessageFileCount,
          rev: old.rev,
        }
      : null;
  return { ...old, lastMessageEntry: null, ...fresh, ...counted, ...said, lastReadMessageId, peerLastReadMessageId };
}

/**
 * A changed text may be the one that the list shows.
 * @param {State} state
 * @param {Message} message
 */
export function revised(state, message) {
  return withConversation(state, message.conversationId, (old) => {
    if (!old || (message.rev ?? 0) <= (old.rev ?? 0)) return old;
    return { ...old, rev: message.rev, ...(old.lastMessageId === message.id && lastLine(message)) };
  });
}

/** What the list shows of a message. @param {Message} message */
export const lastLine = (message) => ({
  lastMessageText: message.content,
  lastMessageEntry: message.call || message.invoice ? message : null,
});

/**
 * A message in a conversation that this device has not joined.
 * @param {State} state
 * @param {any} event
 */
export function notified(state, { conversationId, messageId, senderId, preview, unreadCount, timestamp }) {
  return withConversation(
    state,
    conversationId,
    (old) =>
      old && {
        ...old,
        unreadCount: messageId <= (old.lastReadMessageId ?? 0) ? old.unreadCount : unreadCount,
        lastMessageText: preview,
        lastMessageEntry: null,
        lastMessageAt: timestamp,
        lastMessageId: messageId,
        lastMessageSenderId: senderId,
        // A message without a text has a file at least.
        lastMessageFileCount: preview ? 0 : 1,
      },
  );
}

/**
 * @param {State} state
 * @param {any} event
 */
export function presenceChanged(state, { userId, isOnline, at }) {
  let touched = false;
  const conversations = Object.fromEntries(
    Object.entries(state.conversations).map(([id, one]) => {
      const side = one.client?.id === userId ? 'client' : one.lawyer?.id === userId ? 'lawyer' : null;
      if (!side || one[side].isOnline === isOnline) return [id, one];
      touched = true;
      return [
        id,
        {
          ...one,
          [side]: {
            ...one[side],
            isOnline,
            lastSeenAt: isOnline ? one[side].lastSeenAt : (at ?? one[side].lastSeenAt),
          },
        },
      ];
    }),
  );
  return touched ? { ...state, conversations } : state;
}

/**
 * Everything up to a message is read by somebody.
 * @param {State} state
 * @param {any} event
 */
export function readMarked(state, { conversationId, userId, messageId, at, unreadCount }) {
  if (!messageId) return state;
  const mine = userId === state.me?.id;
  const after = withConversation(state, conversationId, (old) => {
    if (!old) return old;
    if (!mine) return messageId > (old.peerLastReadMessageId ?? 0) ? { ...old, peerLastReadMessageId: messageId } : old;
    const newer = messageId > (old.lastReadMessageId ?? 0);
    const count =
      unreadCount ?? (newer ? unreadAfter(state, conversationId, messageId, old.unreadCount) : old.unreadCount);
    // What only this page knows yet is not taken back by what the server says of before.
    const owesMark = newer ? unreadCount === undefined && !at : old.owesMark && unreadCount === undefined;
    return newer || count !== old.unreadCount || owesMark !== old.owesMark
      ? { ...old, lastReadMessageId: newer ? messageId : old.lastReadMessageId, unreadCount: count, owesMark }
      : old;
  });
  if (mine) return after;
  const isNew = (one) => one.id <= messageId && one.senderId !== userId && !one.isRead;
  const read = (one) => (isNew(one) ? { ...one, isRead: true, readAt: one.readAt ?? at ?? null } : one);
  return withTimeline(after, conversationId, (line) =>
    line.items.some(isNew) ? { ...line, items: line.items.map(read) } : line,
  );
}

/**
 * What remains unread behind a mark, as far as the loaded end of the timeline tells.
 * @param {State} state
 * @param {number} id
 * @param {number} mark
 * @param {number} before
 */
function unreadAfter(state, id, mark, before) {
  const line = state.timelines[id];
  if (!line || line.hasAfter) return before;
  return line.items.filter((one) => one.id > mark && one.senderId !== state.me?.id && !one.isDeleted).length;
}

/**
 * @param {number|null|undefined} one
 * @param {number|null|undefined} other
 * @returns {number|null}
 */
function highest(one, other) {
  return Math.max(one ?? 0, other ?? 0) || null;
}

/**
 * The other person of a conversation.
 * @param {Conversation} conversation
 * @param {number} myId
 * @returns {Person}
 */
export function peerOf(conversation, myId) {
  return conversation.clientId === myId ? conversation.lawyer : conversation.client;
}

/**
 * @param {{files: {url?: string}[], attachments?: string[]|null}} message
 * @returns {string[]} addresses of files that lie somewhere else
 */
export const addressesOf = ({ files, attachments }) =>
  (attachments ?? []).filter((address) => !files.some(({ url }) => url === address));

/** @param {any} message @returns {number} files and addresses that go with it */
export const countOfFiles = (message) => message.files.length + addressesOf(message).length;

/**
 * The list as it is shown.
 * @param {State} state @param {'all'|'unread'|'unanswered'} filter
 * @returns {Conversation[]} latest activity first; unanswered: longest wait first
 */
export function listed(state, filter) {
  const all = Object.values(state.conversations);
  const at = (one) => Date.parse(one.lastMessageAt ?? one.createdAt);
  if (filter === 'unread') return all.filter((one) => one.unreadCount > 0).sort((a, b) => at(b) - at(a) || b.id - a.id);
  if (filter === 'unanswered') return all.filter((one) => isWaiting(one)).sort((a, b) => at(a) - at(b) || a.id - b.id);
  return all.sort((a, b) => at(b) - at(a) || b.id - a.id);
}

/** The last word is the client's. @param {Conversation} one */
function isWaiting(one) {
  return one.lastMessageAt !== null && one.lastMessageSenderId === one.clientId;
}

/**
 * @param {State} state
 * @returns {number} messages of others not yet read, over all conversations
 */
export function unreadTotal(state) {
  return Object.values(state.conversations).reduce((sum, one) => sum + one.unreadCount, 0);
}

/**
 * What a message may carry, as the server has said; before that, it judges alone.
 * @param {State} state
 * @returns {{fileBytes: number, filesPerMessage: number}}
 */
export function limitsOf(state) {
  return state.me?.limits ?? { fileBytes: Infinity, filesPerMessage: Infinity };
}

/**
 * What this person has on the way in a conversation and the timeline does not show yet.
 * @param {State} state
 * @param {number} id
 * @returns {Entry[]}
 */
export function pending(state, id) {
  const mine = state.outbox.filter((entry) => entry.conversationId === id);
  if (!mine.length) return mine;
  const shown = new Set(state.timelines[id]?.items.map((one) => one.clientMessageId));
  return mine.filter((entry) => !shown.has(entry.clientMessageId));
}
