//! Amounts beside a computation of their own: random invoices, taken back in random parts; deposits through the rules.

use std::collections::BTreeMap;

use super::*;
use crate::chat::billing::pricing;
use crate::chat::billing::sharing::{Share, Sharing};
use crate::chat::contract::command::billing::IssueInvoice;
use crate::chat::contract::error::Code;
use crate::chat::testing::bills::{Office, buyer, practice_json};
use crate::model::billing::{Balance, DraftLine, PaymentState};
use crate::model::invoice::LineKind;
use crate::model::party::{Buyer, Practice};

/// Random numbers that are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % u64::try_from(most + 1).unwrap()).unwrap()
    }
}

fn practice() -> Practice {
    serde_json::from_value(practice_json()).unwrap()
}

fn line(dice: &mut Dice) -> DraftLine {
    let rates = [2_000, 1_000, 550, 210, 0];
    let rate = rates[usize::try_from(dice.up_to(4)).unwrap()];
    let (quantity, price) = (1 + dice.up_to(9_999), dice.up_to(50_000));
    let gross = Cents(price).scaled(quantity, 1_000);
    DraftLine {
        description: "Heure".to_owned(),
        quantity,
        unit_price_cents: Cents(price),
        discount_cents: if dice.up_to(3) == 0 { Cents(dice.up_to(gross.0)) } else { Cents::ZERO },
        vat_rate_bp: VatRate::try_from(rate).unwrap(),
        kind: if rate == 0 { LineKind::Disbursement } else { LineKind::Fee },
    }
}

/// Base and VAT by rate, in a way of their own: whole numbers of hundred-thousandths, rounded by comparing remainders.
fn independent(lines: &[DraftLine]) -> BTreeMap<u16, (i128, i128)> {
    let half_up = |numerator: i128, denominator: i128| {
        let (whole, rest) = (numerator / denominator, numerator % denominator);
        if rest * 2 >= denominator { whole + 1 } else { whole }
    };
    let mut bases: BTreeMap<u16, i128> = BTreeMap::new();
    for line in lines {
        let gross = half_up(i128::from(line.quantity) * i128::from(line.unit_price_cents.0), 1_000);
        *bases.entry(line.vat_rate_bp.basis_points()).or_default() += gross - i128::from(line.discount_cents.0);
    }
    bases.into_iter().map(|(rate, base)| (rate, (base, half_up(base * i128::from(rate), 10_000)))).collect()
}

fn by_rate<'a>(groups: impl IntoIterator<Item = &'a VatGroup>) -> BTreeMap<u16, (i128, i128)> {
    let mut sums: BTreeMap<u16, (i128, i128)> = BTreeMap::new();
    for group in groups {
        let sum = sums.entry(group.rate_bp.basis_points()).or_default();
        *sum = (sum.0 + i128::from(group.base_cents.0), sum.1 + i128::from(group.vat_cents.0));
    }
    sums
}

/// Some of what is left, or all of it.
fn part_of(dice: &mut Dice, left: &BTreeMap<i64, Cents>) -> Option<Vec<(i64, Cents)>> {
    if dice.up_to(4) == 0 {
        return None;
    }
    let mut part: Vec<(i64, Cents)> = Vec::new();
    for (id, left) in left {
        if dice.up_to(1) == 0 {
            part.push((*id, Cents(1 + dice.up_to(left.0 - 1))));
        }
    }
    if part.is_empty() { None } else { Some(part) }
}

/// Deposits of this work, each with its sums; together they are at most the whole.
fn deposits_of(dice: &mut Dice, parties: (&Practice, &Buyer), typed: &[DraftLine], whole: i128) -> Vec<Totals> {
    let mut together = 0;
    let mut deposit = |_| {
        let like = typed[usize::try_from(dice.up_to(i64::try_from(typed.len() - 1).unwrap())).unwrap()].clone();
        let unit_price_cents = Cents(1 + dice.up_to(9_999));
        let line = DraftLine { quantity: 1_000, unit_price_cents, discount_cents: Cents::ZERO, ..like };
        let (_, totals) = pricing::price(parties.0, parties.1, &[line]).unwrap();
        together += i128::from(totals.total().0);
        (together <= whole).then_some(totals)
    };
    (0..2).map_while(&mut deposit).collect()
}

/// The money around one invoice, counted in a way of its own: what is asked at each rate, and what each has of what came.
#[derive(Debug)]
struct Ledger {
    sharing: Sharing,
    balance: Balance,
    asked: BTreeMap<u16, (i128, i128)>,
    has: BTreeMap<u16, (i128, i128)>,
    beyond: i128,
}

