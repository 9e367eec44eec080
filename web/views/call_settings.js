/** What one settles about calls on this device. */
import { html, useState } from '/vendor/preact-htm.js';
import { isRelayOnly, setRelayOnly } from '../client/devices.js';
import { t } from '../core/i18n.js';

/**
 * Who calls directly learns the others' addresses, and may know that; where a relay stands between the browsers, nobody
 * has to.
 * @param {{me: any}} props
 */
export function Calls({ me }) {
  const [isWanted, want] = useState(isRelayOnly());
  if (me.calls?.provider !== 'direct') return null;
  /** @param {boolean} wanted */
  const choose = (wanted) => {
    setRelayOnly(wanted);
    want(wanted);
  };
  return html`
    <div class="form section"><h2>${t('call.history')}</h2>
      <p class="quiet">${t('call.directText')}</p>
      ${me.calls.hasRelay && html`
        <label class="check"><input type="checkbox" checked=${isWanted}
          onChange=${(e) => choose(e.target.checked)} /><span>${t('call.relayOnly')}</span></label>
        <p class="quiet">${t('call.relayOnlyText')}</p>`}</div>`;
}
