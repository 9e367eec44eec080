/** Says new messages to who listens to the page: one sentence each, and one for all of a flood. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { peerOf } from '../core/state.js';
import { t, tn } from '../core/i18n.js';

const BATCH_MS = 700;
const SAID_CHARACTERS = 160;

/** @param {{state: import('../core/state.js').State}} props */
export function Announcer({ state }) {
  const [said, setSaid] = useState('');
  const waiting = useRef(/** @type {any[]} */ ([]));
  const latest = useRef(state);
  latest.current = state;
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    let timer;
    const heard = (event) => {
      waiting.current.push(event.detail);
      clearTimeout(timer);
      timer = setTimeout(() => {
        setSaid(sentence(waiting.current, latest.current));
        waiting.current = [];
      }, BATCH_MS);
    };
    document.addEventListener('lexchat:message', heard);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('lexchat:message', heard);
    };
  }, []);
  return html`<div class="spoken" role="status" aria-live="polite" data-announcer>${said}</div>`;
}

/** @param {any[]} messages @param {import('../core/state.js').State} state */
function sentence(messages, state) {
  const nameOf = (one) => one.senderName ?? (state.me && state.conversations[one.conversationId] ? peerOf(state.conversations[one.conversationId], state.me.id).name : '');
  if (messages.length > 1) return tn('announce.many', messages.length, { name: [...new Set(messages.map(nameOf))].join(', ') });
  return t('announce.one', { name: nameOf(messages[0]), text: messages[0].text.slice(0, SAID_CHARACTERS) });
}
