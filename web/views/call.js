/** What lies over the page while it rings or one talks: the question, and the region of the call beside it. */
import { html, useEffect, useReducer, useState } from '/vendor/preact-htm.js';
import { phaseOf } from '../core/calls.js';
import { peerOf } from '../core/conversations.js';
import { t } from '../core/i18n.js';
import { CallBar } from './call_bar.js';
import { CallPictures, Frame } from './call_pictures.js';
import { RecordSign } from './call_recording.js';
import { Dialog } from './dialog.js';
import { useStore } from './hooks.js';
import { Avatar, roleOf } from './person.js';

/**
 * @param {{app: import('../app/create.js').App, calls: import('../client/calls.js').Calls,
 *   recording: import('../client/recording.js').Recording, follow: (redraw: () => void) => () => void}} props
 *   `follow`: hears of each change of the call
 */
export function CallLayer({ app, calls, recording, follow }) {
  const state = useStore(app.store);
  const [, redraw] = useReducer((n) => n + 1, 0);
  const { view } = calls;
  useEffect(() => {
    if (calls.view !== view) redraw(null);
    return follow(() => redraw(null));
  }, []);
  const phase = phaseOf(view, calls.client.me.id);
  const conversation = state.conversations[view.call?.conversationId ?? view.wanted?.conversationId ?? 0];
  const peer = conversation && state.me ? peerOf(conversation, state.me.id) : { id: 0, name: '…', role: 'client' };
  const given = { app, calls, recording, view, phase, peer };
  if (phase === 'none') return null;
  if (phase === 'incoming') return html`<${Incoming} ...${given} />`;
  if (phase === 'elsewhere') return html`<${Elsewhere} ...${given} />`;
  return html`<${Ongoing} ...${given} />`;
}

/** @param {any} props */
function Incoming({ calls, view, peer }) {
  const isVideo = view.call.media === 'video';
  /** @param {boolean} camera */
  const accept = (camera) => () => calls.answer({ own: { camera } });
  return html`
    <${Dialog} title=${t('call.incoming')} kind="incoming">
      <div class="incoming-who"><${Avatar} person=${peer} showOnline=${false} />
        <div><p class="incoming-name"><bdi>${peer.name}</bdi></p>
          <p class="quiet">${roleOf(peer)} · ${isVideo ? t('call.video') : t('call.audio')}</p></div></div>
      ${view.fault && html`<p class="fault" role="alert">${view.fault}</p>`}
      <p class="dialog-ways">
        <button class="button danger" type="button" onClick=${() => calls.decline()}>${t('call.decline')}</button>
        ${isVideo && html`<button class="button" type="button" onClick=${accept(false)}>${t('call.acceptAudio')}
          </button>`}
        <button class="button primary" type="button" data-first onClick=${accept(isVideo)}>${t('call.accept')}</button>
      </p>
    </${Dialog}>`;
}

/** The call is held by another window or device of this person. @param {any} props */
function Elsewhere({ calls, view, phase, peer }) {
  const isRinging = view.call.state === 'ringing';
  return html`
    <section class="call elsewhere" aria-label=${t('call.elsewhere')} data-phase=${phase}>
      <p role="status">${t('call.elsewhereWith', { name: peer.name })}</p>
      ${view.fault && html`<p class="fault" role="alert">${view.fault}</p>`}
      ${!isRinging && html`<p><button class="button" type="button" onClick=${() => calls.answer({ takeOver: true })}>
        ${t('call.takeOver')}</button></p>`}
    </section>`;
}

/** @param {any} props */
function Ongoing(props) {
  const { app, view, phase, peer } = props;
  const [isWide, widen] = useState(false);
  const { call, wanted } = view;
  const id = call?.conversationId ?? wanted?.conversationId;
  return html`
    <section class="call ${isWide ? 'wide' : ''}" aria-label=${t('call.label')} data-phase=${phase}>
      <header class="call-head">
        <a class="call-name ellipsis" href=${`/c/${id}`} onClick=${(event) => {
          event.preventDefault();
          app.go({ name: 'conversation', id, messageId: null });
        }}><bdi>${peer.name}</bdi></a>
        <button class="link" type="button" aria-pressed=${isWide ? 'true' : 'false'}
          onClick=${() => widen(!isWide)}>${isWide ? t('call.smaller') : t('call.larger')}</button>
      </header>
      <${RecordSign} ...${props} />
      ${view.frame ? html`<${Frame} src=${view.frame} name=${peer.name} />` : html`<${CallPictures} ...${props} />`}
      <${CallBar} ...${props} />
    </section>`;
}
