/** One message, or one on its way: text, files, reactions, and what is known about its fate. */
import { html } from '/vendor/preact-htm.js';
import { pieces } from '../core/links.js';
import { fullMoment, timeOfDay } from '../core/format.js';
import { locale, t, tn } from '../core/i18n.js';
import { Files } from './files.js';
import { Icon, memo } from './hooks.js';

/** Beyond so many characters or lines a message is folded until one asks for the rest. */
const FOLD_CHARACTERS = 2_400;
const FOLD_LINES = 40;

export const MessageRow = memo(({ rowKey, message, starts, ends, own, read, author, peer, flash, quote, tab, inner, tools, unfolded, on, myId }) => html`
  <article class="message ${own ? 'own' : 'peer'} ${starts ? 'starts' : ''} ${ends ? 'ends' : ''} ${flash ? 'flash' : ''}" data-key=${rowKey} data-id=${message.id}
    tabindex=${tab ? 0 : -1} aria-label=${spokenName(message, author, own, read)}>
    <div class="bubble-line">
      <div class="bubble">
        ${message.replyToId && !message.isDeleted && html`<${Quote} quote=${quote} replyToId=${message.replyToId} own=${quote?.senderId === myId} peer=${peer} inner=${inner} on=${on} />`}
        ${message.isDeleted ? html`<p class="text gone">${t('message.deleted')}</p>` : html`
          <${Files} files=${message.files} addresses=${message.attachments} inner=${inner} on=${on} messageId=${message.id} />
          <${Text} text=${message.content} unfolded=${unfolded} inner=${inner} onUnfold=${() => on.unfold(rowKey)} />`}
        <p class="foot">${message.editedAt && !message.isDeleted && html`<button class="edited" type="button" tabindex=${inner} onClick=${() => on.info(message)}>${t('message.edited')}</button>`}
          <time datetime=${message.createdAt} title=${fullMoment(message.createdAt, locale())}>${timeOfDay(message.createdAt, locale())}</time>
          ${own && !message.isDeleted && html`<${Fate} read=${read} readAt=${message.readAt} />`}</p>
      </div>
      ${tools && !message.isDeleted && html`<div class="tools">
        <button class="icon-button" type="button" tabindex="-1" aria-label=${t('message.react')} onClick=${(e) => on.react(message, e.currentTarget)}><${Icon} name="smile" /></button>
        <button class="icon-button" type="button" tabindex="-1" aria-label=${t('message.reply')} onClick=${() => on.reply(message)}><${Icon} name="reply" /></button>
        <button class="icon-button" type="button" tabindex="-1" aria-label=${t('message.more')} onClick=${(e) => on.menu(message, e.currentTarget)}><${Icon} name="more" /></button>
      </div>`}
    </div>
    ${message.reactions?.length > 0 && html`<${Reactions} message=${message} myId=${myId} peer=${peer} inner=${inner} on=${on} />`}
  </article>`);

/** @param {any} message @param {any} author @param {boolean} own @param {boolean} read */
function spokenName(message, author, own, read) {
  const name = t('message.by', { name: own ? t('person.you') : author.name, time: timeOfDay(message.createdAt, locale()) });
  if (!own || message.isDeleted) return name;
  return `${name}, ${read ? t('fate.read') : t('fate.sent')}`;
}

/** Whether the other one has read it, told by shape and word. @param {{read: boolean, readAt: string|null}} props */
function Fate({ read, readAt }) {
  if (!read) return html`<span class="fate"><${Icon} name="check" label=${t('fate.sent')} /></span>`;
  return html`<span class="fate read"><${Icon} name="checks" /><span>${readAt ? t('fate.readAt', { time: timeOfDay(readAt, locale()) }) : t('fate.read')}</span></span>`;
}

/** What a message answers: one line that leads there. @param {any} props */
function Quote({ quote, replyToId, own, peer, inner, on }) {
  const text = !quote ? '…' : quote.isDeleted ? t('message.deleted') : quote.content || tn('file.count', quote.files.length);
  return html`<button class="quote" type="button" tabindex=${inner} onClick=${() => on.jump(replyToId)}>
    <span class="quote-name">${!quote ? '' : own ? t('person.you') : peer.name}</span><span class="ellipsis" dir="auto">${text.slice(0, 140)}</span></button>`;
}

