//! Files that go with messages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::model::id::{AttachmentId, MessageId, UserId};
use crate::model::timestamp::Timestamp;

/// What may stand bare in the last segment of a file's address.
const NAME_BARE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// A stored file as clients see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRef {
    /// Which file.
    pub id: AttachmentId,
    /// Its address on this server, `/attachments/{id}/{name}`.
    pub url: String,
    /// The name that it is saved under.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// The type seen in its bytes.
    pub mime_type: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Pixels, for images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, for images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// A file that went with a message, as a list of a conversation's files shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SentFile {
    /// The file.
    #[serde(flatten)]
    pub file: FileRef,
    /// The message that it went with.
    pub message_id: MessageId,
    /// Who sent it.
    pub sender_id: UserId,
    /// When it arrived.
    pub created_at: Timestamp,
}

/// The address of a stored file on this server.
#[must_use]
pub fn url(id: AttachmentId, name: &str) -> String {
    format!("/attachments/{id}/{}", utf8_percent_encode(name, NAME_BARE))
}

/// The file that an address on this server means; `None` for any other address.
#[must_use]
pub fn id_of_url(url: &str) -> Option<AttachmentId> {
    let (id, name) = url.strip_prefix("/attachments/")?.split_once('/')?;
    if name.is_empty() || name.contains(['/', '?', '#']) { None } else { id.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_file() {
        let id = AttachmentId::new(12).unwrap();
        let address = url(id, "pièce n° 1/2?.pdf");
        assert_eq!(address, "/attachments/12/pi%C3%A8ce%20n%C2%B0%201%2F2%3F.pdf");
        assert_eq!(id_of_url(&address), Some(id));
        for other in
            ["https://example.com/a", "/attachments/0/a", "/attachments/12", "/attachments/12/", "/attachments/1/a/b"]
        {
            assert_eq!(id_of_url(other), None, "{other}");
        }
    }
}
