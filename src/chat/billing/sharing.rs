//! What each rate of VAT has of the money that moves for an invoice: VAT on collection is declared from it.
//!
//! After each movement the rates together have what is paid, each in proportion to what is asked at it by then: the
//! invoice's amounts, less the deposits that it deducts and the credit notes that were issued. A movement's parts are the
//! difference to what the rates had before. So those of an invoice that is settled add up to it to the cent, rate by rate.
//!
//! Where a deposit paid more at a rate than the work came to at it, or a credit note takes back what others have paid for,
//! money counts at another rate from then on though none moves: the invoice or the note sets the VAT on it right (Code
//! général des impôts, art. 269, 2 c and 272, 1), and its parts are told as those of a movement of nothing.

use crate::model::cents::Cents;
use crate::model::invoice::{VatGroup, VatRate};

/// A movement's part at one rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// `None` for what is beyond all that is asked.
    pub rate: Option<VatRate>,
    /// With VAT.
    pub total: Cents,
    pub vat: Cents,
}

/// The money of one invoice, movement by movement.
#[derive(Clone, Debug)]
pub struct Sharing {
    asked: Vec<VatGroup>,
    /// What each of them has: total and VAT.
    has: Vec<(Cents, Cents)>,
    paid: Cents,
}

impl Sharing {
    /// Nothing has moved yet.
    #[must_use]
    pub fn new(asked: &[VatGroup]) -> Self {
        Self { asked: asked.to_vec(), has: vec![(Cents::ZERO, Cents::ZERO); asked.len()], paid: Cents::ZERO }
    }

    /// Less is asked from here on: deposits are deducted, or a credit note takes something back. What is paid then counts at
    /// the rates that are left, at once; where something is to go back, only as it goes.
    pub fn take_back(&mut self, groups: &[VatGroup]) -> Vec<Share> {
        for taken in groups {
            let is_same = |it: &&mut VatGroup| (it.category, it.rate_bp) == (taken.category, taken.rate_bp);
            if let Some(group) = self.asked.iter_mut().find(is_same) {
                group.base_cents -= taken.base_cents;
                group.vat_cents -= taken.vat_cents;
            } else {
                let (base_cents, vat_cents) = (-taken.base_cents, -taken.vat_cents);
                self.asked.push(VatGroup { base_cents, vat_cents, ..*taken });
                self.has.push((Cents::ZERO, Cents::ZERO));
            }
        }
        let asked: Cents = self.asked.iter().map(whole).sum();
        if self.paid > asked { Vec::new() } else { self.book(Cents::ZERO) }
    }

    /// Shares a movement; below zero it goes back.
    pub fn book(&mut self, amount: Cents) -> Vec<Share> {
        self.paid += amount;
        let now = self.shared();
        let before = std::mem::replace(&mut self.has, now);
        let rates = self.asked.iter().map(|group| Some(group.rate_bp));
        let parts = before.into_iter().zip(&self.has).map(|(before, now)| (now.0 - before.0, now.1 - before.1));
        let mut shares: Vec<Share> = rates.zip(parts).map(|(rate, (total, vat))| Share { rate, total, vat }).collect();
        let beyond = amount - shares.iter().map(|share| share.total).sum();
        shares.push(Share { rate: None, total: beyond, vat: Cents::ZERO });
        shares.retain(|share| share.total != Cents::ZERO || share.vat != Cents::ZERO);
        shares
    }

    /// Total and VAT of each rate by now. A rate at which more was deducted than is asked has given that to the others; the
    /// last of these takes what rounding leaves.
    fn shared(&self) -> Vec<(Cents, Cents)> {
        let asked: Cents = self.asked.iter().map(whole).sum();
        // Below zero where a credit note takes back what deposits paid.
        let paid = self.paid.clamp(asked.min(Cents::ZERO), asked.max(Cents::ZERO));
        let sign = asked.0.signum();
        let is_whole = |group: &VatGroup| paid == asked || whole(group).0.signum() != sign;
        let given: Cents = self.asked.iter().filter(|group| is_whole(group)).map(whole).sum();
        let (open, paid) = (asked - given, paid - given);
        let last = self.asked.iter().rposition(|group| !is_whole(group));
        let mut left = paid;
        let part = |(place, group): (usize, &VatGroup)| {
            let whole = whole(group);
            if is_whole(group) {
                return (whole, group.vat_cents);
            }
            let is_last = Some(place) == last;
            let total = if is_last { left } else { paid.scaled(whole.0 * sign, open.0.abs()) };
            left -= total;
            (total, total.scaled(group.vat_cents.0 * sign, whole.0.abs()))
        };
        self.asked.iter().enumerate().map(part).collect()
    }
}

