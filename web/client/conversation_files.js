/** The files of a whole conversation, as the server lists them, the latest first. */
import { call, request } from './api.js';

const PAGE = 200;

/**
 * @param {number} conversationId
 * @param {string|null} [next] what the page before has named
 * @param {AbortSignal} [signal]
 * @returns {Promise<{files: import('../core/files.js').SentFile[], next: string|null}>} `next`: where the list goes on
 */
export async function filesPage(conversationId, next = null, signal) {
  const answer = await request('GET', next ?? `/conversations/${conversationId}/files?limit=${PAGE}`, { signal });
  const files = await answer.json();
  return { files, next: /<([^>]+)>; rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1] ?? null };
}

/**
 * A signed address of a stored file, good for some minutes: a browser that saves or plays sends no token.
 * @param {number} id
 * @returns {Promise<string>}
 */
export const link = async (id) => (await call('POST', `/attachments/${id}/link`)).url;

/**
 * The bytes of a PDF as an address of this page that a frame can show. Whatever is in it, it is never a page: the type
 * is said here, not guessed, and only for what the server has found to be a PDF.
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<string>} to be revoked
 */
export async function pdfAddress(url, signal) {
  const answer = await request('GET', url, { signal });
  return URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: 'application/pdf' }));
}
