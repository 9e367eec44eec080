/** A conversation of which one wants no notices for a while. It is listed and counted as any other. */
import { html } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { now } from '../core/clock.js';
import { FOREVER, HOUR_MS, isForever, mutedUntil } from '../core/muting.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Choice } from './choice.js';

/** @param {{app: import('../app/create.js').App, conversation: import('../core/state.js').Conversation}} props */
export function Mute({ app, conversation }) {
  const until = mutedUntil(conversation, now());
  /** @param {string} chosen hours, or a moment as it is */
  const choose = async (chosen) => {
    const hours = Number(chosen);
    const at = hours ? new Date(now() + hours * HOUR_MS).toISOString() : chosen || null;
    try {
      const fresh = await api.call('PATCH', `/conversations/${conversation.id}/settings`, { mutedUntil: at });
      app.store.dispatch({ type: 'conversationChanged', conversation: fresh });
    } catch (error) {
      app.client?.report(error);
    }
  };
  /** @type {[string, string][]} */
  const choices = [
    ['', t('mute.off')],
    ['1', t('mute.hour')],
    ['8', t('mute.hours', { n: 8 })],
    ['168', t('mute.week')],
    [FOREVER, t('mute.always')],
  ];
  const ends = until && !isForever(until);
  if (ends) choices.push([until, t('mute.on')]);
  const hint = ends ? `${t('mute.until', { when: fullMoment(until, locale()) })} ${t('mute.text')}` : t('mute.text');
  const value = until && isForever(until) ? FOREVER : (until ?? '');
  return html`<div class="mute"><${Choice} text=${t('mute.title')} value=${value} choices=${choices}
    onChoose=${choose} hint=${until && hint} /></div>`;
}
