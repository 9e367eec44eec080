/**
 * What must outlive a reload, per person: messages on the way and drafts with their files. IndexedDB, or memory where a
 * browser refuses it or does not answer (then `durable` is false).
 *
 * The bytes of files lie apart and are written once: a draft is written at each pause in writing, and may have 20 files
 * of 100 MiB.
 *
 * @typedef {{durable: boolean, all: (store: StoreName) => Promise<any[]>,
 *   find: (store: StoreName, key: any) => Promise<any>,
 *   put: (store: StoreName, record: any) => Promise<void>,
 *   remove: (store: StoreName, key: any) => Promise<void>,
 *   file: (key: string) => Promise<Blob|undefined>, close: () => void}} Storage
 * @typedef {'outbox'|'drafts'} StoreName
 */

/** How long a browser may take to open it: one whose disk hangs must not keep anybody from writing. */
const OPENS_WITHIN_MS = 3_000;

/**
 * @param {number} userId
 * @returns {Promise<Storage>}
 */
export async function open(userId) {
  try {
    return await indexed(await opened(`lexchat-${userId}`));
  } catch {
    return memory();
  }
}

/**
 * @param {string} name
 * @returns {Promise<IDBDatabase>} rejects when it is refused, held by another window, or does not answer
 */
function opened(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 2);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new Error('no answer'));
    }, OPENS_WITHIN_MS);
    opening.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) {
        opening.result.createObjectStore('outbox', { keyPath: 'clientMessageId' });
        opening.result.createObjectStore('drafts', { keyPath: 'conversationId' });
      }
      opening.result.createObjectStore('files', { keyPath: 'key' });
    };
    opening.onblocked = () => reject(new Error('held by another window'));
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      clearTimeout(timer);
      if (late) opening.result.close();
      else resolve(opening.result);
    };
  });
}

/**
 * @param {IDBDatabase} db
 * @returns {Storage}
 */
function indexed(db) {
  db.onversionchange = () => db.close();
  return {
    durable: true,
    all: (store) => joined(db, store),
    find: async (store, key) => (await joined(db, store, key))[0],
    put: (store, record) =>
      committed(db, (rows) => {
        rows(store).put({ ...record, files: record.files.map(({ blob, ...file }) => file) });
        for (const { key, blob } of record.files) if (blob) putOnce(rows('files'), { key, blob });
      }),
    remove: (store, key) =>
      committed(db, (rows) => {
        rows(store).delete(key);
        sweep(rows);
      }),
    file: async (key) => (await settled(db.transaction('files').objectStore('files').get(key)))?.blob,
    close: () => db.close(),
  };
}

const ALL = ['outbox', 'drafts', 'files'];

/** @typedef {(store: string) => IDBObjectStore} Rows */

/**
 * Done when it is on disk, as far as the browser promises.
 * @param {IDBDatabase} db
 * @param {(rows: Rows) => void} write
 * @returns {Promise<void>}
 */
function committed(db, write) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(ALL, 'readwrite', { durability: 'strict' });
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    write((store) => transaction.objectStore(store));
  });
}

/**
 * The records of a store, or the one with a key, each file with its bytes.
 * @param {IDBDatabase} db
 * @param {StoreName} store
 * @param {any} [key]
 * @returns {Promise<any[]>}
 */
async function joined(db, store, key) {
  const transaction = db.transaction([store, 'files']);
  const [records, files] = await Promise.all([
    settled(transaction.objectStore(store).getAll(key)),
    settled(transaction.objectStore('files').getAll()),
  ]);
  const blobs = new Map(files.map((file) => [file.key, file.blob]));
  return records.map((record) => ({
    ...record,
    files: record.files.map((file) => ({ blob: blobs.get(file.key), ...file })),
  }));
}

/**
 * @param {IDBObjectStore} files
 * @param {{key: string, blob: Blob}} file
 */
function putOnce(files, file) {
  const known = files.getKey(file.key);
  known.onsuccess = () => known.result === undefined && files.put(file);
}

/** Lets go of the bytes that no record names any more. @param {Rows} rows */
function sweep(rows) {
  const kept = rows('files').getAllKeys();
  kept.onsuccess = () => {
    if (!kept.result.length) return;
    const records = [rows('outbox').getAll(), rows('drafts').getAll()];
    records[1].onsuccess = () => {
      const named = new Set(
        records.flatMap(({ result }) => result).flatMap(({ files }) => files.map((file) => file.key)),
      );
      for (const key of kept.result) if (!named.has(key)) rows('files').delete(key);
    };
  };
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Storage} */
export function memory() {
  /** @type {Record<StoreName, Map<any, any>>} */
  const stores = { outbox: new Map(), drafts: new Map() };
  const keyOf = { outbox: 'clientMessageId', drafts: 'conversationId' };
  return {
    durable: false,
    all: async (store) => [...stores[store].values()],
    find: async (store, key) => stores[store].get(key),
    file: async () => undefined,
    put: async (store, record) => void stores[store].set(record[keyOf[store]], record),
    remove: async (store, key) => void stores[store].delete(key),
    close: () => {},
  };
}
