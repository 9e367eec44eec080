/** Addresses: where one is, how one goes elsewhere, and what lies over it. Every state of the page has one. */
import { filterOf, href, parse, withFilter } from '../core/router.js';

/**
 * @typedef {import('../core/router.js').Route & {filter: import('../core/router.js').Filter,
 *   dialog: {name: string, data?: any}|null}} Place
 */

export class Navigation {
  constructor() {
    /** Draws the page again; set by the page once it is there. */
    this.redraw = () => {};
  }

  /** @returns {Place} */
  route = () => ({
    ...parse(location.pathname + location.search),
    filter: filterOf(location.href),
    dialog: history.state?.dialog ?? null,
  });

  /** Makes what is shown agree with the address. */
  follow() {
    this.redraw();
  }

  /**
   * The list keeps its filter.
   * @param {import('../core/router.js').Route|string} to
   * @param {{replace?: boolean, filter?: import('../core/router.js').Filter}} [options]
   */
  go(to, { replace = Boolean(history.state?.dialog), filter = filterOf(location.href) } = {}) {
    const address = withFilter(typeof to === 'string' ? to : href(to), filter);
    history[replace ? 'replaceState' : 'pushState']({}, '', address);
    this.follow();
  }

  /**
   * Opens a dialog on top of where one is; Back closes it.
   * @param {string} name
   * @param {any} [data]
   */
  open(name, data) {
    history[history.state?.dialog ? 'replaceState' : 'pushState']({ dialog: { name, data } }, '', location.href);
    this.redraw();
  }

  /** @returns {Promise<void>} when it is gone and the focus is back */
  closeDialog = () => {
    if (!history.state?.dialog) return Promise.resolve();
    return new Promise((resolve) => {
      addEventListener('popstate', () => setTimeout(resolve), { once: true });
      history.back();
    });
  };

  /** A click on one of our own addresses stays in the page. @param {MouseEvent} event */
  stayInside(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest?.('a[href^="/"]');
    const meansMore = event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (!link || event.defaultPrevented || meansMore) return;
    if (link.hasAttribute('download') || link.getAttribute('target')) return;
    const address = /** @type {string} */ (link.getAttribute('href'));
    if (parse(address).name === 'lost') return;
    event.preventDefault();
    this.go(address);
  }
}
