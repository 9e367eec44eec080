/** What one can do in a call: microphone, camera, screen, devices, picture in picture, recording, hanging up. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { canShare } from '../client/devices.js';
import { t } from '../core/i18n.js';
import * as icons from './call_icons.js';
import { RecordButton } from './call_recording.js';
import { Dialog } from './dialog.js';
import { Icon } from './hooks.js';

/** @param {any} props */
export function CallBar({ calls, recording, view, phase }) {
  const [isChoosing, choose] = useState(false);
  const { own, frame } = view;
  const isHeld = view.seat === 'in' && !frame;
  const { line } = calls;
  return html`
    <div class="call-bar" role="group" aria-label=${t('call.ways')}>
      ${isHeld && html`
        <${Switch} label=${t('call.mute')} isOn=${!own.microphone} onClick=${() => line.toggleMicrophone()}
          path=${own.microphone ? icons.MICROPHONE : icons.MICROPHONE_OFF} />
        <${Switch} label=${t('call.hide')} isOn=${!own.camera} onClick=${() => line.toggleCamera()}
          path=${own.camera ? icons.CAMERA : icons.CAMERA_OFF} />
        ${canShare() && html`<${Switch} label=${t('call.share')} isOn=${own.screen}
          onClick=${() => line.toggleScreen()} path=${icons.SCREEN} />`}
        ${phase === 'talking' && document.pictureInPictureEnabled && html`
          <${Switch} label=${t('call.pictureInPicture')} onClick=${inPicture} path=${icons.PICTURE} />`}
        <${Switch} label=${t('call.devices')} onClick=${() => choose(true)} path=${icons.SETTINGS} />`}
      ${phase === 'talking' && html`<${RecordButton} recording=${recording} view=${view} />`}
      <button class="icon-button hang-up" type="button" aria-label=${t('call.hangUp')} title=${t('call.hangUp')}
        onClick=${() => calls.hangUp()}><${Icon} path=${icons.HANG_UP} /></button>
    </div>
    ${isChoosing && html`<${Devices} calls=${calls} onClose=${() => choose(false)} />`}`;
}

/** @param {{label: string, path: string, isOn?: boolean, onClick: () => any}} props */
function Switch({ label, path, isOn, onClick }) {
  return html`<button class="icon-button" type="button" aria-label=${label} title=${label}
    aria-pressed=${isOn === undefined ? undefined : String(isOn)} onClick=${onClick}><${Icon} path=${path} /></button>`;
}

/** The other side's picture in a window of its own, over all others. */
function inPicture() {
  const video = /** @type {HTMLVideoElement|null} */ (document.querySelector('.call-theirs'));
  if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
  else video?.requestPictureInPicture().catch(() => {});
}

/** @param {{calls: import('../client/calls.js').Calls, onClose: () => void}} props */
function Devices({ calls, onClose }) {
  const [all, setAll] = useState(/** @type {MediaDeviceInfo[]} */ ([]));
  useEffect(() => {
    calls.devices.devices().then(setAll);
  }, []);
  const canChooseSink = 'setSinkId' in HTMLMediaElement.prototype;
  /** @type {[import('../client/devices.js').DeviceKind, string][]} */
  const kinds = [['audioinput', t('call.microphone')], ['videoinput', t('call.camera')]];
  if (canChooseSink) kinds.push(['audiooutput', t('call.speaker')]);
  return html`
    <${Dialog} title=${t('call.devices')} onClose=${onClose}>
      ${kinds.map(([kind, label]) => html`
        <label key=${kind} class="field"><span>${label}</span>
          <select value=${calls.devices.chosen()[kind] ?? ''}
            onChange=${(event) => calls.line.choose(kind, event.target.value)}>
            <option value="">${t('call.deviceDefault')}</option>
            ${all.filter((one) => one.kind === kind && one.deviceId !== 'default').map((one) => html`
              <option key=${one.deviceId} value=${one.deviceId}>${one.label}</option>`)}
          </select></label>`)}
    </${Dialog}>`;
}
