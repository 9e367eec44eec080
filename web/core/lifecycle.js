/**
 * The life of a message that one writes, from Enter to "read": the one place that decides what may
 * be claimed about it.
 *
 *     queued ──take──▶ sending ──accept──▶ sent ──read──▶ read
 *       ▲                │ │
 *       ├─────lose───────┘ └──refuse──▶ failed
 *       └───────────────retry─────────────┘          discard: queued, failed ──▶ gone
 *
 * `sent` is reached by `accept` alone, and `accept` is what an answer of the server says, never a
 * guess.
 * Pure: no clock, no socket, no storage.
 *
 * @typedef {'queued'|'sending'|'sent'|'read'|'failed'|'gone'} Stage
 * @typedef {'take'|'accept'|'lose'|'refuse'|'retry'|'discard'|'read'} Turn
 */

/** @type {Record<Stage, Partial<Record<Turn, Stage>>>} */
const TURNS = {
  queued: { take: 'sending', refuse: 'failed', discard: 'gone', accept: 'sent' },
  sending: { accept: 'sent', lose: 'queued', refuse: 'failed' },
  sent: { read: 'read' },
  read: {},
  failed: { retry: 'queued', discard: 'gone', accept: 'sent' },
  gone: {},
};

/**
 * The stage after a turn; a turn that makes no sense in a stage changes nothing.
 * A late `accept` wins over `queued` and `failed`: the server has the message, whatever was thought
 * here.
 * @param {Stage} stage
 * @param {Turn} turn
 * @returns {Stage}
 */
export function next(stage, turn) {
  return TURNS[stage][turn] ?? stage;
}

/** Codes after which the same request can succeed later, so the message stays queued. */
const PASSING = new Set(['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL', 'UNAUTHENTICATED', 'OFFLINE']);

/** Whether what failed with this code may succeed without a change. @param {string|undefined} code */
export const isPassing = (code) => PASSING.has(code ?? 'INTERNAL');

/**
 * What an attempt to send came to.
 * @param {Error|null} lost the acknowledgement did not come (timeout, connection gone)
 * @param {{success?: boolean, code?: string, error?: string, retryAfter?: number, message?: object,
 *   details?: object[]}|undefined} reply
 * @returns {{turn: 'accept'|'lose'|'refuse', waitMs: number, code?: string, reason?: string}}
 *   `waitMs`: how long to leave the message alone before the next attempt
 */
export function verdict(lost, reply) {
  if (lost || !reply) return { turn: 'lose', waitMs: 0 };
  if (reply.success) return { turn: 'accept', waitMs: 0 };
  const code = reply.code ?? 'INTERNAL';
  if (isPassing(code)) return { turn: 'lose', waitMs: Math.max(1, reply.retryAfter ?? 2) * 1000, code };
  return { turn: 'refuse', waitMs: 0, code, reason: reply.error };
}
