/** Conversations of which somebody wants no notices. Pure. */

export const HOUR_MS = 3_600_000;

/** What stands for always: a moment that nobody waits for. */
export const FOREVER = '9999-12-31T00:00:00.000Z';

/** From here on a moment stands for always, whoever wrote it. */
const LONG_MS = 10 * 365 * 24 * HOUR_MS;

/**
 * @param {{mutedUntil?: string|null}|undefined} conversation
 * @param {number} now milliseconds
 * @returns {string|null} until when it is muted, `null` if it is not
 */
export function mutedUntil(conversation, now) {
  const until = conversation?.mutedUntil;
  return until && Date.parse(until) > now ? until : null;
}

/** @param {string} until @param {number} [now] */
export const isForever = (until, now = Date.now()) => Date.parse(until) - now > LONG_MS;
