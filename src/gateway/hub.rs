//! Who is connected, and what each socket has joined: user → sockets.
//!
//! The audience of an event comes with the event, computed in the transaction that made it; what a socket joined only
//! decides in which form it is told. So joining can never show anybody what is not theirs.
//!
//! One lock, held for as long as it takes to queue bytes and never across an await. Who is online follows from the
//! seats and changes under that lock, so that it never contradicts them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::chat::presence::Presence;
use crate::model::id::{ConversationId, SessionId, UserId};
use crate::socketio::packet::Encoded;
use crate::socketio::sender::Sender;

/// Which of a person's sockets are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All of them.
    Every,
    /// Those that joined the conversation.
    Joined(ConversationId),
    /// Those that did not join it.
    NotJoined(ConversationId),
}

/// A person has as many sockets as one may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// The session ended before the socket was open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended;

/// Everybody who is connected. Clones share it.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    sockets_per_user_max: usize,
    online: Presence,
    people: Mutex<People>,
    moved: Notify,
}

#[derive(Default)]
struct People {
    next_number: u64,
    seats: HashMap<UserId, Vec<Seated>>,
    moved: HashSet<UserId>,
}

struct Seated {
    number: u64,
    session_id: SessionId,
    /// The session that the socket is moving to, until it is known to be live.
    next_session_id: Option<SessionId>,
    /// Sorted.
    joined: Vec<ConversationId>,
    sender: Option<Sender>,
}

impl Hub {
    /// A hub without anybody, which keeps `online` true.
    #[must_use]
    pub fn new(sockets_per_user_max: usize, online: Presence) -> Self {
        let people = Mutex::default();
        Self { shared: Arc::new(Shared { sockets_per_user_max, online, people, moved: Notify::new() }) }
    }

    /// Keeps a place for a socket, until the seat is dropped or its session ends. Nothing is sent to it yet.
    pub fn seat(&self, user_id: UserId, session_id: SessionId) -> Result<Seat, Full> {
        let mut people = self.people();
        let number = people.next_number;
        let seats = people.seats.entry(user_id).or_default();
        if seats.len() >= self.shared.sockets_per_user_max {
            return Err(Full);
        }
        seats.push(Seated { number, session_id, next_session_id: None, joined: Vec::new(), sender: None });
        people.next_number += 1;
        Ok(Seat { hub: self.clone(), user_id, number })
    }

