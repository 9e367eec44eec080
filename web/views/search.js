/**
 * Searching messages, by words, person, days and files: results, newest first, each leading to its place. Nothing here
 * marks anything read. What is looked for stands in the address, so that Back and a reload find it again.
 */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { addressesOf, peerOf } from '../core/conversations.js';
import { dayAndTime, fullMoment } from '../core/format.js';
import { plain } from '../core/formatting.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Chips, paramsOf } from './chips.js';
import { Back, useDebounced } from './hooks.js';
import { markWhenShown } from './hits.js';

const PAGE = 30;

/**
 * The last search, so that whoever asked and comes back from one of its results finds it as it was left.
 * @type {{by: any, asked: string, results: any[], cursor: any, top: number}}
 */
let kept = { by: null, asked: '', results: [], cursor: null, top: 0 };
/** The entry of the browser's history that a result was opened from. */
const LEFT = { isLeft: true };

/** What the address asks for. */
const here = () => new URLSearchParams(location.search);

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
export function Search({ app, state, route }) {
  const [query, setQuery] = useState(route.query);
  const [chosen, setChosen] = useState(() => paramsOf(here()));
  const asked = askedFor(query, chosen);
  const by = state.me?.id;
  const isBack = history.state?.isLeft && kept.by === by && kept.asked === asked;
  const [page, setPage] = useState(isBack ? kept : null);
  const [fault, setFault] = useState('');
  const list = useRef(/** @type {HTMLElement|null} */ (null));

  useEffect(() => {
    if (list.current && page) list.current.scrollTop = page.top;
    // Come back to once more from elsewhere, it is asked anew.
    if (history.state?.isLeft) history.replaceState({}, '');
  }, []);
  useEffect(() => {
    setQuery(route.query);
    setChosen(paramsOf(here()));
  }, [location.search]);
  useDebounced(async (isCurrent) => {
    if (asked === kept.asked && page) return;
    const isElsewhere = asked !== askedFor(route.query, paramsOf(here()));
    if (isElsewhere) app.go(`/recherche${asked && `?${asked}`}`, { replace: true });
    const found = await answerTo(asked, isCurrent, setFault);
    if (!isCurrent() || !found) return;
    setFault('');
    kept = { by, asked, results: found.results, cursor: found.nextCursor, top: 0 };
    setPage(kept);
  }, [asked]);
  const more = async () => {
    const shown = kept;
    const found = await pageOf(shown.asked, shown.cursor, () => kept === shown).catch(() => null);
    if (!found || kept !== shown) return;
    kept = { ...shown, results: [...shown.results, ...found.results], cursor: found.nextCursor };
    setPage(kept);
  };
  const scrolled = (event) => {
    kept.top = event.currentTarget.scrollTop;
  };
  const none = page && asked && !page.results.length;
  return html`
    <section class="pane" aria-label=${t('search.label')} ref=${list} onScroll=${scrolled}>
      <div class="pane-body">
        <header class="pane-head"><${Back} /><h1>${t('search.label')}</h1></header>
        <label class="field"><span>${t('search.field')}</span>
          <input type="search" autofocus value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
        <${Chips} state=${state} chosen=${chosen} onChoose=${setChosen} />
        <div><p class="quiet" role="status">${fault || (none ? t('search.none') : '')}</p>
          <ol class="results">${page?.results.map((result) => html`
            <${Result} key=${result.message.id} result=${result} state=${state} />`)}</ol></div>
        ${page?.cursor && html`
          <p><button class="button" type="button" onClick=${more}>${t('search.more')}</button></p>`}
      </div>
    </section>`;
}

/** @param {{result: any, state: import('../core/state.js').State}} props */
function Result({ result: { message, snippet }, state }) {
  const { conversationId, senderId, createdAt, id } = message;
  const conversation = state.conversations[conversationId];
  const name = conversation ? peerOf(conversation, state.me?.id ?? 0).name : '';
  const names = [...message.files.map((file) => file.name), ...addressesOf(message)].join(', ');
  const left = () => {
    history.replaceState(LEFT, '');
    markWhenShown(id, snippet);
  };
  return html`
    <li><a class="result" href="/c/${conversationId}/m/${id}" onClick=${left}>
      <span class="result-head">
        <span class="ellipsis" dir="auto">${senderId === state.me?.id ? t('search.youTo', { name }) : name}</span>
        <time datetime=${createdAt} title=${fullMoment(createdAt, locale())}>${dayAndTime(createdAt, locale())}</time>
      </span>
      <span class="result-text" dir="auto"><${Marked} text=${snippet || names} /></span></a></li>`;
}

/**
 * @param {string} query
 * @param {import('./chips.js').Chosen} chosen
 * @returns {string} as the address says it; empty where nothing is looked for
 */
function askedFor(query, chosen) {
  const words = query.trim();
  return new URLSearchParams({ ...(words && { q: words }), ...chosen }).toString();
}

/**
 * @param {string} asked
 * @param {() => boolean} isCurrent
 * @param {(fault: string) => void} failed
 * @returns {Promise<any|null>}
 */
async function answerTo(asked, isCurrent, failed) {
  if (!asked) return { results: [], nextCursor: null };
  return pageOf(asked, null, isCurrent).catch((error) => {
    failed(error.message);
    return null;
  });
}

/**
 * A page of what is found. The server goes back only so far in one go: it is asked again until there is a page, or
 * nothing more, or nobody waits for it.
 * @param {string} asked
 * @param {any} cursor
 * @param {() => boolean} isWanted
 */
async function pageOf(asked, cursor, isWanted) {
  const results = [];
  do {
    const found = await ask(asked, cursor);
    results.push(...found.results);
    cursor = found.nextCursor;
  } while (cursor && results.length < PAGE && isWanted());
  return { results, nextCursor: cursor };
}

/**
 * @param {string} asked
 * @param {any} cursor
 */
function ask(asked, cursor) {
  const query = new URLSearchParams(asked);
  // The days are those of the person's calendar.
  const [from, to] = [query.get('from'), query.get('to')];
  if (from) query.set('from', new Date(`${from}T00:00`).toISOString());
  if (to) query.set('to', new Date(`${to}T23:59:59.999`).toISOString());
  query.set('limit', String(PAGE));
  if (cursor) query.set('cursor', cursor);
  return api.get(`/messages/search?${query}`);
}

/** A snippet with its hits, which the server sets in ⟦…⟧. @param {{text: string}} props */
export function Marked({ text }) {
  return plain(text)
    .split(/(⟦[^⟧]*⟧)/)
    .map((segment) => (segment.startsWith('⟦') ? html`<mark>${segment.slice(1, -1)}</mark>` : segment));
}
