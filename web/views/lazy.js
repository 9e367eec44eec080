/**
 * What is not needed to read and to send: views whose code is fetched when they are first shown, and with the
 * first of them the texts and styles that they share.
 */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { loadTexts } from '../core/i18n.js';
import { PATHS } from './hooks.js';

/**
 * When it is fetched at the latest: after the first screen, and before it is needed or the connection gone; and when it
 * is tried again.
 */
export const FETCHED_AFTER_MS = 1_500;

/** @type {Promise<any>|null} */
let shared = null;

/** @returns {Promise<any>} when texts and styles are there; after a failure it is tried again */
export function loadShared() {
  shared ??= Promise.all([loadTexts(), loadStyles('/later.css'), loadIcons()]);
  shared.catch(() => {
    shared = null;
  });
  return shared;
}

const loadIcons = () => import('./icons.js').then(({ LATER }) => Object.assign(PATHS, LATER));

/** @param {string} href @returns {Promise<any>} when they are there */
export function loadStyles(href) {
  return new Promise((resolve, reject) => {
    const link = document.createElement('link');
    Object.assign(link, { rel: 'stylesheet', href, onload: resolve, onerror: reject });
    document.head.append(link);
  });
}

/**
 * A view whose code is fetched when it is first shown, or some time after.
 * @param {() => Promise<any>} load
 * @param {string} name
 * @param {number} [afterMs]
 * @param {(props: any) => any} [meanwhile] what is shown until then
 */
export function lazy(load, name, afterMs = 0, meanwhile = () => null) {
  /** @type {any} */
  let view = null;
  return (props) => {
    const [, redraw] = useState(0);
    useEffect(() => {
      if (view) return undefined;
      const shown = (/** @type {any} */ [module]) => {
        view = module[name];
        redraw(1);
      };
      // It goes on where nobody waits for it any more: it will be wanted again.
      const fetched = () =>
        Promise.all([load(), loadShared()]).then(shown, () => setTimeout(fetched, FETCHED_AFTER_MS));
      const timer = setTimeout(fetched, afterMs);
      return () => clearTimeout(timer);
    }, []);
    return view ? html`<${view} ...${props} />` : meanwhile(props);
  };
}
