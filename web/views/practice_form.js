/** The practice as it stands on its bills. What is not said yet may stay so until something is to be issued. */
import { html, useRef, useState } from '/vendor/preact-htm.js';
import { decimal, written } from '../core/bills.js';
import { locale, t } from '../core/i18n.js';
import { Refusal, call } from '../client/api.js';
import { AddressFields, ChoiceField, FaultSummary, TextField, useAttempt } from './bill_fields.js';

const LOGO_BYTES_MAX = 256 * 1024;

/** Fields that are a text here and a number for the server, with the digits behind their comma. */
const NUMBERS = /** @type {const} */ ({ shareCapitalCents: 2, paymentTermDays: 0, penaltyRateBp: 2 });
const TEXTS = ['name', 'profession', 'authorisation', 'legalForm', 'siren', 'siret', 'rcs', 'vatNumber', 'vatRegime',
  'iban', 'bic', 'conventionDate', 'eInvoicingFrom'];

/** @param {any} practice @returns {any} as it is typed */
function typedOf(practice) {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, practice[name] ?? '']));
  const numbers = Object.entries(NUMBERS).map(([name, digits]) =>
    [name, Number.isInteger(practice[name]) ? written(practice[name], digits, locale()) : '']);
  const { line1 = '', line2, postcode = '', city = '', country = 'FR' } = practice.address ?? {};
  const address = { line1, line2: line2 ?? '', postcode, city, country };
  const mediator = { name: practice.mediator?.name ?? '', contact: practice.mediator?.contact ?? '' };
  return { ...texts, ...Object.fromEntries(numbers), address, mediator, logo: practice.logo ?? null };
}

/** @param {any} typed @returns {any} as the server takes it */
function bodyOf(typed) {
  const body = Object.fromEntries(TEXTS.map((name) => [name, typed[name].trim() || null]));
  const faults = [];
  for (const [name, digits] of Object.entries(NUMBERS)) {
    const text = typed[name].trim();
    body[name] = text ? decimal(text, digits) : null;
    if (text && body[name] === null) faults.push({ field: name, message: t('fault.number') });
  }
  if (faults.length) throw new Refusal('INVALID', t('fault.some'), faults);
  const { line2, country, ...needed } = typed.address;
  const isSaid = (texts) => Object.values(texts).some((text) => text.trim());
  body.address = isSaid(needed) || line2.trim() ? { ...needed, country, ...(line2.trim() && { line2 }) } : null;
  body.mediator = isSaid(typed.mediator) ? typed.mediator : null;
  body.logo = typed.logo && { data: typed.logo.data };
  return body;
}

/** What has changed, and nothing else: an unchanged SIREN of the demonstration is not one that is saved. */
function changes(typed, practice) {
  const before = bodyOf(typedOf(practice));
  const now = bodyOf(typed);
  const isOther = (name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]);
  return Object.fromEntries(Object.keys(now).filter(isOther).map((name) => [name, now[name]]));
}

