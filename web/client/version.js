/**
 * Notices that the server serves another version than this page, and takes it when nobody is at
 * work: drafts and messages on the way are
 * in storage, so nothing is lost by loading anew. The server writes into page and service worker
 * which version they are of.
 */

const IDLE_MS = 60_000;

let touchedAt = Date.now();
/** @type {ReturnType<typeof setInterval>|undefined} */
let waiting;

for (const name of ['pointerdown', 'keydown', 'wheel', 'touchstart'])
  addEventListener(
    name,
    () => {
      touchedAt = Date.now();
    },
    { passive: true, capture: true },
  );

/** Asks which version is served; called each time the connection is back. */
export async function check() {
  const answer = await fetch('/sw.js', { cache: 'no-store' }).catch(() => null);
  const served = answer?.ok && (await answer.text().catch(() => ''));
  if (!served || waiting || served.includes(/** @type {string} */ (document.documentElement.dataset.version))) return;
  waiting = setInterval(() => {
    if (Date.now() - touchedAt <= IDLE_MS || document.querySelector('dialog[open], .call')) return;
    // Once: another one would begin a loading anew that takes longer than this pause.
    clearInterval(waiting);
    location.reload();
  }, 5_000);
}
