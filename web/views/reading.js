/**
 * Which messages are being looked at: half of one has to be visible, in a visible, focused window with nothing in front
 * of it. What follows from that is in `core/attention.js`.
 */
import { Attention, SEEN_MS } from '../core/attention.js';

export class Reading {
  /** @param {() => any} look what is called again when a message has been in sight long enough */
  constructor(look) {
    this.lookAgain = look;
    this.attention = new Attention();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /**
   * Notes which of the unread messages are in sight.
   * @param {import('./scroll.js').Scroll} scroll
   * @param {number[]} unread
   * @returns {number} up to which of them all were read, or 0
   */
  look(scroll, unread) {
    clearTimeout(this.timer);
    if (!isAttended()) {
      this.attention.lookAway();
      return 0;
    }
    const box = scroll.box.getBoundingClientRect();
    const inSight = unread.filter((id) => {
      const row = scroll.rowOf(id);
      return row && isHalfVisible(row.getBoundingClientRect(), box);
    });
    this.attention.look(inSight, performance.now());
    if (this.attention.isLooking()) this.timer = setTimeout(this.lookAgain, SEEN_MS);
    return this.attention.run(unread);
  }

  /** @param {number[]} unread @returns {number|null} */
  firstUnseen(unread) {
    return this.attention.firstUnseen(unread);
  }

  /** Nothing is being looked at. */
  forget() {
    clearTimeout(this.timer);
    this.attention.lookAway();
  }
}

/** Whether somebody can be reading: the window is in sight, has the focus, and nothing lies over the page. */
export function isAttended() {
  return document.visibilityState === 'visible' && document.hasFocus() && !document.querySelector('dialog[open]');
}

/**
 * Half of the row, or half of the box, is covered by it.
 * @param {DOMRect} row
 * @param {DOMRect} box
 */
function isHalfVisible(row, box) {
  const visible = Math.min(row.bottom, box.bottom) - Math.max(row.top, box.top);
  return visible >= Math.min(row.height, box.height) / 2 && visible > 0;
}
