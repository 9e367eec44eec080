//! Time zones: what the clock on the wall says where somebody lives. The rules of IANA's database are in the binary.
//!
//! A local time that does not exist (the hour that is left out in spring) means the first one that does; one that comes
//! twice (in autumn) means the first time.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{self, AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use crate::model::day::Day;
use crate::model::timestamp::Timestamp;

/// Minutes of a day of usual length.
pub const DAY_MINUTES: u16 = 24 * 60;

/// The compiled rules; the machine's own are not asked, so that all machines agree.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone with its name (`Europe/Paris`).
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    zone: TimeZone,
}

/// Not the name of a time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the name of a time zone, such as Europe/Paris")]
pub struct NotAZone;

impl Zone {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The date there at this moment.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        self.wall(at).date()
    }

    /// The moment at which the clocks there say this minute of this date.
    #[must_use]
    pub fn moment(&self, date: Date, minute: u16) -> Timestamp {
        let hour = i8::try_from(minute / 60 % 24).unwrap_or(0);
        let wall = date.at(hour, i8::try_from(minute % 60).unwrap_or(0), 0, 0);
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        let found = match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => ambiguous.earlier().map(|before| self.following(before).unwrap_or(before)),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier(),
        };
        found.map_or(Timestamp::from_millis(i64::MAX), |at| Timestamp::from_millis(at.as_millisecond()))
    }

    /// The first moment after `at` at which the clocks there say this minute.
    #[must_use]
    pub fn next(&self, at: Timestamp, minute: u16) -> Timestamp {
        let today = self.date(at);
        let days = std::iter::successors(Some(today), |date| date.tomorrow().ok()).take(3);
        let mut moments = days.map(|date| self.moment(date, minute));
        moments.find(|moment| *moment > at).unwrap_or(at + Duration::from_secs(24 * 3600))
    }

    /// When a day begins there: at midnight, or when the clocks first show that day.
    #[must_use]
    pub fn start_of(&self, day: Day) -> Timestamp {
        let [month, date] = [day.month(), day.day()].map(|part| i8::try_from(part).unwrap_or(0));
        let date = i16::try_from(day.year()).ok().and_then(|year| Date::new(year, month, date).ok());
        date.map_or(Timestamp::default(), |date| self.moment(date, 0))
    }

    /// What calendar and clock show there at this moment.
    #[must_use]
    pub fn wall(&self, at: Timestamp) -> DateTime {
        let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        self.zone.to_datetime(instant)
    }

    fn following(&self, at: jiff::Timestamp) -> Option<jiff::Timestamp> {
        self.zone.following(at).next().map(|change: tz::TimeZoneTransition<'_>| change.timestamp())
    }
}

/// The day of the week as a number, Monday being 0.
#[must_use]
pub fn weekday(date: Date) -> u8 {
    let weekday: Weekday = date.weekday();
    u8::try_from(weekday.to_monday_zero_offset()).unwrap_or(0)
}

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Zone, NotAZone> {
        // Names are compared whatever their case, but shown as the database spells them.
        RULES.get(text).map(|zone| Zone { zone }).map_err(|_| NotAZone)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn paris() -> Zone {
        "europe/paris".parse().unwrap()
    }

    #[test]
    fn a_zone_has_the_name_that_the_database_gives_it() {
        assert_eq!(paris().name(), "Europe/Paris");
        assert_eq!("UTC".parse::<Zone>().unwrap().name(), "UTC");
        for text in ["", "Paris", "Europe/", "CEST+1", "../etc/passwd", "Europe/Paris "] {
            assert_eq!(text.parse::<Zone>(), Err(NotAZone), "{text}");
        }
    }

    #[test]
    fn a_day_begins_at_its_midnight_or_when_the_clocks_first_show_it() {
        let start = |zone: &str, day: &str| zone.parse::<Zone>().unwrap().start_of(day.parse().unwrap());
        assert_eq!(start("Europe/Paris", "2026-11-28"), at("2026-11-27T23:00:00Z"));
        assert_eq!(start("Europe/Paris", "2026-07-14"), at("2026-07-13T22:00:00Z"));
        // Midnight was left out there on that day.
        assert_eq!(start("America/Sao_Paulo", "2018-11-04"), at("2018-11-04T03:00:00Z"));
    }

    #[test]
    fn the_hour_that_is_left_out_in_spring_means_the_first_minute_behind_it() {
        let day: Date = "2027-03-28".parse().unwrap();
        for (minute, moment) in [
            (119, "2027-03-28T00:59:00.000Z"),
            (120, "2027-03-28T01:00:00.000Z"),
            (150, "2027-03-28T01:00:00.000Z"),
            (180, "2027-03-28T01:00:00.000Z"),
            (181, "2027-03-28T01:01:00.000Z"),
        ] {
            assert_eq!(paris().moment(day, minute), at(moment), "{minute}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_in_autumn_means_the_first_one() {
        let day: Date = "2026-10-25".parse().unwrap();
        assert_eq!(paris().moment(day, 150), at("2026-10-25T00:30:00.000Z"));
        assert_eq!(paris().moment(day, 180), at("2026-10-25T02:00:00.000Z"));
    }

    #[test]
    fn the_next_time_is_today_or_tomorrow_whatever_the_length_of_the_day() {
        let eight = 8 * 60;
        for (now, next) in [
            ("2026-11-28T06:59:59.999Z", "2026-11-28T07:00:00.000Z"),
            ("2026-11-28T07:00:00.000Z", "2026-11-29T07:00:00.000Z"),
            ("2026-10-24T08:00:00.000Z", "2026-10-25T07:00:00.000Z"),
            ("2027-03-27T08:00:00.000Z", "2027-03-28T06:00:00.000Z"),
        ] {
            assert_eq!(paris().next(at(now), eight), at(next), "{now}");
        }
        assert_eq!(weekday("2026-11-28".parse().unwrap()), 5);
    }
}
