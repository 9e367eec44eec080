/**
 * The messages of a conversation, in a box that scrolls.
 *
 * Guarantees: what one reads does not move (older pages, images, reactions, fonts: ≤ 1 px), unless one is at the end, where new
 * messages follow. A message counts as read when half of it has been visible for 500 ms in a visible, focused window with
 * nothing in front of it. One stop in the tab order; the arrow keys walk, and what is in a message can be reached from it.
 */
import { Component, html } from '/vendor/preact-htm.js';
import { SLACK, WINDOW } from '../core/state.js';
import { rowsOf } from '../core/rows.js';
import { dayLabel, dayNumber, shortMoment } from '../core/format.js';
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
    this.state = { active: null, focused: null, inside: null, flash: null, unfolded: new Set() };
    this.following = true;
    /** @type {{key: string, top: number}|null} */
    this.anchor = null;
    /** @type {Map<number, number>} */
    this.seen = new Map();
    /** Landed on one message by its address: nothing is marked read before a person moves. */
    this.held = false;
    /** The rows as they were last drawn, and from what. @type {{items: any, entries: any, unreadFrom: any, rows: import('../core/rows.js').Row[]}} */
    this.drawn = { items: null, entries: null, unreadFrom: null, rows: [] };
    /** @type {HTMLElement} */
    this.box = document.body;
    /** @type {HTMLElement} */
    this.list = document.body;
    this.byId = { items: null, map: new Map() };
    /** Each row as it was last drawn, and from what: one from which nothing has changed is not even compared. @type {Map<string, {parts: any[], view: any}>} */
    this.views = new Map();
    this.setBox = (box) => { this.box = box; };
    this.setList = (list) => { this.list = list; };
    this.resizes = new ResizeObserver(() => this.settle());
    this.looked = () => this.look();
    this.ended = () => this.toEnd();
    this.on = this.handlers();
  }

  componentDidMount() {
    this.resizes.observe(this.list);
    this.resizes.observe(this.box);
    document.addEventListener('visibilitychange', this.looked);
    addEventListener('focus', this.looked);
    document.addEventListener('lexchat:end', this.ended);
    this.arrive();
  }

  componentWillUnmount() {
    const { conversation } = this.props;
    if (this.following || !this.anchor) spots.delete(conversation.id);
    else spots.set(conversation.id, this.anchor);
    this.resizes.disconnect();
    clearTimeout(this.seeing);
    clearTimeout(this.flashing);
    clearTimeout(this.trimming);
    document.removeEventListener('visibilitychange', this.looked);
    removeEventListener('focus', this.looked);
    document.removeEventListener('lexchat:end', this.ended);
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
    if (line.items !== before.line.items) {
      this.reach();
      if (this.following && line.items.length > WINDOW + SLACK) this.trim();
    }
    this.look();
  }

  /** Where the timeline opens: at a message that was asked for, at the first unread one, where one was, else at the end. */
  arrive() {
    const { line, conversation } = this.props;
    const spot = spots.get(conversation.id);
    const unread = line.unreadFrom ? this.row('unread') : null;
    const left = spot ? this.row(spot.key) : null;
    if (line.flash) this.showMessage(line.flash);
    else if (unread) this.scrollTo(unread.offsetTop - this.box.clientHeight / 4);
    else if (spot && left) this.scrollTo(left.offsetTop - spot.top);
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

  /**
   * The first message that is on the screen, and how far below the top of the box it begins. Never a separator: the one of
   * a day moves up when older messages of that day arrive.
   * @returns {{key: string, top: number}|null}
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
    if (!row || !this.anchor) return;
    const moved = row.getBoundingClientRect().top - this.box.getBoundingClientRect().top - this.anchor.top;
    if (Math.abs(moved) >= 0.5) this.box.scrollTop += moved;
  }

  scrolled() {
    const { app, line, conversation } = this.props;
    this.following = !line.hasAfter && this.isAtEnd();
    this.anchor = this.anchorNow();
    this.tellDay();
    app.store.dispatch({ type: 'followed', conversationId: conversation.id, following: this.following });
    this.reach();
    this.look();
  }

  /** Lets go of what lies far above, in a change of its own. */
  trim() {
    const { app, conversation } = this.props;
    clearTimeout(this.trimming);
    this.trimming = setTimeout(() => app.store.dispatch({ type: 'trimmed', conversationId: conversation.id }), 0);
  }

  /** Has the pages fetched that one is about to scroll to. */
  reach() {
    const { app, conversation } = this.props;
    if (this.box.scrollTop < AHEAD_PX) app.client.more(conversation.id, 'before');
    if (this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < AHEAD_PX) app.client.more(conversation.id, 'after');
  }

  /** The button to the end says which day one has scrolled to. */
  tellDay() {
    const first = this.anchor && this.row(this.anchor.key)?.querySelector('time')?.getAttribute('datetime');
    const day = first && !this.following ? shortMoment(first, Date.now(), locale(), t('day.yesterdayShort')) : null;
    const shown = day && first && dayNumber(first) !== dayNumber(Date.now()) ? day : null;
    if (shown === this.drawnDay) return;
    this.drawnDay = shown;
    this.setState({});
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

  /** What the rows may ask for. Made once: a row is drawn again only when its message changes. */
  handlers() {
    const client = () => this.props.app.client;
    const id = () => this.props.conversation.id;
    return {
      scroll: () => this.scrolled(),
      moved: () => {
        if (!this.held) return;
        this.held = false;
        this.look();
      },
      over: (event) => {
        if (event.pointerType !== 'touch') this.activate(event.target.closest?.('article')?.dataset.key ?? null);
      },
      out: () => this.activate(null),
      focus: (event) => {
        const key = event.target.closest?.('article')?.dataset.key;
        if (key && key !== this.state.inside) this.setState({ focused: key, inside: key });
      },
      blur: (event) => {
        if (!this.list.contains(event.relatedTarget)) this.setState({ inside: null });
      },
      tap: (event) => {
        const row = matchMedia('(pointer: coarse)').matches && !event.target.closest('button, a') && !getSelection()?.toString() && event.target.closest('article');
        const message = row && this.messageOf(row);
        if (message) this.on.menu(message, row.querySelector('.bubble'));
      },
      key: (event) => this.key(event),
      react: (message, by) => this.openAt('react', message, by),
      menu: (message, by) => this.openAt('menu', message, by),
      info: (message) => this.props.app.open('info', { conversationId: id(), messageId: message.id }),
      reply: (message) => client().drafts.answer(id(), message.id),
      toggle: (message, emoji) => client().react(message, emoji),
      jump: (messageId) => client().showMessage(id(), messageId),
      lightbox: (messageId, at, pictures) => this.props.app.open('lightbox', {
        at, pictures: pictures.map(({ id: file, url, name, width, height }) => ({ id: file, url, name, width, height })).filter((one) => one.url),
      }),
      unfold: (key) => this.setState({ unfolded: new Set([...this.state.unfolded, key]) }),
      retry: (entry) => client().outbox.retry(entry.clientMessageId),
      reword: (entry) => client().reword(entry.clientMessageId),
      discard: (entry) => client().outbox.discard(entry.clientMessageId),
    };
  }

  /** @param {string|null} key the row whose tools are shown */
  activate(key) {
    if (key !== this.state.active) this.setState({ active: key });
  }

  /** @param {string} name @param {any} message @param {HTMLElement} by */
  openAt(name, message, by) {
    const { left, bottom } = by.getBoundingClientRect();
    this.props.app.open(name, { conversationId: this.props.conversation.id, messageId: message.id, x: left, y: bottom + 4 });
  }

  /** @param {HTMLElement} row @returns {any} its message, unless it is one on its way */
  messageOf(row) {
    return this.props.line.items.find((one) => String(one.id) === row.dataset.id) ?? null;
  }

  /** Walking through the rows, and what one can do to the one that has the focus. @param {KeyboardEvent} event */
  key(event) {
    this.on.moved();
    const row = /** @type {HTMLElement} */ (event.target).closest('article');
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll('article')]);
    const at = rows.indexOf(row);
    const goal = /** @type {Record<string, number>} */ ({ ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 })[event.key];
    if (goal !== undefined) {
      event.preventDefault();
      const next = rows[Math.max(0, Math.min(goal, rows.length - 1))];
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: 'nearest' });
      return;
    }
    if (event.target !== row) return;
    const message = this.messageOf(row);
    const act = message && !message.isDeleted && this.shortcut(event.key, message, row);
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {string} key @param {any} message @param {HTMLElement} row @returns {(() => void)|null} */
  shortcut(key, message, row) {
    const { app, me, conversation } = this.props;
    const own = message.senderId === me.id;
    switch (key.toLowerCase()) {
      case 'r': return () => this.on.reply(message);
      case 'e': return own ? () => app.client.beginEdit(conversation.id, message) : null;
      case 'delete': return own ? () => app.open('remove', { messageId: message.id }) : null;
      case '+': return () => this.on.react(message, row.querySelector('.bubble'));
      case 'c': return () => app.copy(message.content);
      case 'i': return () => this.on.info(message);
      case 'enter': return () => this.on.menu(message, row.querySelector('.bubble'));
      default: return null;
    }
  }

  render({ line, conversation, me, peer, quotes }) {
    const rows = this.rows();
    const now = Date.now();
    const words = { today: t('day.today'), yesterday: t('day.yesterday') };
    const { focused } = this.state;
    const stop = focused && rows.some((row) => row.key === focused) ? focused : rows[rows.length - 1]?.key;
    const before = this.views;
    this.views = new Map();
    const showsButton = !line.following || line.hasAfter;
    return html`
      <div class="timeline-box">
        <div class="timeline" role="log" aria-label=${t('timeline.label')} aria-live="off" ref=${this.setBox} onScroll=${this.on.scroll}
          onWheel=${this.on.moved} onTouchMove=${this.on.moved} onPointerDown=${this.on.moved} onKeyDown=${this.on.key} onfocusin=${this.on.focus} onfocusout=${this.on.blur}
          onPointerOver=${this.on.over} onPointerLeave=${this.on.out} onClick=${this.on.tap}>
          <div class="timeline-rows" ref=${this.setList}>
            ${rows.map((row) => {
              const { key } = row;
              if (row.kind === 'day') return html`<p key=${key} data-key=${key} class="day"><time datetime=${row.at}>${dayLabel(row.at, now, locale(), words)}</time></p>`;
              if (row.kind === 'unread') return html`<p key=${key} data-key=${key} class="unread-line">${t('timeline.unread')}</p>`;
              const own = row.kind === 'entry' || row.message.senderId === me.id;
              const read = row.kind === 'message' && (row.message.isRead || row.message.id <= (conversation.peerLastReadMessageId ?? 0));
              return this.view(before, row, own ? me : peer, own, read, key === stop, quotes);
            })}
          </div>
          ${!rows.length && html`<p class="empty">${t('timeline.empty', { name: peer.name })}</p>`}
        </div>
        ${showsButton && html`<button class="to-end" type="button" onClick=${() => this.toEnd()}><${Icon} name="down" label=${t('timeline.toEnd')} />
          ${this.drawnDay && html`<span class="to-end-day">${this.drawnDay}</span>`}
          ${line.missed > 0 && html`<span>${tn('timeline.missed', line.missed)}</span>`}</button>`}
      </div>`;
  }

  /**
   * A message's row. One from which nothing has changed is the one that was drawn before, and not even compared: of 300 rows
   * a new message changes two.
   * @param {Map<string, {parts: any[], view: any}>} before @param {any} row @param {any} author @param {boolean} own @param {boolean} read @param {boolean} tab
   * @param {Record<number, any>} quotes
   */
  view(before, row, author, own, read, tab, quotes) {
    const { me, peer } = this.props;
    const { active, inside, flash, unfolded } = this.state;
    const { key, starts, ends } = row;
    const said = row.message ?? row.entry;
    const quote = said.replyToId ? this.quoted(said.replyToId, quotes) : null;
    const inner = key === inside ? 0 : -1;
    const parts = [said, starts, ends, author, peer, read, tab, quote, inner, key === active, flash === said.id, unfolded.has(key)];
    let drawn = before.get(key);
    if (!drawn?.parts.every((part, at) => part === parts[at])) {
      const shared = { key, starts, ends, quote, peer, myId: me.id, tab, inner, on: this.on };
      drawn = { parts, view: row.kind === 'entry' ? html`<${EntryRow} ...${shared} entry=${said} />`
        : html`<${MessageRow} ...${shared} rowKey=${key} message=${said} own=${own} author=${author} flash=${flash === said.id} read=${read} tools=${key === active} unfolded=${unfolded.has(key)} />` };
    }
    this.views.set(key, drawn);
    return drawn.view;
  }

  /** The message that another one answers: one of the timeline, or fetched. @param {number} id @param {Record<number, any>} quotes */
  quoted(id, quotes) {
    const { line, app } = this.props;
    if (this.byId.items !== line.items) this.byId = { items: line.items, map: new Map(line.items.map((one) => [one.id, one])) };
    const found = this.byId.map.get(id) ?? quotes[id];
    if (found === undefined) queueMicrotask(() => app.client?.loadQuote(id));
    return found ?? null;
  }
}

/** Half of the row, or half of the box, is covered by it. @param {DOMRect} row @param {DOMRect} box */
function isHalfVisible(row, box) {
  const visible = Math.min(row.bottom, box.bottom) - Math.max(row.top, box.top);
  return visible >= Math.min(row.height, box.height) / 2 && visible > 0;
}
