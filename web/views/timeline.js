/**
 * The messages of a conversation, in a box that scrolls.
 *
 * Guarantees: what one reads does not move (older pages, images, reactions, fonts: ≤ 1 px), unless one is at the end, where new
 * messages follow. A message counts as read when half of it has been visible for 500 ms in a visible, focused window with
 * nothing in front of it. One stop in the tab order; the arrow keys walk.
 */
import { Component, html } from '/vendor/preact-htm.js';
import { rowsOf } from '../core/rows.js';
import { dayLabel } from '../core/format.js';
import { locale, t, tn } from '../core/i18n.js';
import { Icon } from './hooks.js';
import { EntryRow, MessageRow } from './message.js';

const END_PX = 80;
const AHEAD_PX = 800;
const SEEN_MS = 500;
const FLASH_MS = 1_600;

/** Where one was in a conversation, as long as the page lives. @type {Map<number, {key: string, top: number}>} */
const spots = new Map();

export class Timeline extends Component {
  constructor() {
    super();
    this.state = { active: null, focused: null, flash: null };
    this.following = true;
    /** @type {{key: string, top: number}|null} */
    this.anchor = null;
    /** @type {Map<number, number>} */
    this.seen = new Map();
    /** Landed on one message by its address: nothing is marked read before a person moves. */
    this.held = false;
    this.drawn = { items: null, entries: null, unreadFrom: null, rows: [] };
    this.setBox = (/** @type {HTMLElement} */ box) => { this.box = box; };
    this.setList = (/** @type {HTMLElement} */ list) => { this.list = list; };
    this.on = this.handlers();
  }

  componentDidMount() {
    this.resizes = new ResizeObserver(() => this.settle());
    this.resizes.observe(this.list);
    this.resizes.observe(this.box);
    this.looked = () => this.look();
    document.addEventListener('visibilitychange', this.looked);
    addEventListener('focus', this.looked);
    this.arrive();
  }

  componentWillUnmount() {
    const { conversation } = this.props;
    if (this.following || !this.anchor) spots.delete(conversation.id);
    else spots.set(conversation.id, this.anchor);
    this.resizes.disconnect();
    clearTimeout(this.seeing);
    clearTimeout(this.flashing);
    document.removeEventListener('visibilitychange', this.looked);
    removeEventListener('focus', this.looked);
  }

  getSnapshotBeforeUpdate() {
    if (!this.following) this.anchor = this.anchorNow();
    return null;
  }

  componentDidUpdate(before) {
    const { line, entries } = this.props;
    if (line.epoch !== before.line.epoch || (line.flash && line.flash !== before.line.flash)) this.arrive();
    else if (entries.length > before.entries.length && entries[entries.length - 1] !== before.entries[before.entries.length - 1]) this.toEnd();
    else this.settle();
    this.look();
  }

  /** Where the timeline opens: at a message that was asked for, at the first unread one, where one was, else at the end. */
  arrive() {
    const { line, conversation } = this.props;
    const spot = spots.get(conversation.id);
    if (line.flash) this.showMessage(line.flash);
    else if (line.unreadFrom && this.row('unread')) this.scrollTo(this.row('unread').offsetTop - this.box.clientHeight / 4);
    else if (spot && this.row(spot.key)) this.scrollTo(this.row(spot.key).offsetTop - spot.top);
    else if (!line.hasAfter) this.scrollTo(this.box.scrollHeight);
    this.scrolled();
  }

