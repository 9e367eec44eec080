//! Notices about messages: looked at in a snapshot, raised in a transaction that looks again.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::contract::command::deliveries::{Notice, RaiseNotices};
use crate::chat::contract::error::Error;
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::settings::Notices;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::due::{self, STALE_AFTER, Verdict, Waiting};
use crate::chat::notices::post::{Letter, Post};
use crate::chat::notices::{devices, preferences};
use crate::model::delivery::DeliveryKind;
use crate::model::id::{ConversationId, UserId};
use crate::model::notices::{AddressState, EmailChoice};
use crate::model::timestamp::Timestamp;
use crate::store::notices::{self, MarkChannel, Untold};
use crate::store::outbox::{self, NewDelivery, Subject, To};
use crate::store::users;
use crate::store::users::Account;

/// What came of a look.
struct Found {
    verdict: Verdict,
    account: Option<Account>,
    untold: Vec<Untold>,
}

impl Chat {
    /// Whom something waits for: who, and where. To be asked at the start, when nothing is in memory.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_waiting(&self) -> Result<Vec<(UserId, ConversationId)>, Error> {
        self.ask(|conn, _| Ok(notices::list_waiting(conn)?)).await
    }

    /// What is to be done about each of these notices now; those about which nothing is, are left out.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn examine_notices(&self, asked: Vec<Notice>) -> Result<Vec<(Notice, Verdict)>, Error> {
        let (presence, settings) = (self.presence().clone(), Arc::clone(&self.settings));
        self.ask(move |conn, now| {
            let mut verdicts = Vec::with_capacity(asked.len());
            for notice in asked {
                if let Some(found) = look(conn, notice, &presence, &settings.notices, now)? {
                    verdicts.push((notice, found.verdict));
                }
            }
            Ok(verdicts)
        })
        .await
    }
}

/// The rule of [`RaiseNotices`]: what is still due is given to the outbox, and counts as told in the same transaction.
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn raise(
    conn: &Connection,
    actor: Actor,
    command: &RaiseNotices,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let operator = &context.settings.notices;
    let post = Post::of(context);
    for notice in &command.notices {
        let Some(found) = look(conn, *notice, context.presence, operator, now)? else { continue };
        if matches!(found.verdict, Verdict::Later(_)) {
            continue;
        }
        let is_due = found.verdict == Verdict::Due;
        let (user_id, channel) = match notice {
            Notice::Push(user_id, _) => (*user_id, MarkChannel::Push),
            Notice::Mail(user_id) => (*user_id, MarkChannel::Email),
        };
        if let (Some(account), true) = (&found.account, is_due) {
            match channel {
                MarkChannel::Push => push(conn, account, &found.untold, now, post)?,
                MarkChannel::Email => mail(conn, account, now, post)?,
            }
        }
        for untold in &found.untold {
            notices::mark(conn, (user_id, untold.conversation_id), channel, untold.newest_id, now)?;
        }
    }
    Ok(().into())
}

