/** The calls of a conversation, latest first, those that were missed among them; each leads to its place. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { get } from '../client/api.js';
import { isLive, outcomeOf } from '../core/calls.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { CAMERA, MISSED, PHONE } from './call_icons.js';
import { entry } from './call_words.js';
import { Icon } from './hooks.js';
import { whenInShort } from './wording.js';

const PAGE = 6;

/**
 * @param {{app: import('../app/create.js').App, id: number, latest: number}} props `latest`: the message of the last
 *   call that the timeline knows; another one, and it is asked again
 */
export function CallHistory({ app, id, latest }) {
  const [calls, setCalls] = useState(/** @type {import('../core/calls.js').Call[]} */ ([]));
  const [isMore, setMore] = useState(false);
  const { me } = app.store.state();
  /** @param {import('../core/calls.js').Call[]} known */
  const ask = async (known) => {
    const before = known.length ? `&before=${known[known.length - 1].id}` : '';
    const found = await get(`/calls?conversationId=${id}&limit=${PAGE + 1}${before}`);
    setCalls([...known, ...found.slice(0, PAGE)]);
    setMore(found.length > PAGE);
  };
  useEffect(() => {
    // Without an answer there is no list; the timeline has them all the same.
    if (me?.calls) ask([]).catch(() => {});
  }, [id, latest]);
  const over = calls.filter((one) => !isLive(one));
  if (!over.length || !me) return null;
  return html`
    <h2 class="details-files-head">${t('call.history')}</h2>
    <ul class="call-history">${over.map((one) => html`<${Past} key=${one.id} app=${app} call=${one} myId=${me.id} />`)}
    </ul>
    ${isMore && html`<button class="link" type="button" onClick=${() => ask(calls).catch(app.client?.report)}>
      ${t('search.more')}</button>`}`;
}

/** @param {{app: import('../app/create.js').App, call: import('../core/calls.js').Call, myId: number}} props */
function Past({ app, call, myId }) {
  const { conversationId, messageId, startedAt, startedBy } = call;
  const isMissed = outcomeOf(call, myId) === 'missed';
  const path = isMissed ? MISSED : call.media === 'video' ? CAMERA : PHONE;
  const when = whenInShort(startedAt);
  return html`
    <li><button class="call-past ${isMissed ? 'missed' : ''}" type="button" title=${fullMoment(startedAt, locale())}
      onClick=${() => app.go({ name: 'conversation', id: conversationId, messageId })}>
      <${Icon} path=${path} /><span class="call-past-what">${entry(call, myId)}</span>
      <span class="quiet">${startedBy === myId ? t('call.placed') : t('call.received')} · ${when}</span></button></li>`;
}
