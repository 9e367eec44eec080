/**
 * What there is to look after, for administrators: the server's rows, and what only the page sees of
 * the way to it; a button copies all of it for somebody who helps.
 */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { callRows } from './call_words.js';
import { clockRows, secondsApart } from './clocks.js';
import { useTick } from './hooks.js';

/** @typedef {{check: string, verdict: string, text: string, remedy?: string}} Row */

/** How often it is looked how messages travel: nobody tells when a connection goes on from long-polling. */
const LOOKED_EVERY_MS = 1_000;

/** @type {Record<string, string>} */
const MARKS = { good: '✓', warning: '⚠', bad: '✗' };

/**
 * @param {{app: import('../app/create.js').App, checks: Row[], facts: [string, any][]}} props `facts`
 *   are copied beside the rows
 */
export function Checks({ app, checks, facts }) {
  /** @type {Record<string, string>} */
  const spoken = { good: t('check.good'), warning: t('check.warning'), bad: t('check.bad') };
  const [apart, setApart] = useState(/** @type {number|null} */ (null));
  useEffect(() => void secondsApart().then(setApart), []);
  useTick(LOOKED_EVERY_MS);
  const rows = [
    ...checks,
    ...rowsHere(app.client?.socket.transport),
    ...clockRows(apart),
    ...callRows(app.store.state().me?.calls, location.hostname),
  ];
  return html`
    <div class="section"><ul class="table checks">
      ${rows.map(
        (row, at) => html`<li key=${at}><span class="table-main">
          <span>${MARKS[row.verdict]} <span class="spoken">${spoken[row.verdict]}</span> ${row.text}</span>
          ${row.remedy && html`<span class="quiet">${row.remedy}</span>`}</span></li>`,
      )}</ul>
      <p><button class="button" type="button" onClick=${() => app.copy(reportOf(rows, facts))}>
        ${t('status.copy')}</button></p></div>`;
}

/** @param {string|undefined} transport how messages travel now @returns {Row[]} */
function rowsHere(transport) {
  if (!transport) return [];
  if (transport === 'websocket') return [{ check: 'transport', verdict: 'good', text: t('check.websocket') }];
  const remedy = `lexchat doctor --public-url ${location.origin}`;
  return [{ check: 'transport', verdict: 'warning', text: t('check.polling'), remedy }];
}

/** @param {Row[]} rows @param {[string, any][]} facts */
function reportOf(rows, facts) {
  const lines = rows.map(({ check, verdict, text, remedy }) =>
    [`${MARKS[verdict]} ${check}: ${text}`, remedy && `    ${remedy}`].filter(Boolean).join('\n'),
  );
  return ['lexchat', ...lines, '', ...facts.map(([name, value]) => `${name}: ${value}`)].join('\n');
}
