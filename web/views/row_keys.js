/** What keys do in a timeline: fetched when a row first has the focus. */
import { mayChange } from '../core/editing.js';

/**
 * Walking through the rows, and what one can do to the one that has the focus.
 * @param {import('./timeline.js').Timeline} timeline
 * @param {KeyboardEvent} event
 */
export function pressed(timeline, event) {
  // Not the event's target: a key that was faster than this file is obeyed late, where the one before it led.
  const focused = document.activeElement;
  const row = /** @type {HTMLElement|null} */ (focused?.closest('article') ?? null);
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const goal = goalOf(event.key, row, timeline.scroll.messages());
  if (goal) {
    event.preventDefault();
    goal.focus({ preventScroll: true });
    goal.scrollIntoView({ block: 'nearest' });
    return;
  }
  const message = focused === row && timeline.messageOf(row);
  const act = message && !message.isDeleted && shortcut(timeline, event.key, message, row);
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * @param {string} key
 * @param {HTMLElement} row
 * @param {HTMLElement[]} rows
 * @returns {HTMLElement|null} the row that a key leads to
 */
function goalOf(key, row, rows) {
  const at = rows.indexOf(row);
  const last = rows.length - 1;
  switch (key) {
    case 'ArrowUp':
      return rows[Math.max(0, at - 1)];
    case 'ArrowDown':
      return rows[Math.min(last, at + 1)];
    case 'Home':
      return rows[0];
    case 'End':
      return rows[last];
    default:
      return null;
  }
}

/**
 * @param {import('./timeline.js').Timeline} timeline
 * @param {string} key
 * @param {any} message
 * @param {HTMLElement} row
 * @returns {(() => void)|null}
 */
function shortcut({ on, props }, key, message, row) {
  const bubble = /** @type {HTMLElement} */ (row.querySelector('.bubble'));
  const mayBeChanged = mayChange(message, props.me);
  switch (key.toLowerCase()) {
    case 'r':
      return props.conversation.isActive === false ? null : () => on.reply(message);
    case 'e':
      return mayBeChanged ? () => on.edit(message) : null;
    case 'delete':
      return mayBeChanged ? () => on.remove(message) : null;
    case '+':
      return () => on.react(message, bubble);
    case 'c':
      return () => on.copy(message);
    case 'i':
      return () => on.info(message);
    case 'enter':
      return () => on.menu(message, bubble);
    default:
      return null;
  }
}
