//! Connections that have not sent a whole request yet: how many of them each address may have, and which one goes when
//! places are short.
//!
//! Never is a connection turned away at the door: the one that has been silent for longest makes room, so that who comes
//! and asks is served, whatever others hold open. Each has its first second for itself. IPv6 counts by the network of 64
//! bits that one subscriber has for itself. Where there are no such connections left, those make room that have asked once
//! and rest: one request must not be enough to hold a place that others need.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::http::peer;

/// What each connection has for itself, however many there are of its address.
const GRACE: Duration = Duration::from_secs(1);

const LEAVES_SOON: u8 = 1;
const LEAVES_NOW: u8 = 2;
const HAS_ASKED: u8 = 3;
const RESTS: u8 = 4;

/// Everybody who has not asked for anything yet.
#[derive(Debug)]
pub struct Newcomers {
    per_address_max: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next_number: u64,
    /// By age, those who were asked to leave included.
    waiting: BTreeMap<u64, Arc<Word>>,
    /// By age, those who may stay.
    by_address: HashMap<IpAddr, VecDeque<u64>>,
    /// Those who have asked and do not ask now, since the longest ago first.
    resting: BTreeMap<u64, Arc<Word>>,
}

impl Table {
    fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

/// What becomes of a newcomer.
#[derive(Debug, Default)]
struct Word {
    word: AtomicU8,
    changed: Notify,
}

impl Word {
    /// Nothing is said to who has asked in the meantime.
    fn say(&self, word: u8) {
        let said = |before| (before != HAS_ASKED).then_some(word);
        if self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, said).is_ok() {
            self.changed.notify_one();
        }
    }
}

impl Newcomers {
    /// Nobody yet; one address may have so many.
    pub fn new(per_address_max: usize) -> Arc<Newcomers> {
        Arc::new(Newcomers { per_address_max, table: Mutex::default() })
    }

