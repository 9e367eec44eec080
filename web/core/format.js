/**
 * Dates, sizes, initials: how facts are written for a person. Pure; the language and the moment are
 * given.
 */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const FORMS = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  weekday: { weekday: 'short' },
  weekdayInFull: { weekday: 'long' },
  date: { day: 'numeric', month: 'short' },
  dateAndYear: { day: 'numeric', month: 'short', year: 'numeric' },
  full: { dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23' },
  medium: { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' },
};

/**
 * Made once: making one costs more than a hundred uses.
 * @param {string} locale
 * @param {string} form of FORMS
 */
function dateFormat(locale, form) {
  const key = locale + form;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale, FORMS[form])));
  return format;
}

/**
 * @param {string|number} at
 * @param {string} locale
 * @returns {string} `14:32`
 */
export function timeOfDay(at, locale) {
  return dateFormat(locale, 'time').format(new Date(at));
}

/** Where the local day of a moment begins: the same for all moments of it. @param {string|number|Date} at */
export const dayNumber = (at) => new Date(at).setHours(0, 0, 0, 0);

/** How many days lie between; a day may have 23 hours, or 25. @param {string|number} at @param {number} now */
const daysAgo = (at, now) => Math.round((dayNumber(now) - dayNumber(at)) / 86_400_000);

/**
 * @param {string} at @param {number} now @param {string} locale @param {{today: string, yesterday:
 *   string}} words
 * @returns {string} `Aujourd’hui`, `Hier`, `lundi 2 mars 2026`
 */
export function dayLabel(at, now, locale, { today, yesterday }) {
  return [today, yesterday][daysAgo(at, now)] ?? dateFormat(locale, 'day').format(new Date(at));
}

/**
 * The short form of the list: the time today, the weekday within a week, else the date.
 * @param {string} at
 * @param {number} now
 * @param {string} locale
 * @param {string} yesterday
 */
export function shortMoment(at, now, locale, yesterday) {
  return shortDay(at, now, locale, { today: timeOfDay(at, locale), yesterday }, 'weekday');
}

/**
 * A day in the middle of a sentence: `aujourd’hui`, `hier`, `lundi` within a week, else the date.
 * @param {string} at
 * @param {number} now
 * @param {string} locale
 * @param {{today: string, yesterday: string}} words
 * @param {string} [weekday] how the day of the week is written
 */
export function shortDay(at, now, locale, { today, yesterday }, weekday = 'weekdayInFull') {
  const ago = daysAgo(at, now);
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const form = Math.abs(ago) < 6 ? weekday : sameYear ? 'date' : 'dateAndYear';
  return [today, yesterday][ago] ?? dateFormat(locale, form).format(new Date(at));
}

/**
 * @param {string|number} at
 * @param {string} locale
 * @returns {string} date and time in full
 */
export function fullMoment(at, locale) {
  return dateFormat(locale, 'full').format(new Date(at));
}

/**
 * @param {string|number} at
 * @param {string} locale
 * @returns {string} date and time where there is little room
 */
export function dayAndTime(at, locale) {
  return dateFormat(locale, 'medium').format(new Date(at));
}

/**
 * @param {number} bytes
 * @param {string} locale
 * @returns {string} `1,4 Mo`, `820 Ko`
 */
export function fileSize(bytes, locale) {
  const units = locale.startsWith('fr') ? ['o', 'Ko', 'Mo', 'Go'] : ['B', 'KB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${units[unit]}`;
}

/**
 * @param {string} name
 * @returns {string} one or two letters
 */
export function initials(name) {
  const bare = name.replace(/\([^)]*\)/g, ' ').replace(/(?<![\p{L}])(?:Me|Maître|Mme|M\.|MM\.|Mlle|Dr|et)\s+/giu, '');
  const words = bare.match(/[\p{L}\p{N}]+/gu) ?? [];
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return (
    letters
      .map((word) => [...(word ?? '')][0])
      .join('')
      .toLocaleUpperCase() || '·'
  );
}

/**
 * A hue that stays with the person.
 * @param {number} id
 * @returns {number} degrees
 */
export function hue(id) {
  return Math.round((id * 137.508 + 20) % 360);
}

/**
 * @param {string} text
 * @returns {string} without accents and case, for comparing what people type
 */
export function folded(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Marks that turn the direction of what follows: `facture<RLO>fdp.exe` would be shown as a PDF. */
const TURNS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** @param {string} name @returns {string} a file's name as it is, and not as it would look */
export function visible(name) {
  return name.replace(TURNS, '');
}
