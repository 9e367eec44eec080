/** In a conversation's head: a call by voice or with a picture, where this person may begin one. */
import { html } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { CAMERA, PHONE } from './call_icons.js';
import { Icon } from './hooks.js';

/** @param {{app: import('../app/create.js').App, conversationId: number}} props */
export function CallButtons({ app, conversationId }) {
  const { me, conversations } = app.store.state();
  if (!me?.calls?.mayStart || !conversations[conversationId]?.isActive) return null;
  /** @param {'audio'|'video'} media */
  const start = (media) => () => app.call('start', { conversationId, media });
  return html`
    <button class="icon-button call-button" type="button" aria-label=${t('call.audio')} title=${t('call.audio')}
      onClick=${start('audio')}><${Icon} path=${PHONE} /></button>
    <button class="icon-button call-button" type="button" aria-label=${t('call.video')} title=${t('call.video')}
      onClick=${start('video')}><${Icon} path=${CAMERA} /></button>`;
}
