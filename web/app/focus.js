/**
 * The focus is never lost: where what had it goes away, is hidden or takes no more presses, what stands nearest to it
 * has the focus then. Whoever lets go of it with the pointer is left alone.
 *
 * @typedef {{node: HTMLElement, place: number}[]} Trail an element and all that it stands in, from inside out, each
 *   with its place among its siblings
 */

const CAN_HAVE_IT = 'a[href], button, input, select, textarea, summary, [tabindex]';
/** Views that put the focus somewhere themselves have done it by then. */
const MEND_AFTER_MS = 50;
/** How long a button may be busy before its neighbour has the focus. */
const BUSY_FOR_MS = 2_000;

/** What had the focus last; empty once it was let go of. @type {Trail} */
let trail = [];
/** The same outside of dialogs: where one is again when a dialog is gone. @type {Trail} */
let below = [];
/** @type {ReturnType<typeof setTimeout>} */
let mending;

let isKept = false;

/** Begins once. */
export function keepFocus() {
  if (isKept) return;
  isKept = true;
  document.addEventListener('focusin', ({ target }) => entered(/** @type {HTMLElement} */ (target)));
  document.addEventListener('focusout', ({ relatedTarget }) => relatedTarget ?? setTimeout(letGo));
  const attributeFilter = ['disabled', 'hidden', 'data-at'];
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributeFilter });
  if (document.activeElement instanceof HTMLElement && !isNowhere()) entered(document.activeElement);
}

const isNowhere = () => (document.activeElement ?? document.body) === document.body;

/** @param {HTMLElement} node */
const isThere = (node) => node.isConnected && !node.matches(':disabled') && node.checkVisibility?.() !== false;

/** @param {HTMLElement} target */
function entered(target) {
  trail = [];
  for (let node = target; node && node !== document.body; node = /** @type {any} */ (node.parentElement)) {
    trail.push({ node, place: [...(node.parentElement?.children ?? [])].indexOf(node) });
  }
  if (!target.closest('dialog')) below = trail;
}

function letGo() {
  if (isNowhere() && trail[0] && isThere(trail[0].node)) trail = [];
}

function look() {
  if (!trail.length || !isNowhere()) return;
  clearTimeout(mending);
  const isBusy = trail[0].node.isConnected && trail[0].node.matches(':disabled');
  mending = setTimeout(mend, isBusy ? BUSY_FOR_MS : MEND_AFTER_MS);
}

function mend() {
  if (!trail.length || !isNowhere()) return;
  const dialog = /** @type {HTMLElement|undefined} */ ([...document.querySelectorAll('dialog[open]')].at(-1));
  const isOver = trail.some(({ node }) => node.matches('dialog') && !(node.isConnected && node.matches('[open]')));
  const from = isOver ? below : trail;
  const goal = nearest(dialog ? from.filter(({ node }) => dialog.contains(node)) : from)
    ?? firstIn(dialog ?? document.body);
  goal?.focus({ preventScroll: true });
}

/**
 * @param {Trail} from
 * @returns {HTMLElement|null} itself where it can have the focus; else what follows it, or comes before it, in the
 *   smallest of what it stands in
 */
function nearest(from) {
  if (from[0] && isThere(from[0].node)) return from[0].node;
  for (let at = 1; at < from.length; at += 1) {
    const { node } = from[at];
    if (!isThere(node)) continue;
    const children = /** @type {HTMLElement[]} */ ([...node.children]);
    const { place } = from[at - 1];
    for (const child of [...children.slice(place), ...children.slice(0, place).reverse()]) {
      const goal = firstIn(child);
      if (goal) return goal;
    }
  }
  return null;
}

/** @param {HTMLElement} box @returns {HTMLElement|null} the first in it that is reached by the Tab key, or itself */
function firstIn(box) {
  const all = /** @type {HTMLElement[]} */ ([box, ...box.querySelectorAll(CAN_HAVE_IT)]);
  // A field would bring up the keyboard of a telephone.
  const isTouch = matchMedia('(pointer: coarse)').matches;
  const fits = (one) => one.matches(CAN_HAVE_IT) && one.tabIndex >= 0 && isThere(one);
  return all.find((one) => fits(one) && !(isTouch && one.matches('input, textarea'))) ?? null;
}
