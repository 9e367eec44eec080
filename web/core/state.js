/**
 * What the page knows, and how each event changes it: `apply(state, event) -> state`, pure.
 *
 * Guarantees: parts that an event does not touch keep their identity, so that a view can compare with `===`; a message
 * stands once in its timeline whatever order page, event and acknowledgement arrive in; an older `rev` never overwrites a
 * newer one; a read mark never moves backwards. Has never heard of sockets, storage or the document.
 *
 * @typedef {{id: number, name: string, role: 'client'|'juriste'|'admin', isOnline: boolean, lastSeenAt?: string|null, specialty?: string|null}} Person
 * @typedef {{id: number, url: string, name: string, size: number, mimeType: string, sha256?: string, width?: number|null, height?: number|null}} StoredFile
 * @typedef {{emoji: string, userIds: number[]}} Reaction
 * @typedef {{id: number, conversationId: number, senderId: number, content: string, attachments: string[]|null, files: StoredFile[],
 *   replyToId: number|null, reactions: Reaction[], isRead: boolean, readAt: string|null, isDeleted: boolean, deletedAt: string|null,
 *   editedAt: string|null, createdAt: string, clientMessageId?: string|null, rev: number}} Message
 * @typedef {{id: number, clientId: number, lawyerId: number, client: Person, lawyer: Person, lastMessageAt: string|null,
 *   lastMessageText: string|null, unreadCount: number, lastReadMessageId: number|null, peerLastReadMessageId: number|null, rev: number,
 *   isActive: boolean, createdAt: string, updatedAt: string, lastMessageId?: number|null,
 *   lastMessageSenderId?: number|null, lastMessageFileCount?: number}} Conversation
 * @typedef {{items: Message[], hasBefore: boolean, hasAfter: boolean, rev: number, unreadFrom: number|null, missed: number, following: boolean,
 *   loading: 'before'|'after'|'page'|null, flash: number|null, epoch: number}} Timeline
 * @typedef {{clientMessageId: string, conversationId: number, content: string, files: any[], replyToId: number|null, createdAt: string,
 *   stage: import('./lifecycle.js').Stage, code?: string, reason?: string, seq?: number}} Entry
 * @typedef {{text: string, replyToId: number|null, editingId: number|null, files: any[], aside?: {text: string, replyToId: number|null}|null}} Draft
 * @typedef {{me: Person & {email: string, locale?: string, limits?: {fileBytes: number, filesPerMessage: number}}|null, conversations: Record<number, Conversation>, listLoaded: boolean,
 *   timelines: Record<number, Timeline>, openId: number|null, outbox: Entry[], drafts: Record<number, Draft>, quotes: Record<number, Message|null>,
 *   typing: Record<number, {userId: number, until: number}>, link: {stage: 'idle'|'up'|'down', since: number},
 *   refused: number|null, needsSignIn: boolean, demo: boolean, notice: {text: string, tone: 'info'|'alert', at: number}|null}} State
 */

/** Rows that a timeline keeps; what lies further away is loaded again when scrolled to. */
export const WINDOW = 300;

/** How far beyond it a timeline may grow before it is cut: a cut and a new row never fall into one change, so that nothing jumps. */
export const SLACK = 100;

/** @returns {State} */
export function initial() {
  return {
    me: null, conversations: {}, listLoaded: false, timelines: {}, openId: null, outbox: [], drafts: {}, quotes: {}, typing: {},
    link: { stage: 'idle', since: 0 }, refused: null, needsSignIn: false, demo: false, notice: null,
  };
}

/**
 * @param {State} state
 * @param {{type: string} & Record<string, any>} event
 * @returns {State}
 */
export function apply(state, event) {
  const change = CHANGES[event.type];
  if (!change) throw new Error(`no such event: ${event.type}`);
  return change(state, event);
}

