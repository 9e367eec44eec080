//! Why something was refused, in the contract's codes and in the reader's language.
//!
//! Programs decide on [`Code`]; the texts are for people. What a caller may not know of and what does not exist
//! are the same [`Reason::NotFound`].

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::model::fields::Fault;
use crate::model::locale::{Locale, Text};
use crate::store::readers::ReadError;

/// The contract's error codes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A field is missing, of the wrong type, or out of bounds.
    Invalid,
    /// No valid proof of who is asking.
    Unauthenticated,
    /// Seen, but not theirs to do.
    Forbidden,
    /// Not there, or not theirs to know of.
    NotFound,
    /// Contradicts what is stored.
    Conflict,
    /// Over a limit of size.
    TooLarge,
    /// Too many.
    RateLimited,
    /// Our fault.
    Internal,
    /// Shutting down, or storage cannot promise durability.
    Unavailable,
}

impl Code {
    /// Every code, for tables that must be complete.
    pub const ALL: [Self; 9] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::TooLarge,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::TooLarge => "TOO_LARGE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident => $code:ident: $fr:literal, $en:literal;)*) => {
        /// Why, in general.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// The code that goes with it.
            #[must_use]
            pub const fn code(self) -> Code {
                match self {
                    $(Self::$variant => Code::$code,)*
                }
            }

            /// The text for people.
            #[must_use]
            pub const fn text(self, locale: Locale) -> &'static str {
                match (self, locale) {
                    $((Self::$variant, Locale::French) => $fr, (Self::$variant, Locale::English) => $en,)*
                }
            }
        }
    };
}

reasons! {
    /// `details` tell more.
    Invalid => Invalid: "La demande n'est pas valide.", "The request is not valid.";
    /// No token.
    TokenMissing => Unauthenticated: "Token manquant", "Token missing";
    /// A token that proves nothing now.
    TokenInvalid => Unauthenticated: "Token invalide ou expiré", "Token invalid or expired";
    /// Sign-in failed; never says which part was wrong.
    CredentialsWrong => Unauthenticated: "E-mail ou mot de passe incorrect.", "Incorrect e-mail or password.";
    /// Another's message.
    NotTheAuthor => Forbidden: "Vous ne pouvez modifier ou supprimer que vos propres messages.", "You can only edit or delete your own messages.";
    /// The role does not allow it.
    NotAllowed => Forbidden: "Votre rôle ne permet pas cette action.", "Your role does not allow this.";
    /// Sign-up is closed by the operator.
    SignUpClosed => Forbidden: "Les inscriptions sont fermées. Demandez une invitation.", "Sign-up is closed. Ask for an invitation.";
    /// Not there, or not to be known of.
    NotFound => NotFound: "Introuvable.", "Not found.";
    /// A conversation with oneself.
    WithOneself => Conflict: "Vous ne pouvez pas créer une conversation avec vous-même.", "You cannot start a conversation with yourself.";
    /// Not one client and one juriste.
    RolesDoNotMatch => Conflict: "Un client ne peut discuter qu'avec un juriste.", "A client can only talk with a juriste.";
    /// `clientMessageId` seen with another body.
    OtherBody => Conflict: "Cet identifiant a déjà servi pour un autre message.", "This id has already been used for another message.";
    /// Only the tombstone is left.
    MessageDeleted => Conflict: "Ce message a été supprimé.", "This message has been deleted.";
    /// A twenty-first emoji.
    ReactionsFull => Conflict: "Ce message porte déjà le nombre maximal de réactions différentes.", "This message already has the largest number of different reactions.";
    /// The address has an account.
    EmailTaken => Conflict: "Un compte existe déjà avec cet e-mail.", "There already is an account with this e-mail.";
    /// The file went with another message, or is not complete.
    FileUnavailable => Conflict: "Ce fichier ne peut pas être joint.", "This file cannot be attached.";
    /// The practice must keep an administrator.
    LastAdmin => Conflict: "Il doit rester au moins un administrateur actif.", "At least one active administrator must remain.";
    /// The setup link is for the first administrator only.
    AdminExists => Conflict: "Il y a déjà un administrateur.", "There already is an administrator.";
    /// Somebody with conversations stays what they are in them.
    RoleInUse => Conflict: "Cette personne a déjà des conversations : son rôle ne peut plus changer.", "This person already has conversations: their role can no longer change.";
    /// Body, message or file over its limit.
    TooLarge => TooLarge: "L'envoi dépasse la taille permise.", "This is larger than allowed.";
    /// The person's storage is used up.
    QuotaReached => TooLarge: "Votre espace de fichiers est plein.", "Your file storage is full.";
    /// Too many.
    TooMany => RateLimited: "Trop de demandes. Réessayez dans un instant.", "Too many requests. Try again in a moment.";
    /// Our fault.
    Internal => Internal: "Une erreur interne est survenue.", "An internal error occurred.";
    /// Not now.
    Unavailable => Unavailable: "Le service est momentanément indisponible.", "The service is unavailable at the moment.";
    /// The disk is full.
    StorageFull => Unavailable: "Le stockage est plein : rien ne peut être enregistré pour l'instant.", "Storage is full: nothing can be saved at the moment.";
}

