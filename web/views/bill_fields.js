/** Fields that say what is wrong with what stands in them, beside what stands in them. */
import { html, useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { Refusal } from '../client/api.js';
import { t } from '../core/i18n.js';
import { countries } from './bill_words.js';

/** What is wrong, by the server's name of the field. @typedef {Record<string, string>} Faults */

/** A field's element in the document. @param {string} name as the server calls it */
const idOf = (name) => `f-${name.replace(/\W+/g, '-')}`;

/** @param {any} props `name`: as the server calls it; `faults`: of the form; `hint`; `children`: (given) => control */
function Labelled({ text, name, faults = {}, hint = '', className = '', children }) {
  const id = idOf(name);
  const fault = faults[name];
  const told = [fault && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(' ');
  const given = { id, 'aria-invalid': fault ? 'true' : undefined, 'aria-describedby': told || undefined };
  return html`<div class="field ${className}"><label for=${id}>${text}</label>${children(given)}
    ${fault && html`<p class="field-fault" id="${id}-fault">${fault}</p>`}
    ${hint && html`<small id="${id}-hint">${hint}</small>`}</div>`;
}

/** @param {any} props what `Labelled` takes; `value`, `onText`, and what else an input may have */
export function TextField({ text, name, faults, hint, className, value, onText, ...more }) {
  return html`<${Labelled} text=${text} name=${name} faults=${faults} hint=${hint} className=${className}>${(given) =>
    html`<input ...${given} ...${more} value=${value} onInput=${(e) => onText(e.target.value)} />`}</${Labelled}>`;
}

/** The same over several lines. @param {any} props */
export function LongField({ text, name, faults, hint, className, value, onText, rows = 2, ...more }) {
  return html`<${Labelled} text=${text} name=${name} faults=${faults} hint=${hint} className=${className}>${(given) =>
    html`<textarea ...${given} ...${more} rows=${rows} value=${value}
      onInput=${(e) => onText(e.target.value)}></textarea>`}</${Labelled}>`;
}

/** @param {any} props `choices`: values and texts */
export function ChoiceField({ text, name, faults, hint, className, value, choices, onChoose, ...more }) {
  return html`<${Labelled} text=${text} name=${name} faults=${faults} hint=${hint} className=${className}>${(given) =>
    html`<select ...${given} ...${more} value=${value} onChange=${(e) => onChoose(e.target.value)}>
      ${choices.map(([one, label]) => html`
        <option key=${one} value=${one} selected=${one === value}>${label}</option>`)}</select>`}</${Labelled}>`;
}

/** @param {any} props `of`: the address; `path`: before the names of its fields; `onChange` */
export function AddressFields({ of, path, faults, onChange }) {
  const field = (name, text, more = {}) => html`
    <${TextField} name="${path}.${name}" text=${text} faults=${faults} value=${of[name]} ...${more}
      onText=${(value) => onChange({ ...of, [name]: value })} />`;
  return html`
    ${faults[path] && html`<p class="field-fault">${faults[path]}</p>`}
    ${field('line1', t('party.line1'), { autocomplete: 'off', maxlength: 200 })}
    ${field('line2', t('party.line2'), { autocomplete: 'off', maxlength: 200 })}
    <div class="bill-place">${field('postcode', t('party.postcode'), { autocomplete: 'off', maxlength: 20 })}
      ${field('city', t('party.city'), { autocomplete: 'off', maxlength: 100 })}
      <${ChoiceField} name="${path}.country" text=${t('party.country')} faults=${faults} value=${of.country}
        choices=${countries(of.country)} onChoose=${(country) => onChange({ ...of, country })} /></div>`;
}

/** Who is billed. @param {any} props `of`: `BuyerForm`; `path`: before the names of its fields, with its point */
export function BuyerFields({ of, path = '', faults, onChange }) {
  const set = (change) => onChange({ ...of, ...change });
  const isCompany = of.kind === 'company';
  return html`
    <${ChoiceField} name="${path}kind" text=${t('party.kind')} faults=${faults} value=${of.kind}
      choices=${[['person', t('party.person')], ['company', t('party.company')]]} onChoose=${(kind) => set({ kind })} />
    <${TextField} name="${path}name" text=${isCompany ? t('party.companyName') : t('field.name')} faults=${faults}
      value=${of.name} maxlength="200" autocomplete="off" onText=${(name) => set({ name })} />
    <${AddressFields} of=${of.address} path="${path}address" faults=${faults}
      onChange=${(address) => set({ address })} />
    ${isCompany && html`<div class="field-pair">
      <${TextField} name="${path}siren" text=${t('party.siren')} faults=${faults} value=${of.siren} inputmode="numeric"
        hint=${of.address.country === 'FR' ? t('party.sirenHint') : ''} onText=${(siren) => set({ siren })} />
      <${TextField} name="${path}vatNumber" text=${t('party.vatNumber')} faults=${faults} value=${of.vatNumber}
        onText=${(vatNumber) => set({ vatNumber })} /></div>`}`;
}

/**
 * A refusal of the server, by the fields that it concerns.
 * @param {unknown} error
 * @returns {Faults} what concerns no field stands under ''
 */
export function faultsOf(error) {
  const { message, details = [] } = error instanceof Refusal ? error : new Refusal('INTERNAL', String(error));
  if (!details.length) return { '': message };
  return Object.fromEntries(details.map((detail) => [detail.field, detail.message]));
}

/**
 * What is wrong and has no field on the screen; else that something is wrong.
 * @param {{faults: Faults, at: number, extra?: string[]}} props `at`: grows with each attempt that failed; `extra`:
 *   what is to be said beside it
 */
export function FaultSummary({ faults, at, extra = [] }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const [loose, setLoose] = useState(/** @type {string[]} */ ([]));
  useEffect(() => {
    if (!at) return;
    const form = box.current?.closest('[role=group], form, dialog, .section');
    const isShown = (name) => [name, name.replace(/\[\d+\]$/, ''), name.split('.')[0]]
      .some((one) => one && form?.querySelector(`[id="${idOf(one)}"]`));
    setLoose(Object.keys(faults).filter((name) => !isShown(name)).map((name) => faults[name]));
    const first = /** @type {HTMLElement|null} */ (form?.querySelector('[aria-invalid="true"]'));
    if (first) first.focus();
  }, [at]);
  const texts = [...new Set([...extra, ...loose])];
  const any = extra.length > 0 || Object.keys(faults).length > 0;
  return html`<div class="fault-place" ref=${box} role="alert">${any && html`<div class="fault">
    ${texts.length ? texts.map((text) => html`<p key=${text}>${text}</p>`) : html`<p>${t('fault.some')}</p>`}</div>`}
    </div>`;
}

/**
 * Something that is asked of the server by a button, and what it refuses.
 * @returns {{busy: boolean, faults: Faults, at: number,
 *   attempt: (work: () => Promise<any>, quietly?: boolean) => Promise<boolean>}} `attempt` tells whether it was done;
 *   `quietly`: nobody has asked for it, so the focus stays where it is
 */
export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [{ faults, at }, setState] = useState({ faults: /** @type {Faults} */ ({}), at: 0 });
  const attempt = async (work, quietly = false) => {
    if (!quietly) setBusy(true);
    try {
      await work();
      setState((before) => ({ ...before, faults: {} }));
      return true;
    } catch (error) {
      setState((before) => ({ faults: faultsOf(error), at: before.at + (quietly ? 0 : 1) }));
      return false;
    } finally {
      if (!quietly) setBusy(false);
    }
  };
  return { busy, faults, at, attempt };
}
