//! What somebody chose about notices.
//!
//! What comes of a choice begins with what is said after it: whoever turns a channel on is told nothing old.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::command::notices::UpdateNotices;
use crate::chat::contract::error::Error;
use crate::chat::contract::event::{Announcement, Audience, Event};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::settings::Notices;
use crate::chat::handle::chat::Chat;
use crate::model::id::UserId;
use crate::model::locale::Text;
use crate::model::notices::{EmailChoice, NoticeSettings, Preferences};
use crate::model::timestamp::Timestamp;
use crate::store::notices::{self, MarkChannel, SettingsRow};

impl Chat {
    /// What the caller chose about notices, and which channels there are.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn load_notice_settings(&self, actor: Actor) -> Result<NoticeSettings, Error> {
        let settings = Arc::clone(&self.settings);
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?;
            shown(conn, me.user_id, &notices::find_settings(conn, me.user_id)?, &settings.notices)
        })
        .await
    }
}

/// The rule of [`UpdateNotices`].
///
/// # Errors
/// `UNAUTHENTICATED`; `INVALID` for more detail than the operator allows.
pub fn update(
    conn: &Connection,
    actor: Actor,
    command: &UpdateNotices,
    now: Timestamp,
    operator: &Notices,
) -> Result<Outcome<NoticeSettings>, Error> {
    let me = caller::require_member(conn, actor, now)?.user_id;
    let before = notices::find_settings(conn, me)?;
    if let Some(detail) = command.detail.filter(|detail| *detail > operator.available.detail) {
        let allowed = operator.available.detail.as_str();
        let message = Text::new(
            format!("« {} » n’est pas permis sur ce serveur : au plus « {allowed} »", detail.as_str()),
            format!("`{}` is not allowed on this server: at most `{allowed}`", detail.as_str()),
        );
        return Err(Error::invalid("detail", message));
    }
    let after = SettingsRow {
        push: command.push.unwrap_or(before.push),
        email: command.email.unwrap_or(before.email),
        detail: command.detail.unwrap_or(before.detail),
        time_zone: match &command.time_zone {
            Some(zone) => zone.as_ref().map(|zone| zone.name().to_owned()),
            None => before.time_zone.clone(),
        },
        quiet_hours: command.quiet_hours.unwrap_or(before.quiet_hours),
        calls_in_quiet_hours: command.calls_in_quiet_hours.unwrap_or(before.calls_in_quiet_hours),
    };
    if after == before {
        return Ok(shown(conn, me, &after, operator)?.into());
    }
    if after.push && !before.push {
        notices::mark_all(conn, me, MarkChannel::Push, now)?;
    }
    if after.email != EmailChoice::Never && before.email == EmailChoice::Never {
        notices::mark_all(conn, me, MarkChannel::Email, now)?;
    }
    notices::set_settings(conn, me, &after)?;
    let settings = shown(conn, me, &after, operator)?;
    let event = Event::NoticesChanged(Arc::new(settings.clone()));
    Ok(Outcome { reply: settings, events: vec![Announcement { audience: Audience::Member(me), event, at: now }] })
}

/// Ends mail about messages, as its recipient asked by the link in it.
///
/// # Errors
/// `INTERNAL`.
pub fn end_mail(conn: &Connection, user_id: UserId, now: Timestamp, operator: &Notices) -> Result<Outcome<()>, Error> {
    let before = notices::find_settings(conn, user_id)?;
    if before.email == EmailChoice::Never {
        return Ok(().into());
    }
    let after = SettingsRow { email: EmailChoice::Never, ..before };
    notices::set_settings(conn, user_id, &after)?;
    let event = Event::NoticesChanged(Arc::new(shown(conn, user_id, &after, operator)?));
    Ok(Outcome::done(vec![Announcement { audience: Audience::Member(user_id), event, at: now }]))
}

/// What holds for somebody: what they chose, as far as the operator allows it.
#[must_use]
pub fn in_force(row: &SettingsRow, operator: &Notices) -> Preferences {
    let chosen = row.time_zone.as_deref().and_then(|name| name.parse().ok());
    Preferences {
        push: row.push,
        email: row.email,
        detail: row.detail.min(operator.available.detail),
        time_zone: chosen.unwrap_or_else(|| operator.time_zone.clone()),
        quiet_hours: row.quiet_hours,
        calls_in_quiet_hours: row.calls_in_quiet_hours,
    }
}

