/** What may be said of an own message: whether the other members have read it, and which of its texts. Pure. */

/** @typedef {'sent'|'read'|'stale'} Fate `stale`: read before it was changed; the new text was not */

/**
 * @param {{id: number, isRead: boolean, readAt: string|null, editedAt: string|null}} message
 * @param {number} mark the last message that the other members have read, or 0
 * @returns {Fate}
 */
export function fateOf({ id, isRead, readAt, editedAt }, mark) {
  if (!isRead && id > mark) return 'sent';
  return readAt && editedAt && Date.parse(readAt) < Date.parse(editedAt) ? 'stale' : 'read';
}

/**
 * @param {import('./state.js').Message[]} items oldest first
 * @param {number} mark
 * @param {number} myId
 * @returns {number|null} the last own message that was read as it stands: the one that says when
 */
export function lastRead(items, mark, myId) {
  const read = (one) => one.senderId === myId && !one.isDeleted && fateOf(one, mark) === 'read';
  return items.findLast(read)?.id ?? null;
}
