/**
 * What must outlive a reload, per person: messages on the way and drafts with their files. IndexedDB, or memory where a
 * browser refuses it (then `durable` is false, and the page says so).
 *
 * @typedef {{durable: boolean, all: (store: StoreName) => Promise<any[]>, put: (store: StoreName, record: any) => Promise<void>,
 *   remove: (store: StoreName, key: any) => Promise<void>, clear: () => Promise<void>, close: () => void}} Storage
 * @typedef {'outbox'|'drafts'} StoreName
 */

/** @param {number} userId @returns {Promise<Storage>} */
export async function open(userId) {
  try {
    return await indexed(`lexchat-${userId}`);
  } catch {
    return memory();
  }
}

/** @param {string} name @returns {Promise<Storage>} */
async function indexed(name) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('outbox', { keyPath: 'clientMessageId' });
    opening.result.createObjectStore('drafts', { keyPath: 'conversationId' });
  };
  const db = await settled(opening);
  db.onversionchange = () => db.close();
  return {
    durable: true,
    all: (store) => settled(db.transaction(store).objectStore(store).getAll()),
    put: (store, record) => committed(db, store, (rows) => rows.put(record)),
    remove: (store, key) => committed(db, store, (rows) => rows.delete(key)),
    clear: async () => {
      await committed(db, 'outbox', (rows) => rows.clear());
      await committed(db, 'drafts', (rows) => rows.clear());
    },
    close: () => db.close(),
  };
}

/** Done when it is on disk, as far as the browser promises. @param {IDBDatabase} db @param {StoreName} store @param {(rows: IDBObjectStore) => void} write @returns {Promise<void>} */
function committed(db, store, write) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(store, 'readwrite', { durability: 'strict' });
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    write(transaction.objectStore(store));
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
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
    put: async (store, record) => void stores[store].set(record[keyOf[store]], record),
    remove: async (store, key) => void stores[store].delete(key),
    clear: async () => {
      stores.outbox.clear();
      stores.drafts.clear();
    },
    close: () => {},
  };
}
