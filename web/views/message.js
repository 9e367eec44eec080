/** One message, or one on its way: text, files, reactions, and what is known about its fate. */
import { html } from '/vendor/preact-htm.js';
import { pieces } from '../core/links.js';
import { timeOfDay } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Icon, memo } from './hooks.js';

export const MessageRow = memo(({ rowKey, message, starts, ends, own, read, author, flash }) => html`
  <article class="message ${own ? 'own' : 'peer'} ${starts ? 'starts' : ''} ${ends ? 'ends' : ''} ${flash ? 'flash' : ''}" data-key=${rowKey} data-id=${message.id}
    aria-label=${t('message.by', { name: author.name, time: timeOfDay(message.createdAt, locale()) })}>
    <div class="bubble">
      ${message.isDeleted ? html`<p class="text gone">${t('message.deleted')}</p>` : html`<${Text} text=${message.content} />`}
      <p class="foot"><time datetime=${message.createdAt}>${timeOfDay(message.createdAt, locale())}</time>
        ${own && !message.isDeleted && html`<${Fate} read=${read} readAt=${message.readAt} />`}</p>
    </div>
  </article>`);

/** Whether the other one has read it, told by shape and word. */
function Fate({ read, readAt }) {
  if (!read) return html`<span class="fate"><${Icon} name="check" label=${t('fate.sent')} /></span>`;
  return html`<span class="fate read"><${Icon} name="checks" /><span>${readAt ? t('fate.readAt', { time: timeOfDay(readAt, locale()) }) : t('fate.read')}</span></span>`;
}

export const EntryRow = memo(({ entry, starts, ends, app }) => html`
  <article class="message own ${starts ? 'starts' : ''} ${ends ? 'ends' : ''} ${entry.stage}" data-key=${entry.clientMessageId}
    aria-label=${t('message.by', { name: app.client.me.name, time: timeOfDay(entry.createdAt, locale()) })}>
    <div class="bubble">
      <${Text} text=${entry.content} />
      <p class="foot"><time datetime=${entry.createdAt}>${timeOfDay(entry.createdAt, locale())}</time>
        <span class="fate">${entry.stage === 'failed' ? html`<${Icon} name="warn" label=${t('fate.failed')} />` : html`<${Icon} name="clock" label=${t('fate.waiting')} />`}</span></p>
    </div>
    ${entry.stage === 'failed' && html`<div class="refusal" role="alert"><p>${entry.reason ?? t('error.unknown')}</p>
      <p class="refusal-ways"><button class="link" type="button" onClick=${() => app.client.outbox.retry(entry.clientMessageId)}>${t('entry.retry')}</button>
        <button class="link" type="button" onClick=${() => app.client.reword(entry.clientMessageId)}>${t('entry.edit')}</button>
        <button class="link" type="button" onClick=${() => app.client.outbox.discard(entry.clientMessageId)}>${t('entry.discard')}</button></p></div>`}
  </article>`);

/** Plain text with its addresses made clickable; drawn as text nodes, whatever it contains. @param {{text: string}} props */
function Text({ text }) {
  if (!text) return null;
  return html`<p class="text" dir="auto">${pieces(text).map((piece) => (piece.href
    ? html`<a href=${piece.href} target="_blank" rel="noopener noreferrer nofollow">${piece.text}</a>` : piece.text))}</p>`;
}
