/** Amounts and days of bills. */

/** A day here, as the server writes it: `2026-12-28`. @param {Date} [date] */
export const dayHere = (date = new Date()) =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');

/**
 * @param {number} cents of a euro
 * @param {string} locale
 */
export const money = (cents, locale) =>
  new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' }).format(cents / 100);

/**
 * @param {string} day `2026-12-28`
 * @param {string} locale
 */
export const shortDate = (day, locale) =>
  new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
    .format(new Date(`${day}T00:00:00Z`));

/**
 * The same in a list.
 * @param {string} day `2026-12-28`
 * @param {string} locale
 */
export const tightDate = (day, locale) =>
  new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
    .format(new Date(`${day}T00:00:00Z`));
