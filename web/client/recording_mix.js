/**
 * What a recording is made of: all voices in one track, all pictures in another. Both stay the same while those who
 * speak change their devices, switch cameras off or show their screens.
 *
 * @typedef {{name: string, audio: MediaStreamTrack|null, video: MediaStreamTrack|null, weight: number}} Member
 */
import { FRAMES_PER_SECOND, SIZE } from '../core/recording.js';
import { draw } from './recording_drawing.js';

const FRAMES = '/client/recording_frames.js';

/** What only some browsers have: frames of a track as a stream, and a track made of a stream. @type {any} */
const streams = globalThis;
const canStream = () => 'MediaStreamTrackProcessor' in streams && 'MediaStreamTrackGenerator' in streams;

/** How long a browser may take to open the loudspeaker, without which it mixes nothing. */
const OPENS_WITHIN_MS = 3_000;

/** @returns {Promise<boolean>} whether voices can be mixed here; a machine without a loudspeaker may not be able to */
export async function canMix() {
  const context = new AudioContext();
  const opened = context.resume().then(() => true, () => false);
  const late = new Promise((resolve) => setTimeout(() => resolve(false), OPENS_WITHIN_MS));
  const isOpen = await Promise.race([opened, late]);
  context.close().catch(() => {});
  return isOpen;
}

export class Mix {
  /** @param {boolean} [hasPictures] without: the voices alone, the pictures come from elsewhere */
  constructor(hasPictures = true) {
    this.context = new AudioContext();
    this.context.resume().catch(() => {});
    this.voices = this.context.createMediaStreamDestination();
    /** What each track is heard through. @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */
    this.heard = new Map();
    this.pictures = !hasPictures ? null : canStream() ? new StreamedPictures() : new DrawnPictures();
  }

  /** @returns {MediaStream} what is to be recorded */
  stream() {
    return new MediaStream([...(this.pictures ? [this.pictures.track] : []), ...this.voices.stream.getAudioTracks()]);
  }

  /** @param {Member[]} members as they are now */
  show(members) {
    this.hear(members.map(({ audio }) => audio));
    this.pictures?.show(members);
  }

  /** @param {(MediaStreamTrack|null)[]} tracks */
  hear(tracks) {
    for (const [track, node] of this.heard) {
      if (tracks.includes(track)) continue;
      node.disconnect();
      this.heard.delete(track);
    }
    for (const track of tracks) {
      if (!track || this.heard.has(track) || track.readyState === 'ended') continue;
      const node = this.context.createMediaStreamSource(new MediaStream([track]));
      node.connect(this.voices);
      this.heard.set(track, node);
    }
  }

  close() {
    this.hear([]);
    this.pictures?.close();
    this.context.close().catch(() => {});
  }
}

/** Pictures that a worker takes, draws and gives: they go on in a window that is out of sight. */
class StreamedPictures {
  constructor() {
    this.worker = new Worker(FRAMES, { type: 'module' });
    const generator = new streams.MediaStreamTrackGenerator({ kind: 'video' });
    /** @type {MediaStreamTrack} */
    this.track = generator;
    this.worker.postMessage({ writable: generator.writable }, [generator.writable]);
    /** @type {Map<MediaStreamTrack, number>} */
    this.keys = new Map();
    this.last = 0;
  }

  /** @param {Member[]} members */
  show(members) {
    for (const track of this.keys.keys()) if (!members.some(({ video }) => video === track)) this.keys.delete(track);
    const fresh = members.map(({ video }) => video).filter((track) => track && !this.keys.has(track));
    for (const track of fresh) this.keys.set(/** @type {MediaStreamTrack} */ (track), (this.last += 1));
    const keyOf = (/** @type {MediaStreamTrack|null} */ track) => (track ? this.keys.get(track) : 0);
    this.worker.postMessage({ slots: members.map(({ name, weight, video }) => ({ name, weight, key: keyOf(video) })) });
    for (const track of fresh) {
      const { readable } = new streams.MediaStreamTrackProcessor({ track });
      this.worker.postMessage({ key: keyOf(track), readable }, [readable]);
    }
  }

  close() {
    this.worker.postMessage({ isOver: true });
    this.track.stop();
  }
}

/** Pictures that the page draws, as often as a worker says: a page's own timers are slowed down out of sight. */
class DrawnPictures {
  constructor() {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, SIZE);
    this.drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
    this.track = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks()[0];
    /** @type {Map<MediaStreamTrack, HTMLVideoElement>} */
    this.screens = new Map();
    /** @type {Member[]} */
    this.members = [];
    this.worker = new Worker(FRAMES, { type: 'module' });
    this.worker.onmessage = () => this.draw();
  }

  /** @param {Member[]} members */
  show(members) {
    this.members = members;
    for (const [track, screen] of this.screens) {
      if (members.some(({ video }) => video === track)) continue;
      screen.srcObject = null;
      this.screens.delete(track);
    }
    for (const { video } of members) if (video && !this.screens.has(video)) this.screens.set(video, screenOf(video));
  }

  draw() {
    draw(this.drawing, this.members.map(({ name, weight, video }) => {
      const screen = video && this.screens.get(video);
      return { name, weight, picture: screen && screen.videoWidth ? seen(screen) : null };
    }));
  }

  close() {
    this.worker.terminate();
    this.show([]);
    this.track.stop();
  }
}

/** @param {HTMLVideoElement} screen */
const seen = (screen) => ({ source: screen, width: screen.videoWidth, height: screen.videoHeight });

/** @param {MediaStreamTrack} track */
function screenOf(track) {
  const screen = document.createElement('video');
  Object.assign(screen, { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  screen.play().catch(() => {});
  return screen;
}