/// What is to be done about a notice, and what it is about; `None` where there is nothing to tell, or no way.
fn look(
    conn: &Connection,
    notice: Notice,
    presence: &Presence,
    operator: &Notices,
    now: Timestamp,
) -> Result<Option<Found>, Error> {
    let (user_id, conversation_id, channel) = match notice {
        Notice::Push(user_id, conversation_id) => (user_id, Some(conversation_id), MarkChannel::Push),
        Notice::Mail(user_id) => (user_id, None, MarkChannel::Email),
    };
    let chosen = preferences::in_force(&notices::find_settings(conn, user_id)?, operator);
    let is_reached = match channel {
        MarkChannel::Push => {
            operator.available.has_push() && chosen.push && !devices::list_reached(conn, user_id, operator)?.is_empty()
        }
        MarkChannel::Email => {
            let is_wanted = operator.available.email && chosen.email != EmailChoice::Never;
            is_wanted && notices::address_state(conn, user_id)? == AddressState::Confirmed
        }
    };
    if !is_reached {
        return Ok(None);
    }
    let mailed_at = match channel {
        MarkChannel::Push => None,
        // The morning's mail leaves whatever was read.
        MarkChannel::Email if chosen.email == EmailChoice::Daily => None,
        MarkChannel::Email => last_mailed(conn, user_id, presence)?,
    };
    // Whoever reads nothing all day has much that waits: it need not be gone through for each message that joins it.
    if let Some(at) = due::next_mail(mailed_at, &chosen).filter(|at| now < *at) {
        return Ok(Some(Found { verdict: Verdict::Later(at), account: None, untold: Vec::new() }));
    }
    let untold = notices::list_untold(conn, user_id, conversation_id, channel)?;
    let Some(first) = untold.first() else { return Ok(None) };
    let account = users::find(conn, user_id)?.filter(|account| account.profile.is_active);
    let verdict = match (channel, &account) {
        (_, None) => Verdict::Settled,
        (MarkChannel::Push, Some(_)) => {
            let seen = presence.attention().of(user_id, now);
            due::push((first.oldest_at, first.newest_at), seen, &chosen, operator, now)
        }
        (MarkChannel::Email, Some(_)) => {
            let mut waiting = Vec::with_capacity(untold.len());
            for one in &untold {
                let was_pushed = notices::was_pushed(conn, user_id, one.conversation_id, one.oldest_id)?;
                waiting.push(Waiting { oldest_at: one.oldest_at, was_pushed });
            }
            due::mail(&waiting, mailed_at, &chosen, operator, now)
        }
    };
    Ok(Some(Found { verdict, account, untold }))
}

/// When somebody was last mailed about messages, if they have read nothing since.
fn last_mailed(conn: &Connection, user_id: UserId, presence: &Presence) -> Result<Option<Timestamp>, Error> {
    let Some(at) = notices::last_mailed(conn, user_id)? else { return Ok(None) };
    let ask = || notices::has_read_since(conn, user_id, at);
    Ok((!presence.reading().has_read_since(user_id, at, ask)?).then_some(at))
}

fn push(conn: &Connection, account: &Account, untold: &[Untold], now: Timestamp, post: Post<'_>) -> Result<(), Error> {
    let profile = &account.profile;
    for (device_id, channel) in devices::list_reached(conn, profile.id, post.operator)? {
        for one in untold {
            let new = NewDelivery {
                channel,
                kind: DeliveryKind::Messages,
                user_id: Some(profile.id),
                to: To::Device(device_id, Some(Subject::Messages(one.conversation_id, one.newest_id))),
                secret: None,
                locale: profile.locale,
                due_at: now,
                expires_at: now + STALE_AFTER,
            };
            outbox::insert(conn, &new, now)?;
        }
        post.bell.ring(channel);
    }
    Ok(())
}

