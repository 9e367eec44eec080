/** What becomes of files between being chosen and being sent: another name, another place among them. */
import { visible } from '../core/format.js';
import { unique } from '../core/ids.js';

/**
 * Gives a file of a draft another name. It is uploaded anew: what the server has under the name of before is carried
 * by no message, and forgotten there.
 * @param {import('./drafts.js').Drafts} drafts
 * @param {number} id of the conversation
 * @param {string} key
 * @param {string} wanted nothing changes where nothing of it can be seen
 */
export function rename(drafts, id, key, wanted) {
  const { files } = drafts.find(id);
  const file = files.find((one) => one.key === key);
  const name = visible(wanted).trim();
  if (!file?.blob || !name || name === file.name) return;
  drafts.stops.get(key)?.abort('unstaged');
  const { size, type, blob, width, height } = file;
  const sized = width && height ? { width, height } : {};
  const renamed = { key: unique(), name, size, type, blob, ...sized, progress: 0, info: null, error: null };
  drafts.set(id, { files: files.map((one) => (one === file ? renamed : one)) });
  drafts.begin(id, renamed);
}

/**
 * Puts a file of a draft in another place.
 * @param {import('./drafts.js').Drafts} drafts
 * @param {number} id of the conversation
 * @param {string} key
 * @param {number} place from 0; beyond the last one it is the last
 */
export function move(drafts, id, key, place) {
  const { files } = drafts.find(id);
  const file = files.find((one) => one.key === key);
  if (!file || files[place] === file) return;
  const others = files.filter((one) => one !== file);
  drafts.set(id, { files: [...others.slice(0, place), file, ...others.slice(place)] });
}
