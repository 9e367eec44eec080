/** The marks of light formatting, at hand while something is selected. */
import { html } from '/vendor/preact-htm.js';
import { led, wrapped } from '../core/marks.js';
import { t } from '../core/i18n.js';

/** @param {{box: {current: HTMLTextAreaElement|null}}} props */
export function FormatBar({ box }) {
  /** @param {(text: string, start: number, end: number) => any} change */
  const acts = (change) => () => {
    const area = box.current;
    if (area) changed(area, change(area.value, area.selectionStart, area.selectionEnd));
  };
  // The signs are drawn by the style sheet: as text they would be names that the buttons do not have.
  /** @type {[string, string, string, () => void][]} */
  const all = [
    ['bold', t('format.boldSign'), t('format.bold'), acts((...at) => wrapped(...at, '**'))],
    ['italic', t('format.italicSign'), t('format.italic'), acts((...at) => wrapped(...at, '_'))],
    ['list', '•', t('format.list'), acts((...at) => led(...at, () => '- '))],
    ['numbers', '1.', t('format.numbers'), acts((...at) => led(...at, (line) => `${line + 1}. `))],
    ['quote', '❝', t('format.quote'), acts((...at) => led(...at, () => '> '))],
    ['code', '<>', t('format.code'), acts((...at) => wrapped(...at, '`'))],
  ];
  const kept = (event) => event.preventDefault();
  return html`<div class="format-bar" role="toolbar" aria-label=${t('format.label')} onMouseDown=${kept}>
    ${all.map(([name, sign, label, act]) => html`
      <button key=${name} class="icon-button tip" type="button" aria-label=${label} data-tip=${label} onClick=${act}>
        <span data-sign=${sign} data-mark=${name} aria-hidden="true"></span></button>`)}</div>`;
}

/** Puts a mark around what is selected, or takes it away. @param {HTMLTextAreaElement} box @param {string} mark */
export function mark(box, mark) {
  changed(box, wrapped(box.value, box.selectionStart, box.selectionEnd, mark));
}

/**
 * Changes the text of a box as typing would, so that it can be undone.
 * @param {HTMLTextAreaElement} box
 * @param {{from: number, to: number, put: string, select: [number, number]}} change
 */
function changed(box, { from, to, put, select }) {
  box.focus();
  box.setSelectionRange(from, to);
  // The one way that keeps what was typed before in the box's own history.
  if (!document.execCommand('insertText', false, put)) {
    box.setRangeText(put, from, to);
    box.dispatchEvent(new Event('input', { bubbles: true }));
  }
  box.setSelectionRange(...select);
}
