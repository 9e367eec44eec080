/** What the views share: redrawing on change, comparing before drawing, and icons. */
import { Component, html, useEffect, useReducer, useRef } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';

/**
 * @param {import('../core/store.js').Store} store
 * @returns {import('../core/state.js').State} the state, now and after each change
 */
export function useStore(store) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  const drawn = store.state();
  useEffect(() => {
    if (store.state() !== drawn) redraw(null);
    return store.subscribe(() => redraw(null));
  }, [store]);
  return drawn;
}

/**
 * A view that is drawn again only when one of its properties is another one.
 * @param {(props: any) => any} view
 */
export function memo(view) {
  return class extends Component {
    /** @param {any} next */
    shouldComponentUpdate(next) {
      const now = this.props;
      for (const name in next) if (name !== 'children' && next[name] !== now[name]) return true;
      for (const name in now) if (!(name in next)) return true;
      return false;
    }

    /** @param {any} props */
    render(props) {
      return view(props);
    }
  };
}

/**
 * Redraws every `ms` while mounted, and when somebody comes back to the window, for times that grow old.
 * @param {number} ms
 * @returns {number} how often it has
 */
export function useTick(ms) {
  const [count, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(redraw, ms);
    addEventListener('focus', redraw);
    return () => {
      clearInterval(timer);
      removeEventListener('focus', redraw);
    };
  }, [ms]);
  return count;
}

const DEBOUNCE_MS = 200;

/**
 * Works at once, and again some time after one of `inputs` has changed for the last time.
 * @param {(isCurrent: () => boolean) => any} work `isCurrent`: no input has changed since
 * @param {any[]} inputs
 */
export function useDebounced(work, inputs) {
  const isFirst = useRef(true);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => work(() => current), isFirst.current ? 0 : DEBOUNCE_MS);
    isFirst.current = false;
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, inputs);
}

/** Where there is room for one pane only: the way back to the list. */
export function Back() {
  return html`<a class="only-phone back" href="/"><${Icon} name="back" />${t('back.list')}</a>`;
}

/** Strokes on a 24 grid; those of later views are added to them. @type {Record<string, string>} */
export const PATHS = {
  send: 'M4 12 20 4l-5 16-4-6-7-2Zm7 2 9-10',
  clip: 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.5 17a1.7 1.7 0 0 1-2.4-2.4L14.5 7',
  back: 'M15 5 8 12l7 7',
  down: 'M12 5v14m-6-6 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm5-1.5L20 20',
  plus: 'M12 5v14M5 12h14',
  reply: 'M9 6 4 11l5 5M4 11h10a6 6 0 0 1 6 6v1',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.01M15 9.5v.01',
  more: 'M5.5 11.3a.7.7 0 1 0 .01 0zM12 11.3a.7.7 0 1 0 .01 0zM18.5 11.3a.7.7 0 1 0 .01 0z',
  edit: 'M4 20l1-4L16 5l3 3L8 19l-4 1Z',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5m0-8v.01',
  leave: 'M10 4H5v16h5M10 12h10m-4-4 4 4-4 4',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3 2',
  check: 'm5 12.5 4.5 4.5L19 7',
  checks: 'm2.5 12.5 4 4.5L15 7m-4 9 1 1L21.5 7',
  warn: 'M12 4 2.5 20h19L12 4Zm0 6v5m0 2.5v.01',
  download: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  camera: 'M4 8h4l1.5-3h5L16 8h4v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z',
  muted: 'M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zM4 4l16 16',
};

/** @param {any} props `name` of PATHS, or a `path`; `label` if nothing beside it says what it is */
export function Icon({ name, path = PATHS[name], label }) {
  return html`
    <svg class="icon" viewBox="0 0 24 24" role=${label ? 'img' : undefined} aria-label=${label}
      aria-hidden=${label ? undefined : 'true'}><path d=${path} /></svg>`;
}
