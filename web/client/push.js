/**
 * Pushes to this browser: whether it can have them, the subscription with its push service, and the registration of it
 * with the server. A browser has one subscription, which belongs to who registered it last.
 */
import * as api from './api.js';
import { shared } from './kept.js';

/** Whose pushes this browser shows: the id of a person. */
const WHOSE = 'lexchat.push';
/** Whether the offer was refused on this browser. */
const REFUSED = 'lexchat.pushRefused';

/** @typedef {'insecure'|'install'|'unable'|'denied'} Obstacle */

/** @returns {Obstacle|null} why this browser shows no pushes of this page */
export function obstacle() {
  if (!isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) {
    // Safari on a phone has them for pages on the home screen alone.
    return /iPhone|iPad/.test(navigator.userAgent) ? 'install' : 'unable';
  }
  return Notification.permission === 'denied' ? 'denied' : null;
}

/** @param {number} userId @returns {boolean} whether this browser shows that person's pushes */
export function isOn(userId) {
  return shared.getJson(WHOSE) === userId && obstacle() === null && Notification.permission === 'granted';
}

/** @returns {boolean} whether somebody on this browser said that they do not want to be asked again */
export const isRefused = () => shared.get(REFUSED) !== null;

export function refuse() {
  shared.set(REFUSED, 'yes');
}

/**
 * Asks for permission, which takes a press, and registers this browser.
 * @param {number} userId
 * @param {string} publicKey of the server, base64url
 * @returns {Promise<any>} the device; rejects with a `Refusal`, or with what the browser says
 */
export async function turnOn(userId, publicKey) {
  if ((await Notification.requestPermission()) !== 'granted') throw new api.Refusal('DENIED', '');
  const registration = await navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready);
  const device = await register(await subscribed(registration.pushManager, publicKey));
  shared.setJson(WHOSE, userId);
  return device;
}

/**
 * Registers again what is subscribed, as at each start: the address may be another one, and old registrations end.
 * @param {number} userId
 * @param {string} publicKey
 */
export async function renew(userId, publicKey) {
  if (!isOn(userId)) return;
  const registration = await navigator.serviceWorker.ready;
  await register(await subscribed(registration.pushManager, publicKey));
}

/** Nothing is pushed to this browser any more, whoever it was for. */
export async function turnOff() {
  shared.set(WHOSE, null);
  const registration = await navigator.serviceWorker?.getRegistration();
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
  for (const shown of (await registration?.getNotifications?.()) ?? []) shown.close();
}

/**
 * The subscription for this server's key; one for another key, of a server that was here before, is given up.
 * @param {PushManager} manager
 * @param {string} publicKey
 */
async function subscribed(manager, publicKey) {
  const known = await manager.getSubscription();
  if (known && keyOf(known.options.applicationServerKey) === publicKey) return known;
  await known?.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
}

/** @param {ArrayBuffer|null} bytes @returns {string} in base64url without padding */
export function keyOf(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0))));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @param {PushSubscription} subscription */
function register(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const name = nameOf(navigator.userAgent);
  return api.call('POST', '/notifications/devices', { kind: 'webpush', endpoint, keys, name });
}

/** @type {[RegExp, string][]} */
const BROWSERS = [
  [/Firefox\//, 'Firefox'],
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS/, 'macOS'],
  [/Linux/, 'Linux'],
];

/**
 * The browser and the system, as people call them.
 * @param {string} agent
 * @returns {string|undefined} `undefined` where neither is known
 */
export function nameOf(agent) {
  const [browser, system] = [BROWSERS, SYSTEMS].map((list) => list.find(([sign]) => sign.test(agent))?.[1]);
  return [browser, browser && system].filter(Boolean).join(' · ') || undefined;
}
