/**
 * Where one is in a timeline, and how that place is kept: the row that one reads stays where it is,
 * or the end stays in sight while one follows it.
 */

const END_PX = 80;
/** What following the end leaves above the first unread message. */
const LIMIT_PX = 12;

/** @typedef {{key: string, top: number}} Anchor a row, and how far below the top of the box it begins */

export class Scroll {
  constructor() {
    /** The box that scrolls. @type {HTMLElement} */
    this.box = document.body;
    /** What is in it, one child a row. @type {HTMLElement} */
    this.list = document.body;
    this.following = true;
    /** Following has ended by itself, and nobody was told yet. */
    this.hasStopped = false;
    /** @type {Anchor|null} */
    this.anchor = null;
    /** The row that following the end must not take out of sight. @type {() => HTMLElement|null} */
    this.limit = () => null;
  }

  /** @param {string} key @returns {HTMLElement|null} */
  row(key) {
    return this.list.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  /** @param {number} id @returns {HTMLElement|null} */
  rowOf(id) {
    return this.list.querySelector(`[data-id="${id}"]`);
  }

  /** @returns {HTMLElement[]} the messages, without days and lines */
  messages() {
    return [...this.list.querySelectorAll('article')];
  }

  isAtEnd() {
    return this.below() <= END_PX && !this.isLimited();
  }

  /** Whether something unread would be passed on the way to the end. */
  isLimited() {
    return this.goal() < this.box.scrollHeight - this.box.clientHeight - 1;
  }

  /** @returns {number} pixels below what is seen */
  below() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
  }

  /** Follows no further: what is unread stays in sight. */
  stop() {
    this.following = false;
    this.hasStopped = true;
    this.anchor = this.anchorNow();
  }

  /** @param {number} top */
  to(top) {
    this.box.scrollTop = top;
    this.following = this.isAtEnd();
    this.anchor = this.anchorNow();
  }

  /** The end; or, where something unread would be passed on the way, that. */
  toEnd() {
    this.to(this.goal());
  }

  /** @returns {number} how far down following the end may lead */
  goal() {
    const end = this.box.scrollHeight - this.box.clientHeight;
    const limit = this.limit();
    const place = limit ? Math.max(0, limit.offsetTop - LIMIT_PX) : end;
    // What one has gone past already is in no way.
    return place < this.box.scrollTop - 1 ? end : Math.min(end, place);
  }

  /** Has a row in the middle of the box, or its beginning at the top. @param {HTMLElement} row */
  toMiddle(row) {
    this.to(row.offsetTop - Math.max(16, (this.box.clientHeight - row.offsetHeight) / 2));
  }

  /** @param {HTMLElement} row @returns {number} pixels from the top of the box to that of the row */
  topOf(row) {
    return row.getBoundingClientRect().top - this.box.getBoundingClientRect().top;
  }

  /**
   * The first message that is on the screen. Never a separator: the one of a day moves up when older
   * messages of that day arrive.
   * @returns {Anchor|null}
   */
  anchorNow() {
    const top = this.box.scrollTop;
    const rows = this.list.children;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = /** @type {HTMLElement} */ (rows[middle]);
      if (row.offsetTop + row.offsetHeight > top + 1) high = middle;
      else low = middle + 1;
    }
    while (rows[low] && rows[low].tagName !== 'ARTICLE') low += 1;
    const row = /** @type {HTMLElement|undefined} */ (rows[low]);
    return row?.dataset.key ? { key: row.dataset.key, top: this.topOf(row) } : null;
  }

  /** Notes the row that one reads, before something changes. */
  hold() {
    if (!this.following) this.anchor = this.anchorNow();
  }

  /** Brings back what moved: the end if one is there, else the row that one reads. */
  settle() {
    if (this.following) {
      const goal = this.goal();
      if (Math.abs(goal - this.box.scrollTop) > 1) this.box.scrollTop = goal;
      if (this.isLimited()) this.stop();
      return;
    }
    const row = this.anchor && this.row(this.anchor.key);
    if (!row || !this.anchor) return;
    const moved = this.topOf(row) - this.anchor.top;
    if (Math.abs(moved) >= 0.5) this.box.scrollTop += moved;
  }
}