    /// A connection from `address` has come. One too many of an address, and its oldest has to go.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Newcomer {
        let household = peer::household(address);
        let word = Arc::new(Word::default());
        let mut table = self.table();
        let number = table.take_number();
        table.waiting.insert(number, word.clone());
        let ours = table.by_address.entry(household).or_default();
        ours.push_back(number);
        let oldest = if ours.len() > self.per_address_max { ours.pop_front() } else { None };
        if let Some(oldest) = oldest.and_then(|number| table.waiting.get(&number)) {
            oldest.say(LEAVES_SOON);
        }
        drop(table);
        Newcomer { newcomers: self.clone(), household, number: AtomicU64::new(number), word, came: Instant::now() }
    }

    /// Has the oldest leave at once, at most `count` of them, and then those who have rested for longest; how many there were.
    pub fn make_room(&self, count: usize) -> usize {
        let mut table = self.table();
        let mut made = 0;
        while made < count
            && let Some((_, oldest)) = table.waiting.pop_first().or_else(|| table.resting.pop_first())
        {
            oldest.say(LEAVES_NOW);
            made += 1;
        }
        made
    }

    fn forget(&self, newcomer: &Newcomer) {
        let mut table = self.table();
        let number = newcomer.number.load(Ordering::Acquire);
        table.resting.remove(&number);
        table.waiting.remove(&number);
        if let Some(ours) = table.by_address.get_mut(&newcomer.household) {
            if let Ok(place) = ours.binary_search(&number) {
                ours.remove(place);
            }
            if ours.is_empty() {
                table.by_address.remove(&newcomer.household);
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection that has not asked yet, or rests. Dropping it takes it off the lists.
#[derive(Debug)]
pub struct Newcomer {
    newcomers: Arc<Newcomers>,
    household: IpAddr,
    /// In the list in which it stands, if it stands in one.
    number: AtomicU64,
    word: Arc<Word>,
    came: Instant,
}

impl Newcomer {
    /// A whole request has come: it may stay until it rests.
    pub fn has_asked(&self) {
        if self.word.word.swap(HAS_ASKED, Ordering::AcqRel) != HAS_ASKED {
            self.newcomers.forget(self);
        }
    }

    /// It has asked, and nothing is being done for it: from now on it may have to make room until it asks again.
    pub fn rests(&self) {
        if self.word.word.compare_exchange(HAS_ASKED, RESTS, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let mut table = self.newcomers.table();
        let number = table.take_number();
        self.number.store(number, Ordering::Release);
        table.resting.insert(number, self.word.clone());
    }

    /// Resolves when the connection has to make room.
    pub async fn told_to_leave(&self) {
        loop {
            let changed = self.word.changed.notified();
            match self.word.word.load(Ordering::Acquire) {
                LEAVES_NOW => return,
                LEAVES_SOON => tokio::select! {
                    () = sleep_until(self.came + GRACE) => {
                        if self.word.word.load(Ordering::Acquire) == LEAVES_SOON {
                            return;
                        }
                    }
                    () = changed => {}
                },
                _ => changed.await,
            }
        }
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.has_asked();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    async fn leaves(newcomer: &Newcomer) -> bool {
        tokio::time::timeout(GRACE * 2, newcomer.told_to_leave()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_of_an_address_has_its_oldest_leave_after_a_second() {
        let newcomers = Newcomers::new(2);
        let first = newcomers.enter(address("2001:db8::1"));
        let second = newcomers.enter(address("2001:db8::2"));
        let elsewhere = newcomers.enter(address("2001:db8:0:1::1"));
        let third = newcomers.enter(address("2001:db8::3"));
        assert!(first.told_to_leave().now_or_never().is_none(), "its first second is its own");
        assert!(leaves(&first).await);
        for other in [&second, &elsewhere, &third] {
            assert!(!leaves(other).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_asked_is_not_counted_and_never_leaves() {
        let newcomers = Newcomers::new(1);
        let asked = newcomers.enter(address("10.0.0.1"));
        asked.has_asked();
        let second = newcomers.enter(address("10.0.0.1"));
        assert!(!leaves(&second).await, "it is the only one that has not asked");
        let third = newcomers.enter(address("10.0.0.1"));
        second.has_asked();
        assert!(!leaves(&second).await, "it asked in its first second");
        assert_eq!(newcomers.make_room(9), 1);
        assert!(third.told_to_leave().now_or_never().is_some() && !leaves(&asked).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asked_once_and_rests_makes_room_after_those_who_never_asked() {
        let newcomers = Newcomers::new(9);
        let [long, short, busy] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|text| newcomers.enter(address(text)));
        for one in [&long, &short, &busy] {
            one.has_asked();
            one.rests();
        }
        busy.has_asked();
        let silent = newcomers.enter(address("10.0.0.4"));
        silent.rests();
        for one in [&silent, &long, &short] {
            assert!(one.told_to_leave().now_or_never().is_none());
            assert_eq!(newcomers.make_room(1), 1);
            assert!(one.told_to_leave().now_or_never().is_some());
        }
        assert_eq!(newcomers.make_room(1), 0);
        assert!(!leaves(&busy).await, "it is being answered");
        busy.rests();
        assert_eq!(newcomers.make_room(1), 1);
        busy.has_asked();
        assert!(!leaves(&busy).await, "it asked in this moment");
    }

    #[tokio::test]
    async fn the_lists_are_empty_again_when_everybody_is_gone() {
        let newcomers = Newcomers::new(2);
        let many: Vec<Newcomer> = (0..9).map(|_| newcomers.enter(address("10.0.0.1"))).collect();
        many[4].has_asked();
        newcomers.make_room(2);
        many[4].rests();
        many[5].has_asked();
        many[5].rests();
        drop(many);
        let table = newcomers.table();
        let is_empty = table.waiting.is_empty() && table.by_address.is_empty() && table.resting.is_empty();
        assert!(is_empty, "{table:?}");
    }
}
