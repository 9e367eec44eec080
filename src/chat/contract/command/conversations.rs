//! What can be asked to change in conversations.

use bytes::Bytes;

use crate::model::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;

/// Opens the conversation with somebody, or finds the one that exists.
#[derive(Debug)]
pub struct CreateConversation {
    /// The other party.
    pub participant_id: UserId,
}

/// Says something.
#[derive(Debug)]
pub struct SendMessage {
    pub conversation_id: ConversationId,
    /// What; trimmed, 1…10 000 characters, or empty with a file.
    pub content: String,
    /// Addresses elsewhere; one of a stored file counts as that file.
    pub attachments: Vec<String>,
    /// Files.
    pub files: Vec<FileSource>,
    /// The message of the same conversation that it answers.
    pub reply_to_id: Option<MessageId>,
    /// The sender's own id for it, ≤ 64 characters: the same id gives the same message for ever.
    pub client_message_id: Option<String>,
}

/// A file to go with a message.
#[derive(Debug)]
pub enum FileSource {
    /// One that was uploaded.
    Stored(AttachmentId),
    /// One that arrived with the message.
    Inline(InlineFile),
}

/// A small file that arrived with its message.
#[derive(Debug)]
pub struct InlineFile {
    /// The sender's name for it.
    pub name: String,
    /// All of it.
    pub data: Bytes,
}

/// Changes one's own text; the earlier one is kept.
#[derive(Debug)]
pub struct EditMessage {
    pub message_id: MessageId,
    /// The new text.
    pub content: String,
}

/// Removes one's own message; a tombstone stays.
#[derive(Debug)]
pub struct DeleteMessage {
    pub message_id: MessageId,
}

/// Adds or removes one's own emoji under a message.
#[derive(Debug)]
pub struct ReactToMessage {
    pub message_id: MessageId,
    /// One grapheme of emoji.
    pub emoji: String,
    /// Takes it back instead.
    pub remove: bool,
}

/// Reads a message and all before it.
#[derive(Debug)]
pub struct ReadMessage {
    /// The last one read.
    pub message_id: MessageId,
}

/// Marks a message and all after it as unread, in one's own eyes only.
#[derive(Debug)]
pub struct MarkUnread {
    pub conversation_id: ConversationId,
    /// The first one that is unread.
    pub message_id: MessageId,
}

/// Reads everything in a conversation.
#[derive(Debug)]
pub struct ReadConversation {
    pub conversation_id: ConversationId,
}

/// Wants no notices of a conversation for a while; on one's own behalf.
#[derive(Debug)]
pub struct MuteConversation {
    pub conversation_id: ConversationId,
    /// Until when; `None` ends it.
    pub muted_until: Option<Timestamp>,
}
