/** A message that is not sent: why, and the ways out. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { now } from '../core/clock.js';
import { t } from '../core/i18n.js';

/** How long a message may wait before one is told. */
const LATE_MS = 2_000;

/** Why it was not accepted, and what one can do. @param {any} props */
export function Failed({ entry, on }) {
  return html`
    <div class="refusal" role="alert"><p>${entry.reason ?? t('error.unknown')}</p>
      <p class="refusal-ways"><${Way} text=${t('entry.retry')} act=${() => on.retry(entry)} />
        <${Way} text=${t('entry.edit')} act=${() => on.reword(entry)} />
        <${Way} text=${t('entry.discard')} act=${() => on.discard(entry)} /></p></div>`;
}

/** What waits for long can be taken back or given up. @param {any} props */
export function Waiting({ entry, on }) {
  const [late, setLate] = useState(now() - Date.parse(entry.createdAt) > LATE_MS);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!late || entry.stage !== 'queued') return null;
  return html`
    <p class="refusal-ways waiting"><span>${t('fate.waiting')}</span>
      <${Way} text=${t('entry.edit')} act=${() => on.reword(entry)} />
      <${Way} text=${t('entry.discard')} act=${() => on.discard(entry)} /></p>`;
}

/** @param {{text: string, act: () => void}} props */
const Way = ({ text, act }) => html`<button class="link" type="button" onClick=${act}>${text}</button>`;
