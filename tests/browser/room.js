/**
 * How much longer than its goal something may take before a test fails. The goals are those of the release build on a machine that does
 * nothing else; measured times are printed beside them. A test only refuses what is of another order: machines differ, and what other work
 * takes away from us is measured.
 */
const FACTOR = 5;

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
