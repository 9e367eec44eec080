/**
 * Pictures and PDF of a conversation, one at a time and from its first to its last: arrows or a finger walk, + and -
 * zoom, R turns, Escape closes.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from '/vendor/preact-htm.js';
import { filesPage } from '../client/conversation_files.js';
import { isPicture, isReadable } from '../client/media.js';
import { fitted, inOrder, swiped, withFiles, withMessages } from '../core/files.js';
import { t } from '../core/i18n.js';
import { Dialog } from './dialog.js';
import { download } from './download.js';
import { usePicture } from './files.js';
import { Icon } from './hooks.js';
import { Pdf } from './pdf.js';

const ZOOMS = [1, 1.5, 2, 3, 4];
/** Beyond this the browser itself has enlarged the page, and a finger moves what it shows. */
const PINCHED = 1.05;

/**
 * What can be shown of a conversation, the oldest first: what is loaded at once, the rest as it comes.
 * @param {import('../core/state.js').State} state
 * @param {number} id
 * @param {any} first the file that is shown first
 */
function useShown(state, id, first) {
  const [known, setKnown] = useState(() =>
    withMessages(new Map([[first.id, first]]), state.timelines[id]?.items ?? []),
  );
  const [isWhole, setWhole] = useState(false);
  useEffect(() => {
    const aborter = new AbortController();
    const load = async () => {
      let next = /** @type {string|null} */ (null);
      do {
        const page = await filesPage(id, next, aborter.signal);
        setKnown((before) => withFiles(before, page.files));
        next = page.next;
      } while (next);
      setWhole(true);
    };
    // What is loaded can be looked at without the rest.
    load().catch(() => {});
    return () => aborter.abort();
  }, []);
  return { files: inOrder(known).filter((one) => isPicture(one.mimeType) || isReadable(one)), isWhole };
}

/**
 * Only of the conversations of whoever is here now: going forward leads back to what somebody else had open.
 * @param {{app: any, state: any, data: {conversationId: number, file: any}}} props
 */
export const Lightbox = (props) =>
  props.state.conversations[props.data.conversationId] && html`<${Box} ...${props} />`;

/** @param {{app: any, state: any, data: {conversationId: number, file: any}}} props */
function Box({ app, state, data: { conversationId, file: first } }) {
  const { files, isWhole } = useShown(state, conversationId, first);
  const [id, setId] = useState(first.id);
  const [zoom, setZoom] = useState(0);
  const [quarters, setQuarters] = useState(0);
  const at = files.findIndex((one) => one.id === id);
  const file = files[at] ?? first;
  const walk = (step) => {
    const next = files[at + step];
    if (!next) return;
    setId(next.id);
    setZoom(0);
    setQuarters(0);
  };
  const scale = (step) => setZoom(Math.max(0, Math.min(ZOOMS.length - 1, zoom + step)));
  const turn = () => setQuarters(quarters + 1);
  useKeys({
    ArrowLeft: () => walk(-1), ArrowRight: () => walk(1), r: turn, '+': () => scale(1), '-': () => scale(-1),
    0: () => setZoom(0),
  });
  const isPdf = !isPicture(file.mimeType);
  return html`
    <${Dialog} title=${file.name} kind="lightbox" plain onClose=${app.closeDialog}>
      <div class="lightbox-frame">
        <header class="lightbox-head">
          <p class="lightbox-name" role="status"><span class="ellipsis" dir="auto">${file.name}</span>
            ${isWhole && files.length > 1 && html`<span class="tabular">${at + 1} / ${files.length}</span>`}</p>
          <span class="lightbox-sizes">${!isPdf && html`
            <${Tool} icon="turn" label=${t('lightbox.turn')} act=${turn} />
            <${Tool} icon="zoom" label=${t('lightbox.zoom')} act=${() => setZoom(zoom ? 0 : 2)}
              pressed=${zoom > 0} />`}</span>
          <${Tool} icon="download" label=${t('file.download', { name: file.name })}
            act=${() => download(file).catch(app.client?.report)} />
          <${Tool} icon="close" label=${t('dialog.close')} act=${app.closeDialog} first /></header>
        ${isPdf ? html`<${Pdf} key=${file.id} file=${file} />`
          : html`<${Stage} key=${file.id} file=${file} zoom=${ZOOMS[zoom]} quarters=${quarters} walk=${walk}
            onZoom=${() => setZoom(zoom ? 0 : 2)} onClose=${app.closeDialog} />`}
        ${files.length > 1 && html`
          <${Tool} icon="back" label=${t('lightbox.previous')} act=${() => walk(-1)} off=${!files[at - 1]}
            kind="lightbox-previous" />
          <${Tool} icon="next" label=${t('lightbox.next')} act=${() => walk(1)} off=${!files[at + 1]}
            kind="lightbox-next" />`}
      </div>
    </${Dialog}>`;
}

/** @param {any} props `off`: at an end; it keeps the focus */
const Tool = ({ icon, label, act, pressed, first, off, kind = '' }) => html`
  <button class="icon-button ${kind}" type="button" aria-label=${label} title=${label} data-first=${first}
    aria-disabled=${off ? 'true' : undefined} aria-pressed=${pressed === undefined ? undefined : String(pressed)}
    onClick=${act}><${Icon} name=${icon} /></button>`;

/** Keys that work wherever the focus is in the dialog. @param {Record<string, () => void>} keys */
function useKeys(keys) {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      current.current[event.key.length === 1 ? event.key.toLowerCase() : event.key]?.();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

/** A picture in the room that there is. @param {any} props */
function Stage({ file, zoom, quarters, walk, onZoom, onClose }) {
  const source = usePicture(file);
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const from = useRef(/** @type {{x: number, y: number}|null} */ (null));
  const [room, setRoom] = useState({ width: 0, height: 0 });
  /** Its size as the browser draws it; `null`: not there yet, `false`: it is no picture. */
  const [real, setReal] = useState(/** @type {any} */ (null));
  useLayoutEffect(() => {
    const measured = new ResizeObserver(([{ contentRect }]) => setRoom(contentRect));
    measured.observe(/** @type {HTMLElement} */ (box.current));
    return () => measured.disconnect();
  }, []);
  const ended = ({ changedTouches: [{ clientX: x, clientY: y }] }) => {
    const isMoved = zoom > 1 || (visualViewport?.scale ?? 1) > PINCHED;
    if (from.current && !isMoved) walk(swiped(from.current, { x, y }));
    from.current = null;
  };
  const began = ({ touches }) => {
    from.current = touches.length === 1 ? { x: touches[0].clientX, y: touches[0].clientY } : null;
  };
  const size = real && fitted(real, room, quarters, zoom);
  return html`
    <div class="lightbox-stage ${zoom > 1 ? 'zoomed' : ''}" ref=${box} onTouchStart=${began} onTouchEnd=${ended}
      onDblClick=${onZoom} onClick=${(event) => event.target === event.currentTarget && onClose()}>
      ${real === false && html`<p role="alert">${t('lightbox.failed')}</p>`}
      <div class="lightbox-fitted" style=${size ? { width: `${size.across}px`, height: `${size.down}px` } : {}}>
        ${source && real !== false && html`
          <img src=${source} alt=${file.name} draggable=${false} onError=${() => setReal(false)}
            onLoad=${({ target: { naturalWidth: width, naturalHeight: height } }) => setReal({ width, height })}
            style=${size ? { width: `${size.width}px`, height: `${size.height}px`, rotate: `${quarters * 90}deg` }
              : { visibility: 'hidden' }} />`}</div></div>`;
}
