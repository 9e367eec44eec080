/** The lines of a bill that is being written, and what they come to. */
import { html, useRef } from '/vendor/preact-htm.js';
import { RATES, countable, emptyLine, netTyped, totalsOf, withKind } from '../core/bills.js';
import { t } from '../core/i18n.js';
import { ChoiceField, LongField, TextField } from './bill_fields.js';
import { euros, kinds, rateText } from './bill_words.js';
import { Icon } from './hooks.js';

const LINES_MAX = 200;

/** @param {{form: any, faults: any, change: (change: (form: any) => any) => void}} props */
export function Lines({ form, faults, change }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const { lines } = form;
  const set = (key, line) =>
    change((old) => ({ ...old, lines: old.lines.map((one) => (one.key === key ? line : one)) }));
  const focus = (at) => setTimeout(() => {
    const all = box.current?.querySelectorAll('textarea') ?? [];
    all[Math.min(at, all.length - 1)]?.focus();
  });
  const add = () => {
    const last = lines.at(-1);
    const rate = last && last.kind !== 'disbursement' ? last.vatRateBp : undefined;
    const key = Math.max(0, ...lines.map((line) => line.key)) + 1;
    change((old) => ({ ...old, lines: [...old.lines, emptyLine(key, rate)] }));
    focus(lines.length);
  };
  const remove = (key, at) => {
    change((old) => ({ ...old, lines: old.lines.filter((line) => line.key !== key) }));
    focus(Math.max(0, at - 1));
  };
  return html`
    <div class="bill-lines" ref=${box}>
      ${lines.map((line, at) => html`
        <${Line} key=${line.key} line=${line} at=${at} faults=${faults} onChange=${(fresh) => set(line.key, fresh)}
          onRemove=${lines.length > 1 ? () => remove(line.key, at) : null} />`)}
      ${faults.lines && html`<p class="field-fault" id="f-lines">${faults.lines}</p>`}
      <p><button class="button" type="button" disabled=${lines.length >= LINES_MAX} onClick=${add}>
        <${Icon} name="plus" />${t('bill.addLine')}</button></p>
    </div>`;
}

/** @param {any} props */
function Line({ line, at, faults, onChange, onRemove }) {
  const set = (change) => onChange({ ...line, ...change });
  const named = (name) => `lines[${at}].${name}`;
  const net = netTyped(line);
  const rates = RATES.map((rate) => [String(rate), rateText(rate)]);
  const isFree = line.kind === 'disbursement';
  return html`
    <fieldset class="bill-line"><legend>${t('bill.line', { n: at + 1 })}</legend>
      <${LongField} className="wide" name=${named('description')} text=${t('bill.description')} faults=${faults}
        value=${line.description} maxlength="500" rows="2" onText=${(description) => set({ description })} />
      <${ChoiceField} name=${named('kind')} text=${t('bill.kind')} faults=${faults} value=${line.kind}
        choices=${kinds()} onChoose=${(kind) => onChange(withKind(line, kind))} />
      <${TextField} className="number" name=${named('quantity')} text=${t('bill.quantity')} faults=${faults}
        value=${line.quantity} inputmode="decimal" autocomplete="off" onText=${(quantity) => set({ quantity })} />
      <${TextField} className="number" name=${named('unitPriceCents')} text=${t('bill.unitPrice')} faults=${faults}
        value=${line.unitPrice} inputmode="decimal" autocomplete="off" onText=${(unitPrice) => set({ unitPrice })} />
      <${TextField} className="number" name=${named('discountCents')} text=${t('bill.discount')} faults=${faults}
        value=${line.discount} inputmode="decimal" autocomplete="off" onText=${(discount) => set({ discount })} />
      <${ChoiceField} name=${named('vatRateBp')} text=${t('bill.vatRate')} faults=${faults}
        value=${String(line.vatRateBp)} choices=${isFree ? [['0', rateText(0)]] : rates}
        onChoose=${(rate) => set({ vatRateBp: Number(rate) })} />
      <p class="bill-line-net"><span class="quiet">${t('bill.net')}</span>
        <span class="tabular">${net === null ? '—' : euros(net)}</span></p>
      ${onRemove && html`<button class="icon-button" type="button" aria-label=${t('bill.removeLine', { n: at + 1 })}
        title=${t('bill.removeLine', { n: at + 1 })} onClick=${onRemove}><${Icon} name="trash" /></button>`}
    </fieldset>`;
}

/** What is typed comes to this, by the server's rules. @param {any} form */
export const totalsTyped = (form) => totalsOf(countable(form));

/**
 * @param {{vat: {rateBp: number, baseCents: number, vatCents: number}[], netCents: number, vatCents: number,
 *   totalCents: number, rows?: [string, number][]}} props `rows`: what is taken off, and what remains
 */
export function Totals({ vat, netCents, totalCents, rows = [] }) {
  return html`
    <dl class="bill-totals">
      <div><dt>${t('bill.totalNet')}</dt><dd>${euros(netCents)}</dd></div>
      ${vat.map((group, at) => html`<div key=${at}>
        <dt>${t('bill.vatOn', { rate: rateText(group.rateBp), base: euros(group.baseCents) })}</dt>
        <dd>${euros(group.vatCents)}</dd></div>`)}
      <div class="strong"><dt>${t('bill.total')}</dt><dd>${euros(totalCents)}</dd></div>
      ${rows.map(([text, cents]) => html`<div key=${text}><dt>${text}</dt><dd>${euros(cents)}</dd></div>`)}
    </dl>`;
}
