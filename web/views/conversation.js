/**
 * One conversation: who it is with, what was said, where one answers, and beside it what is known
 * about it.
 */
import { html } from '/vendor/preact-htm.js';
import { peerOf, pending } from '../core/conversations.js';
import { EMPTY } from '../core/timelines.js';
import { t } from '../core/i18n.js';
import { FETCHED_AFTER_MS, lazy } from './lazy.js';
import { Icon } from './hooks.js';
import { Avatar, presence, roleOf } from './person.js';
import { Timeline } from './timeline.js';
import { Composer } from './composer.js';

const details = () => import('./details.js');
const Beside = lazy(details, 'Details', FETCHED_AFTER_MS);
const DetailsDialog = lazy(details, 'DetailsDialog');
const CallButtons = lazy(() => import('./call_buttons.js'), 'CallButtons', FETCHED_AFTER_MS);
const PushOffer = lazy(() => import('./push_offer.js'), 'PushOffer', FETCHED_AFTER_MS);
const Closed = lazy(() => import('./closed.js'), 'Closed');

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, route: any}} props */
export function Conversation({ app, state, route }) {
  const conversation = state.conversations[route.id];
  const loaded = state.timelines[route.id];
  const entries = pending(state, route.id);
  // What waits to be sent is shown before, and without, what was said.
  const line = loaded ?? (entries.length ? EMPTY : null);
  const me = /** @type {any} */ (state.me);
  if (state.refused === route.id) {
    return html`<div class="empty"><h1 class="empty-title">${t('conversation.none')}</h1><p>
      ${t('conversation.noneText')}</p><p><a class="button" href="/">${t('back.list')}</a></p></div>`;
  }
  if (!conversation) return html`<div class="empty" aria-busy="true"></div>`;
  const peer = peerOf(conversation, me.id);
  const draft = state.drafts[route.id];
  const about = { app, conversation, line: loaded, peer };
  return html`
    <div class="beside">
      <section class="conversation" aria-label=${t('conversation.with', { name: peer.name })}>
        <${Head} app=${app} peer=${peer} conversationId=${route.id} />
        ${line ? html`
          <${Timeline} key=${route.id} app=${app} line=${line} entries=${entries} conversation=${conversation} me=${me}
            peer=${peer} editingId=${draft?.editingId ?? null} />`
          : html`<div class="timeline-box" aria-busy="true">
            ${state.link.stage === 'down' && html`<p class="empty">${t('timeline.away')}</p>`}</div>`}
        <${PushOffer} app=${app} state=${state} id=${route.id} />
        <p class="typing-line">${state.typing[route.id] ? t('timeline.typing', { name: peer.name }) : ''}</p>
        ${conversation.isActive === false ? html`<${Closed} name=${peer.name} />` : html`
          <${Composer} key=${`c${route.id}`} app=${app} conversationId=${route.id} draft=${draft} line=${loaded}
            me=${me} peer=${peer} />`}
      </section>
      <aside class="details" aria-label=${t('details.title')}><${Beside} ...${about} asked=${false} /></aside>
    </div>
    ${route.dialog?.name === 'details' && html`<${DetailsDialog} ...${about} />`}`;
}

/**
 * @param {{app: import('../app/create.js').App, peer: import('../core/state.js').Person,
 *   conversationId: number}} props
 */
function Head({ app, peer, conversationId }) {
  return html`
    <header class="conversation-head">
      <a class="icon-button only-phone" href="/" aria-label=${t('back.list')}><${Icon} name="back" /></a>
      <${Avatar} person=${peer} />
      <div class="conversation-who"><h1 class="ellipsis" dir="auto">${peer.name}</h1>
        <p><span class="ellipsis">${roleOf(peer)}</span>
          <span class=${peer.isOnline && 'now'}>${' · '}${presence(peer)}</span></p></div>
      <${CallButtons} app=${app} conversationId=${conversationId} />
      <button class="icon-button details-button" type="button" aria-label=${t('details.title')}
        onClick=${() => app.open('details', { conversationId })}><${Icon} name="info" /></button>
    </header>`;
}
