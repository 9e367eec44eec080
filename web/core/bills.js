/**
 * What a bill comes to, and how its form is read: the same integers and the same rounding as the server
 * (src/model/invoice.rs), so that what one sees while typing is what will be printed. Money is cents, quantities are
 * thousandths; nothing is computed in floating point. Pure.
 *
 * @typedef {{line1: string, line2: string, postcode: string, city: string, country: string}} AddressForm
 * @typedef {{kind: 'person'|'company', name: string, address: AddressForm, siren: string, vatNumber: string}} BuyerForm
 * @typedef {{key: number, description: string, quantity: string, unitPrice: string, discount: string,
 *   vatRateBp: number, kind: 'fee'|'expense'|'disbursement'}} LineForm
 * @typedef {{type: 'standard'|'deposit', lines: LineForm[], buyer: BuyerForm|null, dueInDays: string, note: string,
 *   depositIds: number[]}} BillForm
 */

/** Rates of VAT in force, in hundredths of a per cent. */
export const RATES = [2000, 1000, 850, 550, 210, 0];
const RATE_USUAL = 2000;
const DESCRIPTION_MAX = 500;

/**
 * A number as people write it: `1 234,5`, `1234.50`, `-12`.
 * @param {string} text
 * @param {number} digits behind the comma: 2 for euros in cents, 3 for quantities in thousandths
 * @returns {number|null} in the smallest unit; `null`: no such number, or finer than that
 */
export function decimal(text, digits) {
  const plain = text.replace(/[\s\u00a0\u202f€%]/g, '').replace('−', '-').replace(',', '.');
  const found = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(plain);
  if (!found) return null;
  const [, sign, whole, part = ''] = found;
  const kept = part.replace(/0+$/, '');
  if (kept.length > digits) return null;
  const value = Number(whole + kept.padEnd(digits, '0'));
  return sign ? -value : value;
}

/**
 * The same way back, for a field.
 * @param {number} value in the smallest unit
 * @param {number} digits behind the comma
 * @param {string} locale
 * @param {number} [least] digits that are always written
 */
export const written = (value, digits, locale, least = 0) =>
  new Intl.NumberFormat(locale, { useGrouping: false, minimumFractionDigits: least, maximumFractionDigits: digits })
    .format(value / 10 ** digits);

/** `value × by ÷ per`, halves away from zero. @param {bigint} value @param {number} by @param {number} per */
function scaled(value, by, per) {
  const product = value * BigInt(by) * 2n;
  const half = BigInt(per) * (product < 0n ? -1n : 1n);
  return (product + half) / BigInt(per * 2);
}

/**
 * What a line comes to without VAT: quantity × price, halves up, less the discount.
 * @param {{quantity: number, unitPriceCents: number, discountCents: number}} line
 */
export const netOf = ({ quantity, unitPriceCents, discountCents }) =>
  Number(scaled(BigInt(unitPriceCents), quantity, 1000)) - discountCents;

/**
 * VAT per rate on the summed base, rounded once per rate, halves up.
 * @param {{quantity: number, unitPriceCents: number, discountCents: number, vatRateBp: number}[]} lines
 */
export function totalsOf(lines) {
  const vat = RATES.map((rateBp) => {
    const base = lines.filter((line) => line.vatRateBp === rateBp).reduce((sum, line) => sum + netOf(line), 0);
    return { rateBp, baseCents: base, vatCents: Number(scaled(BigInt(base), rateBp, 10_000)) };
  }).filter(({ rateBp }) => lines.some((line) => line.vatRateBp === rateBp));
  const netCents = vat.reduce((sum, group) => sum + group.baseCents, 0);
  const vatCents = vat.reduce((sum, group) => sum + group.vatCents, 0);
  return { vat, netCents, vatCents, totalCents: netCents + vatCents };
}

/** @param {number} key @param {number} [vatRateBp] @returns {LineForm} */
export const emptyLine = (key, vatRateBp = RATE_USUAL) =>
  ({ key, description: '', quantity: '1', unitPrice: '', discount: '', vatRateBp, kind: 'fee' });

/** @param {number} [vatRateBp] @returns {BillForm} */
export const emptyForm = (vatRateBp) =>
  ({ type: 'standard', lines: [emptyLine(1, vatRateBp)], buyer: null, dueInDays: '', note: '', depositIds: [] });

/**
 * A buyer as the server tells of them, for a form.
 * @param {any} buyer @returns {BuyerForm}
 */
