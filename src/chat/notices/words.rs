//! What a notice about messages may tell, read when it leaves: by default that there is one, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use ring::hmac;
use rusqlite::Connection;
use serde::Serialize;

use crate::auth::actor::Actor;
use crate::chat::access::{caller, keys};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::chat::notices::preferences;
use crate::model::call::CallState;
use crate::model::id::{CallId, ConversationId, MessageId, UserId};
use crate::model::locale::Locale;
use crate::model::notices::Detail;
use crate::model::timestamp::Timestamp;
use crate::store::keys::Purpose;
use crate::store::notices::{self, MarkChannel};
use crate::store::{calls, conversations, users};

/// Characters of a message that a notice tells where everybody concerned chose so.
const PREVIEW_MAX: usize = 140;

/// What the tags of a conversation's notices are made of: a call takes the place of no message.
const OF_MESSAGES: &[u8] = b"conversation";
const OF_CALLS: &[u8] = b"calls";

/// What a push about a conversation says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushWords {
    pub body: String,
    /// Stands for the conversation and says nothing about it.
    pub tag: [u8; 16],
}

/// What has become of a call that was to ring on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ringing {
    /// It rings.
    Rings,
    /// Nobody answered.
    Missed,
    /// It was answered or declined, but not there.
    Elsewhere,
}

/// What a mail about messages says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailWords {
    /// What is told of the messages, a line each; nothing by default.
    pub told: Vec<String>,
    /// What ends such mail.
    pub unsubscribe_token: String,
    /// Stands for the recipient, so that their mail programs put these mails together.
    pub thread: [u8; 16],
}

/// What a notice on somebody's screen is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tagged {
    pub tag: String,
    pub conversation_id: ConversationId,
}

impl Chat {
    /// Which of the caller's conversations these tags of notices stand for; a tag that stands for none of them is left out.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn find_tagged(&self, actor: Actor, tags: BTreeSet<String>) -> Result<Vec<Tagged>, Error> {
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?;
            tagged(conn, me.user_id, &tags)
        })
        .await
    }

    /// The words of a push.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is nothing to tell any more.
    pub async fn load_push_words(
        &self,
        user_id: UserId,
        conversation_id: ConversationId,
        message_id: MessageId,
        locale: Locale,
    ) -> Result<PushWords, Error> {
        let settings = Arc::clone(&self.settings);
        self.ask(move |conn, _| {
            let chosen = preferences::in_force(&notices::find_settings(conn, user_id)?, &settings.notices);
            let tag = tag(conn, OF_MESSAGES, conversation_id.as_i64())?;
            let line = line(conn, message_id, chosen.detail, locale)?;
            let plain = match locale {
                Locale::French => "Vous avez un nouveau message",
                Locale::English => "You have a new message",
            };
            Ok(PushWords { body: line.unwrap_or_else(|| plain.to_owned()), tag })
        })
        .await
    }

    /// The words of a push about a call, and what they say of it.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such call any more.
    pub async fn load_call_words(
        &self,
        user_id: UserId,
        call_id: CallId,
        locale: Locale,
    ) -> Result<(Ringing, PushWords), Error> {
        let settings = Arc::clone(&self.settings);
        self.ask(move |conn, _| {
            let call = calls::find(conn, call_id)?.ok_or(Reason::NotFound)?;
            let chosen = preferences::in_force(&notices::find_settings(conn, user_id)?, &settings.notices);
            let name = match chosen.detail {
                Detail::None => None,
                _ => users::find(conn, call.started_by)?.map(|account| account.profile.name),
            };
            let (ringing, body) = of_call(call.state, name.as_deref(), locale);
            Ok((ringing, PushWords { body, tag: tag(conn, OF_CALLS, call.conversation_id.as_i64())? }))
        })
        .await
    }

    /// The words of a mail.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is nobody to tell any more.
    pub async fn load_mail_words(
        &self,
        user_id: UserId,
        raised_at: Timestamp,
        locale: Locale,
    ) -> Result<MailWords, Error> {
        let settings = Arc::clone(&self.settings);
        self.ask(move |conn, now| {
            let chosen = preferences::in_force(&notices::find_settings(conn, user_id)?, &settings.notices);
            let unsubscribe_token = users::find_unsubscribe_token(conn, user_id)?.ok_or(Reason::NotFound)?;
            let mut told = Vec::new();
            if chosen.detail > Detail::None {
                for message_id in notices::list_marked(conn, user_id, MarkChannel::Email, raised_at, now)? {
                    told.extend(line(conn, message_id, chosen.detail, locale)?);
                }
            }
            Ok(MailWords { told, unsubscribe_token, thread: tag(conn, b"person", user_id.as_i64())? })
        })
        .await
    }
}

