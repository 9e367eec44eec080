/** One run of the browser's recorder: from what is mixed to parts that are sent. It ends once, and begins no more. */
import { Mix } from './recording_mix.js';
import { Parts } from './recording_parts.js';

/** How much is lost when a window is closed without a word. */
const PART_MS = 2_000;
const VOICES_BITS_PER_SECOND = 64_000;
/** What the server takes, the one that costs least first. */
const TYPES = ['video/webm;codecs=vp8,opus', 'video/webm'];

/** @returns {string|undefined} what this browser records, of what the server takes */
export const recordedType = () => globalThis.MediaRecorder && TYPES.find((one) => MediaRecorder.isTypeSupported(one));

/**
 * @typedef {{callId: number, offer: import('../core/recording.js').Offer,
 *   members: () => import('./recording_mix.js').Member[], picture?: MediaStreamTrack|null,
 *   onFault: (error: Error) => void, onNearlyFull: () => void}} Given `picture`: one that is made already
 */

export class Recorder {
  /** @param {Given} given */
  constructor({ callId, offer, members, picture = null, onFault, onNearlyFull }) {
    this.members = members;
    /** Whether everybody agrees at this moment. */
    this.mayGo = true;
    this.parts = new Parts(callId, offer.partBytes, { mayGo: () => this.mayGo, onFault, onNearlyFull });
    this.mix = new Mix(!picture);
    this.refresh();
    const stream = this.mix.stream();
    if (picture) stream.addTrack(picture);
    this.recorder = new MediaRecorder(stream, {
      mimeType: recordedType(),
      audioBitsPerSecond: VOICES_BITS_PER_SECOND,
      videoBitsPerSecond: offer.bitsPerSecond - VOICES_BITS_PER_SECOND,
    });
    this.recorder.ondataavailable = ({ data }) => this.parts.add(data);
    this.recorder.onerror = (event) => onFault(/** @type {any} */ (event).error ?? new Error('recorder'));
    this.recorder.start(PART_MS);
  }

  /** Devices, pictures or screens have changed. */
  refresh() {
    this.mix.show(this.members());
  }

  /** Somebody has yet to agree: nothing is recorded until then. */
  pause() {
    this.mayGo = false;
    if (this.recorder.state === 'recording') this.recorder.pause();
  }

  resume() {
    this.mayGo = true;
    if (this.recorder.state === 'paused') this.recorder.resume();
    this.parts.go();
  }

  /** @returns {Promise<void>} when all that was recorded has arrived, or nothing more can */
  async stop() {
    this.mayGo = true;
    await this.halt();
    await this.parts.end();
  }

  /** Ends without sending anything more. */
  drop() {
    this.parts.drop();
    this.halt();
  }

  /** @returns {Promise<void>} when the last bytes are there */
  async halt() {
    const { recorder } = this;
    if (recorder.state !== 'inactive') {
      await new Promise((resolve) => {
        recorder.onstop = resolve;
        recorder.stop();
      });
    }
    this.mix.close();
  }
}
