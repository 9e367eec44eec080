/**
 * How messages are drawn that are more than a text: a call, an invoice. By `kind`; one that is not here is drawn by its
 * content, which is one line for those who know no kinds.
 */
import { lazy } from './lazy.js';

/** @type {Record<string, (props: any) => any>} given what `MessageRow` is given */
export const KINDS = {
  call: lazy(() => import('./call_entry.js'), 'CallEntry', 0, ({ message }) => message.content),
  invoice: lazy(() => import('./invoice_card.js'), 'InvoiceCard', 0, ({ message }) => message.content),
};
