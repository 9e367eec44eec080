/**
 * Where one writes: grows with the text, keeps its draft, takes files by button, drag, paste and camera, sends on Enter.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from '/vendor/preact-htm.js';
import { fileSize } from '../core/format.js';
import { locale, t, tn } from '../core/i18n.js';
import { isPicture } from '../client/media.js';
import { usePicture } from './files.js';
import { Icon } from './hooks.js';

const LINES_MAX = 10;
const COUNTED_FROM = 9_000;
export const CHARACTERS_MAX = 10_000;

const isTouch = () => matchMedia('(pointer: coarse)').matches;

/** @param {{app: import('../app.js').App, conversationId: number, draft: any, line: any, quotes: any, me: any, peer: any}} props */
export function Composer({ app, conversationId, draft, line, quotes, me, peer }) {
  const client = /** @type {import('../client/client.js').Client} */ (app.client);
  const { text = '', replyToId = null, editingId = null, files = [] } = draft ?? {};
  const [dragged, setDragged] = useState(false);
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const chooser = useRef(/** @type {HTMLInputElement|null} */ (null));
  const camera = useRef(/** @type {HTMLInputElement|null} */ (null));
  /** @param {any} event */
  const chosen = ({ target }) => {
    stage(target.files);
    target.value = '';
  };

  useLayoutEffect(() => grow(/** @type {any} */ (box.current)), [text]);
  useEffect(() => { if (!isTouch() || replyToId || editingId) box.current?.focus({ preventScroll: true }); }, [replyToId, editingId]);
  useEffect(() => watchDrags(setDragged, stage), [conversationId]);

  /** @param {string} value */
  const write = (value) => {
    client.drafts.set(conversationId, { text: value });
    if (!editingId) client.typing(conversationId, value !== '');
  };
  /** @param {Iterable<File>} chosen */
  function stage(chosen) {
    if (client.drafts.find(conversationId).editingId) return;
    const fault = client.drafts.stage(conversationId, [...chosen]);
    if (fault) client.notice(fault, 'alert');
    box.current?.focus();
  }
  const send = () => {
    client.send(conversationId, client.drafts.find(conversationId).text);
    box.current?.focus();
  };
  const release = () => (editingId ? client.drafts.endEdit(conversationId) : client.drafts.answer(conversationId, null));
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && (editingId || replyToId)) {
      event.preventDefault();
      event.stopPropagation();
      release();
    } else if (event.key === 'ArrowUp' && !text && !editingId) {
      const own = client.lastOwn(conversationId);
      if (own) {
        event.preventDefault();
        client.beginEdit(conversationId, own);
      }
    }
  };
  /** @param {ClipboardEvent} event */
  const paste = (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length) return;
    event.preventDefault();
    stage(pasted);
  };
  const answered = replyToId ? line?.items.find((one) => one.id === replyToId) ?? quotes[replyToId] : null;
  const length = [...text.trim()].length;
  const limits = me.limits && t('composer.limits', { n: me.limits.filesPerMessage, size: fileSize(me.limits.fileBytes, locale()) });
  const sends = text.trim() || (!editingId && files.some((file) => !file.error));
  return html`
    <form class="composer" onSubmit=${(e) => { e.preventDefault(); send(); }}>
      ${(replyToId || editingId) && html`<div class="composer-about"><${Icon} name=${editingId ? 'edit' : 'reply'} />
        <span class="composer-about-text"><strong>${editingId ? t('composer.editing') : t('composer.replying', { name: answered?.senderId === me.id ? t('person.yourself') : peer.name })}</strong>
          ${answered && html`<span class="ellipsis" dir="auto">${answered.content.slice(0, 140) || tn('file.count', answered.files.length)}</span>`}</span>
        <button class="icon-button" type="button" aria-label=${t('dialog.cancel')} onClick=${release}><${Icon} name="close" /></button></div>`}
      ${files.length > 0 && !editingId && html`<ul class="staged" aria-label=${t('composer.files')}>${files.map((file) => html`
        <${StagedFile} key=${file.key} file=${file} onRemove=${() => client.drafts.unstage(conversationId, file.key)} onRetry=${() => client.drafts.retry(conversationId, file.key)} />`)}</ul>`}
      <div class="composer-line">
        <button class="icon-button" type="button" aria-label=${t('composer.attach')} title=${limits} disabled=${Boolean(editingId)} onClick=${() => chooser.current?.click()}><${Icon} name="clip" /></button>
        <input ref=${chooser} type="file" multiple hidden aria-hidden="true" tabindex="-1" onChange=${chosen} />
        ${isTouch() && html`<button class="icon-button" type="button" aria-label=${t('composer.camera')} disabled=${Boolean(editingId)} onClick=${() => camera.current?.click()}><${Icon} name="camera" /></button>
          <input ref=${camera} type="file" accept="image/*" capture="environment" hidden aria-hidden="true" tabindex="-1" onChange=${chosen} />`}
        <label class="composer-box"><span class="spoken">${t('composer.label')}</span>
          <textarea ref=${box} rows="1" dir="auto" placeholder=${t('composer.hint', { name: peer.name })} value=${text} enterkeyhint=${isTouch() ? 'enter' : 'send'}
            onInput=${(e) => write(e.target.value)} onKeyDown=${key} onPaste=${paste}></textarea></label>
        <button class="icon-button send ${sends ? 'ready' : ''}" type="submit" aria-label=${editingId ? t('composer.save') : t('composer.send')}><${Icon} name=${editingId ? 'check' : 'send'} /></button>
      </div>
      ${length >= COUNTED_FROM && html`<p class="counter ${length > CHARACTERS_MAX ? 'over' : ''}" role="status">${t('composer.count', { n: length.toLocaleString(locale()), max: CHARACTERS_MAX.toLocaleString(locale()) })}</p>`}
      ${dragged && html`<div class="drop" aria-hidden="true"><p>${t('composer.drop')}</p><p class="quiet">${limits}</p></div>`}
    </form>`;
}

