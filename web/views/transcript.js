/** What is copied over several messages says who wrote each of them, and when. */
import { dayAndTime } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { addressesOf, peerOf } from '../core/conversations.js';

/** @type {import('../app/create.js').App|null} */
let watched = null;

/** Begins once; the latest app is the one that is asked. @param {import('../app/create.js').App} app */
export function watchCopies(app) {
  if (!watched) document.addEventListener('copy', copied);
  watched = app;
}

/** @param {ClipboardEvent} event */
function copied(event) {
  const selection = getSelection();
  if (!selection || selection.isCollapsed || !watched || !event.clipboardData) return;
  const rows = [...document.querySelectorAll('.timeline article')].filter((row) => selection.containsNode(row, true));
  if (rows.length < 2) return;
  event.clipboardData.setData('text/plain', rows.map((row) => lineOf(row, selection)).filter(Boolean).join('\n'));
  event.preventDefault();
}

/**
 * @param {Element} row
 * @param {Selection} selection
 * @returns {string} as `28 nov. 2026, 13:06, Camille Moreau : Bonjour`
 */
function lineOf(row, selection) {
  const { timelines, conversations, openId, me } = /** @type {any} */ (watched).store.state();
  const message = timelines[openId]?.items.find((one) => String(one.id) === /** @type {any} */ (row).dataset.id);
  if (!message || message.isDeleted) return '';
  const by = message.senderId === me.id ? me.name : peerOf(conversations[openId], me.id).name;
  const files = [...message.files.map(({ name }) => name), ...addressesOf(message)].map((one) => `[${one}]`);
  const said = [selectedOf(row, selection, message.content), ...files].filter(Boolean).join(' ');
  return t('colon', { name: `${dayAndTime(message.createdAt, locale())}, ${by}`, text: said });
}

/**
 * The whole text where it is selected as a whole, else the part of it.
 * @param {Element} row
 * @param {Selection} selection
 * @param {string} content
 */
function selectedOf(row, selection, content) {
  const text = row.querySelector('.text');
  if (!text || !selection.containsNode(text, true)) return '';
  const range = document.createRange();
  range.selectNodeContents(text);
  const selected = selection.getRangeAt(0);
  const isWhole = selected.compareBoundaryPoints(Range.START_TO_START, range) <= 0
    && selected.compareBoundaryPoints(Range.END_TO_END, range) >= 0;
  if (isWhole) return content;
  const { startContainer, startOffset, endContainer, endOffset } = selected;
  if (range.comparePoint(startContainer, startOffset) === 0) range.setStart(startContainer, startOffset);
  if (range.comparePoint(endContainer, endOffset) === 0) range.setEnd(endContainer, endOffset);
  return range.toString();
}
