/** What is told of a call to who does not see it. Pure. */

/**
 * What the eye sees in a call and the ear does not: who mutes, who shows a screen, and whether the connection is weak.
 * @typedef {{theyMuted: boolean, theyShare: boolean, sharing: boolean, weak: boolean}} Signs
 */

/** @type {Signs} */
export const NO_SIGNS = Object.freeze({ theyMuted: false, theyShare: false, sharing: false, weak: false });

/**
 * @param {import('./calls.js').View} view
 * @param {Signs} before
 * @returns {Signs} those of before while the two sides do not reach each other
 */
export function signsOf({ link, own, theirs, isWeak }, before) {
  if (link !== 'connected') return before;
  return { theyMuted: !theirs.microphone, theyShare: theirs.screen, sharing: own.screen, weak: isWeak };
}

/**
 * What has changed, each to be said once. That the connection is good again needs no word.
 * @typedef {'theyMute'|'theyUnmute'|'theyShare'|'theyShareNoMore'|'sharing'|'sharingNoMore'|'weak'} News
 * @param {Signs} before
 * @param {Signs} now
 * @returns {News[]}
 */
export function newsOf(before, now) {
  /** @type {[keyof Signs, News, News|null][]} */
  const kinds = [
    ['theyMuted', 'theyMute', 'theyUnmute'], ['theyShare', 'theyShare', 'theyShareNoMore'],
    ['sharing', 'sharing', 'sharingNoMore'], ['weak', 'weak', null],
  ];
  return kinds.flatMap(([sign, begins, ends]) => {
    const news = before[sign] === now[sign] ? null : now[sign] ? begins : ends;
    return news ? [news] : [];
  });
}