    /// Sends to the sockets of one person that are within reach; `packet` is only asked for if there are any.
    pub fn send<'a>(&self, user_id: UserId, reach: Reach, packet: impl Fn() -> &'a Encoded) {
        for seated in self.people().seats.get(&user_id).into_iter().flatten() {
            if let Some(sender) = seated.sender.as_ref().filter(|_| reach.includes(&seated.joined)) {
                // A socket that is closing misses this, and catches up by `conversation:sync`.
                let _ = sender.send(packet());
            }
        }
    }

    /// Takes away every seat of a session; the senders of its sockets, to say goodbye by. Nothing else reaches them. A seat
    /// between two sessions goes with either: whichever it would have stood under, it could be the one that ended.
    #[must_use]
    pub fn end(&self, user_id: UserId, session_id: SessionId) -> Vec<Sender> {
        self.remove(user_id, |seated| seated.session_id == session_id || seated.next_session_id == Some(session_id))
    }

    /// Who is connected, as everybody may ask.
    #[must_use]
    pub fn online(&self) -> &Presence {
        &self.shared.online
    }

    /// Sockets that are open now, of everybody together.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.people().seats.values().flatten().filter(|seated| seated.sender.is_some()).count()
    }

    /// Waits until somebody came or went; all who did since the last call. What they are now says the registry.
    pub async fn moved(&self) -> HashSet<UserId> {
        loop {
            let moved = std::mem::take(&mut self.people().moved);
            if !moved.is_empty() {
                return moved;
            }
            self.shared.moved.notified().await;
        }
    }

    fn remove(&self, user_id: UserId, is_meant: impl Fn(&Seated) -> bool) -> Vec<Sender> {
        let mut people = self.people();
        let Some(seats) = people.seats.get_mut(&user_id) else { return Vec::new() };
        let removed: Vec<Sender> =
            seats.extract_if(.., |seated| is_meant(seated)).filter_map(|gone| gone.sender).collect();
        if seats.is_empty() {
            people.seats.remove(&user_id);
        }
        self.update_online(&mut people, user_id);
        removed
    }

    /// Makes the registry say what the seats say, and notes a change.
    fn update_online(&self, people: &mut People, user_id: UserId) {
        let seats = people.seats.get(&user_id);
        let is_online = seats.is_some_and(|seats| seats.iter().any(|seated| seated.sender.is_some()));
        if self.shared.online.set_online(user_id, is_online) {
            people.moved.insert(user_id);
            self.shared.moved.notify_one();
        }
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.shared.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reach {
    fn includes(self, joined: &[ConversationId]) -> bool {
        match self {
            Self::Every => true,
            Self::Joined(conversation_id) => joined.binary_search(&conversation_id).is_ok(),
            Self::NotJoined(conversation_id) => joined.binary_search(&conversation_id).is_err(),
        }
    }
}

/// One socket's place in the hub. Dropping it leaves.
pub struct Seat {
    hub: Hub,
    user_id: UserId,
    number: u64,
}

impl Seat {
    /// From now on events are sent there.
    pub fn open(&self, sender: Sender) -> Result<(), Ended> {
        self.change(|seated| seated.sender = Some(sender)).ok_or(Ended)?;
        self.hub.update_online(&mut self.hub.people(), self.user_id);
        Ok(())
    }

    /// From now on the socket is told what members see; whether it was not before.
    pub fn join(&self, conversation_id: ConversationId) -> bool {
        let join = |seated: &mut Seated| match seated.joined.binary_search(&conversation_id) {
            Ok(_) => false,
            Err(place) => {
                seated.joined.insert(place, conversation_id);
                true
            }
        };
        self.change(join).unwrap_or(false)
    }

    /// From now on the socket is only told what it would be told had it not joined.
    pub fn leave(&self, conversation_id: ConversationId) {
        self.change(|seated| seated.joined.retain(|joined| *joined != conversation_id));
    }

    /// The socket is about to go on under another session of the same person.
    pub fn begin_move(&self, session_id: SessionId) {
        self.change(|seated| seated.next_session_id = Some(session_id));
    }

    /// The other session is live, and the socket goes on under it; or it is not, and all stays as it was.
    pub fn end_move(&self, is_live: bool) {
        self.change(|seated| {
            let next = seated.next_session_id.take().filter(|_| is_live);
            seated.session_id = next.unwrap_or(seated.session_id);
        });
    }

    /// Takes the seat away before it is dropped; the socket's sender, to say goodbye by. Nothing else reaches it.
    #[must_use]
    pub fn give_up(&self) -> Vec<Sender> {
        self.hub.remove(self.user_id, |seated| seated.number == self.number)
    }

    /// `None` once the session has ended.
    fn change<T>(&self, change: impl FnOnce(&mut Seated) -> T) -> Option<T> {
        let mut people = self.hub.people();
        let seats = people.seats.get_mut(&self.user_id)?;
        seats.iter_mut().find(|seated| seated.number == self.number).map(change)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop(self.give_up());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: i64) -> SessionId {
        SessionId::new(number).unwrap()
    }

    /// Whether a seat is still there when it moved from session 1 to 2 and one of them ended meanwhile or afterwards.
    fn survives(is_live: bool, ended: i64, is_afterwards: bool) -> bool {
        let (hub, user_id) = (Hub::new(50, Presence::default()), UserId::new(1).unwrap());
        let seat = hub.seat(user_id, session(1)).unwrap();
        seat.begin_move(session(2));
        if is_afterwards {
            seat.end_move(is_live);
        }
        drop(hub.end(user_id, session(ended)));
        if !is_afterwards {
            seat.end_move(is_live);
        }
        seat.join(ConversationId::new(1).unwrap())
    }

    #[test]
    fn a_seat_that_moves_between_sessions_ends_with_either() {
        for (is_live, ended) in [(true, 1), (true, 2), (false, 1), (false, 2)] {
            assert!(!survives(is_live, ended, false), "is_live {is_live}, session {ended} ended");
        }
    }

    #[test]
    fn a_seat_that_has_moved_or_stayed_ends_with_its_own_session_only() {
        assert!(survives(true, 1, true) && !survives(true, 2, true));
        assert!(survives(false, 2, true) && !survives(false, 1, true));
    }
}
