/**
 * Offers pushes to this browser, once somebody has written: who has asked something waits for an answer. Never before,
 * and never again on this browser once it was refused.
 */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { settings } from '../client/notices.js';
import * as push from '../client/push.js';
import { now } from '../core/clock.js';
import { t } from '../core/i18n.js';
import { turnOn } from './push_devices.js';

/**
 * @param {import('../core/state.js').State} state
 * @param {number} id
 * @returns {boolean} whether the last word is one's own, said since this page is there
 */
function hasWritten({ conversations, me }, id) {
  const { lastMessageSenderId, lastMessageAt } = conversations[id] ?? {};
  return lastMessageSenderId === me?.id && now() - Date.parse(lastMessageAt ?? '') < performance.now();
}

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, id: number}} props */
export function PushOffer({ app, state, id }) {
  const [publicKey, setPublicKey] = useState('');
  const asked = useRef(false);
  // The browser is asked only when the answer matters: for its permission the page waits.
  const isMeant = () => !push.obstacle() && !push.isRefused() && !push.isOn(state.me?.id ?? 0);
  const isDue = !asked.current && hasWritten(state, id) && isMeant();
  useEffect(() => {
    if (!isDue) return;
    asked.current = true;
    settings().then(({ available }) => setPublicKey(available.webPush?.publicKey ?? ''), () => {});
  }, [isDue]);
  if (!publicKey || !isMeant()) return null;
  const accept = async () => {
    await turnOn(app, publicKey);
    setPublicKey('');
  };
  const refuse = () => {
    push.refuse();
    setPublicKey('');
  };
  return html`<section class="offer" aria-label=${t('me.notifications')}>
    <p role="status">${t('offer.text')}</p>
    <span class="table-ways"><button class="button" type="button" onClick=${accept}>${t('offer.yes')}</button>
      <button class="link" type="button" onClick=${refuse}>${t('offer.no')}</button></span></section>`;
}
