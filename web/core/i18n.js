/**
 * Texts in the person's language: flat keys, plurals by `Intl`. The French of the first screens is there at
 * once; English, and what other views say, is loaded when asked for. A key that a language lacks is a test
 * failure, not a run-time surprise.
 */
import fr from '../i18n/fr.js';

/** @typedef {'fr'|'en'} Locale */

const LATER = {
  fr: () => import('../i18n/later/fr.js'),
  en: () => import('../i18n/later/en.js'),
};

/** @type {Record<string, string>} */
let texts = fr;
/** @type {Locale} */
let current = 'fr';
let plurals = new Intl.PluralRules('fr');
/** Whether the texts of the other views are there too. */
let isWhole = false;

/** @returns {Locale} */
export function locale() {
  return current;
}

/**
 * @param {string|null|undefined} wanted a language tag
 * @returns {Promise<void>}
 */
export async function setLocale(wanted) {
  const chosen = wanted?.toLowerCase().startsWith('en') ? 'en' : 'fr';
  const first = chosen === 'en' ? (await import('../i18n/en.js')).default : fr;
  texts = isWhole ? { ...first, ...(await LATER[chosen]()).default } : first;
  current = chosen;
  plurals = new Intl.PluralRules(chosen);
}

/** @returns {Promise<void>} when the texts of all views are there, in whatever language is spoken then */
export async function loadTexts() {
  const spoken = current;
  const { default: later } = await LATER[spoken]();
  if (spoken !== current) return loadTexts();
  texts = { ...texts, ...later };
  isWhole = true;
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

/**
 * A text that depends on a number, from `key.one` or `key.other`.
 * @param {string} key
 * @param {number} n
 * @param {Record<string, string|number>} [values]
 */
export function tn(key, n, values) {
  const form = plurals.select(n) === 'one' ? 'one' : 'other';
  return t(`${key}.${form}`, { n: new Intl.NumberFormat(current).format(n), ...values });
}
