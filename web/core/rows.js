/**
 * Turns messages into the rows of a timeline: day separators, the "new messages" line, and groups
 * of one author. Pure.
 *
 * @typedef {import('./state.js').Message} Message
 * @typedef {import('./state.js').Entry} Entry
 * @typedef {{key: string, kind: 'day', at: string} | {key: string, kind: 'unread'}
 *   | {key: string, kind: 'message', message: Message, starts: boolean, ends: boolean}
 *   | {key: string, kind: 'entry', entry: Entry, starts: boolean, ends: boolean}} Row
 */
import { dayNumber } from './format.js';

const GROUP_MS = 5 * 60_000;

/**
 * @param {Message[]} messages oldest first
 * @param {Entry[]} entries on the way, in order of writing
 * @param {number|null} unreadFrom the message that the line stands above
 * @param {number} myId
 * @returns {Row[]}
 */
export function rowsOf(messages, entries, unreadFrom, myId) {
  const said = [
    ...messages.map((message) => ({
      key: message.clientMessageId || `m${message.id}`,
      ...moment(message.createdAt),
      by: message.senderId,
      message,
      entry: null,
    })),
    ...entries.map((entry) => ({
      key: entry.clientMessageId,
      ...moment(entry.createdAt),
      by: myId,
      message: null,
      entry,
    })),
  ];
  /** @type {Row[]} */
  const rows = [];
  // What waits since an earlier day stands at the end, and no day comes twice.
  let day = 0;
  said.forEach((one, at) => {
    const before = said[at - 1];
    const after = said[at + 1];
    const newDay = one.day > day;
    if (newDay) day = one.day;
    const line = Boolean(one.message && one.message.id === unreadFrom);
    if (newDay) rows.push({ key: `d${one.day}`, kind: 'day', at: one.at });
    if (line) rows.push({ key: 'unread', kind: 'unread' });
    const starts = newDay || line || !together(before, one);
    const ends =
      !after ||
      (after.message?.id === unreadFrom && unreadFrom !== null) ||
      after.day > day ||
      !together(one, after);
    if (one.message) rows.push({ key: one.key, kind: 'message', message: one.message, starts, ends });
    else if (one.entry) rows.push({ key: one.key, kind: 'entry', entry: one.entry, starts, ends });
  });
  return rows;
}

/** @param {string} at */
function moment(at) {
  const ms = Date.parse(at);
  return { at, ms, day: dayNumber(ms) };
}

/**
 * @param {{by: number, ms: number}} one
 * @param {{by: number, ms: number}} next
 */
function together(one, next) {
  return one.by === next.by && next.ms - one.ms < GROUP_MS;
}
