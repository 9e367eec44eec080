/** The conversations: who, what was said last, and what waits. */
import { html, useState } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/state.js';
import { shortMoment } from '../core/format.js';
import { locale, t, tn } from '../core/i18n.js';
import { Icon, memo, useTick } from './hooks.js';
import { Avatar, roleOf } from './person.js';

const MINUTE_MS = 60_000;

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function List({ app, state, route }) {
  useTick(MINUTE_MS);
  const me = /** @type {any} */ (state.me);
  const atList = !['conversation', 'search', 'me', 'admin'].includes(route.name);
  /** @type {['all'|'unread'|'unanswered', string][]} */
  const filters = [['all', t('filter.all')], ['unread', t('filter.unread')]];
  if (me.role === 'juriste') filters.push(['unanswered', t('filter.unanswered')]);
  const filter = filters.some(([name]) => name === route.filter) ? route.filter : 'all';
  const rows = listed(state, filter);
  const any = Object.keys(state.conversations).length > 0;
  const minute = Math.floor(Date.now() / MINUTE_MS);
  return html`
    <nav class="list" aria-label=${t('list.label')}>
      <header class="list-head">
        ${atList ? html`<h1 class="brand"><a href="/">${t('app.name')}</a></h1>` : html`<p class="brand"><a href="/">${t('app.name')}</a></p>`}
        ${me.role !== 'admin' && html`<button class="icon-button" type="button" aria-label=${t('search.label')} title="Ctrl+K" onClick=${() => app.open('palette')}><${Icon} name="search" /></button>
        <button class="icon-button" type="button" aria-label=${t('list.new')} onClick=${() => app.open('directory')}><${Icon} name="plus" /></button>`}
      </header>
      ${state.demo && html`<p class="demo-strip">${t('demo.active')} ${me.role !== 'admin' && html`<a href=${`/connexion?demo=${me.role === 'client' ? 'juriste' : 'client'}`} target="_blank" rel="opener">${me.role === 'client' ? t('demo.openJuriste') : t('demo.openClient')}</a>`}</p>`}
      ${route.name === 'test' && html`<${JoinByNumber} app=${app} />`}
      ${any && html`<div class="filters" role="group" aria-label=${t('filter.label')}>${filters.map(([name, text]) => html`
        <button key=${name} type="button" aria-pressed=${filter === name ? 'true' : 'false'} onClick=${() => app.go(location.pathname + location.search, { filter: name })}>${text}</button>`)}</div>`}
      ${state.listLoaded && !rows.length && html`<div class="list-empty">${any ? t('filter.none') : me.role === 'admin' ? t('list.admin') : t('list.empty')}
        ${!any && me.role !== 'admin' && html`<button class="button only-phone" type="button" onClick=${() => app.open('directory')}>${t('list.start')}</button>`}</div>`}
      <ul class="rows">
        ${rows.map((one) => html`<${Row} key=${one.id} conversation=${one} me=${me} current=${route.name === 'conversation' && route.id === one.id} minute=${minute}
          typing=${Boolean(state.typing[one.id])} draft=${draftLine(state.drafts[one.id])} waiting=${waitingIn(state, one)} />`)}
      </ul>
      <footer class="list-foot">
        <a class="list-me" href="/moi" title=${t('me.title')} aria-current=${route.name === 'me' ? 'page' : undefined}><${Avatar} person=${me} size="small" showOnline=${false} /><span class="ellipsis"><span class="spoken">${t('me.title')} : </span><bdi>${me.name}</bdi></span></a>
        ${me.role === 'admin' && html`<a class="icon-button" href="/admin" aria-label=${t('admin.title')}><${Icon} name="people" /></a>`}
        <button class="icon-button" type="button" aria-label=${t('signOut')} title=${t('signOut')} onClick=${() => app.leave()}><${Icon} name="leave" /></button>
      </footer>
    </nav>`;
}