impl Ledger {
    fn open(totals: &Totals, deposits: &[Totals]) -> Self {
        let (sharing, asked) = (Sharing::new(&totals.vat_groups), by_rate(&totals.vat_groups));
        let balance = Balance { total: totals.total(), ..Balance::default() };
        let mut ledger = Self { sharing, balance, asked, has: BTreeMap::new(), beyond: 0 };
        let deducted: Vec<VatGroup> = deposits.iter().flat_map(|deposit| deposit.vat_groups.clone()).collect();
        ledger.ask_less(&deducted);
        ledger.balance.prepaid = deposits.iter().map(Totals::total).sum();
        ledger.check();
        ledger
    }

    fn ask_less(&mut self, groups: &[VatGroup]) {
        for (rate, (base, vat)) in by_rate(groups) {
            let asked = self.asked.entry(rate).or_default();
            *asked = (asked.0 - base, asked.1 - vat);
        }
        let shares = self.sharing.take_back(groups);
        assert_eq!(shares.iter().map(|share| share.total).sum::<Cents>(), Cents::ZERO, "no money moves: {shares:?}");
        self.take_in(shares);
    }

    fn credit(&mut self, note: &Totals) {
        self.ask_less(&note.vat_groups);
        self.balance.credited += note.total();
    }

    /// Some money comes or goes back: any, or what settles it.
    fn move_money(&mut self, dice: &mut Dice) {
        let settles = self.balance.due() - self.balance.to_refund();
        let amount = if dice.up_to(1) == 0 { settles } else { Cents(dice.up_to(20_000) - 5_000) };
        self.balance.paid += amount;
        let shares = self.sharing.book(amount);
        self.take_in(shares);
        self.check_shares();
    }

    fn take_in(&mut self, shares: Vec<Share>) {
        for share in shares {
            let Some(rate) = share.rate else {
                self.beyond += i128::from(share.total.0);
                continue;
            };
            let has = self.has.entry(rate.basis_points()).or_default();
            *has = (has.0 + i128::from((share.total - share.vat).0), has.1 + i128::from(share.vat.0));
        }
    }

    fn check(&self) {
        let sum = |of: &BTreeMap<u16, (i128, i128)>| of.values().map(|(base, vat)| base + vat).sum::<i128>();
        let (owed, paid) = (sum(&self.asked), i128::from(self.balance.paid.0));
        assert_eq!(sum(&self.has) + self.beyond, paid, "all that moved is at a rate or beyond all of them");
        assert_eq!(i128::from(self.balance.due().0), (owed - paid).max(0));
        assert_eq!(i128::from(self.balance.to_refund().0), (paid - owed).max(0));
        if paid <= owed {
            self.check_shares();
        }
    }

    /// Each rate has its part of what is paid, and that part its share of VAT, but for what rounding moves. One at which more
    /// was deducted than is asked has given that to the others.
    fn check_shares(&self) {
        let (owed, paid) = (i128::from(self.balance.owed().0), i128::from(self.balance.paid.0));
        let within = paid.clamp(owed.min(0), owed.max(0));
        let is_open = |(base, vat): &(i128, i128)| within != owed && (base + vat).signum() == owed.signum();
        let given: i128 = self.asked.values().filter(|sum| !is_open(sum)).map(|(base, vat)| base + vat).sum();
        let (open, left, rates) = (owed - given, within - given, i128::try_from(self.asked.len()).unwrap());
        for (rate, (base, vat)) in &self.asked {
            let (whole, (net, tax)) = (base + vat, self.has.get(rate).copied().unwrap_or_default());
            if !is_open(&(*base, *vat)) {
                assert_eq!((net, tax), (*base, *vat), "settled to the cent at {rate}: {self:?}");
                continue;
            }
            assert!(((net + tax) * open - left * whole).abs() <= open.abs() * rates, "{rate}: {self:?}");
            assert!((tax * whole - (net + tax) * vat).abs() <= whole.abs(), "{rate}: {self:?}");
        }
        assert_eq!(self.beyond, paid - within);
    }
}

