/**
 * Sends a recording while it grows, part by part and in order. What a cut held up goes when the connection is back;
 * what arrived, though no answer came, is not sent again as something else.
 */
import { locale, t } from '../core/i18n.js';
import { Refusal } from './api.js';
import * as session from './session.js';

/** Pauses before a part that did not arrive is sent again; the last one comes again and again. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];
/** Chromium gives the first byte alone; by it nobody could tell what the file is. */
const PART_BYTES_MIN = 64;
/** What another try may mend. */
const PASSING = ['OFFLINE', 'UNAVAILABLE', 'INTERNAL', 'RATE_LIMITED'];

/**
 * @typedef {{put?: typeof put, pause?: (ms: number) => Promise<void>, partBytesMin?: number, mayGo: () => boolean,
 *   onFault: (error: Refusal) => void, onNearlyFull: () => void}} Given
 *   `mayGo`: whether the server takes parts now; `onFault`: no part will be taken any more
 */

export class Parts {
  /**
   * @param {number} callId
   * @param {number} partBytes at most in one part
   * @param {Given} given
   */
  constructor(callId, partBytes, given) {
    this.callId = callId;
    this.partBytes = partBytes;
    this.given = given;
    this.put = given.put ?? put;
    this.pause = given.pause ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.partBytesMin = given.partBytesMin ?? PART_BYTES_MIN;
    /** What is too little for a part yet. */
    this.rest = new Blob([]);
    /** What waits, the oldest first. @type {Blob[]} */
    this.waiting = [];
    this.next = 0;
    this.isOver = false;
    /** @type {Promise<void>|null} */
    this.sending = null;
  }

  /** @param {Blob} bytes */
  add(bytes) {
    if (this.isOver) return;
    this.rest = new Blob([this.rest, bytes]);
    if (this.rest.size < this.partBytesMin) return;
    this.cut();
    this.go();
  }

  /** @returns {Promise<void>} when all has arrived, however little is left, or nothing more can */
  async end() {
    // What is being sent now ends before it looks again.
    await this.sending;
    this.cut();
    await this.go();
  }

  cut() {
    const { rest, partBytes } = this;
    for (let at = 0; at < rest.size; at += partBytes) this.waiting.push(rest.slice(at, at + partBytes));
    this.rest = new Blob([]);
  }

  /** Sends what waits, if it may. @returns {Promise<void>} when all has arrived, or nothing more can */
  go() {
    this.sending ??= this.send().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  async send() {
    let failures = 0;
    while (this.waiting.length && !this.isOver && this.given.mayGo()) {
      try {
        const { isNearlyFull } = await this.put(this.callId, this.next, this.waiting[0]);
        this.arrived();
        failures = 0;
        if (isNearlyFull) this.given.onNearlyFull();
      } catch (error) {
        const refusal = /** @type {Refusal} */ (error);
        if (this.isAhead(refusal)) continue;
        if (!PASSING.includes(refusal.code)) {
          // The server has stopped, or waits for a consent: it says so by itself.
          if (refusal.code !== 'CONFLICT' || refusal.details.length) this.failed(refusal);
          return;
        }
        await this.pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
        failures += 1;
      }
    }
  }

  arrived() {
    this.waiting.shift();
    this.next += 1;
  }

  /** Whether the server has this part already: it arrived, and the answer did not. @param {Refusal} refusal */
  isAhead({ code, details }) {
    const told = /** @type {any} */ (details?.find(({ field }) => field === 'part'));
    const wanted = told?.value;
    if (code !== 'CONFLICT' || wanted !== this.next + 1) return false;
    this.arrived();
    return true;
  }

  /** @param {Refusal} refusal */
  failed(refusal) {
    this.drop();
    this.given.onFault(refusal);
  }

  /** Nothing more is sent. */
  drop() {
    this.isOver = true;
    this.waiting = [];
    this.rest = new Blob([]);
  }
}

/**
 * @param {number} callId
 * @param {number} n
 * @param {Blob} bytes
 * @returns {Promise<{nextPart: number, isNearlyFull: boolean}>} rejects with a `Refusal`
 */
async function put(callId, n, bytes) {
  const digest = await crypto.subtle.digest('SHA-256', await bytes.arrayBuffer());
  const sum = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const ask = () => {
    const headers = {
      Authorization: `Bearer ${session.find()?.accessToken}`,
      'Accept-Language': locale(),
      'Content-Digest': `sha-256=:${sum}:`,
      'Content-Type': 'application/octet-stream',
    };
    return fetch(`/calls/${callId}/recording/parts/${n}`, { method: 'PUT', headers, body: bytes }).catch(() => {
      throw new Refusal('OFFLINE', t('error.offline'));
    });
  };
  const stale = session.find()?.accessToken ?? '';
  let answer = await ask();
  if (answer.status === 401 && (await session.renew(stale)) !== 'ended') answer = await ask();
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  // Where a proxy answers for a server that is away, there is no code.
  throw new Refusal(body.code ?? 'INTERNAL', body.message ?? t('error.unknown'), body.details ?? []);
}
