/**
 * Texts in the person's language: flat keys, plurals by `Intl`. French is there at once, English is loaded when asked for.
 * A key that a language lacks is a test failure, not a run-time surprise.
 */
import fr from '../i18n/fr.js';

/** @type {Record<string, string>} */
let texts = fr;
let current = 'fr';
let plurals = new Intl.PluralRules('fr');

/** @returns {'fr'|'en'} */
export function locale() {
  return /** @type {'fr'|'en'} */ (current);
}

/** @param {string|null|undefined} wanted a language tag @returns {Promise<void>} */
export async function setLocale(wanted) {
  const chosen = wanted?.toLowerCase().startsWith('en') ? 'en' : 'fr';
  texts = chosen === 'en' ? (await import('../i18n/en.js')).default : fr;
  current = chosen;
  plurals = new Intl.PluralRules(chosen);
}

/**
 * @param {string} key
 * @param {Record<string, string|number>} [values] for `{name}` in the text
 * @returns {string}
 */
export function t(key, values) {
  const text = texts[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : text;
}

/** A text that depends on a number, from `key.one` or `key.other`. @param {string} key @param {number} n @param {Record<string, string|number>} [values] */
export function tn(key, n, values) {
  const form = plurals.select(n) === 'one' ? 'one' : 'other';
  return t(`${key}.${form}`, { n: new Intl.NumberFormat(current).format(n), ...values });
}