/// A [`Fault`] as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Detail<'a> {
    /// The field's name on the wire.
    pub field: &'a str,
    /// What is wrong with it.
    pub message: &'a str,
}

/// A refusal. Cheap to make, cloned never.
#[derive(Debug)]
pub struct Error {
    /// Why.
    pub reason: Reason,
    /// Which fields, when the reason is [`Reason::Invalid`].
    pub details: Vec<Fault>,
    /// After how long it may be tried again, when there were too many.
    pub retry_after: Option<Duration>,
    /// The random id that the log line of an internal error has too.
    pub reference: Option<String>,
    /// What happened, for the log alone.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// One field is not as it must be.
    #[must_use]
    pub fn invalid(field: &'static str, message: Text) -> Self {
        Self::from(vec![Fault::new(field, message)])
    }

    /// Too many; to be tried again after this time.
    #[must_use]
    pub fn too_many(retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::from(Reason::TooMany) }
    }

    /// Our fault. The cause goes to the log under the reference, and nowhere else.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut random = [0; 8];
        let reference = match getrandom::fill(&mut random) {
            Ok(()) => format!("{:016x}", u64::from_be_bytes(random)),
            Err(_) => "0".repeat(16),
        };
        Self { reference: Some(reference), cause: Some(cause.into()), ..Self::from(Reason::Internal) }
    }

    /// The code that programs decide on.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.reason.code()
    }

    /// The text for people.
    #[must_use]
    pub fn text(&self, locale: Locale) -> Cow<'static, str> {
        match (&self.reference, locale) {
            (Some(reference), Locale::French) => {
                format!("{} Référence : {reference}.", self.reason.text(locale)).into()
            }
            (Some(reference), Locale::English) => {
                format!("{} Reference: {reference}.", self.reason.text(locale)).into()
            }
            (None, _) => self.reason.text(locale).into(),
        }
    }

    /// The details as they are shown.
    pub fn shown_details(&self, locale: Locale) -> impl Iterator<Item = Detail<'_>> {
        self.details.iter().map(move |fault| Detail { field: &fault.field, message: fault.message.show(locale) })
    }

    /// Whole seconds to wait, at least one, when there were too many.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after.map(|wait| u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1))
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self { reason, details: Vec::new(), retry_after: None, reference: None, cause: None }
    }
}

impl From<Vec<Fault>> for Error {
    fn from(details: Vec<Fault>) -> Self {
        Self { details, ..Self::from(Reason::Invalid) }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => {
                Self { cause: Some(Box::new(cause)), ..Self::from(Reason::Unavailable) }
            }
            Some(rusqlite::ErrorCode::DiskFull) => {
                Self { cause: Some(Box::new(cause)), ..Self::from(Reason::StorageFull) }
            }
            _ => Self::internal(cause),
        }
    }
}

impl From<ReadError> for Error {
    fn from(cause: ReadError) -> Self {
        match cause {
            ReadError::TooMany => Reason::Unavailable.into(),
            ReadError::Sql(cause) => cause.into(),
            ReadError::Pool(_) | ReadError::Panicked => Self::internal(cause),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code().as_str(), self.text(Locale::English))?;
        for detail in &self.details {
            write!(f, " {} {};", detail.field, detail.message.show(Locale::English))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
