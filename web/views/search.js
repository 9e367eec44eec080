/** Searching messages: results, newest first, each leading to its place. Nothing here marks anything read. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { peerOf } from '../core/state.js';
import { dayAndTime, fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Back } from './hooks.js';

const DEBOUNCE_MS = 200;
const PAGE = 30;

/** The last search, so that coming back shows it as it was left. @type {{query: string, results: any[], cursor: any, top: number}} */
let kept = { query: '', results: [], cursor: null, top: 0 };

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Search({ app, state, route }) {
  const [query, setQuery] = useState(route.query);
  const [page, setPage] = useState(kept.query === route.query ? kept : null);
  const [fault, setFault] = useState('');
  const list = useRef(/** @type {HTMLElement|null} */ (null));
  const me = /** @type {any} */ (state.me);

  useEffect(() => { if (list.current && page) list.current.scrollTop = page.top; }, []);
  useEffect(() => { setQuery(route.query); }, [route.query]);
  useEffect(() => {
    const wanted = query.trim();
    if (wanted === kept.query && page) return undefined;
    let current = true;
    const timer = setTimeout(async () => {
      if (wanted !== route.query) app.go({ name: 'search', query: wanted }, { replace: true });
      const found = wanted ? await ask(wanted, null).catch((error) => { setFault(error.message); return null; }) : { results: [], nextCursor: null };
      if (!current || !found) return;
      setFault('');
      kept = { query: wanted, results: found.results, cursor: found.nextCursor, top: 0 };
      setPage(kept);
    }, page ? DEBOUNCE_MS : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [query]);
  const more = async () => {
    const found = await ask(kept.query, kept.cursor).catch(() => null);
    if (!found) return;
    kept = { ...kept, results: [...kept.results, ...found.results], cursor: found.nextCursor };
    setPage(kept);
  };
  return html`
    <section class="pane" aria-label=${t('search.label')} ref=${list} onScroll=${(e) => { kept.top = e.currentTarget.scrollTop; }}>
      <div class="pane-body">
        <header class="pane-head"><${Back} /><h1>${t('search.label')}</h1></header>
        <label class="field"><span>${t('search.field')}</span><input type="search" autofocus value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
        <div><p class="quiet" role="status">${fault || (page && query.trim() && !page.results.length ? t('search.none') : '')}</p>
        <ol class="results">${page?.results.map(({ message, snippet }) => {
          const conversation = state.conversations[message.conversationId];
          const peer = conversation && peerOf(conversation, me.id);
          return html`<li key=${message.id}><a class="result" href="/c/${message.conversationId}/m/${message.id}">
            <span class="result-head"><span class="ellipsis" dir="auto">${message.senderId === me.id ? t('search.youTo', { name: peer?.name ?? '' }) : peer?.name ?? ''}</span><time datetime=${message.createdAt} title=${fullMoment(message.createdAt, locale())}>${dayAndTime(message.createdAt, locale())}</time></span>
            <span class="result-text" dir="auto"><${Marked} text=${snippet} /></span></a></li>`;
        })}</ol></div>
        ${page?.cursor && html`<p><button class="button" type="button" onClick=${more}>${t('search.more')}</button></p>`}
      </div>
    </section>`;
}

/** @param {string} query @param {any} cursor */
function ask(query, cursor) {
  return api.get(`/messages/search?limit=${PAGE}&q=${encodeURIComponent(query)}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
}

/** A snippet with its hits, which the server sets in ⟦…⟧. @param {{text: string}} props */
export function Marked({ text }) {
  return text.split(/(⟦[^⟧]*⟧)/).map((piece) => (piece.startsWith('⟦') ? html`<mark>${piece.slice(1, -1)}</mark>` : piece));
}
