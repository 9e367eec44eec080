/** How a client wants to be billed: they say so themselves, or their juriste does. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { buyerBody, buyerForm } from '../core/bills.js';
import { t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { BuyerFields, FaultSummary, useAttempt } from './bill_fields.js';
import { useNews } from './bill_hooks.js';

/** @param {{app: import('../app/create.js').App, me: any}} props */
export function Billing({ app, me }) {
  const [known, setKnown] = useState(/** @type {any} */ (null));
  const [typed, setTyped] = useState(/** @type {any} */ (null));
  const { busy, faults, at, attempt } = useAttempt();
  const isClient = me.role === 'client';
  useEffect(() => {
    if (isClient) api.get(`/users/${me.id}/billing`).then(setKnown, app.client?.report);
  }, []);
  useNews('billing:updated', ({ userId, billing }) => {
    if (userId === me.id) setKnown(billing);
  });
  if (!isClient || !known) return null;
  const submit = (event) => {
    event.preventDefault();
    attempt(async () => {
      setKnown(await api.call('PATCH', `/users/${me.id}/billing`, buyerBody(typed)));
      setTyped(null);
      app.client?.notice(t('saved'));
    });
  };
  return html`
    <form class="form section" onSubmit=${submit} novalidate><h2>${t('me.billing')}</h2>
      <p class="quiet">${t('me.billingText')}</p>
      <${FaultSummary} faults=${faults} at=${at} />
      <${BuyerFields} of=${typed ?? buyerForm(known)} faults=${faults} onChange=${setTyped} />
      <p><button class="button" type="submit" disabled=${busy || !typed}>${t('save')}</button></p></form>`;
}
