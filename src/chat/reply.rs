//! What a change answers to the one who asked for it.

use std::sync::Arc;

use crate::model::account::Account;
use crate::model::attachment::FileRef;
use crate::model::conversation::Conversation;
use crate::model::id::{AttachmentId, InvitationId, MessageId, SessionId};
use crate::model::message::{Message, Reaction, Shared};
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};

/// The answer to a command that was carried out.
#[derive(Clone, Debug)]
pub enum Reply {
    /// There is nothing to say but that it is done.
    Done,
    /// The conversation as the caller sees it.
    Conversation {
        /// It.
        conversation: Arc<Conversation>,
        /// Whether it is new.
        created: bool,
    },
    /// The message as the caller sees it.
    Message {
        /// It.
        message: Arc<Shared>,
        /// Whether it had been stored before, under the same `clientMessageId`.
        duplicate: bool,
    },
    /// All reactions of the message.
    Reactions(Vec<Reaction>),
    /// Where the caller's read mark stands now.
    Read {
        /// The message that was meant, as the caller sees it.
        message: Arc<Message>,
        /// The last one read.
        last_read_message_id: MessageId,
        /// What is left.
        unread_count: i64,
    },
    /// A session and the tokens' parts.
    Session(SessionOpened),
    /// The profile as its owner sees it.
    Profile(Profile),
    /// An account as an administrator sees it.
    Account(Account),
    /// An invitation and its secret, which is told this once.
    Invited(Invited),
    /// The secret of a setup link, which is told this once.
    SetupLink {
        /// The secret.
        token: String,
        /// Until when it works.
        expires_at: Timestamp,
    },
    /// Whether another process has written meanwhile.
    Noticed(bool),
    /// Whether there is more that is over than was removed at once.
    Tidied(bool),
    /// A file that can now arrive in chunks.
    UploadBegun(AttachmentId),
    /// A file that is complete.
    File(FileRef),
}

/// See [`Reply::Session`].
#[derive(Clone, Debug)]
pub struct SessionOpened {
    /// Whose.
    pub user: Profile,
    /// Which.
    pub session_id: SessionId,
    /// Works once.
    pub refresh_token: String,
    /// Until when the session can be refreshed.
    pub expires_at: Timestamp,
}

/// See [`Reply::Invited`].
#[derive(Clone, Debug)]
pub struct Invited {
    /// Which.
    pub id: InvitationId,
    /// The secret.
    pub token: String,
    /// What the guest will be.
    pub role: Role,
    /// Until when it works.
    pub expires_at: Timestamp,
}
