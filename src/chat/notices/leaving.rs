//! What is about to leave, looked at once more: since it was raised it may have been read, or muted, or its recipient may
//! want it no more, at another time or elsewhere.

use rusqlite::Connection;

use crate::chat::access::context::Context;
use crate::chat::contract::attention::Look;
use crate::chat::contract::error::Error;
use crate::chat::notices::due::{LOOK_AGAIN, STALE_AFTER};
use crate::chat::notices::{preferences, ringing};
use crate::model::delivery::DeliveryKind;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::notices::{AddressState, EmailChoice, Preferences};
use crate::model::timestamp::Timestamp;
use crate::store::notices::{self, MarkChannel};
use crate::store::outbox::Leased;
use crate::store::users;
use crate::store::users::Account;

/// What comes of the look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Leaves,
    /// Not now, but at this moment, and it is worth something until the other one.
    Later {
        at: Timestamp,
        expires_at: Timestamp,
    },
    /// It is worth nothing any more, for this reason.
    Dropped(&'static str),
}

/// Whether a delivery that was taken leaves.
///
/// # Errors
/// `INTERNAL`.
pub(super) fn judge(
    conn: &Connection,
    delivery: &Leased,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Fate, Error> {
    if delivery.expires_at <= now {
        return Ok(Fate::Dropped("too old"));
    }
    let Some(user_id) = delivery.user_id else { return Ok(Fate::Leaves) };
    let Some(account) = users::find(conn, user_id)?.filter(|account| account.profile.is_active) else {
        return Ok(Fate::Dropped("the account is closed"));
    };
    if delivery.address.is_none() && delivery.reach.is_none() {
        return Ok(Fate::Dropped("the device is gone"));
    }
    let is_unread = |message_id| notices::is_unread(conn, user_id, delivery.conversation_id, message_id);
    let reason = match delivery.kind {
        DeliveryKind::Messages => return of_messages(conn, delivery, &account, now, context),
        // What is told of that takes the place of what would go.
        DeliveryKind::Read => is_unread(None)?.then_some("something newer waits"),
        DeliveryKind::Call => ringing::worthless(conn, delivery, is_unread(delivery.message_id)?)?,
        _ => None,
    };
    Ok(reason.map_or(Fate::Leaves, Fate::Dropped))
}

/// A notice about messages: what would keep it from being raised now keeps it from leaving.
fn of_messages(
    conn: &Connection,
    delivery: &Leased,
    account: &Account,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Fate, Error> {
    let user_id = account.profile.id;
    let chosen = preferences::in_force(&notices::find_settings(conn, user_id)?, &context.settings.notices);
    let fate = match (delivery.conversation_id, delivery.message_id) {
        (Some(conversation_id), Some(message_id)) => {
            of_push(conn, (user_id, conversation_id, message_id), delivery, &chosen, now, context)?
        }
        _ => of_mail(conn, delivery, account, &chosen, now)?,
    };
    let quiet_until = chosen.quiet_hours.map_or(now, |quiet| quiet.end(now, &chosen.time_zone));
    match fate {
        Fate::Dropped(_) => Ok(fate),
        _ if quiet_until > now => Ok(Fate::Later { at: quiet_until, expires_at: quiet_until + STALE_AFTER }),
        _ => Ok(fate),
    }
}

fn of_push(
    conn: &Connection,
    (user_id, conversation_id, message_id): (UserId, ConversationId, MessageId),
    delivery: &Leased,
    chosen: &Preferences,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Fate, Error> {
    if !notices::is_unread(conn, user_id, Some(conversation_id), Some(message_id))? {
        return Ok(Fate::Dropped("read meanwhile"));
    }
    if notices::was_taken_back(conn, delivery.id, user_id)? {
        return Ok(Fate::Dropped("deleted meanwhile"));
    }
    if !chosen.push {
        return Ok(Fate::Dropped("not wanted any more"));
    }
    if notices::is_muted(conn, user_id, conversation_id, now)? {
        return Ok(Fate::Dropped("muted meanwhile"));
    }
    Ok(match context.presence.attention().of(user_id, now) {
        Look::Until(until) => Fate::Later { at: until.min(now + LOOK_AGAIN), expires_at: delivery.expires_at },
        Look::LeftAt(left_at) if notices::sent_at(conn, message_id)?.is_some_and(|sent_at| sent_at < left_at) => {
            Fate::Dropped("seen meanwhile")
        }
        Look::LeftAt(_) | Look::Away => Fate::Leaves,
    })
}

fn of_mail(
    conn: &Connection,
    delivery: &Leased,
    account: &Account,
    chosen: &Preferences,
    now: Timestamp,
) -> Result<Fate, Error> {
    let user_id = account.profile.id;
    let reason = if chosen.email == EmailChoice::Never {
        Some("not wanted any more")
    } else if delivery.address.as_deref() != Some(account.profile.email.as_str()) {
        Some("the address is another one by now")
    } else if notices::address_state(conn, user_id)? != AddressState::Confirmed {
        Some("nobody reads this address")
    } else if notices::list_marked(conn, user_id, MarkChannel::Email, delivery.created_at, now)?.is_empty() {
        Some("read or muted meanwhile")
    } else {
        None
    };
    Ok(reason.map_or(Fate::Leaves, Fate::Dropped))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::actor::Actor;
    use crate::chat::contract::command::conversations::{DeleteMessage, MuteConversation, ReadConversation};
    use crate::chat::contract::command::deliveries::{
        LeaseDeliveries, Notice, RaiseNotices, SettleDeliveries, Settlement,
    };
    use crate::chat::contract::command::notices::UpdateNotices;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::chat::testing::notices::practice;
    use crate::model::delivery::Channel;
    use crate::model::notices::{Clock, Days, QuietHours};

    /// A client, and a juriste with a device and a confirmed address.
    struct Practice {
        fixture: RulesFixture,
        client: Actor,
        juriste: Actor,
        conversation_id: ConversationId,
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn him() -> UserId {
        UserId::new(7).unwrap()
    }

    impl Practice {
        /// A push and a mail about one message were tried in vain and are due again in a minute.
        fn with_notices_that_wait() -> Self {
            let (fixture, client, juriste, conversation_id) = practice();
            let mut practice = Self { fixture, client, juriste, conversation_id };
            practice.raise();
            for channel in [Channel::Webpush, Channel::Email] {
                let at = practice.now() + MINUTE;
                let again = Settlement::Retry { at, reason: "503".to_owned() };
                let taken = practice.lease(channel);
                assert_eq!(taken.len(), 1, "{channel:?}");
                practice.settle(&taken, again);
            }
            practice.fixture.pass(MINUTE);
            practice
        }

        /// Something is said, and told of ten minutes later.
        fn raise(&mut self) {
            self.fixture.say(self.client, self.conversation_id, "bonjour");
            self.fixture.pass(10 * MINUTE);
            let notices = vec![Notice::Push(him(), self.conversation_id), Notice::Mail(him())];
            self.fixture.run(Actor::System, RaiseNotices { notices }).unwrap();
        }

        fn raise_push(&mut self) {
            let notices = vec![Notice::Push(him(), self.conversation_id)];
            self.fixture.run(Actor::System, RaiseNotices { notices }).unwrap();
        }

        fn settle(&mut self, leased: &[Leased], settlement: Settlement) {
            let results = leased.iter().map(|one| (one.id, settlement.clone())).collect();
            self.fixture.run(Actor::System, SettleDeliveries { results }).unwrap();
        }

        /// The latest message is deleted by who sent it.
        fn delete_latest(&mut self) {
            let latest = "SELECT max(id) FROM messages";
            let message_id: MessageId = self.fixture.conn().query_row(latest, [], |row| row.get(0)).unwrap();
            self.fixture.run(self.client, DeleteMessage { message_id }).unwrap();
        }

        fn lease(&mut self, channel: Channel) -> Vec<Leased> {
            self.fixture.run(Actor::System, LeaseDeliveries { channel, limit: 9 }).unwrap().reply
        }

        /// What leaves now: by push, and by mail.
        fn leaving(&mut self) -> (usize, usize) {
            (self.lease(Channel::Webpush).len(), self.lease(Channel::Email).len())
        }

        fn choose(&mut self, change: UpdateNotices) {
            self.fixture.run(self.juriste, change).unwrap();
        }

        fn look(&mut self, is_visible: bool) {
            let now = self.now();
            let look = |_: &Connection, context: &mut Context<'_>| {
                context.presence.attention().set(him(), 1, is_visible, now);
                Ok(())
            };
            self.fixture.with_context(look).unwrap();
        }

        fn now(&self) -> Timestamp {
            self.fixture.now()
        }

        fn count(&self, state: &str) -> i64 {
            let sql = "SELECT count(*) FROM outbox WHERE state = ?1";
            self.fixture.conn().query_row(sql, [state], |row| row.get(0)).unwrap()
        }
    }

    #[test]
    fn what_waits_leaves_when_it_is_due_again() {
        assert_eq!(Practice::with_notices_that_wait().leaving(), (1, 1));
    }

    #[test]
    fn what_waits_does_not_leave_once_it_is_not_wanted_any_more() {
        let change = UpdateNotices { push: Some(false), email: Some(EmailChoice::Never), ..UpdateNotices::default() };
        let mut practice = Practice::with_notices_that_wait();
        practice.choose(change);
        assert_eq!((practice.leaving(), practice.count("dropped")), ((0, 0), 2));
    }

    #[test]
    fn what_waits_does_not_leave_once_the_conversation_is_muted() {
        let mut practice = Practice::with_notices_that_wait();
        let (conversation_id, until) = (practice.conversation_id, practice.now() + 60 * MINUTE);
        let mute = MuteConversation { conversation_id, muted_until: Some(until) };
        practice.fixture.run(practice.juriste, mute).unwrap();
        assert_eq!((practice.leaving(), practice.count("dropped")), ((0, 0), 2));
    }

    #[test]
    fn what_waits_does_not_leave_once_its_message_was_deleted_and_nothing_else_waits_untold() {
        let mut practice = Practice::with_notices_that_wait();
        practice.delete_latest();
        assert_eq!((practice.leaving(), practice.count("dropped")), ((0, 0), 2));

        let mut practice = Practice::with_notices_that_wait();
        practice.fixture.say(practice.client, practice.conversation_id, "encore");
        practice.fixture.pass(MINUTE);
        practice.raise_push();
        practice.delete_latest();
        assert_eq!(practice.leaving().0, 1, "the first one was never told");

        let mut practice = Practice::with_notices_that_wait();
        let told = practice.lease(Channel::Webpush);
        practice.settle(&told, Settlement::Sent);
        practice.fixture.say(practice.client, practice.conversation_id, "encore");
        practice.fixture.pass(MINUTE);
        practice.raise_push();
        practice.delete_latest();
        assert_eq!(practice.leaving().0, 0, "what is left was told before");
    }

    #[test]
    fn what_waits_does_not_leave_once_the_account_is_closed() {
        let mut practice = Practice::with_notices_that_wait();
        practice.fixture.conn().execute("UPDATE users SET is_active = 0 WHERE id = 7", []).unwrap();
        assert_eq!((practice.leaving(), practice.count("dropped")), ((0, 0), 2));
    }

    #[test]
    fn what_waits_leaves_at_the_end_of_quiet_hours_that_began_meanwhile_however_old_it_is_then() {
        let mut practice = Practice::with_notices_that_wait();
        practice.fixture.pass(23 * 60 * MINUTE + 40 * MINUTE);
        let minute = u16::try_from(practice.now().as_millis() / 60_000 % 1_440).unwrap();
        let clock = |minutes: u16| Clock::new(minutes % 1_440).unwrap();
        let every_day = Days::from_bits(0b111_1111).unwrap();
        let quiet = QuietHours { from: clock(minute + 1_439), to: clock(minute + 60), days: every_day };
        let (time_zone, quiet_hours) = (Some(Some("UTC".parse().unwrap())), Some(Some(quiet)));
        practice.choose(UpdateNotices { time_zone, quiet_hours, ..UpdateNotices::default() });
        assert_eq!((practice.leaving(), practice.count("waiting")), ((0, 0), 2));
        practice.fixture.pass(61 * MINUTE);
        assert_eq!(practice.leaving(), (1, 1));
    }

    #[test]
    fn a_push_that_waits_for_who_looks_at_a_page_meanwhile_waits_until_they_do_not() {
        let mut practice = Practice::with_notices_that_wait();
        practice.look(true);
        assert_eq!(practice.leaving().0, 0);
        practice.fixture.pass(2 * MINUTE);
        assert_eq!(practice.leaving().0, 1, "they fell silent, and nobody knows what they saw");
        let mut practice = Practice::with_notices_that_wait();
        practice.look(true);
        practice.look(false);
        assert_eq!((practice.leaving().0, practice.count("dropped")), (0, 1), "it was on their screen");
    }

    #[test]
    fn a_mail_does_not_follow_an_account_to_an_address_that_is_not_its_own_any_more() {
        for change in [
            "UPDATE users SET email = 'ailleurs@cabinet.test' WHERE id = 7",
            "UPDATE users SET email_failed_at = 1 WHERE id = 7",
        ] {
            let mut practice = Practice::with_notices_that_wait();
            practice.fixture.conn().execute(change, []).unwrap();
            assert_eq!((practice.leaving(), practice.count("dropped")), ((1, 0), 1), "{change}");
        }
    }

    #[test]
    fn a_mail_does_not_leave_for_something_that_it_does_not_tell_of() {
        let mut practice = Practice::with_notices_that_wait();
        let other_client = practice.fixture.actor(1);
        let elsewhere = practice.fixture.conversation(other_client, 7);
        practice.fixture.say(other_client, elsewhere, "pas encore dit");
        let read = ReadConversation { conversation_id: practice.conversation_id };
        practice.fixture.run(practice.juriste, read).unwrap();
        assert_eq!(practice.leaving(), (0, 0), "what it told of was read, and something else is unread");
    }
}
