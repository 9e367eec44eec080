/** Pushes: on this device, on which others, and what stands in the way. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import * as push from '../client/push.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { WhileOpen } from './while_open.js';

/** @param {push.Obstacle} obstacle */
const textOf = (obstacle) =>
  ({
    insecure: t('me.notifyInsecure'),
    install: t('notices.install'),
    unable: t('notices.unable'),
    denied: t('me.notifyRefused'),
  })[obstacle];

/**
 * Turns pushes to this browser on, and says why they are not.
 * @param {import('../app/create.js').App} app
 * @param {string} publicKey
 * @returns {Promise<boolean>} whether they are on
 */
export async function turnOn(app, publicKey) {
  const { client } = app;
  if (!client) return false;
  try {
    await push.turnOn(client.me.id, publicKey);
    client.notice(t('notices.on'));
    return true;
  } catch (error) {
    const refusal = error instanceof api.Refusal ? error : null;
    const why = refusal?.code === 'DENIED' ? t('me.notifyRefused') : refusal?.message;
    client.notice(why ?? t('notices.serviceFailed'), 'alert');
    return false;
  }
}

/** @param {{app: import('../app/create.js').App, me: any, notices: any}} props */
export function PushDevices({ app, me, notices: { settings, save } }) {
  const [devices, setDevices] = useState(/** @type {any[]} */ ([]));
  const [on, setOn] = useState(push.isOn(me.id));
  const [busy, setBusy] = useState(false);
  const { webPush } = settings.available;
  const obstacle = push.obstacle();
  const load = () => api.get('/notifications/devices').then(setDevices, app.client?.report);
  useEffect(() => {
    load();
  }, []);
  /** @param {boolean} wanted */
  const here = async (wanted) => {
    setBusy(true);
    if (wanted) {
      const done = await turnOn(app, webPush.publicKey);
      if (done && !settings.push) await save({ push: true });
      setOn(done);
    } else {
      await leave(devices.find((one) => one.isCurrent && one.kind === 'webpush'));
    }
    await load();
    setBusy(false);
  };
  /** @param {any} device */
  const leave = async (device) => {
    if (device) await api.call('DELETE', `/notifications/devices/${device.id}`).catch(app.client?.report);
    if (!device || device.isCurrent) {
      await push.turnOff().catch(() => {});
      setOn(false);
    }
    await load();
  };
  /** @param {any} device */
  const test = (device) =>
    api.call('POST', `/notifications/devices/${device.id}/test`)
      .then(() => app.client?.notice(t('notices.tested')), app.client?.report);
  return html`
    ${webPush && (obstacle ? html`<p class="quiet">${textOf(obstacle)}</p>` : html`
      <label class="check"><input type="checkbox" checked=${on} disabled=${busy}
        onChange=${(e) => here(e.target.checked)} /><span>${t('notices.here')}</span></label>`)}
    ${!on && (obstacle === null || obstacle === 'unable') && html`<${WhileOpen} app=${app} />`}
    ${devices.length > 0 && html`
      <label class="check"><input type="checkbox" checked=${settings.push}
        onChange=${(e) => save({ push: e.target.checked })} /><span>${t('notices.push')}</span></label>
      <ul class="table" aria-label=${t('notices.devices')}>${devices.map((one) => html`
        <${Device} key=${one.id} device=${one} onTest=${test} onLeave=${leave} />`)}</ul>`}`;
}

/** @param {{device: any, onTest: (device: any) => void, onLeave: (device: any) => void}} props */
function Device({ device, onTest, onLeave }) {
  const name = device.name ?? t('me.unknownDevice');
  const { isCurrent, goneAt, lastUsedAt, createdAt } = device;
  const when = (/** @type {string} */ at) => fullMoment(at, locale());
  const state = goneAt
    ? t('notices.gone')
    : lastUsedAt ? t('notices.lastUsed', { when: when(lastUsedAt) }) : t('notices.since', { when: when(createdAt) });
  return html`<li><span class="table-main"><span class="ellipsis" dir="auto">${name}</span>
      <span class="quiet">${isCurrent && `${t('me.thisDevice')} · `}${state}</span></span>
    <span class="table-ways">
      ${!goneAt && html`<button class="link" type="button" aria-label=${t('notices.testOf', { name })}
        onClick=${() => onTest(device)}>${t('notices.test')}</button>`}
      <button class="link" type="button" aria-label=${t('notices.removeOf', { name })}
        onClick=${() => onLeave(device)}>${t('notices.remove')}</button></span></li>`;
}
