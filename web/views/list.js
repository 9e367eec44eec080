/** The conversations: who, what was said last, and what waits. */
import { html } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/conversations.js';
import { plain } from '../core/formatting.js';
import { t, tn } from '../core/i18n.js';
import { Icon, memo } from './hooks.js';
import { FETCHED_AFTER_MS, lazy } from './lazy.js';
import { Avatar, roleOf } from './person.js';
import { whenInShort } from './wording.js';

const JoinByNumber = lazy(() => import('./join.js'), 'JoinByNumber');
const EntryLine = lazy(() => import('./entry_line.js'), 'EntryLine', 0, ({ text }) => text);
const FootLinks = lazy(() => import('./foot_links.js'), 'FootLinks', FETCHED_AFTER_MS);

/**
 * @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any, minute: number}}
 *   props `minute`: another one with each minute, for times that grow old
 */
export function List({ app, state, route, minute }) {
  const me = /** @type {any} */ (state.me);
  const filters = filtersOf(me);
  const filter = filters.some(([name]) => name === route.filter) ? route.filter : 'all';
  const rows = listed(state, filter);
  const any = Object.keys(state.conversations).length > 0;
  const here = location.pathname + location.search;
  return html`
    <nav class="list" aria-label=${t('list.label')}>
      <${Head} app=${app} me=${me} route=${route} />
      ${state.demo && html`<${DemoStrip} role=${me.role} />`}
      ${route.name === 'test' && html`<${JoinByNumber} app=${app} />`}
      ${any && html`<div class="filters" role="group" aria-label=${t('filter.label')}>${filters.map(([name, text]) =>
        html`<button key=${name} type="button" aria-pressed=${filter === name ? 'true' : 'false'}
          onClick=${() => app.go(here, { filter: name })}>${text}</button>`)}</div>`}
      ${state.listLoaded && !rows.length && html`<${Empty} app=${app} role=${me.role} any=${any} />`}
      <ul class="rows">
        ${rows.map((one) => html`
          <${Row} key=${one.id} conversation=${one} me=${me} minute=${minute}
            current=${route.name === 'conversation' && route.id === one.id} typing=${Boolean(state.typing[one.id])}
            draft=${draftLine(state.drafts[one.id])} waiting=${waitingIn(state, one)} />`)}
      </ul>
      <${ListFoot} app=${app} me=${me} route=${route} />
    </nav>`;
}

/** @param {any} me @returns {['all'|'unread'|'unanswered', string][]} */
function filtersOf(me) {
  /** @type {['all'|'unread'|'unanswered', string][]} */
  const filters = [
    ['all', t('filter.all')],
    ['unread', t('filter.unread')],
  ];
  if (me.role === 'juriste') filters.push(['unanswered', t('filter.unanswered')]);
  return filters;
}

/** @param {{app: import('../app/create.js').App, me: any, route: any}} props */
function Head({ app, me, route }) {
  const atList = ['home', 'test'].includes(route.name);
  const brand = html`<a href="/">${t('app.name')}</a>`;
  return html`
    <header class="list-head">
      ${atList ? html`<h1 class="brand">${brand}</h1>` : html`<p class="brand">${brand}</p>`}
      ${me.role !== 'admin' && html`
        <button class="icon-button" type="button" aria-label=${t('search.label')} title="Ctrl+K"
          onClick=${() => app.open('palette')}><${Icon} name="search" /></button>
        <button class="icon-button" type="button" aria-label=${t('list.new')} onClick=${() => app.open('directory')}>
          <${Icon} name="plus" /></button>`}
    </header>`;
}

/** @param {{role: string}} props */
function DemoStrip({ role }) {
  const other = role === 'client' ? 'juriste' : 'client';
  return html`
    <p class="demo-strip">${t('demo.active')} ${role !== 'admin' && html`
      <a href=${`/connexion?demo=${other}`} target="_blank" rel="opener">
        ${role === 'client' ? t('demo.openJuriste') : t('demo.openClient')}</a>`}</p>`;
}

/** @param {{app: import('../app/create.js').App, role: string, any: boolean}} props */
function Empty({ app, role, any }) {
  return html`
    <div class="list-empty">${any ? t('filter.none') : role === 'admin' ? t('list.admin') : t('list.empty')}
      ${!any && role !== 'admin' && html`
        <button class="button only-phone" type="button" onClick=${() => app.open('directory')}>
          ${t('list.start')}</button>`}</div>`;
}

