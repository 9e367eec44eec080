/** Whether the clocks here and at the server agree: dates and deadlines are the server's. */
import { t } from '../core/i18n.js';

/** How far the clocks of two machines may be apart. */
const CLOCKS_APART_MAX_S = 60;

/** How many seconds the clocks here and at the server are apart; `null` where it does not answer. */
export async function secondsApart() {
  const answer = await fetch('/readyz', { cache: 'no-store' }).catch(() => null);
  const theirs = Date.parse(answer?.headers.get('date') ?? '');
  return Number.isNaN(theirs) ? null : Math.abs(Math.round((Date.now() - theirs) / 1000));
}

/** @param {number|null} apart @returns {import('./checks.js').Row[]} */
export function clockRows(apart) {
  if (apart === null) return [];
  if (apart <= CLOCKS_APART_MAX_S) return [{ check: 'clock', verdict: 'good', text: t('check.clock') }];
  const text = t('check.clocksApart', { n: apart });
  return [{ check: 'clock', verdict: 'bad', text, remedy: 'timedatectl set-ntp true' }];
}