/// What is said of a call in this state; its caller is named where that was chosen.
fn of_call(state: CallState, name: Option<&str>, locale: Locale) -> (Ringing, String) {
    let ringing = match state {
        CallState::Ringing => Ringing::Rings,
        state if state.is_missed() => Ringing::Missed,
        _ => Ringing::Elsewhere,
    };
    let is_declined = state == CallState::Declined;
    let body = match (ringing, name, locale) {
        (Ringing::Rings, None, Locale::French) => "Appel entrant".to_owned(),
        (Ringing::Rings, None, Locale::English) => "Incoming call".to_owned(),
        (Ringing::Rings, Some(name), Locale::French) => format!("Appel de {name}"),
        (Ringing::Rings, Some(name), Locale::English) => format!("Call from {name}"),
        (Ringing::Missed, None, Locale::French) => "Appel manqué".to_owned(),
        (Ringing::Missed, None, Locale::English) => "Missed call".to_owned(),
        (Ringing::Missed, Some(name), Locale::French) => format!("Appel manqué de {name}"),
        (Ringing::Missed, Some(name), Locale::English) => format!("Missed call from {name}"),
        (Ringing::Elsewhere, _, Locale::French) if is_declined => "Refusé sur un autre appareil".to_owned(),
        (Ringing::Elsewhere, _, Locale::English) if is_declined => "Declined on another device".to_owned(),
        (Ringing::Elsewhere, _, Locale::French) => "Pris sur un autre appareil".to_owned(),
        (Ringing::Elsewhere, _, Locale::English) => "Answered on another device".to_owned(),
    };
    (ringing, body)
}

fn tagged(conn: &Connection, user_id: UserId, tags: &BTreeSet<String>) -> Result<Vec<Tagged>, Error> {
    let mut found = Vec::new();
    for conversation_id in conversations::list_ids(conn, user_id)? {
        for what in [OF_MESSAGES, OF_CALLS] {
            let tag = format!("{:032x}", u128::from_be_bytes(tag(conn, what, conversation_id.as_i64())?));
            if tags.contains(&tag) {
                found.push(Tagged { tag, conversation_id });
            }
        }
    }
    Ok(found)
}

/// What is told of a message, if anything is.
fn line(conn: &Connection, message_id: MessageId, detail: Detail, locale: Locale) -> Result<Option<String>, Error> {
    if detail == Detail::None {
        return Ok(None);
    }
    let Some((sender, content)) = notices::find_told(conn, message_id)? else { return Ok(None) };
    let content: String = content.split_whitespace().collect::<Vec<_>>().join(" ");
    let preview: String = content.chars().take(PREVIEW_MAX).collect();
    if detail == Detail::Sender || preview.is_empty() {
        return Ok(Some(sender));
    }
    Ok(Some(format!("{sender}{}{preview}", locale.colon())))
}

/// A keyed hash: the same for the same thing, and worth nothing to who has not the key.
fn tag(conn: &Connection, what: &[u8], id: i64) -> Result<[u8; 16], Error> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &keys::load(conn, Purpose::Notice)?.secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(what);
    context.update(&id.to_be_bytes());
    let mut tag = [0; 16];
    tag.copy_from_slice(&context.sign().as_ref()[..16]);
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::testing::fixtures::RulesFixture;

    #[test]
    fn a_push_about_a_call_names_nobody_unless_it_was_chosen() {
        let of = |state, name, locale| of_call(state, name, locale).1;
        let anne = Some("Anne Roy");
        assert_eq!(of(CallState::Ringing, None, Locale::French), "Appel entrant");
        assert_eq!(of(CallState::Ringing, anne, Locale::French), "Appel de Anne Roy");
        for missed in [CallState::Missed, CallState::Cancelled, CallState::Busy] {
            assert_eq!(of(missed, None, Locale::English), "Missed call");
            assert_eq!(of(missed, anne, Locale::English), "Missed call from Anne Roy");
        }
        for (state, says) in [
            (CallState::Ongoing, "Pris sur un autre appareil"),
            (CallState::Ended, "Pris sur un autre appareil"),
            (CallState::Declined, "Refusé sur un autre appareil"),
        ] {
            assert_eq!(of_call(state, anne, Locale::French), (Ringing::Elsewhere, says.to_owned()));
        }
    }

    #[test]
    fn a_tag_stands_for_a_conversation_to_its_members_alone() {
        let mut fixture = RulesFixture::default();
        keys::ensure(fixture.conn(), Timestamp::now()).unwrap();
        let (client, other) = (fixture.actor(1), fixture.actor(2));
        let (mine, others) = (fixture.conversation(client, 6), fixture.conversation(other, 6));
        let of = |id: ConversationId| {
            let tag = tag(fixture.conn(), b"conversation", id.as_i64()).unwrap();
            format!("{:032x}", u128::from_be_bytes(tag))
        };
        let tags = BTreeSet::from([of(mine), of(others), "0".repeat(32), String::new()]);
        let found = |user: i64| {
            let all = tagged(fixture.conn(), UserId::new(user).unwrap(), &tags).unwrap();
            all.into_iter().map(|one| one.conversation_id).collect::<Vec<_>>()
        };
        assert_eq!((found(1), found(2), found(3)), (vec![mine], vec![others], vec![]));
        assert_eq!(found(6), [mine, others]);
    }
}