export function buyerForm(buyer) {
  const { line1 = '', line2, postcode = '', city = '', country = 'FR' } = buyer?.address ?? {};
  const { kind = 'person', name = '', siren, vatNumber } = buyer ?? {};
  const address = { line1, line2: line2 ?? '', postcode, city, country };
  return { kind, name, address, siren: siren ?? '', vatNumber: vatNumber ?? '' };
}

/** @param {BuyerForm} form @returns {any} as the server takes them */
export function buyerBody({ kind, name, address, siren, vatNumber }) {
  const { line1, line2, postcode, city, country } = address;
  const optional = (name, text) => text.trim() && { [name]: text.trim() };
  const place = { line1: line1.trim(), postcode: postcode.trim(), city: city.trim(), country };
  return {
    kind,
    name: name.trim(),
    address: { ...place, ...optional('line2', line2) },
    ...(kind === 'company' && { ...optional('siren', siren), ...optional('vatNumber', vatNumber) }),
  };
}

/** @param {BuyerForm} form whether all is there that every buyer needs */
export const isWholeBuyer = ({ name, address: { line1, postcode, city } }) =>
  [name, line1, postcode, city].every((text) => text.trim());

/**
 * A draft as the server has it, for the form.
 * @param {any} draft
 * @param {string} locale
 * @returns {BillForm}
 */
export function formOf({ type, lines, buyer, dueInDays, note, depositIds }, locale) {
  const line = ({ description, quantity, unitPriceCents, discountCents, vatRateBp, kind }, at) => ({
    key: at + 1,
    description,
    quantity: written(quantity, 3, locale),
    unitPrice: written(unitPriceCents, 2, locale, 2),
    discount: discountCents ? written(discountCents, 2, locale, 2) : '',
    vatRateBp,
    kind,
  });
  return {
    type,
    lines: lines.map(line),
    buyer: buyer ? buyerForm(buyer) : null,
    dueInDays: dueInDays === null ? '' : String(dueInDays),
    note: note ?? '',
    depositIds,
  };
}

/**
 * What is typed of a line, in numbers.
 * @param {LineForm} line
 * @returns {{description: string, quantity: number|null, unitPriceCents: number|null, discountCents: number|null,
 *   vatRateBp: number, kind: string}} `null` where it is no number
 */
function read({ description, quantity, unitPrice, discount, vatRateBp, kind }) {
  return {
    description: description.trim(),
    quantity: decimal(quantity, 3),
    unitPriceCents: decimal(unitPrice, 2),
    discountCents: discount.trim() ? decimal(discount, 2) : 0,
    vatRateBp,
    kind,
  };
}

/** The lines that can be computed with. @param {BillForm} form @returns {any[]} */
export const countable = (form) => form.lines.map(read)
  .filter((line) => line.quantity !== null && line.unitPriceCents !== null && line.discountCents !== null);

/** What one line comes to, or `null` while it is no number. @param {LineForm} line */
export function netTyped(line) {
  const { quantity, unitPriceCents, discountCents } = read(line);
  if (quantity === null || unitPriceCents === null || discountCents === null) return null;
  return netOf({ quantity, unitPriceCents, discountCents });
}

/**
 * The form as the server takes it, with what it could not even be asked.
 * @param {BillForm} form
 * @returns {{body: any, faults: {field: string, why: 'required'|'number'|'positive'}[]}}
 */
export function bodyOf(form) {
  /** @type {{field: string, why: 'required'|'number'|'positive'}[]} */
  const faults = [];
  const lines = form.lines.map(read);
  lines.forEach(({ description, quantity, unitPriceCents, discountCents }, at) => {
    const fault = (name, why) => faults.push({ field: `lines[${at}].${name}`, why });
    if (!description) fault('description', 'required');
    if (quantity === null) fault('quantity', 'number');
    else if (quantity <= 0) fault('quantity', 'positive');
    if (!form.lines[at].unitPrice.trim()) fault('unitPriceCents', 'required');
    else if (unitPriceCents === null || unitPriceCents < 0) fault('unitPriceCents', 'number');
    if (discountCents === null || discountCents < 0) fault('discountCents', 'number');
  });
  const days = form.dueInDays.trim();
  if (days && !/^\d{1,3}$/.test(days)) faults.push({ field: 'dueInDays', why: 'number' });
  const body = {
    type: form.type,
    lines,
    buyer: form.buyer ? buyerBody(form.buyer) : null,
    dueInDays: days ? Number(days) : null,
    note: form.note.trim() || null,
    depositIds: form.type === 'standard' ? form.depositIds : [],
  };
  return { body, faults };
}

