/**
 * What a person has looked at in a conversation, and so what may be called read: the unbroken run of messages from the
 * mark on, each of which was in sight for a while. Never the highest one that was seen: what lies between would be
 * called read though nobody saw it. Pure; the moment and what is in sight are given.
 */

/** How long a message must be in sight. */
export const SEEN_MS = 500;
/** Timers may be early by as much. */
const EARLY_MS = 5;

export class Attention {
  constructor() {
    /** Since when each message is in sight. @type {Map<number, number>} */
    this.since = new Map();
    /** What was in sight long enough. @type {Set<number>} */
    this.seen = new Set();
  }

  /**
   * Some messages are in sight now, and no others.
   * @param {Iterable<number>} ids
   * @param {number} now milliseconds
   */
  look(ids, now) {
    const before = this.since;
    this.since = new Map();
    for (const id of ids) {
      const from = before.get(id) ?? now;
      this.since.set(id, from);
      if (now - from >= SEEN_MS - EARLY_MS) this.seen.add(id);
    }
  }

  /** Nobody looks. */
  lookAway() {
    this.since.clear();
  }

  /** Whether something in sight has not been there long enough yet. */
  isLooking() {
    for (const id of this.since.keys()) if (!this.seen.has(id)) return true;
    return false;
  }

  /**
   * @param {number[]} unread ids beyond the mark, in order, none left out
   * @returns {number} the last of those that were seen without a gap, or 0
   */
  run(unread) {
    let last = 0;
    for (const id of unread) {
      if (!this.seen.has(id)) break;
      last = id;
    }
    return last;
  }

  /**
   * @param {number[]} unread
   * @returns {number|null} the first that was not seen yet
   */
  firstUnseen(unread) {
    return unread.find((id) => !this.seen.has(id)) ?? null;
  }
}

/**
 * The messages of others beyond the mark, as far as they can be told without a gap: none when the loaded part begins
 * after what was read, for then something unread may lie above it.
 * @param {{items: {id: number, senderId: number, isDeleted?: boolean}[], hasBefore: boolean}} line
 * @param {number} mark the last message that was read, or 0
 * @param {number} myId
 * @returns {number[]} ids, oldest first
 */
export function unreadOf({ items, hasBefore }, mark, myId) {
  if (hasBefore && (items[0]?.id ?? 0) > mark) return [];
  let from = items.length;
  while (from > 0 && items[from - 1].id > mark) from -= 1;
  const beyond = items.slice(from);
  return beyond.filter((one) => one.senderId !== myId && !one.isDeleted).map((one) => one.id);
}
