/**
 * Recording a call with everybody's consent, as one window of one person sees it. Pure.
 *
 * @typedef {import('./calls.js').Call} Call
 * @typedef {{mayAsk: boolean, by: 'browser'|'service', keepDays: number, version: number, partBytes: number,
 *   bitsPerSecond: number}} Offer what the server says of recordings; `by`: who makes them, a page or the other server
 * @typedef {{weight: number}} Shown `weight`: how much of the width its picture takes, against the others
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

/** The size of what is recorded: two pictures of 4 : 3 fit beside each other, or a screen of 16 : 9 and a small one. */
export const SIZE = Object.freeze({ width: 1280, height: 540 });
export const FRAMES_PER_SECOND = 15;
/** A shared screen is read, a face is recognised. */
export const SCREEN_WEIGHT = 3;

/** @param {Call|null} call whether what is said may be recorded now */
export const isOn = (call) => call?.recording.state === 'on';

/**
 * @param {Call|null} call
 * @param {Offer|null|undefined} offer
 * @returns {boolean} whether this person may ask the others now
 */
export function mayAsk(call, offer) {
  const { state = '' } = call?.recording ?? {};
  return Boolean(offer?.mayAsk) && call?.state === 'ongoing' && (state === 'off' || state === 'refused');
}

/**
 * @param {Call|null} call
 * @param {number} userId
 * @returns {boolean} whether this person is asked and has not answered yet
 */
export function isAsked(call, userId) {
  if (call?.recording.state !== 'asked') return false;
  return !call.recording.consents.some((one) => one.userId === userId);
}

/**
 * Whether something may be recorded already: nothing is before all have agreed once, and whoever joins later is asked
 * while something is.
 * @param {Call} call
 */
export const hasSomething = ({ recording: { state, consents } }) =>
  state === 'on' || (state === 'asked' && consents.length > 1);

/**
 * What became of a recording between two words of the server.
 * @typedef {'refused'|'stopped'|'erased'|'begun'|'waits'} Change
 * @param {Call|null} before
 * @param {Call|null} now
 * @returns {Change|null} `null` where there is nothing to say
 */
export function changeOf(before, now) {
  if (!before || before.id !== now?.id) return null;
  const [was, is] = [before.recording.state, now.recording.state];
  if (was === is) return null;
  if (is === 'on') return 'begun';
  if (is === 'stored') return 'stopped';
  if (is === 'asked') return was === 'on' ? 'waits' : null;
  if (is === 'refused' || is === 'off') return was === 'on' ? 'erased' : was === 'asked' ? 'refused' : null;
  return null;
}

/**
 * Pictures side by side, as high as there is room.
 * @param {Shown[]} shown
 * @param {{width: number, height: number}} size
 * @returns {Box[]}
 */
export function layout(shown, { width, height }) {
  const whole = shown.reduce((sum, { weight }) => sum + weight, 0);
  let x = 0;
  return shown.map(({ weight }) => {
    const share = Math.round((width * weight) / whole);
    const box = { x, y: 0, width: share, height };
    x += share;
    return box;
  });
}

/**
 * The largest place for a picture inside a box, in its own proportions.
 * @param {{width: number, height: number}} picture
 * @param {Box} box
 * @returns {Box}
 */
export function fitted(picture, box) {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
}
