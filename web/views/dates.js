/** Days in a conversation: the one that one scrolls through is shown, and one can go to any. */
import { html, useState } from '/vendor/preact-htm.js';
import * as api from '../client/api.js';
import { t } from '../core/i18n.js';
import { dayInFull } from './wording.js';

const SHOWN_FOR_MS = 1_200;

let isWatching = false;

/** Shows the day at the top of a timeline while it is scrolled. Begins once. */
export function watchDays() {
  if (isWatching) return;
  isWatching = true;
  const label = document.createElement('p');
  label.className = 'floating-day';
  label.setAttribute('aria-hidden', 'true');
  /** @type {ReturnType<typeof setTimeout>} */
  let hiding;
  const scrolled = ({ target: box }) => {
    if (!(box instanceof HTMLElement) || !box.classList.contains('timeline')) return;
    if (label.parentElement !== box.parentElement) box.parentElement?.append(label);
    label.textContent = dayAt(box);
    label.classList.toggle('shown', label.textContent !== '');
    clearTimeout(hiding);
    hiding = setTimeout(() => label.classList.remove('shown'), SHOWN_FOR_MS);
  };
  document.addEventListener('scroll', scrolled, { capture: true, passive: true });
}

/** The day of the first message in sight; nothing where its own separator is there. @param {HTMLElement} box */
function dayAt(box) {
  const top = box.scrollTop;
  const rows = /** @type {HTMLElement[]} */ ([...(box.firstElementChild?.children ?? [])]);
  const first = rows.find((row) => row.offsetTop + row.offsetHeight > top);
  if (!first || first.classList.contains('day')) return '';
  const day = rows.slice(0, rows.indexOf(first) + 1).findLast((row) => row.classList.contains('day'));
  const moment = (day ?? first).querySelector('time')?.getAttribute('datetime');
  return moment ? dayInFull(moment) : '';
}

/**
 * The first message of a day, or of the next on which something was said.
 * @param {number} conversationId
 * @param {string} day `2026-11-28`
 * @returns {Promise<number|null>}
 */
export async function firstOf(conversationId, day) {
  const before = new Date(new Date(`${day}T00:00`).getTime() - 1).toISOString();
  const query = new URLSearchParams({ conversationId: String(conversationId), to: before, limit: '1' });
  let found;
  do {
    found = await api.get(`/messages/search?${query}`);
    query.set('cursor', found.nextCursor);
  } while (!found.results.length && found.nextCursor);
  const after = found.results[0]?.message.id ?? 0;
  const messages = await api.get(`/messages?conversationId=${conversationId}&after=${after}&limit=1`);
  return messages[0]?.id ?? (after || null);
}

/** @param {{app: import('../app/create.js').App, conversationId: number}} props */
export function GoToDay({ app, conversationId }) {
  const [day, setDay] = useState('');
  /** @param {Event} event */
  const go = async (event) => {
    event.preventDefault();
    const messageId = await firstOf(conversationId, day).catch(app.client?.report);
    if (messageId) app.go({ name: 'conversation', id: conversationId, messageId });
    else if (messageId === null) app.client?.notice(t('details.noDay'));
  };
  return html`
    <form class="go-to-day" onSubmit=${go}><label class="field"><span>${t('details.day')}</span>
        <input type="date" required value=${day} onInput=${(e) => setDay(e.target.value)} /></label>
      <button class="button" type="submit" disabled=${!day}>${t('details.goToDay')}</button></form>`;
}
