//! When a notice about messages is due. Pure rules over a clock that is handed in.
//!
//! The truth is the stored state, not a row per message: what is unread and beyond the mark of a channel is what that channel
//! still has to tell. So reading cancels a notice by itself, a repetition tells nothing, and after a crash nothing is lost.

use std::time::Duration;

use crate::chat::contract::attention::Look;
use crate::chat::contract::settings::Notices;
use crate::model::notices::{EmailChoice, Preferences};
use crate::model::timestamp::Timestamp;

/// After so long a notice that is due is worth nothing any more.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The pause between two mails to somebody who read nothing in between.
const MAIL_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a mail waits for who chose an hour, and where a device has taken a push.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// When the daily mail leaves, in minutes of the day.
const MORNING: u16 = 8 * 60;

/// How soon it is asked again whether somebody still looks.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing now; to be asked again at this moment.
    Later(Timestamp),
    /// A notice leaves.
    Due,
    /// It was seen, or is too old: it counts as told.
    Settled,
}

/// Whether a push is due for what was sent at these moments and nobody has read.
#[must_use]
pub fn push(
    (oldest_at, newest_at): (Timestamp, Timestamp),
    look: Look,
    preferences: &Preferences,
    operator: &Notices,
    now: Timestamp,
) -> Verdict {
    let base = oldest_at + operator.push_after;
    if now < base {
        return Verdict::Later(base);
    }
    match look {
        Look::Until(until) => Verdict::Later(until.min(now + LOOK_AGAIN)),
        // In the same millisecond nobody knows which came first, and a message that nobody hears of is the worse mistake.
        Look::LeftAt(left_at) if newest_at < left_at => Verdict::Settled,
        Look::LeftAt(_) | Look::Away => judge(base, preferences, now),
    }
}

/// What mail has to tell of one conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub oldest_at: Timestamp,
    /// Whether a device has taken a push for it.
    pub was_pushed: bool,
}

/// Whether a mail is due to somebody for all that waits; `mailed_at` says when they were last mailed, if they have read nothing
/// since.
#[must_use]
pub fn mail(
    waiting: &[Waiting],
    mailed_at: Option<Timestamp>,
    preferences: &Preferences,
    operator: &Notices,
    now: Timestamp,
) -> Verdict {
    let delay = match preferences.email {
        EmailChoice::Never => return Verdict::Settled,
        EmailChoice::Daily => {
            let oldest_at = waiting.iter().map(|waiting| waiting.oldest_at).min().unwrap_or(now);
            return judge(preferences.time_zone.next(oldest_at, MORNING), preferences, now);
        }
        EmailChoice::Soon => operator.mail_after,
        EmailChoice::Hour => HOUR,
    };
    let due = |waiting: &Waiting| waiting.oldest_at + if waiting.was_pushed { delay.max(HOUR) } else { delay };
    let first = waiting.iter().map(due).min().unwrap_or(now);
    let base = next_mail(mailed_at, preferences).map_or(first, |next| first.max(next));
    judge(base, preferences, now)
}

/// Before when no mail is due to somebody who was last mailed at `mailed_at` and has read nothing since.
#[must_use]
pub fn next_mail(mailed_at: Option<Timestamp>, preferences: &Preferences) -> Option<Timestamp> {
    mailed_at.filter(|_| preferences.email != EmailChoice::Daily).map(|mailed_at| mailed_at + MAIL_PAUSE)
}

