/**
 * The page without its server: its files are kept in the browser, so that a reload while nothing
 * answers still shows it, with what
 * waits to be sent.
 *
 * Keeps these files, and what another app shares until it is sent: no answer of the API, no attachment, nothing that is
 * asked for with a token. The network comes
 * first, and what is kept answers only where it does not. The server writes here which files the
 * page has, and of which version they
 * are: another version is another worker, which keeps its own files and lets go of the earlier ones.
 */
const KEPT = 'lexchat-{version}';
const FILES = '{files}'.split(' ');

/** The addresses that open the page; the test page's is left alone. */
const LINKS = 'invitation|installation|mot-de-passe|confirmation';
const PLACES = new RegExp(
  `^/(c/.+|factures.*|recherche|partage|moi|admin|inscription|connexion|mot-de-passe|(${LINKS})/.+)?$`,
);

/** Where other apps bring what is shared, and where it is kept; `views/share.js` knows both. */
const SHARED = '/partage';
const SHARED_KEPT = 'shared-lexchat';

const worker = /** @type {any} */ (self);

worker.addEventListener('install', (event) => {
  worker.skipWaiting();
  event.waitUntil(
    caches.open(KEPT).then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: 'no-cache' })))),
  );
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([forgetOthers(), worker.clients.claim()]));
});

worker.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  const path = mode === 'navigate' && PLACES.test(pathname) ? '/' : pathname;
  if (origin !== location.origin) return;
  if (method === 'GET' && FILES.includes(path)) event.respondWith(answer(event.request, path));
  else if (method === 'POST' && pathname === SHARED) event.respondWith(taken(event.request));
});

/**
 * @param {Request} request
 * @param {string} path of the file that it is about
 * @returns {Promise<Response>}
 */
async function answer(request, path) {
  const fresh = await fetch(request).catch(() => null);
  // A proxy in front of a server that is gone answers for it.
  if (fresh && fresh.status < 500) return fresh;
  return (await caches.match(path, { cacheName: KEPT, ignoreVary: true })) ?? fresh ?? Response.error();
}

/**
 * What another app shares is kept until the page has asked to whom it goes.
 * @param {Request} request a form, as the manifest says
 */
async function taken(request) {
  const form = await request.formData();
  const texts = ['title', 'text', 'url'].map((name) => form.get(name)).filter(Boolean);
  const files = /** @type {File[]} */ (form.getAll('files'));
  await caches.delete(SHARED_KEPT);
  const cache = await caches.open(SHARED_KEPT);
  await cache.put(`${SHARED}/text`, new Response(texts.join('\n')));
  await Promise.all(files.map((file, at) =>
    cache.put(`${SHARED}/${at}/${encodeURIComponent(file.name)}`, new Response(file)),
  ));
  return Response.redirect(SHARED, 303);
}

/** What is said of a push that says nothing: it was too much for its service. */
const PLAIN = navigator.language.startsWith('en') ? 'You have a new message' : 'Vous avez un nouveau message';

/** The kinds of pushes whose tag stands for a conversation. */
const OF_CONVERSATIONS = ['messages', 'call', 'missed-call', 'call-elsewhere'];

worker.addEventListener('push', (event) => event.waitUntil(shown(event.data)));

/**
 * Whatever comes is shown, for a browser that was woken for nothing takes the permission away. What has the same tag
 * takes the place of what is there. It names no conversation: the page asks the server which one its tag stands for.
 * @param {{json: () => any}|null} data `{kind, tag, title, body, url}`
 */
async function shown(data) {
  const { kind, tag = 'lexchat', title = 'lexchat', body = PLAIN, url } = readable(data);
  const place = typeof url === 'string' && /^\/(?![/\\])/.test(url) ? url : '/';
  const open = OF_CONVERSATIONS.includes(kind) && place === '/' ? `/?avis=${encodeURIComponent(tag)}` : place;
  const icon = '/favicon.svg';
  // A call stays until it is answered or over, and what says that somebody took it is no reason to look up.
  const silent = kind === 'call-elsewhere';
  const options = { body, tag, icon, silent, renotify: !silent, requireInteraction: kind === 'call' };
  await worker.registration.showNotification(title, { ...options, data: { kind, open } });
}

/** @param {{json: () => any}|null} data */
function readable(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

/** The push service gives another address: a page registers it, now or when one is opened. */
worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribedAgain(event.oldSubscription)));

/** @param {PushSubscription|null} old */
async function subscribedAgain(old) {
  const options = old?.options;
  if (options?.applicationServerKey) await worker.registration.pushManager.subscribe(options).catch(() => null);
  const windows = await worker.clients.matchAll({ type: 'window' });
  for (const window of windows) window.postMessage({ subscription: 'changed' });
}

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(opened(event.notification.data?.open ?? '/'));
});

/** Shows a place in a window that is there, else in a new one. @param {string} path */
async function opened(path) {
  const [window] = await worker.clients.matchAll({ type: 'window' });
  if (!window) return worker.clients.openWindow(path);
  window.postMessage({ open: path });
  return window.focus();
}

/** Other pages of this origin have caches of their own. */
async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith('lexchat-') && name !== KEPT).map((name) => caches.delete(name)),
  );
}
