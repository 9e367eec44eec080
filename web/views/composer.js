/**
 * Where one writes: grows with the text, keeps its draft, takes files by button, drag, paste and
 * camera, sends on Enter.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from '/vendor/preact-htm.js';
import { fileSize } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { pastedFiles } from '../core/pasting.js';
import { shared } from '../client/kept.js';
import { CHARACTERS_MAX } from '../client/sending.js';
import { Icon } from './hooks.js';
import { FETCHED_AFTER_MS, lazy } from './lazy.js';
import { gist } from './wording.js';

const drags = () => import('./drags.js');
const formatBar = () => import('./format_bar.js');
const FormatBar = lazy(formatBar, 'FormatBar');
const StagedFiles = lazy(() => import('./staged.js'), 'StagedFiles');

const LINES_MAX = 10;
const COUNTED_FROM = 9_000;

const isTouch = () => matchMedia('(pointer: coarse)').matches;

/**
 * What the composer does with a conversation's draft.
 * @param {{app: import('../app/create.js').App, conversationId: number}} props
 * @param {{current: HTMLTextAreaElement|null}} box
 */
function actionsOf({ app, conversationId: id }, box) {
  const client = /** @type {import('../client/client.js').Client} */ (app.client);
  const { drafts, sending, typing } = client;
  return {
    /** @param {string} text */
    write(text) {
      drafts.set(id, { text });
      if (!drafts.find(id).editingId) typing.tell(id, text !== '');
    },
    /** @param {Iterable<File>} chosen */
    stage(chosen) {
      const isEdit = Boolean(drafts.find(id).editingId);
      const fault = isEdit ? ['noFilesInEdit'] : drafts.stage(id, [...chosen]);
      if (fault) client.refuse(fault[0], fault[1]);
      box.current?.focus();
    },
    send() {
      sending.send(id);
      box.current?.focus();
    },
    /** Lets go of what is edited or answered. */
    release() {
      if (drafts.find(id).editingId) drafts.endEdit(id);
      else drafts.answer(id, null);
    },
    /** @returns {boolean} whether there was one to edit */
    editLast() {
      const own = sending.lastOwn(id);
      if (own) sending.beginEdit(id, own);
      return Boolean(own);
    },
    drafts,
    id,
    change: (file) => app.open('file', { conversationId: id, key: file.key }),
    retry: (file) => drafts.retry(id, file.key),
    unstage: (file) => drafts.unstage(id, file.key),
  };
}

/** Whether Enter begins a line: it does on a touch screen, and for who wants to send with Ctrl and Enter. */
const entersLines = () => isTouch() || shared.get('lexchat.send') === 'ctrl';

/**
 * What a key does in the box.
 * @param {KeyboardEvent} event
 * @param {ReturnType<typeof actionsOf>} actions
 * @param {import('../core/state.js').Draft} draft
 * @returns {boolean} whether it did something
 */
function pressed(event, actions, { text, editingId, replyToId }) {
  if (event.isComposing || event.keyCode === 229) return false;
  const { key, shiftKey } = event;
  const withControl = event.ctrlKey || event.metaKey;
  if (key === 'Enter' && (withControl || (!shiftKey && !entersLines()))) {
    actions.send();
  } else if (key === 'Escape' && (editingId || replyToId)) {
    event.stopPropagation();
    actions.release();
  } else if (key === 'ArrowUp' && !text && !editingId) {
    return actions.editLast();
  } else if (withControl && !shiftKey && !event.altKey && key in MARKS) {
    const box = /** @type {HTMLTextAreaElement} */ (event.target);
    formatBar().then(({ mark }) => mark(box, MARKS[key]), () => {});
  } else {
    return false;
  }
  return true;
}

/** What a key puts around what is selected. @type {Record<string, string>} */
const MARKS = { b: '**', i: '_' };

const BLANK = Object.freeze({ id: '', text: '', replyToId: null, editingId: null, files: [] });

/**
 * @param {{app: import('../app/create.js').App, conversationId: number, draft: any, line: any, me: any,
 *   peer: any}} props
 */
