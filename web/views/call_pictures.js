/** The pictures of a call: the other side's, one's own in a corner, and in words what is going on. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { NO_SIGNS, newsOf, signsOf } from '../core/call_news.js';
import { clockOf, secondsOf } from '../core/calls.js';
import { now } from '../core/clock.js';
import { t } from '../core/i18n.js';
import { newsWord } from './call_words.js';
import { useTick } from './hooks.js';
import { Avatar } from './person.js';

/** After so long without a connection the two networks have no way to each other. */
const APART_MS = 15_000;

/** @param {any} props */
export function CallPictures({ calls, view, peer }) {
  useTick(1_000);
  const { theirs, own } = view;
  const { line } = calls;
  const isSeen = view.link === 'connected' && (theirs.camera || theirs.screen);
  const isConnected = view.link === 'connected';
  return html`
    <div class="call-pictures">
      <${Video} kind="call-theirs ${theirs.screen ? 'screen' : ''}" stream=${line.theirs} isHidden=${!isSeen}
        label=${t('call.theirs', { name: peer.name })} sink=${calls.devices.chosen().audiooutput} />
      ${!isSeen && html`<${Avatar} person=${peer} showOnline=${false} />`}
      <p class="call-state" role="status">${stateOf(view, peer.name)}</p>
      <p class="call-signs">
        ${view.call?.answeredAt && html`<time class="call-time">${clockOf(secondsOf(view.call, now()))}</time>`}
        ${isConnected && !theirs.microphone && html`<span>${t('call.theyMuted')}</span>`}
        ${isConnected && view.isWeak && html`<span class="weak">${t('call.weak')}</span>`}
        ${own.screen && html`<span>${t('call.sharing')}</span>`}
      </p>
      <${News} view=${view} name=${peer.name} />
      ${own.camera && !own.screen && html`<${OwnPicture} track=${line.tracks.video} />`}
    </div>`;
}

/**
 * What is going on, where nobody talks yet or any more.
 * @param {import('../core/calls.js').View} view
 * @param {string} name
 */
function stateOf(view, name) {
  const { call, seat, link, linkSince } = view;
  if (seat === 'asking') return t('call.asking');
  if (!call || seat === 'joining') return t('call.starting');
  if (call.state === 'ringing') return call.reachable ? t('call.calling', { name }) : t('call.unreachable', { name });
  if (link === 'connected') return '';
  if (link === 'waiting') return t('call.waiting', { name });
  if (Date.now() - linkSince > APART_MS) return t('call.apart');
  if (link === 'again') return t('call.reconnecting');
  return view.isLocal ? `${t('call.connecting')} ${t('call.sameNetwork')}` : t('call.connecting');
}

/**
 * Says what the signs show, to who does not see them. A region that is told the same again says nothing.
 * @param {{view: import('../core/calls.js').View, name: string}} props
 */
function News({ view, name }) {
  const signs = useRef(NO_SIGNS);
  const [said, say] = useState('');
  useEffect(() => {
    const before = signs.current;
    signs.current = signsOf(view, before);
    const news = newsOf(before, signs.current);
    if (news.length) say(news.map((one) => newsWord(one, name)).join(' '));
  }, [view]);
  return html`<p class="spoken call-news" role="status">${said}</p>`;
}

/** @param {{track: MediaStreamTrack|null}} props */
function OwnPicture({ track }) {
  const [stream, setStream] = useState(/** @type {MediaStream|null} */ (null));
  useEffect(() => setStream(track && new MediaStream([track])), [track]);
  return html`<${Video} kind="call-own" stream=${stream} label=${t('call.own')} isMuted />`;
}

/** @param {any} props */
function Video({ kind, stream, label, isHidden = false, isMuted = false, sink = '' }) {
  const box = useRef(/** @type {any} */ (null));
  const [isSilent, silence] = useState(false);
  useEffect(() => {
    const video = box.current;
    if (video.srcObject !== stream) video.srcObject = stream;
    if (stream) video.play().then(() => silence(false), (error) => silence(error.name === 'NotAllowedError'));
  }, [stream, stream?.getTracks().length]);
  useEffect(() => {
    if (sink) box.current.setSinkId?.(sink).catch(() => {});
  }, [sink]);
  useEffect(() => {
    const video = box.current;
    // Chromium leaves the picture of a call that is over in a window of its own, standing still.
    return () => {
      if (document.pictureInPictureElement === video) document.exitPictureInPicture().catch(() => {});
    };
  }, []);
  return html`
    <video ref=${box} class="${kind} ${isHidden ? 'unseen' : ''}" aria-label=${label} autoplay playsinline
      muted=${isMuted}></video>
    ${isSilent && html`<button class="button call-sound" type="button"
      onClick=${() => box.current.play().then(() => silence(false), () => {})}>${t('call.sound')}</button>`}`;
}

/** Where another server holds the call: its page, in a frame, and nothing of it in ours. @param {any} props */
export function Frame({ src, name }) {
  return html`
    <iframe class="call-frame" src=${src} title=${t('call.theirs', { name })} referrerpolicy="no-referrer"
      allow="autoplay; camera; microphone; display-capture; fullscreen; speaker-selection; screen-wake-lock"></iframe>
    <p class="quiet"><a href=${src} target="_blank" rel="noopener noreferrer">${t('call.openFrame')}</a></p>`;
}
