/** What a clipboard is about. */

/**
 * The files of a clipboard, if it is about them: cells of a spreadsheet bring a picture of themselves beside their
 * text, and a file of some systems its name as text.
 * @param {{files: Iterable<{name: string}>, getData?: (type: string) => string}|null} data
 * @returns {any[]}
 */
export function pastedFiles(data) {
  const files = [...(data?.files ?? [])];
  const text = data?.getData?.('text/plain').trim();
  const names = files.map((file) => file.name);
  return !text || names.includes(text) || text.split('\n').every((line) => names.includes(line.trim())) ? files : [];
}
