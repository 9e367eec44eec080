/**
 * What the page knows, and how each event changes it: `apply(state, event) -> state`, pure.
 *
 * Guarantees: parts that an event does not touch keep their identity, so that a view can compare
 * with `===`; a message
 * stands once in its timeline whatever order page, event and acknowledgement arrive in; an older
 * `rev` never overwrites a
 * newer one; a read mark moves backwards only where the server says in
 * order that it did. Has never heard of sockets, storage or the document.
 *
 * @typedef {{id: number, name: string, role: 'client'|'juriste'|'admin', isOnline: boolean,
 *   lastSeenAt?: string|null, specialty?: string|null}} Person
 * @typedef {{id: number, url: string, name: string, size: number, mimeType: string, sha256?:
 *   string, width?: number|null, height?: number|null}} StoredFile
 * @typedef {{emoji: string, userIds: number[]}} Reaction
 * @typedef {{id: number, conversationId: number, senderId: number, content: string, attachments:
 *   string[]|null, files: StoredFile[],
 *   replyToId: number|null, reactions: Reaction[], isRead: boolean, readAt: string|null, isDeleted:
 *   boolean, deletedAt: string|null,
 *   editedAt: string|null, createdAt: string, clientMessageId?: string|null, rev: number,
 *   kind: string, call: any, invoice?: any}} Message
 * @typedef {{id: number, clientId: number, lawyerId: number, client: Person, lawyer: Person,
 *   lastMessageAt: string|null,
 *   lastMessageText: string|null, unreadCount: number, lastReadMessageId: number|null,
 *   peerLastReadMessageId: number|null, rev: number,
 *   isActive: boolean, mutedUntil?: string|null, createdAt: string, updatedAt: string, lastMessageId?: number|null,
 *   lastMessageSenderId?: number|null, lastMessageFileCount?: number, owesMark?: boolean,
 *   lastMessageEntry?: Pick<Message, 'kind'|'call'|'invoice'>|null}} Conversation
 * @typedef {{items: Message[], hasBefore: boolean, hasAfter: boolean, rev: number, unreadFrom:
 *   number|null, missed: number, following: boolean,
 *   loading: 'before'|'after'|'page'|null, flash: number|null, epoch: number}} Timeline
 * @typedef {{provider: 'direct'|'jitsi', mayStart: boolean, hasRelay: boolean,
 *   recordings: import('./recording.js').Offer|null}} CallSettings
 * @typedef {{clientMessageId: string, conversationId: number, content: string, files: any[],
 *   replyToId: number|null, createdAt: string,
 *   stage: import('./lifecycle.js').Stage, code?: string, reason?: string, seq?: number}} Entry
 * @typedef {{id: string, text: string, replyToId: number|null, editingId: number|null, files: any[], aside?:
 *   {text: string, replyToId: number|null}|null}} Draft
 * @typedef {{me: Person & {email: string, locale?: string, limits?: {fileBytes: number,
 *   filesPerMessage: number, editWindow?: number}, calls?: CallSettings|null}|null,
 *   conversations: Record<number, Conversation>, listLoaded:
 *   boolean,
 *   timelines: Record<number, Timeline>, openId: number|null, outbox: Entry[], drafts:
 *   Record<number, Draft>, quotes: Record<number, Message|null>,
 *   typing: Record<number, {userId: number, until: number}>, link: {stage: 'idle'|'up'|'down',
 *   since: number},
 *   refused: number|null, needsSignIn: boolean, demo: boolean, resets: boolean, history: string|null,
 *   notice: {text: string, tone:
 *   'info'|'alert', at: number}|null}} State
 */
import { merged, notified, presenceChanged, readMarked, revised } from './conversations.js';
import { WINDOW, messageReceived, pageLoaded, patched, synced } from './timelines.js';
import { withConversation, withTimeline, without } from './update.js';


