/**
 * The messages of a conversation, in a box that scrolls.
 *
 * Guarantees: what one reads does not move (older pages, images, reactions, fonts: ≤ 1 px), unless one
 * is at the end, where new messages follow. One stop in the tab order; the arrow keys walk, and what is
 * in a message can be reached from it.
 */
import { Component, html } from '/vendor/preact-htm.js';
import { unreadOf } from '../core/attention.js';
import { now } from '../core/clock.js';
import { fateOf, lastRead } from '../core/receipts.js';
import { SLACK, WINDOW } from '../core/timelines.js';
import { rowsOf } from '../core/rows.js';
import { dayNumber } from '../core/format.js';
import { t, tn } from '../core/i18n.js';
import { Icon } from './hooks.js';
import { EntryRow, MessageRow } from './message.js';
import { Reading, isAttended } from './reading.js';
import { actionsOf } from './row_actions.js';
import { Scroll } from './scroll.js';
import { dayInFull, whenInShort } from './wording.js';

const AHEAD_PX = 800;
const FLASH_MS = 1_600;

/** Where one was in a conversation, as long as the page lives. @type {Map<number, import('./scroll.js').Anchor>} */
const spots = new Map();

const rowKeys = () => import('./row_keys.js');

export class Timeline extends Component {
  constructor() {
    super();
    this.state = { active: null, focused: null, inside: null, flash: null, unfolded: new Set() };
    this.scroll = new Scroll();
    this.scroll.limit = () => this.firstUnseenRow();
    this.reading = new Reading(() => this.look());
    /** Landed on one message by its address: nothing is marked read before a person moves. */
    this.held = false;
    /**
     * The rows as they were last drawn, and from what.
     * @type {{items: any, entries: any, unreadFrom: any, rows: import('../core/rows.js').Row[]}}
     */
    this.drawn = { items: null, entries: null, unreadFrom: null, rows: [] };
    /** The messages by id, and of which list. @type {{items: any, map: Map<number, any>}} */
    this.byId = { items: null, map: new Map() };
    /**
     * Each row as it was last drawn, and from what: one from which nothing has changed is not even compared.
     * @type {Map<string, {parts: any[], view: any}>}
     */
    this.views = new Map();
    // Kept when they leave the page: what has the focus tells of its end after that.
    this.setBox = (box) => box && Object.assign(this.scroll, { box });
    this.setList = (list) => list && Object.assign(this.scroll, { list });
    /** Whether a row was drawn that was not there as it is. */
    this.isRedrawn = false;
    /** The frame in which is looked. @type {number|undefined} */
    this.looking = undefined;
    this.resizes = new ResizeObserver(() => this.resized());
    this.looked = () => this.look();
    this.ended = () => this.toEnd();
    this.on = actionsOf(this);
    /** What keys do, once a row has had the focus. @type {((timeline: any, event: KeyboardEvent) => void)|undefined} */
    this.pressed = undefined;
    this.heard = this.listeners();
  }

  componentDidMount() {
    this.resizes.observe(this.scroll.list);
    this.resizes.observe(this.scroll.box);
    document.addEventListener('visibilitychange', this.looked);
    addEventListener('focus', this.looked);
    document.addEventListener('lexchat:end', this.ended);
    this.arrive();
  }

  componentWillUnmount() {
    const { conversation } = this.props;
    const { following, anchor } = this.scroll;
    if (following || !anchor) spots.delete(conversation.id);
    else spots.set(conversation.id, anchor);
    this.resizes.disconnect();
    this.reading.forget();
    cancelAnimationFrame(this.looking ?? 0);
    clearTimeout(this.flashing);
    clearTimeout(this.trimming);
    document.removeEventListener('visibilitychange', this.looked);
    removeEventListener('focus', this.looked);
    document.removeEventListener('lexchat:end', this.ended);
  }

  getSnapshotBeforeUpdate() {
    this.scroll.hold();
    return null;
  }

