/** What narrows a search: who wrote, between which days, with a file. */
import { html } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/conversations.js';
import { t } from '../core/i18n.js';

/** @typedef {{senderId?: string, from?: string, to?: string, hasFile?: string}} Chosen as the server calls them */

const DAY = /^\d{4}-\d\d-\d\d$/;

/**
 * What an address narrows to; what is no such thing is left out.
 * @param {URLSearchParams} query
 * @returns {Chosen}
 */
export function paramsOf(query) {
  const said = (name, form) => (form.test(query.get(name) ?? '') ? { [name]: query.get(name) } : null);
  return {
    ...said('senderId', /^[1-9]\d{0,15}$/),
    ...said('from', DAY),
    ...said('to', DAY),
    ...said('hasFile', /^true$/),
  };
}

/**
 * @param {{state: import('../core/state.js').State, chosen: Chosen, onChoose: (chosen: Chosen) => void}} props
 */
export function Chips({ state, chosen, onChoose }) {
  const me = /** @type {any} */ (state.me);
  const people = [me, ...listed(state, 'all').map((one) => peerOf(one, me.id))];
  /** @param {Chosen} change */
  const choose = (change) => {
    const all = Object.entries({ ...chosen, ...change });
    onChoose(Object.fromEntries(all.filter(([, value]) => value)));
  };
  const isNarrowed = Object.keys(chosen).length > 0;
  return html`
    <div class="chips" role="group" aria-label=${t('search.narrow')}>
      <label class="chip ${chosen.senderId && 'on'}"><span class="spoken">${t('search.from')}</span>
        <select value=${chosen.senderId ?? ''} onChange=${(e) => choose({ senderId: e.target.value })}>
          <option value="">${t('search.anybody')}</option>
          ${people.map(({ id, name }) => html`
            <option key=${id} value=${id} selected=${String(id) === chosen.senderId}>
              ${id === me.id ? t('person.yourself') : name}</option>`)}</select></label>
      <${DayChip} text=${t('search.since')} value=${chosen.from} onDay=${(from) => choose({ from })} />
      <${DayChip} text=${t('search.until')} value=${chosen.to} onDay=${(to) => choose({ to })} />
      <button class="chip ${chosen.hasFile && 'on'}" type="button" aria-pressed=${chosen.hasFile ? 'true' : 'false'}
        onClick=${() => choose({ hasFile: chosen.hasFile ? '' : 'true' })}>${t('search.withFile')}</button>
      ${isNarrowed && html`<button class="link" type="button" onClick=${() => onChoose({})}>
        ${t('search.clear')}</button>`}
    </div>`;
}

/** @param {{text: string, value?: string, onDay: (day: string) => void}} props */
function DayChip({ text, value, onDay }) {
  return html`<label class="chip ${value && 'on'}"><span>${text}</span>
    <input type="date" value=${value ?? ''} onInput=${(e) => onDay(e.target.value)} /></label>`;
}
