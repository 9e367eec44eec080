/**
 * Microphone, camera, screen and loudspeaker: asking for them, which of them were chosen, and what to do where the
 * browser gives none.
 */
import { t } from '../core/i18n.js';
import { shared } from './kept.js';

const CHOSEN = 'lexchat.devices';
const RELAY_ONLY = 'lexchat.relayOnly';
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24 } };
const VOICE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** @typedef {'audioinput'|'videoinput'|'audiooutput'} DeviceKind */

/** What the browser did not give, in words that say what to do. */
export class DeviceFault extends Error {}

/** @returns {string|null} why this page can hold no call at all */
export function obstacle() {
  if (!isSecureContext) return t('call.insecure');
  return navigator.mediaDevices && 'RTCPeerConnection' in globalThis ? null : t('call.unable');
}

/** Whether this browser can show its screen to others. */
export const canShare = () => Boolean(navigator.mediaDevices?.getDisplayMedia);

/** @returns {Record<string, string>} the devices that were chosen in this browser, by kind */
export const chosen = () => shared.getJson(CHOSEN) ?? {};

/** @param {DeviceKind} kind @param {string} deviceId */
export function choose(kind, deviceId) {
  shared.setJson(CHOSEN, { ...chosen(), [kind]: deviceId });
}

/** Whether nobody may learn this browser's address in a call: all goes through the relay. */
export const isRelayOnly = () => shared.get(RELAY_ONLY) === 'yes';

/** @param {boolean} isWanted */
export const setRelayOnly = (isWanted) => shared.set(RELAY_ONLY, isWanted ? 'yes' : null);

/** @returns {Promise<MediaDeviceInfo[]>} those that can be chosen */
export async function devices() {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return all.filter((one) => one.deviceId && one.label);
}

/** One that was chosen and is gone is replaced by another. @param {DeviceKind} kind @param {object} wishes */
function wanted(kind, wishes) {
  const deviceId = chosen()[kind];
  return deviceId ? { ...wishes, deviceId: { ideal: deviceId } } : wishes;
}

/** @returns {Promise<MediaStreamTrack>} the microphone's; rejects with a `DeviceFault` */
export async function microphone() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted('audioinput', VOICE) });
    return stream.getAudioTracks()[0];
  } catch (error) {
    throw new DeviceFault(microphoneFault(/** @type {DOMException} */ (error).name));
  }
}

/** @returns {Promise<MediaStreamTrack>} the camera's; rejects with a `DeviceFault` */
export async function camera() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted('videoinput', PICTURE) });
    return stream.getVideoTracks()[0];
  } catch (error) {
    throw new DeviceFault(cameraFault(/** @type {DOMException} */ (error).name));
  }
}

/**
 * Both are asked for at once, so that a person is asked once.
 * @returns {Promise<{audio: MediaStreamTrack, video: MediaStreamTrack|null, fault: string|null}>} without a camera, and
 *   why, where only the microphone is given; rejects with a `DeviceFault` where not even that is
 */
export async function both() {
  try {
    const wishes = { audio: wanted('audioinput', VOICE), video: wanted('videoinput', PICTURE) };
    const stream = await navigator.mediaDevices.getUserMedia(wishes);
    return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0], fault: null };
  } catch (error) {
    return { audio: await microphone(), video: null, fault: cameraFault(/** @type {DOMException} */ (error).name) };
  }
}

/** @returns {Promise<MediaStreamTrack|null>} a picture of the screen; `null` where one changed one's mind */
export async function screen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    return stream.getVideoTracks()[0];
  } catch (error) {
    if (/** @type {DOMException} */ (error).name === 'NotAllowedError') return null;
    throw new DeviceFault(t('call.screenFailed'));
  }
}

/** Whether this browser can give the picture and the sound of the page's own window. */
export const canRecordTab = () =>
  canShare() && 'suppressLocalAudioPlayback' in navigator.mediaDevices.getSupportedConstraints();

/**
 * @returns {Promise<MediaStream|null>} this window as it is seen and heard, and the microphone; `null` where one
 *   changed one's mind; rejects with a `DeviceFault`
 */
export async function tab() {
  const own = { preferCurrentTab: true, selfBrowserSurface: 'include' };
  const wishes = { video: { frameRate: { max: 15 } }, audio: true, ...own };
  const stream = await navigator.mediaDevices.getDisplayMedia(/** @type {any} */ (wishes)).catch(() => null);
  if (!stream) return null;
  try {
    if (!stream.getAudioTracks().length) throw new DeviceFault(t('recording.noSound'));
    stream.addTrack(await microphone());
    return stream;
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}

/** @param {string} name of the browser's error */
function microphoneFault(name) {
  if (name === 'NotAllowedError' || name === 'SecurityError') return t('call.microphoneRefused');
  return name === 'NotFoundError' ? t('call.microphoneMissing') : t('call.microphoneBusy');
}

/** @param {string} name of the browser's error */
function cameraFault(name) {
  if (name === 'NotAllowedError' || name === 'SecurityError') return t('call.cameraRefused');
  return name === 'NotFoundError' ? t('call.cameraMissing') : t('call.cameraBusy');
}
