/** A code of squares, as the server describes it: how it is drawn. */

/**
 * The dark squares as the path of an SVG, one unit each; those that touch in a row are one shape.
 * @param {{size: number, dark: string}} code row by row a bit each, in base64
 * @returns {string}
 */
export function drawn({ size, dark }) {
  const bytes = atob(dark);
  const isDark = (/** @type {number} */ place) => (bytes.charCodeAt(place >> 3) >> (7 - (place & 7))) & 1;
  let path = '';
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const from = x;
      while (x < size && isDark(y * size + x)) x += 1;
      if (x > from) path += `M${from} ${y}h${x - from}v1H${from}z`;
    }
  }
  return path;
}