/** @param {{app: import('../app/create.js').App, me: any, route: any}} props */
function ListFoot({ app, me, route }) {
  return html`
    <footer class="list-foot">
      <a class="list-me" href="/moi" title=${t('me.title')} aria-current=${route.name === 'me' ? 'page' : undefined}>
        <${Avatar} person=${me} size="small" showOnline=${false} />
        <span class="ellipsis">
          <span class="spoken">${t('colon', { name: t('me.title'), text: '' })}</span><bdi>${me.name}</bdi></span></a>
      <${FootLinks} me=${me} />
      <button class="icon-button" type="button" aria-label=${t('signOut')} title=${t('signOut')}
        onClick=${() => app.leave()}><${Icon} name="leave" /></button>
    </footer>`;
}

/** What the list says of a draft. @param {any} draft */
function draftLine(draft) {
  if (!draft || draft.editingId) return '';
  return draft.text || (draft.files.length ? tn('file.count', draft.files.length) : '');
}

/**
 * What is still on its way to a conversation: the first that failed, else the latest.
 * @param {import('../core/state.js').State} state
 * @param {{id: number}} conversation
 */
function waitingIn(state, { id }) {
  const mine = state.outbox.filter((entry) => entry.conversationId === id);
  return mine.find((entry) => entry.stage === 'failed') ?? mine[mine.length - 1];
}

const Row = memo(({ conversation, me, current, typing, draft, waiting }) => {
  const peer = peerOf(conversation, me.id);
  const count = conversation.unreadCount;
  return html`
    <li>
      <a class="row ${count ? 'unread' : ''}" href="/c/${conversation.id}"
        aria-current=${current ? 'page' : undefined}>
        <${Avatar} person=${peer} />
        <span class="row-body">
          <span class="row-top"><span class="row-name ellipsis" dir="auto">${peer.name}</span>
            ${conversation.lastMessageAt
              && html`<time class="row-time" datetime=${conversation.lastMessageAt}>
                ${whenInShort(conversation.lastMessageAt)}</time>`}
                  </span>
          ${peer.role !== 'client' && html`<span class="row-role ellipsis">${roleOf(peer)}</span>`}
          <span class="row-bottom">
            <${Preview} conversation=${conversation} me=${me} typing=${typing} draft=${current ? '' : draft}
              waiting=${waiting} />
            ${Date.parse(conversation.mutedUntil) > Date.now()
              && html`<span class="row-fate"><${Icon} name="muted" label=${t('list.muted')} /></span>`}
            ${count > 0
              && html`<span class="count"><span aria-hidden="true">${count > 99 ? '99+' : count}</span>
                <span class="spoken">${tn('list.unread', count)}</span></span>`}</span>
        </span>
      </a>
    </li>`;
});

/** The last line of a row. @param {any} props */
function Preview({ conversation, me, typing, draft, waiting }) {
  if (typing) return html`<span class="row-text typing ellipsis">${t('list.typing')}</span>`;
  if (draft)
    return html`<span class="row-text ellipsis" dir="auto"><span class="row-draft">${t('list.draft')}</span>${draft}
      </span>`;
  const files = waiting ? waiting.files.length : (conversation.lastMessageFileCount ?? 0);
  const own = conversation.lastMessageSenderId === me.id;
  const entry = !waiting && conversation.lastMessageEntry;
  const failed = waiting?.stage === 'failed';
  const text =
    (waiting ? waiting.content : conversation.lastMessageText) ||
    (files
      ? `📎 ${tn('file.count', files)}`
      : conversation.lastMessageId
        ? t('message.deleted')
        : conversation.lastMessageAt
          ? ''
          : t('list.noMessage'));
  const read =
    own && conversation.lastMessageId && conversation.lastMessageId <= (conversation.peerLastReadMessageId ?? 0);
  return html`<span class="row-text ellipsis">
    ${
      waiting
        ? html`<span class="row-fate ${failed ? 'failed' : ''}">
          <${Icon} name=${failed ? 'warn' : 'clock'} label=${failed ? t('fate.failed') : t('fate.waiting')} /></span>`
        : own &&
          (conversation.lastMessageText || files) &&
          html`<span class="row-fate">
            <${Icon} name=${read ? 'checks' : 'check'} label=${read ? t('fate.read') : t('fate.sent')} /></span>`
    }<bdi>${
      entry ? html`<${EntryLine} entry=${entry} text=${text} myId=${me.id} />` : plain(text.slice(0, 200))
    }</bdi></span>`;
}
