/** Light formatting: found where it is meant, left alone where it is not, and never markup. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { blocks, inline, plain, quoted } from '../../web/core/formatting.js';
import { led, wrapped } from '../../web/core/marks.js';
import { segments } from '../../web/core/links.js';

/** Inline parts in short: `b(…)`, `i(…)`, `c(…)`, `<…>` for a link. */
const short = (parts) => parts.map((part) => {
  if (part.kind === 'bold') return `b(${short(part.parts)})`;
  if (part.kind === 'italic') return `i(${short(part.parts)})`;
  if (part.kind === 'code') return `c(${part.text})`;
  return part.href ? `<${part.text}>` : part.text;
}).join('');

test('bold_italic_and_code_are_found_where_they_are_meant', () => {
  for (const [text, found] of [
    ['**gras** et *italique* ou _italique_', 'b(gras) et i(italique) ou i(italique)'],
    ['**gras _et_ plus**', 'b(gras i(et) plus)'],
    ['`a * b * c`', 'c(a * b * c)'],
    ['(**important**)', '(b(important))'],
    ['2 * 3 * 4 et 2*3*4', '2 * 3 * 4 et 2*3*4'],
    ['nom_de_fichier_long.txt', 'nom_de_fichier_long.txt'],
    ['** pas gras **', '** pas gras **'],
    ['**pas\nsur deux lignes**', '**pas\nsur deux lignes**'],
    ['une * seule', 'une * seule'],
    ['https://exemple.fr/a_b_c et _oui_', '<https://exemple.fr/a_b_c> et i(oui)'],
    ['**https://exemple.fr**', 'b(<https://exemple.fr>)'],
    ['<b>rien</b>', '<b>rien</b>'],
  ]) assert.equal(short(inline(text)), found, text);
});

test('marks_stand_around_addresses_too', () => {
  for (const [text, found] of [
    ['**voir https://exemple.fr/a ici**', 'b(voir <https://exemple.fr/a> ici)'],
    ['*https://exemple.fr/a_b*', 'i(<https://exemple.fr/a_b>)'],
    ['_https://exemple.fr/a_b_', 'i(<https://exemple.fr/a_b>)'],
    ['_voir https://exemple.fr/a_.', 'i(voir <https://exemple.fr/a>).'],
    ['**jean_dupont@a.fr**, *écrire à jean@a.fr*', 'b(<jean_dupont@a.fr>), i(écrire à <jean@a.fr>)'],
    ['_**gras https://a.fr/?q=1*2** et https://b.fr_', 'i(b(gras <https://a.fr/?q=1*2>) et <https://b.fr>)'],
    ['`curl https://a.fr/x` puis https://b.fr', 'c(curl https://a.fr/x) puis <https://b.fr>'],
    ['https://a.fr/x_ et _oui_', '<https://a.fr/x_> et i(oui)'],
    ['https://a.fr/_x_/*y*/z', '<https://a.fr/_x_/*y*/z>'],
    ['2*https://a.fr*3', '2*<https://a.fr*3>'],
  ]) assert.equal(short(inline(text)), found, text);
});

test('lists_quotes_and_code_are_blocks_and_the_rest_are_lines', () => {
  const kinds = (text) => blocks(text).map((block) => block.kind).join(' ');
  for (const [text, found] of [
    ['bonjour', 'lines'],
    ['avant\n- un\n- deux\naprès', 'lines list lines'],
    ['– un\n– deux', 'list'],
    ['1. un\n2. deux', 'list'],
    ['1. seul', 'lines'],
    ['14. juillet\n25. décembre', 'lines'],
    ['2024. Merci', 'lines'],
    ['- ', 'lines'],
    ['-5 degrés', 'lines'],
    ['> cité\n> encore\nréponse', 'quote lines'],
    ['```\na\n\nb\n```\nfin', 'block lines'],
    ['```\npas fermé', 'lines'],
    ['', 'lines'],
  ]) assert.equal(kinds(text), found, text);
  assert.equal(blocks('3. trois\n4. quatre')[0].start, 3);
});

test('no_text_is_lost_and_none_is_slow', () => {
  for (const text of ['x'.repeat(10_000), '*'.repeat(10_000), '**a '.repeat(2_500), '_'.repeat(10_000), '`'.repeat(9_999), '* a\n'.repeat(2_500),
    '> '.repeat(5_000), '1. a\n'.repeat(2_500), '*a'.repeat(5_000), '```\n'.repeat(2_500), '**_'.repeat(3_300), '[('.repeat(5_000)]) {
    const began = process.cpuUsage();
    const letters = JSON.stringify(blocks(text)).match(/[ax]/g)?.length ?? 0;
    assert.ok(letters >= (text.match(/[ax]/g)?.length ?? 0), text.slice(0, 10));
    assert.ok(process.cpuUsage(began).user < 400_000, `slow on ${text.slice(0, 10)}`);
  }
});

test('addresses_hold_what_french_ones_hold', () => {
  const links = (text) => segments(text).filter((segment) => segment.href).map((segment) => segment.text);
  for (const [text, found] of [
    ['https://fr.wikipedia.org/wiki/Droit_à_l\'image', ['https://fr.wikipedia.org/wiki/Droit_à_l\'image']],
    ['voir \'https://a.fr/b\'.', ['https://a.fr/b']],
    ['hélène.dupont@cabinet.fr', ['hélène.dupont@cabinet.fr']],
    ['l\'adresse d\'hélène@cabinet.fr', ['hélène@cabinet.fr']],
    ['O\'Brien@example.ie', ['O\'Brien@example.ie']],
    ['https://exemple.fr/fin_ et https://exemple.fr/?x=1&y=a|b', ['https://exemple.fr/fin_', 'https://exemple.fr/?x=1&y=a|b']],
    ['(voir jean@a.fr)', ['jean@a.fr']],
    ['«https://a.fr/x»', ['https://a.fr/x']],
    ['l’https://a.fr', ['https://a.fr']],
    ['xhttps://a.fr éhttps://a.fr', []],
  ]) assert.deepEqual(links(text), found, text);
});

test('marks_are_put_around_what_is_selected_and_taken_away_again', () => {
  assert.deepEqual(wrapped('un mot ici', 3, 6, '**'), { from: 3, to: 6, put: '**mot**', select: [5, 8] });
  assert.deepEqual(wrapped('un **mot** ici', 5, 8, '**'), { from: 3, to: 10, put: 'mot', select: [3, 6] });
  const list = led('a\nun\ndeux\nb', 3, 7, () => '- ');
  assert.deepEqual([list.from, list.to, list.put], [2, 9, '- un\n- deux']);
  assert.equal(led('- un\n- deux', 0, 11, () => '- ').put, 'un\ndeux');
  assert.equal(led('un\ndeux', 0, 7, (line) => `${line + 1}. `).put, '1. un\n2. deux');
  assert.equal(quoted(' un\ndeux '), '> un\n> deux\n\n');
});

test('in_one_line_a_text_stands_without_its_marks_and_keeps_what_is_none', () => {
  assert.equal(plain('**Important** : _avant_ `jeudi`, **_vite_**'), 'Important : avant jeudi, vite');
  for (const text of ['2 * 3 * 4', 'a_b_c', 'https://exemple.fr/_a_*b*', '', '**', 'rien']) assert.equal(plain(text), text);
});
