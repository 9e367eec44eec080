//! Moments, to the millisecond, always UTC.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The last moment that has a four-digit year.
const LAST_MS: i64 = 253_402_300_799_999;

/// Milliseconds since 1970-01-01T00:00:00Z; shown as `2026-11-22T11:32:22.258Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many milliseconds after 1970, kept between the years 1970 and 9999.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > LAST_MS {
            Self(LAST_MS)
        } else {
            Self(millis)
        }
    }

    /// What the machine's clock says. Order never depends on it.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or(LAST_MS))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as tokens count them.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0 / 1000
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    fn text(self) -> [u8; 24] {
        let moment = OffsetDateTime::from_unix_timestamp(self.as_secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let year = u32::try_from(moment.year()).unwrap_or(0);
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], u32::from(u8::from(moment.month())));
        digits(&mut text[8..10], u32::from(moment.day()));
        digits(&mut text[11..13], u32::from(moment.hour()));
        digits(&mut text[14..16], u32::from(moment.minute()));
        digits(&mut text[17..19], u32::from(moment.second()));
        digits(&mut text[20..23], u32::try_from(self.0 % 1000).unwrap_or(0));
        text
    }
}

fn digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    /// Reads RFC 3339 with any offset. What is left out at the end, as date fields of pages do, is filled up: a time without an
    /// offset is one of UTC, one without seconds that of the whole minute, a bare date its midnight.
    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        let (date, time) = text.split_at_checked(10).ok_or(NotATimestamp)?;
        let offset_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
        let (clock, offset) = time.split_at(offset_at);
        if clock.is_empty() && !offset.is_empty() {
            return Err(NotATimestamp);
        }
        let seconds = if clock.len() == "T10:30".len() { ":00" } else { "" };
        let clock = if clock.is_empty() { "T00:00:00" } else { clock };
        let offset = if offset.is_empty() { "Z" } else { offset };
        let whole = format!("{date}{clock}{seconds}{offset}");
        let moment = OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| NotATimestamp)?;
        let millis = i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map_err(|_| NotATimestamp)?;
        Ok(Self::from_millis(millis))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(LAST_MS)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(LAST_MS)))
    }
}

/// The text is neither an RFC 3339 moment nor a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an ISO 8601 time")]
pub struct NotATimestamp;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_utc_with_milliseconds_and_read_back() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_347_142_258, "2026-11-22T11:32:22.258Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (LAST_MS, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp::from_millis(millis)));
            assert_eq!(serde_json::to_string(&Timestamp::from_millis(millis)).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn dates_and_offsets_are_read_and_nonsense_is_not() {
        assert_eq!("2026-11-22".parse::<Timestamp>().unwrap().to_string(), "2026-11-22T00:00:00.000Z");
        assert_eq!("2026-11-22T01:00:00+02:00".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T23:00:00.000Z");
        for (short, whole) in [
            ("2026-11-22T11:32", "2026-11-22T11:32:00.000Z"),
            ("2026-11-22T11:32:05", "2026-11-22T11:32:05.000Z"),
            ("2026-11-22T11:32:05.5", "2026-11-22T11:32:05.500Z"),
            ("2026-11-22T11:32Z", "2026-11-22T11:32:00.000Z"),
            ("2026-11-22T11:32-01:00", "2026-11-22T12:32:00.000Z"),
        ] {
            assert_eq!(short.parse::<Timestamp>().unwrap().to_string(), whole, "{short}");
        }
        for text in [
            "",
            "hier",
            "2026-13-01",
            "2026-11-22Z",
            "2026-11-22T",
            "2026-11-22T1:32",
            "12345",
            "2026-02-30",
            "2026-11-2é",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
