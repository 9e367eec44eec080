/** How the page is built: floors without an arrow up, no circles, and nothing longer than one reads at once. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import test from 'node:test';
import { imports, ours, read, styles } from './files.js';

const { parse } = createRequire(import.meta.url)('acorn');

/** From the lowest up. What lies in `web/` itself is the entry, above all of them. */
const FLOORS = ['i18n', 'core', 'client', 'views', 'app'];
const LINE_MAX = 120;
const FILE_MAX = 450;
const FUNCTION_MAX = 60;

const floorOf = (path) => (dirname(path) === '.' ? FLOORS.length : FLOORS.indexOf(path.split('/')[0]));

test('each_module_stands_on_a_floor_and_imports_nothing_from_above', () => {
  for (const path of ours) {
    const floor = floorOf(path);
    assert.notEqual(floor, -1, `${path} stands on no floor: ${FLOORS.join(' < ')}`);
    for (const from of imports(path).filter((one) => !one.startsWith('vendor/'))) {
      assert.ok(floorOf(from) <= floor, `${path} imports ${from}, which lies above it`);
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

test('no_line_and_no_file_is_longer_than_one_reads_at_once', () => {
  for (const path of [...ours, ...styles]) {
    const lines = read(path).trimEnd().split('\n');
    assert.ok(lines.length <= FILE_MAX, `${path} has ${lines.length} lines`);
    lines.forEach((line, at) => assert.ok([...line].length <= LINE_MAX, `${path}:${at + 1} is ${line.length} long`));
  }
});

/** Every function of a module with the lines that it takes. @param {string} source @returns {{name: string, line: number, lines: number}[]} */
function functions(source) {
  const found = [];
  const visit = (node, name) => {
    if (!node || typeof node.type !== 'string') return;
    if (/Function/.test(node.type)) {
      const { start, end } = node.loc;
      found.push({ name: node.id?.name ?? name, line: start.line, lines: end.line - start.line + 1 });
    }
    const named = node.key?.name ?? node.id?.name ?? name;
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) value.forEach((one) => visit(one, named));
      else if (value && typeof value === 'object') visit(value, named);
    }
  };
  visit(parse(source, { ecmaVersion: 'latest', sourceType: 'module', locations: true }), '');
  return found;
}

test('no_function_is_longer_than_a_screen', () => {
  let seen = 0;
  for (const path of ours) {
    for (const { name, line, lines } of functions(read(path))) {
      seen += 1;
      assert.ok(lines <= FUNCTION_MAX, `${path}:${line} ${name} has ${lines} lines`);
    }
  }
  assert.ok(seen > 300, `${seen} functions were looked at`);
});

test('a_long_function_is_found_wherever_it_stands', () => {
  const long = '\n'.repeat(FUNCTION_MAX);
  for (const source of [`function f() {${long}}`, `const f = () => {${long}};`, `class A { f() {${long}} }`, `export default { f() {${long}} };`]) {
    assert.deepEqual(functions(source).map(({ lines }) => lines), [FUNCTION_MAX + 1], source.slice(0, 20));
  }
});
