/**
 * Requests to the server's HTTP interface. Adds the token, renews it once when it is refused, turns
 * every failure into a
 * `Refusal` with the contract's code.
 */
import { heard } from '../core/clock.js';
import * as session from './session.js';
import { locale, t } from '../core/i18n.js';

/** A request that did not succeed. `code` is the contract's, or `OFFLINE` when no answer came. */
export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{field: string, message: string}[]} [details]
   * @param {number} [retryAfter]
   */
  constructor(code, message, details = [], retryAfter = 0) {
    super(message);
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** Told when the session is over and somebody has to sign in again. @type {() => void} */
let ended = () => {};

/** @param {() => void} listener */
export function onEnded(listener) {
  ended = listener;
}

/** Told the name of the history that an answer's numbers belong to. @type {(history: string) => void} */
let historySeen = () => {};

/** @param {(history: string) => void} listener */
export function onHistory(listener) {
  historySeen = listener;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: any, open?: boolean, signal?: AbortSignal}} [options] `open`: without a token
 * @returns {Promise<Response>} an answer of 2xx
 */
export async function request(method, path, { body, open = false, signal } = {}) {
  const token = open ? null : session.find()?.accessToken;
  let answer = await attempt(method, path, body, token, signal);
  if (answer.status === 401 && token) {
    const renewed = await session.renew(token);
    if (renewed === 'unreachable') throw new Refusal('OFFLINE', t('error.offline'));
    if (renewed === 'ended') ended();
    else answer = await attempt(method, path, body, session.find()?.accessToken, signal);
  }
  const history = answer.headers.get('X-History');
  if (history) historySeen(history);
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {any} body
 * @param {string|null|undefined} token
 * @param {AbortSignal} [signal]
 */
async function attempt(method, path, body, token, signal) {
  /** @type {Record<string, string>} */
  const headers = { 'Accept-Language': locale() };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(path, { method, headers, body: sent, signal, cache: 'no-store' });
    heard(answer.headers.get('Date'));
    return answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal('OFFLINE', t('error.offline'));
  }
}

/**
 * @param {Response} answer
 * @returns {Promise<Refusal>}
 */
async function refusal(answer) {
  const body = await answer.json().catch(() => ({}));
  const message = typeof body.message === 'string' ? body.message : t('error.unknown');
  return new Refusal(
    body.code ?? 'INTERNAL',
    message,
    body.details ?? [],
    Number(answer.headers.get('Retry-After')) || body.retryAfter || 0,
  );
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export const get = async (path) => (await request('GET', path)).json();

/**
 * @param {string} method
 * @param {string} path
 * @param {any} [body]
 * @returns {Promise<any>} the JSON answer, `null` for 204
 */
export async function call(method, path, body) {
  const answer = await request(method, path, { body });
  return answer.status === 204 ? null : answer.json();
}

/**
 * @param {string} path
 * @param {any} [body]
 * @returns {Promise<any>}
 */
export const openCall = async (path, body) =>
  (await request(body === undefined ? 'GET' : 'POST', path, { body, open: true })).json();
