/** Where one writes: grows with the text, keeps its draft, sends on Enter. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { Icon } from './hooks.js';

const LINES_MAX = 10;
const isTouch = () => matchMedia('(pointer: coarse)').matches;

/** @param {{app: import('../app.js').App, conversationId: number, draft: any, line: any, me: any, peer: any}} props */
export function Composer({ app, conversationId, draft }) {
  const client = /** @type {import('../client/client.js').Client} */ (app.client);
  const [text, setText] = useState(draft?.text ?? '');
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null));

  useLayoutEffect(() => grow(/** @type {any} */ (box.current)), [text]);
  useEffect(() => { if (!isTouch()) box.current?.focus({ preventScroll: true }); }, []);
  useEffect(() => { if ((draft?.text ?? '') !== text) setText(draft?.text ?? ''); }, [draft?.text]);

  /** @param {string} value */
  const write = (value) => {
    setText(value);
    client.drafts.set(conversationId, { text: value });
    client.typing(conversationId, value !== '');
  };
  const send = () => {
    if (client.send(conversationId, text)) setText('');
    box.current?.focus();
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && !isTouch()) {
      event.preventDefault();
      send();
    }
  };
  return html`
    <form class="composer" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); send(); }}>
      <label class="composer-box"><span class="spoken">${t('composer.label')}</span>
        <textarea ref=${box} rows="1" dir="auto" placeholder=${t('composer.hint')} value=${text} onInput=${(/** @type {any} */ e) => write(e.target.value)} onKeyDown=${key}></textarea></label>
      <button class="icon-button send" type="submit" aria-label=${t('composer.send')}><${Icon} name="send" /></button>
    </form>`;
}

/** @param {HTMLTextAreaElement} box */
function grow(box) {
  box.style.height = 'auto';
  const line = parseFloat(getComputedStyle(box).lineHeight) || 24;
  box.style.height = `${Math.min(box.scrollHeight, line * LINES_MAX + 20)}px`;
}
