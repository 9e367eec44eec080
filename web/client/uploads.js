/**
 * Sends one file and tells how far it is. `fetch` cannot tell, so this uses the older request object. A large file
 * goes in parts: what has arrived before a cut, or a reload, is not sent again.
 */
import * as session from './session.js';
import { Refusal } from './api.js';
import { locale, t } from '../core/i18n.js';

/** From this size on a file goes in parts, and so large is a part: proxies often refuse larger ones. */
const PART_BYTES = 4 << 20;
/** Pauses before a cut upload goes on; then it waits for whoever asks again. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000];

/** Uploads that have begun, by the file's key. @type {Map<string, number>} */
const begun = new Map();

/**
 * @typedef {{key?: string, name: string, blob?: Blob, upload?: number}} Sent `upload`: the server's number of what has
 *   begun before
 * @typedef {{onProgress?: (part: number) => void, onBegun?: (upload: number) => void, signal?: AbortSignal,
 *   outbox?: Pick<import('./outbox.js').Outbox, 'patch'>}} Options `part`: 0…1; `outbox`: where a message may wait for
 *   the file
 */

/**
 * @param {Sent} file
 * @param {number} conversationId
 * @param {Options} [options]
 * @returns {Promise<import('../core/state.js').StoredFile>} rejects with a `Refusal`: `OFFLINE` when no answer came,
 *   `UNREADABLE` when the file was changed or deleted since it was chosen, else the server's
 */
export async function upload(file, conversationId, options = {}) {
  const { blob, name } = file;
  if (!blob) throw unreadable(file);
  const query = new URLSearchParams({ conversationId: String(conversationId), name });
  try {
    if (blob.size >= PART_BYTES) return await inParts(/** @type {any} */ (file), `/attachments?${query}`, options);
    return await renewed(() => attempt('POST', `/attachments?${query}`, blob, file, options));
  } catch (error) {
    const isCut = error instanceof Refusal && error.code === 'OFFLINE';
    throw isCut && !(await isReadable(blob)) ? unreadable(file) : error;
  }
}

/**
 * @param {Sent & {blob: Blob}} file
 * @param {string} path where it is announced
 * @param {Options} options
 * @returns {Promise<any>}
 */
async function inParts(file, path, { onProgress, onBegun, outbox, signal }) {
  const { blob, key = '' } = file;
  const { size } = blob;
  const ask = (method, where, part, told) =>
    renewed(() => attempt(method, where, part, file, { signal, onProgress: told }));
  const begin = async () => {
    const { id } = await ask('POST', `${path}&size=${size}`);
    begun.set(key, id);
    onBegun?.(id);
    outbox?.patch(key, { upload: id });
    return { id, offset: 0 };
  };
  const known = begun.get(key) ?? file.upload;
  let at = known ? await arrived(ask, known).catch(fresh(begin)) : await begin();
  signal?.addEventListener('abort', () => {
    if (signal.reason === 'unstaged') attempt('DELETE', `/attachments/${at.id}`, undefined, file, {}).catch(() => {});
  });
  for (let pause = 0; ;) {
    const { id, offset } = at;
    const told = (part) => onProgress?.((offset + part * Math.min(PART_BYTES, size - offset)) / size);
    try {
      const part = blob.slice(offset, offset + PART_BYTES);
      const answer = await ask('PATCH', `/attachments/${id}?offset=${offset}`, part, told);
      if (answer.file) return answer.file;
      at = answer;
      pause = 0;
    } catch (error) {
      const { code } = /** @type {any} */ (error);
      if (pause === PAUSES_MS.length || !['OFFLINE', 'CONFLICT', 'INVALID'].includes(code)) throw error;
      if (!(await isReadable(blob))) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[pause]));
      pause += 1;
      at = await arrived(ask, id).catch(() => at);
    }
  }
}

/**
 * How far an upload is.
 * @param {(method: string, where: string) => Promise<any>} ask
 * @param {number} id
 */
async function arrived(ask, id) {
  return { id, offset: await ask('HEAD', `/attachments/${id}`) };
}

/** What the server has forgotten begins anew. @param {() => Promise<any>} begin */
const fresh = (begin) => (error) => (error.code === 'NOT_FOUND' ? begin() : Promise.reject(error));

/**
 * With another token, where the one that there is has ended.
 * @param {() => Promise<any>} ask
 */
async function renewed(ask) {
  const stale = session.find()?.accessToken ?? '';
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'UNAUTHENTICATED') throw error;
    if ((await session.renew(stale)) !== 'fresh') throw error;
    return ask();
  }
}

/**
 * What a server, or a proxy before it, has said.
 * @param {number} status
 * @param {any} body
 * @param {{name: string}} file
 */
function refusal(status, { code, message, details, retryAfter }, { name }) {
  if (code) return new Refusal(code, message ?? t('error.unknown'), details, retryAfter);
  if (status === 404) return new Refusal('NOT_FOUND', t('error.unknown'));
  if (status === 401) return new Refusal('UNAUTHENTICATED', t('error.unknown'));
  if (status === 413) return new Refusal('TOO_LARGE', t('file.refused', { name }));
  return new Refusal('INTERNAL', t('error.unknown'));
}

/**
 * Uploads from the disk; a file that was changed there since it was chosen goes as it was, from the copy in storage.
 * @param {import('./storage.js').Storage} storage
 * @param {any} file
 * @param {number} conversationId
 * @param {object} [options]
 * @param {typeof upload} [send]
 * @returns {Promise<import('../core/state.js').StoredFile>}
 */
export async function uploadKept(storage, file, conversationId, options, send = upload) {
  try {
    return await send(file, conversationId, options);
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'UNREADABLE') throw error;
    const blob = await storage.file(file.key).catch(() => undefined);
    if (!blob) throw error;
    return send({ ...file, blob }, conversationId, options);
  }
}

/** @param {{name: string}} file */
const unreadable = ({ name }) => new Refusal('UNREADABLE', t('file.unreadable', { name }));

/** Whether its bytes can still be had: the disk's error looks like the network's. @param {Blob|undefined} blob */
async function isReadable(blob) {
  if (!blob) return false;
  return blob.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Blob|undefined} bytes
 * @param {{name: string}} file
 * @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} options
 * @returns {Promise<any>} the JSON answer; how much has arrived, for `HEAD`
 */
function attempt(method, path, bytes, file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.responseType = 'json';
    request.setRequestHeader('Authorization', `Bearer ${session.find()?.accessToken}`);
    request.setRequestHeader('Accept-Language', locale());
    if (bytes) request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onerror = () => reject(new Refusal('OFFLINE', t('error.offline')));
    request.onabort = () => reject(new Refusal('CANCELLED', t('error.unknown')));
    request.onload = () => {
      const { status } = request;
      if (status >= 300) reject(refusal(status, request.response ?? {}, file));
      else resolve(method === 'HEAD' ? Number(request.getResponseHeader('Upload-Offset')) : request.response ?? {});
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(bytes);
  });
}