fn shown(conn: &Connection, me: UserId, row: &SettingsRow, operator: &Notices) -> Result<NoticeSettings, Error> {
    Ok(NoticeSettings {
        preferences: in_force(row, operator),
        email_address: notices::address_state(conn, me)?,
        available: operator.available.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::notices::{Available, Clock, Days, Detail, QuietHours};

    fn marks(fixture: &RulesFixture, channel: &str) -> Vec<(i64, i64)> {
        let sql = "SELECT user_id, message_id FROM notice_marks WHERE channel = ?1";
        let mut statement = fixture.conn().prepare(sql).unwrap();
        let rows = statement.query_map([channel], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn who_has_chosen_nothing_has_the_defaults_and_no_channel_that_is_not_there() {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let outcome = fixture.run(client, UpdateNotices::default()).unwrap();
        assert!(outcome.events.is_empty());
        assert_eq!(
            serde_json::to_value(outcome.reply).unwrap(),
            json!({
                "push": true, "email": "10m", "detail": "none", "timeZone": "Europe/Paris", "quietHours": null,
                "callsInQuietHours": false, "emailAddress": "unconfirmed",
                "available": {"webPush": null, "fcm": false, "email": false, "detail": "none"},
            })
        );
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let quiet = QuietHours {
            from: Clock::find("20:00").unwrap(),
            to: Clock::find("08:00").unwrap(),
            days: Days::from_bits(0b11).unwrap(),
        };
        let zone = "Indian/Reunion".parse().unwrap();
        let command = UpdateNotices {
            email: Some(EmailChoice::Daily),
            time_zone: Some(Some(zone)),
            quiet_hours: Some(Some(quiet)),
            ..UpdateNotices::default()
        };
        let outcome = fixture.run(client, command).unwrap();
        assert_eq!(outcome.events.len(), 1);
        assert!(matches!(outcome.events[0].audience, Audience::Member(id) if id.as_i64() == 1));
        let outcome = fixture.run(client, UpdateNotices { push: Some(false), ..UpdateNotices::default() }).unwrap();
        let Preferences { push, email, quiet_hours, time_zone, .. } = outcome.reply.preferences;
        assert_eq!((push, email, quiet_hours), (false, EmailChoice::Daily, Some(quiet)));
        assert_eq!(time_zone.name(), "Indian/Reunion");
        let back = UpdateNotices { time_zone: Some(None), quiet_hours: Some(None), ..UpdateNotices::default() };
        let preferences = fixture.run(client, back).unwrap().reply.preferences;
        assert_eq!((preferences.time_zone.name(), preferences.quiet_hours), ("Europe/Paris", None));
    }

    #[test]
    fn nobody_chooses_more_detail_than_the_operator_allows() {
        let detail = |detail| UpdateNotices { detail: Some(detail), ..UpdateNotices::default() };
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        assert!(fixture.run(client, detail(Detail::Sender)).is_err());
        let available = Available { detail: Detail::Sender, ..Available::default() };
        let notices = Notices { available, ..Notices::default() };
        let mut fixture = RulesFixture::with(Settings { notices, ..Settings::default() });
        let client = fixture.actor(1);
        assert!(fixture.run(client, detail(Detail::Preview)).is_err());
        assert_eq!(fixture.run(client, detail(Detail::Sender)).unwrap().reply.preferences.detail, Detail::Sender);
        let stored = notices::find_settings(fixture.conn(), UserId::new(1).unwrap()).unwrap();
        assert_eq!(in_force(&stored, &Notices::default()).detail, Detail::None, "the operator may say less later");
    }

    #[test]
    fn a_channel_that_is_turned_on_tells_nothing_old() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let last = fixture.say(client, conversation, "bonjour").id.as_i64();
        let choice = |push, email| UpdateNotices { push, email, ..UpdateNotices::default() };
        fixture.run(juriste, choice(Some(false), Some(EmailChoice::Never))).unwrap();
        assert_eq!((marks(&fixture, "push"), marks(&fixture, "email")), (vec![], vec![]));
        fixture.run(juriste, choice(Some(true), None)).unwrap();
        assert_eq!((marks(&fixture, "push"), marks(&fixture, "email")), (vec![(6, last)], vec![]));
        fixture.run(juriste, choice(None, Some(EmailChoice::Soon))).unwrap();
        assert_eq!(marks(&fixture, "email"), [(6, last)]);
        let next = fixture.say(client, conversation, "encore").id.as_i64();
        fixture.run(juriste, choice(None, Some(EmailChoice::Hour))).unwrap();
        assert_eq!(marks(&fixture, "email"), [(6, last)], "another span keeps what waits: {next}");
    }
}
