/** Taking a conversation out: for the file of the matter, as a whole or some days of it. */
import { html, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { locale, t } from '../core/i18n.js';
import { Dialog } from './dialog.js';

/**
 * Has the browser save what a signed address leads to.
 * @param {number} conversationId
 * @param {object} wanted `{what, …}`, see the contract
 */
export async function save(conversationId, wanted) {
  const { url } = await api.call('POST', `/conversations/${conversationId}/link`, wanted);
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: '' });
  link.click();
}

/** @param {{app: import('../app/create.js').App, data: {conversationId: number}}} props */
export function ExportDialog({ app, data: { conversationId } }) {
  const [format, setFormat] = useState('pdf');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [busy, setBusy] = useState(false);
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const wanted = { what: 'export', format, timeZone, locale: locale(), ...(from && { from }), ...(to && { to }) };
    const saved = await save(conversationId, wanted).then(() => true, app.client?.report);
    setBusy(false);
    if (saved) app.closeDialog();
  };
  const print = () => app.closeDialog().then(() => window.print());
  /** @type {[string, string][]} */
  const formats = [['pdf', t('export.pdf')], ['html', t('export.html')], ['json', t('export.json')]];
  return html`
    <${Dialog} title=${t('details.export')} onClose=${app.closeDialog}>
      <form class="form" onSubmit=${submit}><p class="quiet">${t('export.text')}</p>
        <label class="field"><span>${t('export.format')}</span>
          <select data-first value=${format} onChange=${(e) => setFormat(e.target.value)}>${formats.map(([one, text]) =>
            html`<option key=${one} value=${one} selected=${one === format}>${text}</option>`)}</select></label>
        <div class="field-pair"><${Day} text=${t('export.from')} value=${from} max=${to} onDay=${setFrom} />
          <${Day} text=${t('export.to')} value=${to} min=${from} onDay=${setTo} /></div>
        <p class="dialog-ways"><button class="button" type="button" onClick=${print}>${t('export.print')}</button>
          <button class="button primary" type="submit" disabled=${busy}>${t('export.submit')}</button></p>
      </form></${Dialog}>`;
}

/** @param {{text: string, value: string, min?: string, max?: string, onDay: (day: string) => void}} props */
export function Day({ text, value, min, max, onDay }) {
  return html`<label class="field"><span>${text}</span>
    <input type="date" value=${value} min=${min || undefined} max=${max || undefined}
      onInput=${(e) => onDay(e.target.value)} /></label>`;
}