  /** @param {number} id */
  showMessage(id) {
    const row = this.rowOf(id);
    if (!row) return;
    this.held = true;
    this.scrollTo(row.offsetTop - Math.max(16, (this.box.clientHeight - row.offsetHeight) / 2));
    this.setState({ flash: id, focused: row.dataset.key });
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => this.setState({ flash: null }), FLASH_MS);
    const { app, conversation } = this.props;
    app.store.dispatch({ type: 'flashed', conversationId: conversation.id, messageId: null });
  }

  /** @param {number} top */
  scrollTo(top) {
    this.box.scrollTop = top;
    this.following = this.isAtEnd();
    this.anchor = this.anchorNow();
  }

  toEnd() {
    const { app, line, conversation } = this.props;
    this.following = true;
    if (line.hasAfter) app.client.latest(conversation.id);
    else this.scrollTo(this.box.scrollHeight);
    this.scrolled();
  }

  isAtEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight <= END_PX;
  }

  /** The first row that is on the screen, and how far below the top of the box it begins. @returns {{key: string, top: number}|null} */
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
    const row = /** @type {HTMLElement|undefined} */ (rows[low]);
    return row?.dataset.key ? { key: row.dataset.key, top: row.getBoundingClientRect().top - this.box.getBoundingClientRect().top } : null;
  }

  /** Brings back what moved: the end if one is there, else the row that one reads. */
  settle() {
    if (this.following) {
      const end = this.box.scrollHeight - this.box.clientHeight;
      if (Math.abs(end - this.box.scrollTop) > 1) this.box.scrollTop = end;
      return;
    }
    const row = this.anchor && this.row(this.anchor.key);
    if (!row) return;
    const moved = row.getBoundingClientRect().top - this.box.getBoundingClientRect().top - this.anchor.top;
    if (Math.abs(moved) >= 0.5) this.box.scrollTop += moved;
  }

  scrolled() {
    const { app, line, conversation } = this.props;
    this.following = !line.hasAfter && this.isAtEnd();
    this.anchor = this.anchorNow();
    app.store.dispatch({ type: 'followed', conversationId: conversation.id, following: this.following });
    if (this.box.scrollTop < AHEAD_PX) app.client.more(conversation.id, 'before');
    if (this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < AHEAD_PX) app.client.more(conversation.id, 'after');
    this.look();
  }

  /** Notes which unread messages are being looked at, and marks those that were looked at long enough. */
  look() {
    clearTimeout(this.seeing);
    const { app, line, conversation, me } = this.props;
    if (this.held || document.visibilityState !== 'visible' || !document.hasFocus() || document.querySelector('dialog[open]')) {
      this.seen.clear();
      return;
    }
    const now = performance.now();
    const box = this.box.getBoundingClientRect();
    const mark = conversation.lastReadMessageId ?? 0;
    const since = this.seen;
    this.seen = new Map();
    let read = 0;
    for (let at = line.items.length - 1; at >= 0 && line.items[at].id > mark; at -= 1) {
      const { id, senderId } = line.items[at];
      const row = senderId === me.id ? null : this.rowOf(id);
      if (!row || !isHalfVisible(row.getBoundingClientRect(), box)) continue;
      const from = since.get(id) ?? now;
      this.seen.set(id, from);
      if (now - from >= SEEN_MS - 5) read = Math.max(read, id);
    }
    if (read) app.client.markRead(conversation.id, read);
    if (this.seen.size) this.seeing = setTimeout(() => this.look(), SEEN_MS);
  }

  /** @param {string} key @returns {HTMLElement|null} */
  row(key) {
    return this.list.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  /** @param {number} id @returns {HTMLElement|null} */
  rowOf(id) {
    return this.list.querySelector(`[data-id="${id}"]`);
  }

  rows() {
    const { line, entries, me } = this.props;
    const { drawn } = this;
    if (drawn.items !== line.items || drawn.entries !== entries || drawn.unreadFrom !== line.unreadFrom) {
      this.drawn = { items: line.items, entries, unreadFrom: line.unreadFrom, rows: rowsOf(line.items, entries, line.unreadFrom, me.id) };
    }
    return this.drawn.rows;
  }

  handlers() {
    return {
      scroll: () => this.scrolled(),
      moved: () => {
        if (!this.held) return;
        this.held = false;
        this.look();
      },
    };
  }

  render({ line, conversation, me, peer }) {
    const rows = this.rows();
    const now = Date.now();
    const words = { today: t('day.today'), yesterday: t('day.yesterday') };
    const showsButton = !line.following || line.hasAfter;
    return html`
      <div class="timeline-box">
        <div class="timeline" role="log" aria-label=${t('timeline.label')} aria-live="off" ref=${this.setBox}
          onScroll=${this.on.scroll} onWheel=${this.on.moved} onTouchMove=${this.on.moved} onPointerDown=${this.on.moved} onKeyDown=${this.on.moved} tabindex="0">
          <div class="timeline-rows" ref=${this.setList}>
            ${rows.map((row) => {
              if (row.kind === 'day') return html`<p key=${row.key} data-key=${row.key} class="day"><time datetime=${row.at}>${dayLabel(row.at, now, locale(), words)}</time></p>`;
              if (row.kind === 'unread') return html`<p key=${row.key} data-key=${row.key} class="unread-line">${t('timeline.unread')}</p>`;
              if (row.kind === 'entry') return html`<${EntryRow} key=${row.key} entry=${row.entry} starts=${row.starts} ends=${row.ends} app=${this.props.app} />`;
              return html`<${MessageRow} key=${row.key} rowKey=${row.key} message=${row.message} starts=${row.starts} ends=${row.ends} own=${row.message.senderId === me.id}
                read=${row.message.isRead || row.message.id <= (conversation.peerLastReadMessageId ?? 0)} author=${row.message.senderId === me.id ? me : peer}
                flash=${this.state.flash === row.message.id} />`;
            })}
          </div>
          ${!rows.length && html`<p class="empty">${t('timeline.empty', { name: peer.name })}</p>`}
        </div>
        ${showsButton && html`<button class="to-end" type="button" onClick=${() => this.toEnd()}><${Icon} name="down" label=${t('timeline.toEnd')} />
          ${line.missed > 0 && html`<span>${tn('timeline.missed', line.missed)}</span>`}</button>`}
      </div>`;
  }
}

/** Half of the row, or half of the box, is covered by it. @param {DOMRect} row @param {DOMRect} box */
function isHalfVisible(row, box) {
  const visible = Math.min(row.bottom, box.bottom) - Math.max(row.top, box.top);
  return visible >= Math.min(row.height, box.height) / 2 && visible > 0;
}
