/**
 * Finds addresses in plain text: http, https and e-mail, nothing else. What is found is text; the view makes the link.
 *
 * @typedef {{text: string, href: string|null}} Piece
 */

const CANDIDATE = /\b(?:https?:\/\/[^\s<>"'`{}|\\^]+|mailto:[^\s<>"'`]+|[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+)/gi;

/**
 * Cuts a text into plain pieces and links; joined together the pieces are the text again.
 * @param {string} text
 * @returns {Piece[]}
 */
export function pieces(text) {
  /** @type {Piece[]} */
  const found = [];
  let from = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = trimmed(match[0]);
    const href = address(shown);
    if (!href) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index), href: null });
    found.push({ text: shown, href });
    from = match.index + shown.length;
  }
  if (from < text.length) found.push({ text: text.slice(from), href: null });
  return found;
}

/** Sentence punctuation after an address is not part of it; a closing bracket is, if its opening one is. @param {string} text */
function trimmed(text) {
  const open = { ')': count(text, '('), ']': count(text, '[') };
  const closed = { ')': count(text, ')'), ']': count(text, ']') };
  let end = text.length;
  for (; end > 0; end -= 1) {
    const last = text[end - 1];
    if (last === ')' || last === ']') {
      if (closed[last] <= open[last]) break;
      closed[last] -= 1;
    } else if (!'.,;:!?…»*_'.includes(last)) break;
  }
  return text.slice(0, end);
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
