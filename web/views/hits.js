/** What a search has found, marked in the message that it leads to. Browsers without highlights show it without. */

const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 100;

/**
 * @param {number} id the message
 * @param {string} snippet with the hits in ⟦…⟧
 */
export function markWhenShown(id, snippet) {
  const words = [...snippet.matchAll(/⟦([^⟧]+)⟧/g)].map(([, word]) => word.toLowerCase());
  if (!words.length || !('highlights' in CSS)) return;
  CSS.highlights.delete('hit');
  const until = Date.now() + PATIENCE_MS;
  const timer = setInterval(() => {
    const text = document.querySelector(`.timeline article[data-id="${id}"] .text`);
    if (text) CSS.highlights.set('hit', new Highlight(...rangesOf(text, new Set(words))));
    if (text || Date.now() > until) clearInterval(timer);
  }, LOOK_EVERY_MS);
}

/**
 * Where some words stand in an element's text.
 * @param {Element} element
 * @param {Set<string>} words lower case
 */
function rangesOf(element, words) {
  const ranges = [];
  const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    const text = (node.textContent ?? '').toLowerCase();
    for (const word of words) {
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
    }
  }
  return ranges;
}
