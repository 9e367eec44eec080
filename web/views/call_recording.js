/** Recording a call: the button, the sign that everybody sees while it runs, and the questions that are asked. */
import { html, useState } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { hasSomething, isAsked, isOn, mayAsk } from '../core/recording.js';
import { RECORD } from './call_icons.js';
import { keptForDays } from './call_words.js';
import { Dialog } from './dialog.js';
import { Icon } from './hooks.js';

/**
 * In the bar of the call, for who may ask.
 * @param {{recording: import('../client/recording.js').Recording, view: import('../core/calls.js').View}} props
 */
export function RecordButton({ recording, view }) {
  const [asks, ask] = useState(false);
  const { call } = view;
  const offer = recording.offer();
  if (!offer?.mayAsk || !call || recording.obstacle()) return null;
  const { state } = call.recording;
  const isRunning = state === 'on' || state === 'asked';
  if (!isRunning && !mayAsk(call, offer)) return null;
  const press = () => (isRunning && !hasSomething(call) ? recording.answer(false) : ask(true));
  return html`
    <button class="icon-button" type="button" aria-label=${t('recording.record')}
      title=${t('recording.record')} aria-pressed=${isRunning ? 'true' : 'false'} onClick=${press}>
      <${Icon} path=${RECORD} /></button>
    ${asks && !isRunning && html`<${Ask} recording=${recording} offer=${offer} onClose=${() => ask(false)} />`}
    ${asks && isRunning && html`<${Stop} recording=${recording} call=${call} onClose=${() => ask(false)} />`}`;
}

/**
 * Above the pictures, for everybody: whether it is recorded, and the way out.
 * @param {{recording: import('../client/recording.js').Recording, view: import('../core/calls.js').View,
 *   peer: any}} props
 */
export function RecordSign({ recording, view, peer }) {
  const [stops, stop] = useState(false);
  const { call } = view;
  if (!call) return null;
  const myId = recording.calls.client.me.id;
  const isWaiting = call.recording.state === 'asked' && !isAsked(call, myId);
  const obstacle = recording.offer()?.mayAsk && recording.obstacle();
  return html`
    <div class="call-record" data-state=${call.recording.state} role="status">
      ${isOn(call) && html`<span class="call-recording">${t('recording.runs')}</span>`}
      ${isWaiting && html`<span>${t('recording.waits', { name: peer.name })}</span>`}
      ${(isOn(call) || isWaiting) && html`
        <button class="link" type="button" aria-label=${t('recording.end')}
          onClick=${() => (hasSomething(call) ? stop(true) : recording.answer(false))}>
          ${t('recording.stop')}</button>`}
      ${obstacle && html`<span class="quiet">${obstacle}</span>`}</div>
    ${stops && html`<${Stop} recording=${recording} call=${call} onClose=${() => stop(false)} />`}
    ${isAsked(call, myId) && html`<${Consent} recording=${recording} name=${peer.name} />`}`;
}

/** What a recording is for, how long it stays, and what one may do against it: law wants it said before the answer. */
function Terms({ offer }) {
  return html`
    <p>${t('recording.purpose')}</p>
    <p>${keptForDays(offer?.keepDays)} ${t('recording.access')}</p>
    <p>${t('recording.rights')}</p>`;
}

/** Before the others are asked. @param {any} props */
function Ask({ recording, offer, onClose }) {
  const ask = () => {
    onClose();
    recording.ask();
  };
  return html`
    <${Dialog} title=${t('recording.askTitle')} onClose=${onClose}>
      <p>${t('recording.askText')}</p>
      <${Terms} offer=${offer} />
      ${offer.by === 'service' && html`<p>${t('recording.byService')}</p>`}
      <p class="dialog-ways"><button class="button" type="button" data-first onClick=${onClose}>
        ${t('dialog.cancel')}</button>
        <button class="button primary" type="button" onClick=${ask}>${t('recording.ask')}</button></p></${Dialog}>`;
}

/** To each of the others. It stays until it is answered, or nobody asks any more. @param {any} props */
function Consent({ recording, name }) {
  return html`
    <${Dialog} title=${t('recording.consentTitle')} kind="consent">
      <p>${t('recording.consentText', { name })}</p>
      <${Terms} offer=${recording.offer()} />
      <p class="dialog-ways"><button class="button" type="button" data-first
        onClick=${() => recording.answer(false)}>${t('recording.refuse')}</button>
        <button class="button primary" type="button" onClick=${() => recording.answer(true)}>${t('recording.accept')}
        </button></p></${Dialog}>`;
}

/** Anybody may stop it, and say what becomes of what is there. @param {any} props */
function Stop({ recording, call, onClose }) {
  /** @param {boolean} keep */
  const stop = (keep) => () => {
    onClose();
    recording.stop(keep);
  };
  if (!hasSomething(call)) return null;
  return html`
    <${Dialog} title=${t('recording.stopTitle')} onClose=${onClose}>
      <p>${t('recording.stopText')}</p>
      <p class="dialog-ways"><button class="button" type="button" data-first onClick=${onClose}>
        ${t('dialog.cancel')}</button>
        <button class="button danger" type="button" onClick=${stop(false)}>${t('recording.stopErase')}</button>
        <button class="button primary" type="button" onClick=${stop(true)}>${t('recording.stopKeep')}</button>
      </p></${Dialog}>`;
}
