/** The server's own entries in one line, as who reads them sees them: in the list, quoted, and to a screen reader. */
import { nameOf } from './bill_words.js';
import { entry as callInWords } from './call_words.js';
import { peerOf } from '../core/conversations.js';
import { plain } from '../core/formatting.js';
import { t, tn } from '../core/i18n.js';
import { LINES, lineOf } from './wording.js';

const SAID_CHARACTERS = 160;

/** @param {any} message of a call @param {number} myId */
export const callLine = ({ call }, myId) => callInWords(call, myId);

/** @param {any} message of an invoice */
export function invoiceLine({ content, invoice }) {
  if (!invoice.number) return content;
  const name = nameOf(invoice);
  return isReminder(content) ? t('invoice.reminder', { name }) : name;
}

/** How the server begins the line of a reminder, for programs that know no kinds. @param {string} content */
const isReminder = (content) => content.startsWith('Rappel');

Object.assign(LINES, { call: callLine, invoice: invoiceLine });

/** @param {{entry: any, text: string, myId: number}} props the latest message of a conversation, and its content */
export const EntryLine = ({ entry, text, myId }) => lineOf({ ...entry, content: text }, myId);

/**
 * New messages in one sentence, for who listens to the page.
 * @param {{conversationId: number, messageId?: number, senderName?: string, text: string}[]} messages
 * @param {import('../core/state.js').State} state
 */
export function sentence(messages, state) {
  const names = messages.map(({ conversationId, senderName }) => {
    const conversation = state.conversations[conversationId];
    return senderName ?? (state.me && conversation ? peerOf(conversation, state.me.id).name : '');
  });
  const [first] = messages;
  if (messages.length > 1) return tn('announce.many', messages.length, { name: [...new Set(names)].join(', ') });
  return t('colon', { name: names[0], text: wordsOf(first, state).slice(0, SAID_CHARACTERS) });
}

/**
 * What was told of a message, or, for an entry of the server's own that this page knows, how it reads here.
 * @param {{conversationId: number, messageId?: number, text: string}} told
 * @param {import('../core/state.js').State} state
 */
function wordsOf({ conversationId, messageId, text }, { me, conversations, timelines }) {
  const last = conversations[conversationId];
  const known =
    timelines[conversationId]?.items.find((one) => one.id === messageId) ??
    (messageId && last?.lastMessageId === messageId ? last.lastMessageEntry : null);
  return known && me ? lineOf({ ...known, content: text }, me.id) : plain(text);
}
