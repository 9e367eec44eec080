//! Who is writing where, and when that ends by itself. Pure: `now` is passed in, nothing is sent from here.
//!
//! A person writes in a conversation or does not, however many devices report it. One entry per person and
//! conversation; it ends when it is stopped or when nothing renewed it for [`TYPING_LASTS`].

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::id::{ConversationId, UserId};

/// How long "is writing" holds without a new sign of it.
pub const TYPING_LASTS: Duration = Duration::from_secs(6);

/// One person writing in one conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Typist {
    /// Who writes.
    pub user_id: UserId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who is told.
    pub peer_id: UserId,
}

/// Everybody who is writing.
#[derive(Debug, Default)]
pub struct Typing {
    ends: HashMap<Typist, Instant>,
    order: BTreeSet<(Instant, Typist)>,
}

impl Typing {
    /// The typist writes, from now for [`TYPING_LASTS`].
    pub fn start(&mut self, typist: Typist, now: Instant) {
        self.stop(typist);
        let end = now + TYPING_LASTS;
        self.ends.insert(typist, end);
        self.order.insert((end, typist));
    }

    /// The typist writes no more.
    pub fn stop(&mut self, typist: Typist) {
        if let Some(end) = self.ends.remove(&typist) {
            self.order.remove(&(end, typist));
        }
    }

    /// When the next entry ends by itself.
    pub fn next_end(&self) -> Option<Instant> {
        self.order.first().map(|(end, _)| *end)
    }

    /// Takes all that has ended by `now`, the oldest first.
    pub fn take_ended(&mut self, now: Instant) -> Vec<Typist> {
        self.take(|end, _| end <= now)
    }

    /// Takes all that one person was writing.
    pub fn take_of(&mut self, user_id: UserId) -> Vec<Typist> {
        self.take(|_, typist| typist.user_id == user_id)
    }

    fn take(&mut self, is_meant: impl Fn(Instant, Typist) -> bool) -> Vec<Typist> {
        let meant = self.order.iter().filter(|(end, typist)| is_meant(*end, *typist));
        let taken: Vec<Typist> = meant.map(|(_, typist)| *typist).collect();
        for typist in &taken {
            self.stop(*typist);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typist(user: i64, conversation: i64) -> Typist {
        Typist {
            user_id: UserId::new(user).unwrap(),
            conversation_id: ConversationId::new(conversation).unwrap(),
            peer_id: UserId::new(6).unwrap(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn typing_ends_six_seconds_after_the_last_sign() {
        let (mut typing, start) = (Typing::default(), Instant::now());
        typing.start(typist(1, 1), start);
        typing.start(typist(1, 1), start + Duration::from_secs(4));
        assert_eq!(typing.take_ended(start + Duration::from_millis(9_999)), []);
        assert_eq!(typing.next_end(), Some(start + Duration::from_secs(10)));
        assert_eq!(typing.take_ended(start + Duration::from_secs(10)), [typist(1, 1)]);
        assert_eq!(typing.next_end(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_stopped_does_not_end_again() {
        let (mut typing, start) = (Typing::default(), Instant::now());
        typing.start(typist(1, 1), start);
        typing.stop(typist(1, 1));
        assert_eq!(typing.take_ended(start + TYPING_LASTS), []);
    }

    #[tokio::test(start_paused = true)]
    async fn each_conversation_ends_on_its_own_and_the_oldest_first() {
        let (mut typing, start) = (Typing::default(), Instant::now());
        typing.start(typist(1, 2), start + Duration::from_secs(1));
        typing.start(typist(1, 1), start);
        assert_eq!(typing.take_ended(start + Duration::from_secs(60)), [typist(1, 1), typist(1, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_stops_writing_everywhere() {
        let (mut typing, start) = (Typing::default(), Instant::now());
        typing.start(typist(1, 1), start);
        typing.start(typist(2, 3), start);
        typing.start(typist(1, 2), start);
        assert_eq!(typing.take_of(UserId::new(1).unwrap()), [typist(1, 1), typist(1, 2)]);
        assert_eq!(typing.take_ended(start + TYPING_LASTS), [typist(2, 3)]);
    }
}
