/**
 * The loaded part of each conversation: pages, new messages, catching up. Pure.
 *
 * @typedef {import('./state.js').State} State
 * @typedef {import('./state.js').Message} Message
 * @typedef {import('./state.js').Conversation} Conversation
 * @typedef {import('./state.js').Timeline} Timeline
 */
import { countOfFiles, lastLine, readMarked } from './conversations.js';
import { last, withConversation, withTimeline, without } from './update.js';

/** Rows that a timeline keeps; what lies further away is loaded again when scrolled to. */
export const WINDOW = 300;

/**
 * How far beyond it a timeline may grow before it is cut: a cut and a new row never fall into one
 * change, so that nothing jumps.
 */
export const SLACK = 100;

/** @type {Timeline} */
export const EMPTY = Object.freeze({
  items: [],
  hasBefore: false,
  hasAfter: false,
  rev: 0,
  unreadFrom: null,
  missed: 0,
  following: true,
  loading: null,
  flash: null,
  epoch: 0,
});

/**
 * A page of messages: the first one, one above, or one below.
 * @param {State} state
 * @param {any} event
 */
export function pageLoaded(state, { conversationId, mode, messages, hasBefore, hasAfter, rev, flash }) {
  const old = state.timelines[conversationId] ?? EMPTY;
  /** @type {Timeline} */
  let line;
  if (mode === 'before' && old.following && !old.hasAfter) {
    // Who went back to the end meanwhile looks at the other side.
    const items = union(messages, old.items).slice(-WINDOW);
    line = { ...old, items, hasBefore: hasBefore || items[0]?.id !== messages[0]?.id };
  } else if (mode === 'before') {
    const items = union(messages, old.items).slice(0, WINDOW);
    line = {
      ...old,
      items,
      hasBefore,
      hasAfter:
        old.hasAfter || (items.length < old.items.length + messages.length && last(items)?.id !== last(old.items)?.id),
    };
  } else if (mode === 'after') {
    const items = union(old.items, messages).slice(-WINDOW);
    line = {
      ...old,
      items,
      hasAfter,
      hasBefore: old.hasBefore || items[0]?.id !== old.items[0]?.id,
      missed: hasAfter ? old.missed : 0,
    };
  } else {
    line = {
      ...EMPTY,
      items: union([], messages),
      hasBefore,
      hasAfter,
      rev: rev ?? old.rev,
      unreadFrom: old.unreadFrom,
      missed: hasAfter ? old.missed : 0,
      following: !hasAfter,
      epoch: old.epoch + 1,
    };
  }
  line = { ...line, loading: null, flash: flash ?? line.flash };
  return { ...state, timelines: { ...state.timelines, [conversationId]: line } };
}

/**
 * A new message, from its event or from the acknowledgement of sending it.
 * @param {State} state
 * @param {any} event
 */
export function messageReceived(state, { message }) {
  const id = message.conversationId;
  const known = state.timelines[id]?.items.some((one) => one.id === message.id);
  let after = withTimeline(state, id, (line) => extended(line, [message], message.rev ?? 0, state.me?.id));
  after = withConversation(after, id, (old) => {
    if (!old || (old.rev ?? 0) >= (message.rev ?? Infinity)) return old;
    const theirs = message.senderId !== state.me?.id && !known;
    return {
      ...old,
      rev: message.rev ?? old.rev,
      lastMessageAt: message.createdAt,
      ...lastLine(message),
      lastMessageId: message.id,
      lastMessageSenderId: message.senderId,
      lastMessageFileCount: countOfFiles(message),
      unreadCount: old.unreadCount + (theirs ? 1 : 0),
    };
  });
  const typing = after.typing[id];
  return typing && typing.userId === message.senderId ? { ...after, typing: without(after.typing, id) } : after;
}

/**
 * The timeline with messages at its end. Who reads further up keeps what is being read: beyond a
 * bound the new ones are only
 * counted, and loaded when scrolled to.
 * @param {Timeline} line @param {Message[]} fresh @param {number} rev @param {number|undefined}
 *   myId @returns {Timeline}
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
 * The answer of catching up after a gap. A message that came first stands at the end already: what
 * was missed belongs before it, and only
 * what lies above the loaded part is left out.
 * @param {State} state @param {any} event
 */
export function synced(state, { conversationId, messages, rev, reads = [] }) {
  let after = withTimeline(state, conversationId, (line) => {
    const first = line.hasBefore ? (line.items[0]?.id ?? 0) : 0;
    const items = messages.reduce(patched, line.items);
    return extended(
      { ...line, items },
      messages.filter((one) => one.id > first),
      rev,
      state.me?.id,
    );
  });
  for (const read of reads) after = readMarked(after, { conversationId, ...read });
  // What lies above the loaded part may be quoted in it.
  return { ...after, quotes: { ...after.quotes, ...Object.fromEntries(messages.map((one) => [one.id, one])) } };
}

/**
 * The message in its place if it is there, unless a newer state of it is.
 * @param {Message[]} items
 * @param {Message} message
 */
export function patched(items, message) {
  const at = items.findIndex((one) => one.id === message.id);
  if (at < 0 || items[at].rev > message.rev) return items;
  const copy = items.slice();
  copy[at] = { ...message, clientMessageId: message.clientMessageId ?? items[at].clientMessageId };
  return copy;
}

/**
 * Both lists in order of id, each message once, the later state of it.
 * @param {Message[]} older
 * @param {Message[]} newer
 * @returns {Message[]}
 */
function union(older, newer) {
  const tail = older[older.length - 1];
  if (newer.length === 1 && (!tail || newer[0].id > tail.id)) return [...older, newer[0]];
  const byId = new Map(older.map((one) => [one.id, one]));
  for (const one of newer) {
    const known = byId.get(one.id);
    if (!known || known.rev <= one.rev)
      byId.set(one.id, known ? { ...one, clientMessageId: one.clientMessageId ?? known.clientMessageId } : one);
  }
  return [...byId.values()].sort((a, b) => a.id - b.id);
}
