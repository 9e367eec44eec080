/** Says new messages to who listens to the page: one sentence each, and one for all of a flood. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { sentence } from './entry_line.js';

const BATCH_MS = 700;
const EMPTIED_MS = 60;

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
        const said = sentence(waiting.current, latest.current);
        waiting.current = [];
        // The same words again are no change, and would not be said: the region is emptied first.
        setSaid('');
        setTimeout(() => setSaid(said), EMPTIED_MS);
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
