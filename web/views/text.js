/**
 * A text as it is read: formatted lightly, addresses clickable, and folded when it is long. Drawn as text, never as
 * markup.
 */
import { html } from '/vendor/preact-htm.js';
import { blocks } from '../core/formatting.js';
import { t } from '../core/i18n.js';

/** Beyond so many characters or lines a message is folded until one asks for the rest. */
const FOLD_CHARACTERS = 2_400;
const FOLD_LINES = 40;

/** @param {{text: string, unfolded: boolean, inner: number, onUnfold: () => void}} props */
export function Text({ text, unfolded, inner, onUnfold }) {
  if (!text) return null;
  const shown = unfolded ? text : folded(text);
  const isFolded = shown !== text;
  return html`<div class="text" dir="auto">${blocks(shown).map((block) => drawn(block, inner))}${isFolded && '…'}</div>
    ${isFolded && html`
      <button class="link unfold" type="button" tabindex=${inner} onClick=${onUnfold}>
        ${t('message.unfold')}</button>`}`;
}

/**
 * @param {import('../core/formatting.js').Block} block
 * @param {number} inner
 */
function drawn(block, inner) {
  switch (block.kind) {
    case 'block':
      return html`<pre tabindex=${inner}><code>${block.text}</code></pre>`;
    case 'quote':
      return html`<blockquote>${parts(block.parts, inner)}</blockquote>`;
    case 'list': {
      const items = block.items.map((item) => html`<li>${parts(item, inner)}</li>`);
      return block.start === null ? html`<ul>${items}</ul>` : html`<ol start=${block.start}>${items}</ol>`;
    }
    default:
      return html`<p>${parts(block.parts, inner)}</p>`;
  }
}

/**
 * @param {import('../core/formatting.js').Inline[]} inline
 * @param {number} inner
 */
function parts(inline, inner) {
  return inline.map((part) => {
    switch (part.kind) {
      case 'bold':
        return html`<strong>${parts(part.parts, inner)}</strong>`;
      case 'italic':
        return html`<em>${parts(part.parts, inner)}</em>`;
      case 'code':
        return html`<code>${part.text}</code>`;
      default:
        return part.href ? html`<a href=${part.href} target="_blank" rel="noopener noreferrer nofollow"
          tabindex=${inner}>${part.text}</a>` : part.text;
    }
  });
}

/** @param {string} text */
function folded(text) {
  let lines = 0;
  for (let at = 0; at < Math.min(text.length, FOLD_CHARACTERS * 1.25); at += 1) {
    if (text[at] === '\n' && (lines += 1) === FOLD_LINES) return text.slice(0, at);
  }
  if (text.length <= FOLD_CHARACTERS * 1.25) return text;
  const space = text.lastIndexOf(' ', FOLD_CHARACTERS);
  return text.slice(0, space > FOLD_CHARACTERS / 2 ? space : FOLD_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '');
}
