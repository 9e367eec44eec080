/**
 * The files of a conversation, latest first: those of the loaded messages at once, older ones when asked for. What was found stays
 * while the pane is there, though the timeline lets go of what one has scrolled away from.
 */
import { html, useEffect, useReducer, useRef, useState } from '/vendor/preact-htm.js';
import { request } from '../client/api.js';
import { isPicture } from '../client/media.js';
import { t } from '../core/i18n.js';
import { FileRow, Picture } from './files.js';

const PAGE = 200;
/** How far one press looks back when there is nothing to be found. */
const PAGES_MAX = 10;
const FILES_SHOWN = 12;

/** @param {{app: import('../app.js').App, id: number, line?: import('../core/state.js').Timeline, asked: boolean}} props `asked`: opened for its own sake, and not just there beside a conversation */
export function ConversationFiles({ app, id, line, asked }) {
  const room = useRef(matchMedia('(min-width: 1100px)')).current;
  const found = useRef(/** @type {Map<number, import('../core/state.js').StoredFile[]>} */ (new Map())).current;
  const [shown, setShown] = useState(FILES_SHOWN);
  const [busy, setBusy] = useState(false);
  /** How far back was looked: to before this message, `0` to the beginning. */
  const reached = useRef(/** @type {number|null} */ (null));
  const [, redraw] = useReducer((n) => n + 1, 0);

  /** @param {import('../core/state.js').Message[]} messages */
  const take = (messages) => {
    for (const { id: message, files } of messages) if (files.length || found.has(message)) found.set(message, files);
  };
  take(line?.items ?? []);
  const files = () => [...found.keys()].sort((a, b) => b - a).flatMap((message) => found.get(message) ?? []);
  const isWhole = () => reached.current === 0 || Boolean(line && !line.hasBefore && !line.hasAfter);

  const more = async () => {
    setBusy(true);
    const before = files().length;
    try {
      for (let pages = 0; pages < PAGES_MAX && reached.current !== 0 && files().length === before; pages += 1) {
        const answer = await request('GET', `/messages?conversationId=${id}&limit=${PAGE}${reached.current ? `&before=${reached.current}` : ''}`);
        const messages = await answer.json();
        take(messages);
        reached.current = answer.headers.get('Link')?.includes('rel="prev"') ? messages[0].id : 0;
      }
    } catch (error) {
      app.client?.notice(/** @type {Error} */ (error).message, 'alert');
    }
    setBusy(false);
  };
  useEffect(() => {
    room.addEventListener('change', redraw);
    if (asked && !isWhole()) more();
    return () => room.removeEventListener('change', redraw);
  }, []);

  if (!asked && !room.matches) return null;
  const all = files();
  const drawn = all.slice(0, shown);
  const pictures = drawn.filter((file) => isPicture(file.mimeType));
  const others = drawn.filter((file) => !isPicture(file.mimeType));
  const isMore = all.length > shown || !isWhole();
  /** @param {number} at */
  const open = (at) => app.open('lightbox', { at, pictures: pictures.map(({ id: file, url, name, width, height }) => ({ id: file, url, name, width, height })) });
  return html`
    <h2 class="details-files-head">${t('details.files')}</h2>
    ${all.length > 0 && html`<div class="details-files">
      ${pictures.length > 0 && html`<div class="pictures many">${pictures.map((file, at) => html`<${Picture} key=${file.id} file=${file} single=${false} inner=${0} onOpen=${() => open(at)} />`)}</div>`}
      ${others.map((file) => html`<${FileRow} key=${file.id} file=${file} />`)}</div>`}
    ${!all.length && !isMore && html`<p class="quiet">${t('details.noFiles')}</p>`}
    ${isMore && html`<button class="link" type="button" disabled=${busy} onClick=${() => (all.length > shown ? setShown(shown + FILES_SHOWN) : more().then(() => setShown(shown + FILES_SHOWN)))}>${t('search.more')}</button>`}`;
}