/** One file of the draft: what it is and how far its upload is. @param {{file: any, onRemove: () => void, onRetry: () => void}} props */
function StagedFile({ file, onRemove, onRetry }) {
  const source = usePicture(isPicture(file.type) ? file : {});
  return html`
    <li class="staged-file ${file.error ? 'failed' : ''}">
      ${source ? html`<img src=${source} alt="" />` : html`<span class="file-kind" aria-hidden="true"><${Icon} name="file" /></span>`}
      <span class="file-what"><span class="ellipsis" dir="auto">${file.name}</span>
        <span class="file-size">${file.error ?? (file.info ? fileSize(file.size, locale()) : t('file.uploading', { part: Math.round(file.progress * 100) }))}</span>
        ${!file.info && !file.error && html`<progress max="1" value=${file.progress} aria-label=${t('file.progress', { name: file.name })}></progress>`}</span>
      ${file.error && html`<button class="link" type="button" onClick=${onRetry}>${t('entry.retry')}</button>`}
      <button class="icon-button" type="button" aria-label=${t('file.remove', { name: file.name })} onClick=${onRemove}><${Icon} name="close" /></button>
    </li>`;
}

/** Files dragged anywhere over the window. @param {(dragged: boolean) => void} show @param {(files: Iterable<File>) => void} take @returns {() => void} */
function watchDrags(show, take) {
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files') && !document.querySelector('dialog[open]');
  const over = (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(true);
  };
  const leave = (event) => { if (!event.relatedTarget) show(false); };
  const drop = (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(false);
    take(/** @type {DataTransfer} */ (event.dataTransfer).files);
  };
  addEventListener('dragover', over);
  addEventListener('dragleave', leave);
  addEventListener('drop', drop);
  return () => {
    removeEventListener('dragover', over);
    removeEventListener('dragleave', leave);
    removeEventListener('drop', drop);
  };
}

/** @param {HTMLTextAreaElement} box */
function grow(box) {
  box.style.height = 'auto';
  const line = parseFloat(getComputedStyle(box).lineHeight) || 24;
  box.style.height = `${Math.min(box.scrollHeight + 2, line * LINES_MAX + 20)}px`;
}
