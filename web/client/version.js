/**
 * Notices that the server has begun to serve another version of this page, and takes it when nobody is at work:
 * drafts and messages on the way are in storage, so nothing is lost by loading anew.
 */

const SAMPLES = ['/', '/app.js', '/style.css', '/views/palette.js'];
const IDLE_MS = 60_000;

/** @type {string|null} */
let known = null;
let touchedAt = Date.now();
/** @type {ReturnType<typeof setInterval>|undefined} */
let waiting;

for (const name of ['pointerdown', 'keydown', 'wheel', 'touchstart']) addEventListener(name, () => { touchedAt = Date.now(); }, { passive: true, capture: true });

/** Asks which version is served; called when the connection is there, and each time it is back. */
export async function check() {
  const served = await fingerprint().catch(() => null);
  if (!served) return;
  known ??= served;
  if (served === known || waiting) return;
  waiting = setInterval(() => {
    if (Date.now() - touchedAt > IDLE_MS && !document.querySelector('dialog[open]')) location.reload();
  }, 5_000);
}

/** @returns {Promise<string>} the digests that the server gives of some of the page's files */
async function fingerprint() {
  const answers = await Promise.all(SAMPLES.map((path) => fetch(path, { method: 'HEAD', cache: 'no-store' })));
  // How an answer is packed, which its tag tells too, makes no other version.
  return answers.map((answer) => answer.headers.get('ETag')?.replace(/-\w+"$/, '')).join();
}
