/** The signed-in page: the list, what is open beside it, and what lies over both. */
import { html } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { List } from './list.js';
import { Conversation } from './conversation.js';

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State, route: any}} props */
export function Shell({ app, state, route }) {
  const main = SCREENS[route.name] ?? Welcome;
  return html`
    <div class="shell" data-at=${route.name === 'home' || route.name === 'test' ? 'list' : 'main'}>
      <${List} app=${app} state=${state} route=${route} />
      <main class="main" id="main"><${main} app=${app} state=${state} route=${route} /></main>
    </div>
    ${state.notice && html`<p class="notice ${state.notice.tone}" role=${state.notice.tone === 'alert' ? 'alert' : 'status'}>${state.notice.text}</p>`}`;
}

/** @type {Record<string, any>} */
const SCREENS = { conversation: Conversation };

function Welcome() {
  return html`<div class="empty"><p class="empty-title">${t('welcome.title')}</p><p>${t('welcome.text')}</p></div>`;
}
