//! What a message may consist of: its text, addresses and files.

use std::borrow::Cow;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::chat::attachments::rules::store_inline;
use crate::chat::contract::command::conversations::{FileSource, InlineFile, SendMessage};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::settings::Settings;
use crate::model::attachment::{self, FileRef};
use crate::model::id::{AttachmentId, MessageId};
use crate::model::locale::Text;
use crate::model::text::nfc::nfc;
use crate::model::text::visible;
use crate::model::timestamp::Timestamp;
use crate::store::attachments;
use crate::store::memberships::Membership;

/// Characters of a message, after trimming.
pub const CONTENT_MAX: usize = 10_000;

/// Characters of an address that the sender gives.
const LINK_MAX: usize = 2048;

/// Characters of the sender's own id for a message.
const CLIENT_ID_MAX: usize = 64;

/// The checked body of a message.
#[derive(Debug)]
pub struct Body<'a> {
    /// The text, trimmed, in NFC.
    pub content: Cow<'a, str>,
    /// Addresses elsewhere.
    pub links: Vec<String>,
    /// The same as they are stored.
    pub links_json: Option<String>,
    /// Files, in order.
    pub files: Vec<File<'a>>,
    /// The head of a SHA-256 over all of it, if the sender gave it an id.
    pub digest: Option<[u8; 16]>,
}

/// A file of a message.
#[derive(Debug)]
pub enum File<'a> {
    /// One that was uploaded.
    Stored(AttachmentId),
    /// One that came along.
    Inline(&'a InlineFile),
}

impl<'a> Body<'a> {
    /// Checks what a sender wants to say, with at most so many files and addresses.
    ///
    /// # Errors
    /// `INVALID`, `TOO_LARGE`.
    pub fn check(command: &'a SendMessage, files_max: usize) -> Result<Self, Error> {
        if let Some(client_id) = &command.client_message_id {
            check_client_id(client_id)?;
        }
        let count = command.attachments.len() + command.files.len();
        if count > files_max {
            let message = format!("au plus {files_max} fichiers et adresses ensemble");
            let english = format!("at most {files_max} files and addresses together");
            return Err(Error::invalid("files", Text::new(message, english)));
        }
        let content = Self::check_content(&command.content, count > 0)?;
        let mut links = Vec::new();
        let mut files = Vec::new();
        for address in &command.attachments {
            match attachment::id_of_url(address) {
                Some(id) => files.push(File::Stored(id)),
                None => links.push(check_link(address)?.to_owned()),
            }
        }
        for file in &command.files {
            match file {
                FileSource::Stored(id) => files.push(File::Stored(*id)),
                FileSource::Inline(file) => files.push(File::Inline(file)),
            }
        }
        let links_json =
            if links.is_empty() { None } else { Some(serde_json::to_string(&links).map_err(Error::internal)?) };
        let digest = command.client_message_id.is_some().then(|| digest(command, &content));
        Ok(Self { content, links, links_json, files, digest })
    }

    /// Checks a text, which may only be empty, or hold nothing that can be seen, when something else goes with it.
    ///
    /// # Errors
    /// `INVALID`, `TOO_LARGE`.
    pub fn check_content(content: &str, may_be_empty: bool) -> Result<Cow<'_, str>, Error> {
        let trimmed = content.trim();
        if trimmed.contains('\0') {
            return Err(Error::invalid(
                "content",
                Text::new("ne doit pas contenir de caractère nul", "must not contain a null character"),
            ));
        }
        if !visible::has_visible(trimmed) {
            let text = Text::new("ne doit pas être vide", "must not be empty");
            return if may_be_empty { Ok(Cow::Borrowed("")) } else { Err(Error::invalid("content", text)) };
        }
        let normal = nfc(trimmed);
        if normal.len() > CONTENT_MAX && normal.chars().count() > CONTENT_MAX {
            return Err(Reason::TooLarge.into());
        }
        Ok(normal)
    }

    /// Gives the files to the message, in order.
    ///
    /// # Errors
    /// `NOT_FOUND` for a file that is not the sender's or not of this conversation, `CONFLICT` for one that is not
    /// complete or went with another message, `TOO_LARGE` for what came along and has no room.
    pub fn attach(
        &self,
        conn: &Connection,
        membership: &Membership,
        message_id: MessageId,
        now: Timestamp,
        settings: &Settings,
    ) -> Result<Vec<FileRef>, Error> {
        let (sender_id, conversation_id) = (membership.me.id, membership.conversation.id);
        let mut refs = Vec::with_capacity(self.files.len());
        for (place, file) in self.files.iter().enumerate() {
            let id = match file {
                File::Stored(id) => *id,
                File::Inline(file) => store_inline(conn, sender_id, conversation_id, file, now, settings)?,
            };
            let file = attachments::find(conn, id)?.ok_or(Reason::NotFound)?;
            if file.uploader_id != sender_id || file.conversation_id != conversation_id || file.is_recording {
                return Err(Reason::NotFound.into());
            }
            let Some(file_ref) = file.file_ref().filter(|_| file.message_id.is_none()) else {
                return Err(Reason::FileUnavailable.into());
            };
            attachments::set_message(conn, id, message_id, i64::try_from(place).unwrap_or(i64::MAX))?;
            refs.push(file_ref);
        }
        Ok(refs)
    }
}

