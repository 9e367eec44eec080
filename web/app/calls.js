/** Calls, put together: what the server tells, what is shown and heard of it. Fetched with the first of them. */
import { html, render } from '/vendor/preact-htm.js';
import { phaseOf } from '../core/calls.js';
import { peerOf } from '../core/conversations.js';
import { t } from '../core/i18n.js';
import { Calls } from '../client/calls.js';
import { Recording } from '../client/recording.js';
import { ringing } from '../client/ringtone.js';
import { CallLayer } from '../views/call.js';
import { farewell, recordingWord } from '../views/call_words.js';
import { loadShared, loadStyles } from '../views/lazy.js';
import { closeRinging, show } from './notification.js';

/** @typedef {{calls: Calls, close: () => void}} Running */

/** The calls of each person's client, once what they show is there. @type {WeakMap<object, Promise<Running>>} */
const running = new WeakMap();

/** @type {Promise<any>|null} */
let styles = null;

/**
 * @param {import('./create.js').App} app
 * @param {string} [name] `start`, or an event of the server; none: what a reload has left is gone on with
 * @param {any} [data]
 */
export async function told(app, name, data) {
  const { client } = app;
  if (!client) return;
  let begun = running.get(client);
  if (!begun) running.set(client, (begun = begin(app, client)));
  const { calls } = await begun;
  if (name === 'start') await calls.start(data);
  else if (name) calls.heard(name, data);
}

/**
 * @param {import('./create.js').App} app
 * @param {import('../client/client.js').Client} client
 * @returns {Promise<Running>}
 */
async function begin(app, client) {
  styles ??= loadStyles('/calls.css');
  await Promise.all([loadShared(), styles]).catch(() => {
    // What is heard is more than how it looks: it goes on, and tries again with the next person.
    styles = null;
  });
  const place = document.createElement('div');
  place.className = 'call-place';
  document.body.append(place);
  /** @type {Set<() => void>} */
  const redraws = new Set();
  const sound = soundOf(app);
  /** @type {Recording|null} */
  let recording = null;
  const calls = new Calls(client, {
    onChange: () => {
      recording?.follow();
      for (const redraw of redraws) redraw();
      // A browser may think for long before it gives a loudspeaker: what is seen does not wait for it.
      setTimeout(() => sound(calls));
    },
    onOver: (call) => {
      const text = farewell(call, client.me.id, nameIn(app, call.conversationId));
      if (text) client.notice(text);
    },
  });
  recording = new Recording(calls, {
    onRecording: (change) => {
      const text = recordingWord(change);
      if (text) client.notice(text);
    },
  });
  const unguard = guard(recording);
  const follow = (redraw) => {
    redraws.add(redraw);
    return () => redraws.delete(redraw);
  };
  render(html`<${CallLayer} app=${app} calls=${calls} recording=${recording} follow=${follow} />`,
    place);
  const close = () => {
    end();
    unguard();
    recording?.close();
    calls.close();
    render(null, place);
    place.remove();
  };
  const end = app.store.subscribe(() => {
    if (app.client !== client) close();
  });
  return { calls, close };
}

/**
 * A window that records asks before it is closed.
 * @param {Recording} recording
 * @returns {() => void} ends it
 */
function guard(recording) {
  /** @param {Event} event */
  const leaves = (event) => recording.isBusy() && event.preventDefault();
  addEventListener('beforeunload', leaves);
  return () => removeEventListener('beforeunload', leaves);
}

/**
 * Rings as long as it rings, and tells by the system who calls where nobody looks.
 * @param {import('./create.js').App} app
 * @returns {(calls: Calls) => void}
 */
function soundOf(app) {
  let ring = '';
  let silence = () => {};
  return (calls) => {
    const { view, client } = calls;
    const phase = phaseOf(view, client.me.id);
    const rings = phase === 'incoming' || (phase === 'calling' && view.seat === 'in' && !view.frame) ? phase : '';
    if (rings === ring) return;
    if (ring === 'incoming') closeRinging().catch(() => {});
    ring = rings;
    silence();
    silence = rings ? ringing(rings === 'incoming' ? 'incoming' : 'calling') : () => {};
    if (rings === 'incoming' && !document.hasFocus() && view.call) announce(app, view.call.conversationId);
  };
}

/**
 * @param {import('./create.js').App} app
 * @param {number} conversationId
 */
function announce(app, conversationId) {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  show(app, { conversationId, title: t('call.notice', { name: nameIn(app, conversationId) }) });
}

/**
 * @param {import('./create.js').App} app
 * @param {number} conversationId
 */
function nameIn(app, conversationId) {
  const { conversations, me } = app.store.state();
  const conversation = conversations[conversationId];
  return conversation && me ? peerOf(conversation, me.id).name : t('app.name');
}
