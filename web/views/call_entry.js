/** A call in the timeline: what became of it, and how one calls back. */
import { html } from '/vendor/preact-htm.js';
import { outcomeOf } from '../core/calls.js';
import { t } from '../core/i18n.js';
import { CAMERA, MISSED, PHONE } from './call_icons.js';
import { callLine } from './entry_line.js';
import { Icon } from './hooks.js';
import { lazy } from './lazy.js';

const RecordingEntry = lazy(() => import('./recording_entry.js'), 'RecordingEntry');

/** @param {any} call of a message */
const hasRecording = ({ recording }) => ['on', 'stored', 'deleted'].includes(recording?.state);

/** @param {any} props of a message's row */
export function CallEntry({ message, myId, inner, on, peer }) {
  const { call, conversationId } = message;
  const outcome = outcomeOf(call, myId);
  const isMissed = outcome === 'missed';
  const path = isMissed ? MISSED : call.media === 'video' ? CAMERA : PHONE;
  const app = on.app();
  const calls = app.store.state().me?.calls;
  const again = calls?.mayStart && (isMissed || outcome === 'unanswered' || outcome === 'busy' || outcome === 'lost');
  return html`
    <p class="call-entry ${isMissed ? 'missed' : ''}"><${Icon} path=${path} /><span>${callLine(message, myId)}</span>
      ${again && html`<button class="link" type="button" tabindex=${inner}
        onClick=${() => app.call('start', { conversationId, media: call.media })}>${t('call.again')}</button>`}</p>
    ${hasRecording(call) && html`<${RecordingEntry} app=${app} message=${message} peer=${peer} inner=${inner} />`}`;
}