#[test]
fn ten_thousand_random_invoices_add_up_with_their_deposits_all_that_is_paid_and_all_that_is_taken_back() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (seller, buyer) = (practice(), buyer());
    let (mut notes, mut deducted) = (0, 0);
    for round in 0..10_000 {
        let typed: Vec<DraftLine> = (0..=dice.up_to(5)).map(|_| line(&mut dice)).collect();
        let (lines, totals) = pricing::price(&seller, &buyer, &typed).unwrap();
        let expected = independent(&typed);
        assert_eq!(by_rate(&totals.vat_groups), expected, "round {round}: {typed:?}");
        let whole: i128 = expected.values().map(|(base, vat)| base + vat).sum();
        assert_eq!(i128::from(totals.total().0), whole);
        let deposits = deposits_of(&mut dice, (&seller, &buyer), &typed, whole);
        deducted += deposits.len();
        let mut ledger = Ledger::open(&totals, &deposits);
        let content = invoice_of(&seller, &buyer, lines, totals);
        let (mut taken, mut earlier) = (BTreeMap::new(), Vec::new());
        loop {
            for _ in 0..dice.up_to(2) {
                ledger.move_money(&mut dice);
                ledger.check();
            }
            let left: BTreeMap<i64, Cents> = (1_i64..)
                .zip(&content.lines)
                .map(|(id, line)| (id, line.net() - taken.get(&id).copied().unwrap_or_default()))
                .filter(|(_, left)| *left > Cents::ZERO)
                .collect();
            if left.is_empty() {
                break;
            }
            let part = part_of(&mut dice, &left);
            let nets = nets_of(&content.lines, &taken, part.as_deref()).unwrap();
            let note = totals_of(&content, &nets, &earlier);
            assert!(
                note.vat_groups.iter().all(|group| group.base_cents > Cents::ZERO && group.vat_cents >= Cents::ZERO)
            );
            for (id, net) in nets {
                *taken.entry(id).or_insert(Cents::ZERO) += net;
            }
            ledger.credit(&note);
            ledger.check();
            earlier.extend(note.vat_groups);
            notes += 1;
        }
        let back = by_rate(&earlier);
        let asked: BTreeMap<u16, (i128, i128)> = expected.into_iter().filter(|(_, sum)| sum.0 > 0).collect();
        assert_eq!(back, asked, "round {round}: all notes together are the invoice, rate by rate");
        assert!(nets_of(&content.lines, &taken, None).is_err(), "and nothing more");
    }
    assert!(notes > 10_000 && deducted > 5_000, "{notes} notes, {deducted} deposits");
}

fn invoice_of(seller: &Practice, buyer: &Buyer, lines: Vec<Line>, totals: Totals) -> Invoice {
    let day = "2026-11-28".parse().unwrap();
    Invoice {
        r#type: InvoiceType::Standard,
        number: None,
        issued_on: day,
        due_on: day,
        seller: seller.clone(),
        buyer: buyer.clone(),
        lines,
        totals,
        preceding: Vec::new(),
        prepaid_cents: Cents::ZERO,
        note: None,
        is_specimen: false,
    }
}

#[test]
fn deposits_and_what_is_left_add_up_to_the_work_and_numbers_have_no_gap() {
    let mut office = Office::open();
    let mut dice = Dice(7);
    let mut numbers = Vec::new();
    for round in 0..60 {
        let lines: Vec<DraftLine> = (0..=dice.up_to(3)).map(|_| line(&mut dice)).collect();
        let whole: i128 = independent(&lines).values().map(|(base, vat)| base + vat).sum();
        let small = DraftLine {
            quantity: 1_000,
            unit_price_cents: Cents(1 + dice.up_to(99)),
            discount_cents: Cents::ZERO,
            ..lines[0].clone()
        };
        let mut deposits = Vec::new();
        let mut paid = Cents::ZERO;
        for _ in 0..dice.up_to(2) {
            let deposit = office.issue(InvoiceType::Deposit, vec![small.clone()], Vec::new());
            office.pay(&deposit, deposit.total_cents);
            numbers.extend(deposit.number.clone());
            if i128::from((paid + deposit.total_cents).0) <= whole {
                paid += deposit.total_cents;
                deposits.push(deposit.id);
            }
        }
        let last = office.issue(InvoiceType::Standard, lines, deposits);
        numbers.extend(last.number.clone());
        assert_eq!(i128::from(last.total_cents.0), whole, "round {round}");
        assert_eq!(last.due_cents + paid, last.total_cents);
        if last.due_cents > Cents::ZERO {
            let after = office.pay(&last, last.due_cents);
            assert_eq!((after.payment, after.due_cents), (PaymentState::Paid, Cents::ZERO));
        }
    }
    let places: Vec<i64> = numbers.iter().map(|it| it.split_once('-').unwrap().1.parse().unwrap()).collect();
    assert_eq!(places, (1..=i64::try_from(places.len()).unwrap()).collect::<Vec<_>>());
}

#[test]
fn the_database_itself_keeps_what_is_issued() {
    let mut office = Office::open();
    let mut dice = Dice(3);
    let issued = office.issue(InvoiceType::Standard, vec![line(&mut dice)], Vec::new());
    let conn = office.fixture.conn();
    for statement in [
        "UPDATE invoices SET number = 'F2026-99999'",
        "UPDATE invoices SET content = '{}'",
        "UPDATE invoices SET net_cents = 1",
        "UPDATE invoices SET draft = NULL",
        "DELETE FROM invoices",
    ] {
        assert!(conn.execute(statement, []).is_err(), "{statement}");
    }
    let refused = office.fixture.run(office.juriste, IssueInvoice { invoice_id: issued.id }).unwrap_err();
    assert_eq!(refused.code(), Code::Conflict);
}
