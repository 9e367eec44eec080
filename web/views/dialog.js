/**
 * What lies over the page: native dialogs. Focus goes in and comes back, Escape and Back close, a
 * click beside closes.
 */
import { html, useLayoutEffect, useRef } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { Icon } from './hooks.js';

const MARGIN = 8;

/**
 * @param {{title: string, onClose?: (() => void)|null, children?: any, kind?: string, at?: {x:
 *   number, y: number}|null, plain?: boolean}} props
 *   `at`: a point of the window that it opens at; else it stands in the middle. `plain`: without
 *   the visible title. Without `onClose`
 *   it stays until what it asks for is done
 */
export function Dialog({ title, onClose = null, children, kind = '', at = null, plain = false }) {
  const box = useRef(/** @type {HTMLDialogElement|null} */ (null));
  useLayoutEffect(() => {
    const dialog = /** @type {HTMLDialogElement} */ (box.current);
    const before = /** @type {HTMLElement|null} */ (document.activeElement);
    show(dialog);
    if (at) place(dialog, at);
    return () => {
      if (dialog.open) dialog.close();
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    onClose?.();
  };
  // A browser closes a dialog on the second Escape without asking.
  const closed = () => {
    if (!box.current?.isConnected || box.current.open) return;
    if (onClose) onClose();
    else show(box.current);
  };
  return html`
    <dialog ref=${box} class="dialog ${kind} ${at ? 'placed' : ''}" aria-label=${title} onCancel=${cancel}
      onClose=${closed}
      onMouseDown=${(e) => {
        if (e.target === box.current) onClose?.();
      }}>
      <div class="dialog-body">
        ${
          !plain &&
          html`<header class="dialog-head"><h2>${title}</h2>
          ${onClose
            && html`<button class="icon-button" type="button" aria-label=${t('dialog.close')} onClick=${onClose}>
              <${Icon} name="close" /></button>`}</header>`
        }
        ${children}
      </div>
    </dialog>`;
}

/** @param {HTMLDialogElement} dialog */
function show(dialog) {
  dialog.showModal();
  /** @type {HTMLElement|null} */ (dialog.querySelector('[data-first]'))?.focus();
}

/**
 * Keeps a placed dialog inside the window.
 * @param {HTMLDialogElement} dialog
 * @param {{x: number, y: number}} at
 */
function place(dialog, at) {
  const { width, height } = dialog.getBoundingClientRect();
  dialog.style.left = `${Math.max(MARGIN, Math.min(at.x, innerWidth - width - MARGIN))}px`;
  dialog.style.top = `${Math.max(MARGIN, Math.min(at.y, innerHeight - height - MARGIN))}px`;
}
