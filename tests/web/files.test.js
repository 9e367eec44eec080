/** The files of web/: languages complete, vendored code untouched, types sound, modules such that the server can send them as one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import en from '../../web/i18n/en.js';
import fr from '../../web/i18n/fr.js';

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, '../../web');
const read = (path) => readFileSync(join(web, path), 'utf8');
const all = readdirSync(web, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(web, join(entry.parentPath, entry.name)));
const ours = all.filter((path) => path.endsWith('.js') && !path.startsWith('vendor/'));

test('french_and_english_have_the_same_keys_and_the_same_blanks', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(fr).sort());
  for (const key of Object.keys(fr)) {
    const blanks = (text) => [...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
    assert.deepEqual(blanks(en[key]), blanks(fr[key]), key);
    assert.ok(fr[key].trim() && en[key].trim(), `${key} is empty`);
  }
});

test('every_key_that_is_used_exists_and_every_key_that_exists_is_used', () => {
  const used = new Set();
  for (const path of ours) {
    if (path.startsWith('i18n/') || path === 'core/i18n.js') continue;
    const source = read(path);
    for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) used.add(key);
    for (const [, key] of source.matchAll(/\btn\('([\w.]+)'/g)) used.add(`${key}.one`).add(`${key}.other`);
    const dynamic = [...source.matchAll(/(?<![\w.])tn?\((?!')/g)].filter((match) => !source.slice(0, match.index).endsWith('function '));
    assert.equal(dynamic.length, 0, `${path}: a key must be a literal, so that this test can see it`);
  }
  assert.deepEqual([...used].sort(), Object.keys(fr).sort());
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

/** Every module that a module of ours names at once, by path. @param {string} path */
const imports = (path) => [...read(path).matchAll(/^import .* from '([^']+)';$/gm)].map(([, from]) => (from.startsWith('/') ? from.slice(1) : join(dirname(path), from)));

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

test('no_module_needs_itself', () => {
  const visit = (path, above) => {
    assert.ok(!above.includes(path), [...above, path].join(' → '));
    if (!path.startsWith('vendor/')) for (const from of imports(path)) visit(from, [...above, path]);
  };
  for (const path of ours) visit(path, []);
});
