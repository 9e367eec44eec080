/** The recording of a call in its entry: played here, kept elsewhere, or erased by either member. */
import { html, useRef, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { link } from '../client/conversation_files.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Dialog } from './dialog.js';

/**
 * Arrows, Home and End belong to a player and to a dialog, not to the rows around them.
 * @param {any} event
 */
function keepKeys(event) {
  if (event.target.closest('video, audio, dialog')) event.stopPropagation();
}

/** @param {{app: import('../app/create.js').App, message: any, peer: any, inner: number}} props */
export function RecordingEntry({ app, message, peer, inner }) {
  const { call } = message;
  const { state, attachmentId, deletedBy, keptUntil } = call.recording;
  const [asks, ask] = useState(false);
  if (state === 'deleted') return html`<p class="quiet">${erased(app, deletedBy, peer)}</p>`;
  if (state === 'on') return html`<p class="quiet">${t('recording.arrives')}</p>`;
  if (state !== 'stored') return null;
  if (!attachmentId) return html`<p class="quiet">${t('recording.prepared')}</p>`;
  const file = message.files.find((one) => one.id === attachmentId) ?? { id: attachmentId, mimeType: '', name: '' };
  const remove = async () => {
    ask(false);
    await api.call('DELETE', `/calls/${call.id}/recording`).catch(app.client?.report);
  };
  return html`
    <div class="recording" onKeyDown=${keepKeys}>
      <${Player} app=${app} file=${file} inner=${inner} />
      <p class="recording-ways">
        <button class="link" type="button" tabindex=${inner} onClick=${() => download(app, file)}>
          ${t('recording.download')}</button>
        <button class="link" type="button" tabindex=${inner} onClick=${() => ask(true)}>${t('recording.erase')}
        </button></p>
      ${keptUntil && html`<p class="quiet">${t('recording.keptUntil', { when: fullMoment(keptUntil, locale()) })}</p>`}
      ${asks && html`
        <${Dialog} title=${t('recording.eraseTitle')} onClose=${() => ask(false)}>
          <p>${t('recording.eraseText')}</p>
          <p class="dialog-ways"><button class="button" type="button" data-first onClick=${() => ask(false)}>
            ${t('dialog.cancel')}</button>
            <button class="button danger" type="button" onClick=${remove}>${t('recording.erase')}</button></p>
        </${Dialog}>`}
    </div>`;
}

/**
 * @param {import('../app/create.js').App} app
 * @param {number|null} deletedBy
 * @param {any} peer
 */
function erased(app, deletedBy, peer) {
  if (!deletedBy) return t('recording.erasedByTime');
  return deletedBy === app.client?.me.id ? t('recording.erasedByMe') : t('recording.erasedBy', { name: peer.name });
}

/** Nothing is fetched before one wants to hear it: an address is good for some minutes. @param {any} props */
function Player({ app, file, inner }) {
  const [source, setSource] = useState('');
  /** Where one was, when the address was no longer good. */
  const at = useRef(0);
  const open = () => link(file.id).then(setSource, app.client?.report);
  if (!source) {
    return html`<button class="button" type="button" tabindex=${inner} onClick=${open}>${t('recording.play')}</button>`;
  }
  const isVideo = !file.mimeType.startsWith('audio/');
  /** @param {any} event */
  const failed = ({ target }) => {
    // Once: a file that cannot be played at all would be asked for without end.
    if (!target.currentTime || target.currentTime === at.current) return;
    at.current = target.currentTime;
    open();
  };
  /** @param {any} event */
  const loaded = ({ target }) => {
    if (at.current) target.currentTime = at.current;
  };
  return html`
    <${isVideo ? 'video' : 'audio'} class="recording-player" src=${source} controls autoplay playsinline
      preload="metadata"
      tabindex=${inner} aria-label=${t('recording.label')} onError=${failed} onLoadedMetadata=${loaded} />`;
}

/**
 * @param {import('../app/create.js').App} app
 * @param {{id: number, name: string}} file
 */
async function download(app, file) {
  try {
    const anchor = document.createElement('a');
    anchor.href = await link(file.id);
    anchor.download = file.name;
    anchor.click();
  } catch (error) {
    app.client?.report(/** @type {any} */ (error));
  }
}
