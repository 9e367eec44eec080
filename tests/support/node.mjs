/** What the tests in Node share: how long to wait, for what, and where a server may listen. */
import net from 'node:net';

/** After so long something that must happen has not: what is awaited is a condition, and a busy machine is no fault of the server's. */
export const PATIENCE_MS = 100_000;

/** A promise with a deadline. @template T @param {Promise<T>} promise @param {string} what @param {() => string} [more] @returns {Promise<T>} */
export function within(promise, what, more = () => '') {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come in ${PATIENCE_MS} ms ${more()}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Until a condition gives something. @template T @param {() => T | Promise<T>} condition @param {string} [what] @param {number} [everyMs] @returns {Promise<T>} */
export async function until(condition, what = String(condition), everyMs = 20) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const given = await condition();
    if (given) return given;
    if (Date.now() > deadline) throw new Error(`${what} was not so within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Each process has so many ports of its own: between looking and listening two tests would else take the same one. */
const PORTS_EACH = 100;
const FIRST_PORT = 20_000;
const PROCESSES = 120;
let tried = Math.floor(Math.random() * PORTS_EACH);

/**
 * A port that nobody listens on now. It lies below the range from which systems give ports to clients: one that tries to come back while
 * the server is away could otherwise take the port, or be connected to itself.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    tried += 1;
    const port = FIRST_PORT + (process.pid % PROCESSES) * PORTS_EACH + (tried % PORTS_EACH);
    const isFree = await new Promise((resolve) => {
      const probe = net.createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
