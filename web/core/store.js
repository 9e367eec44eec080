/**
 * Holds the state, changes it by events and tells who listens. One change at a time, in the order
 * of dispatch.
 */
import { apply, initial } from './state.js';

/** @typedef {ReturnType<typeof createStore>} Store */

/** @param {import('./state.js').State} [first] */
export function createStore(first = initial()) {
  let state = first;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    /** @returns {import('./state.js').State} */
    state: () => state,
    /** @param {{type: string} & Record<string, any>} event */
    dispatch(event) {
      const after = apply(state, event);
      if (after === state) return;
      state = after;
      for (const listener of listeners) listener();
    },
    /**
     * @param {() => void} listener
     * @returns {() => void} ends the listening
     */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
