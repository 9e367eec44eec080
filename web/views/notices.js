/** How one is told of messages: what the server can do decides what is shown. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { t } from '../core/i18n.js';
import { EmailChoice } from './email_notices.js';
import { Choice } from './choice.js';
import { PushDevices } from './push_devices.js';
import { QuietHours } from './quiet_hours.js';
import { WhileOpen } from './while_open.js';

/**
 * The settings of notices, in step with the other windows of this person.
 * @param {import('../app/create.js').App} app
 * @param {string} link the stage of the connection: what changed without it is asked for
 */
export function useNotices(app, link) {
  const [settings, setSettings] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (link !== 'down') api.get('/notifications/settings').then(setSettings, app.client?.report);
  }, [link]);
  useEffect(() => app.client?.socket.on('notifications:settings', (data) => setSettings(data.settings)), []);
  /** What could not be stored is shown as it is. @param {object} change */
  const save = async (change) => {
    try {
      setSettings(await api.call('PATCH', '/notifications/settings', change));
    } catch (error) {
      setSettings({ ...settings });
      const { details, message } = /** @type {api.Refusal} */ (error);
      app.client?.notice(details?.[0]?.message ?? message, 'alert');
    }
  };
  return { settings, save };
}

/** @param {{app: import('../app/create.js').App, me: any, notices: ReturnType<typeof useNotices>}} props */
export function Notifications({ app, me, notices }) {
  const { settings } = notices;
  if (!settings) return html`<div class="form section"><h2>${t('me.notifications')}</h2></div>`;
  const { webPush, fcm, email } = settings.available;
  return html`
    <div class="form section"><h2>${t('me.notifications')}</h2>
      ${webPush || fcm ? html`<${PushDevices} app=${app} me=${me} notices=${notices} />`
        : html`<${WhileOpen} app=${app} />`}
      ${email && html`<${EmailChoice} app=${app} me=${me} notices=${notices} />`}
      ${(webPush || fcm || email) && html`
        <${Detail} notices=${notices} /><${QuietHours} notices=${notices} />`}</div>`;
}

/**
 * How much a notice tells, where the operator leaves a choice.
 * @param {{notices: ReturnType<typeof useNotices>}} props
 */
function Detail({ notices: { settings, save } }) {
  /** @type {[string, string][]} */
  const all = [
    ['none', t('notices.detailNone')],
    ['sender', t('notices.detailSender')],
    ['preview', t('notices.detailPreview')],
  ];
  const allowed = all.slice(0, all.findIndex(([name]) => name === settings.available.detail) + 1);
  if (allowed.length < 2) return null;
  return html`<${Choice} text=${t('notices.detail')} value=${settings.detail} choices=${allowed}
    onChoose=${(detail) => save({ detail })} />`;
}
