/** Putting the marks of light formatting into a text that is being written. Pure. */

/**
 * A text with a mark on both sides of a part, or without it where it stood there.
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @param {string} mark
 * @returns {{from: number, to: number, put: string, select: [number, number]}} what is replaced, by
 *   what, and what is then selected
 */
export function wrapped(text, start, end, mark) {
  const { length } = mark;
  const part = text.slice(start, end);
  if (text.slice(start - length, start) === mark && text.slice(end, end + length) === mark) {
    return { from: start - length, to: end + length, put: part, select: [start - length, end - length] };
  }
  return { from: start, to: end, put: mark + part + mark, select: [start + length, end + length] };
}

/**
 * A text with something before each line of a part, or without it where it stood before all of them.
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @param {(line: number) => string} lead
 */
export function led(text, start, end, lead) {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const behind = text.indexOf('\n', end);
  const to = behind < 0 ? text.length : behind;
  const lines = text.slice(from, to).split('\n');
  const isThere = lines.every((line, at) => line.startsWith(lead(at)));
  const put = lines.map((line, at) => (isThere ? line.slice(lead(at).length) : lead(at) + line)).join('\n');
  return { from, to, put, select: /** @type {[number, number]} */ ([from, from + put.length]) };
}
