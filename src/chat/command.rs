//! All that can be asked to change. A command says what is wanted; who wants it is the actor beside it.
//!
//! Slow work is done before: a password arrives here hashed, a file in chunks.

use std::net::IpAddr;

use bytes::Bytes;

use crate::model::email::Email;
use crate::model::id::{AttachmentId, ConversationId, InvitationId, MessageId, SessionId, UserId};
use crate::model::locale::Locale;
use crate::model::person_name::PersonName;
use crate::model::user::{PasswordHash, Role};

/// One change to the practice's truth.
#[derive(Debug)]
pub enum Command {
    /// Opens the conversation with somebody, or finds the one that exists.
    CreateConversation(CreateConversation),
    /// Says something.
    SendMessage(SendMessage),
    /// Changes one's own text; the earlier one is kept.
    EditMessage(EditMessage),
    /// Removes one's own message; a tombstone stays.
    DeleteMessage(DeleteMessage),
    /// Adds or removes one's own emoji under a message.
    ReactToMessage(ReactToMessage),
    /// Reads a message and all before it.
    ReadMessage(ReadMessage),
    /// Reads everything in a conversation.
    ReadConversation(ReadConversation),

    /// Opens an account for oneself.
    SignUp(SignUp),
    /// Counts an attempt to prove who one is against the address that it comes from, or refuses it.
    AdmitAttempt(AdmitAttempt),
    /// Opens a session for somebody whose password was right.
    OpenSession(OpenSession),
    /// Counts a wrong password against the account that was tried.
    FailSignIn(FailSignIn),
    /// Trades a refresh token for the next one.
    RefreshSession(RefreshSession),
    /// Ends the session that asks.
    SignOut,
    /// Ends one of one's own sessions.
    EndSession(EndSession),
    /// Changes one's own name or language.
    UpdateProfile(UpdateProfile),
    /// Sets one's own password and ends the other sessions.
    ChangePassword(ChangePassword),
    /// Replaces a hash by a stronger one of the same password.
    Rehash(Rehash),
    /// Notes that somebody's last socket has left. System only.
    RecordLastSeen(RecordLastSeen),

    /// Invites somebody to open an account.
    CreateInvitation(CreateInvitation),
    /// Takes an invitation back.
    RevokeInvitation(RevokeInvitation),
    /// Opens an account by invitation.
    AcceptInvitation(AcceptInvitation),
    /// Makes a one-time link for the first administrator. System only.
    CreateSetupLink(CreateSetupLink),
    /// Opens the first administrator's account.
    SetUp(SetUp),

    /// Opens an account without invitation. System only.
    AddUser(AddUser),
    /// Changes somebody's state, role or name. Administrators only.
    UpdateUser(UpdateUser),
    /// Sets somebody's password and ends their sessions. System only.
    SetPassword(SetPassword),
    /// Ends all of somebody's sessions. Administrators only.
    EndUserSessions(EndUserSessions),

    /// Announces a file.
    BeginUpload(BeginUpload),
    /// Stores the next bytes of a file.
    AppendChunk(AppendChunk),
    /// Closes a file: from now on it can go with a message.
    FinishUpload(FinishUpload),
    /// Forgets a file that did not arrive whole.
    CancelUpload(CancelUpload),
    /// Puts new signing keys into use; the ones before still verify what they signed. System only.
    RotateKeys,
    /// Tells what another process, such as the command line, has changed meanwhile. System only.
    Notice,
    /// Makes the latest messages findable. System only.
    IndexWords,
    /// Removes what is over: files that no message took, ended sessions, old throttles. System only.
    Tidy,
}

/// See [`Command::CreateConversation`].
#[derive(Debug)]
pub struct CreateConversation {
    /// The other party.
    pub participant_id: UserId,
}

/// See [`Command::SendMessage`].
#[derive(Debug)]
pub struct SendMessage {
    /// Where.
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

/// See [`Command::EditMessage`].
#[derive(Debug)]
pub struct EditMessage {
    /// Which.
    pub message_id: MessageId,
    /// The new text.
    pub content: String,
}

/// See [`Command::DeleteMessage`].
#[derive(Debug)]
pub struct DeleteMessage {
    /// Which.
    pub message_id: MessageId,
}

/// See [`Command::ReactToMessage`].
#[derive(Debug)]
pub struct ReactToMessage {
    /// Which.
    pub message_id: MessageId,
    /// One grapheme of emoji.
    pub emoji: String,
    /// Takes it back instead.
    pub remove: bool,
}

/// See [`Command::ReadMessage`].
#[derive(Debug)]
pub struct ReadMessage {
    /// The last one read.
    pub message_id: MessageId,
}

/// See [`Command::ReadConversation`].
#[derive(Debug)]
pub struct ReadConversation {
    /// Which.
    pub conversation_id: ConversationId,
}

/// Where a session is opened from.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// What the caller's program calls itself.
    pub user_agent: Option<String>,
}

/// See [`Command::SignUp`].
#[derive(Debug)]
pub struct SignUp {
    /// Full name.
    pub name: PersonName,
    /// Address to sign in with.
    pub email: Email,
    /// Only `client` is allowed.
    pub role: Role,
    /// Already hashed.
    pub password: PasswordHash,
    /// Their language.
    pub locale: Locale,
    /// Where the first session is opened.
    pub device: Device,
}

