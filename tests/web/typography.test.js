/**
 * French is set as it is printed, on the page and in all that the server says: no break before `:`, `;`, `!`, `?`, `»`,
 * `%` and `€` or behind `«`, and curved apostrophes. Each test first tries what it must find.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import first from '../../web/i18n/fr.js';
import later from '../../web/i18n/later/fr.js';
import { all, ours, read, web } from './files.js';

const WIDE = '\u00A0';
const THIN = '\u202F';
/** Where a sentence, a bracket or a line ends, or what is filled in begins. */
const END = String.raw`(?=$|[\s"'<\\,.)])`;
const BEFORE = String.raw`(?<=[\p{L}\p{N})}»"%…>’\]])`;
/** @type {[string, RegExp][]} */
const RULES = [
  ['a space before a mark does not break', new RegExp(`${BEFORE} [?!;:»]${END}`, 'u')],
  ['a string does not begin with a space that breaks before a mark', new RegExp(`^ [?!;:»]${END}`, 'u')],
  ['a space behind an opening quotation mark does not break', /«(?!\u00A0)/u],
  ['a space between a number and its unit does not break', /[\d}] [%€]/u],
  ['an apostrophe is curved', /(?<![\p{L}\p{N}])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quelqu|aujourd|presqu)'[\p{L}\p{N}{«]/iu],
];

/** What is wrong with a French text. @param {string} text @returns {string[]} */
const faults = (text) => RULES.filter(([, rule]) => rule.test(text)).map(([name]) => name);

/** What is wrong with texts, each with its place. @param {[string, string][]} texts */
const faultsOf = (texts) => texts.flatMap(([place, text]) => faults(text).map((fault) => `${place}: ${fault}: ${text}`));

test('the_rules_find_what_is_set_wrongly_and_nothing_else', () => {
  for (const wrong of ['Fermer le compte ?', 'Rappel : {name}', 'en attente ; rien', 'Bravo !', '« Noter »', '«Noter»', `«${WIDE}Noter »`, '{part} %', '40 €', "l'envoi", "Aujourd'hui", "jusqu'à", "l'{name}", ' : {text}']) {
    assert.notDeepEqual(faults(wrong), [], wrong);
  }
  for (const right of [`Fermer${THIN}?`, `Rappel${WIDE}: x`, `«${WIDE}Noter${WIDE}»`, `40${WIDE}€`, 'l’envoi', 'https://exemple.fr/?a=1;b', '12:30', ', ? pour les raccourcis', "can't, Claire's, users' own", 'must be 1: it is']) {
    assert.deepEqual(faults(right), [], right);
  }
});

test('every_text_of_the_page_is_set_as_french_is', () => {
  assert.deepEqual(faultsOf(Object.entries({ ...first, ...later })), []);
});

test('no_view_puts_a_colon_between_two_texts_by_itself', () => {
  // Each language has its own before it.
  const between = /\} [:;!?»] ?(?:\$\{|<\/)/g;
  assert.match('`${name} : ${text}`', between);
  const made = ours.flatMap((path) => [...read(path).matchAll(between)].map(([found]) => `${path}: ${found}`));
  assert.deepEqual(made, []);
});

test('what_is_written_outside_of_the_catalogues_is_set_as_french_is', () => {
  const { lang, ...manifest } = JSON.parse(read('manifest.webmanifest'));
  assert.equal(lang, 'fr');
  const texts = [['manifest', JSON.stringify(manifest.screenshots.map(({ label }) => label))], ['index', read('index.html').replace(/<[^>]*>/g, '\n')]];
  assert.deepEqual(faultsOf(texts), []);
  assert.ok(all.includes('index.html'));
});

/** The string literals of a Rust source, without comments and without the tests at its foot. @param {string} source */
function literalsOf(source) {
  const [code] = source.split('#[cfg(test)]\nmod ');
  const found = code.matchAll(/\/\/[^\n]*|r(#+)"[\s\S]*?"\1|'(?:[^'\\\n]|\\.)'|"((?:[^"\\]|\\[\s\S])*)"/g);
  return [...found].filter((one) => one[2] !== undefined).map((one) => ({
    line: code.slice(0, one.index).split('\n').length,
    text: one[2].replace(/\\u\{([0-9a-f]+)\}/gi, (_, hex) => String.fromCodePoint(parseInt(hex, 16))).replace(/\\n/g, '\n').replace(/\\"/g, '"'),
  }));
}

test('all_that_the_server_says_in_french_is_set_as_french_is', () => {
  const folder = join(web, '../src');
  const paths = readdirSync(folder, { recursive: true }).map(String)
    // A search is asked in its own language, and fixtures hold what people type.
    .filter((path) => path.endsWith('.rs') && !/tests?\.rs$|testing\/|^store\/search\.rs$/.test(path));
  const texts = paths.flatMap((path) => literalsOf(readFileSync(join(folder, path), 'utf8')).map(({ line, text }) => [`${path}:${line}`, text]));
  assert.ok(texts.length > 3_000, `${texts.length} literals were read`);
  assert.ok(texts.some(([, text]) => text.includes('La demande n’est pas valide.')) && texts.some(([, text]) => text.includes('Courrier d’essai')), 'refusals and mails are among them');
  assert.deepEqual(faultsOf(texts), []);
});
