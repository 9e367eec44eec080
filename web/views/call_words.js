/** Calls in words. */
import { isOfOneNetwork, outcomeOf, secondsOf } from '../core/calls.js';
import { locale, t, tn } from '../core/i18n.js';

/** @param {number} seconds @returns {string} `45 s`, `12 min`, `1 h 5 min` */
export function lengthInWords(seconds) {
  const unit = (value, name) =>
    new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
  if (seconds < 60) return unit(seconds, 'second');
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  return `${unit(Math.floor(minutes / 60), 'hour')}${minutes % 60 ? ` ${unit(minutes % 60, 'minute')}` : ''}`;
}

/**
 * What is said when a call of this window has ended.
 * @param {import('../core/calls.js').Call} call
 * @param {number} myId
 * @param {string} name of the other member
 */
export function farewell(call, myId, name) {
  const length = lengthInWords(secondsOf(call, Date.now()));
  switch (outcomeOf(call, myId)) {
    case 'talked':
      return t('call.ended', { length });
    case 'lost':
      return t('call.lost');
    case 'declined':
      return t('call.declined', { name });
    case 'busy':
      return t('call.busy', { name });
    case 'quiet':
      return t('call.quiet', { name });
    case 'restart':
      return t('call.restarted');
    case 'unanswered':
      return t('call.unanswered', { name });
    case 'missed':
      return t('call.missed', { name });
    default:
      return '';
  }
}

/**
 * What is said, and not shown, when something has changed in a call.
 * @param {import('../core/call_news.js').News} news
 * @param {string} name of the other member
 */
export function newsWord(news, name) {
  switch (news) {
    case 'theyMute':
      return t('call.saidTheyMute', { name });
    case 'theyUnmute':
      return t('call.saidTheyUnmute', { name });
    case 'theyShare':
      return t('call.saidTheyShare', { name });
    case 'theyShareNoMore':
      return t('call.saidTheyShareNoMore', { name });
    case 'sharing':
      return t('call.saidSharing');
    case 'sharingNoMore':
      return t('call.saidSharingNoMore');
    default:
      return t('call.saidWeak');
  }
}

/** @param {number|null|undefined} days how long a recording stays, in words */
export const keptForDays = (days) => (days ? tn('recording.keptForDays', days) : t('recording.keptForEver'));

/**
 * What is said when a recording has come to another state.
 * @param {import('../core/recording.js').Change} change
 */
export function recordingWord(change) {
  switch (change) {
    case 'refused':
      return t('recording.refused');
    case 'stopped':
      return t('recording.stopped');
    case 'erased':
      return t('recording.stoppedErased');
    default:
      // The sign says it.
      return '';
  }
}

/**
 * The line of a call in the timeline.
 * @param {any} call of a message
 * @param {number} myId
 */
export function entry(call, myId) {
  const isVideo = call.media === 'video';
  switch (outcomeOf(call, myId)) {
    case 'talked':
    case 'lost': {
      const length = lengthInWords(secondsOf(call, Date.now()));
      return isVideo ? t('call.entryVideo', { length }) : t('call.entryAudio', { length });
    }
    case 'declined':
    case 'declinedByMe':
      return t('call.entryDeclined');
    case 'missed':
      return isVideo ? t('call.entryMissedVideo') : t('call.entryMissed');
    case 'cancelled':
      return t('call.entryCancelled');
    case 'busy':
      return t('call.entryBusy');
    default:
      return t('call.entryUnanswered');
  }
}

/**
 * For the operator: whether calls reach from one network into another, where people come from several.
 * @param {import('../core/state.js').CallSettings|null|undefined} calls
 * @param {string} hostname of the page
 * @returns {{check: string, verdict: string, text: string, remedy?: string}[]}
 */
export function callRows(calls, hostname) {
  if (!calls || isOfOneNetwork(hostname)) return [];
  if (calls.provider === 'jitsi' || calls.hasRelay) {
    return [{ check: 'calls', verdict: 'good', text: t('check.callsFar') }];
  }
  const remedy = '--ice-server turn:…, --turn-secret-file';
  return [{ check: 'calls', verdict: 'warning', text: t('check.callsNear'), remedy }];
}
