/**
 * Light formatting in plain text: **bold**, *italic* or _italic_, code between backticks, quotes behind a greater-than
 * sign, lists behind a dash or a number, and blocks of code between lines of three backticks. The text stays the truth:
 * what is found here says only how a part of it is drawn, and what is no formatting stands as it was typed. Pure; never
 * makes markup.
 *
 * @typedef {{kind: 'text', text: string, href: string|null}
 *   | {kind: 'code', text: string} | {kind: 'bold'|'italic', parts: Inline[]}} Inline
 * @typedef {{kind: 'lines'|'quote', parts: Inline[]} | {kind: 'block', text: string}
 *   | {kind: 'list', start: number|null, items: Inline[][]}} Block `start`: of a numbered list
 */
import { segments } from './links.js';

const QUOTE = /^> ?(.*)$/;
const BULLET = /^[-–•*] (.*\S.*)$/;
const NUMBER = /^(\d{1,3})[.)] (.*\S.*)$/;
const FENCE = /^```\w*$/;

/** How deep bold in italic in bold is looked for. */
const DEPTH_MAX = 2;

/**
 * @param {string} text
 * @returns {Block[]}
 */
export function blocks(text) {
  const lines = text.split('\n');
  /** @type {Block[]} */
  const found = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = blockAt(lines, at);
    found.push(block);
    at = next;
  }
  return found;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Block, number]} the block that begins there, and the line behind it
 */
function blockAt(lines, at) {
  const fence = FENCE.test(lines[at]) ? lines.indexOf('```', at + 1) : -1;
  if (fence > at + 1) return [{ kind: 'block', text: lines.slice(at + 1, fence).join('\n') }, fence + 1];
  const quoted = taken(lines, at, (line) => QUOTE.exec(line)?.[1]);
  if (quoted.length) return [{ kind: 'quote', parts: inline(quoted.join('\n')) }, at + quoted.length];
  const bullets = taken(lines, at, (line) => BULLET.exec(line)?.[1]);
  if (bullets.length) {
    return [{ kind: 'list', start: null, items: bullets.map((one) => inline(one)) }, at + bullets.length];
  }
  const first = Number(NUMBER.exec(lines[at])?.[1]);
  const numbered = taken(lines, at, (line, index) => numberedBy(line, first + index));
  // One line that begins with a number may be a date or a sum.
  if (numbered.length > 1) {
    return [{ kind: 'list', start: first, items: numbered.map((one) => inline(one)) }, at + numbered.length];
  }
  let end = at + 1;
  while (end < lines.length && !begins(lines, end)) end += 1;
  return [{ kind: 'lines', parts: inline(lines.slice(at, end).join('\n')) }, end];
}

/** @param {string} line @param {number} number @returns {string|undefined} */
function numberedBy(line, number) {
  const match = NUMBER.exec(line);
  return match && Number(match[1]) === number ? match[2] : undefined;
}

/**
 * @param {string[]} lines
 * @param {number} from
 * @param {(line: string, index: number) => string|undefined} matched
 * @returns {string[]} what the lines from there on say that match
 */
function taken(lines, from, matched) {
  const found = [];
  for (let at = from; at < lines.length; at += 1) {
    const said = matched(lines[at], at - from);
    if (said === undefined) break;
    found.push(said);
  }
  return found;
}

/** Whether something other than plain lines begins at a line. @param {string[]} lines @param {number} at */
function begins(lines, at) {
  const line = lines[at];
  if (QUOTE.test(line) || BULLET.test(line)) return true;
  if (FENCE.test(line)) return lines.indexOf('```', at + 1) > at + 1;
  const number = NUMBER.exec(line);
  return Boolean(number && at + 1 < lines.length && numberedBy(lines[at + 1], Number(number[1]) + 1) !== undefined);
}

/** A mark stands before a letter and closes behind one, on one line, and never inside a word. */
const MARKED = new RegExp(
  [
    '`[^`\\n]+`',
    '\\*\\*(?=[^\\s*])[^\\n]{0,999}?[^\\s]\\*\\*(?![\\p{L}\\p{N}*])',
    '(?<![\\p{L}\\p{N}*])\\*(?=[^\\s*])[^\\n*]{0,1999}[^\\s*]\\*(?![\\p{L}\\p{N}*])',
    '(?<![\\p{L}\\p{N}_])_(?=[^\\s_])[^\\n_]{0,1999}[^\\s_]_(?![\\p{L}\\p{N}_])',
  ].join('|'),
  'gu',
);

/**
 * @param {string} text
 * @param {number} [depth]
 * @returns {Inline[]}
 */
export function inline(text, depth = 0) {
  if (depth > DEPTH_MAX) return unformatted(text);
  /** @type {Inline[]} */
  const found = [];
  let from = 0;
  for (const { 0: whole, index } of masked(text).matchAll(MARKED)) {
    found.push(...unformatted(text.slice(from, index)));
    from = index + whole.length;
    const isBold = whole.startsWith('**');
    const width = isBold ? 2 : 1;
    const marked = text.slice(index + width, from - width);
    if (whole[0] === '`') found.push({ kind: 'code', text: marked });
    else found.push({ kind: isBold ? 'bold' : 'italic', parts: inline(marked, depth + 1) });
  }
  return [...found, ...unformatted(text.slice(from))];
}

/** @param {string} text @returns {Inline[]} */
const unformatted = (text) => segments(text).map((piece) => ({ kind: 'text', ...piece }));

/**
 * A text of the same length in which addresses hold no marks: what looks like one belongs to the address. An underscore
 * at its end is of it only where it closes nothing.
 * @param {string} text
 */
const masked = (text) =>
  segments(text)
    .map(({ text: said, href }) => (href ? said.replace(/^.*[^_]/s, ({ length }) => 'x'.repeat(length)) : said))
    .join('');

/** @param {Inline} part @returns {string} */
const unmarked = (part) => ('text' in part ? part.text : part.parts.map(unmarked).join(''));

/** @param {string} text @returns {string} without its marks, for where it stands in one line or is said */
export const plain = (text) => (/[*_`]/.test(text) ? inline(text).map(unmarked).join('') : text);

/** @param {string} text @returns {string} as a quotation of it, to be answered below */
export const quoted = (text) => `${text.trim().split('\n').map((line) => `> ${line}`).join('\n')}\n\n`;
