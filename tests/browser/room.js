/**
 * How much longer than its goal something may take here. The goals are those of the release build on a machine that does nothing else;
 * `run` gives the debug build a factor, and what other work takes away from us is measured.
 */
export const FACTOR = Number(process.env.LEXCHAT_TIME_FACTOR ?? 1);

const WORK_MS = 200;

/** @returns {number} the time that passes while we compute for a second, in seconds: 1 when nobody else wants the machine */
function crowding() {
  const began = performance.now();
  const before = process.cpuUsage().user;
  let worked = 0;
  while (worked < WORK_MS) worked = (process.cpuUsage(undefined).user - before) / 1000;
  return Math.max(1, (performance.now() - began) / worked);
}

/** @returns {number} by what a goal is multiplied now; to be asked right after the measuring */
export function room() {
  return FACTOR * crowding();
}