export function Composer({ app, conversationId, draft = BLANK, line, me, peer }) {
  const { text, replyToId, editingId, files } = draft;
  const [dragged, setDragged] = useState(false);
  const [selects, setSelects] = useState(false);
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const actions = actionsOf({ app, conversationId }, box);
  useLayoutEffect(() => grow(/** @type {any} */ (box.current)), [text]);
  useEffect(() => {
    if (!isTouch() || replyToId || editingId) box.current?.focus({ preventScroll: true });
  }, [replyToId, editingId]);
  useEffect(() => {
    let end = () => {};
    const timer = setTimeout(() => drags().then(({ watchDrags }) => {
      end = watchDrags({ app, box, show: setDragged, stage: actions.stage });
    }, () => {}), FETCHED_AFTER_MS);
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [conversationId]);

  const submit = (event) => {
    event.preventDefault();
    actions.send();
  };
  const key = (event) => pressed(event, actions, draft) && event.preventDefault();
  /** @param {ClipboardEvent} event */
  const paste = (event) => {
    const pasted = pastedFiles(event.clipboardData);
    if (!pasted.length) return;
    event.preventDefault();
    actions.stage(pasted);
  };
  const select = ({ target }) => setSelects(target.selectionStart !== target.selectionEnd);
  const about = editingId ?? replyToId;
  const message = about && (line?.items.find((one) => one.id === about) ?? app.client?.changes.quoted(about));
  const sends = text.trim() || (!editingId && files.length > 0);
  return html`
    <form class="composer" onSubmit=${submit}>
      ${about && html`<${About} message=${message} editing=${Boolean(editingId)} me=${me} peer=${peer}
        onRelease=${actions.release} />`}
      ${files.length > 0 && !editingId && html`<${StagedFiles} files=${files} actions=${actions} />`}
      ${selects && html`<${FormatBar} box=${box} />`}
      <div class="composer-line">
        <${Attach} limits=${limitsLine(me)} disabled=${Boolean(editingId)} onStage=${actions.stage} />
        <label class="composer-box"><span class="spoken">${t('composer.label')}</span>
          <textarea ref=${box} rows="1" dir="auto" placeholder=${t('composer.label')} value=${text}
            enterkeyhint=${entersLines() ? 'enter' : 'send'} onInput=${(e) => actions.write(e.target.value)}
            onKeyDown=${key} onPaste=${paste} onSelect=${select} onBlur=${() => setSelects(false)}></textarea></label>
        <button class="icon-button send ${sends ? 'ready' : ''}" type="submit"
          aria-label=${editingId ? t('composer.save') : t('composer.send')}>
          <${Icon} name=${editingId ? 'check' : 'send'} /></button>
      </div>
      <${Counter} length=${[...text.trim()].length} />
      ${dragged && html`
        <div class="drop" aria-hidden="true"><p>${t('composer.drop')}</p><p class="quiet">${limitsLine(me)}</p></div>`}
    </form>`;
}

/** What is written about: a message that is answered, or one that is changed. @param {any} props */
function About({ message, editing, me, peer, onRelease }) {
  const name = message?.senderId === me.id ? t('person.yourself') : peer.name;
  return html`
    <div class="composer-about"><${Icon} name=${editing ? 'edit' : 'reply'} />
      <span class="composer-about-text">
        <strong>${editing ? t('composer.editing') : t('composer.replying', { name })}</strong>
        ${message && html`<span class="ellipsis" dir="auto">${gist(message, me.id)}</span>`}</span>
      <button class="icon-button" type="button" aria-label=${t('dialog.cancel')} onClick=${onRelease}>
        <${Icon} name="close" /></button></div>`;
}

/** @param {any} me @returns {string|undefined} how many files may go with a message, and of what size */
function limitsLine({ limits }) {
  if (!limits) return undefined;
  return t('composer.limits', { n: limits.filesPerMessage, size: fileSize(limits.fileBytes, locale()) });
}

/** @param {{limits?: string, disabled: boolean, onStage: (files: Iterable<File>) => void}} props */
function Attach({ limits, disabled, onStage }) {
  const chooser = useRef(/** @type {HTMLInputElement|null} */ (null));
  const camera = useRef(/** @type {HTMLInputElement|null} */ (null));
  /** @param {any} event */
  const chosen = ({ target }) => {
    onStage(target.files);
    target.value = '';
  };
  return html`
    <button class="icon-button" type="button" aria-label=${t('composer.attach')} title=${limits} disabled=${disabled}
      onClick=${() => chooser.current?.click()}><${Icon} name="clip" /></button>
    <input ref=${chooser} type="file" multiple hidden aria-hidden="true" tabindex="-1" onChange=${chosen} />
    ${isTouch() && html`
      <button class="icon-button" type="button" aria-label=${t('composer.camera')} disabled=${disabled}
        onClick=${() => camera.current?.click()}><${Icon} name="camera" /></button>
      <input ref=${camera} type="file" accept="image/*" capture="environment" hidden aria-hidden="true" tabindex="-1"
        onChange=${chosen} />`}`;
}

/** @param {{length: number}} props in characters */
function Counter({ length }) {
  if (length < COUNTED_FROM) return null;
  const said = { n: length.toLocaleString(locale()), max: CHARACTERS_MAX.toLocaleString(locale()) };
  return html`
    <p class="counter ${length > CHARACTERS_MAX ? 'over' : ''}" role="status">${t('composer.count', said)}</p>`;
}

/** @param {HTMLTextAreaElement} box */
function grow(box) {
  box.style.height = 'auto';
  const line = parseFloat(getComputedStyle(box).lineHeight) || 24;
  box.style.height = `${Math.min(box.scrollHeight + 2, line * LINES_MAX + 20)}px`;
}
