/**
 * Addresses of stored pictures that an element can load: blobs of this page. Keeps what was fetched lately, so that
 * scrolling back shows it at once.
 */
import * as api from './api.js';

const KEPT_MAX = 60;
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);

/** @type {Map<string, Promise<string>>} */
const kept = new Map();

/** @param {string} mimeType */
export const isPicture = (mimeType) => PICTURES.has(mimeType);

/** Whether this browser can show it in a frame of the page. @param {{mimeType: string}} file */
export const isReadable = ({ mimeType }) => mimeType === 'application/pdf' && navigator.pdfViewerEnabled;

/**
 * A picture as an address of this page.
 * @param {string} url `/attachments/…`
 * @returns {Promise<string>}
 */
export function picture(url) {
  let fetched = kept.get(url);
  if (fetched) kept.delete(url);
  else
    fetched = api
      .request('GET', url)
      .then((answer) => answer.blob())
      .then((blob) => URL.createObjectURL(blob));
  kept.set(url, fetched);
  fetched.catch(() => kept.delete(url));
  for (const [oldest, address] of kept) {
    if (kept.size <= KEPT_MAX) break;
    kept.delete(oldest);
    address.then(
      (blob) => URL.revokeObjectURL(blob),
      () => {},
    );
  }
  return fetched;
}

/**
 * A picture that was sent from here need not be fetched.
 * @param {string|undefined} url
 * @param {Blob|undefined} blob
 */
export function prime(url, blob) {
  if (url && blob && isPicture(blob.type) && !kept.has(url)) kept.set(url, Promise.resolve(URL.createObjectURL(blob)));
}
