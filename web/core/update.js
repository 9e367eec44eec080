/**
 * Changing one part of the state: what an update leaves as it was keeps its identity.
 *
 * @typedef {import('./state.js').State} State
 * @typedef {import('./state.js').Conversation} Conversation
 * @typedef {import('./state.js').Timeline} Timeline
 */

/**
 * @param {State} state
 * @param {number} id
 * @param {(line: Timeline) => Timeline} change
 */
export function withTimeline(state, id, change) {
  const old = state.timelines[id];
  if (!old) return state;
  const line = change(old);
  return line === old ? state : { ...state, timelines: { ...state.timelines, [id]: line } };
}

/**
 * @param {State} state
 * @param {number} id
 * @param {(old: Conversation) => Conversation} change
 */
export function withConversation(state, id, change) {
  const old = state.conversations[id];
  const conversation = change(old);
  return !conversation || conversation === old
    ? state
    : { ...state, conversations: { ...state.conversations, [id]: conversation } };
}

/**
 * @template T
 * @param {Record<number, T>} record
 * @param {number} key
 */
export function without(record, key) {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}

/**
 * @template T
 * @param {T[]} list
 * @returns {T|undefined}
 */
export function last(list) {
  return list[list.length - 1];
}