/** What the list says of a draft. @param {any} draft */
function draftLine(draft) {
  if (!draft || draft.editingId) return '';
  return draft.text || (draft.files.length ? tn('file.count', draft.files.length) : '');
}

/** What is still on its way to a conversation: the first that failed, else the latest. @param {import('../core/state.js').State} state @param {{id: number}} conversation */
function waitingIn(state, { id }) {
  const mine = state.outbox.filter((entry) => entry.conversationId === id);
  return mine.find((entry) => entry.stage === 'failed') ?? mine[mine.length - 1];
}

const Row = memo(({ conversation, me, current, typing, draft, waiting }) => {
  const peer = peerOf(conversation, me.id);
  const count = conversation.unreadCount;
  return html`
    <li>
      <a class="row ${count ? 'unread' : ''}" href="/c/${conversation.id}" aria-current=${current ? 'page' : undefined}>
        <${Avatar} person=${peer} />
        <span class="row-body">
          <span class="row-top"><span class="row-name ellipsis" dir="auto">${peer.name}</span>
            ${conversation.lastMessageAt && html`<time class="row-time" datetime=${conversation.lastMessageAt}>${shortMoment(conversation.lastMessageAt, Date.now(), locale(), t('day.yesterdayShort'))}</time>`}</span>
          ${peer.role !== 'client' && html`<span class="row-role ellipsis">${roleOf(peer)}</span>`}
          <span class="row-bottom"><${Preview} conversation=${conversation} me=${me} typing=${typing} draft=${current ? '' : draft} waiting=${waiting} />
            ${count > 0 && html`<span class="count"><span aria-hidden="true">${count > 99 ? '99+' : count}</span><span class="spoken">${tn('list.unread', count)}</span></span>`}</span>
        </span>
      </a>
    </li>`;
});

/** The last line of a row. @param {any} props */
function Preview({ conversation, me, typing, draft, waiting }) {
  if (typing) return html`<span class="row-text typing ellipsis">${t('list.typing')}</span>`;
  if (draft) return html`<span class="row-text ellipsis" dir="auto"><span class="row-draft">${t('list.draft')}</span>${draft}</span>`;
  const files = waiting ? waiting.files.length : conversation.lastMessageFileCount ?? 0;
  const own = conversation.lastMessageSenderId === me.id;
  const failed = waiting?.stage === 'failed';
  const text = (waiting ? waiting.content : conversation.lastMessageText) || (files ? `📎 ${tn('file.count', files)}` : conversation.lastMessageId ? t('message.deleted') : conversation.lastMessageAt ? '' : t('list.noMessage'));
  const read = own && conversation.lastMessageId && conversation.lastMessageId <= (conversation.peerLastReadMessageId ?? 0);
  return html`<span class="row-text ellipsis">
    ${waiting ? html`<span class="row-fate ${failed ? 'failed' : ''}"><${Icon} name=${failed ? 'warn' : 'clock'} label=${failed ? t('fate.failed') : t('fate.waiting')} /></span>`
    : own && (conversation.lastMessageText || files) && html`<span class="row-fate"><${Icon} name=${read ? 'checks' : 'check'} label=${read ? t('fate.read') : t('fate.sent')} /></span>`}<bdi>${text.slice(0, 200)}</bdi></span>`;
}

/** The test page's way in: a conversation's number. @param {{app: import('../app.js').App}} props */
function JoinByNumber({ app }) {
  const [number, setNumber] = useState('');
  /** @param {Event} event */
  const join = (event) => {
    event.preventDefault();
    if (/^[1-9]\d{0,15}$/.test(number.trim())) app.go({ name: 'conversation', id: Number(number), messageId: null });
  };
  return html`
    <form class="join" onSubmit=${join}>
      <label class="field"><span>${t('test.number')}</span><input inputmode="numeric" value=${number} onInput=${(e) => setNumber(e.target.value)} /></label>
      <button class="button" type="submit">${t('test.join')}</button>
    </form>`;
}
