//! Who is connected, and what each socket has joined: user → sockets.
//!
//! The audience of an event comes with the event, computed in the transaction that made it; what a socket joined only
//! decides in which form it arrives. So joining can never show anybody what is not theirs.
//!
//! One lock, held for as long as it takes to queue bytes and never across an await. Who is online follows from the
//! seats and changes under that lock, so that it never contradicts them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::chat::contract::presence::Presence;
use crate::chat::contract::seats::Seats;
use crate::model::call::{Call, CallState};
use crate::model::id::{CallId, ConversationId, SessionId, UserId};
use crate::model::timestamp::Timestamp;
use crate::socketio::encoded::Encoded;
use crate::socketio::sender::Sender;

/// The one namespace.
pub const NAMESPACE: &str = "/chat";

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
    calls: Seats,
    people: Mutex<People>,
    moved: Notify,
}

#[derive(Default)]
struct People {
    next_number: u64,
    seats: HashMap<UserId, Vec<Seated>>,
    /// What those are told on coming for whom a call rings.
    ringing: HashMap<UserId, Encoded>,
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
    /// The call that the socket asked to sit in.
    wanted: Option<Place>,
    /// The call that it sits in.
    held: Option<Place>,
}

/// A seat of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    call_id: CallId,
    seat: String,
}

impl Hub {
    /// A hub without anybody, which keeps `online` and `calls` true.
    #[must_use]
    pub fn new(sockets_per_user_max: usize, online: Presence, calls: Seats) -> Self {
        let people = Mutex::default();
        Self { shared: Arc::new(Shared { sockets_per_user_max, online, calls, people, moved: Notify::new() }) }
    }

    /// Keeps a place for a socket, until the seat is dropped or its session ends. Nothing is sent to it yet.
    pub fn seat(&self, user_id: UserId, session_id: SessionId) -> Result<Seat, Full> {
        let mut people = self.people();
        let number = people.next_number;
        let seats = people.seats.entry(user_id).or_default();
        if seats.len() >= self.shared.sockets_per_user_max {
            return Err(Full);
        }
        seats.push(Seated {
            number,
            session_id,
            next_session_id: None,
            joined: Vec::new(),
            sender: None,
            wanted: None,
            held: None,
        });
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

    /// As [`Hub::send`], but not to sockets for which more than `queued_max` bytes wait: they are behind, and this is worth
    /// nothing later.
    pub fn send_if_short<'a>(
        &self,
        user_id: UserId,
        reach: Reach,
        queued_max: usize,
        packet: impl Fn() -> &'a Encoded,
    ) {
        for seated in self.people().seats.get(&user_id).into_iter().flatten() {
            if let Some(sender) = seated.sender.as_ref().filter(|_| reach.includes(&seated.joined)) {
                sender.send_if_short(packet(), queued_max);
            }
        }
    }

    /// A call rings for somebody: those sockets are told that come while it does.
    pub fn ring(&self, user_id: UserId, packet: Encoded) {
        self.people().ringing.insert(user_id, packet);
    }

    /// A call of somebody's has changed. One that does not ring is not told to those that come, and in one that is over
    /// nobody sits.
    pub fn follow_call(&self, user_id: UserId, call: &Call) {
        let mut people = self.people();
        if call.state != CallState::Ringing {
            people.ringing.remove(&user_id);
        }
        if !call.state.is_live() {
            for seated in people.seats.get_mut(&user_id).into_iter().flatten() {
                seated.wanted.take_if(|place| place.call_id == call.id);
                seated.held.take_if(|place| place.call_id == call.id);
            }
            self.shared.calls.give_up(call.id, user_id);
        }
    }