/// See [`Command::OpenSession`].
#[derive(Debug)]
pub struct OpenSession {
    /// Whose password was right.
    pub user_id: UserId,
    /// The hash that it was checked against; a newer one refuses.
    pub password: PasswordHash,
    /// Where.
    pub device: Device,
}

/// See [`Command::AdmitAttempt`].
#[derive(Debug)]
pub struct AdmitAttempt {
    /// Where from.
    pub address: Option<IpAddr>,
}

/// See [`Command::FailSignIn`].
#[derive(Debug)]
pub struct FailSignIn {
    /// The e-mail that was tried.
    pub email: String,
    /// Where from.
    pub address: Option<IpAddr>,
}

/// See [`Command::RefreshSession`].
#[derive(Debug)]
pub struct RefreshSession {
    /// The token that was shown.
    pub refresh_token: String,
    /// Where from.
    pub device: Device,
}

/// See [`Command::EndSession`].
#[derive(Debug)]
pub struct EndSession {
    /// Which.
    pub session_id: SessionId,
}

/// See [`Command::UpdateProfile`].
#[derive(Debug, Default)]
pub struct UpdateProfile {
    /// A new name.
    pub name: Option<PersonName>,
    /// A new language.
    pub locale: Option<Locale>,
}

/// See [`Command::ChangePassword`].
#[derive(Debug)]
pub struct ChangePassword {
    /// The hash that the current password was checked against; a newer one refuses.
    pub current: PasswordHash,
    /// The next one.
    pub next: PasswordHash,
}

/// See [`Command::Rehash`].
#[derive(Debug)]
pub struct Rehash {
    /// Whose.
    pub user_id: UserId,
    /// The hash that is replaced; a newer one stays.
    pub current: PasswordHash,
    /// The stronger one.
    pub next: PasswordHash,
}

/// See [`Command::RecordLastSeen`].
#[derive(Debug)]
pub struct RecordLastSeen {
    /// Who left.
    pub user_id: UserId,
}

/// See [`Command::CreateInvitation`].
#[derive(Debug)]
pub struct CreateInvitation {
    /// What the guest will be.
    pub role: Role,
    /// Their name, if known.
    pub name: Option<PersonName>,
    /// Their address, if known.
    pub email: Option<Email>,
}

/// See [`Command::RevokeInvitation`].
#[derive(Debug)]
pub struct RevokeInvitation {
    /// Which.
    pub invitation_id: InvitationId,
}

/// See [`Command::AcceptInvitation`].
#[derive(Debug)]
pub struct AcceptInvitation {
    /// The link's secret.
    pub token: String,
    /// Full name.
    pub name: PersonName,
    /// Address to sign in with.
    pub email: Email,
    /// Already hashed.
    pub password: PasswordHash,
    /// Their language.
    pub locale: Locale,
    /// Where the first session is opened.
    pub device: Device,
}

/// See [`Command::CreateSetupLink`].
#[derive(Debug)]
pub struct CreateSetupLink {}

/// See [`Command::SetUp`].
#[derive(Debug)]
pub struct SetUp {
    /// The link's secret.
    pub token: String,
    /// Full name.
    pub name: PersonName,
    /// Address to sign in with.
    pub email: Email,
    /// Already hashed.
    pub password: PasswordHash,
    /// Their language.
    pub locale: Locale,
    /// Where the first session is opened.
    pub device: Device,
}

/// See [`Command::AddUser`].
#[derive(Debug)]
pub struct AddUser {
    /// Full name.
    pub name: PersonName,
    /// Address to sign in with.
    pub email: Email,
    /// What they are.
    pub role: Role,
    /// A juriste's field of law.
    pub specialty: Option<String>,
    /// Already hashed.
    pub password: PasswordHash,
}

/// See [`Command::UpdateUser`].
#[derive(Debug)]
pub struct UpdateUser {
    /// Whom.
    pub user_id: UserId,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
    /// What they are.
    pub role: Option<Role>,
    /// Full name.
    pub name: Option<PersonName>,
}

/// See [`Command::SetPassword`].
#[derive(Debug)]
pub struct SetPassword {
    /// Whose.
    pub user_id: UserId,
    /// Already hashed.
    pub password: PasswordHash,
}

/// See [`Command::EndUserSessions`].
#[derive(Debug)]
pub struct EndUserSessions {
    /// Whose.
    pub user_id: UserId,
}

/// See [`Command::BeginUpload`].
#[derive(Debug)]
pub struct BeginUpload {
    /// For which conversation.
    pub conversation_id: ConversationId,
    /// The sender's name for it.
    pub name: String,
    /// Bytes, where known in advance.
    pub size: Option<u64>,
}

/// See [`Command::AppendChunk`].
#[derive(Debug)]
pub struct AppendChunk {
    /// Of which file.
    pub attachment_id: AttachmentId,
    /// The next bytes.
    pub data: Bytes,
}

/// See [`Command::FinishUpload`].
#[derive(Debug)]
pub struct FinishUpload {
    /// Which file.
    pub attachment_id: AttachmentId,
    /// Of all its bytes.
    pub sha256: [u8; 32],
    /// The type seen in its bytes.
    pub mime_type: String,
    /// Pixels, for images.
    pub dimensions: Option<(u32, u32)>,
}

/// See [`Command::CancelUpload`].
#[derive(Debug)]
pub struct CancelUpload {
    /// Which file.
    pub attachment_id: AttachmentId,
}