/** @type {Record<string, (state: State, event: any) => State>} */
const CHANGES = {
  signedIn: (state, { me }) => ({ ...state, me, needsSignIn: false }),
  signedOut: (state) => ({ ...initial(), demo: state.demo }),
  signInNeeded: (state) => ({ ...state, needsSignIn: true }),
  demoSeen: (state, { demo }) => (state.demo === demo ? state : { ...state, demo }),
  noticed: (state, { text, tone = 'info', at }) => ({ ...state, notice: { text, tone, at } }),
  noticeEnded: (state) => ({ ...state, notice: null }),
  linkChanged: (state, { stage, at }) => (state.link.stage === stage ? state : { ...state, link: { stage, since: at } }),

  conversationsLoaded: (state, { conversations }) => ({
    ...state,
    listLoaded: true,
    conversations: Object.fromEntries(conversations.map((one) => [one.id, merged(state.conversations[one.id], one)])),
  }),
  conversationChanged: (state, { conversation }) => withConversation(state, conversation.id, (old) => merged(old, conversation)),
  // The line of new messages is that of one visit.
  opened: (state, { conversationId }) => withTimeline({ ...state, openId: conversationId, refused: null }, conversationId,
    (line) => (line.unreadFrom ? { ...line, unreadFrom: null } : line)),
  conversationRefused: (state, { conversationId }) => ({ ...state, refused: conversationId }),

  pageAsked: (state, { conversationId, loading }) => withTimeline(state, conversationId, (line) => ({ ...line, loading })),
  pageFailed: (state, { conversationId }) => withTimeline(state, conversationId, (line) => ({ ...line, loading: null })),
  pageLoaded,
  flashed: (state, { conversationId, messageId }) => withTimeline(state, conversationId, (line) => ({ ...line, flash: messageId })),
  trimmed: (state, { conversationId }) => withTimeline(state, conversationId, (line) => (line.following && !line.hasAfter && line.items.length > WINDOW
    ? { ...line, items: line.items.slice(-WINDOW), hasBefore: true } : line)),
  unreadLineDrawn: (state, { conversationId, messageId }) => withTimeline(state, conversationId, (line) => ({ ...line, unreadFrom: messageId })),
  followed: (state, { conversationId, following }) => withTimeline(state, conversationId, (line) => {
    const missed = following && !line.hasAfter ? 0 : line.missed;
    return line.following === following && line.missed === missed ? line : { ...line, following, missed };
  }),

  messageReceived,
  messageChanged: (state, { message }) => revised(withTimeline(state, message.conversationId, (line) => ({
    ...line, items: patched(line.items, message), rev: Math.max(line.rev, message.rev ?? 0),
  })), message),
  reactionsChanged: (state, { conversationId, messageId, reactions, rev }) => withTimeline(state, conversationId, (line) => ({
    ...line,
    rev: Math.max(line.rev, rev ?? 0),
    items: line.items.map((one) => (one.id === messageId && (rev ?? one.rev) >= one.rev ? { ...one, reactions, rev: rev ?? one.rev } : one)),
  })),
  quoteLoaded: (state, { messageId, message }) => ({ ...state, quotes: { ...state.quotes, [messageId]: message } }),
  synced,
  readMarked,
  notified,

  typed: (state, { conversationId, userId, until }) => ({ ...state, typing: { ...state.typing, [conversationId]: { userId, until } } }),
  typingEnded: (state, { conversationId }) => ({ ...state, typing: without(state.typing, conversationId) }),
  presenceChanged,

  outboxChanged: (state, { entries }) => ({ ...state, outbox: entries }),
  draftChanged: (state, { conversationId, draft }) => ({
    ...state, drafts: draft ? { ...state.drafts, [conversationId]: draft } : without(state.drafts, conversationId),
  }),
  draftsLoaded: (state, { drafts }) => ({ ...state, drafts: { ...drafts, ...state.drafts } }),
};