fn whole(group: &VatGroup) -> Cents {
    group.base_cents + group.vat_cents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::invoice::VatCategory;

    fn group(rate: u16, base: i64, vat: i64) -> VatGroup {
        let category = if rate == 0 { VatCategory::Disbursement } else { VatCategory::Standard };
        VatGroup { category, rate_bp: VatRate::try_from(rate).unwrap(), base_cents: Cents(base), vat_cents: Cents(vat) }
    }

    fn share(rate: u16, total: i64, vat: i64) -> Share {
        Share { rate: Some(VatRate::try_from(rate).unwrap()), total: Cents(total), vat: Cents(vat) }
    }

    #[test]
    fn the_parts_of_a_paid_invoice_add_up_to_it_to_the_cent() {
        let mut sharing = Sharing::new(&[group(2_000, 999, 200), group(550, 333, 18), group(0, 101, 0)]);
        let (mut totals, mut vat) = ([0; 3], 0);
        for amount in [1_i64, 333, 700, 617] {
            for share in sharing.book(Cents(amount)) {
                let rate = share.rate.unwrap().basis_points();
                totals[[2_000, 550, 0].iter().position(|it| *it == rate).unwrap()] += share.total.0;
                vat += share.vat.0;
            }
        }
        assert_eq!((totals, vat), ([1_199, 351, 101], 218));
        let beyond = Share { rate: None, total: Cents(5), vat: Cents::ZERO };
        assert_eq!(sharing.book(Cents(5)), [beyond]);
        assert_eq!(sharing.book(Cents(-5)), [Share { total: Cents(-5), ..beyond }]);
        let back: i64 = sharing.book(Cents(-1_651)).iter().map(|share| share.vat.0).sum();
        assert_eq!(back, -218);
    }

    #[test]
    fn what_is_taken_back_at_one_rate_is_neither_paid_nor_given_back_at_another() {
        let both = [group(2_000, 10_000, 2_000), group(550, 10_000, 550)];
        let mut sharing = Sharing::new(&both);
        sharing.take_back(&both[1..]);
        assert_eq!(sharing.book(Cents(12_000)), [share(2_000, 12_000, 2_000)], "credited before it is paid");
        let mut sharing = Sharing::new(&both);
        sharing.book(Cents(22_550));
        sharing.take_back(&both[1..]);
        assert_eq!(sharing.book(Cents(-10_550)), [share(550, -10_550, -550)], "paid before it is credited");
    }

    #[test]
    fn a_deposit_that_goes_back_through_the_invoice_that_deducted_it_takes_its_vat_along() {
        let mut sharing = Sharing::new(&[group(2_000, 20_000, 4_000)]);
        sharing.take_back(&[group(2_000, 10_000, 2_000)]);
        sharing.take_back(&[group(2_000, 20_000, 4_000)]);
        assert_eq!(sharing.book(Cents(-12_000)), [share(2_000, -12_000, -2_000)]);
    }
    #[test]
    fn what_a_deposit_paid_beyond_a_rate_counts_at_the_others_from_the_final_invoice_on() {
        let deposit = [group(2_000, 10_000, 2_000)];
        let moved = [share(2_000, -6_000, -1_000), share(0, 6_000, 0)];
        let mut covered = Sharing::new(&[group(2_000, 5_000, 1_000), group(0, 6_000, 0)]);
        assert_eq!(covered.take_back(&deposit), moved, "no money moves for it any more");
        let mut in_part = Sharing::new(&[group(2_000, 5_000, 1_000), group(0, 16_000, 0)]);
        assert_eq!(in_part.take_back(&deposit), moved);
        assert_eq!(in_part.book(Cents(4_000)), [share(0, 4_000, 0)], "the rest is for the rest");
        assert_eq!(in_part.book(Cents(6_000)), [share(0, 6_000, 0)]);
        let mut alike = Sharing::new(&[group(2_000, 20_000, 4_000), group(0, 6_000, 0)]);
        assert_eq!(alike.take_back(&deposit), [], "what was paid for is asked");
    }

    #[test]
    fn what_is_paid_counts_for_what_a_credit_note_leaves() {
        let (fee, expense) = (group(2_000, 10_000, 2_000), group(0, 6_000, 0));
        let mut sharing = Sharing::new(&[fee, expense]);
        assert_eq!(sharing.book(Cents(12_000)), [share(2_000, 8_000, 1_333), share(0, 4_000, 0)]);
        assert_eq!(sharing.take_back(&[expense]), [share(2_000, 4_000, 667), share(0, -4_000, 0)]);
        assert_eq!(sharing.take_back(&[group(2_000, 5_000, 1_000)]), [], "this is to go back, and counts as it goes");
        assert_eq!(sharing.book(Cents(-6_000)), [share(2_000, -6_000, -1_000)]);
    }
}
