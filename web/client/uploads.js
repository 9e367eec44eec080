/**
 * Sends one file and tells how far it is. `fetch` cannot tell, so this uses the older request object.
 */
import * as session from './session.js';
import { Refusal } from './api.js';
import { locale, t } from '../core/i18n.js';

/**
 * @param {{name: string, blob: Blob}} file
 * @param {number} conversationId
 * @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} [options] `part`: 0…1
 * @returns {Promise<import('../core/state.js').StoredFile>}
 */
export async function upload(file, conversationId, options = {}) {
  const stale = session.find()?.accessToken ?? '';
  try {
    return await attempt(file, conversationId, options);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'UNAUTHENTICATED') throw error;
    if ((await session.renew(stale)) !== 'fresh') throw error;
    return attempt(file, conversationId, options);
  }
}

/** @param {{name: string, blob: Blob}} file @param {number} conversationId @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} options @returns {Promise<any>} */
function attempt(file, conversationId, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const query = new URLSearchParams({ conversationId: String(conversationId), name: file.name });
    request.open('POST', `/attachments?${query}`);
    request.responseType = 'json';
    request.setRequestHeader('Authorization', `Bearer ${session.find()?.accessToken}`);
    request.setRequestHeader('Accept-Language', locale());
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onerror = () => reject(new Refusal('OFFLINE', t('error.offline')));
    request.onabort = () => reject(new Refusal('CANCELLED', t('error.unknown')));
    request.onload = () => {
      const body = request.response ?? {};
      if (request.status === 201 || request.status === 200) resolve(body);
      else reject(new Refusal(body.code ?? 'INTERNAL', body.message ?? t('error.unknown'), body.details, body.retryAfter));
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(file.blob);
  });
}
