//! Notices about messages: remembers whom something waits for, asks when it may be due, and has it raised.
//!
//! What is remembered is only when to ask; what is true is asked of the database. So nothing is lost when it is forgotten: at the
//! start, and after more than can be kept, all is found anew.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tracing::warn;

use crate::auth::actor::Actor;
use crate::chat::contract::command::deliveries::{Notice, RaiseNotices};
use crate::chat::contract::settings::Notices;
use crate::chat::handle::chat::Chat;
use crate::chat::handle::news::{Noted, Pair};
use crate::chat::notices::due::Verdict;
use crate::model::timestamp::Timestamp;

/// Notices that are looked at together. The look keeps a processor from the chat while it lasts.
const LOOKED_AT_MAX: usize = 16;

/// Notices that are raised in one change.
const RAISED_MAX: usize = 4;

/// Mail is asked about at moments so far apart: for who has thousands of conversations all of them are gone through, once
/// however much was said to them meanwhile.
const MAILS_EVERY: Duration = Duration::from_secs(1);

/// For whom something was said is gathered for this share of the time until the first notice of it may be due, within these
/// limits.
const GATHERED_SHARE: u32 = 5;
const GATHERED_FOR_MIN: Duration = Duration::from_millis(50);
const GATHERED_FOR_MAX: Duration = Duration::from_secs(1);

/// The longest sleep: a clock that was set is noticed after it.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// The pause after something went wrong.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// When to ask about what.
#[derive(Debug, Default)]
struct Agenda {
    by_time: BTreeSet<(Timestamp, Notice)>,
    when: HashMap<Notice, Timestamp>,
}

impl Agenda {
    /// To be asked at this moment, or at the earlier one that is known.
    fn add(&mut self, notice: Notice, at: Timestamp) {
        match self.when.get(&notice) {
            Some(known) if *known <= at => return,
            Some(known) => {
                self.by_time.remove(&(*known, notice));
            }
            None => {}
        }
        self.by_time.insert((at, notice));
        self.when.insert(notice, at);
    }

    fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes what is to be asked about by now.
    fn take(&mut self, now: Timestamp, most: usize) -> Vec<Notice> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some((at, notice)) = self.by_time.first().copied()
            && at <= now
        {
            self.by_time.pop_first();
            self.when.remove(&notice);
            taken.push(notice);
        }
        taken
    }
}

/// Watches for as long as the server runs; never returns.
pub(super) async fn run(chat: &Chat) {
    let notices = &chat.settings().notices;
    if !notices.available.has_push() && !notices.available.email {
        return std::future::pending().await;
    }
    chat.news().want();
    let gathered_for = gathered_for(notices);
    let mut agenda = Agenda::default();
    find_anew(chat, &mut agenda).await;
    loop {
        let now = Timestamp::now();
        let pause = agenda.next().map_or(SLEEP_MAX, |at| at.since(now).min(SLEEP_MAX));
        tokio::select! {
            noted = chat.news().take(gathered_for) => match noted {
                Noted::Pairs(pairs) => remember(notices, &mut agenda, &pairs),
                Noted::TooMany => find_anew(chat, &mut agenda).await,
            },
            () = tokio::time::sleep(pause) => {}
        }
        let due = agenda.take(Timestamp::now(), LOOKED_AT_MAX);
        if !due.is_empty() {
            work(chat, &mut agenda, due).await;
        }
    }
}

/// How long for whom something was said is gathered: nothing can be due before.
fn gathered_for(notices: &Notices) -> Duration {
    let push = notices.available.has_push().then_some(notices.push_after);
    let mail = notices.available.email.then_some(notices.mail_after);
    let first = push.into_iter().chain(mail).min().unwrap_or_default();
    (first / GATHERED_SHARE).clamp(GATHERED_FOR_MIN, GATHERED_FOR_MAX)
}

/// Something was said for them: a push may be due soon, a mail later; both count from when it was said.
fn remember(notices: &Notices, agenda: &mut Agenda, pairs: &[(Pair, Timestamp)]) {
    for ((user_id, conversation_id), said_at) in pairs {
        if notices.available.has_push() {
            agenda.add(Notice::Push(*user_id, *conversation_id), *said_at + notices.push_after);
        }
        if notices.available.email {
            agenda.add(Notice::Mail(*user_id), next_mails(*said_at + notices.mail_after));
        }
    }
}