fn mail(conn: &Connection, account: &Account, now: Timestamp, post: Post<'_>) -> Result<(), Error> {
    let profile = &account.profile;
    if account.is_demo && !post.operator.mails_anywhere || !post.takes(&profile.email) {
        return Ok(());
    }
    // Made now: whoever writes the mail only reads.
    users::unsubscribe_token(conn, profile.id)?;
    let letter =
        Letter { kind: DeliveryKind::Messages, user_id: Some(profile.id), secret: None, locale: profile.locale };
    post.mail(conn, &letter, &profile.email, now + STALE_AFTER, now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chat::contract::command::conversations::{EditMessage, MuteConversation, ReadConversation};
    use crate::chat::contract::command::deliveries::{LeaseDeliveries, SettleDeliveries, Settlement};
    use crate::chat::contract::command::notices::UpdateNotices;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::chat::testing::notices::practice;
    use crate::model::delivery::Channel;

    fn him() -> UserId {
        UserId::new(7).unwrap()
    }

    fn raise_all(fixture: &mut RulesFixture, conversation_id: ConversationId) {
        let notices = vec![Notice::Push(him(), conversation_id), Notice::Mail(him())];
        fixture.run(Actor::System, RaiseNotices { notices }).unwrap();
    }

    /// What was raised so far, by channel.
    fn raised(fixture: &RulesFixture) -> (i64, i64) {
        let count = |channel: &str| {
            let sql = "SELECT count(*) FROM outbox WHERE channel = ?1";
            fixture.conn().query_row(sql, [channel], |row| row.get(0)).unwrap()
        };
        (count("webpush"), count("email"))
    }

    #[test]
    fn a_message_is_told_once_by_each_channel_and_a_newer_one_takes_its_place_on_a_device() {
        let (mut fixture, client, _, conversation_id) = practice();
        fixture.say(client, conversation_id, "bonjour");
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (0, 0), "too early");
        fixture.pass(Duration::from_secs(5));
        raise_all(&mut fixture, conversation_id);
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (1, 0));
        fixture.say(client, conversation_id, "encore");
        fixture.pass(Duration::from_secs(600));
        raise_all(&mut fixture, conversation_id);
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (1, 1));
        let newest: bool = fixture
            .conn()
            .query_row(
                "SELECT message_id = (SELECT max(id) FROM messages) FROM outbox WHERE channel = 'webpush'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert!(newest);
    }

    #[test]
    fn what_was_told_and_is_edited_afterwards_is_not_told_again() {
        let (mut fixture, client, _, conversation_id) = practice();
        let message_id = fixture.say(client, conversation_id, "bonjour").id;
        let edit = || EditMessage { message_id, content: "bonsoir".to_owned() };
        fixture.pass(Duration::from_secs(600));
        raise_all(&mut fixture, conversation_id);
        let before = raised(&fixture);
        assert_eq!(before.0, 1);
        fixture.run(client, edit()).unwrap();
        fixture.pass(Duration::from_secs(5));
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), before);
    }

    #[test]
    fn reading_cancels_what_is_not_raised_and_what_has_not_left() {
        let (mut fixture, client, juriste, conversation_id) = practice();
        fixture.say(client, conversation_id, "bonjour");
        fixture.pass(Duration::from_secs(700));
        let read = || ReadConversation { conversation_id };
        let notices = vec![Notice::Push(him(), conversation_id)];
        fixture.run(Actor::System, RaiseNotices { notices }).unwrap();
        assert_eq!(raised(&fixture), (1, 0));
        fixture.run(juriste, read()).unwrap();
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (1, 0), "no mail");
        let lease = LeaseDeliveries { channel: Channel::Webpush, limit: 9 };
        assert!(fixture.run(Actor::System, lease).unwrap().reply.is_empty());
        let state: String = fixture.conn().query_row("SELECT state FROM outbox", [], |row| row.get(0)).unwrap();
        assert_eq!(state, "dropped");
    }

    #[test]
    fn a_message_that_comes_while_an_earlier_ones_push_is_on_its_way_is_pushed_as_well_and_once() {
        let failed = Settlement::Failed { reason: "400".to_owned() };
        let again = Settlement::Retry { at: Timestamp::default(), reason: "503".to_owned() };
        for settlement in [Settlement::Sent, failed, again] {
            let (mut fixture, client, _, conversation_id) = practice();
            let lease = || LeaseDeliveries { channel: Channel::Webpush, limit: 9 };
            fixture.say(client, conversation_id, "bonjour");
            fixture.pass(Duration::from_secs(5));
            raise_all(&mut fixture, conversation_id);
            let first = fixture.run(Actor::System, lease()).unwrap().reply.remove(0);
            let second = fixture.say(client, conversation_id, "encore").id;
            fixture.pass(Duration::from_secs(5));
            raise_all(&mut fixture, conversation_id);
            assert!(fixture.run(Actor::System, lease()).unwrap().reply.is_empty(), "one thing after the other");
            let settle = |settlement| SettleDeliveries { results: vec![(first.id, settlement)] };
            fixture.run(Actor::System, settle(settlement.clone())).unwrap();
            let next = fixture.run(Actor::System, lease()).unwrap().reply;
            assert_eq!(next.iter().map(|one| one.message_id).collect::<Vec<_>>(), [Some(second)], "{settlement:?}");
            fixture.run(Actor::System, settle(Settlement::Sent)).unwrap();
            raise_all(&mut fixture, conversation_id);
            assert!(fixture.run(Actor::System, lease()).unwrap().reply.is_empty(), "{settlement:?}");
        }
    }

    #[test]
    fn nothing_is_raised_while_muted_nor_afterwards_for_what_was_said_meanwhile() {
        let (mut fixture, client, juriste, conversation_id) = practice();
        let until = fixture.now() + Duration::from_secs(3600);
        let mute = MuteConversation { conversation_id, muted_until: Some(until) };
        fixture.run(juriste, mute).unwrap();
        fixture.say(client, conversation_id, "bonjour");
        fixture.pass(Duration::from_secs(700));
        raise_all(&mut fixture, conversation_id);
        fixture.pass(Duration::from_secs(3600));
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (0, 0));
        fixture.say(client, conversation_id, "on reprend");
        fixture.pass(Duration::from_secs(700));
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture).0, 1);
    }

    #[test]
    fn whether_somebody_has_read_since_their_mail_is_asked_of_the_database_once() {
        let (mut fixture, client, juriste, conversation_id) = practice();
        // Written beside the rules, which alone write it: whoever asks the database finds it.
        let forge = "INSERT INTO read_marks SELECT id, 7, 1, 9999999999999 FROM conversations;
            UPDATE conversations SET lawyer_read_id = 1";
        let say_and_wait = |fixture: &mut RulesFixture, text: &str, forged: &str| {
            fixture.say(client, conversation_id, text);
            fixture.pass(Duration::from_secs(3_700));
            fixture.conn().execute_batch(forged).unwrap();
            raise_all(fixture, conversation_id);
            raised(fixture).1
        };
        assert_eq!(say_and_wait(&mut fixture, "un", ""), 1);
        assert_eq!(say_and_wait(&mut fixture, "deux", ""), 1, "they have read nothing since");
        assert_eq!(say_and_wait(&mut fixture, "trois", forge), 1, "it is known already");
        fixture.run(juriste, ReadConversation { conversation_id }).unwrap();
        assert_eq!(say_and_wait(&mut fixture, "quatre", ""), 2, "they have read");
    }

    #[test]
    fn nobody_is_told_who_does_not_want_it_or_is_not_there_any_more() {
        let (mut fixture, client, juriste, conversation_id) = practice();
        fixture.say(client, conversation_id, "bonjour");
        fixture.pass(Duration::from_secs(700));
        let never = UpdateNotices { push: Some(false), email: Some(EmailChoice::Never), ..UpdateNotices::default() };
        fixture.run(juriste, never).unwrap();
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (0, 0));
        let (mut fixture, client, _, conversation_id) = practice();
        fixture.say(client, conversation_id, "bonjour");
        fixture.pass(Duration::from_secs(700));
        fixture.conn().execute("UPDATE users SET is_active = 0 WHERE id = 7", []).unwrap();
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (0, 0));
    }

    #[test]
    fn an_address_that_nobody_confirmed_gets_no_mail_about_messages() {
        let (mut fixture, client, _, conversation_id) = practice();
        fixture.conn().execute("UPDATE users SET email_confirmed_at = NULL WHERE id = 7", []).unwrap();
        fixture.say(client, conversation_id, "bonjour");
        fixture.pass(Duration::from_secs(700));
        raise_all(&mut fixture, conversation_id);
        assert_eq!(raised(&fixture), (1, 0));
    }

    #[test]
    fn after_a_restart_it_is_known_whom_something_waits_for_until_all_channels_have_told() {
        let (mut fixture, client, _, conversation_id) = practice();
        let waiting = |fixture: &RulesFixture| notices::list_waiting(fixture.conn()).unwrap();
        assert!(waiting(&fixture).is_empty());
        fixture.say(client, conversation_id, "bonjour");
        fixture.pass(Duration::from_secs(5));
        assert_eq!(waiting(&fixture), [(him(), conversation_id)]);
        raise_all(&mut fixture, conversation_id);
        assert_eq!(waiting(&fixture), [(him(), conversation_id)], "no mail yet");
        fixture.pass(Duration::from_secs(3600));
        raise_all(&mut fixture, conversation_id);
        assert!(waiting(&fixture).is_empty());
    }
}
