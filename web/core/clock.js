/**
 * What time it is. A browser's clock may be wrong by hours: days are named, and what waits is dated, by the server's,
 * as soon as one of its answers has told it.
 */

/** By how much the browser's clock may be wrong without anybody minding, and by how much answers take to come. */
const MINDED_MS = 60_000;

let ahead = 0;

/** @returns {number} milliseconds since 1970 */
export const now = () => Date.now() + ahead;

/** An answer of the server says what time it is. @param {string|null|undefined} date as in the header of that name */
export function heard(date) {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return;
  const difference = theirs - Date.now();
  ahead = Math.abs(difference) > MINDED_MS ? difference : 0;
}