    /// The newest socket of somebody that asked for this seat sits there from now on; the one that sat in the call before
    /// is told `taken`.
    pub fn take_seat(&self, user_id: UserId, call_id: CallId, seat: &str, taken: &Encoded) {
        let mut people = self.people();
        let place = Place { call_id, seat: seat.to_owned() };
        let seats = people.seats.get_mut(&user_id).map(Vec::as_mut_slice).unwrap_or_default();
        let newest =
            seats.iter().filter(|seated| seated.wanted.as_ref() == Some(&place)).map(|seated| seated.number).max();
        for seated in seats {
            let sat_there = seated.held.take_if(|held| held.call_id == call_id).is_some();
            seated.wanted.take_if(|wanted| *wanted == place);
            if Some(seated.number) == newest {
                seated.held = Some(place.clone());
            } else if let Some(sender) = seated.sender.as_ref().filter(|_| sat_there) {
                // See `send`.
                let _ = sender.send(taken);
            }
        }
        match newest {
            Some(_) => self.shared.calls.take(call_id, user_id, seat),
            None => self.shared.calls.give_up(call_id, user_id),
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

    /// Waits until somebody came or went; all who did since the last call. What they are now stands in the registry.
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
        let attention = self.shared.online.attention();
        let gone: Vec<Seated> = seats.extract_if(.., |seated| is_meant(seated)).collect();
        for seated in &gone {
            attention.end(user_id, seated.number);
            if let Some(place) = &seated.held {
                self.shared.calls.give_up(place.call_id, user_id);
            }
        }
        let removed = gone.into_iter().filter_map(|gone| gone.sender).collect();
        if seats.is_empty() {
            people.seats.remove(&user_id);
        }
        self.update_online(&mut people, user_id);
        removed
    }

    /// Brings the registry up to date with the seats, and notes a change.
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
    /// From now on events are sent there; the first is a call that rings.
    pub fn open(&self, sender: Sender) -> Result<(), Ended> {
        let mut people = self.hub.people();
        let rings = people.ringing.get(&self.user_id).cloned();
        let seats = people.seats.get_mut(&self.user_id).ok_or(Ended)?;
        let seated = seats.iter_mut().find(|seated| seated.number == self.number).ok_or(Ended)?;
        if let Some(packet) = rings {
            // See `Hub::send`.
            let _ = sender.send(&packet);
        }
        seated.sender = Some(sender);
        self.hub.update_online(&mut people, self.user_id);
        Ok(())
    }

    /// The socket asks to sit in a call: it does once that is committed.
    pub fn want(&self, call_id: CallId, seat: &str) {
        self.change(|seated| seated.wanted = Some(Place { call_id, seat: seat.to_owned() }));
    }

    /// The socket was refused the seat that it asked for.
    pub fn want_no_more(&self, call_id: CallId) {
        self.change(|seated| seated.wanted.take_if(|place| place.call_id == call_id));
    }

    /// Sends from the seat that the socket has in this call to another one, with `packet` made for the name of its own.
    /// `None` unless it sits there; otherwise whether somebody sits in the other.
    #[must_use]
    pub fn signal(&self, call_id: CallId, to_seat: &str, packet: impl FnOnce(&str) -> Encoded) -> Option<bool> {
        let people = self.hub.people();
        let own = people.seats.get(&self.user_id)?.iter().find(|seated| seated.number == self.number)?;
        let from = own.held.as_ref().filter(|held| held.call_id == call_id)?;
        let others = self.hub.shared.calls.of_others(call_id, self.user_id);
        let Some(other) = others.iter().find(|other| other.seat == to_seat) else { return Some(false) };
        let sits_there =
            |seated: &&Seated| seated.held.as_ref().is_some_and(|held| held.call_id == call_id && held.seat == to_seat);
        let target = people.seats.get(&other.user_id).into_iter().flatten().find(sits_there);
        let sender = target.and_then(|seated| seated.sender.as_ref());
        Some(sender.is_some_and(|sender| sender.send(&packet(&from.seat)).is_ok()))
    }

    /// From now on the socket gets what members see; `true` if it did not before.
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

    /// From now on the socket gets what it would get had it not joined.
    pub fn leave(&self, conversation_id: ConversationId) {
        self.change(|seated| seated.joined.retain(|joined| *joined != conversation_id));
    }

    /// Somebody looks at the socket's page, or no longer does.
    pub fn set_attention(&self, is_visible: bool, now: Timestamp) {
        // Under the lock, so that it cannot come behind the end of the seat.
        self.change(|_| self.hub.shared.online.attention().set(self.user_id, self.number, is_visible, now));
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
        let (hub, user_id) = (Hub::new(50, Presence::default(), Seats::default()), UserId::new(1).unwrap());
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
