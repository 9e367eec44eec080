//! Who is writing where, and when that ends by itself. Pure: `now` is passed in, nothing is sent from here.
//!
//! A person writes in a conversation or does not, however many devices report it. One entry per person and
//! conversation; it ends when it is stopped or when nothing renewed it for [`TYPING_LASTS`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::id::{ConversationId, UserId};

/// How long "is writing" holds without a new sign of it.
pub const TYPING_LASTS: Duration = Duration::from_secs(6);

/// How soon a renewal is announced again.
pub const REFRESHED_AFTER: Duration = Duration::from_secs(2);

/// One person writing in one conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Typist {
    /// Who writes.
    pub user_id: UserId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who sees it.
    pub peer_id: UserId,
}

/// Everybody who is writing.
#[derive(Debug, Default)]
pub struct Typing {
    entries: BTreeMap<Typist, Entry>,
    order: BTreeSet<(Instant, Typist)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    ends_at: Instant,
    told_at: Instant,
}

impl Typing {
    /// The typist writes, from now for [`TYPING_LASTS`]. Whether that is news: a change, or a sign of life after
    /// [`REFRESHED_AFTER`].
    pub fn start(&mut self, typist: Typist, now: Instant) -> bool {
        let before = self.remove(typist);
        let is_news = before.is_none_or(|entry| now - entry.told_at >= REFRESHED_AFTER);
        let told_at = before.filter(|_| !is_news).map_or(now, |entry| entry.told_at);
        let ends_at = now + TYPING_LASTS;
        self.entries.insert(typist, Entry { ends_at, told_at });
        self.order.insert((ends_at, typist));
        is_news
    }

    /// The typist writes no more. Whether that is news.
    pub fn stop(&mut self, typist: Typist) -> bool {
        self.remove(typist).is_some()
    }

    /// Whether nobody writes anything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn remove(&mut self, typist: Typist) -> Option<Entry> {
        let entry = self.entries.remove(&typist)?;
        self.order.remove(&(entry.ends_at, typist));
        Some(entry)
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

    /// Takes what one person was writing in one conversation.
    pub fn take_in(&mut self, user_id: UserId, conversation_id: ConversationId) -> Vec<Typist> {
        let is_meant = |typist: &Typist| typist.user_id == user_id && typist.conversation_id == conversation_id;
        let first = Typist { user_id, conversation_id, peer_id: UserId::new(1).expect("1 is an id") };
        let taken: Vec<Typist> = self.entries.range(first..).map(|(typist, _)| *typist).take_while(is_meant).collect();
        for typist in &taken {
            self.stop(*typist);
        }
        taken
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
    async fn only_changes_are_news_and_renewals_now_and_then() {
        let (mut typing, start) = (Typing::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!typing.stop(typist(1, 1)), "nobody wrote");
        assert!(typing.start(typist(1, 1), at(0)));
        let announced: Vec<u64> = (1..=60).map(|n| n * 100).filter(|ms| typing.start(typist(1, 1), at(*ms))).collect();
        assert_eq!(announced, [2_000, 4_000, 6_000]);
        assert!(typing.stop(typist(1, 1)) && !typing.stop(typist(1, 1)));
        assert!(typing.start(typist(1, 1), at(6_001)), "a change again");
        assert_eq!(typing.take_in(UserId::new(1).unwrap(), ConversationId::new(1).unwrap()), [typist(1, 1)]);
        assert!(typing.is_empty());
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
