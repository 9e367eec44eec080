//! Calls on sockets: what is told of them, who sits where, and the way from one seat to another.
//!
//! What browsers say to each other to begin a direct call goes from one socket to one other and is kept nowhere: it does not
//! pass the writer. A socket sits in a call from the commit on that says so; only from a seat can anything be sent, and only
//! to a seat of the same call.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;

use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, CallSeated, Event};
use crate::gateway::hub::{Hub, NAMESPACE, Seat};
use crate::integrations::jitsi::room::Room;
use crate::integrations::jitsi::token::{self, Admission, Guest};
use crate::integrations::turn;
use crate::model::call::{Call, JitsiSeat, RoomBits, SeatOf};
use crate::model::id::{CallId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};
use crate::socketio::encoded::Encoded;

/// Bytes of one signal, as it stands in the event.
pub const SIGNAL_BYTES_MAX: usize = 64 << 10;

/// Signals of one person per second, and at once.
pub const SIGNAL_RATE: u32 = 50;
pub const SIGNAL_BURST: u32 = 200;

/// How long somebody may enter a room: who comes back after that asks anew.
const ADMISSION_LIFE: Duration = Duration::from_secs(2 * 3600);

/// How browsers find each other.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Servers that help them.
    pub servers: turn::Settings,
    /// Whether all sound and pictures go through those, so that nobody learns the other's address.
    pub relay_only: bool,
    /// The Jitsi server, where calls go through one.
    pub jitsi: Option<token::Settings>,
    /// Whether the Jitsi server records what its juriste has it record.
    pub may_record: bool,
}

impl Settings {
    /// What a browser is given with its seat; `seats` are those of the others.
    pub fn direct(&self, user_id: UserId, seats: Vec<SeatOf>) -> Direct {
        let servers = self.servers.ice_servers(&user_id.to_string(), SystemTime::now());
        let ice_servers = servers.into_iter().map(IceServer::from).collect();
        Direct { ice_servers, relay_only: self.relay_only, seats }
    }

    /// Lets somebody into a room.
    ///
    /// # Errors
    /// `CONFLICT` for a call from before Jitsi was given up; `INTERNAL` where the system has no randomness.
    pub fn jitsi(&self, room: RoomBits, profile: &Profile) -> Result<JitsiSeat, Error> {
        let server = self.jitsi.as_ref().ok_or(Reason::CallOver)?;
        let guest = Guest {
            room: &Room::from_bits(u128::from_be_bytes(room.0)),
            id: &profile.id.to_string(),
            name: &profile.name,
            moderator: profile.role == Role::Juriste,
            may_record: self.may_record && profile.role == Role::Juriste,
            valid_for: ADMISSION_LIFE,
        };
        let Admission { url, domain, room, token, expires_at } =
            server.admit(&guest, SystemTime::now()).map_err(Error::internal)?;
        let since_1970 = expires_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let expires_at = Timestamp::from_millis(i64::try_from(since_1970).unwrap_or(i64::MAX));
        Ok(JitsiSeat { url, domain, room, token, expires_at })
    }
}

/// What a browser needs to reach the others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Direct {
    ice_servers: Vec<IceServer>,
    relay_only: bool,
    seats: Vec<SeatOf>,
}

/// As `RTCPeerConnection` takes it.
#[derive(Debug, Serialize)]
struct IceServer {
    urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

impl From<turn::IceServer> for IceServer {
    fn from(server: turn::IceServer) -> Self {
        let (username, credential) = server.login.map(|login| (login.username, login.credential)).unzip();
        Self { urls: server.urls, username, credential }
    }
}

/// What one seat says to another.
#[derive(Debug)]
pub struct Signal {
    pub call_id: CallId,
    pub to_seat: String,
    /// An object; what stands in it is between the browsers.
    pub data: Value,
}

impl Signal {
    /// Sends it from a seat. `None` unless the socket sits in that call; otherwise whether there is a socket in the other
    /// seat.
    #[must_use]
    pub fn send(&self, from: &Seat) -> Option<bool> {
        from.signal(self.call_id, &self.to_seat, |from_seat| {
            let told = Signalled { call_id: self.call_id, from_seat, data: &self.data };
            Encoded::event(NAMESPACE, "call:signal", &told)
        })
    }
}

/// Has the hub follow what happened in a call, before anybody is told.
pub fn follow(hub: &Hub, announcement: &Announcement) {
    match (&announcement.event, announcement.audience) {
        (Event::CallIncoming(call), Audience::Member(user_id)) => {
            hub.ring(user_id, encode("call:incoming", call, announcement.at));
        }
        (Event::CallUpdated(call), Audience::Members(members)) => {
            for user_id in members.both() {
                hub.follow_call(user_id, call);
            }
        }
        _ => {}
    }
}

/// Seats somebody, and tells the socket that sat there before.
pub fn seat(hub: &Hub, seated: &CallSeated) {
    hub.take_seat(seated.user_id, seated.call_id, &seated.seat, &encode_taken(seated.call_id));
}

/// An event that tells what a call is now.
pub fn encode(name: &str, call: &Call, timestamp: Timestamp) -> Encoded {
    Encoded::event(NAMESPACE, name, &CallNews { call, timestamp })
}

/// What a socket is told that sits in a call no more, because another one of its person does.
pub fn encode_taken(call_id: CallId) -> Encoded {
    Encoded::event(NAMESPACE, "call:taken", &Taken { call_id })
}

#[derive(Serialize)]
struct CallNews<'a> {
    call: &'a Call,
    timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    call_id: CallId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signalled<'a> {
    call_id: CallId,
    from_seat: &'a str,
    data: &'a Value,
}
