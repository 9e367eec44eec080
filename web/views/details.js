/**
 * What is known beside a conversation: who it is with, its files by month, and what one can do with it as a whole. What
 * was found of the files stays while the pane is there, though the timeline lets go of what one has scrolled away from.
 */
import { html, useEffect, useReducer, useRef, useState } from '/vendor/preact-htm.js';
import { filesPage } from '../client/conversation_files.js';
import { isPicture } from '../client/media.js';
import { byMonth, inOrder, withFiles, withMessages } from '../core/files.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Dialog } from './dialog.js';
import { CallHistory } from './call_history.js';
import { GoToDay } from './dates.js';
import { save } from './export.js';
import { BillsBeside } from './bill_beside.js';
import { FileRow, Picture } from './files.js';
import { Mute } from './mute.js';
import { Avatar, presence, roleOf } from './person.js';

const FILES_SHOWN = 12;

/**
 * The files of a conversation, the latest first: those of the loaded messages at once, the others when asked for.
 * @param {import('../app/create.js').App} app
 * @param {number} id
 * @param {import('../core/state.js').Timeline|undefined} line
 */
function useFiles(app, id, line) {
  const known = useRef(/** @type {Map<number, import('../core/files.js').SentFile>} */ (new Map()));
  const [busy, setBusy] = useState(false);
  /** Where the server's list goes on; `null`: nowhere. */
  const next = useRef(/** @type {string|null|undefined} */ (undefined));
  const looked = useRef(/** @type {any} */ (null));
  if (line && looked.current !== line.items) known.current = withMessages(known.current, line.items);
  looked.current = line?.items;
  const more = async () => {
    setBusy(true);
    try {
      const page = await filesPage(id, next.current);
      known.current = withFiles(known.current, page.files);
      next.current = page.next;
    } catch (error) {
      app.client?.notice(/** @type {Error} */ (error).message, 'alert');
    }
    setBusy(false);
  };
  return { all: inOrder(known.current).reverse(), more, busy, isWhole: next.current === null };
}

/**
 * @param {{app: import('../app/create.js').App, id: number, line?: import('../core/state.js').Timeline,
 *   asked: boolean}} props `asked`: opened for its own sake, and not just there beside a conversation
 */
export function ConversationFiles({ app, id, line, asked }) {
  const room = useRef(matchMedia('(min-width: 1100px)')).current;
  const [shown, setShown] = useState(FILES_SHOWN);
  const [, redraw] = useReducer((n) => n + 1, 0);
  const { all, more, busy, isWhole } = useFiles(app, id, line);
  const isSeen = asked || room.matches;
  useEffect(() => {
    room.addEventListener('change', redraw);
    return () => room.removeEventListener('change', redraw);
  }, []);
  useEffect(() => {
    if (isSeen && !isWhole) more();
  }, [isSeen]);

  if (!isSeen) return null;
  const isMore = all.length > shown || !isWhole;
  /** @param {any} file */
  const show = ({ id: fileId, url, name, mimeType }) =>
    app.open('lightbox', { conversationId: id, file: { id: fileId, url, name, mimeType } });
  const showMore = async () => {
    if (all.length <= shown) await more();
    setShown(shown + FILES_SHOWN);
  };
  const archive = () => save(id, { what: 'files' }).catch(app.client?.report);
  return html`
    <h2 class="details-files-head">${t('details.files')}</h2>
    ${byMonth(all.slice(0, shown), locale()).map(({ month, files }) => html`
      <${Month} key=${month} month=${month} files=${files} show=${show} />`)}
    ${!all.length && isWhole && html`<p class="quiet">${t('details.noFiles')}</p>`}
    ${isMore && !(busy && !all.length) && html`
      <button class="link" type="button" disabled=${busy} onClick=${showMore}>${t('search.more')}</button>`}
    ${all.length > 1 && html`<button class="link" type="button" disabled=${busy} onClick=${archive}>
      ${t('details.allFiles')}</button>`}`;
}

/** The files of one month: pictures first. @param {{month: string, files: any[], show: (file: any) => void}} props */
function Month({ month, files, show }) {
  const pictures = files.filter((file) => isPicture(file.mimeType));
  const others = files.filter((file) => !isPicture(file.mimeType));
  return html`
    <h3 class="details-month">${month}</h3>
    <div class="details-files">
      ${pictures.length > 0 && html`<div class="pictures many">${pictures.map((file) => html`
        <${Picture} key=${file.id} file=${file} single=${false} inner=${0} onShow=${show} />`)}</div>`}
      ${others.map((file) => html`<${FileRow} key=${file.id} file=${file} onShow=${show} />`)}</div>`;
}

/**
 * @param {import('../core/state.js').Timeline|undefined} line
 * @returns {number} the message of its last call, as far as it is loaded
 */
const latestCall = (line) => line?.items.findLast(({ kind }) => kind === 'call')?.id ?? 0;

/** What is known about a conversation. @param {any} props */
export function Details({ app, conversation, line, peer, asked }) {
  const { id } = conversation;
  return html`
    <div class="details-person"><${Avatar} person=${peer} size="large" showOnline=${false} />
      <p class="details-name" dir="auto">${peer.name}</p>
      <p class="quiet">${roleOf(peer)}</p><p class="quiet ${peer.isOnline && 'now'}">${presence(peer)}</p></div>
    <${BillsBeside} key=${`b${id}`} app=${app} conversationId=${id} />
    <${ConversationFiles} key=${id} app=${app} id=${id} line=${line} asked=${asked} />
    <${CallHistory} key=${`calls ${id}`} app=${app} id=${id} latest=${latestCall(line)} />
    <${Mute} app=${app} conversation=${conversation} />
    <${GoToDay} app=${app} conversationId=${id} />
    <p class="details-ways"><button class="button" type="button"
      onClick=${() => app.open('takeOut', { conversationId: id })}>${t('details.export')}</button></p>
    <dl class="facts"><div><dt>${t('details.since')}</dt><dd>${fullMoment(conversation.createdAt, locale())}</dd></div>
      <div><dt>${t('details.number')}</dt><dd class="tabular">${id}</dd></div></dl>`;
}

/** The same where there is no room beside the conversation. @param {any} props */
export function DetailsDialog(props) {
  return html`
    <${Dialog} title=${t('details.title')} onClose=${props.app.closeDialog}>
      <${Details} ...${props} asked=${true} /></${Dialog}>`;
}
