/** One conversation: who it is with, what was said, where one answers, and beside it what is known about it. */
import { html } from '/vendor/preact-htm.js';
import { EMPTY, peerOf, pending } from '../core/state.js';
import { dayNumber, fullMoment, shortMoment, timeOfDay } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Dialog, FETCHED_AFTER_MS, lazy } from './dialog.js';
import { Icon } from './hooks.js';
import { Avatar, roleOf } from './person.js';
import { Timeline } from './timeline.js';
import { Composer } from './composer.js';

const ConversationFiles = lazy(() => import('./details.js'), 'ConversationFiles', FETCHED_AFTER_MS);

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Conversation({ app, state, route }) {
  const conversation = state.conversations[route.id];
  const loaded = state.timelines[route.id];
  const entries = pending(state, route.id);
  // What waits to be sent is shown before, and without, what was said.
  const line = loaded ?? (entries.length ? EMPTY : null);
  const me = /** @type {any} */ (state.me);
  if (state.refused === route.id) {
    return html`<div class="empty"><h1 class="empty-title">${t('conversation.none')}</h1><p>${t('conversation.noneText')}</p><p><a class="button" href="/">${t('back.list')}</a></p></div>`;
  }
  if (!conversation) return html`<div class="empty" aria-busy="true"></div>`;
  const peer = peerOf(conversation, me.id);
  const typing = state.typing[route.id];
  return html`
    <div class="beside">
      <section class="conversation" aria-label=${t('conversation.with', { name: peer.name })}>
        <header class="conversation-head">
          <a class="icon-button only-phone" href="/" aria-label=${t('back.list')}><${Icon} name="back" /></a>
          <${Avatar} person=${peer} />
          <div class="conversation-who"><h1 class="ellipsis" dir="auto">${peer.name}</h1>
            <p><span class="ellipsis">${roleOf(peer)}</span><span class=${peer.isOnline && 'now'}>${' · '}${presence(peer)}</span></p></div>
          <button class="icon-button details-button" type="button" aria-label=${t('details.title')} onClick=${() => app.open('details', { conversationId: route.id })}><${Icon} name="info" /></button>
        </header>
        ${line ? html`<${Timeline} key=${route.id} app=${app} line=${line} entries=${entries} conversation=${conversation} me=${me} peer=${peer} quotes=${state.quotes} />`
    : html`<div class="timeline-box" aria-busy="true">${state.link.stage === 'down' && html`<p class="empty">${t('timeline.away')}</p>`}</div>`}
        <p class="typing-line">${typing ? t('timeline.typing', { name: peer.name }) : ''}</p>
        <${Composer} key=${`c${route.id}`} app=${app} conversationId=${route.id} draft=${state.drafts[route.id]} line=${loaded} quotes=${state.quotes} me=${me} peer=${peer} />
      </section>
      <aside class="details" aria-label=${t('details.title')}><${Details} app=${app} conversation=${conversation} line=${loaded} peer=${peer} asked=${false} /></aside>
    </div>
    ${route.dialog?.name === 'details' && html`<${Dialog} title=${t('details.title')} onClose=${app.closeDialog}><${Details} app=${app} conversation=${conversation} line=${loaded} peer=${peer} asked=${true} /></${Dialog}>`}`;
}

/** @param {import('../core/state.js').Person} peer */
function presence(peer) {
  if (peer.isOnline) return t('person.online');
  if (!peer.lastSeenAt) return t('person.offline');
  if (dayNumber(peer.lastSeenAt) === dayNumber(Date.now())) return t('person.seenToday', { time: timeOfDay(peer.lastSeenAt, locale()) });
  return t('person.seen', { when: shortMoment(peer.lastSeenAt, Date.now(), locale(), t('day.yesterdayShort')) });
}

/** @param {{app: import('../app.js').App, conversation: import('../core/state.js').Conversation, line: any, peer: import('../core/state.js').Person, asked: boolean}} props */
function Details({ app, conversation, line, peer, asked }) {
  const { id } = conversation;
  return html`
    <div class="details-person"><${Avatar} person=${peer} size="large" showOnline=${false} /><p class="details-name" dir="auto">${peer.name}</p>
      <p class="quiet">${roleOf(peer)}</p><p class="quiet ${peer.isOnline && 'now'}">${presence(peer)}</p></div>
    <dl class="facts"><div><dt>${t('details.number')}</dt><dd class="tabular">${id}</dd></div>
      <div><dt>${t('details.since')}</dt><dd>${fullMoment(conversation.createdAt, locale())}</dd></div></dl>
    <${ConversationFiles} key=${id} app=${app} id=${id} line=${line} asked=${asked} />`;
}
