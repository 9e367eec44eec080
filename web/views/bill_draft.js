/**
 * A draft while it is typed: kept by the server as soon as it is whole, and until then by this window. One save at a
 * time, so that what was typed last is what is kept.
 */
import { useEffect, useRef, useState } from '/vendor/preact-htm.js';
import { bodyOf, emptyForm, formOf, isWhole } from '../core/bills.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { own } from '../client/kept.js';
import { useAttempt } from './bill_fields.js';
import { faultText } from './bill_words.js';

const SAVED_AFTER_MS = 1_200;

/** @param {any} bill @returns {string} what of it the form is about */
const bodyText = (bill) => JSON.stringify(bodyOf(formOf(bill.draft, locale())).body);

/**
 * @param {{bill: any, conversationId: number, rate: number|undefined, onBill: (bill: any) => void}} props
 *   `bill`: `null` until it is saved; `rate`: of VAT, that one usually bills with
 */
export function useDraft({ bill, conversationId, rate, onBill }) {
  const latest = useRef(/** @type {{form: any, bill: any}} */ ({ form: null, bill }));
  const keptAs = () => `lexchat.bill.${latest.current.bill?.id ?? `new.${conversationId}`}`;
  const begun = () => own.getJson(keptAs()) ?? (bill ? formOf(bill.draft, locale()) : emptyForm(rate));
  const [form, setForm] = useState(begun);
  const { busy, faults, at, attempt } = useAttempt();
  const saved = useRef(bill ? bodyText(bill) : '');
  latest.current.form = form;
  const isDirtyNow = () => JSON.stringify(bodyOf(latest.current.form).body) !== saved.current;

  /** @param {(form: any) => any} made */
  const change = (made) => {
    latest.current.form = made(latest.current.form);
    own.setJson(keptAs(), latest.current.form);
    setForm(latest.current.form);
  };
  const send = async () => {
    const { form: typed, bill: known } = latest.current;
    const { body, faults: missing } = bodyOf(typed);
    if (missing.length) throw new api.Refusal('INVALID', t('fault.some'), missing.map(faultText));
    if (known && !isDirtyNow()) return known;
    const answer = known ? await api.call('PATCH', `/invoices/${known.id}`, body)
      : await api.call('POST', '/invoices', { conversationId, ...body });
    saved.current = JSON.stringify(body);
    own.set(keptAs(), null);
    latest.current.bill = answer;
    if (latest.current.form !== typed) own.setJson(keptAs(), latest.current.form);
    onBill(answer);
    return answer;
  };
  /** One after the other. @type {{current: Promise<any>}} */
  const running = useRef(Promise.resolve());
  /** @returns {Promise<any>} the draft as it is typed, kept */
  const keep = () => {
    const result = running.current.then(send);
    running.current = result.catch(() => {});
    return result;
  };
  useEffect(() => {
    if (!isDirtyNow() || !isWhole(form)) return undefined;
    const timer = setTimeout(() => attempt(keep, true), SAVED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [form]);
  // What another window has made of it is taken over, unless this one is being typed in.
  useEffect(() => {
    if (!bill?.draft) return;
    const fresh = bodyText(bill);
    if (fresh === saved.current) return;
    if (!isDirtyNow()) setForm(formOf(bill.draft, locale()));
    saved.current = fresh;
  }, [bill]);
  const forget = () => own.set(keptAs(), null);
  return { form, change, keep, isDirty: isDirtyNow(), busy, faults, at, attempt, forget };
}
