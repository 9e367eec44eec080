/** What one can do to a message, each in its dialog: the menu, reacting, what is known about it, deleting. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { peerOf } from '../core/conversations.js';
import { mayChange } from '../core/editing.js';
import { fullMoment } from '../core/format.js';
import { fateOf } from '../core/receipts.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Dialog } from './dialog.js';
import { EmojiGrid, QUICK } from './emoji.js';
import { Icon } from './hooks.js';

/**
 * @param {import('../core/state.js').State} state
 * @param {{conversationId: number, messageId: number}} data
 */
function found(state, { conversationId, messageId }) {
  return state.timelines[conversationId]?.items.find((one) => one.id === messageId) ?? null;
}

/**
 * What may be done to a message: its icon, its name, its key, and the doing.
 * @param {import('../app/create.js').App} app
 * @param {import('../core/state.js').State} state
 * @param {any} data
 * @param {import('../core/state.js').Message} message
 * @param {(act: () => void) => () => any} closing
 * @returns {[any, string, string, () => void][]}
 */
function waysOf(app, state, data, message, closing) {
  const client = /** @type {import('../client/client.js').Client} */ (app.client);
  const { conversationId } = data;
  const address = `${location.origin}/c/${conversationId}/m/${message.id}`;
  const own = message.senderId === client.me.id;
  const mayBeChanged = mayChange(message, state.me ?? client.me);
  const isClosed = state.conversations[conversationId]?.isActive === false;
  const isUnread = !own && message.id > (state.conversations[conversationId]?.lastReadMessageId ?? 0);
  const edit = closing(() => client.sending.beginEdit(conversationId, message));
  const unreadFrom = closing(() => markUnread(app, conversationId, message.id));
  const readTo = closing(() => client.marks.mark(conversationId, message.id));
  /** @type {([any, string, string, () => void]|false)[]} */
  const ways = [
    !isClosed && ['reply', t('message.reply'), 'R', closing(() => client.drafts.answer(conversationId, message.id))],
    mayBeChanged && ['edit', t('message.edit'), 'E', edit],
    ['copy', t('message.copy'), 'C', closing(() => app.copy(message.content))],
    ['link', t('message.copyLink'), '', closing(() => app.copy(address))],
    isUnread && ['checks', t('message.readTo'), '', readTo],
    !own && !isUnread && ['unread', t('message.unreadFrom'), '', unreadFrom],
    ['info', t('message.info'), 'I', () => app.open('info', data)],
    mayBeChanged && ['trash', t('message.delete'), t('key.delete'), () => app.open('remove', data)],
  ];
  return ways.filter((way) => way !== false);
}

/**
 * From this message on it is unread again, for oneself alone. Who stayed would read it at once.
 * @param {import('../app/create.js').App} app
 * @param {number} conversationId
 * @param {number} messageId
 */
async function markUnread(app, conversationId, messageId) {
  app.go('/');
  const client = /** @type {import('../client/client.js').Client} */ (app.client);
  const reply = await client.ask('conversation:unread', { conversationId, messageId });
  if (reply) client.dispatch({ type: 'conversationChanged', conversation: reply.conversation });
}

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State, data: any}} props */
export function MenuDialog({ app, state, data }) {
  const message = found(state, data);
  const client = /** @type {import('../client/client.js').Client} */ (app.client);
  if (!message || message.isDeleted) return null;
  const closing = (act) => () => app.closeDialog().then(act);
  const ways = waysOf(app, state, data, message, closing);
  /** @param {KeyboardEvent} event */
  const walk = (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const all = /** @type {HTMLElement[]} */ ([
      .../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('button'),
    ]);
    all[(all.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + step + all.length) % all.length].focus();
  };
  return html`
    <${Dialog} title=${t('message.more')} kind="menu" plain at=${data} onClose=${app.closeDialog}>
      <div class="menu-body" onKeyDown=${walk}>
        <div class="emoji-quick">
          ${QUICK.map((emoji) => html`
            <button key=${emoji} type="button" aria-label=${t('reaction.add', { emoji })}
              onClick=${closing(() => client.changes.react(message, emoji))}>${emoji}</button>`)}
          <button type="button" aria-label=${t('message.react')} onClick=${() => app.open('react', data)}>
            <${Icon} name="plus" /></button></div>
        ${ways.map(
          (
            [icon, text, key, act],
            at,
          ) => html`
            <button key=${icon} class="menu-item ${icon === 'trash' ? 'danger' : ''}" type="button"
              data-first=${at === 0 ? '' : undefined} onClick=${act}>
          <${Icon} name=${icon} /><span>${text}</span>${key && html`<kbd aria-hidden="true">${key}</kbd>`}</button>`,
        )}
      </div>
    </${Dialog}>`;
}

/** @param {any} props */
export function ReactDialog({ app, state, data }) {
  const message = found(state, data);
  if (!message) return null;
  return html`<${Dialog} title=${t('message.react')} kind="menu" plain at=${data} onClose=${app.closeDialog}>
    <${EmojiGrid} onChoose=${(emoji) => {
      app.closeDialog();
      app.client.changes.react(message, emoji);
    }} /></${Dialog}>`;
}

/** @param {any} props */
export function InfoDialog({ app, state, data }) {
  const message = found(state, data);
  const [revisions, setRevisions] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    if (message?.editedAt) api.get(`/messages/${message.id}/revisions`).then(setRevisions, app.client.report);
  }, [message?.editedAt]);
  if (!message) return null;
  const conversation = state.conversations[data.conversationId];
  const peer = peerOf(conversation, state.me.id);
  const own = message.senderId === state.me.id;
  const fate = fateOf(message, conversation.peerLastReadMessageId ?? 0);
  const when = message.readAt ? fullMoment(message.readAt, locale()) : t('fate.read');
  return html`
    <${Dialog} title=${t('message.info')} onClose=${app.closeDialog}>
      <dl class="facts">
        <div><dt>${t('info.sent')}</dt><dd><time datetime=${message.createdAt}>
          ${fullMoment(message.createdAt, locale())}</time></dd></div>
        ${own && html`<div><dt>${t('info.read')}</dt><dd>
          ${fate === 'sent' ? t('info.notRead', { name: peer.name }) : when}
          ${fate === 'stale' && ` · ${t('fate.stale')}`}</dd></div>`}
        ${message.editedAt
          && html`<div><dt>${t('info.edited')}</dt><dd>${fullMoment(message.editedAt, locale())}</dd></div>`}
      </dl>
      ${
        revisions.length > 0 &&
        html`<h3>${t('info.revisions')}</h3>
        <ol class="revisions">
          ${revisions.map((one) => html`<li key=${one.at}><time datetime=${one.at}>${fullMoment(one.at, locale())}
            </time><p class="revision" dir="auto">${one.content}</p></li>`)}</ol>`
      }
    </${Dialog}>`;
}

/** @param {any} props */
export function RemoveDialog({ app, data }) {
  return html`
    <${Dialog} title=${t('remove.title')} onClose=${app.closeDialog}>
      <p>${t('remove.text')}</p>
      <p class="dialog-ways"><button class="button" type="button" onClick=${app.closeDialog}>${t('dialog.cancel')}
        </button>
        <button class="button danger" type="button" data-first onClick=${() => {
          app.closeDialog();
          app.client.changes.remove(data.messageId);
        }}>${t('message.delete')}</button></p>
    </${Dialog}>`;
}
