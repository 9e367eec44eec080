/**
 * One signed-in person's page at work: keeps socket, storage and state together, and offers what the views can ask for.
 *
 * Everything that changes what is shown goes through the store's events. Writing messages goes through the outbox; marking
 * read is remembered while there is no connection. Has never heard of elements.
 */
import { countOfFiles, peerOf } from '../core/state.js';
import { t, tn } from '../core/i18n.js';
import * as api from './api.js';
import * as session from './session.js';
import { connect } from './connection.js';
import { Drafts } from './drafts.js';
import { Outbox, election } from './outbox.js';
import { open as openStorage } from './storage.js';
import { prime } from './media.js';
import * as version from './version.js';
import { upload } from './uploads.js';

const PAGE = 50;
const TYPING_SHOWN_MS = 6_000;
const TYPING_SENT_EVERY_MS = 2_000;
const JOIN_AGAIN_MS = 1_000;
/** Changes to catch up with, beyond which loading anew is cheaper. */
const SYNC_PAGES_MAX = 5;

/** @typedef {Awaited<ReturnType<typeof start>>} Client */

/**
 * @param {import('../core/store.js').Store} store
 * @param {{onMessage?: (message: {conversationId: number, senderId: number, senderName?: string, text: string}) => void}} [listener]
 */
