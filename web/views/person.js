/** A person at a glance: initials on their own hue, and a dot when they are online. */
import { html } from '/vendor/preact-htm.js';
import { now } from '../core/clock.js';
import { dayNumber, hue, initials, timeOfDay } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { memo } from './hooks.js';
import { whenInShort } from './wording.js';

/** @param {{person: import('../core/state.js').Person, size?: string, showOnline?: boolean}} props */
export const Avatar = memo(
  ({ person, size = '', showOnline = true }) => html`
  <span class="avatar ${size}" style=${{ '--hue': String(hue(person.id)) }}>
    <span aria-hidden="true">${initials(person.name)}</span>
    ${showOnline && person.isOnline
      && html`<span class="dot"><span class="spoken">${t('person.online')}</span></span>`}
  </span>`,
);

/**
 * @param {import('../core/state.js').Person} person
 * @returns {string} what the person is here
 */
export function roleOf(person) {
  if (person.specialty) return person.specialty;
  return ROLES[person.role]();
}

const ROLES = { client: () => t('role.client'), juriste: () => t('role.juriste'), admin: () => t('role.admin') };

/** Whether somebody is there, or when they were. @param {import('../core/state.js').Person} peer */
export function presence(peer) {
  if (peer.isOnline) return t('person.online');
  if (!peer.lastSeenAt) return t('person.offline');
  const isToday = dayNumber(peer.lastSeenAt) === dayNumber(now());
  if (isToday) return t('person.seenToday', { time: timeOfDay(peer.lastSeenAt, locale()) });
  return t('person.seen', { when: whenInShort(peer.lastSeenAt) });
}
