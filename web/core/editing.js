/** Which messages one may still change. Pure but for the clock. */
import { now } from './clock.js';

/**
 * @param {import('./state.js').Message} message
 * @param {{id: number, limits?: {editWindow?: number}}} me
 */
export function mayChange({ senderId, isDeleted, kind = 'text', createdAt }, me) {
  const seconds = me.limits?.editWindow;
  const isOpen = !seconds || now() - Date.parse(createdAt) < seconds * 1_000;
  return senderId === me.id && !isDeleted && kind === 'text' && isOpen;
}