/// The first moment from this one on at which mail is asked about.
fn next_mails(due_at: Timestamp) -> Timestamp {
    let every = i64::try_from(MAILS_EVERY.as_millis()).unwrap_or(1);
    let since_last = due_at.as_millis().rem_euclid(every);
    if since_last == 0 { due_at } else { Timestamp::from_millis(due_at.as_millis() + every - since_last) }
}

async fn find_anew(chat: &Chat, agenda: &mut Agenda) {
    match chat.list_waiting().await {
        Ok(pairs) => {
            for (user_id, conversation_id) in pairs {
                agenda.add(Notice::Push(user_id, conversation_id), Timestamp::default());
                agenda.add(Notice::Mail(user_id), Timestamp::default());
            }
        }
        Err(error) => warn!(%error, "whom something waits for could not be found: notices come with the next message"),
    }
}

/// Asks about some notices: those that are not due yet come again, the others are raised.
async fn work(chat: &Chat, agenda: &mut Agenda, due: Vec<Notice>) {
    let verdicts = match chat.examine_notices(due.clone()).await {
        Ok(verdicts) => verdicts,
        Err(error) => {
            warn!(%error, "notices could not be looked at");
            let later = Timestamp::now() + REFUSED_PAUSE;
            return due.into_iter().for_each(|notice| agenda.add(notice, later));
        }
    };
    let mut raised = Vec::new();
    for (notice, verdict) in verdicts {
        match verdict {
            Verdict::Later(at) => agenda.add(notice, at),
            Verdict::Due | Verdict::Settled => raised.push(notice),
        }
    }
    for some in raised.chunks(RAISED_MAX) {
        let command = RaiseNotices { notices: some.to_vec() };
        if let Err(error) = chat.execute_along(Actor::System, command).await {
            warn!(%error, "notices could not be raised");
            let later = Timestamp::now() + REFUSED_PAUSE;
            some.iter().for_each(|notice| agenda.add(*notice, later));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ConversationId, UserId};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000) + Duration::from_secs(seconds)
    }

    #[test]
    fn the_earliest_moment_counts_and_each_notice_is_taken_once() {
        let (one, two) = (Notice::Mail(UserId::new(1).unwrap()), Notice::Mail(UserId::new(2).unwrap()));
        let mut agenda = Agenda::default();
        agenda.add(one, at(10));
        agenda.add(one, at(20));
        agenda.add(two, at(15));
        agenda.add(two, at(5));
        assert_eq!(agenda.next(), Some(at(5)));
        assert_eq!(agenda.take(at(9), 9), [two]);
        assert_eq!(agenda.take(at(30), 9), [one]);
        assert_eq!((agenda.next(), agenda.take(at(99), 9)), (None, vec![]));
    }

    #[test]
    fn what_is_taken_at_once_is_bounded() {
        let mut agenda = Agenda::default();
        for number in 1..=100 {
            agenda.add(Notice::Mail(UserId::new(number).unwrap()), at(0));
        }
        assert_eq!(agenda.take(at(1), 64).len(), 64);
        assert_eq!(agenda.take(at(1), 64).len(), 36);
    }

    #[test]
    fn what_is_gathered_is_due_as_long_after_it_was_said_as_what_is_looked_at_at_once() {
        let mut notices = Notices::default();
        notices.available.email = true;
        let (user_id, conversation_id) = (UserId::new(7).unwrap(), ConversationId::new(1).unwrap());
        let mut agenda = Agenda::default();
        remember(&notices, &mut agenda, &[((user_id, conversation_id), at(10))]);
        assert_eq!(agenda.next(), Some(at(10) + notices.mail_after));
        assert_eq!(gathered_for(&notices), GATHERED_FOR_MAX);
        for (after, expected) in [(3, Duration::from_millis(600)), (0, GATHERED_FOR_MIN)] {
            notices.mail_after = Duration::from_secs(after);
            assert_eq!(gathered_for(&notices), expected);
        }
    }

    #[test]
    fn mail_is_asked_about_once_in_a_second_however_much_is_said() {
        let mut notices = Notices::default();
        notices.available.email = true;
        notices.mail_after = Duration::ZERO;
        let (user_id, conversation_id) = (UserId::new(7).unwrap(), ConversationId::new(1).unwrap());
        let mut agenda = Agenda::default();
        let mut looks = Vec::new();
        for said_ms in (0..=3_000).step_by(50) {
            let said_at = at(10) + Duration::from_millis(said_ms);
            remember(&notices, &mut agenda, &[((user_id, conversation_id), said_at)]);
            looks.extend(agenda.take(said_at, 9).iter().map(|_| said_at));
        }
        assert_eq!(looks, [at(10), at(11), at(12), at(13)]);
    }
}
