/** How a bill is paid that cannot be paid here: the account to transfer to, and the code for a bank's application. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { get } from '../client/api.js';
import { t } from '../core/i18n.js';
import { drawn } from '../core/squares.js';

/** @param {{bill: any}} props what is due of it is paid */
export function Transfer({ bill }) {
  const [transfer, setTransfer] = useState(/** @type {any} */ (null));
  useEffect(() => {
    get(`/invoices/${bill.id}/transfer`).then((answer) => setTransfer(answer.transfer), () => {});
  }, [bill.id, bill.dueCents]);
  if (!transfer) return null;
  const { iban, bic, reference, code } = transfer;
  const rows = [
    [t('invoice.iban'), iban.replace(/.{4}(?=.)/g, '$&\u00a0')],
    [t('invoice.bic'), bic],
    [t('invoice.reference'), reference],
  ];
  return html`
    <div class="transfer">
      ${code && html`
        <svg class="transfer-code" role="img" aria-label=${t('invoice.code')}
          viewBox=${`-4 -4 ${code.size + 8} ${code.size + 8}`}>
          <path d=${drawn(code)} /></svg>`}
      <div>
        <p class="transfer-title">${t('invoice.byTransfer')}</p>
        <dl>${rows.filter(([, value]) => value).map(([name, value]) => html`
          <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      </div>
    </div>`;
}
