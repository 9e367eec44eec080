/**
 * The files of a conversation: in order, by month, and the size at which a picture is shown. Pure.
 *
 * @typedef {{id: number, url: string, name: string, mimeType: string, messageId?: number, createdAt?: string}} SentFile
 */

/**
 * What is known of a conversation's files, with what was found out now.
 * @param {Map<number, SentFile>} known by id
 * @param {SentFile[]} found
 * @returns {Map<number, SentFile>}
 */
export function withFiles(known, found) {
  const next = new Map(known);
  for (const file of found) next.set(file.id, { ...next.get(file.id), ...file });
  return next;
}

/**
 * The files of messages; those of a deleted one are gone.
 * @param {Map<number, SentFile>} known
 * @param {{id: number, files: any[], isDeleted?: boolean, createdAt: string}[]} messages
 * @returns {Map<number, SentFile>}
 */
export function withMessages(known, messages) {
  const next = new Map(known);
  for (const { id, files, isDeleted, createdAt } of messages) {
    if (isDeleted) {
      for (const file of known.values()) if (file.messageId === id) next.delete(file.id);
    }
    for (const file of files ?? []) next.set(file.id, { createdAt, messageId: id, ...known.get(file.id), ...file });
  }
  return next;
}

/** @param {Map<number, SentFile>} known @returns {SentFile[]} the oldest first */
export const inOrder = (known) => [...known.values()].sort((a, b) => a.id - b.id);

/** By language. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {SentFile[]} files the latest first
 * @param {string} locale
 * @returns {{month: string, files: SentFile[]}[]} `novembre 2026`, the latest first; files keep their order
 */
export function byMonth(files, locale) {
  const format = formats.get(locale) ?? new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric' });
  formats.set(locale, format);
  /** @type {Map<number, {month: string, files: SentFile[]}>} */
  const months = new Map();
  for (const file of files) {
    const at = new Date(file.createdAt ?? 0);
    const number = at.getFullYear() * 12 + at.getMonth();
    const group = months.get(number) ?? { month: format.format(at), files: [] };
    group.files.push(file);
    months.set(number, group);
  }
  return [...months].sort(([a], [b]) => b - a).map(([, group]) => group);
}

/**
 * The size at which a picture fills the room that there is, and never more than its own before it is enlarged.
 * @param {{width: number, height: number}} picture pixels, as it was taken
 * @param {{width: number, height: number}} room pixels
 * @param {number} quarters of a turn
 * @param {number} zoom times what fits
 * @returns {{width: number, height: number, across: number, down: number}} of the picture, and of what it covers turned
 */
export function fitted(picture, room, quarters, zoom) {
  const isTurned = quarters % 2 !== 0;
  const [across, down] = isTurned ? [picture.height, picture.width] : [picture.width, picture.height];
  const scale = Math.min(1, room.width / across, room.height / down) * zoom;
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  return { width, height, across: isTurned ? height : width, down: isTurned ? width : height };
}

/** How far a finger goes before it means the next file. */
const SWIPE_PX = 48;

/**
 * @param {{x: number, y: number}} from
 * @param {{x: number, y: number}} to
 * @returns {-1|0|1} to the file before, nowhere, to the next: what lies to the right comes when one pulls to the left
 */
export function swiped(from, to) {
  const [across, down] = [to.x - from.x, to.y - from.y];
  if (Math.abs(across) < SWIPE_PX || Math.abs(across) < 2 * Math.abs(down)) return 0;
  return across < 0 ? 1 : -1;
}