/** A page of messages: the first one, one above, or one below. @param {State} state @param {any} event */
function pageLoaded(state, { conversationId, mode, messages, hasBefore, hasAfter, rev, flash }) {
  const old = state.timelines[conversationId] ?? EMPTY;
  /** @type {Timeline} */
  let line;
  if (mode === 'before' && old.following && !old.hasAfter) {
    // Who went back to the end meanwhile looks at the other side.
    const items = union(messages, old.items).slice(-WINDOW);
    line = { ...old, items, hasBefore: hasBefore || items[0]?.id !== messages[0]?.id };
  } else if (mode === 'before') {
    const items = union(messages, old.items).slice(0, WINDOW);
    line = { ...old, items, hasBefore, hasAfter: old.hasAfter || items.length < old.items.length + messages.length && last(items)?.id !== last(old.items)?.id };
  } else if (mode === 'after') {
    const items = union(old.items, messages).slice(-WINDOW);
    line = { ...old, items, hasAfter, hasBefore: old.hasBefore || items[0]?.id !== old.items[0]?.id, missed: hasAfter ? old.missed : 0 };
  } else {
    line = { ...EMPTY, items: union([], messages), hasBefore, hasAfter, rev: rev ?? old.rev, unreadFrom: old.unreadFrom, missed: hasAfter ? old.missed : 0, following: !hasAfter, epoch: old.epoch + 1 };
  }
  line = { ...line, loading: null, flash: flash ?? line.flash };
  return { ...state, timelines: { ...state.timelines, [conversationId]: line } };
}

/** A new message, from its event or from the acknowledgement of sending it. @param {State} state @param {any} event */
function messageReceived(state, { message }) {
  const id = message.conversationId;
  const known = state.timelines[id]?.items.some((one) => one.id === message.id);
  let after = withTimeline(state, id, (line) => extended(line, [message], message.rev ?? 0, state.me?.id));
  after = withConversation(after, id, (old) => {
    if (!old || (old.rev ?? 0) >= (message.rev ?? Infinity)) return old;
    const theirs = message.senderId !== state.me?.id && !known;
    return {
      ...old, rev: message.rev ?? old.rev, lastMessageAt: message.createdAt, lastMessageText: message.content,
      lastMessageId: message.id, lastMessageSenderId: message.senderId, lastMessageFileCount: countOfFiles(message), unreadCount: old.unreadCount + (theirs ? 1 : 0),
    };
  });
  const typing = after.typing[id];
  return typing && typing.userId === message.senderId ? { ...after, typing: without(after.typing, id) } : after;
}

/**
 * The timeline with messages at its end. Who reads further up keeps what is being read: beyond a bound the new ones are only
 * counted, and loaded when scrolled to.
 * @param {Timeline} line @param {Message[]} fresh @param {number} rev @param {number|undefined} myId @returns {Timeline}
 */
function extended(line, fresh, rev, myId) {
  const end = last(line.items)?.id ?? 0;
  const theirs = fresh.filter((one) => one.senderId !== myId && one.id > end && one.rev > line.rev).length;
  const missed = line.following && !line.hasAfter ? 0 : line.missed + theirs;
  const after = { ...line, rev: Math.max(rev, line.rev), missed };
  if (line.hasAfter) return after;
  const items = union(line.items, fresh);
  if (!line.following && items.length > WINDOW + SLACK) return { ...after, hasAfter: true };
  return { ...after, items };
}

/**
 * The answer of catching up after a gap. A message that came first stands at the end already: what was missed belongs before it, and only
 * what lies above the loaded part is left out.
 * @param {State} state @param {any} event
 */
function synced(state, { conversationId, messages, rev, reads = [] }) {
  let after = withTimeline(state, conversationId, (line) => {
    const first = line.hasBefore ? line.items[0]?.id ?? 0 : 0;
    const items = messages.reduce(patched, line.items);
    return extended({ ...line, items }, messages.filter((one) => one.id > first), rev, state.me?.id);
  });
  for (const read of reads) after = readMarked(after, { conversationId, ...read });
  return after;
}

