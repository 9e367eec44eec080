//! Days of the calendar, as invoices and payments name them: without a time and without a zone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{Date, Duration, Month};

/// A day; shown as `2026-11-28`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(Date);

impl Day {
    /// The day of a year, a month (1…12) and a day of the month; `None` where the calendar has no such day.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let month = Month::try_from(month).ok()?;
        Date::from_calendar_date(year, month, day).ok().map(Self)
    }

    /// The day so many days later; the calendar's last day where it ends before.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.checked_add(Duration::days(i64::from(days))).unwrap_or(Date::MAX))
    }

    /// The day so many days earlier; the calendar's first day where it begins later.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        Self(self.0.checked_sub(Duration::days(i64::from(days))).unwrap_or(Date::MIN))
    }

    /// How many days it is behind an earlier one; negative before it.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).whole_days()
    }

    /// The year, with four digits.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The month, 1…12.
    #[must_use]
    pub fn month(self) -> u8 {
        u8::from(self.0.month())
    }

    /// The day of the month, 1…31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.0.day()
    }

    /// Eight digits, `20261128`, as CII (format 102) and the dates of a PDF write it.
    #[must_use]
    pub fn digits(self) -> String {
        format!("{:04}{:02}{:02}", self.year(), self.month(), self.day())
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl FromStr for Day {
    type Err = NotADay;

    /// Reads `YYYY-MM-DD` alone, between the years 1900 and 2999.
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return Err(NotADay) };
        let is_plain = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if !(is_plain(year, 4) && is_plain(month, 2) && is_plain(day, 2)) {
            return Err(NotADay);
        }
        let [year, month, day] = [year, month, day].map(|part| part.parse::<u16>().unwrap_or(0));
        let [month, day] = [month, day].map(|part| u8::try_from(part).unwrap_or(0));
        Self::new(year.into(), month, day).filter(|_| (1900..3000).contains(&year)).ok_or(NotADay)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The text is no day of the form `2026-11-28`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a day of the form YYYY-MM-DD")]
pub struct NotADay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_and_shown_alike() {
        for text in ["2026-11-28", "2024-02-29", "1999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in ["", "2026-02-30", "28/11/2026", "2026-11-28T10:00", "20261128", "2026-W48-6", "0000-01-01"] {
            assert_eq!(text.parse::<Day>(), Err(NotADay), "{text}");
        }
    }

    #[test]
    fn days_are_added_over_the_ends_of_months_and_years() {
        let day: Day = "2026-12-15".parse().unwrap();
        assert_eq!(day.plus_days(30).to_string(), "2027-01-14");
        assert_eq!(day.plus_days(u32::MAX), Day(Date::MAX));
        assert_eq!(day.digits(), "20261215");
    }
}