  componentDidUpdate(before) {
    const { line, entries } = this.props;
    const hasMoreEntries = entries.length > before.entries.length;
    if (line.epoch !== before.line.epoch || (line.flash && line.flash !== before.line.flash)) this.arrive();
    else if (hasMoreEntries && entries.at(-1) !== before.entries.at(-1)) this.toEnd(true);
    else if (this.isRedrawn && !this.isFollowed()) this.scroll.settle();
    this.isRedrawn = false;
    this.drawLine();
    this.tellDay();
    if (line.items !== before.line.items) {
      if (!this.isFollowed()) this.reach();
      if (this.scroll.following && line.items.length > WINDOW + SLACK) this.trim();
    }
    this.look();
  }

  /** Whether the end is followed before somebody's eyes: the browser tells of each change of size before it is seen. */
  isFollowed() {
    return this.scroll.following && isAttended();
  }

  /** What moved is brought back before it is seen, when the browser has laid it out anyway. */
  resized() {
    this.scroll.settle();
    if (this.scroll.hasStopped) this.drawLine();
    this.reach();
    this.lookNow();
  }

  /** Where it opens: at a message that was asked for, at the first unread one, where one was, else the end. */
  arrive() {
    const { line, conversation } = this.props;
    const { scroll } = this;
    const spot = spots.get(conversation.id);
    const unread = line.unreadFrom ? scroll.row('unread') : null;
    const left = spot ? scroll.row(spot.key) : null;
    if (line.flash) this.showMessage(line.flash);
    else if (unread) scroll.to(unread.offsetTop - scroll.box.clientHeight / 4);
    else if (spot && left) scroll.to(left.offsetTop - spot.top);
    else if (!line.hasAfter) scroll.toEnd();
    this.scrolled();
  }

