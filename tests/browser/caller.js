/** Somebody who calls: a browser with a microphone and a camera that are played, and what arrives from the other side. */
import { PATIENCE_MS } from '../support/node.mjs';
import { Person, launch } from './person.js';

/** Devices that are there and given without a question; addresses that both browsers of one machine reach. */
const DEVICES = {
  chromium: { args: [
    '--use-fake-device-for-media-stream=fps=10', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    '--disable-features=WebRtcHideLocalIpsWithMdns', '--auto-accept-this-tab-capture', '--auto-select-desktop-capture-source=Entire screen',
  ] },
  firefox: { extraPrefsFirefox: {
    'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true, 'media.peerconnection.ice.loopback': true,
    'media.peerconnection.ice.obfuscate_host_addresses': false, 'media.autoplay.default': 0, 'media.autoplay.block-webaudio': false,
    'media.gmp-manager.updateEnabled': false,
  } },
};

/** So many calls may a person begin in a minute; on a busy machine the server hears of a press seconds after it. */
const STARTS = 6;
const STARTS_MS = 66_000;

/** @param {'chromium'|'firefox'} name @param {object} [more] for the browser */
export const launchCaller = (name, more = {}) => launch(name, { ...DEVICES[name], ...more });

/**
 * Small pictures, few of them; and the page's connections are kept where they can be counted, and its notices, which go after a while,
 * until they are asked for.
 */
function prepare() {
  window.connections = [];
  window.told = [];
  let shown = new Set();
  new MutationObserver(() => {
    const texts = [...document.querySelectorAll('.notice')].map((one) => one.textContent);
    window.told.push(...texts.filter((one) => !shown.has(one)));
    shown = new Set(texts);
  }).observe(document, { childList: true, characterData: true, subtree: true });
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      window.connections.push(this);
    }
  };
  // A connection that is closed while it is asked may never answer.
  window.reportsOf = async (connection) => {
    const late = new Promise((resolve) => setTimeout(resolve, 2_000, new Map()));
    return [...(await Promise.race([connection.getStats(), late])).values()];
  };
  const { mediaDevices } = navigator;
  // An empty page has none.
  if (!mediaDevices) return;
  const real = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = ({ audio, video }) => {
    if (window.refusal) return Promise.reject(new DOMException('refused', window.refusal));
    return real({ audio: audio ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false } : false, video: video ? { width: 320, height: 240, frameRate: 10 } : false });
  };
}

/** A browser cannot be told to lose what another one on the same machine sends: it counts as lost. @param {number} share */
function lose(share) {
  window.lostShare = share;
  if (window.losses) return;
  window.losses = new Map();
  const { prototype } = window.RTCPeerConnection;
  const count = prototype.getStats;
  prototype.getStats = async function getStats(...given) {
    return new Map([...await count.apply(this, given)].map(([id, one]) => {
      if (one.type !== 'inbound-rtp') return [id, one];
      const before = window.losses.get(id) ?? { received: one.packetsReceived, lost: 0 };
      const lost = before.lost + (one.packetsReceived - before.received) * window.lostShare;
      window.losses.set(id, { received: one.packetsReceived, lost });
      return [id, { ...one, packetsLost: one.packetsLost + lost }];
    }));
  };
}

export class Caller extends Person {
  /** @param {any} launched @param {object} [size] */
  static async in(launched, { width = 1280, height = 800 } = {}) {
    const caller = new Caller();
    caller.browserName = launched.name;
    caller.context = await launched.browser.createBrowserContext();
    await caller.open({ width, height });
    return caller;
  }

  /** @param {{width: number, height: number}} size */
  async open(size) {
    await super.open(size);
    await this.page.evaluateOnNewDocument(prepare);
  }

  /** Another window of the same browser. */
  async window() {
    const other = new Caller();
    Object.assign(other, { browserName: this.browserName, context: this.context, complaints: this.complaints });
    await other.open({ width: 1280, height: 800 });
    return other;
  }

  /** Presses a button of the call or of a dialog once it is there, wherever it stands. @param {string} name */
  async presses(name) {
    if (name.startsWith('Appel ')) {
      await this.mayStart();
      this.starts.push(Date.now());
    }
    // A press by the mouse would have to wait for a picture that moves.
    await this.until((wanted) => {
      const named = (one) => (one.getAttribute('aria-label') ?? one.textContent.trim()) === wanted;
      const button = [...document.querySelectorAll('button:enabled')].find(named);
      button?.click();
      return Boolean(button);
    }, name);
  }

