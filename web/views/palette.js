/** Ctrl+K: people and messages in one field. And `?`: the list of keys. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/state.js';
import { folded, shortMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Dialog } from './dialog.js';
import { Avatar, roleOf } from './person.js';
import { Marked } from './search.js';

const DEBOUNCE_MS = 200;
const PEOPLE_MAX = 6;
const MESSAGES_MAX = 8;

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State}} props */
export function Palette({ app, state }) {
  const [query, setQuery] = useState('');
  const [found, setFound] = useState(/** @type {any[]} */ ([]));
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLElement|null} */ (null));
  const me = /** @type {any} */ (state.me);
  const wanted = folded(query.trim());

  useEffect(() => {
    if (!query.trim()) {
      setFound([]);
      return undefined;
    }
    let current = true;
    const timer = setTimeout(() => {
      api.get(`/messages/search?limit=${MESSAGES_MAX}&q=${encodeURIComponent(query.trim())}`).then((page) => current && setFound(page.results), () => current && setFound([]));
    }, DEBOUNCE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [query]);
  useEffect(() => { list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }); }, [at]);

  const people = listed(state, 'all').filter((one) => wanted.split(/\s+/).every((word) => folded(peerOf(one, me.id).name).includes(word))).slice(0, PEOPLE_MAX);
  const choices = [
    ...people.map((one) => ({ key: `c${one.id}`, go: `/c/${one.id}`, view: html`<${Avatar} person=${peerOf(one, me.id)} size="small" /><span class="row-body"><span class="ellipsis" dir="auto">${peerOf(one, me.id).name}</span><span class="row-role">${roleOf(peerOf(one, me.id))}</span></span>` })),
    ...found.map(({ message, snippet }) => {
      const conversation = state.conversations[message.conversationId];
      const name = message.senderId === me.id ? t('person.you') : conversation ? peerOf(conversation, me.id).name : '';
      return { key: `m${message.id}`, go: `/c/${message.conversationId}/m/${message.id}`, view: html`<span class="row-body"><span class="row-top"><span class="row-role ellipsis">${name}</span><time class="row-time">${shortMoment(message.createdAt, Date.now(), locale(), t('day.yesterdayShort'))}</time></span><span class="palette-text"><${Marked} text=${snippet} /></span></span>` };
    }),
    ...(query.trim() ? [{ key: 'all', go: `/recherche?q=${encodeURIComponent(query.trim())}`, view: html`<span class="row-body">${t('palette.all', { query: query.trim() })}</span>` }] : []),
  ];
  const chosen = Math.min(at, choices.length - 1);
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      event.preventDefault();
      setAt((chosen + step + choices.length) % Math.max(1, choices.length));
    } else if (event.key === 'Enter' && choices[chosen]) {
      event.preventDefault();
      app.go(choices[chosen].go);
    }
  };
  return html`
    <${Dialog} title=${t('search.label')} kind="palette" plain onClose=${app.closeDialog}>
      <input class="palette-field" type="search" data-first role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" autocomplete="off"
        aria-activedescendant=${choices[chosen] ? `palette-${choices[chosen].key}` : undefined} aria-label=${t('palette.label')} placeholder=${t('palette.label')}
        value=${query} onInput=${(e) => { setQuery(e.target.value); setAt(0); }} onKeyDown=${key} />
      <ul class="palette-list" id="palette-list" role="listbox" aria-label=${t('palette.results')} ref=${list}>
        ${choices.map((choice, index) => html`<li key=${choice.key} id=${`palette-${choice.key}`} role="option" aria-selected=${index === chosen ? 'true' : 'false'} class="row" onClick=${() => app.go(choice.go)} onPointerMove=${() => index !== chosen && setAt(index)}>${choice.view}</li>`)}
      </ul>
    </${Dialog}>`;
}

/** @param {{app: import('../app.js').App}} props */
export function Keys({ app }) {
  /** @type {[string, string][]} */
  const general = [['Ctrl K', t('keys.palette')], ['Alt ↑ ↓', t('keys.walk')], [t('key.enter'), t('keys.send')], [t('key.shiftEnter'), t('keys.break')], ['↑', t('keys.editLast')], [t('key.escape'), t('keys.cancel')], [t('key.end'), t('keys.end')], ['?', t('keys.list')]];
  /** @type {[string, string][]} */
  const message = [['↑ ↓', t('keys.messages')], ['R', t('message.reply')], ['E', t('message.edit')], [t('key.delete'), t('message.delete')], ['+', t('message.react')], ['C', t('message.copy')], ['I', t('message.info')]];
  const table = (rows) => html`<dl class="keys">${rows.map(([key, what]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>`;
  return html`<${Dialog} title=${t('keys.title')} onClose=${app.closeDialog}>${table(general)}<h3>${t('keys.onMessage')}</h3>${table(message)}</${Dialog}>`;
}
