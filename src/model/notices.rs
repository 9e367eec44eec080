//! Notices: what a person chose about them, and where they may go.

use serde::{Serialize, Serializer};

use crate::model::id::DeviceId;
use crate::model::timestamp::Timestamp;
use crate::model::zone::{self, DAY_MINUTES, Zone};

/// Days that a look for the end of a quiet time goes on; there is no longer one.
const QUIET_DAYS_MAX: usize = 8;

/// When mail is sent about what was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub enum EmailChoice {
    /// Not at all.
    #[serde(rename = "never")]
    Never,
    /// Soon: after ten minutes, or what the operator says instead.
    #[default]
    #[serde(rename = "10m")]
    Soon,
    /// After an hour.
    #[serde(rename = "1h")]
    Hour,
    /// At eight in the morning.
    #[serde(rename = "daily")]
    Daily,
}

impl EmailChoice {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Never, Self::Soon, Self::Hour, Self::Daily];

    /// The word for it, on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Soon => "10m",
            Self::Hour => "1h",
            Self::Daily => "daily",
        }
    }

    /// The choice with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == word)
    }
}

/// How much of a message a notice may tell. Each level tells what those before it do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// That there is one.
    #[default]
    None,
    /// Who sent it.
    Sender,
    /// How it begins.
    Preview,
}

impl Detail {
    /// Every level, from little to much.
    pub const ALL: [Self; 3] = [Self::None, Self::Sender, Self::Preview];

    /// The word for it, on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sender => "sender",
            Self::Preview => "preview",
        }
    }

    /// The level with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detail| detail.as_str() == word)
    }
}

/// A time of day: minutes since midnight, `HH:MM` on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock(u16);

impl Clock {
    /// This minute of the day; `None` from midnight of the next day on.
    #[must_use]
    pub const fn new(minutes: u16) -> Option<Self> {
        if minutes < DAY_MINUTES { Some(Self(minutes)) } else { None }
    }

    /// Reads `HH:MM`.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        let (hours, minutes) = text.split_once(':').filter(|(h, m)| digits(h) && digits(m))?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        if hours < 24 && minutes < 60 { Self::new(60 * hours + minutes) } else { None }
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:02}:{:02}", self.0 / 60, self.0 % 60))
    }
}

/// Days of the week, 1 being Monday on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Days(u8);

impl Days {
    /// The days whose bits are set, Monday being the lowest; `None` unless there is one.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits >= 1 && bits <= 0b111_1111 { Some(Self(bits)) } else { None }
    }

    /// Monday in the lowest bit.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all seven are there.
    #[must_use]
    pub const fn is_whole_week(self) -> bool {
        self.0 == 0b111_1111
    }

    fn contains(self, weekday: u8) -> bool {
        self.0 & (1 << weekday) != 0
    }
}

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..7).filter(|day| self.contains(*day)).map(|day| day + 1))
    }
}

/// When somebody wants no notices: from a time of day on, on the days that are named, until the next time that the clock
/// says `to`. The same time twice means a day and a night.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct QuietHours {
    pub from: Clock,
    pub to: Clock,
    /// The days on which it begins.
    pub days: Days,
}

impl QuietHours {
    /// The first moment from `now` on at which it is not quiet.
    #[must_use]
    pub fn end(&self, now: Timestamp, zone: &Zone) -> Timestamp {
        let mut end = now;
        for _ in 0..QUIET_DAYS_MAX {
            match self.end_of_current(end, zone) {
                Some(later) => end = later,
                None => break,
            }
        }
        end
    }

    /// The end of the quiet time in which this moment lies.
    fn end_of_current(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let today = zone.date(at);
        let is_over_midnight = self.to.minutes() <= self.from.minutes();
        let candidates = [today.yesterday().ok(), Some(today)].into_iter().flatten();
        candidates
            .filter(|date| self.days.contains(zone::weekday(*date)))
            .filter_map(|date| {
                let last = if is_over_midnight { date.tomorrow().ok()? } else { date };
                let (from, to) = (zone.moment(date, self.from.minutes()), zone.moment(last, self.to.minutes()));
                (from <= at && at < to).then_some(to)
            })
            .max()
    }
}

/// What somebody chose about notices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// Whether their devices are pushed to.
    pub push: bool,
    pub email: EmailChoice,
    /// At most what the operator allows.
    pub detail: Detail,
    /// Where their clock hangs.
    pub time_zone: Zone,
    pub quiet_hours: Option<QuietHours>,
    /// Whether a call is told in quiet hours as well.
    pub calls_in_quiet_hours: bool,
}

