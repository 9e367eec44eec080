/** The six reactions at hand, and a grid of more that can be searched by word in both languages. */
import { html, useState } from '/vendor/preact-htm.js';
import { folded } from '../core/format.js';
import { t } from '../core/i18n.js';

export const QUICK = ['👍', '❤️', '😊', '😮', '🙏', '✅'];

/** An emoji and its words, parted by `|`. */
const ALL = [
  '👍 pouce oui accord thumbs yes|👎 pouce non thumbs no|❤️ coeur heart love|😊 sourire smile|😮 surprise wow',
  '🙏 merci thanks please|✅ fait valide done check|👌 parfait ok|👏 bravo applause clap',
  '🎉 fete celebration party|😀 joie happy|😄 rire laugh|😂 larmes rire tears joy|🙂 sourire slight smile',
  '😉 clin oeil wink|😌 soulage relieved|😍 adore love eyes|🤔 reflexion thinking|😐 neutre neutral',
  '😕 perplexe confused|😟 inquiet worried|😢 triste sad cry|😭 pleurs sob|😡 colere angry|😱 peur scared',
  '😴 sommeil sleep|🤒 malade sick|🤝 poignee accord handshake deal|🤞 doigts croises luck fingers',
  '💪 force strong|👀 regard eyes look|👋 bonjour salut hello wave|☝️ attention point up',
  '✍️ signature ecrire write sign|💬 message parole speech|📎 trombone piece jointe paperclip|📄 document page',
  '📑 dossier tabs|📁 dossier folder|📅 date calendrier calendar|⏰ rappel alarm clock|⏳ attente hourglass wait',
  '📞 telephone call phone|✉️ courrier mail letter|🔒 confidentiel lock|🔑 cle key',
  '⚖️ justice balance droit law scales|🏛️ tribunal court|📌 epingle pin|💡 idee idea|❓ question',
  '❗ important exclamation|⚠️ attention warning|❌ non croix no cross|💯 cent parfait hundred|🔥 feu fire',
  '⭐ etoile star|🚀 fusee rocket|☀️ soleil sun|🌧️ pluie rain|☕ cafe coffee|🍀 chance luck|🎁 cadeau gift',
  '🏠 maison house logement|💶 euro argent money|✈️ avion voyage plane travel',
]
  .flatMap((line) => line.split('|'))
  .map((one) => ({ emoji: one.slice(0, one.indexOf(' ')), words: one.slice(one.indexOf(' ') + 1) }));

/** @param {{onChoose: (emoji: string) => void}} props */
export function EmojiGrid({ onChoose }) {
  const [query, setQuery] = useState('');
  const found = ALL.filter((one) => one.words.includes(folded(query.trim())));
  /** @param {KeyboardEvent} event */
  const walk = (event) => {
    const step = /** @type {Record<string, number>} */ ({ ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 })[
      event.key
    ];
    const target = /** @type {HTMLElement} */ (event.target);
    if (!step || target.tagName !== 'BUTTON') return;
    event.preventDefault();
    const all = /** @type {HTMLElement[]} */ ([...(target.parentElement?.children ?? [])]);
    all[Math.max(0, Math.min(all.length - 1, all.indexOf(target) + step))].focus();
  };
  return html`
    <div class="emoji" onKeyDown=${walk}>
      <div class="emoji-quick">
        ${QUICK.map((emoji, at) => html`
          <button key=${emoji} type="button" aria-label=${emoji} data-first=${at === 0 ? '' : undefined}
            onClick=${() => onChoose(emoji)}>${emoji}</button>`)}</div>
      <label class="field"><span>${t('emoji.search')}</span>
        <input type="search" value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
      <div class="emoji-grid">
        ${found.map(({ emoji }) => html`
          <button key=${emoji} type="button" aria-label=${emoji} onClick=${() => onChoose(emoji)}>${emoji}</button>`)}
            </div>
      ${!found.length && html`<p class="quiet">${t('emoji.none')}</p>`}
    </div>`;
}