/// A notice that is due from this moment on, but for quiet hours.
fn judge(base: Timestamp, preferences: &Preferences, now: Timestamp) -> Verdict {
    let awake = |at| preferences.quiet_hours.map_or(at, |quiet| quiet.end(at, &preferences.time_zone));
    let due_at = awake(base);
    if now < due_at {
        return Verdict::Later(due_at);
    }
    if now > due_at + STALE_AFTER {
        return Verdict::Settled;
    }
    // It may have become quiet again since it was due.
    let quiet_until = awake(now);
    if quiet_until > now { Verdict::Later(quiet_until) } else { Verdict::Due }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notices::{Clock, Days, Detail, QuietHours};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn preferences(email: EmailChoice, quiet_hours: Option<QuietHours>) -> Preferences {
        Preferences {
            push: true,
            email,
            detail: Detail::None,
            time_zone: "Europe/Paris".parse().unwrap(),
            quiet_hours,
            calls_in_quiet_hours: false,
        }
    }

    fn weekend() -> Option<QuietHours> {
        let midnight = Clock::find("00:00").unwrap();
        Some(QuietHours { from: midnight, to: midnight, days: Days::from_bits(0b110_0000).unwrap() })
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_push_leaves_five_seconds_after_a_message_unless_somebody_looks() {
        let (sent, operator) = (at("2026-11-26T10:00:00.000Z"), Notices::default());
        let chosen = preferences(EmailChoice::Soon, None);
        let verdict = |look, now| push((sent, sent), look, &chosen, &operator, now);
        assert_eq!(verdict(Look::Away, sent + 4 * SECOND), Verdict::Later(sent + 5 * SECOND));
        assert_eq!(verdict(Look::Away, sent + 5 * SECOND), Verdict::Due);
        let until = sent + 60 * SECOND;
        assert_eq!(verdict(Look::Until(until), sent + 5 * SECOND), Verdict::Later(sent + 10 * SECOND));
        assert_eq!(verdict(Look::Until(until), sent + 58 * SECOND), Verdict::Later(until));
        assert_eq!(verdict(Look::LeftAt(sent + SECOND), sent + 5 * SECOND), Verdict::Settled, "it was on the screen");
        assert_eq!(verdict(Look::LeftAt(sent - SECOND), sent + 5 * SECOND), Verdict::Due, "it came after they left");
        assert_eq!(verdict(Look::LeftAt(sent), sent + 5 * SECOND), Verdict::Due, "or in the moment when they did");
    }

    #[test]
    fn what_becomes_due_on_a_quiet_weekend_is_told_on_monday_and_stale_a_day_later() {
        let (sent, operator) = (at("2026-11-28T10:00:00.000Z"), Notices::default());
        let chosen = preferences(EmailChoice::Soon, weekend());
        let monday = at("2026-11-29T23:00:00.000Z");
        let verdict = |now| push((sent, sent), Look::Away, &chosen, &operator, now);
        assert_eq!(verdict(sent + 5 * SECOND), Verdict::Later(monday));
        assert_eq!(verdict(monday), Verdict::Due);
        assert_eq!(verdict(monday + STALE_AFTER), Verdict::Due);
        assert_eq!(verdict(monday + STALE_AFTER + SECOND), Verdict::Settled);
        let friday = at("2026-11-27T22:59:58.000Z");
        assert_eq!(
            push((friday, friday), Look::Away, &chosen, &operator, friday + 5 * SECOND),
            Verdict::Later(monday),
            "it became due in the first minute of the weekend"
        );
    }

    #[test]
    fn a_mail_leaves_after_ten_minutes_and_later_where_a_device_took_a_push() {
        let (sent, operator) = (at("2026-11-26T10:00:00.000Z"), Notices::default());
        let waiting = |was_pushed| [Waiting { oldest_at: sent, was_pushed }];
        let verdict = |email, was_pushed, minutes: u32| {
            mail(&waiting(was_pushed), None, &preferences(email, None), &operator, sent + minutes * 60 * SECOND)
        };
        assert_eq!(verdict(EmailChoice::Soon, false, 9), Verdict::Later(sent + 600 * SECOND));
        assert_eq!(verdict(EmailChoice::Soon, false, 10), Verdict::Due);
        assert_eq!(verdict(EmailChoice::Soon, true, 59), Verdict::Later(sent + 3600 * SECOND));
        assert_eq!(verdict(EmailChoice::Soon, true, 60), Verdict::Due);
        assert_eq!(verdict(EmailChoice::Hour, false, 60), Verdict::Due);
        assert_eq!(verdict(EmailChoice::Hour, true, 60), Verdict::Due);
        assert_eq!(verdict(EmailChoice::Never, false, 60), Verdict::Settled);
    }

    #[test]
    fn who_reads_nothing_is_mailed_once_a_day() {
        let (sent, operator) = (at("2026-11-26T10:00:00.000Z"), Notices::default());
        let waiting = [Waiting { oldest_at: sent, was_pushed: false }];
        let chosen = preferences(EmailChoice::Soon, None);
        let mailed_at = sent - 3600 * SECOND;
        let next = mailed_at + MAIL_PAUSE;
        let verdict = |mailed_at, now| mail(&waiting, mailed_at, &chosen, &operator, now);
        assert_eq!(verdict(Some(mailed_at), sent + 700 * SECOND), Verdict::Later(next));
        assert_eq!(verdict(Some(mailed_at), next), Verdict::Due);
        assert_eq!(verdict(None, sent + 700 * SECOND), Verdict::Due, "they have read since");
    }

    /// Lets thirty days go by minute by minute with a message each day at this minute of UTC; the local times of the mails.
    fn thirty_days(first: &str) -> Vec<String> {
        let (start, operator) = (at(first), Notices::default());
        let chosen = preferences(EmailChoice::Daily, None);
        let (mut waits, mut mails) = (None, Vec::new());
        for minute in 0..30 * 24 * 60_u32 {
            let now = start + minute * 60 * SECOND;
            if minute % (24 * 60) == 0 {
                waits = waits.or(Some(now));
            }
            let Some(oldest_at) = waits else { continue };
            if mail(&[Waiting { oldest_at, was_pushed: true }], Some(now), &chosen, &operator, now) == Verdict::Due {
                mails.push(now.to_string());
                waits = None;
            }
        }
        mails
    }

    #[test]
    fn daily_mail_leaves_at_eight_each_morning_for_a_month_in_which_the_clocks_change() {
        let autumn = thirty_days("2026-10-10T15:00:00.000Z");
        assert_eq!(autumn.len(), 30);
        assert!(autumn[..14].iter().all(|mail| mail.ends_with("T06:00:00.000Z")), "{autumn:?}");
        assert!(autumn[14..].iter().all(|mail| mail.ends_with("T07:00:00.000Z")), "{autumn:?}");
        let spring = thirty_days("2027-03-14T15:00:00.000Z");
        assert_eq!(spring.len(), 30);
        assert!(spring[..13].iter().all(|mail| mail.ends_with("T07:00:00.000Z")), "{spring:?}");
        assert!(spring[13..].iter().all(|mail| mail.ends_with("T06:00:00.000Z")), "{spring:?}");
    }
}
