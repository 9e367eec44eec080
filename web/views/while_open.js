/** Notices by the page itself, where no push tells of what comes. */
import { html, useState } from '/vendor/preact-htm.js';
import { shared } from '../client/kept.js';
import { t } from '../core/i18n.js';

/** As long as the page is open somewhere. @param {{app: import('../app/create.js').App}} props */
export function WhileOpen({ app }) {
  const [notify, setNotify] = useState(shared.get('lexchat.notify') === 'yes');
  const isPossible = isSecureContext && 'Notification' in window;
  /** @param {boolean} wanted */
  const allow = async (wanted) => {
    const granted = wanted && (await Notification.requestPermission()) === 'granted';
    shared.set('lexchat.notify', granted ? 'yes' : 'no');
    setNotify(granted);
    if (wanted && !granted) app.client?.notice(t('me.notifyRefused'), 'alert');
  };
  const why = isSecureContext ? t('me.notifyRefused') : t('me.notifyInsecure');
  if (!isPossible) return html`<p class="quiet">${why}</p>`;
  return html`
    <label class="check"><input type="checkbox" checked=${notify} onChange=${(e) => allow(e.target.checked)} />
      <span>${t('me.notify')}</span></label>`;
}
