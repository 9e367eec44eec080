//! Calls: ringing, talking, and what became of them.
//!
//! ```text
//! ringing ──▶ ongoing ──▶ ended
//!    └─▶ declined | missed | cancelled          busy at once, where the callee talks already
//! ```

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::model::id::{CallId, ConversationId, MessageId, UserId};
use crate::model::message_kind::StateJson;
use crate::model::recording::Recording;
use crate::model::timestamp::Timestamp;

/// How long a call rings.
pub const RINGS_FOR: Duration = Duration::from_secs(45);

/// Letters and digits of the longest name of a seat.
pub const SEAT_CHARS_MAX: usize = 64;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// The word on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one with this word.
            #[must_use]
            pub fn find(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a call begins with.
    Media {
        Audio = "audio",
        Video = "video",
    }
}

words! {
    /// How sound and pictures get across.
    Provider {
        /// From browser to browser.
        Direct = "direct",
        /// Through a Jitsi server.
        Jitsi = "jitsi",
    }
}

words! {
    /// How far a call is.
    CallState {
        Ringing = "ringing",
        Ongoing = "ongoing",
        Ended = "ended",
        Declined = "declined",
        Missed = "missed",
        Cancelled = "cancelled",
        Busy = "busy",
    }
}

impl CallState {
    /// Whether it goes on.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Ringing | Self::Ongoing)
    }

    /// Whether the callee has missed it.
    #[must_use]
    pub const fn is_missed(self) -> bool {
        matches!(self, Self::Missed | Self::Busy | Self::Cancelled)
    }
}

words! {
    /// Why a call is over.
    EndReason {
        /// Somebody hung up, declined or called off: `state` says which.
        HungUp = "hung_up",
        /// Nobody answered in time.
        Timeout = "timeout",
        /// The callee takes no calls at this hour.
        Quiet = "quiet",
        /// The callee was in another call.
        Busy = "busy",
        /// Nobody, or only one of them, was still there.
        Lost = "lost",
        /// It went on for as long as a call may.
        TooLong = "too_long",
        /// The server was started anew while it rang.
        Restart = "restart",
    }
}

/// One call as its members see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub id: CallId,
    pub conversation_id: ConversationId,
    /// Its entry in the conversation; `None` while it is live.
    pub message_id: Option<MessageId>,
    pub media: Media,
    pub provider: Provider,
    /// Its room at the Jitsi server: nobody's to know who is not let in.
    #[serde(skip)]
    pub room: Option<RoomBits>,
    pub state: CallState,
    /// Whether the callee had a page open, or a device that pushes reach, when it began to ring.
    pub reachable: bool,
    pub started_by: UserId,
    pub started_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub end_reason: Option<EndReason>,
    /// Who took a seat in it, in that order.
    pub participants: Vec<Participant>,
    pub recording: Recording,
}

impl Call {
    /// The line in the conversation for programs that know no calls.
    #[must_use]
    pub fn line(&self) -> String {
        match self.state {
            CallState::Missed | CallState::Busy | CallState::Cancelled => "Appel manqué".to_owned(),
            CallState::Declined => "Appel refusé".to_owned(),
            CallState::Ringing | CallState::Ongoing | CallState::Ended => {
                let media = match self.media {
                    Media::Audio => "Appel audio",
                    Media::Video => "Appel vidéo",
                };
                let talked = self.answered_at.zip(self.ended_at).map_or(0, |(from, to)| to.since(from).as_secs());
                match talked {
                    0..60 => format!("{media}, {talked} s"),
                    _ => format!("{media}, {} min", talked / 60),
                }
            }
        }
    }

    /// Its state as JSON.
    ///
    /// # Errors
    /// None in practice: it is plain data.
    pub fn to_json(&self) -> serde_json::Result<StateJson> {
        StateJson::of(self)
    }
}

/// The bits that name a room. Who knows them could try to enter, so no `Debug` shows them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoomBits(pub [u8; 16]);

impl fmt::Debug for RoomBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomBits(…)")
    }
}

/// The way into a Jitsi room, for one person.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JitsiSeat {
    /// The room's page, without the token.
    pub url: String,
    /// The server's host.
    pub domain: String,
    /// The room's name at the server.
    pub room: String,
    /// To be given in the fragment, which no server is sent.
    pub token: String,
    /// Until when one may enter.
    pub expires_at: Timestamp,
}

/// Somebody who took a seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    pub user_id: UserId,
    pub joined_at: Timestamp,
    pub left_at: Option<Timestamp>,
    /// The window or device that they sit at: theirs alone to know.
    #[serde(skip)]
    pub seat: Option<String>,
}

/// Where somebody sits in a call, as the other members are told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatOf {
    pub user_id: UserId,
    pub seat: String,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(state: CallState, talked: Duration) -> Call {
        let started_at = Timestamp::from_millis(1_000);
        Call {
            id: CallId::new(1).unwrap(),
            conversation_id: ConversationId::new(1).unwrap(),
            message_id: None,
            media: Media::Video,
            provider: Provider::Direct,
            room: None,
            state,
            reachable: true,
            started_by: UserId::new(6).unwrap(),
            started_at,
            answered_at: Some(started_at),
            ended_at: Some(started_at + talked),
            end_reason: None,
            participants: Vec::new(),
            recording: Recording::default(),
        }
    }

    #[test]
    fn a_line_says_what_became_of_a_call() {
        for (state, seconds, line) in [
            (CallState::Ended, 7, "Appel vidéo, 7 s"),
            (CallState::Ended, 60, "Appel vidéo, 1 min"),
            (CallState::Ended, 3_599, "Appel vidéo, 59 min"),
            (CallState::Missed, 0, "Appel manqué"),
            (CallState::Busy, 0, "Appel manqué"),
            (CallState::Cancelled, 0, "Appel manqué"),
            (CallState::Declined, 0, "Appel refusé"),
        ] {
            assert_eq!(call(state, Duration::from_secs(seconds)).line(), line);
        }
    }

    #[test]
    fn the_seat_is_in_no_json() {
        let mut shown = call(CallState::Ongoing, Duration::ZERO);
        let (user_id, joined_at) = (shown.started_by, shown.started_at);
        shown.participants.push(Participant { user_id, joined_at, left_at: None, seat: Some("a-secret".to_owned()) });
        let json = shown.to_json().unwrap();
        assert!(!json.as_str().contains("a-secret"), "{}", json.as_str());
    }
}
