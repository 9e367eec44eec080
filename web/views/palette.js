/** Ctrl+K: people and messages in one field. And `?`: the list of keys. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/conversations.js';
import { folded } from '../core/format.js';
import { t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { shared } from '../client/kept.js';
import { Dialog } from './dialog.js';
import { markWhenShown } from './hits.js';
import { useDebounced } from './hooks.js';
import { Avatar, roleOf } from './person.js';
import { Marked } from './search.js';
import { whenInShort } from './wording.js';

const PEOPLE_MAX = 6;
const MESSAGES_MAX = 8;

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State}} props */
export function Palette({ app, state }) {
  const [query, setQuery] = useState('');
  const [found, setFound] = useState(/** @type {any[]} */ ([]));
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLElement|null} */ (null));

  useDebounced(
    async (isCurrent) => {
      const results = query.trim() ? await foundBy(query.trim()) : [];
      if (isCurrent()) setFound(results);
    },
    [query],
  );
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);

  const messages = found.map((result) => ofMessage(state, result));
  const choices = [...peopleBy(state, query), ...messages, ...ofAll(query.trim())];
  const chosen = Math.min(at, choices.length - 1);
  /** @param {Choice} choice */
  const open = ({ go, opened }) => {
    // What was jumped to before may be chosen again.
    if (app.client) app.client.timelines.open.target = 0;
    app.go(go);
    opened?.();
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      event.preventDefault();
      setAt((chosen + step + choices.length) % Math.max(1, choices.length));
    } else if (event.key === 'Enter' && choices[chosen]) {
      event.preventDefault();
      open(choices[chosen]);
    }
  };
  const typed = (event) => {
    setQuery(event.target.value);
    setFound([]);
    setAt(0);
  };
  return html`
    <${Dialog} title=${t('search.label')} kind="palette" plain onClose=${app.closeDialog}>
      <input class="palette-field" type="search" data-first role="combobox" aria-expanded="true" autocomplete="off"
        aria-controls="palette-list" aria-autocomplete="list" aria-label=${t('palette.label')}
        aria-activedescendant=${choices[chosen] ? `palette-${choices[chosen].key}` : undefined}
        placeholder=${t('palette.label')} value=${query} onInput=${typed} onKeyDown=${key} />
      <ul class="palette-list" id="palette-list" role="listbox" aria-label=${t('palette.results')} ref=${list}>
        ${choices.map((choice, index) => html`
          <li key=${choice.key} id=${`palette-${choice.key}`} role="option" class="row"
            aria-selected=${index === chosen ? 'true' : 'false'} onClick=${() => open(choice)}
            onPointerMove=${() => index !== chosen && setAt(index)}>${choice.view}</li>`)}
      </ul>
    </${Dialog}>`;
}

/** @typedef {{key: string, go: string, view: any, opened?: () => void}} Choice `opened`: is told when it was */

/**
 * Messages that hold the words; none where the server does not answer.
 * @param {string} query
 * @returns {Promise<any[]>}
 */
async function foundBy(query) {
  const asked = `/messages/search?limit=${MESSAGES_MAX}&q=${encodeURIComponent(query)}`;
  return (await api.get(asked).catch(() => null))?.results ?? [];
}

/**
 * @param {import('../core/state.js').State} state
 * @param {string} query
 * @returns {Choice[]} conversations with people whose name holds every word
 */
function peopleBy(state, query) {
  const words = folded(query.trim()).split(/\s+/);
  const all = listed(state, 'all').map(({ id, ...one }) => ({ id, peer: peerOf({ id, ...one }, state.me?.id ?? 0) }));
  const named = all.filter(({ peer }) => words.every((word) => folded(peer.name).includes(word)));
  return named.slice(0, PEOPLE_MAX).map(({ id, peer }) => ({
    key: `c${id}`,
    go: `/c/${id}`,
    view: html`<${Avatar} person=${peer} size="small" /><span class="row-body">
      <span class="ellipsis" dir="auto">${peer.name}</span><span class="row-role">${roleOf(peer)}</span></span>`,
  }));
}

/**
 * @param {import('../core/state.js').State} state
 * @param {{message: any, snippet: string}} result
 * @returns {Choice}
 */
function ofMessage(state, { message: { id, conversationId, senderId, createdAt }, snippet }) {
  const conversation = state.conversations[conversationId];
  const myId = state.me?.id ?? 0;
  const name = senderId === myId ? t('person.you') : conversation ? peerOf(conversation, myId).name : '';
  return {
    key: `m${id}`,
    go: `/c/${conversationId}/m/${id}`,
    opened: () => markWhenShown(id, snippet),
    view: html`<span class="row-body">
      <span class="row-top"><span class="row-role ellipsis">${name}</span>
        <time class="row-time">${whenInShort(createdAt)}</time></span>
      <span class="palette-text"><${Marked} text=${snippet} /></span></span>`,
  };
}

/** @param {string} query @returns {Choice[]} the way to all results */
function ofAll(query) {
  if (!query) return [];
  const view = html`<span class="row-body">${t('palette.all', { query })}</span>`;
  return [{ key: 'all', go: `/recherche?q=${encodeURIComponent(query)}`, view }];
}

/** @param {{app: import('../app/create.js').App}} props */
export function Keys({ app }) {
  const sendsByCtrl = shared.get('lexchat.send') === 'ctrl';
  /** @type {[string, string][]} */
  const general = [
    ['Ctrl K', t('keys.palette')],
    ['Alt ↑ ↓', t('keys.walk')],
    [sendsByCtrl ? `Ctrl ${t('key.enter')}` : t('key.enter'), t('keys.send')],
    [sendsByCtrl ? t('key.enter') : t('key.shiftEnter'), t('keys.break')],
    ['↑', t('keys.editLast')],
    [t('key.escape'), t('keys.cancel')],
    [t('key.end'), t('keys.end')],
    ['?', t('keys.list')],
  ];
  /** @type {[string, string][]} */
  const message = [
    ['↑ ↓', t('keys.messages')],
    ['R', t('message.reply')],
    ['E', t('message.edit')],
    [t('key.delete'), t('message.delete')],
    ['+', t('message.react')],
    ['C', t('message.copy')],
    ['I', t('message.info')],
  ];
  const table = (rows) =>
    html`<dl class="keys">
      ${rows.map(([key, what]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>`;
  return html`<${Dialog} title=${t('keys.title')} onClose=${app.closeDialog}>${table(general)}<h3>
    ${t('keys.onMessage')}</h3>${table(message)}</${Dialog}>`;
}