fn check_client_id(client_id: &str) -> Result<(), Error> {
    let length = client_id.chars().count();
    if length == 0 || length > CLIENT_ID_MAX || client_id.contains('\0') {
        let french = format!("doit avoir de 1 à {CLIENT_ID_MAX} caractères");
        let english = format!("must have 1 to {CLIENT_ID_MAX} characters");
        return Err(Error::invalid("clientMessageId", Text::new(french, english)));
    }
    Ok(())
}

fn check_link(address: &str) -> Result<&str, Error> {
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let plain = !address.chars().any(|c| c.is_control() || c.is_whitespace() || visible::is_hidden(c));
    let has_host = !rest.is_empty() && !rest.starts_with(['/', '?', '#']);
    if is_web && has_host && plain && address.chars().count() <= LINK_MAX {
        Ok(address)
    } else {
        let text = Text::new(
            "doit contenir des adresses http(s) ou de fichiers d’ici",
            "must hold http(s) addresses or those of files stored here",
        );
        Err(Error::invalid("attachments", text))
    }
}

/// Tells a repetition from a contradiction: each part with its length, so that none can pass for two others.
fn digest(command: &SendMessage, content: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(content.as_bytes());
    part(&command.reply_to_id.map_or(0, MessageId::as_i64).to_le_bytes());
    for address in &command.attachments {
        part(b"address");
        part(address.as_bytes());
    }
    for file in &command.files {
        match file {
            FileSource::Stored(id) => {
                part(b"stored");
                part(&id.as_i64().to_le_bytes());
            }
            FileSource::Inline(file) => {
                part(b"inline");
                part(file.name.as_bytes());
                part(&file.data);
            }
        }
    }
    let whole = hash.finalize();
    let mut head = [0; 16];
    head.copy_from_slice(&whole[..16]);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_stored_in_nfc_and_must_show_something() {
        assert_eq!(Body::check_content(" e\u{301}te\u{301}\n", false).unwrap(), "été");
        for nothing in
            ["", " ", "\u{200b}", "\u{3164}\u{2800}", "\u{feff} \u{301}", "\u{202e}", "\u{fe0f}", "\u{e0020}"]
        {
            assert!(Body::check_content(nothing, false).is_err(), "{nothing:?}");
            assert_eq!(Body::check_content(nothing, true).unwrap(), "", "{nothing:?}");
        }
        let most = "e\u{301}".repeat(CONTENT_MAX);
        assert_eq!(Body::check_content(&most, false).unwrap().chars().count(), CONTENT_MAX);
        assert_eq!(Body::check_content(&format!("{most}x"), false).unwrap_err().reason, Reason::TooLarge);
    }

    #[test]
    fn an_address_is_one_of_the_web_and_shows_all_that_it_holds() {
        for address in ["https://a.fr", "HTTPS://X.fr", "Http://x.fr/é?q=1#a"] {
            assert!(check_link(address).is_ok(), "{address}");
        }
        for address in [
            "javascript://x",
            "ftp://a.fr",
            "https://",
            "https:///x",
            "https://a\u{202e}b.fr",
            "https://a\u{200b}.fr",
            "x",
        ] {
            assert!(check_link(address).is_err(), "{address:?}");
        }
    }
}
