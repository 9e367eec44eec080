//! The sessions that are open, by their secret id, and how many each address has that nobody vouched for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::sync::Notify;

/// Goodbyes that are remembered.
const FAREWELLS_MAX: usize = 64;

/// The secret name of a session: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sid([u8; 16]);

impl Sid {
    fn random() -> Self {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system gives random bytes");
        Self(bits)
    }

    /// Reads what a client sent; `None` if it can be no session's name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bits = [0; 16];
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bits).ok()?;
        (length == bits.len()).then_some(Self(bits))
    }

    pub(super) fn text(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// Why no session is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The address has enough.
    Address,
    /// No session is opened any more.
    Closing,
}

/// How a session leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leave {
    /// It was never admitted.
    pub(super) counted: bool,
    /// Its client said goodbye, and a poll may be under way.
    pub(super) owes_farewell: bool,
}

pub(super) struct Registry<L> {
    tables: Mutex<Tables<L>>,
    emptied: Notify,
}

struct Tables<L> {
    sessions: HashMap<Sid, Arc<L>>,
    unadmitted: HashMap<IpAddr, usize>,
    /// Sessions whose client said goodbye, youngest last: a poll that crosses the goodbye on its way ends in peace.
    farewells: VecDeque<Sid>,
    /// Once no session is opened any more: those that there were then, and that all hear of the end.
    told: Option<HashSet<Sid>>,
}

impl<L> Default for Registry<L> {
    fn default() -> Self {
        let tables =
            Tables { sessions: HashMap::new(), unadmitted: HashMap::new(), farewells: VecDeque::new(), told: None };
        Self { tables: Mutex::new(tables), emptied: Notify::new() }
    }
}

impl<L> Registry<L> {
    /// Enters a session that `make` builds under a new name, unless `address` has `per_address` already.
    pub(super) fn enter(
        &self,
        address: IpAddr,
        per_address: usize,
        make: impl FnOnce(Sid) -> Arc<L>,
    ) -> Result<Arc<L>, Full> {
        let mut tables = self.lock();
        if tables.told.is_some() {
            return Err(Full::Closing);
        }
        let count = tables.unadmitted.entry(household(address)).or_default();
        if *count >= per_address {
            return Err(Full::Address);
        }
        *count += 1;
        let sid = Sid::random();
        let link = make(sid);
        tables.sessions.insert(sid, Arc::clone(&link));
        Ok(link)
    }

    pub(super) fn find(&self, sid: Sid) -> Option<Arc<L>> {
        self.lock().sessions.get(&sid).cloned()
    }

    /// A session of this address no longer counts.
    pub(super) fn admit(&self, address: IpAddr) {
        self.lock().discount(address);
    }

    /// Takes a session off the list.
    pub(super) fn remove(&self, sid: Sid, address: IpAddr, leave: Leave) {
        let mut tables = self.lock();
        tables.sessions.remove(&sid);
        if leave.counted {
            tables.discount(address);
        }
        if leave.owes_farewell {
            if tables.farewells.len() == FAREWELLS_MAX {
                tables.farewells.pop_front();
            }
            tables.farewells.push_back(sid);
        }
        if tables.sessions.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Whether a poll on a session that is gone is owed a peaceful answer; it is once.
    pub(super) fn take_farewell(&self, sid: Sid) -> bool {
        let mut tables = self.lock();
        let place = tables.farewells.iter().position(|left| *left == sid);
        place.and_then(|place| tables.farewells.remove(place)).is_some()
    }

    /// Enters no more; the sessions that there are.
    pub(super) fn shut(&self) -> Vec<Arc<L>> {
        let mut tables = self.lock();
        let Tables { sessions, told, .. } = &mut *tables;
        told.get_or_insert_default().extend(sessions.keys());
        sessions.values().cloned().collect()
    }

    /// Whether a session that is gone was there when the endpoint closed: it ended for that, and its client may not know.
    pub(super) fn was_told(&self, sid: Sid) -> bool {
        self.lock().told.as_ref().is_some_and(|told| told.contains(&sid))
    }

    /// Waits until no session is left.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// The sessions that there are.
    pub(super) fn links(&self) -> Vec<Arc<L>> {
        self.lock().sessions.values().cloned().collect()
    }

    pub(super) fn count(&self) -> usize {
        self.lock().sessions.len()
    }

    fn lock(&self) -> MutexGuard<'_, Tables<L>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L> Tables<L> {
    fn discount(&mut self, address: IpAddr) {
        let address = household(address);
        if let Some(count) = self.unadmitted.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.unadmitted.remove(&address);
            }
        }
    }
}

/// What counts as one address: with IPv6, the network of 64 bits that one subscriber has for itself.
fn household(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK)),
        },
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_reads_back_and_nothing_else_is_one() {
        let sid = Sid::random();
        assert_eq!(sid.text().len(), 22);
        assert!(Sid::parse(&sid.text()) == Some(sid));
        for text in
            ["", "__proto__", "a", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "\0", &"A".repeat(10_000)]
        {
            assert!(Sid::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_address_is_a_subscriber() {
        let same = |a: &str, b: &str| household(a.parse().expect("an address")) == household(b.parse().expect("one"));
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(!same("10.0.0.1", "10.0.0.2"));
    }
}
