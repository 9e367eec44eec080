/** How bills are called, and what became of their money, in words. */
import { money, shortDate, tightDate } from '../core/money.js';
import { locale, t } from '../core/i18n.js';

/** @param {number} cents */
export const euros = (cents) => money(cents, locale());

/** @param {string} day */
export const dayText = (day) => shortDate(day, locale());

/** @param {string} day */
export const dayInList = (day) => tightDate(day, locale());

/** @param {any} bill its number, or that it has none yet */
export function nameOf({ type, number }) {
  if (!number) return type === 'deposit' ? t('bill.draftDeposit') : t('bill.draft');
  if (type === 'credit') return t('bill.creditNumber', { number });
  return type === 'deposit' ? t('bill.depositNumber', { number }) : t('bill.number', { number });
}

/** @type {Record<string, () => string>} what became of the money */
const PAYMENTS = {
  open: () => t('bill.open'),
  in_process: () => t('invoice.in_process'),
  partly_paid: () => t('bill.partlyPaid'),
  paid: () => t('invoice.paid'),
  overpaid: () => t('bill.overpaid'),
  refunded: () => t('invoice.refunded'),
  disputed: () => t('invoice.disputed'),
};

/**
 * Where a bill stands, as one word and one tone.
 * @param {any} bill
 * @returns {{text: string, tone: 'plain'|'good'|'late'|'quiet'}}
 */
export function statusOf({ type, state, payment, overdue }) {
  if (state === 'draft') return { text: t('bill.isDraft'), tone: 'quiet' };
  if (type === 'credit') return { text: t('bill.isCredit'), tone: 'quiet' };
  if (payment === 'overpaid' || payment === 'disputed') return { text: PAYMENTS[payment](), tone: 'late' };
  if (payment === 'refunded') return { text: PAYMENTS[payment](), tone: 'quiet' };
  if (state === 'cancelled') return { text: t('invoice.cancelled'), tone: 'quiet' };
  if (overdue) return { text: t('bill.overdue'), tone: 'late' };
  return { text: PAYMENTS[payment]?.() ?? payment, tone: payment === 'paid' ? 'good' : 'plain' };
}

/** The states that a list can be narrowed to, with what the server is asked. @returns {[string, string, string][]} */
export const narrowings = () => [
  ['', t('bill.all'), ''],
  ['draft', t('bill.drafts'), 'state=draft'],
  ['open', t('bill.open'), 'payment=open'],
  ['overdue', t('bill.overdue'), 'overdue=true'],
  ['partly_paid', t('bill.partlyPaid'), 'payment=partly_paid'],
  ['in_process', t('invoice.in_process'), 'payment=in_process'],
  ['paid', t('bill.paidMany'), 'payment=paid'],
  ['overpaid', t('bill.overpaid'), 'payment=overpaid'],
  ['refunded', t('bill.refundedMany'), 'payment=refunded'],
  ['disputed', t('invoice.disputed'), 'payment=disputed'],
  ['cancelled', t('bill.cancelledMany'), 'state=cancelled'],
];

/** @type {Record<string, () => string>} */
const METHODS = {
  transfer: () => t('bill.transfer'),
  cheque: () => t('bill.cheque'),
  cash: () => t('bill.cash'),
  card: () => t('bill.card'),
  sepa_debit: () => t('bill.sepa'),
  other: () => t('bill.otherWay'),
};

/** @param {string} method */
export const methodText = (method) => METHODS[method]?.() ?? method;

/** @type {Record<string, () => string>} */
const REFUNDS = {
  requested: () => t('bill.refundAsked'),
  pending: () => t('bill.refundAsked'),
  succeeded: () => t('bill.refundDone'),
  failed: () => t('bill.refundFailed'),
};

/** @param {string} state */
export const refundText = (state) => REFUNDS[state]?.() ?? state;

/** @param {string} failure of a refund: Stripe's word, or the server's @returns {string} */
export const failureText = (failure) =>
  failure === 'refunded_elsewhere' ? t('bill.refundedElsewhere') : failure;

/** What a line stands for. @returns {[string, string][]} */
export const kinds = () => [
  ['fee', t('bill.fee')],
  ['expense', t('bill.expense')],
  ['disbursement', t('bill.disbursement')],
];

/** @param {number} rateBp hundredths of a per cent */
export const rateText = (rateBp) =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 2 }).format(rateBp / 10_000);

/** Countries whose parties are billed otherwise, first our own. */
const COUNTRIES = ('FR AT BE BG CH CY CZ DE DK EE ES FI GB GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK ' +
  'US CA MA DZ TN SN CI').split(' ');

/** @param {string} [chosen] one that is not in the list is added to it @returns {[string, string][]} */
export function countries(chosen = 'FR') {
  const names = new Intl.DisplayNames([locale()], { type: 'region' });
  const codes = COUNTRIES.includes(chosen) ? COUNTRIES : [chosen, ...COUNTRIES];
  const [first, ...others] = codes.map((code) => /** @type {[string, string]} */ ([code, names.of(code) ?? code]));
  return [first, ...others.sort(([, one], [, other]) => one.localeCompare(other, locale()))];
}

/** @type {Record<string, () => string>} what a practice must tell, by the server's names */
const MENTIONS = {
  name: () => t('practice.name'),
  profession: () => t('practice.profession'),
  authorisation: () => t('practice.authorisation'),
  legalForm: () => t('practice.legalForm'),
  shareCapitalCents: () => t('practice.shareCapital'),
  address: () => t('practice.address'),
  siren: () => t('party.siren'),
  siret: () => t('practice.siret'),
  rcs: () => t('practice.rcs'),
  vatNumber: () => t('party.vatNumber'),
  vatRegime: () => t('practice.vatRegime'),
  paymentTermDays: () => t('practice.paymentTerm'),
  penaltyRateBp: () => t('practice.penaltyRate'),
  conventionDate: () => t('practice.conventionDate'),
  mediator: () => t('practice.mediator'),
};

/** @param {string} name of a field of the practice */
export const mentionText = (name) => MENTIONS[name]?.() ?? name;

/** @param {{field: string, why: string}} fault of what was typed @returns {{field: string, message: string}} */
export function faultText({ field, why }) {
  if (why === 'required') return { field, message: t('fault.required') };
  return { field, message: why === 'positive' ? t('fault.positive') : t('fault.number') };
}
