/**
 * Finds addresses in plain text: http, https and e-mail, nothing else. What is found is text; the view makes the link.
 *
 * @typedef {{text: string, href: string|null}} Piece
 */

/** An address may hold any letter: titles of French pages have apostrophes, people have accents. */
const CANDIDATE = new RegExp(
  [
    '(?<![\\p{L}\\p{N}])https?:\\/\\/[^\\s<>"`{}\\\\^]+',
    '(?<![\\p{L}\\p{N}])mailto:[^\\s<>"`]+',
    "(?<![\\p{L}\\p{N}\\p{M}.!#$%&'*+/=?^_`{|}~-])[\\p{L}\\p{N}\\p{M}!#$%&'*+/=?^_`{|}~-]" +
      "[\\p{L}\\p{N}\\p{M}.!#$%&'*+/=?^_`{|}~-]{0,63}@" +
      '[\\p{L}\\p{N}\\p{M}-]{1,63}(?:\\.[\\p{L}\\p{N}\\p{M}-]{1,63})+',
  ].join('|'),
  'giu',
);

/**
 * Cuts a text into plain segments and links; joined together the segments are the text again.
 * @param {string} text
 * @returns {Piece[]}
 */
export function segments(text) {
  /** @type {Piece[]} */
  const found = [];
  let from = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const [lead, shown] = trimmed(match[0]);
    const href = address(shown);
    if (!href) continue;
    const at = match.index + lead;
    if (at > from) found.push({ text: text.slice(from, at), href: null });
    found.push({ text: shown, href });
    from = at + shown.length;
  }
  if (from < text.length) found.push({ text: text.slice(from), href: null });
  return found;
}

const PAIRS = /** @type {Record<string, string>} */ ({ ')': '(', ']': '[' });
/** What ends a sentence or a quotation, and no address. */
const ENDINGS = '.,;:!?…»”’\'"*';
/** What stands before an e-mail address and is not of it: marks, and the article of `d'hélène@cabinet.fr`. */
const OPENINGS = /^['*_`{|]*(?:(?:[cdjlmnst]|(?:jus|lors|puis)?qu)')?/i;

/**
 * Punctuation around an address is not part of it; a closing bracket is, if its opening one is.
 * @param {string} text
 * @returns {[number, string]} how much was left out before it, and what remains
 */
function trimmed(text) {
  const lead = /^https?:|^mailto:/i.test(text) ? 0 : (OPENINGS.exec(text)?.[0].length ?? 0);
  const open = { ')': count(text, '('), ']': count(text, '[') };
  const closed = { ')': count(text, ')'), ']': count(text, ']') };
  let end = text.length;
  for (; end > lead; end -= 1) {
    const last = text[end - 1];
    if (last in PAIRS) {
      if (closed[last] <= open[last]) break;
      closed[last] -= 1;
    } else if (!ENDINGS.includes(last)) break;
  }
  return [lead, text.slice(lead, end)];
}

/** @param {string} text @param {string} letter @returns {number} */
function count(text, letter) {
  return text.split(letter).length - 1;
}

/** @param {string} text @returns {string|null} */
function address(text) {
  const href = /^(https?:|mailto:)/i.test(text) ? text : `mailto:${text}`;
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) && (url.host || url.pathname) ? url.href : null;
  } catch {
    return null;
  }
}
