//! What a change answers to the one who asked for it, where that is more than a row of the model.

use std::sync::Arc;

use crate::model::call::Call;
use crate::model::conversation::Conversation;
use crate::model::id::{InvitationId, MessageId, SessionId};
use crate::model::message::{Message, Shared};
use crate::model::notices::Device;
use crate::model::recording::Progress;
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};

/// A conversation as the caller sees it.
#[derive(Clone, Debug)]
pub struct ConversationOpened {
    pub conversation: Arc<Conversation>,
    /// Whether it is new.
    pub created: bool,
}

/// A message as its sender sees it.
#[derive(Clone, Debug)]
pub struct MessageSent {
    pub message: Arc<Shared>,
    /// Whether it had been stored before, under the same `clientMessageId`.
    pub duplicate: bool,
}

/// A call that was started, or the live one that there was.
#[derive(Clone, Debug)]
pub struct CallStarted {
    pub call: Arc<Call>,
    /// Whether it is new.
    pub created: bool,
}

/// What became of a part of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartStored {
    /// It is on disk.
    Stored(Progress),
    /// It was before.
    Repeated(Progress),
    /// A limit is reached: the recording has ended without it.
    Full,
}

/// Where the caller's read mark stands now.
#[derive(Clone, Debug)]
pub struct ReadMarkMoved {
    /// The message that was meant, as the caller sees it.
    pub message: Arc<Message>,
    pub last_read_message_id: MessageId,
    /// What is left.
    pub unread_count: i64,
}

/// A device as its owner sees it.
#[derive(Clone, Debug)]
pub struct DeviceRegistered {
    pub device: Device,
    /// Whether it is new.
    pub created: bool,
}

/// A session and the parts of its tokens.
#[derive(Clone, Debug)]
pub struct SessionOpened {
    pub user: Profile,
    pub session_id: SessionId,
    /// What its access tokens carry.
    pub nonce: SessionNonce,
    /// Works once.
    pub refresh_token: String,
    /// Until when the session can be refreshed.
    pub expires_at: Timestamp,
}

/// An invitation and its secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct Invited {
    pub id: InvitationId,
    /// The secret.
    pub token: String,
    /// What the guest will be.
    pub role: Role,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// The secret of a setup link, which is shown this once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupLink {
    /// The secret.
    pub token: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}
