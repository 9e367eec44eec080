/** The files of web/: languages complete, vendored code untouched, types sound, modules such that the server can send them as one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import firstEn from '../../web/i18n/en.js';
import firstFr from '../../web/i18n/fr.js';
import laterEn from '../../web/i18n/later/en.js';
import laterFr from '../../web/i18n/later/fr.js';
import { all, here, imports, ours, read, web } from './files.js';

const en = { ...firstEn, ...laterEn };
const fr = { ...firstFr, ...laterFr };

test('french_and_english_have_the_same_keys_and_the_same_blanks', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(fr).sort());
  for (const key of Object.keys(fr)) {
    const blanks = (text) => [...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
    assert.deepEqual(blanks(en[key]), blanks(fr[key]), key);
    assert.ok(fr[key].trim() && en[key].trim(), `${key} is empty`);
  }
});

/** The keys that modules use. @param {string[]} paths */
function keysOf(paths) {
  const used = new Set();
  for (const path of paths) {
    if (path.startsWith('i18n/') || path === 'core/i18n.js') continue;
    const source = read(path);
    for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) used.add(key);
    for (const [, key] of source.matchAll(/\btn\('([\w.]+)'/g)) used.add(`${key}.one`).add(`${key}.other`);
    const dynamic = [...source.matchAll(/(?<![\w.])tn?\((?!')/g)].filter(({ index }) => !source.slice(0, index).endsWith('function '));
    assert.equal(dynamic.length, 0, `${path}: a key must be a literal, so that this test can see it`);
  }
  return used;
}

test('every_key_that_is_used_exists_and_every_key_that_exists_is_used', () => {
  assert.deepEqual([...keysOf(ours)].sort(), Object.keys(fr).sort());
});

test('what_the_server_counts_has_a_word_in_each_language', () => {
  const counted = readFileSync(join(web, '../src/store/statistics.rs'), 'utf8').match(/pub struct Statistics \{[\s\S]*?\n\}/)?.[0] ?? '';
  const names = [...counted.matchAll(/pub (\w+): /g)].map(([, name]) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()));
  assert.ok(names.length > 10);
  const worded = read('views/admin.js');
  assert.deepEqual(names.filter((name) => !worded.includes(`    ${name}: [t(`)), []);
});

test('the_first_screens_find_their_texts_and_bring_no_others', () => {
  const first = new Set();
  const take = (path) => {
    if (first.has(path) || path.startsWith('vendor/')) return;
    first.add(path);
    imports(path).forEach(take);
  };
  take('app.js');
  assert.deepEqual([...keysOf([...first])].sort(), Object.keys(firstFr).sort());
  assert.deepEqual(Object.keys(firstEn).sort(), Object.keys(firstFr).sort());
  assert.deepEqual(Object.keys(laterEn).sort(), Object.keys(laterFr).sort());
  for (const key of Object.keys(laterFr)) assert.ok(!(key in firstFr), `${key} stands twice`);
});

test('vendored_files_are_those_of_the_list_byte_for_byte', () => {
  const rows = [...read('vendor/README.md').matchAll(/^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$/gm)];
  const listed = new Map(rows.map(([, name, sum]) => [name, sum]));
  const present = all.filter((path) => path.startsWith('vendor/')).map((path) => path.slice('vendor/'.length)).filter((name) => name !== 'README.md' && !name.startsWith('LICENSE'));
  assert.deepEqual(present.sort(), [...listed.keys()].sort());
  for (const [name, sum] of listed) assert.equal(createHash('sha256').update(readFileSync(join(web, 'vendor', name))).digest('hex'), sum, name);
});

test('types_are_sound', () => {
  const tsc = join(here, 'node_modules/.bin/tsc');
  const run = spawnSync(tsc, ['--project', here], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});

test('nothing_is_asked_of_a_third_party_and_nothing_is_drawn_as_markup', () => {
  for (const path of all.filter((one) => !one.startsWith('vendor/') && /\.(js|css|html|webmanifest)$/.test(one))) {
    const source = read(path).replaceAll('http://www.w3.org/2000/svg', '').replaceAll("'http://page'", '');
    assert.doesNotMatch(source, /(?:src|href|url|import|fetch)\W{1,3}https?:\/\//i, path);
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(|new Function/, path);
    if (path.endsWith('.html')) assert.doesNotMatch(source, /<script(?![^>]* src=)|\son\w+=|\sstyle=/i, path);
  }
});

// The server sends the page's modules as one script and takes them apart line by line (src/assets/bundle.rs).
test('modules_use_only_the_forms_that_the_server_can_put_together', () => {
  for (const path of ours.filter((one) => !['theme.js', 'sw.js'].includes(one))) {
    for (const line of read(path).split('\n')) {
      if (/^\s*import\b(?!\()/.test(line)) assert.match(line, /^import (\{ [\w$, ]+ \}|\* as \w+|\w+) from '\.{0,2}\/[\w./-]+\.js';$/, path);
      if (/^\s*export\b/.test(line)) assert.match(line, /^export (default \{$|((async )?function|class|const) \w+)/, path);
      assert.doesNotMatch(line, /^(const .*= |let .*= )?await\b/, `${path}: awaits before it is loaded`);
      assert.doesNotMatch(line, /import\((?!'\.{1,2}\/)/, `${path}: loads what the server cannot name`);
    }
  }
});

/** @param {Buffer} bytes of a PNG, or of a WebP in its extended form @returns {string} `width x height` */
function sizeOf(bytes) {
  if (bytes.subarray(1, 4).toString('latin1') === 'PNG') return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
  assert.equal(bytes.subarray(12, 16).toString('latin1'), 'VP8X');
  return `${bytes.readUIntLE(24, 3) + 1}x${bytes.readUIntLE(27, 3) + 1}`;
}

test('what_is_needed_to_install_the_page_is_there_small_and_as_large_as_it_says', () => {
  const { icons, screenshots = [] } = JSON.parse(read('manifest.webmanifest'));
  const raster = [...icons, ...screenshots].filter(({ type }) => type !== 'image/svg+xml');
  assert.deepEqual(icons.map(({ sizes }) => sizes), ['any', 'any', '192x192', '512x512']);
  for (const { src, sizes } of raster) assert.equal(sizeOf(readFileSync(join(web, src))), sizes, src);
  const bytes = raster.reduce((sum, { src }) => sum + readFileSync(join(web, src)).length, 0);
  assert.ok(bytes < 200_000, `${bytes} bytes lie in the binary for it`);
});