/// The channels that the operator has set up, and how much they may tell.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Available {
    pub web_push: Option<WebPushKey>,
    pub fcm: bool,
    pub email: bool,
    /// The most that a notice may tell.
    pub detail: Detail,
}

impl Available {
    /// Whether notices can go to devices.
    #[must_use]
    pub const fn has_push(&self) -> bool {
        self.web_push.is_some() || self.fcm
    }
}

/// What a page subscribes with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebPushKey {
    /// An uncompressed point of P-256, in base64url without padding.
    pub public_key: String,
}

/// What is known of the address that mail goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressState {
    /// Nobody has shown yet that they read it: only what its owner asks for goes there.
    Unconfirmed,
    Confirmed,
    /// A relay said that there is nobody: nothing goes there until it is confirmed.
    Failed,
}

/// Somebody's settings as they see them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeSettings {
    #[serde(flatten)]
    pub preferences: Preferences,
    pub email_address: AddressState,
    pub available: Available,
}

/// How a device is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A browser.
    Webpush,
    /// An app, through Firebase.
    Fcm,
}

impl DeviceKind {
    /// The word for it, on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webpush => "webpush",
            Self::Fcm => "fcm",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        [Self::Webpush, Self::Fcm].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A device as its owner sees it; where it is reached is never shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    pub id: DeviceId,
    pub kind: DeviceKind,
    pub name: Option<String>,
    /// Whether it was registered in the session that asks.
    pub is_current: bool,
    pub created_at: Timestamp,
    pub registered_at: Timestamp,
    /// When a push for it was last accepted.
    pub last_used_at: Option<Timestamp>,
    /// When its service said that it does not exist any more: nothing goes there until it registers anew.
    pub gone_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn quiet(from: &str, to: &str, days: &[u8]) -> QuietHours {
        let bits = days.iter().fold(0, |bits, day| bits | 1 << (day - 1));
        QuietHours {
            from: Clock::find(from).unwrap(),
            to: Clock::find(to).unwrap(),
            days: Days::from_bits(bits).unwrap(),
        }
    }

    fn ends(quiet: &QuietHours, now: &str) -> String {
        quiet.end(at(now), &"Europe/Paris".parse().unwrap()).to_string()
    }

    #[test]
    fn a_weekend_is_quiet_from_its_first_to_its_last_minute() {
        let weekend = quiet("00:00", "00:00", &[6, 7]);
        let monday = "2026-11-29T23:00:00.000Z";
        for now in ["2026-11-27T23:00:00.000Z", "2026-11-28T12:00:00.000Z", "2026-11-29T22:59:59.999Z"] {
            assert_eq!(ends(&weekend, now), monday, "{now}");
        }
        for now in ["2026-11-27T22:59:59.999Z", monday, "2026-12-02T12:00:00.000Z"] {
            assert_eq!(ends(&weekend, now), now);
        }
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let nights = quiet("20:00", "08:00", &[1, 2, 3, 4, 5]);
        for (now, end) in [
            ("2026-11-26T19:00:00.000Z", "2026-11-27T07:00:00.000Z"),
            ("2026-11-28T02:00:00.000Z", "2026-11-28T07:00:00.000Z"),
            ("2026-11-28T20:00:00.000Z", "2026-11-28T20:00:00.000Z"),
            ("2026-11-30T02:00:00.000Z", "2026-11-30T02:00:00.000Z"),
        ] {
            assert_eq!(ends(&nights, now), end, "{now}");
        }
    }

    #[test]
    fn a_night_in_which_the_clocks_change_ends_when_they_say_so() {
        let nights = quiet("20:00", "08:00", &[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(ends(&nights, "2027-03-27T23:00:00.000Z"), "2027-03-28T06:00:00.000Z");
        assert_eq!(ends(&nights, "2026-10-24T23:00:00.000Z"), "2026-10-25T07:00:00.000Z");
        let short = quiet("02:15", "02:45", &[7]);
        assert_eq!(ends(&short, "2027-03-28T01:00:00.000Z"), "2027-03-28T01:00:00.000Z", "there is no such time");
    }

    #[test]
    fn times_and_days_are_written_as_people_do() {
        let shown = serde_json::to_value(quiet("07:05", "23:59", &[1, 7])).unwrap();
        assert_eq!(shown, json!({"from": "07:05", "to": "23:59", "days": [1, 7]}));
        for text in ["", "7:05", "24:00", "12:60", "1205", "12:5", "+1:05", "12:05:00", "12:٠5"] {
            assert_eq!(Clock::find(text), None, "{text}");
        }
        assert!(Days::from_bits(0).is_none() && Days::from_bits(128).is_none());
    }
}
