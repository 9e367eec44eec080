/** One conversation: who it is with, what was said, and where one answers. */
import { html } from '/vendor/preact-htm.js';
import { peerOf, pending } from '../core/state.js';
import { t } from '../core/i18n.js';
import { Icon } from './hooks.js';
import { Avatar, roleOf } from './person.js';
import { Timeline } from './timeline.js';
import { Composer } from './composer.js';

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Conversation({ app, state, route }) {
  const conversation = state.conversations[route.id];
  const line = state.timelines[route.id];
  const me = /** @type {any} */ (state.me);
  if (state.refused === route.id) {
    return html`<div class="empty"><p class="empty-title">${t('conversation.none')}</p><p>${t('conversation.noneText')}</p><p><a class="button" href="/">${t('back.list')}</a></p></div>`;
  }
  if (!conversation || !line) return html`<div class="empty" aria-busy="true"></div>`;
  const peer = peerOf(conversation, me.id);
  const typing = state.typing[route.id];
  return html`
    <section class="conversation" aria-label=${t('conversation.with', { name: peer.name })}>
      <header class="conversation-head">
        <a class="icon-button only-phone" href="/" aria-label=${t('back.list')}><${Icon} name="back" /></a>
        <${Avatar} person=${peer} />
        <div class="conversation-who"><h2 class="ellipsis" dir="auto">${peer.name}</h2>
          <p class="ellipsis">${roleOf(peer)} · ${peer.isOnline ? t('person.online') : t('person.offline')}</p></div>
      </header>
      <${Timeline} key=${route.id} app=${app} line=${line} entries=${pending(state, route.id)} conversation=${conversation} me=${me} peer=${peer} />
      <p class="typing-line" aria-live="off">${typing ? t('timeline.typing', { name: peer.name }) : ''}</p>
      <${Composer} key=${`c${route.id}`} app=${app} conversationId=${route.id} draft=${state.drafts[route.id]} line=${line} me=${me} peer=${peer} />
    </section>`;
}
