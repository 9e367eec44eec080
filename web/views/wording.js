/** Messages in words: in one line, to a screen reader, and when they were read. */
import { dayLabel, dayNumber, shortDay, shortMoment, timeOfDay } from '../core/format.js';
import { now } from '../core/clock.js';
import { addressesOf, countOfFiles } from '../core/conversations.js';
import { plain } from '../core/formatting.js';
import { locale, t, tn } from '../core/i18n.js';

const GIST_CHARACTERS = 140;
/** A screen reader is told the beginning; the text itself is there to be read on. */
const SPOKEN_CHARACTERS = 400;

/**
 * How the server's own entries read, by kind: to be added with the views that draw them.
 * @type {Record<string, (message: any, myId: number) => string>}
 */
export const LINES = {};

/** What a message says to who reads it, in one line. @param {any} message @param {number} myId */
export const lineOf = (message, myId) =>
  LINES[message.kind]?.(message, myId) ?? plain(message.content.slice(0, SPOKEN_CHARACTERS));

/** What stands for a message in one line. @param {any} message `null` while it is being fetched @param {number} myId */
export function gist(message, myId) {
  if (!message) return '…';
  if (message.isDeleted) return t('message.deleted');
  return lineOf(message, myId).slice(0, GIST_CHARACTERS) || tn('file.count', countOfFiles(message));
}

/** The day of something, by itself. @param {string} at */
export const dayInFull = (at) =>
  dayLabel(at, now(), locale(), { today: t('day.today'), yesterday: t('day.yesterday') });

/** When something was, where there is little room: the time today, else the day. @param {string} at */
export const whenInShort = (at) => shortMoment(at, now(), locale(), t('day.yesterdayShort'));

/**
 * When an own message was read: the day too, unless it is the message's.
 * @param {{readAt: string|null, createdAt: string}} message
 */
export function readMoment({ readAt, createdAt }) {
  if (!readAt) return t('fate.read');
  const time = timeOfDay(readAt, locale());
  if (dayNumber(readAt) === dayNumber(createdAt)) return t('fate.readAt', { time });
  const words = { today: t('day.todayShort'), yesterday: t('day.yesterdayShort') };
  return t('fate.readOn', { day: shortDay(readAt, now(), locale(), words), time });
}

/**
 * A message in one sentence: who, when, what it answers, what it says, its files and reactions, and its fate.
 * @param {any} props of its row
 * @returns {string}
 */
export function spoken({ message, entry, own, author, peer, fate, quote, myId }) {
  const said = message ?? entry;
  const by = t('message.by', { name: own ? t('person.you') : author.name, time: timeOfDay(said.createdAt, locale()) });
  if (said.isDeleted) return `${by}, ${t('message.deleted')}`;
  const parts = [by];
  const quoted = quote && (quote.senderId === myId ? t('person.yourself') : peer.name);
  if (said.replyToId && quoted) parts.push(t('composer.replying', { name: quoted }));
  if (said.content) parts.push(lineOf(said, myId));
  const names = [...said.files.map((one) => one.name), ...addressesOf(said)];
  if (names.length) parts.push(t('colon', { name: tn('file.count', names.length), text: names.join(', ') }));
  if (said.reactions?.length) parts.push(said.reactions.map((one) => one.emoji).join(' '));
  if (said.editedAt) parts.push(fate === 'stale' && !own ? t('message.editedSince') : t('message.edited'));
  if (own) parts.push(fateInWords(said, fate));
  return parts.join(', ');
}

/**
 * @param {any} said
 * @param {string} fate
 */
function fateInWords(said, fate) {
  if (said.stage) return said.stage === 'failed' ? t('fate.failed') : t('fate.waiting');
  if (fate === 'stale') return t('fate.stale');
  return fate === 'read' ? readMoment(said) : t('fate.sent');
}
