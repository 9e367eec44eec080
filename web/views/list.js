/** The conversations: who, what was said last, and what waits. */
import { html, useState, useEffect } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/state.js';
import { shortMoment } from '../core/format.js';
import { locale, t, tn } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Icon, memo, useTick } from './hooks.js';
import { Avatar, roleOf } from './person.js';

const MINUTE = 60_000;

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function List({ app, state, route }) {
  useTick(MINUTE);
  const [choosing, setChoosing] = useState(false);
  const me = /** @type {any} */ (state.me);
  const rows = listed(state, 'all');
  return html`
    <nav class="list" aria-label=${t('list.label')}>
      <header class="list-head">
        <h1 class="brand">${t('app.name')}</h1>
        <button class="icon-button" type="button" aria-label=${t('list.new')} onClick=${() => setChoosing(!choosing)}><${Icon} name="plus" /></button>
      </header>
      ${route.name === 'test' && html`<${JoinByNumber} app=${app} />`}
      ${choosing && html`<${Directory} app=${app} me=${me} done=${() => setChoosing(false)} />`}
      ${state.listLoaded && !rows.length && !choosing && html`<p class="empty">${t('list.empty')}</p>`}
      <ul class="rows">
        ${rows.map((one) => html`<${Row} key=${one.id} conversation=${one} me=${me} current=${route.name === 'conversation' && route.id === one.id}
          typing=${Boolean(state.typing[one.id])} draft=${state.drafts[one.id]?.text ?? ''} minute=${Math.floor(Date.now() / MINUTE)} />`)}
      </ul>
      <footer class="list-foot">
        <span class="list-me"><${Avatar} person=${me} size="small" showOnline=${false} /> <span class="ellipsis" dir="auto">${me.name}</span></span>
        <button class="icon-button" type="button" aria-label=${t('signOut')} onClick=${() => app.leave()}><${Icon} name="leave" /></button>
      </footer>
    </nav>`;
}

const Row = memo(({ conversation, me, current, typing, draft }) => {
  const peer = peerOf(conversation, me.id);
  const own = conversation.lastMessageSenderId === me.id;
  const preview = typing ? t('list.typing') : draft && !current ? t('list.draft', { text: draft }) : conversation.lastMessageText;
  return html`
    <li>
      <a class="row ${conversation.unreadCount ? 'unread' : ''}" href="/c/${conversation.id}" aria-current=${current ? 'page' : undefined}>
        <${Avatar} person=${peer} />
        <span class="row-body">
          <span class="row-top"><span class="row-name ellipsis" dir="auto">${peer.name}</span>
            ${conversation.lastMessageAt && html`<time class="row-time" datetime=${conversation.lastMessageAt}>${shortMoment(conversation.lastMessageAt, Date.now(), locale(), t('day.yesterdayShort'))}</time>`}</span>
          <span class="row-role ellipsis">${roleOf(peer)}</span>
          <span class="row-bottom"><span class="row-text ellipsis ${typing ? 'typing' : ''}" dir="auto">${own && !typing && !draft ? t('list.you') : ''}${preview ?? t('list.noMessage')}</span>
            ${conversation.unreadCount > 0 && html`<span class="count"><span aria-hidden="true">${conversation.unreadCount}</span><span class="spoken">${tn('list.unread', conversation.unreadCount)}</span></span>`}</span>
        </span>
      </a>
    </li>`;
});

/** The people one may write to. @param {{app: import('../app.js').App, me: any, done: () => void}} props */
function Directory({ app, done }) {
  const [people, setPeople] = useState(/** @type {any[]|null} */ (null));
  const [query, setQuery] = useState('');
  useEffect(() => {
    let wanted = true;
    api.get(`/users?limit=50&q=${encodeURIComponent(query)}`).then((found) => wanted && setPeople(found), app.client?.report);
    return () => { wanted = false; };
  }, [query]);
  /** @param {number} id */
  const choose = async (id) => {
    const conversation = await app.client?.startConversation(id);
    done();
    if (conversation) app.go({ name: 'conversation', id: conversation, messageId: null });
  };
  return html`
    <section class="directory" aria-label=${t('list.new')}>
      <label class="field"><span>${t('directory.search')}</span>
        <input type="search" value=${query} onInput=${(/** @type {any} */ e) => setQuery(e.target.value)} /></label>
      <ul class="rows">
        ${people?.map((person) => html`<li key=${person.id}><button class="row" type="button" onClick=${() => choose(person.id)}>
          <${Avatar} person=${person} /><span class="row-body"><span class="row-name ellipsis" dir="auto">${person.name}</span><span class="row-role">${roleOf(person)}</span></span></button></li>`)}
      </ul>
      ${people && !people.length && html`<p class="empty">${t('directory.none')}</p>`}
    </section>`;
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
      <label class="field"><span>${t('test.number')}</span><input inputmode="numeric" value=${number} onInput=${(/** @type {any} */ e) => setNumber(e.target.value)} /></label>
      <button class="button" type="submit">${t('test.join')}</button>
    </form>`;
}
