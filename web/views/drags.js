/**
 * What is dragged over the window: files are taken wherever they are let go, text where one writes, and nothing leads
 * away from the page, as a browser would have it. And folders, which no browser uploads, dropped or pasted.
 */
import { pastedFiles } from '../core/pasting.js';

/**
 * @typedef {{app: import('../app/create.js').App, box: {current: HTMLTextAreaElement|null},
 *   show: (dragged: boolean) => void, stage: (files: File[]) => void}} Taker
 */

/** The composer that takes what is let go now. @type {Taker|null} */
let taker = null;
let isGuarded = false;

/** @param {Taker} mine @returns {() => void} ends it */
export function watchDrags(mine) {
  taker = mine;
  guardDrags();
  return () => {
    if (taker === mine) taker = null;
  };
}

/** A browser would leave the page for what nobody takes. Begins once. */
export function guardDrags() {
  if (isGuarded) return;
  isGuarded = true;
  addEventListener('dragover', over);
  addEventListener('drop', drop);
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) taker?.show(false);
  });
  addEventListener('paste', paste, { capture: true });
}

/** Who takes it: the element that it is over, the composer, or nobody. @param {DragEvent} event */
function takerOf(event) {
  const over = /** @type {Element} */ (event.target);
  const hasFiles = [...(event.dataTransfer?.types ?? [])].includes('Files');
  if (event.defaultPrevented || over.closest?.(hasFiles ? '[type=file]' : 'textarea, input')) return 'element';
  return hasFiles && taker && !document.querySelector('dialog[open]') ? 'composer' : 'nobody';
}

/** @param {DragEvent} event */
function over(event) {
  const by = takerOf(event);
  taker?.show(by === 'composer');
  if (by === 'element') return;
  event.preventDefault();
  if (event.dataTransfer) event.dataTransfer.dropEffect = by === 'composer' ? 'copy' : 'none';
}

/** @param {DragEvent} event */
function drop(event) {
  const by = takerOf(event);
  taker?.show(false);
  if (by === 'element') return;
  event.preventDefault();
  if (by === 'nobody' || !event.dataTransfer) return;
  stage(event.dataTransfer);
  write(saidBeside(event.dataTransfer));
}

/** A folder among what is pasted; the composer itself takes the rest. @param {ClipboardEvent} event */
function paste(event) {
  if (!event.clipboardData || event.target !== taker?.box.current || !parted(event.clipboardData).hasFolders) return;
  event.preventDefault();
  event.stopPropagation();
  stage(event.clipboardData);
}

/** @param {DataTransfer} data */
function stage(data) {
  const { files, hasFolders } = parted(data);
  if (hasFolders) taker?.app.client?.refuse('folder');
  if (files.length) taker?.stage(files);
}

/**
 * @param {any} data
 * @returns {{files: File[], hasFolders: boolean}}
 */
export function parted({ files: all, items }) {
  const found = [...items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  const files = [...all].filter((_, at) => !found[at]?.isDirectory);
  return { files, hasFolders: files.length < all.length };
}

/** What is said beside files; not their names, nor where a picture of another page lies. @param {DataTransfer} data */
const saidBeside = (data) =>
  pastedFiles(data).length || data.types.includes('text/uri-list') ? '' : data.getData('text/plain');

/** Puts a text where the caret is. @param {string} text */
function write(text) {
  const box = taker?.box.current;
  if (!box || !text) return;
  box.focus();
  box.setRangeText(text, box.selectionStart, box.selectionEnd, 'end');
  box.dispatchEvent(new Event('input', { bubbles: true }));
}
