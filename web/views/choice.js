/** One of a few, in a list that opens. */
import { html } from '/vendor/preact-htm.js';

/**
 * @param {{text: string, value: string, choices: [string, string][], onChoose: (value: string) => void, hint?: any}}
 *   props `choices`: value and text of each
 */
export function Choice({ text, value, choices, onChoose, hint }) {
  return html`<div><label class="field"><span>${text}</span>
    <select value=${value} onChange=${(e) => onChoose(e.target.value)}>${choices.map(([name, label]) => html`
      <option key=${name} value=${name} selected=${name === value}>${label}</option>`)}</select></label>
    ${hint && html`<p class="quiet">${hint}</p>`}</div>`;
}
