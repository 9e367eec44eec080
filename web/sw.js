/**
 * The page without its server: its files are kept in the browser, so that a reload while nothing answers still shows it, with what
 * waits to be sent.
 *
 * Keeps these files and nothing else: no answer of the API, no attachment, nothing that is asked for with a token. The network comes
 * first, and what is kept answers only where it does not. The server writes here which files the page has, and of which version they
 * are: another version is another worker, which keeps its own files and lets go of the earlier ones.
 */
const KEPT = 'lexchat-{version}';
const FILES = '{files}'.split(' ');

/** The addresses that open the page; the test page's is left alone. */
const PLACES = /^\/(c\/.+|recherche|moi|admin|inscription|connexion|(invitation|installation)\/.+)?$/;

const worker = /** @type {any} */ (self);

worker.addEventListener('install', (event) => {
  worker.skipWaiting();
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: 'no-cache' })))));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([forgetOthers(), worker.clients.claim()]));
});

worker.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  const path = mode === 'navigate' && PLACES.test(pathname) ? '/' : pathname;
  if (method === 'GET' && origin === location.origin && FILES.includes(path)) event.respondWith(answer(event.request, path));
});

/** @param {Request} request @param {string} path of the file that it is about @returns {Promise<Response>} */
async function answer(request, path) {
  const fresh = await fetch(request).catch(() => null);
  // A proxy in front of a server that is gone answers for it.
  if (fresh && fresh.status < 500) return fresh;
  return await caches.match(path, { cacheName: KEPT, ignoreVary: true }) ?? fresh ?? Response.error();
}

/** Other pages of this origin have caches of their own. */
async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('lexchat-') && name !== KEPT).map((name) => caches.delete(name)));
}
