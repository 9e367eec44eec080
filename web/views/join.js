/** The test page's way in: a conversation's number. */
import { html, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';

/** @param {{app: import('../app/create.js').App}} props */
export function JoinByNumber({ app }) {
  const [number, setNumber] = useState('');
  /** @param {Event} event */
  const join = (event) => {
    event.preventDefault();
    if (/^[1-9]\d{0,15}$/.test(number.trim())) app.go({ name: 'conversation', id: Number(number), messageId: null });
  };
  return html`
    <form class="join" onSubmit=${join}>
      <label class="field"><span>${t('test.number')}</span>
        <input inputmode="numeric" value=${number} onInput=${(e) => setNumber(e.target.value)} /></label>
      <button class="button" type="submit">${t('test.join')}</button>
    </form>`;
}
