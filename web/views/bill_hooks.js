/** Bills as the server has them, kept in step with what it tells; and documents that need the person's token. */
import { useEffect, useRef, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';

/**
 * What the server tells by an event that no other part of the page follows.
 * @param {string} name
 * @param {(data: any) => void} take
 */
export function useNews(name, take) {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const told = (/** @type {any} */ { detail }) => latest.current(detail);
    document.addEventListener(`lexchat:${name}`, told);
    return () => document.removeEventListener(`lexchat:${name}`, told);
  }, [name]);
}

/**
 * When to ask again: what is told while there is no connection is not heard.
 * @param {import('../core/state.js').State} state
 * @returns {number}
 */
export const epochOf = ({ link }) => (link.stage === 'down' ? 0 : link.since);

/** @param {string} query @returns {Promise<any[]>} all bills that it finds */
export async function allBills(query) {
  /** @type {any[]} */
  const found = [];
  let cursor = null;
  do {
    const page = await api.get(`/invoices?limit=200&${query}${cursor ? `&cursor=${cursor}` : ''}`);
    found.push(...page.invoices);
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

/**
 * The list with a bill as it is now, or without it.
 * @param {any[]} bills the latest first
 * @param {any} bill
 */
export function withBill(bills, bill) {
  const others = bills.filter((one) => one.id !== bill.id);
  return [...others, bill].sort((one, other) => other.id - one.id);
}

/**
 * The bills of a conversation, as they are now.
 * @param {import('../app/create.js').App} app
 * @param {number} conversationId
 * @returns {[any[]|null, (bills: any[]) => void]}
 */
export function useBillsOf(app, conversationId) {
  const [bills, setBills] = useState(/** @type {any[]|null} */ (null));
  const epoch = epochOf(app.store.state());
  useEffect(() => {
    let isCurrent = true;
    const taken = (found) => isCurrent && setBills(found);
    allBills(`conversationId=${conversationId}`).then(taken, app.client?.report);
    return () => {
      isCurrent = false;
    };
  }, [conversationId, epoch]);
  useNews('invoice:updated', ({ invoice }) => {
    if (invoice.conversationId === conversationId) setBills((known) => withBill(known ?? [], invoice));
  });
  return [bills, setBills];
}

/**
 * Shows a document in a window of its own.
 * @param {() => Promise<string>} find its address
 */
export async function showDocument(find) {
  // Opened at once: a browser stops a window that opens after a wait.
  const opened = window.open('', '_blank');
  try {
    const url = await find();
    if (opened) opened.location.replace(url);
    else window.location.assign(url);
  } catch (error) {
    opened?.close();
    throw error;
  }
}

/** The address of an issued document. @param {number} id */
export const documentOf = async (id) => (await api.call('POST', `/invoices/${id}/link`)).url;

/** A document that only the person's token opens, as an address of this window. @param {string} path */
export async function addressOf(path) {
  const answer = await api.request('GET', path);
  return URL.createObjectURL(await answer.blob());
}

/** Long enough for a browser to have begun. */
const KEPT_MS = 60_000;

/**
 * Has the browser save what stands behind an address of this window.
 * @param {string} url
 * @param {string} name
 */
export function saveAs(url, name) {
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
