/** When one wants no notices: hours, the days on which they begin, and where one's clock hangs. */
import { html, useState } from '/vendor/preact-htm.js';
import { locale, t } from '../core/i18n.js';
import { Choice } from './choice.js';

const USUAL = { from: '20:00', to: '08:00', days: [1, 2, 3, 4, 5, 6, 7] };
/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** @returns {string[]} Monday first */
function weekdays() {
  const format = new Intl.DateTimeFormat(locale(), { weekday: 'long', timeZone: 'UTC' });
  return USUAL.days.map((day) => format.format(MONDAY + (day - 1) * DAY_MS));
}

/** @param {string} chosen @returns {[string, string][]} the zones that this browser knows, and the chosen one */
function zones(chosen) {
  const known = /** @type {any} */ (Intl).supportedValuesOf?.('timeZone') ?? [];
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set([chosen, here, ...known])].sort().map((zone) => [zone, zone.replaceAll('_', ' ')]);
}

/** @param {{notices: any}} props */
export function QuietHours({ notices: { settings, save } }) {
  const { quietHours, timeZone, callsInQuietHours } = settings;
  const [last, setLast] = useState(quietHours ?? USUAL);
  /** @param {boolean} wanted */
  const turn = (wanted) => {
    if (quietHours) setLast(quietHours);
    save({ quietHours: wanted ? last : null });
  };
  return html`
    <label class="check"><input type="checkbox" checked=${Boolean(quietHours)}
      onChange=${(e) => turn(e.target.checked)} /><span>${t('quiet.title')}</span></label>
    ${quietHours && html`
      <fieldset class="group"><legend class="spoken">${t('quiet.title')}</legend>
        <${Hours} hours=${quietHours} save=${save} />
        <${Days} hours=${quietHours} save=${save} />
        <label class="check"><input type="checkbox" checked=${callsInQuietHours}
          onChange=${(e) => save({ callsInQuietHours: e.target.checked })} /><span>${t('quiet.calls')}</span></label>
      </fieldset>`}
    <${Choice} text=${t('quiet.zone')} value=${timeZone} choices=${zones(timeZone)}
      onChoose=${(zone) => save({ timeZone: zone })} />`;
}

/** @param {{hours: any, save: (change: object) => void}} props */
function Hours({ hours, save }) {
  /** An emptied field is one that is still being written. @param {'from'|'to'} name @param {string} value */
  const set = (name, value) => value && save({ quietHours: { ...hours, [name]: value } });
  return html`<div class="field-pair">
    <label class="field"><span>${t('quiet.from')}</span>
      <input type="time" required value=${hours.from} onChange=${(e) => set('from', e.target.value)} /></label>
    <label class="field"><span>${t('quiet.to')}</span>
      <input type="time" required value=${hours.to} onChange=${(e) => set('to', e.target.value)} /></label></div>`;
}

/** @param {{hours: any, save: (change: object) => void}} props */
function Days({ hours, save }) {
  const names = weekdays();
  /** The last one cannot go: no day at all is what the box above is for. @param {number} day */
  const toggle = (day) => {
    const has = hours.days.includes(day);
    const days = has ? hours.days.filter((/** @type {number} */ one) => one !== day) : [...hours.days, day].sort();
    if (days.length) save({ quietHours: { ...hours, days } });
  };
  return html`<div role="group" aria-label=${t('quiet.days')} class="chips">${USUAL.days.map((day) => html`
    <button key=${day} type="button" class=${hours.days.includes(day) ? 'chip on' : 'chip'}
      aria-pressed=${hours.days.includes(day) ? 'true' : 'false'}
      onClick=${() => toggle(day)}>${names[day - 1]}</button>`)}</div>`;
}
