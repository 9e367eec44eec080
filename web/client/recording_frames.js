/**
 * A worker that keeps a recording's pictures going while its window is out of sight, where browsers draw nothing and
 * slow down what a page has planned.
 *
 * Where a browser gives pictures to workers it draws them here: frames come by a stream for each track, and go out by
 * one. Elsewhere it only beats time for the page, which draws by itself.
 */
import { FRAMES_PER_SECOND, SIZE } from '../core/recording.js';
import { draw } from './recording_drawing.js';

/** @typedef {{name: string, weight: number, key: number}} Slot `key`: whose frames it shows; `0`: none */

const worker = /** @type {any} */ (self);

/** The latest frame of each track. @type {Map<number, any>} */
const latest = new Map();
/** @type {Slot[]} */
let slots = [];
/** @type {Set<ReadableStreamDefaultReader<any>>} */
const readers = new Set();
/** @type {WritableStreamDefaultWriter<any>|null} */
let out = null;
/** @type {OffscreenCanvas|null} */
let canvas = null;

worker.onmessage = ({ data }) => {
  if (data.slots) showSlots(data.slots);
  if (data.readable) read(data.key, data.readable);
  if (data.isOver) end();
  if (data.writable) {
    out = data.writable.getWriter();
    canvas = new OffscreenCanvas(SIZE.width, SIZE.height);
  }
};

const beat = setInterval(() => {
  if (out) write();
  else worker.postMessage('tick');
}, 1_000 / FRAMES_PER_SECOND);

/** @param {Slot[]} shown */
function showSlots(shown) {
  slots = shown;
  for (const [key, frame] of latest) {
    if (slots.some((one) => one.key === key)) continue;
    latest.delete(key);
    frame.close();
  }
}

/**
 * Keeps the latest frame of a track until it ends, or nobody shows it any more.
 * @param {number} key
 * @param {ReadableStream<any>} frames
 */
async function read(key, frames) {
  const reader = frames.getReader();
  readers.add(reader);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    latest.get(key)?.close();
    latest.set(key, value);
    if (slots.some((one) => one.key === key)) continue;
    latest.delete(key);
    value.close();
    await reader.cancel();
    break;
  }
}

/** A camera has few frames to give: those that a worker takes along when it ends are missing for who comes after it. */
async function end() {
  clearInterval(beat);
  showSlots([]);
  await Promise.all([...readers].map((one) => one.cancel().catch(() => {})));
  worker.close();
}

function write() {
  const { desiredSize } = /** @type {WritableStreamDefaultWriter<any>} */ (out);
  // An encoder that falls behind gets fewer pictures, not later ones.
  if (desiredSize !== null && desiredSize <= 0) return;
  const context = /** @type {any} */ (canvas).getContext('2d', { alpha: false });
  draw(context, slots.map(({ name, weight, key }) => ({ name, weight, picture: pictureOf(latest.get(key)) })));
  const frame = new /** @type {any} */ (globalThis).VideoFrame(canvas, { timestamp: performance.now() * 1_000 });
  out?.write(frame).catch(() => {});
}

/** @param {any} frame */
const pictureOf = (frame) => frame && { source: frame, width: frame.displayWidth, height: frame.displayHeight };