/** Whether it can be kept as it is, without asking anything of who types. @param {BillForm} form */
export const isWhole = (form) =>
  !bodyOf(form).faults.length && (!form.buyer || isWholeBuyer(form.buyer))
  && form.lines.every(({ description }) => description.length <= DESCRIPTION_MAX);

/**
 * The form with another kind of work for a line: what was spent for the client bears no VAT.
 * @param {LineForm} line
 * @param {LineForm['kind']} kind
 * @returns {LineForm}
 */
export function withKind(line, kind) {
  const wasDisbursement = line.kind === 'disbursement';
  const isDisbursement = kind === 'disbursement';
  const vatRateBp = isDisbursement ? 0 : wasDisbursement && line.vatRateBp === 0 ? RATE_USUAL : line.vatRateBp;
  return { ...line, kind, vatRateBp };
}

/**
 * What Stripe still holds of a bill, and may give back.
 * @param {any} bill with its payments and refunds
 */
export function heldOnline({ payments = [], refunds = [], payment }) {
  if (payment === 'disputed') return 0;
  const byHand = ['transfer', 'cheque', 'cash'];
  const came = payments.filter((one) => !byHand.includes(one.method) && one.amountCents > 0)
    .reduce((sum, one) => sum + one.amountCents, 0);
  const asked = refunds.filter((one) => one.state !== 'failed').reduce((sum, one) => sum + one.amountCents, 0);
  return Math.max(0, came - asked);
}

/** What can be given back now by Stripe of what came too much. @param {any} bill */
export function refundable(bill) {
  const waiting = (bill.refunds ?? []).filter((one) => ['requested', 'pending'].includes(one.state))
    .reduce((sum, one) => sum + one.amountCents, 0);
  return Math.max(0, Math.min(bill.toRefundCents - waiting, heldOnline(bill)));
}

/**
 * What taking back these amounts of lines comes to with VAT.
 * @param {{vatRateBp: number}[]} lines
 * @param {number[]} nets of the lines, in their order
 */
export const creditOf = (lines, nets) =>
  totalsOf(lines.map(({ vatRateBp }, at) => {
    const [quantity, unitPriceCents, discountCents] = [1000, nets[at], 0];
    return { quantity, unitPriceCents, discountCents, vatRateBp };
  })).totalCents;

/**
 * What of a credit note goes back to who has paid, as far as Stripe has it.
 * @param {any} bill
 * @param {number|null} credit with VAT; `null`: all that is left
 */
export function refundOf(bill, credit) {
  const { totalCents, prepaidCents, creditedCents, paidCents } = bill;
  const credited = creditedCents + (credit ?? totalCents - creditedCents);
  const tooMuch = paidCents - (totalCents - prepaidCents - credited);
  return Math.max(0, Math.min(tooMuch, heldOnline(bill)));
}

/** The deposits of a conversation that a final bill can take off. @param {any[]} bills all of the conversation's */
export function freeDeposits(bills) {
  const issued = bills.filter((bill) => bill.state !== 'draft');
  const taken = new Set(issued.flatMap((bill) => (bill.deposits ?? []).map((deposit) => deposit.id)));
  return bills.filter((bill) => bill.type === 'deposit' && bill.state === 'issued' && bill.payment === 'paid'
    && bill.creditedCents === 0 && !taken.has(bill.id));
}

/**
 * What is still to come, and what of it is late. Specimens count only where there is nothing else.
 * @param {any[]} bills
 */
export function owed(bills) {
  const real = bills.filter((bill) => !bill.isSpecimen);
  const counted = (real.length ? real : bills).filter((bill) => bill.state !== 'draft');
  const sum = (some) => some.reduce((cents, bill) => cents + bill.dueCents, 0);
  return { openCents: sum(counted), lateCents: sum(counted.filter((bill) => bill.overdue)) };
}

/** A cell of a table for a spreadsheet, which must not take it for a formula. @param {string} text */
function cell(text) {
  const isNumber = /^-?[\d,]*$/.test(text);
  const safe = /^[=+\-@\t\r]/.test(text) && !isNumber ? `'${text}` : text;
  return /[;"\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What programs of spreadsheets need to know that a file is UTF-8. */
const MARK = '\ufeff';

/**
 * Rows of texts as a file for a spreadsheet.
 * @param {string[][]} rows
 */
export const csvOf = (rows) => MARK + rows.map((row) => `${row.map(cell).join(';')}\r\n`).join('');