  /** Until the server takes another call of this person's. */
  async mayStart() {
    this.starts = (this.starts ?? []).slice(-STARTS);
    const [oldest] = this.starts;
    const pause = this.starts.length < STARTS ? 0 : oldest + STARTS_MS - Date.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }

  /** Until the call is, or is not any more, on the page. @param {boolean} [isThere] */
  async talks(isThere = true) {
    await this.until((wanted) => Boolean(document.querySelector('section.call[data-phase="talking"]')) === wanted, isThere);
  }

  /** Until the two browsers have met. */
  async isConnected() {
    await this.talks();
    await this.until(() => document.querySelector('.call-state')?.textContent === '');
  }

  /** Until it rings here, or does not any more. @param {boolean} [isThere] */
  async rings(isThere = true) {
    await this.until((wanted) => Boolean(document.querySelector('dialog.incoming[open]')) === wanted, isThere);
  }

  /** Ends the call that stands here, whether it rings or is talked. */
  async leaves() {
    await this.page.evaluate(() => {
      const ends = (one) => ['Refuser', 'Raccrocher'].includes(one.getAttribute('aria-label') ?? one.textContent.trim());
      [...document.querySelectorAll('button')].find(ends)?.click();
    });
    await this.rings(false);
    await this.talks(false);
  }

  /** Until a notice has said it. @param {string} text */
  async isTold(text) {
    await this.until((wanted) => {
      const at = window.told.findIndex((one) => one.includes(wanted));
      if (at >= 0) window.told.splice(at, 1);
      return at >= 0;
    }, text);
  }

  /** Until it is said to who does not see the call, and stays unseen. @param {string} text */
  async isSaid(text) {
    await this.until((wanted) => {
      const region = document.querySelector('.call .call-news[role=status]');
      return region?.textContent.endsWith(wanted) && region.getBoundingClientRect().width <= 1;
    }, text);
  }

  /** Such a share of what arrives counts as lost from now on. @param {number} share */
  async loses(share) {
    await this.page.evaluate(lose, share);
  }

  /** Until pictures have arrived that had not when it was asked. @param {number} [count] */
  async sees(count = 5) {
    const before = await this.frames();
    const deadline = Date.now() + PATIENCE_MS;
    for (let now = before; now < before + count; now = await this.frames()) {
      if (Date.now() > deadline) throw new Error(`${this.browserName}: ${now - before} more pictures than ${before}: ${JSON.stringify(await this.states())}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** @returns {Promise<number>} pictures of the other side that were decoded */
  frames() {
    return this.page.evaluate(async () => {
      let frames = 0;
      for (const one of window.connections.filter(({ connectionState }) => connectionState === 'connected')) {
        for (const report of await window.reportsOf(one)) if (report.type === 'inbound-rtp' && report.kind === 'video') frames += report.framesDecoded ?? 0;
      }
      return frames;
    });
  }

  states() {
    return this.page.evaluate(() => window.connections.map(({ connectionState, iceConnectionState, signalingState }) => [connectionState, iceConnectionState, signalingState]));
  }

  /**
   * Whether the other side's tone arrives within a second: what is played, or, where a machine plays nothing or is too busy to, what was
   * decoded.
   * @returns {Promise<boolean>}
   */
  isHearing() {
    return this.page.evaluate(async () => {
      const stream = document.querySelector('.call-theirs')?.srcObject;
      if (!stream?.getAudioTracks().length) return false;
      if (window.listening?.stream !== stream) {
        window.listening?.context.close();
        const context = new AudioContext();
        const analyser = context.createAnalyser();
        context.createMediaStreamSource(stream).connect(analyser);
        window.listening = { stream, context, analyser };
      }
      const { context, analyser } = window.listening;
      context.resume();
      const energy = async () => {
        const reports = await Promise.all(window.connections.map(window.reportsOf));
        return reports.flat().reduce((sum, one) => sum + (one.type === 'inbound-rtp' && one.kind === 'audio' ? one.totalAudioEnergy ?? 0 : 0), 0);
      };
      const before = await energy();
      const wave = new Float32Array(analyser.fftSize);
      for (let round = 0; round < 50; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        analyser.getFloatTimeDomainData(wave);
        if (wave.some((value) => Math.abs(value) > 0.01)) return true;
      }
      return (await energy()) - before > 1e-4;
    });
  }

  /** Until the tone arrives, or arrives no more. @param {boolean} [wanted] */
  async listens(wanted = true) {
    const deadline = Date.now() + PATIENCE_MS;
    while ((await this.isHearing()) !== wanted) {
      if (Date.now() > deadline) throw new Error(`${this.browserName}: the tone ${wanted ? 'did not arrive' : 'went on'}`);
    }
  }
}
