/** Pictures one at a time: arrows walk, + and - zoom, Escape closes. */
import { html, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { link } from '../client/media.js';
import { Dialog } from './dialog.js';
import { usePicture } from './files.js';
import { Icon } from './hooks.js';

const ZOOMS = [1, 1.5, 2, 3, 4];

/** @param {{app: import('../app.js').App, data: {at: number, pictures: any[]}}} props */
export function Lightbox({ app, data: { at: first, pictures } }) {
  const [at, setAt] = useState(Math.min(first, pictures.length - 1));
  const [zoom, setZoom] = useState(0);
  const file = pictures[at];
  const source = usePicture(file ?? {});
  if (!file) return null;
  const walk = (step) => {
    setAt((at + step + pictures.length) % pictures.length);
    setZoom(0);
  };
  const scale = (step) => setZoom(Math.max(0, Math.min(ZOOMS.length - 1, zoom + step)));
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const act = /** @type {Record<string, () => void>} */ ({ ArrowLeft: () => walk(-1), ArrowRight: () => walk(1), '+': () => scale(1), '-': () => scale(-1), 0: () => setZoom(0) })[event.key];
    if (act) act();
  };
  const download = async () => {
    const anchor = document.createElement('a');
    anchor.href = await link(file.id);
    anchor.download = file.name;
    anchor.click();
  };
  return html`
    <${Dialog} title=${file.name} kind="lightbox" plain onClose=${app.closeDialog}>
      <div class="lightbox-frame" onKeyDown=${key}>
        <header class="lightbox-head"><span class="ellipsis" dir="auto">${file.name}</span>
          ${pictures.length > 1 && html`<span class="tabular">${at + 1} / ${pictures.length}</span>`}
          <button class="icon-button" type="button" aria-label=${t('lightbox.zoom')} aria-pressed=${zoom > 0 ? 'true' : 'false'} onClick=${() => setZoom(zoom ? 0 : 2)}><${Icon} name="zoom" /></button>
          <button class="icon-button" type="button" aria-label=${t('file.download', { name: file.name })} onClick=${download}><${Icon} name="download" /></button>
          <button class="icon-button" type="button" data-first aria-label=${t('dialog.close')} onClick=${app.closeDialog}><${Icon} name="close" /></button></header>
        <div class="lightbox-stage ${zoom ? 'zoomed' : ''}" onClick=${(e) => { if (e.target === e.currentTarget) app.closeDialog(); }}>
          ${source && html`<img src=${source} alt=${file.name} style=${zoom ? { width: `${ZOOMS[zoom] * 100}%`, maxWidth: 'none', maxHeight: 'none' } : { width: '', maxWidth: '', maxHeight: '' }} />`}</div>
        ${pictures.length > 1 && html`<button class="icon-button lightbox-previous" type="button" aria-label=${t('lightbox.previous')} onClick=${() => walk(-1)}><${Icon} name="back" /></button>
          <button class="icon-button lightbox-next" type="button" aria-label=${t('lightbox.next')} onClick=${() => walk(1)}><${Icon} name="next" /></button>`}
      </div>
    </${Dialog}>`;
}