/** @param {any} props */
function Reactions({ message, myId, peer, inner, on }) {
  return html`<div class="reactions">${message.reactions.map((one) => {
    const mine = one.userIds.includes(myId);
    const who = one.userIds.map((id) => (id === myId ? t('person.you') : id === peer.id ? peer.name : '…')).join(', ');
    return html`<button key=${one.emoji} class="reaction" type="button" tabindex=${inner} aria-pressed=${mine ? 'true' : 'false'} title=${who}
      aria-label=${t('reaction.by', { emoji: one.emoji, who })} onClick=${() => on.toggle(message, one.emoji)}><span aria-hidden="true">${one.emoji}</span>${one.userIds.length > 1 && html`<span>${one.userIds.length}</span>`}</button>`;
  })}</div>`;
}

export const EntryRow = memo(({ entry, starts, ends, quote, peer, myId, tab, inner, on }) => html`
  <article class="message own ${starts ? 'starts' : ''} ${ends ? 'ends' : ''} ${entry.stage}" data-key=${entry.clientMessageId} tabindex=${tab ? 0 : -1}
    aria-label=${`${t('message.by', { name: t('person.you'), time: timeOfDay(entry.createdAt, locale()) })}, ${entry.stage === 'failed' ? t('fate.failed') : t('fate.waiting')}`}>
    <div class="bubble-line"><div class="bubble">
      ${entry.replyToId && html`<${Quote} quote=${quote} replyToId=${entry.replyToId} own=${quote?.senderId === myId} peer=${peer} inner=${inner} on=${on} />`}
      <${Files} files=${entry.files} addresses=${null} inner=${inner} on=${on} messageId=${0} />
      <${Text} text=${entry.content} unfolded=${false} inner=${inner} onUnfold=${null} />
      <p class="foot"><time datetime=${entry.createdAt}>${timeOfDay(entry.createdAt, locale())}</time>
        <span class="fate">${entry.stage === 'failed' ? html`<${Icon} name="warn" label=${t('fate.failed')} />` : html`<${Icon} name="clock" label=${t('fate.waiting')} />`}</span></p>
    </div></div>
    ${entry.stage === 'failed' && html`<div class="refusal" role="alert"><p>${entry.reason ?? t('error.unknown')}</p>
      <p class="refusal-ways"><button class="link" type="button" onClick=${() => on.retry(entry)}>${t('entry.retry')}</button>
        <button class="link" type="button" onClick=${() => on.reword(entry)}>${t('entry.edit')}</button>
        <button class="link" type="button" onClick=${() => on.discard(entry)}>${t('entry.discard')}</button></p></div>`}
  </article>`);

/** Plain text with its addresses made clickable; drawn as text nodes, whatever it contains. @param {{text: string, unfolded: boolean, inner: number, onUnfold: (() => void)|null}} props */
function Text({ text, unfolded, inner, onUnfold }) {
  if (!text) return null;
  const shown = unfolded || !onUnfold ? text : folded(text);
  return html`<p class="text" dir="auto">${pieces(shown).map((piece) => (piece.href
    ? html`<a href=${piece.href} target="_blank" rel="noopener noreferrer nofollow" tabindex=${inner}>${piece.text}</a>` : piece.text))}${shown !== text && '…'}</p>
    ${shown !== text && html`<button class="link unfold" type="button" tabindex=${inner} onClick=${onUnfold}>${t('message.unfold')}</button>`}`;
}

/** @param {string} text */
function folded(text) {
  let lines = 0;
  for (let at = 0; at < Math.min(text.length, FOLD_CHARACTERS * 1.25); at += 1) {
    if (text[at] === '\n' && (lines += 1) === FOLD_LINES) return text.slice(0, at);
  }
  if (text.length <= FOLD_CHARACTERS * 1.25) return text;
  const space = text.lastIndexOf(' ', FOLD_CHARACTERS);
  return [...text.slice(0, space > FOLD_CHARACTERS / 2 ? space : FOLD_CHARACTERS)].join('').replace(/[\uD800-\uDBFF]$/, '');
}