/** @param {any} props `onPractice`: what the server has made of it */
export function PracticeForm({ app, practice, onPractice }) {
  const [typed, setTyped] = useState(() => typedOf(practice));
  const { busy, faults, at, attempt } = useAttempt();
  const set = (name) => (value) => setTyped((old) => ({ ...old, [name]: value }));
  const submit = (event) => {
    event.preventDefault();
    attempt(async () => {
      const fresh = await call('PATCH', '/admin/practice', changes(typed, practice));
      onPractice(fresh);
      setTyped(typedOf(fresh));
      app.client?.notice(t('saved'));
    });
  };
  const field = (name, text, more = {}) => html`<${TextField} name=${name} text=${text} faults=${faults}
    value=${typed[name]} autocomplete="off" ...${more} onText=${set(name)} />`;
  const choice = (name, text, choices) => html`<${ChoiceField} name=${name} text=${text} faults=${faults}
    value=${typed[name]} choices=${[['', '—'], ...choices]} onChoose=${set(name)} />`;
  return html`
    <form class="form section" onSubmit=${submit} novalidate><h2>${t('practice.identity')}</h2>
      <p class="quiet">${t('practice.identityText')}</p>
      <${FaultSummary} faults=${faults} at=${at} />
      ${field('name', t('practice.name'))}
      <div class="field-pair">${choice('profession', t('practice.profession'), professions())}
        ${typed.profession === 'other' && field('authorisation', t('practice.authorisation'))}
        ${typed.profession === 'avocat'
          && field('conventionDate', t('practice.conventionDate'), { type: 'date' })}</div>
      <div class="field-pair">${field('legalForm', t('practice.legalForm'), { hint: t('practice.legalFormHint') })}
        ${field('shareCapitalCents', t('practice.shareCapital'), { inputmode: 'decimal' })}
        ${field('rcs', t('practice.rcs'))}</div>
      <${AddressFields} of=${typed.address} path="address" faults=${faults} onChange=${set('address')} />
      <h3>${t('practice.registers')}</h3>
      <div class="field-pair">${field('siren', t('party.siren'), { inputmode: 'numeric' })}
        ${field('siret', t('practice.siret'), { inputmode: 'numeric' })}</div>
      <div class="field-pair">${choice('vatRegime', t('practice.vatRegime'), regimes())}
        ${typed.vatRegime !== 'franchise' && field('vatNumber', t('party.vatNumber'))}</div>
      <h3>${t('practice.paying')}</h3>
      <div class="field-pair">${field('iban', t('practice.iban'))}${field('bic', t('practice.bic'))}</div>
      <div class="field-pair">${field('paymentTermDays', t('practice.paymentTerm'), { inputmode: 'numeric' })}
        ${field('penaltyRateBp', t('practice.penaltyRate'), { inputmode: 'decimal' })}</div>
      <h3>${t('practice.mediator')}</h3>
      <${Mediator} of=${typed.mediator} faults=${faults} onChange=${set('mediator')} />
      ${field('eInvoicingFrom', t('practice.eInvoicingFrom'), { type: 'date', hint: t('practice.eInvoicingHint') })}
      <${Logo} logo=${typed.logo} faults=${faults} onLogo=${set('logo')} />
      <p><button class="button primary" type="submit" disabled=${busy}>${t('save')}</button></p></form>`;
}

/** @returns {[string, string][]} */
const professions = () => [
  ['avocat', t('practice.avocat')],
  ['notaire', t('practice.notaire')],
  ['commissaire-de-justice', t('practice.commissaire')],
  ['other', t('practice.other')],
];

/** @returns {[string, string][]} */
const regimes = () => [
  ['collection', t('practice.collection')],
  ['debits', t('practice.debits')],
  ['franchise', t('practice.franchise')],
];

/** @param {any} props */
function Mediator({ of, faults, onChange }) {
  return html`<div class="field-pair">
    <${TextField} name="mediator.name" text=${t('practice.mediatorName')} faults=${faults} value=${of.name}
      autocomplete="off" onText=${(name) => onChange({ ...of, name })} />
    <${TextField} name="mediator.contact" text=${t('practice.mediatorContact')} faults=${faults} value=${of.contact}
      autocomplete="off" onText=${(contact) => onChange({ ...of, contact })} /></div>`;
}

/** A picture for the head of the document. @param {any} props */
function Logo({ logo, faults, onLogo }) {
  const chooser = useRef(/** @type {HTMLInputElement|null} */ (null));
  const [fault, setFault] = useState('');
  const choose = async () => {
    const file = chooser.current?.files?.[0];
    if (!file) return;
    setFault(file.size > LOGO_BYTES_MAX ? t('practice.logoTooLarge') : '');
    if (file.size > LOGO_BYTES_MAX) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const data = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    onLogo({ mimeType: file.type, data });
  };
  const said = fault || faults['logo.data'] || faults.logo;
  return html`<div class="field"><label for="f-logo">${t('practice.logo')}</label>
    ${logo && html`<p class="bill-logo">
      <img alt=${t('practice.logo')} src="data:${logo.mimeType};base64,${logo.data}" />
      <button class="link" type="button" onClick=${() => onLogo(null)}>${t('practice.removeLogo')}</button></p>`}
    <input id="f-logo" ref=${chooser} type="file" accept="image/png,image/jpeg" onChange=${choose}
      aria-invalid=${said ? 'true' : undefined} aria-describedby=${said ? 'f-logo-data' : undefined} />
    ${said && html`<p class="field-fault" id="f-logo-data">${said}</p>`}</div>`;
}
