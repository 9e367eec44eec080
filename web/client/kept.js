/**
 * Small facts that this browser keeps: for all windows, or for this one. A browser may refuse to keep anything, or
 * have no room left; then they are kept in memory, as long as the page lives, and `isDurable` is false. Nothing here
 * throws.
 */

/** @param {() => Storage} find the property itself throws where storage is blocked */
function keeper(find) {
  /** What could not be stored, or `null` for what could not be removed. @type {Map<string, string|null>} */
  const memory = new Map();
  return {
    /** @param {string} name @returns {string|null} */
    get(name) {
      const kept = memory.get(name);
      if (kept !== undefined) return kept;
      try {
        return find().getItem(name);
      } catch {
        return null;
      }
    },
    /** @param {string} name @param {string|null} value `null`: nothing any more */
    set(name, value) {
      try {
        if (value === null) find().removeItem(name);
        else find().setItem(name, value);
        memory.delete(name);
      } catch {
        memory.set(name, value);
        forgotten(find, name);
      }
    },
    /** @param {string} name @returns {any} what `setJson` stored */
    getJson(name) {
      try {
        return JSON.parse(this.get(name) ?? 'null');
      } catch {
        return null;
      }
    },
    /** @param {string} name @param {any} value */
    setJson(name, value) {
      this.set(name, JSON.stringify(value));
    },
    isDurable: () => memory.size === 0,
  };
}

/**
 * An older value must not outlive one that could not be stored: a token that was traded ends its session.
 * @param {() => Storage} find
 * @param {string} name
 */
function forgotten(find, name) {
  try {
    find().removeItem(name);
  } catch {
    // Nothing is kept here at all.
  }
}

/** What all windows of this browser share. */
export const shared = keeper(() => localStorage);

/** What this window has for itself. */
export const own = keeper(() => sessionStorage);
