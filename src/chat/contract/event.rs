//! All that can be announced, and to whom.
//!
//! An audience is computed in the transaction that makes the event. It names people, never sockets: whoever
//! holds the sockets knows which of them have joined.

use std::sync::Arc;

use crate::chat::contract::presence::Presence;
use crate::model::billing::ShownInvoice;
use crate::model::call::Call;
use crate::model::conversation::{Conversation, Members};
use crate::model::id::{CallId, ConversationId, MessageId, SessionId, UserId};
use crate::model::message::{Reaction, Shared};
use crate::model::notices::NoticeSettings;
use crate::model::party::Buyer;
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;
use crate::store::conversations::Whole;

/// Characters of a message that a notification shows.
const PREVIEW_MAX: usize = 140;

/// One event and the sockets that it is for.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// For whom.
    pub audience: Audience,
    /// What happened.
    pub event: Event,
    /// When.
    pub at: Timestamp,
}

/// The sockets that an event is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// The sockets of both members that have joined the conversation.
    Joined(ConversationId, Members),
    /// The sockets of one member that have not joined the conversation.
    NotJoinedOf(ConversationId, UserId),
    /// All sockets of both members.
    Members(Members),
    /// All sockets of one member.
    Member(UserId),
    /// All sockets of one session.
    Session(UserId, SessionId),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// `message:new`
    MessageSent(Arc<Shared>),
    /// `message:edited`
    MessageEdited(Arc<Shared>),
    /// `message:deleted`
    MessageDeleted(Arc<Shared>),
    /// `message:reaction`
    MessageReacted(MessageReacted),
    /// `message:read:ack`
    MessageRead(MessageRead),
    /// `conversation:new`
    ConversationCreated(State),
    /// `conversation:updated`
    ConversationUpdated(State),
    /// `notification`
    Notified(Notified),
    /// `notifications:settings`
    NoticesChanged(Arc<NoticeSettings>),
    /// `invoice:updated`
    InvoiceUpdated(Arc<ShownInvoice>),
    /// `billing:updated`
    BuyerChanged(BuyerChanged),
    /// `call:incoming`
    CallIncoming(Arc<Call>),
    /// `call:updated`
    CallUpdated(Arc<Call>),
    /// Somebody sits in a call now; whoever had their seat is told `call:taken`.
    CallSeated(CallSeated),
    /// The session has ended: `auth:expired`, and its sockets are closed.
    SessionEnded(SessionEnding),
}

/// How a conversation stands now. Each member sees it from their side; it is drawn only for those who get it.
#[derive(Clone, Debug)]
pub struct State(Arc<Whole>);

impl State {
    pub(crate) fn new(whole: Whole) -> Self {
        Self(Arc::new(whole))
    }

    /// Which conversation.
    #[must_use]
    pub fn conversation_id(&self) -> ConversationId {
        self.0.row.id
    }

    /// The two people.
    #[must_use]
    pub fn members(&self) -> Members {
        self.0.row.members
    }

    /// As this member sees it.
    #[must_use]
    pub fn seen_by(&self, user_id: UserId, presence: &Presence) -> Conversation {
        presence.marked(self.0.seen_by(user_id))
    }
}

/// A reaction came or went.
#[derive(Clone, Debug)]
pub struct MessageReacted {
    /// Which message.
    pub message_id: MessageId,
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// Which emoji.
    pub emoji: String,
    /// Who.
    pub user_id: UserId,
    /// Whether it was taken back.
    pub removed: bool,
    /// All that are there now.
    pub reactions: Vec<Reaction>,
    /// The change's number.
    pub rev: i64,
}

/// Somebody sits in a call now.
#[derive(Clone, Debug)]
pub struct CallSeated {
    pub call_id: CallId,
    pub user_id: UserId,
    /// The window or device.
    pub seat: String,
}

/// Somebody has read.
#[derive(Clone, Debug)]
pub struct MessageRead {
    /// Everything up to this one is read.
    pub message_id: MessageId,
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// By whom.
    pub read_by: UserId,
}

/// Another way in which somebody is to be billed.
#[derive(Clone, Debug)]
pub struct BuyerChanged {
    /// Who is billed so.
    pub user_id: UserId,
    /// How.
    pub buyer: Buyer,
}

/// A message for somebody who does not have the conversation open.
#[derive(Clone, Debug)]
pub struct Notified {
    /// What was said.
    pub message: Arc<Shared>,
    /// By whom.
    pub sender: Arc<Person>,
    /// How many the recipient has not read there.
    pub unread_count: i64,
}

impl Notified {
    /// The beginning of the text, in one line.
    #[must_use]
    pub fn preview(&self) -> String {
        let content = self.message.content.as_str();
        let line = content.char_indices().nth(PREVIEW_MAX).map_or(content, |(end, _)| &content[..end]);
        let mut preview: String = line.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        if line.len() < content.len() {
            preview.push('…');
        }
        preview
    }
}

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionEnding {
    /// Signed out on that device.
    SignedOut,
    /// Ended from another device or by an administrator.
    Revoked,
    /// The password was changed elsewhere.
    PasswordChanged,
    /// The account was disabled.
    Disabled,
    /// A refresh token was shown twice.
    TokenReused,
    /// The signing keys were replaced: the session goes on, with a new access token.
    KeysRotated,
}

impl SessionEnding {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::SignedOut, Self::Revoked, Self::PasswordChanged, Self::Disabled, Self::TokenReused, Self::KeysRotated];

    /// The reason with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The word on the wire, in `auth:expired {reason}`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::PasswordChanged => "password_changed",
            Self::Disabled => "disabled",
            Self::TokenReused => "token_reused",
            Self::KeysRotated => "keys_rotated",
        }
    }
}
