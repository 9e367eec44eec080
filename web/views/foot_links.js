/** At the foot of the list: the way to all bills, for whom there are some, and to the administration. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { get } from '../client/api.js';
import { useNews } from './bill_hooks.js';
import { Icon } from './hooks.js';

/** @param {{me: any}} props */
export function FootLinks({ me }) {
  const [any, setAny] = useState(me.role !== 'client');
  useEffect(() => {
    if (!any) get('/invoices?limit=1').then(({ invoices }) => setAny(invoices.length > 0), () => {});
  }, []);
  useNews('invoice:updated', () => setAny(true));
  return html`
    ${any && html`<a class="icon-button" href="/factures" aria-label=${t('bill.list')} title=${t('bill.list')}>
      <${Icon} name="bill" /></a>`}
    ${me.role === 'admin' && html`
      <a class="icon-button" href="/admin" aria-label=${t('admin.title')}><${Icon} name="people" /></a>`}`;
}
