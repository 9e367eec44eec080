//! What can be asked to change about files on their way.

use bytes::Bytes;

use crate::model::id::{AttachmentId, ConversationId};

/// Announces a file.
#[derive(Debug)]
pub struct BeginUpload {
    pub conversation_id: ConversationId,
    /// The sender's name for it.
    pub name: String,
    /// Bytes, where known in advance.
    pub size: Option<u64>,
    /// Whether it may come in several requests; its size is known then.
    pub is_resumable: bool,
}

/// Stores the next bytes of a file.
#[derive(Debug)]
pub struct AppendChunk {
    pub attachment_id: AttachmentId,
    /// How many have arrived before.
    pub offset: u64,
    /// The next bytes.
    pub data: Bytes,
}

/// Closes a file: from now on it can go with a message.
#[derive(Debug)]
pub struct FinishUpload {
    pub attachment_id: AttachmentId,
    /// Of all its bytes.
    pub sha256: [u8; 32],
    /// The type seen in its bytes.
    pub mime_type: String,
    /// Pixels, for images.
    pub dimensions: Option<(u32, u32)>,
}

/// Forgets a file that no message took.
#[derive(Debug)]
pub struct CancelUpload {
    pub attachment_id: AttachmentId,
}