/** Everything up to a message is read by somebody. @param {State} state @param {any} event */
function readMarked(state, { conversationId, userId, messageId, at, unreadCount }) {
  if (!messageId) return state;
  const mine = userId === state.me?.id;
  let after = withConversation(state, conversationId, (old) => {
    if (!old) return old;
    if (!mine) return messageId > (old.peerLastReadMessageId ?? 0) ? { ...old, peerLastReadMessageId: messageId } : old;
    const newer = messageId > (old.lastReadMessageId ?? 0);
    const count = unreadCount ?? (newer ? unreadAfter(state, conversationId, messageId, old.unreadCount) : old.unreadCount);
    return newer || count !== old.unreadCount ? { ...old, lastReadMessageId: newer ? messageId : old.lastReadMessageId, unreadCount: count } : old;
  });
  if (mine) return after;
  after = withTimeline(after, conversationId, (line) => {
    const touched = line.items.some((one) => one.id <= messageId && one.senderId !== userId && !one.isRead);
    if (!touched) return line;
    return { ...line, items: line.items.map((one) => (one.id <= messageId && one.senderId !== userId && !one.isRead ? { ...one, isRead: true, readAt: one.readAt ?? at ?? null } : one)) };
  });
  return after;
}

/** What remains unread behind a mark, as far as the loaded end of the timeline tells. @param {State} state @param {number} id @param {number} mark @param {number} before */
function unreadAfter(state, id, mark, before) {
  const line = state.timelines[id];
  if (!line || line.hasAfter) return before;
  return line.items.filter((one) => one.id > mark && one.senderId !== state.me?.id && !one.isDeleted).length;
}

/** A message in a conversation that this device has not joined. @param {State} state @param {any} event */
function notified(state, { conversationId, messageId, senderId, preview, unreadCount, timestamp }) {
  return withConversation(state, conversationId, (old) => old && {
    ...old, unreadCount: messageId <= (old.lastReadMessageId ?? 0) ? old.unreadCount : unreadCount,
    lastMessageText: preview, lastMessageAt: timestamp, lastMessageId: messageId, lastMessageSenderId: senderId,
    // A message without a text has a file; how many is told with the conversation.
    lastMessageFileCount: preview ? 0 : 1,
  });
}

/** @param {State} state @param {any} event */
function presenceChanged(state, { userId, isOnline, at }) {
  let touched = false;
  const conversations = Object.fromEntries(Object.entries(state.conversations).map(([id, one]) => {
    const side = one.client?.id === userId ? 'client' : one.lawyer?.id === userId ? 'lawyer' : null;
    if (!side || one[side].isOnline === isOnline) return [id, one];
    touched = true;
    return [id, { ...one, [side]: { ...one[side], isOnline, lastSeenAt: isOnline ? one[side].lastSeenAt : at ?? one[side].lastSeenAt } }];
  }));
  return touched ? { ...state, conversations } : state;
}

/** A changed text may be the one that the list shows. @param {State} state @param {Message} message */
function revised(state, message) {
  return withConversation(state, message.conversationId, (old) => {
    if (!old || (message.rev ?? 0) <= (old.rev ?? 0)) return old;
    const isLast = old.lastMessageId === message.id;
    return { ...old, rev: message.rev, lastMessageText: isLast ? message.content : old.lastMessageText };
  });
}

/** @type {Timeline} */
export const EMPTY = Object.freeze({ items: [], hasBefore: false, hasAfter: false, rev: 0, unreadFrom: null, missed: 0, following: true, loading: null, flash: null, epoch: 0 });

/** @param {State} state @param {number} id @param {(line: Timeline) => Timeline} change */
function withTimeline(state, id, change) {
  const old = state.timelines[id];
  if (!old) return state;
  const line = change(old);
  return line === old ? state : { ...state, timelines: { ...state.timelines, [id]: line } };
}

/** @param {State} state @param {number} id @param {(old: Conversation) => Conversation} change */
function withConversation(state, id, change) {
  const old = state.conversations[id];
  const conversation = change(old);
  return !conversation || conversation === old ? state : { ...state, conversations: { ...state.conversations, [id]: conversation } };
}

