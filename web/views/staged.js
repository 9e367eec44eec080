/** The files of a draft: what each is, how far its upload is, how it is called and where it stands among them. */
import { html, useState } from '/vendor/preact-htm.js';
import { isPicture } from '../client/media.js';
import { move, rename } from '../client/staging.js';
import { fileSize } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Choice } from './choice.js';
import { Dialog } from './dialog.js';
import { usePicture } from './files.js';
import { Icon } from './hooks.js';

/**
 * @param {{files: any[], actions: {unstage: (file: any) => void, retry: (file: any) => void,
 *   change: (file: any) => void, drafts: import('../client/drafts.js').Drafts, id: number}}} props
 */
export function StagedFiles({ files, actions }) {
  const [dragged, setDragged] = useState('');
  const ways = { ...actions, dragged, onDrag: setDragged };
  return html`<ul class="staged" aria-label=${t('composer.files')}>${files.map((file, place) => html`
    <${StagedFile} key=${file.key} file=${file} place=${place} ways=${ways} />`)}</ul>`;
}

/**
 * One file of the draft: what it is and how far its upload is. It can be dragged to another place.
 * @param {{file: any, place: number, ways: any}} props
 */
function StagedFile({ file, place, ways: { drafts, id, dragged, onDrag, change, retry, unstage } }) {
  const source = usePicture(isPicture(file.type) ? file : {});
  const start = (event) => {
    // Nothing that a text box would take.
    event.dataTransfer.setData('application/x-place', '');
    onDrag(file.key);
  };
  const over = (event) => dragged && event.preventDefault();
  const drop = (event) => {
    if (!dragged) return;
    event.preventDefault();
    move(drafts, id, dragged, place);
  };
  return html`
    <li class="staged-file ${file.error ? 'failed' : ''}" draggable onDragStart=${start} onDragOver=${over}
      onDrop=${drop} onDragEnd=${() => onDrag('')}>
      ${source ? html`<img src=${source} alt="" draggable=${false} />`
        : html`<span class="file-kind" aria-hidden="true"><${Icon} name="file" /></span>`}
      <span class="file-what"><span class="ellipsis" dir="auto">${file.name}</span>
        <span class="file-size">
          ${file.error ?? (file.info ? fileSize(file.size, locale())
            : t('file.uploading', { part: Math.round(file.progress * 100) }))}</span>
        ${!file.info && !file.error
          && html`<progress max="1" value=${file.progress} aria-label=${t('file.progress', { name: file.name })}>
            </progress>`}</span>
      ${file.error && html`
        <button class="link" type="button" onClick=${() => retry(file)}>${t('entry.retry')}</button>`}
      ${!file.error && html`
        <button class="icon-button" type="button" aria-label=${t('file.change', { name: file.name })}
          onClick=${() => change(file)}><${Icon} name="edit" /></button>`}
      <button class="icon-button" type="button" aria-label=${t('file.remove', { name: file.name })}
        onClick=${() => unstage(file)}><${Icon} name="close" /></button>
    </li>`;
}

/**
 * Another name for a file of the draft, and its place among them.
 * @param {{app: import('../app/create.js').App, state: import('../core/state.js').State,
 *   data: {conversationId: number, key: string}}} props
 */
export function FileDialog({ app, state, data: { conversationId, key } }) {
  const files = state.drafts[conversationId]?.files ?? [];
  const at = files.findIndex((one) => one.key === key);
  const [name, setName] = useState(files[at]?.name ?? '');
  const [place, setPlace] = useState(at);
  /** What comes before the ending is what one means to change. */
  const select = ({ target }) => target.setSelectionRange(0, target.value.replace(/\.[^.]*$/, '').length);
  /** @param {Event} event */
  const save = async (event) => {
    event.preventDefault();
    await app.closeDialog();
    const drafts = /** @type {any} */ (app.client).drafts;
    move(drafts, conversationId, key, place);
    rename(drafts, conversationId, key, name);
    /** @type {HTMLElement|null} */ (document.querySelector('.composer textarea'))?.focus();
  };
  const places = files.map((_, one) => [String(one), t('file.placeOf', { n: one + 1, count: files.length })]);
  return html`
    <${Dialog} title=${t('file.changeTitle')} onClose=${app.closeDialog}>
      <form class="form" onSubmit=${save}>
        <label class="field"><span>${t('file.name')}</span><input data-first dir="auto" maxlength="255" value=${name}
          onFocus=${select} onInput=${(e) => setName(e.target.value)} /></label>
        ${files.length > 1 && html`<${Choice} text=${t('file.place')} value=${String(place)} choices=${places}
          onChoose=${(chosen) => setPlace(Number(chosen))} />`}
        <p class="dialog-ways"><button class="button primary" type="submit" disabled=${at < 0 || !name.trim()}>
          ${t('save')}</button></p></form></${Dialog}>`;
}
