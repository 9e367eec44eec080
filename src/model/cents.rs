//! Money: whole cents of a euro. Nothing is ever computed in floating point.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// An amount in cents of a euro; may be negative. Sums saturate far beyond what any bill holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This amount × `numerator` / `denominator`, halves away from zero. `denominator` is positive.
    #[must_use]
    pub fn scaled(self, numerator: i64, denominator: i64) -> Self {
        let product = i128::from(self.0) * i128::from(numerator);
        let denominator = i128::from(denominator.max(1));
        let half = if product < 0 { -denominator } else { denominator } / 2;
        Self(i64::try_from((product + half) / denominator).unwrap_or(i64::MAX))
    }

    /// `1234.50`, with a point and two digits: as CII and the EPC code write amounts.
    #[must_use]
    pub fn plain(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Cents {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Cents {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Cents {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// As French readers write it: `1 234,50 €`, with narrow no-break spaces between thousands.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let euros = (self.0.unsigned_abs() / 100).to_string();
        if self.0 < 0 {
            f.write_str("−")?;
        }
        for (place, digit) in euros.chars().enumerate() {
            if place > 0 && (euros.len() - place).is_multiple_of(3) {
                f.write_str("\u{202f}")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ",{:02}\u{a0}€", self.0.unsigned_abs() % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_for_people_and_for_programs() {
        for (cents, people, programs) in [
            (0, "0,00 €", "0.00"),
            (5, "0,05 €", "0.05"),
            (123_450, "1\u{202f}234,50 €", "1234.50"),
            (-99_999_999, "−999\u{202f}999,99 €", "-999999.99"),
            (100_000_000, "1\u{202f}000\u{202f}000,00 €", "1000000.00"),
        ] {
            assert_eq!(Cents(cents).to_string().replace('\u{a0}', " "), people);
            assert_eq!(Cents(cents).plain(), programs);
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (cents, numerator, denominator, result) in
            [(5, 1, 2, 3), (-5, 1, 2, -3), (7, 1, 3, 2), (8, 1, 3, 3), (1_000, 2_000, 10_000, 200), (3, 0, 1_000, 0)]
        {
            assert_eq!(
                Cents(cents).scaled(numerator, denominator),
                Cents(result),
                "{cents} × {numerator}/{denominator}"
            );
        }
        assert_eq!(Cents(1_000_000_000).scaled(1_000_000_000, 1_000), Cents(1_000_000_000_000_000));
    }
}
