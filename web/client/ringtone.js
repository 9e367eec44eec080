/** What one hears while it rings, made of sine waves: two notes for who is called, one slow tone for who calls. */

/** @typedef {'incoming'|'calling'} Ring */

/**
 * Frequencies in Hz, and how often a pattern comes again.
 * @type {Record<Ring, {notes: number[], everyMs: number, loudness: number}>}
 */
const RINGS = {
  incoming: { notes: [659, 880, 659, 880], everyMs: 2_400, loudness: 0.16 },
  calling: { notes: [425], everyMs: 4_000, loudness: 0.05 },
};
const NOTE_S = { incoming: 0.18, calling: 1.2 };

/**
 * Rings until it is told to stop. A browser that lets no page make a sound before one has touched it stays silent.
 * @param {Ring} ring
 * @returns {() => void} ends it
 */
export function ringing(ring) {
  const context = loudspeaker();
  if (!context) return () => {};
  const { notes, everyMs, loudness } = RINGS[ring];
  const round = () => {
    if (context.state !== 'running') return;
    notes.forEach((hertz, at) => note(context, hertz, context.currentTime + at * NOTE_S[ring], NOTE_S[ring], loudness));
  };
  context.resume().then(round, () => {});
  const timer = setInterval(round, everyMs);
  return () => {
    clearInterval(timer);
    context.close().catch(() => {});
  };
}

/** @returns {AudioContext|null} `null` where this machine has none */
function loudspeaker() {
  try {
    return new AudioContext();
  } catch {
    return null;
  }
}

/**
 * @param {AudioContext} context
 * @param {number} hertz
 * @param {number} from
 * @param {number} seconds
 * @param {number} loudness
 */
function note(context, hertz, from, seconds, loudness) {
  const tone = context.createOscillator();
  const gain = context.createGain();
  tone.frequency.value = hertz;
  // A tone that begins and ends at once clicks.
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(loudness, from + 0.02);
  gain.gain.setValueAtTime(loudness, from + seconds - 0.04);
  gain.gain.linearRampToValueAtTime(0, from + seconds);
  tone.connect(gain).connect(context.destination);
  tone.start(from);
  tone.stop(from + seconds);
}
