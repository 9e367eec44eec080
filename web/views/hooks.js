/** What the views share: redrawing on change, comparing before drawing, and icons. */
import { Component, html, useEffect, useReducer } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';

/** @param {import('../core/store.js').Store} store @returns {import('../core/state.js').State} the state, now and after each change */
export function useStore(store) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  const drawn = store.state();
  useEffect(() => {
    if (store.state() !== drawn) redraw(null);
    return store.subscribe(() => redraw(null));
  }, [store]);
  return drawn;
}

/** A view that is drawn again only when one of its properties is another one. @param {(props: any) => any} view */
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

/** Redraws every `ms` while mounted, for times that grow old. @param {number} ms */
export function useTick(ms) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => redraw(null), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/** Where there is room for one pane only: the way back to the list. */
export function Back() {
  return html`<a class="only-phone back" href="/"><${Icon} name="back" />${t('back.list')}</a>`;
}

/** Strokes on a 24 grid. */
const PATHS = {
  send: 'M4 12 20 4l-5 16-4-6-7-2Zm7 2 9-10',
  clip: 'm20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.500 17a1.700 1.700 0 0 1-2.400-2.400L14.500 7',
  back: 'M15 5 8 12l7 7',
  down: 'M12 5v14m-6-6 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13Zm5-1.500L20 20',
  plus: 'M12 5v14M5 12h14',
  reply: 'M9 6 4 11l5 5M4 11h10a6 6 0 0 1 6 6v1',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.500 14.500a4.500 4.500 0 0 0 7 0M9 9.500v.01M15 9.500v.01',
  more: 'M5.500 12h.01M12 12h.01M18.500 12h.01',
  edit: 'M4 20l1-4L16 5l3 3L8 19l-4 1Z',
  trash: 'M5 7h14M10 7V4h4v3m3 0-1 13H8L7 7m3.500 4v5m3-5v5',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5m0-8v.01',
  gear: 'M4 7h9m4 0h3M4 17h3m4 0h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Zm-6 10a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z',
  people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Zm-6.500 9a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500m2 3a6.500 6.500 0 0 1 3.500 6',
  leave: 'M10 4H5v16h5M10 12h10m-4-4 4 4-4 4',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3 2',
  check: 'm5 12.500 4.500 4.500L19 7',
  checks: 'm2.500 12.500 4 4.500L15 7m-4 9 1 1L21.500 7',
  warn: 'M12 4 2.500 20h19L12 4Zm0 6v5m0 2.500v.01',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  zoom: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13Zm5-1.500L20 20M10.500 8v5M8 10.500h5',
  next: 'm9 5 7 7-7 7',
  download: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  camera: 'M4 8h4l1.500-3h5L16 8h4v11H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Z',
  panel: 'M4 5h16v14H4zM15 5v14',
};

/** @param {{name: keyof typeof PATHS, label?: string}} props `label` if nothing beside it says what it is */
export function Icon({ name, label }) {
  return html`<svg class="icon" viewBox="0 0 24 24" role=${label ? 'img' : undefined} aria-label=${label} aria-hidden=${label ? undefined : 'true'}><path d=${PATHS[name]} /></svg>`;
}