/** The server's view of a conversation, unless an event has told more already. @param {Conversation|undefined} old @param {Conversation} fresh */
function merged(old, fresh) {
  if (!old) return fresh;
  const lastReadMessageId = highest(old.lastReadMessageId, fresh.lastReadMessageId);
  const peerLastReadMessageId = highest(old.peerLastReadMessageId, fresh.peerLastReadMessageId);
  const stale = (fresh.rev ?? 0) < (old.rev ?? 0) || (fresh.lastReadMessageId ?? 0) < (lastReadMessageId ?? 0);
  const counted = stale ? { unreadCount: old.unreadCount } : null;
  const said = (fresh.rev ?? 0) < (old.rev ?? 0) ? { lastMessageAt: old.lastMessageAt, lastMessageText: old.lastMessageText,
    lastMessageId: old.lastMessageId, lastMessageSenderId: old.lastMessageSenderId, lastMessageFileCount: old.lastMessageFileCount, rev: old.rev } : null;
  return { ...old, ...fresh, ...counted, ...said, lastReadMessageId, peerLastReadMessageId };
}

/** @param {Message} message @returns {number} files and addresses that go with it */
export function countOfFiles(message) {
  const stored = new Set(message.files.map((file) => file.url));
  return message.files.length + (message.attachments ?? []).filter((address) => !stored.has(address)).length;
}

/** @param {number|null|undefined} one @param {number|null|undefined} other @returns {number|null} */
function highest(one, other) {
  return Math.max(one ?? 0, other ?? 0) || null;
}

/** The message in its place if it is there, unless a newer state of it is. @param {Message[]} items @param {Message} message */
function patched(items, message) {
  const at = items.findIndex((one) => one.id === message.id);
  if (at < 0 || items[at].rev > message.rev) return items;
  const copy = items.slice();
  copy[at] = { ...message, clientMessageId: message.clientMessageId ?? items[at].clientMessageId };
  return copy;
}

/** Both lists in order of id, each message once, the later state of it. @param {Message[]} older @param {Message[]} newer @returns {Message[]} */
function union(older, newer) {
  const tail = older[older.length - 1];
  if (newer.length === 1 && (!tail || newer[0].id > tail.id)) return [...older, newer[0]];
  const byId = new Map(older.map((one) => [one.id, one]));
  for (const one of newer) {
    const known = byId.get(one.id);
    if (!known || known.rev <= one.rev) byId.set(one.id, known ? { ...one, clientMessageId: one.clientMessageId ?? known.clientMessageId } : one);
  }
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

/** @template T @param {Record<number, T>} record @param {number} key */
function without(record, key) {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}

/** @template T @param {T[]} list @returns {T|undefined} */
function last(list) {
  return list[list.length - 1];
}

/** The other person of a conversation. @param {Conversation} conversation @param {number} myId @returns {Person} */
export function peerOf(conversation, myId) {
  return conversation.clientId === myId ? conversation.lawyer : conversation.client;
}

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

/** @param {State} state @returns {number} messages of others not yet read, over all conversations */
export function unreadTotal(state) {
  return Object.values(state.conversations).reduce((sum, one) => sum + one.unreadCount, 0);
}

/** What a message may carry, as the server has said; before that, it judges alone. @param {State} state @returns {{fileBytes: number, filesPerMessage: number}} */
export function limitsOf(state) {
  return state.me?.limits ?? { fileBytes: Infinity, filesPerMessage: Infinity };
}

/** What this person has on the way in a conversation and the timeline does not show yet. @param {State} state @param {number} id @returns {Entry[]} */
export function pending(state, id) {
  const mine = state.outbox.filter((entry) => entry.conversationId === id);
  if (!mine.length) return mine;
  const shown = new Set(state.timelines[id]?.items.map((one) => one.clientMessageId));
  return mine.filter((entry) => !shown.has(entry.clientMessageId));
}