export async function start(store, listener = {}) {
  const who = session.find();
  if (!who) throw new Error('nobody is signed in');
  const me = who.user;
  const { dispatch, state } = store;
  dispatch({ type: 'signedIn', me });

  const storage = await openStorage(me.id);
  const drafts = new Drafts({ storage, store, upload });
  const others = typeof BroadcastChannel === 'function' ? new BroadcastChannel(`lexchat.${me.id}`) : null;
  /** Read marks that the server does not know yet. @type {Map<number, number>} */
  const owedReads = new Map();
  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  const typingEnds = new Map();
  /** @type {Set<number>} */
  const syncing = new Set();
  /** @type {{id: number|null, joined: boolean, target: number|null}} */
  let open = { id: null, joined: false, target: null };
  let typingSentAt = 0;
  /** Ends this window's turn, or its waiting for it, to send what is in the outbox. */
  let turn = new AbortController();

  const outbox = new Outbox({
    storage,
    send: (request) => socket.ask('message:send', request),
    isUp: () => socket.isUp(),
    upload: (file, conversationId) => drafts.running.get(file.key) ?? upload(file, conversationId),
    onChange: (entries) => dispatch({ type: 'outboxChanged', entries }),
    onAccepted: (message, entry) => {
      for (const file of entry?.files ?? []) prime(/** @type {any} */ (file).info?.url, /** @type {any} */ (file).blob);
      inOrder(message, () => dispatch({ type: 'messageReceived', message }));
    },
    tellOthers: () => others?.postMessage('outbox'),
  });

  // Until the connection is there it is missing, and the page says so as it does later.
  dispatch({ type: 'linkChanged', stage: 'down', at: Date.now() });
  let isReady = false;
  let wasAway = false;
  const socket = connect({ onUp, onDown, onEvent, onEnded: () => dispatch({ type: 'signInNeeded' }) });
  if (others) others.onmessage = () => outbox.load();
  await Promise.all([drafts.load(), outbox.load()]);
  refreshMe();
  isReady = true;
  if (socket.isUp()) takeTurn();

  /** What was changed on another device. */
  async function refreshMe() {
    const user = await api.get('/users/me').catch(() => null);
    const mine = session.find();
    if (!user || !mine || mine.user.id !== user.id) return;
    session.update(user);
    dispatch({ type: 'signedIn', me: { ...mine.user, ...user } });
  }

  async function onUp() {
    dispatch({ type: 'linkChanged', stage: 'up', at: Date.now() });
    open.joined = false;
    loadConversations();
    for (const [conversationId, messageId] of owedReads) tellRead(conversationId, messageId);
    if (open.id) join(open.id, Boolean(state().timelines[open.id]));
    if (isReady) takeTurn();
    // A page that was never without the server is of its version.
    if (wasAway) version.check();
  }

  function takeTurn() {
    turn.abort();
    turn = new AbortController();
    election(me.id, turn.signal, () => outbox.elect());
  }

  /** @param {boolean} [unanswered] nobody is there: what was known before has to do */
  function onDown(unanswered) {
    dispatch({ type: 'linkChanged', stage: 'down', at: Date.now() });
    wasAway = true;
    const known = unanswered && !state().listLoaded && session.people();
    if (known) dispatch({ type: 'conversationsLoaded', conversations: known });
    open.joined = false;
    turn.abort();
    outbox.rest();
  }

  /** @param {string} name @param {any} data */
  function onEvent(name, data) {
    EVENTS[name]?.(data);
  }

  /** @type {Record<string, (data: any) => void>} */
  const EVENTS = {
    'message:new': ({ message }) => {
      inOrder(message, () => dispatch({ type: 'messageReceived', message }));
      outbox.arrived(message);
      if (message.senderId !== me.id) listener.onMessage?.({ conversationId: message.conversationId, senderId: message.senderId, text: message.content || tn('file.count', countOfFiles(message)) });
    },
    'message:edited': ({ message }) => inOrder(message, () => dispatch({ type: 'messageChanged', message })),
    'message:deleted': ({ message }) => inOrder(message, () => dispatch({ type: 'messageChanged', message })),
    'message:reaction': (data) => inOrder(data, () => dispatch({ ...data, type: 'reactionsChanged' })),
    'message:read:ack': ({ messageId, conversationId, readBy, timestamp }) => dispatch({ type: 'readMarked', conversationId, messageId, userId: readBy, at: timestamp }),
    'user:typing': ({ userId, conversationId, isTyping }) => showTyping(conversationId, userId, isTyping),
    'user:online': ({ userId, timestamp }) => dispatch({ type: 'presenceChanged', userId, isOnline: true, at: timestamp }),
    'user:offline': ({ userId, timestamp }) => dispatch({ type: 'presenceChanged', userId, isOnline: false, at: timestamp }),
    'conversation:new': ({ conversation }) => {
      dispatch({ type: 'conversationChanged', conversation });
      keepPeople();
    },
    'conversation:updated': ({ conversation }) => dispatch({ type: 'conversationChanged', conversation }),
    notification: (data) => {
      dispatch({ ...data, type: 'notified' });
      if (!state().conversations[data.conversationId]) loadConversations();
      listener.onMessage?.({ conversationId: data.conversationId, senderId: data.senderId, senderName: data.senderName, text: data.preview || t('announce.files') });
    },
  };

  /** Applies a change of a timeline, and catches up if one before it is missing. @param {{conversationId: number, rev: number}} change @param {() => void} applied */
  function inOrder(change, applied) {
    const line = state().timelines[change.conversationId];
    const gap = line && change.rev > line.rev + 1;
    applied();
    if (gap) sync(change.conversationId, line.rev);
  }

  /** @param {number} conversationId @param {number} userId @param {boolean} isTyping */
  function showTyping(conversationId, userId, isTyping) {
    clearTimeout(typingEnds.get(conversationId));
    if (!isTyping) {
      dispatch({ type: 'typingEnded', conversationId });
      return;
    }
    dispatch({ type: 'typed', conversationId, userId, until: Date.now() + TYPING_SHOWN_MS });
    typingEnds.set(conversationId, setTimeout(() => dispatch({ type: 'typingEnded', conversationId }), TYPING_SHOWN_MS));
  }

  async function loadConversations() {
    try {
      dispatch({ type: 'conversationsLoaded', conversations: await api.get('/conversations') });
      keepPeople();
    } catch (error) {
      report(error);
    }
  }

  const keepPeople = () => session.keepPeople(Object.values(state().conversations));

  /** Shows a conversation; with `messageId`, the part around that message. @param {number|null} id @param {number|null} [messageId] */
  function openConversation(id, messageId = null) {
    if (open.id !== id) {
      if (open.id && open.joined) socket.tell('conversation:leave', { conversationId: open.id });
      open = { id, joined: false, target: messageId };
      dispatch({ type: 'opened', conversationId: id });
      if (id && socket.isUp()) join(id);
    } else if (id && messageId && open.target !== messageId) {
      open.target = messageId;
      showMessage(id, messageId);
    }
  }

  /** @param {number} id @param {boolean} [again] the connection was lost meanwhile: what is on the screen stays and catches up */
  async function join(id, again = false) {
    const before = state().timelines[id];
    const kept = before && (again || !(state().conversations[id]?.unreadCount > 0));
    let reply;
    try {
      reply = await socket.ask('conversation:join', { conversationId: id });
    } catch {
      // Without a connection it is asked again when that is back; a slow server is asked again now.
      setTimeout(() => open.id === id && !open.joined && socket.isUp() && join(id, again), JOIN_AGAIN_MS);
      return;
    }
    if (open.id !== id) {
      socket.tell('conversation:leave', { conversationId: id });
      return;
    }
    if (!reply.success) {
      dispatch({ type: 'conversationRefused', conversationId: id });
      return;
    }
    open.joined = true;
    dispatch({ type: 'conversationChanged', conversation: reply.conversation });
    const peer = peerOf(reply.conversation, me.id);
    dispatch({ type: 'presenceChanged', userId: peer.id, isOnline: reply.onlineUsers.includes(peer.id) });
    if (kept) await sync(id, before.rev);
    if (open.target && !again) await showMessage(id, open.target, reply.conversation.rev);
    else if (kept) outbox.work();
    else await firstPage(id, reply);
    const line = state().timelines[id];
    if (line && line.rev < (state().conversations[id]?.rev ?? 0)) await sync(id, line.rev);
  }

  /** The page that a conversation opens with: around the first unread message, else the latest. @param {number} id @param {any} reply */
  async function firstPage(id, { conversation, messages, hasMore }) {
    const mark = conversation.lastReadMessageId ?? 0;
    const firstUnread = conversation.unreadCount > 0 ? messages.find((one) => one.id > mark && one.senderId !== me.id) : null;
    const above = conversation.unreadCount > 0 && hasMore && (!firstUnread || firstUnread === messages[0]);
    if (above && mark) {
      const page = await history(id, { around: mark, limit: PAGE });
      if (page) {
        const unread = page.messages.find((one) => one.id > mark && one.senderId !== me.id);
        showPage(id, page.messages, page.hasMoreBefore, page.hasMoreAfter, conversation.rev, { unreadFrom: unread?.id ?? null });
        return;
      }
    }
    showPage(id, messages, hasMore, false, conversation.rev, { unreadFrom: firstUnread?.id ?? null });
  }

  /** @param {number} id @param {any[]} messages @param {boolean} hasBefore @param {boolean} hasAfter @param {number|undefined} rev @param {{unreadFrom?: number|null, flash?: number}} [more] */
  function showPage(id, messages, hasBefore, hasAfter, rev, { unreadFrom, flash } = {}) {
    dispatch({ type: 'pageLoaded', conversationId: id, mode: 'replace', messages, hasBefore, hasAfter, rev, flash });
    if (unreadFrom !== undefined) dispatch({ type: 'unreadLineDrawn', conversationId: id, messageId: unreadFrom });
  }

  /** @param {number} id @param {number} messageId @param {number} [rev] */
  async function showMessage(id, messageId, rev) {
    const line = state().timelines[id];
    if (line?.items.some((one) => one.id === messageId)) {
      dispatch({ type: 'flashed', conversationId: id, messageId });
      return;
    }
    const page = await history(id, { around: messageId, limit: PAGE });
    if (!page?.messages.some((one) => one.id === messageId)) {
      notice(t('timeline.messageGone'), 'alert');
      if (!line) await latest(id);
      return;
    }
    showPage(id, page.messages, page.hasMoreBefore, page.hasMoreAfter, rev ?? line?.rev, { flash: messageId });
  }

  /** The end of a conversation, whatever part of it was shown. @param {number} id */
  async function latest(id) {
    const rev = state().conversations[id]?.rev;
    const page = await history(id, { limit: PAGE });
    if (page) showPage(id, page.messages, page.hasMoreBefore, false, Math.max(rev ?? 0, state().timelines[id]?.rev ?? 0));
  }

  /** @param {number} id @param {'before'|'after'} mode */
  async function more(id, mode) {
    const line = state().timelines[id];
    if (!line || line.loading || !(mode === 'before' ? line.hasBefore : line.hasAfter) || !line.items.length) return;
    dispatch({ type: 'pageAsked', conversationId: id, loading: mode });
    const edge = mode === 'before' ? line.items[0].id : line.items[line.items.length - 1].id;
    const page = await history(id, { [mode]: edge, limit: PAGE });
    if (page) dispatch({ type: 'pageLoaded', conversationId: id, mode, messages: page.messages, hasBefore: page.hasMoreBefore, hasAfter: page.hasMoreAfter });
    else dispatch({ type: 'pageFailed', conversationId: id });
  }

  /** @param {number} conversationId @param {object} query @returns {Promise<any|null>} */
  async function history(conversationId, query) {
    try {
      const reply = await socket.ask('conversation:history', { conversationId, ...query });
      return reply.success ? reply : null;
    } catch {
      return null;
    }
  }

  /** Fetches what changed after `rev`, page by page. @param {number} id @param {number} rev */
  async function sync(id, rev) {
    if (syncing.has(id)) return;
    syncing.add(id);
    try {
      for (let round = 0; round < SYNC_PAGES_MAX; round += 1) {
        const reply = await socket.ask('conversation:sync', { conversationId: id, rev });
        if (!reply.success) return;
        dispatch({ type: 'synced', conversationId: id, messages: reply.messages, rev: reply.rev, reads: reply.reads });
        for (const message of reply.messages) outbox.arrived(message);
        if (!reply.hasMore) return;
        rev = reply.rev;
      }
      await latest(id);
    } catch {
      // The connection went; joining again catches up.
    } finally {
      syncing.delete(id);
    }
  }

  /** @param {number} conversationId @param {number} messageId */
  function markRead(conversationId, messageId) {
    if (messageId <= (state().conversations[conversationId]?.lastReadMessageId ?? 0)) return;
    dispatch({ type: 'readMarked', conversationId, messageId, userId: me.id });
    owedReads.set(conversationId, messageId);
    tellRead(conversationId, messageId);
  }

  /** @param {number} conversationId @param {number} messageId */
  async function tellRead(conversationId, messageId) {
    try {
      const reply = await socket.ask('message:read', { messageId });
      if (owedReads.get(conversationId) === messageId) owedReads.delete(conversationId);
      if (reply.success) dispatch({ type: 'readMarked', conversationId, messageId: reply.lastReadMessageId, userId: me.id, unreadCount: reply.unreadCount });
    } catch {
      // Still owed: told again when the connection is back.
    }
  }

  /** @param {number} conversationId @param {boolean} isTyping */
  function typing(conversationId, isTyping) {
    const now = Date.now();
    if (isTyping && now - typingSentAt < TYPING_SENT_EVERY_MS) return;
    if (!isTyping && !typingSentAt) return;
    typingSentAt = isTyping ? now : 0;
    socket.tell('message:typing', { conversationId, isTyping });
  }

  /** Sends the draft of a conversation, or saves the edit that it is. @param {number} id @param {string} text @returns {boolean} whether there was anything to send */
  function send(id, text) {
    const draft = drafts.find(id);
    const content = text.trim();
    if (draft.editingId) {
      if (!content) return false;
      edit(draft.editingId, content).then((done) => {
        const now = drafts.find(id);
        if (done && now.editingId === draft.editingId && now.text === draft.text) drafts.endEdit(id);
      });
      return true;
    }
    const files = draft.files.filter((file) => !file.error);
    if (!content && !files.length) return false;
    // Ids in the order of time keep the server's index of them together: a message costs it a quarter less to store.
    const clientMessageId = `${Date.now().toString(16)}-${crypto.randomUUID()}`;
    outbox.add({ clientMessageId, conversationId: id, content, files, replyToId: draft.replyToId, createdAt: new Date().toISOString() });
    drafts.clear(id);
    typingSentAt = 0;
    return true;
  }

  /** A change that needs the server's word at once; its failure is told. @param {string} name @param {object} data @returns {Promise<any|null>} */
  async function change(name, data) {
    try {
      const reply = await socket.ask(name, data);
      if (reply.success) return reply;
      notice(reply.error ?? t('error.unknown'), 'alert');
    } catch {
      notice(t('error.offline'), 'alert');
    }
    return null;
  }

  /** @param {number} messageId @param {string} content @returns {Promise<boolean>} whether it is done */
  async function edit(messageId, content) {
    const reply = await change('message:edit', { messageId, content });
    if (reply) dispatch({ type: 'messageChanged', message: reply.message });
    return Boolean(reply);
  }

  /** @param {number} messageId */
  async function remove(messageId) {
    const reply = await change('message:delete', { messageId });
    if (reply) dispatch({ type: 'messageChanged', message: reply.message });
  }

  /** @param {import('../core/state.js').Message} message @param {string} emoji */
  async function react(message, emoji) {
    const mine = message.reactions?.some((one) => one.emoji === emoji && one.userIds.includes(me.id));
    const reply = await change('message:react', { messageId: message.id, emoji, remove: mine });
    if (reply) dispatch({ type: 'reactionsChanged', conversationId: message.conversationId, messageId: message.id, reactions: reply.reactions });
  }

  /** A message that another one answers and that the timeline does not hold. @param {number} messageId */
  async function loadQuote(messageId) {
    if (messageId in state().quotes) return;
    dispatch({ type: 'quoteLoaded', messageId, message: null });
    const message = await api.get(`/messages/${messageId}`).catch(() => null);
    if (message) dispatch({ type: 'quoteLoaded', messageId, message });
  }

  /** @param {number} participantId @returns {Promise<number|null>} the conversation's id */
  async function startConversation(participantId) {
    try {
      const conversation = await api.call('POST', '/conversations', { participantId });
      dispatch({ type: 'conversationChanged', conversation });
      return conversation.id;
    } catch (error) {
      report(error);
      return null;
    }
  }

  /** Takes an own message into the composer. @param {number} conversationId @param {import('../core/state.js').Message} message */
  function beginEdit(conversationId, message) {
    if (message.senderId === me.id && !message.isDeleted) drafts.beginEdit(conversationId, message);
  }

  /** The latest own message that can still be changed. @param {number} conversationId */
  function lastOwn(conversationId) {
    if (state().outbox.some((entry) => entry.conversationId === conversationId)) return null;
    const items = state().timelines[conversationId]?.items ?? [];
    return items.findLast((one) => one.senderId === me.id && !one.isDeleted) ?? null;
  }

  /** Puts a message that was not accepted back into the composer. @param {string} clientMessageId */
  async function reword(clientMessageId) {
    const entry = await outbox.discard(clientMessageId);
    if (entry) drafts.takeBack(entry.conversationId, entry);
  }

  /** @param {string} text @param {'info'|'alert'} [tone] */
  function notice(text, tone = 'info') {
    dispatch({ type: 'noticed', text, tone, at: Date.now() });
  }

  /** @param {unknown} error */
  function report(error) {
    if (error instanceof api.Refusal && error.code !== 'OFFLINE' && error.code !== 'UNAUTHENTICATED') notice(error.message, 'alert');
  }

  return {
    me, store, drafts, outbox, openConversation, showMessage, latest, more, markRead, typing, send, remove, react, loadQuote, startConversation, beginEdit, lastOwn, reword,
    notice, report, loadConversations,
    hurry: () => socket.hurry(),
    /** After signing in again: the same page goes on with the new token. */
    resume() {
      dispatch({ type: 'signedIn', me: session.find()?.user });
      socket.hurry();
    },
    /** Ends this page's work for the person. */
    close() {
      turn.abort();
      outbox.close();
      socket.close();
      others?.close();
      for (const timer of typingEnds.values()) clearTimeout(timer);
      storage.close();
    },
  };
}