  /** @param {number} id */
  showMessage(id) {
    const row = this.scroll.rowOf(id);
    if (!row) return;
    this.held = true;
    this.scroll.toMiddle(row);
    this.setState({ flash: id, focused: row.dataset.key });
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => this.setState({ flash: null }), FLASH_MS);
    const { app, conversation } = this.props;
    app.store.dispatch({ type: 'flashed', conversationId: conversation.id, messageId: null });
  }

  /**
   * To the end; first to what is unread on the way there, and from that place on to the end itself.
   * @param {boolean} [whole] to the end itself at once: one has written there
   */
  toEnd(whole = false) {
    const { app, line, conversation } = this.props;
    const { scroll } = this;
    scroll.following = true;
    if (line.hasAfter) app.client.timelines.latest(conversation.id);
    else if (whole || Math.abs(scroll.goal() - scroll.box.scrollTop) <= 1) scroll.to(scroll.box.scrollHeight);
    else scroll.toEnd();
    this.scrolled();
  }

  /** The unread messages of others that can be told without a gap. */
  unread() {
    const { line, conversation, me } = this.props;
    return unreadOf(line, conversation.lastReadMessageId ?? 0, me.id);
  }

  /** The first message that nobody has looked at yet, with the line above it. */
  firstUnseenRow() {
    const first = this.reading.firstUnseen(this.unread());
    const row = first === null ? null : this.scroll.rowOf(first);
    const above = /** @type {HTMLElement|null|undefined} */ (row?.previousElementSibling);
    return above?.dataset.key === 'unread' ? above : row;
  }

  /** Draws the line where attention ended: before what came unseen, or would have passed unseen. */
  drawLine() {
    const { app, line, conversation } = this.props;
    const unread = this.unread();
    const first = this.reading.firstUnseen(unread);
    const { hasStopped } = this.scroll;
    this.scroll.hasStopped = false;
    if (hasStopped) app.store.dispatch({ type: 'followed', conversationId: conversation.id, following: false });
    if (first === null || unread.includes(line.unreadFrom) || (isAttended() && !hasStopped)) return;
    app.store.dispatch({ type: 'unreadLineDrawn', conversationId: conversation.id, messageId: first });
  }

  scrolled() {
    const { app, line, conversation } = this.props;
    const { scroll } = this;
    scroll.following = !line.hasAfter && scroll.isAtEnd();
    scroll.anchor = scroll.anchorNow();
    this.tellDay();
    app.store.dispatch({ type: 'followed', conversationId: conversation.id, following: scroll.following });
    this.reach();
    this.look();
  }

  /** Lets go of what lies far above, in a change of its own. */
  trim() {
    const { app, conversation } = this.props;
    clearTimeout(this.trimming);
    const trimmed = { type: 'trimmed', conversationId: conversation.id };
    this.trimming = setTimeout(() => app.store.dispatch(trimmed), 0);
  }

  /** Has the pages fetched that one is about to scroll to. */
  reach() {
    const { app, conversation } = this.props;
    if (this.scroll.box.scrollTop < AHEAD_PX) app.client.timelines.more(conversation.id, 'before');
    if (this.scroll.below() < AHEAD_PX) app.client.timelines.more(conversation.id, 'after');
  }

  /** The button to the end says which day one has scrolled to. */
  tellDay() {
    const { anchor, following } = this.scroll;
    const row = !following && anchor && this.scroll.row(anchor.key);
    const first = row && row.querySelector('time')?.getAttribute('datetime');
    const shown = first && dayNumber(first) !== dayNumber(now()) ? whenInShort(first) : null;
    if (shown === this.drawnDay) return;
    this.drawnDay = shown;
    this.setState({});
  }

  /** Marks what was looked at long enough: in the next frame, once for all that changes until then. */
  look() {
    if (this.held || !isAttended()) this.lookNow();
    else this.looking ??= requestAnimationFrame(() => this.lookNow());
  }

  lookNow() {
    const { app, conversation } = this.props;
    cancelAnimationFrame(this.looking ?? 0);
    this.looking = undefined;
    if (this.held) {
      this.reading.forget();
      return;
    }
    const read = this.reading.look(this.scroll, this.unread());
    if (read) app.client.marks.mark(conversation.id, read);
  }

  /** What the box hears. */
  listeners() {
    let wasWriting = false;
    return {
      scroll: () => this.scrolled(),
      moved: (event) => {
        if (event?.type === 'pointerdown') wasWriting = document.activeElement?.tagName === 'TEXTAREA';
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
        if (key) this.fetchKeys();
        if (key && key !== this.state.inside) this.setState({ focused: key, inside: key });
      },
      blur: (event) => {
        if (!this.scroll.list.contains(event.relatedTarget)) this.setState({ inside: null });
      },
      tap: (event) => {
        if (!matchMedia('(pointer: coarse)').matches || event.target.closest('button, a')) return;
        // With the keyboard up a tap puts it away, as elsewhere.
        if (wasWriting || getSelection()?.toString() || !event.target.closest('.bubble')) return;
        const row = event.target.closest('article');
        const message = this.messageOf(row);
        if (message) this.on.menu(message, row.querySelector('.bubble'));
      },
      key: (event) => {
        this.heard.moved(event);
        // A key that is faster than the network does what it does when that has come.
        if (this.pressed) this.pressed(this, event);
        else this.fetchKeys().then(() => this.pressed?.(this, event));
      },
    };
  }

  /** Once, so that keys that wait are obeyed in the order in which they were pressed. */
  fetchKeys() {
    return (this.keys ??= rowKeys().then(({ pressed }) => Object.assign(this, { pressed }), () => (this.keys = null)));
  }

  /** @param {string|null} key the row whose tools are shown */
  activate(key) {
    if (key !== this.state.active) this.setState({ active: key });
  }

  /** @param {HTMLElement} row @returns {any} its message, unless it is one on its way */
  messageOf(row) {
    return this.props.line.items.find((one) => String(one.id) === row.dataset.id) ?? null;
  }

  rows() {
    const { line, entries, me } = this.props;
    const { items, unreadFrom } = line;
    const { drawn } = this;
    if (drawn.items !== items || drawn.entries !== entries || drawn.unreadFrom !== unreadFrom) {
      this.drawn = { items, entries, unreadFrom, rows: rowsOf(items, entries, unreadFrom, me.id) };
      this.isRedrawn = true;
    }
    return this.drawn.rows;
  }

  render({ peer }) {
    const rows = this.rows();
    const { line, conversation, me } = this.props;
    this.receipt = lastRead(line.items, conversation.peerLastReadMessageId ?? 0, me.id);
    const { focused } = this.state;
    const stop = focused && rows.some((row) => row.key === focused) ? focused : rows.at(-1)?.key;
    const before = this.views;
    this.views = new Map();
    const { scroll, moved, key, focus, blur, over, out, tap } = this.heard;
    return html`
      <div class="timeline-box">
        <div class="timeline" role="log" aria-label=${t('timeline.label')} aria-live="off" ref=${this.setBox}
          onScroll=${scroll} onWheel=${moved} onTouchMove=${moved} onPointerDown=${moved} onKeyDown=${key}
          onfocusin=${focus} onfocusout=${blur} onPointerOver=${over} onPointerLeave=${out} onClick=${tap}>
          <div class="timeline-rows" ref=${this.setList}>${rows.map((row) => this.row(before, row, stop))}</div>
          ${!rows.length && html`<p class="empty">${t('timeline.empty', { name: peer.name })}</p>`}
        </div>
        ${this.endButton()}
      </div>`;
  }

  endButton() {
    const { line } = this.props;
    if (line.following && !line.hasAfter) return null;
    return html`
      <button class="to-end" type="button" onClick=${() => this.toEnd()}>
        <${Icon} name="down" label=${t('timeline.toEnd')} />
        ${this.drawnDay && html`<span class="to-end-day">${this.drawnDay}</span>`}
        ${line.missed > 0 && html`<span>${tn('timeline.missed', line.missed)}</span>`}</button>`;
  }

  /**
   * @param {Map<string, {parts: any[], view: any}>} before
   * @param {import('../core/rows.js').Row} row
   * @param {string|undefined} stop the row in the tab order
   */
  row(before, row, stop) {
    const { key } = row;
    if (row.kind === 'unread') {
      return html`<p key=${key} data-key=${key} class="unread-line"><span>${t('timeline.unread')}</span>
        <button class="link" type="button" onClick=${this.on.readAll}>${t('timeline.readAll')}</button></p>`;
    }
    if (row.kind === 'day') {
      return html`
        <p key=${key} data-key=${key} class="day"><time datetime=${row.at}>${dayInFull(row.at)}</time></p>`;
    }
    return this.view(before, row, key === stop);
  }

  /**
   * A message's row. One from which nothing has changed is the one that was drawn before, and not even
   * compared: of 300 rows a new message changes two.
   * @param {Map<string, {parts: any[], view: any}>} before
   * @param {any} row
   * @param {boolean} tab
   */
  view(before, row, tab) {
    const { me, peer, conversation, editingId } = this.props;
    const { active, inside, flash, unfolded } = this.state;
    const { key, kind, starts, ends } = row;
    const said = row.message ?? row.entry;
    const own = kind === 'entry' || said.senderId === me.id;
    const mark = own ? conversation.peerLastReadMessageId : conversation.lastReadMessageId;
    // Not one more: as a copy of it is made, each of those that are kept would take a kilobyte from there on.
    const props = {
      key, rowKey: key, starts, ends, tab, peer, own, myId: me.id, on: this.on,
      author: own ? me : peer,
      fate: kind === 'message' ? fateOf(said, mark ?? 0) : '',
      receipt: own && said.id === this.receipt,
      // What was read today is said anew when another day has begun.
      today: dayNumber(now()),
      editing: said.id === editingId && kind === 'message',
      quote: said.replyToId ? this.quoted(said.replyToId) : null,
      inner: key === inside ? 0 : -1,
      tools: key === active && (conversation.isActive === false ? 'few' : 'all'),
      flash: flash === said.id,
      unfolded: unfolded.has(key),
    };
    const parts = [said, ...Object.values(props)];
    let drawn = before.get(key);
    if (!drawn?.parts.every((part, at) => part === parts[at])) {
      const view = kind === 'entry' ? html`<${EntryRow} ...${props} entry=${said} />`
        : html`<${MessageRow} ...${props} message=${said} />`;
      drawn = { parts, view };
      this.isRedrawn = true;
    }
    this.views.set(key, drawn);
    return drawn.view;
  }

  /** The message that another one answers: one of the timeline, or fetched. @param {number} id */
  quoted(id) {
    const { app, line } = this.props;
    const { items } = line;
    if (this.byId.items !== items) this.byId = { items, map: new Map(items.map((one) => [one.id, one])) };
    return this.byId.map.get(id) ?? app.client?.changes.quoted(id);
  }
}