/** @returns {State} */
export function initial() {
  return {
    me: null,
    conversations: {},
    listLoaded: false,
    timelines: {},
    openId: null,
    outbox: [],
    drafts: {},
    quotes: {},
    typing: {},
    link: { stage: 'idle', since: 0 },
    refused: null,
    needsSignIn: false,
    demo: false,
    resets: false,
    history: null,
    notice: null,
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
  signedOut: ({ demo, resets }) => ({ ...initial(), demo, resets }),
  signInNeeded: (state) => ({ ...state, needsSignIn: true }),
  demoSeen: (state, { demo, resets = false }) =>
    state.demo === demo && state.resets === resets ? state : { ...state, demo, resets },
  noticed: (state, { text, tone = 'info', at }) => ({ ...state, notice: { text, tone, at } }),
  noticeEnded: (state) => ({ ...state, notice: null }),
  linkChanged: (state, { stage, at }) =>
    state.link.stage === stage ? state : { ...state, link: { stage, since: at }, quotes: arrived(state) },

  historySeen,
  conversationsLoaded: (state, { conversations }) => ({
    ...state,
    listLoaded: true,
    conversations: Object.fromEntries(conversations.map((one) => [one.id, merged(state.conversations[one.id], one)])),
  }),
  conversationChanged: (state, { conversation }) =>
    withConversation(state, conversation.id, (old) => merged(old, conversation, true)),
  // The line of new messages is that of one visit.
  opened: (state, { conversationId }) =>
    withTimeline(
      { ...state, openId: conversationId, refused: null, quotes: arrived(state) },
      conversationId,
      (line) => (line.unreadFrom ? { ...line, unreadFrom: null } : line),
    ),
  conversationRefused: (state, { conversationId }) => ({ ...state, refused: conversationId }),

  pageAsked: (state, { conversationId, loading }) =>
    withTimeline(state, conversationId, (line) => ({ ...line, loading })),
  pageFailed: (state, { conversationId }) =>
    withTimeline(state, conversationId, (line) => ({ ...line, loading: null })),
  pageLoaded,
  flashed: (state, { conversationId, messageId }) =>
    withTimeline(state, conversationId, (line) => ({ ...line, flash: messageId })),
  trimmed: (state, { conversationId }) =>
    withTimeline(state, conversationId, (line) =>
      line.following && !line.hasAfter && line.items.length > WINDOW
        ? { ...line, items: line.items.slice(-WINDOW), hasBefore: true }
        : line,
    ),
  unreadLineDrawn: (state, { conversationId, messageId }) =>
    withTimeline(state, conversationId, (line) => ({ ...line, unreadFrom: messageId })),
  followed: (state, { conversationId, following }) =>
    withTimeline(state, conversationId, (line) => {
      const missed = following && !line.hasAfter ? 0 : line.missed;
      return line.following === following && line.missed === missed ? line : { ...line, following, missed };
    }),

  messageReceived,
  messageChanged: (state, { message }) =>
    revised(
      withTimeline(quoted(state, message.id, message), message.conversationId, (line) => ({
        ...line,
        items: patched(line.items, message),
        rev: Math.max(line.rev, message.rev ?? 0),
      })),
      message,
    ),
  reactionsChanged: (state, { conversationId, messageId, reactions, rev }) =>
    withTimeline(state, conversationId, (line) => ({
      ...line,
      rev: Math.max(line.rev, rev ?? 0),
      items: line.items.map((one) =>
        one.id === messageId && (rev ?? one.rev) >= one.rev ? { ...one, reactions, rev: rev ?? one.rev } : one,
      ),
    })),
  quoteLoaded: (state, { messageId, message }) => quoted(state, messageId, message),
  synced,
  readMarked,
  notified,

  typed: (state, { conversationId, userId, until }) => ({
    ...state,
    typing: { ...state.typing, [conversationId]: { userId, until } },
  }),
  typingEnded: (state, { conversationId }) => ({ ...state, typing: without(state.typing, conversationId) }),
  presenceChanged,

  outboxChanged: (state, { entries }) => ({ ...state, outbox: entries }),
  draftChanged: (state, { conversationId, draft }) => ({
    ...state,
    drafts: draft ? { ...state.drafts, [conversationId]: draft } : without(state.drafts, conversationId),
  }),
  draftsLoaded: (state, { drafts }) => ({ ...state, drafts: { ...drafts, ...state.drafts } }),
};

/**
 * The name of the history that the server's numbers belong to. Another one than before (a backup was
 * restored): nothing that was known under a number is what has that number now. What this person wrote
 * stays, but answers and edits nothing.
 * @param {State} state
 * @param {{history: string, contradicted?: boolean}} event
 * @returns {State}
 */
function historySeen(state, { history, contradicted = false }) {
  if (!contradicted && (!history || state.history === history)) return state;
  if (!contradicted && state.history === null) return { ...state, history };
  const { me, openId, outbox, link, needsSignIn, demo, resets, notice } = state;
  const drafts = Object.fromEntries(Object.entries(state.drafts).map(([id, draft]) => [id, detached(draft)]));
  return { ...initial(), me, openId, outbox, link, needsSignIn, demo, resets, notice, drafts, history };
}

/**
 * What others quote is as it is now.
 * @param {State} state
 * @param {number} id
 * @param {Message|null} message
 * @returns {State}
 */
const quoted = (state, id, message) => ({ ...state, quotes: { ...state.quotes, [id]: message } });

/** What was asked for and has not come may be asked for again. @param {State} state */
const arrived = ({ quotes }) => Object.fromEntries(Object.entries(quotes).filter(([, message]) => message));

/** @param {Draft} draft @returns {Draft} what was written, and no longer about a message */
function detached({ aside, ...draft }) {
  const text = draft.editingId ? (aside?.text ?? '') : draft.text;
  return { ...draft, text, replyToId: null, editingId: null, aside: null };
}
