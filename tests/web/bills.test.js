/** Bills without a browser: amounts as they are typed, the server's rounding, what may be given back, tables for spreadsheets. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  bodyOf, buyerBody, buyerForm, creditOf, csvOf, decimal, emptyForm, formOf, freeDeposits, heldOnline, isWhole, netOf, netTyped, owed, refundOf,
  refundable, totalsOf, withKind, written,
} from '../../web/core/bills.js';
import { dayHere } from '../../web/core/money.js';

test('an_amount_is_read_as_people_write_it_and_never_guessed', () => {
  for (const [text, cents] of [['120', 12_000], ['1 234,5', 123_450], ['1234.50', 123_450], ['1\u202f234,56 €', 123_456], ['0,01', 1], ['-12', -1_200], ['−3,20', -320], ['7,', 700], ['12,500', 1_250]]) {
    assert.equal(decimal(text, 2), cents, text);
  }
  for (const text of ['', ' ', 'douze', '1,234', '1.234,56', '1,2,3', '--1', '1e3', '0x10', '9999999999999', '+1', ',5']) assert.equal(decimal(text, 2), null, text);
  assert.equal(decimal('1,234', 3), 1_234);
});

test('what_is_written_into_a_field_is_read_back_as_the_same', () => {
  for (const locale of ['fr', 'en']) {
    for (const value of [0, 1, 99, 100, 123_456_789, 99_999_999]) {
      assert.equal(decimal(written(value, 2, locale, 2), 2), value);
      assert.equal(decimal(written(value, 3, locale), 3), value);
    }
  }
});

const line = (quantity, unitPriceCents, discountCents, vatRateBp) => ({ quantity, unitPriceCents, discountCents, vatRateBp });

test('a_line_is_rounded_half_up_before_the_discount_as_the_server_does', () => {
  assert.equal(netOf(line(1_500, 20_001, 0, 2000)), 30_002, '1.5 × 200.01 = 300.015');
  assert.equal(netOf(line(333, 100, 3, 2000)), 30);
  assert.equal(netOf(line(1, 1, 0, 2000)), 0);
  assert.equal(netOf(line(1_000_000_000, 1_000_000_000, 0, 0)), 1_000_000_000_000_000, 'beyond what floating point holds');
});

test('vat_is_rounded_once_per_rate_on_the_summed_base_as_the_server_does', () => {
  const totals = totalsOf([line(1000, 33, 0, 2000), line(1000, 33, 0, 2000), line(1000, 33, 0, 2000), line(1000, 1000, 0, 0), line(1000, 9, 0, 550)]);
  assert.deepEqual(totals.vat.map((group) => [group.rateBp, group.baseCents, group.vatCents]), [[2000, 99, 20], [550, 9, 0], [0, 1000, 0]]);
  assert.deepEqual([totals.netCents, totals.vatCents, totals.totalCents], [1108, 20, 1128]);
  assert.deepEqual(totalsOf([]), { vat: [], netCents: 0, vatCents: 0, totalCents: 0 });
});

test('ten_thousand_random_bills_come_to_what_exact_fractions_say', () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const halfUp = (numerator, denominator) => (2n * numerator + denominator) / (2n * denominator);
  for (let round = 0; round < 10_000; round += 1) {
    const lines = Array.from({ length: 1 + random(5) }, () => line(1 + random(5_000), random(100_000), 0, [2000, 1000, 550, 210, 0][random(5)]));
    let total = 0n;
    for (const rate of [2000, 1000, 550, 210, 0]) {
      const base = lines.filter((one) => one.vatRateBp === rate).reduce((sum, one) => sum + halfUp(BigInt(one.unitPriceCents) * BigInt(one.quantity), 1000n), 0n);
      total += base + halfUp(base * BigInt(rate), 10_000n);
    }
    assert.equal(BigInt(totalsOf(lines).totalCents), total, JSON.stringify(lines));
  }
});

test('a_draft_comes_back_into_the_form_and_out_of_it_as_it_was', () => {
  const draft = {
    type: 'deposit', dueInDays: 15, note: 'Merci', depositIds: [],
    lines: [{ description: 'Conseil', quantity: 1500, unitPriceCents: 20_001, discountCents: 100, vatRateBp: 2000, kind: 'fee' }],
    buyer: { kind: 'company', name: 'Delta SAS', address: { line1: '1 rue A', postcode: '69001', city: 'Lyon', country: 'FR' }, siren: '732829320' },
  };
  const form = formOf(draft, 'fr');
  assert.deepEqual(bodyOf(form), { body: draft, faults: [] });
  assert.ok(isWhole(form));
  assert.equal(netTyped(form.lines[0]), 29_902);
  const person = buyerForm({ ...draft.buyer, kind: 'person' });
  assert.ok(!('siren' in buyerBody(person)), 'a person has none');
});

test('what_cannot_be_asked_of_the_server_is_said_at_its_field', () => {
  const empty = emptyForm();
  assert.deepEqual(bodyOf(empty).faults.map((one) => [one.field, one.why]), [['lines[0].description', 'required'], ['lines[0].unitPriceCents', 'required']]);
  const [first] = empty.lines;
  const typed = { ...empty, dueInDays: 'un mois', lines: [first, { ...first, description: 'a', quantity: '0', unitPrice: 'x', discount: '-1' }] };
  assert.deepEqual(bodyOf(typed).faults.slice(2).map((one) => [one.field, one.why]), [['lines[1].quantity', 'positive'], ['lines[1].unitPriceCents', 'number'], ['lines[1].discountCents', 'number'], ['dueInDays', 'number']]);
  assert.equal(netTyped(typed.lines[1]), null);
  assert.ok(!isWhole(typed));
});

test('a_disbursement_bears_no_vat_and_what_is_none_any_more_does_again', () => {
  const [fee] = emptyForm().lines;
  const spent = withKind(fee, 'disbursement');
  assert.deepEqual([spent.kind, spent.vatRateBp, withKind(spent, 'fee').vatRateBp], ['disbursement', 0, 2000]);
  assert.equal(withKind({ ...fee, vatRateBp: 550 }, 'expense').vatRateBp, 550);
});

const paid = {
  totalCents: 12_000, prepaidCents: 0, creditedCents: 0, paidCents: 12_000, toRefundCents: 0, payment: 'paid', refunds: [],
  payments: [{ method: 'card', amountCents: 9_000 }, { method: 'cash', amountCents: 3_000 }],
};

test('no_more_goes_back_by_stripe_than_it_holds_and_than_came_too_much', () => {
  assert.equal(heldOnline(paid), 9_000, 'cash goes back by hand');
  assert.equal(heldOnline({ ...paid, refunds: [{ state: 'pending', amountCents: 2_000 }, { state: 'failed', amountCents: 500 }] }), 7_000);
  assert.equal(heldOnline({ ...paid, payment: 'disputed' }), 0);
  assert.equal(refundOf(paid, null), 9_000);
  assert.equal(refundOf(paid, 1_200), 1_200);
  assert.equal(refundOf({ ...paid, paidCents: 9_000, payments: [paid.payments[0]] }, 1_200), 0, 'what is credited was not paid');
  assert.equal(refundable({ ...paid, toRefundCents: 1_200 }), 1_200);
  assert.equal(refundable({ ...paid, toRefundCents: 1_200, refunds: [{ state: 'requested', amountCents: 1_200 }] }), 0, 'it is on its way');
  assert.equal(creditOf([{ vatRateBp: 2000 }, { vatRateBp: 0 }], [1_000, 500]), 1_700);
});

test('a_deposit_is_taken_off_once_and_only_when_it_is_paid', () => {
  const deposit = { id: 1, type: 'deposit', state: 'issued', payment: 'paid', creditedCents: 0, deposits: [] };
  const of = (...others) => freeDeposits([deposit, ...others]).map((bill) => bill.id);
  assert.deepEqual(of({ ...deposit, id: 2, payment: 'open' }, { ...deposit, id: 3, creditedCents: 1 }), [1]);
  assert.deepEqual(of({ id: 4, type: 'standard', state: 'issued', deposits: [{ id: 1 }] }), []);
  assert.deepEqual(of({ id: 4, type: 'standard', state: 'draft', deposits: [{ id: 1 }] }), [1], 'a draft takes nothing yet');
});

test('specimens_count_only_where_there_is_nothing_else', () => {
  const bill = { state: 'issued', dueCents: 100, overdue: true, isSpecimen: false };
  assert.deepEqual(owed([bill, { ...bill, dueCents: 50, overdue: false }, { ...bill, isSpecimen: true }, { ...bill, state: 'draft' }]), { openCents: 150, lateCents: 100 });
  assert.deepEqual(owed([{ ...bill, isSpecimen: true }]), { openCents: 100, lateCents: 100 });
});

test('a_cell_is_never_a_formula_and_never_two', () => {
  assert.equal(csvOf([['=1+1', 'a;b', 'dit "x"', '-12,50', '@x', 'deux\nlignes']]), '\ufeff\'=1+1;"a;b";"dit ""x""";-12,50;\'@x;"deux\nlignes"\r\n');
});

test('a_day_here_is_that_of_the_clock_on_the_wall', () => {
  assert.equal(dayHere(new Date(2026, 0, 5, 0, 1)), '2026-01-05');
  assert.equal(dayHere(new Date(2026, 11, 31, 23, 59)), '2026-12-31');
});
