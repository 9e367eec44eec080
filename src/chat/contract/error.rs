//! Why something was refused, in the contract's codes and in the reader's language.
//!
//! Programs decide on [`Code`]; the texts are for people. What a caller may not know of and what does not exist
//! are the same [`Reason::NotFound`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::model::fields::Fault;
use crate::model::locale::{Locale, Text};
use crate::store::database;
use crate::store::database::readers::ReadError;

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
    /// There, but not by this method.
    MethodNotAllowed,
    /// Contradicts what is stored.
    Conflict,
    /// In a form that is not taken.
    Unsupported,
    /// Meant for another server.
    Misdirected,
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
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Unsupported,
        Self::Misdirected,
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
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Conflict => "CONFLICT",
            Self::Unsupported => "UNSUPPORTED",
            Self::Misdirected => "MISDIRECTED",
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
            /// Every reason, for tables that must be complete.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, for counters: it never changes with the language.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }

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
    /// `details` say more.
    Invalid => Invalid: "La demande n’est pas valide.", "The request is not valid.";
    /// No token.
    TokenMissing => Unauthenticated: "Token manquant", "Token missing";
    /// A token that proves nothing now.
    TokenInvalid => Unauthenticated: "Token invalide ou expiré", "Token invalid or expired";
    /// Sign-in failed; never says which part was wrong.
    CredentialsWrong => Unauthenticated: "E-mail ou mot de passe incorrect.", "Incorrect e-mail or password.";
    /// Another's message.
    NotTheAuthor => Forbidden: "Vous ne pouvez modifier ou supprimer que vos propres messages.", "You can only edit or delete your own messages.";
    /// An entry of a call or an invoice: only the server writes and changes those.
    NotAText => Forbidden: "Cette ligne vient du serveur : elle ne peut être ni modifiée ni supprimée.", "This entry was made by the server: it can be neither edited nor deleted.";
    /// Older than `--edit-window`.
    TooOld => Forbidden: "Ce message est trop ancien pour être modifié ou supprimé.", "This message is too old to be edited or deleted.";
    /// A stranger's new conversations, until a juriste answered.
    StrangerConversations => RateLimited: "Attendez la réponse d’un juriste avant d’ouvrir d’autres conversations.", "Wait for a juriste's answer before you open more conversations.";
    /// New accounts from one address.
    TooManyAccounts => RateLimited: "Trop de comptes ont été créés depuis cette adresse. Réessayez demain.", "Too many accounts were opened from this address. Try again tomorrow.";
    /// The role does not allow it.
    NotAllowed => Forbidden: "Votre rôle ne permet pas cette action.", "Your role does not allow this.";
    /// Calls are off, or not for this role.
    CallsNotAllowed => Forbidden: "Vous ne pouvez pas lancer d’appel ici.", "You cannot start calls here.";
    /// To decline is the callee's.
    NotTheCallee => Forbidden: "Seule la personne appelée peut refuser un appel.", "Only the person who is called can decline a call.";
    /// Somebody has one call at a time.
    InAnotherCall => Conflict: "Vous êtes déjà en appel.", "You are in a call already.";
    /// There is nothing to join.
    CallOver => Conflict: "Cet appel est terminé.", "This call is over.";
    /// A direct call is led by a socket.
    SocketNeeded => Conflict: "Cet appel se rejoint par le socket (call:join).", "This call is joined by the socket (call:join).";
    /// Too late to decline.
    CallAnswered => Conflict: "Vous avez déjà répondu à cet appel.", "You have answered this call already.";
    /// Another window or device of the same person has the seat.
    SeatElsewhere => Conflict: "Vous êtes déjà dans cet appel sur un autre appareil ou dans une autre fenêtre.", "You are in this call already, on another device or in another window.";
    /// The operator allows none.
    RecordingsOff => Forbidden: "Les appels ne peuvent pas être enregistrés ici.", "Calls cannot be recorded here.";
    /// Another device, or another person, records.
    NotTheRecorder => Forbidden: "Seul l’appareil qui enregistre peut faire cela.", "Only the device that records can do this.";
    /// One asks and agrees in a call in which one is.
    NotInCall => Conflict: "Vous n’êtes pas dans cet appel.", "You are not in this call.";
    /// Neither asked nor under way.
    NotRecording => Conflict: "Cet appel n’est pas en cours d’enregistrement.", "This call is not being recorded.";
    /// One file for each call.
    AlreadyRecorded => Conflict: "Cet appel a déjà été enregistré.", "This call has already been recorded.";
    /// What runs is stopped, and not deleted.
    StillRecording => Conflict: "L’enregistrement est en cours : arrêtez-le d’abord.", "The recording is under way: stop it first.";
    /// The page asks something else than this server.
    OtherWording => Conflict: "La question a changé : rechargez la page.", "The question has changed: load the page anew.";
    /// Recordings together have a limit.
    RecordingsFull => TooLarge: "L’espace des enregistrements est plein : l’enregistrement s’est arrêté, ce qui précède est gardé.", "The space for recordings is full: the recording has stopped, what came before is kept.";
    /// Sign-up is closed by the operator.
    SignUpClosed => Forbidden: "Les inscriptions sont fermées. Demandez une invitation.", "Sign-up is closed. Ask for an invitation.";
    /// Not there, or not to be known of.
    NotFound => NotFound: "Introuvable.", "Not found.";
    /// Another method than those of the address.
    MethodNotAllowed => MethodNotAllowed: "Cette méthode n’existe pas à cette adresse.", "There is no such method at this address.";
    /// A body in a form that is not taken.
    Unsupported => Unsupported: "Le contenu est envoyé sous une forme qui n’est pas prise en charge.", "The content is sent in a form that is not supported.";
    /// A host name that is not this server's.
    Misdirected => Misdirected: "Ce serveur ne répond pas à ce nom.", "This server does not answer to that name.";
    /// A conversation with oneself.
    WithOneself => Conflict: "Vous ne pouvez pas créer une conversation avec vous-même.", "You cannot start a conversation with yourself.";
    /// Not one client and one juriste.
    RolesDoNotMatch => Conflict: "Un client ne peut discuter qu’avec un juriste.", "A client can only talk with a juriste.";
    /// `clientMessageId` seen with another body.
    OtherBody => Conflict: "Cet identifiant a déjà servi pour un autre message.", "This id has already been used for another message.";
    /// A rev, or the name of a history, that this database has not given.
    OtherHistory => Conflict: "L’historique a changé : oubliez ce qui était connu et rejoignez la conversation.", "The history has changed: forget what was known and join the conversation anew.";
    /// Only the tombstone is left.
    MessageDeleted => Conflict: "Ce message a été supprimé.", "This message has been deleted.";
    /// The account of somebody in the conversation is closed.
    AccountClosed => Conflict: "Le compte de votre correspondant est fermé : il ne peut plus recevoir ni messages ni appels.", "The account of the person you write to is closed: they can receive no more messages or calls.";
    /// A twenty-first emoji.
    ReactionsFull => Conflict: "Ce message porte déjà le nombre maximal de réactions différentes.", "This message already has the largest number of different reactions.";
    /// The address has an account.
    EmailTaken => Conflict: "Un compte existe déjà avec cet e-mail.", "There already is an account with this e-mail.";
    /// The file went with another message, or is not complete.
    FileUnavailable => Conflict: "Ce fichier ne peut pas être joint.", "This file cannot be attached.";
    /// Bytes that do not continue those that have arrived.
    OtherOffset => Conflict: "L’envoi ne reprend pas là où il s’était arrêté.", "The upload does not go on where it stopped.";
    /// The practice must keep an administrator.
    LastAdmin => Conflict: "Il doit rester au moins un administrateur actif.", "At least one active administrator must remain.";
    /// The setup link is for the first administrator only.
    AdminExists => Conflict: "Il y a déjà un administrateur.", "There already is an administrator.";
    /// Somebody with conversations stays what they are in them.
    RoleInUse => Conflict: "Cette personne a déjà des conversations : son rôle ne peut plus changer.", "This person already has conversations: their role can no longer change.";
    /// A restored copy does not know which numbers left the house.
    BillingOnHold => Conflict: "La facturation est suspendue depuis une restauration : un administrateur doit la reprendre.", "Billing has been on hold since a restore: an administrator must resume it.";
    /// There is nothing to resume.
    NotOnHold => Conflict: "La facturation n’est pas suspendue.", "Billing is not on hold.";
    /// The numbers that are named lie before those of this copy.
    NumbersBehind => Conflict: "Cette base a déjà donné un numéro plus récent.", "This database has already given out a later number.";
    /// Only a draft changes.
    AlreadyIssued => Conflict: "Cette facture est émise : elle ne change plus.", "This invoice is issued: it no longer changes.";
    /// A draft has no document and takes no money.
    NotIssued => Conflict: "Cette facture n’est pas encore émise.", "This invoice is not issued yet.";
    /// A credit note takes no money.
    NotAnInvoice => Conflict: "C’est un avoir : rien n’est à payer.", "This is a credit note: there is nothing to pay.";
    /// The day lies before the last one of the series.
    ClockBehind => Conflict: "L’horloge du serveur est en retard sur la dernière facture.", "The server's clock is behind the latest invoice.";
    /// A deposit that cannot be deducted.
    DepositUnavailable => Conflict: "Un acompte ne peut pas être déduit.", "A deposit cannot be deducted.";
    /// A deposit that a final invoice deducts is taken back with that invoice.
    DepositDeducted => Conflict: "Cet acompte est déduit d’une facture : créditez celle-ci.", "A final invoice deducts this deposit: credit that one.";
    /// More than credit notes have left.
    NothingLeft => Conflict: "C’est plus que ce qui reste de la facture.", "This is more than what is left of the invoice.";
    /// Everything is paid.
    NothingToPay => Conflict: "Rien n’est à payer.", "There is nothing to pay.";
    /// A payment is under way.
    PaymentInProcess => Conflict: "Un paiement est déjà en cours.", "A payment is already under way.";
    /// No Stripe, too little for it, or a key of the other kind.
    NoOnlinePayment => Conflict: "Cette facture ne peut pas être payée en ligne.", "This invoice cannot be paid online.";
    /// More than came too much, or than Stripe holds.
    RefundTooLarge => Conflict: "C’est plus que ce qui peut être remboursé.", "This is more than what can be refunded.";
    /// What Stripe told, and reversals, are not taken back by hand.
    NotByHand => Conflict: "Seul un paiement noté à la main s’annule.", "Only a payment that was noted by hand can be taken back.";
    /// It was taken back.
    AlreadyReversed => Conflict: "Ce paiement est déjà annulé.", "This payment has already been taken back.";
    /// A payment is not taken out of the books once its money has gone back.
    AlreadyRefunded => Conflict: "Cet argent a déjà été rendu, ou va l’être : annulez d’abord le remboursement noté à la main.", "This money has gone back already, or is about to: first take back the refund that was noted by hand.";
    /// Slips of one invoice.
    TooManySlips => Conflict: "Ce dépôt a déjà été corrigé trop de fois.", "This transmission has been corrected too many times already.";
    /// Body, message or file over its limit.
    TooLarge => TooLarge: "L’envoi dépasse la taille permise.", "This is larger than allowed.";
    /// An export that is too long for one paper.
    PaperTooLong => TooLarge: "Cette conversation est trop longue pour un seul PDF. Choisissez une période, ou le format HTML.", "This conversation is too long for one PDF. Choose a period, or the HTML format.";
    /// A stranger's files, until a juriste answered.
    StrangerFiles => TooLarge: "Votre espace de fichiers est limité jusqu’à la réponse d’un juriste.", "Your file storage is limited until a juriste has answered.";
    /// The person's storage is used up.
    QuotaReached => TooLarge: "Votre espace de fichiers est plein.", "Your file storage is full.";
    /// No channel by which such a device is reached.
    ChannelOff => Conflict: "Ce moyen d’être prévenu n’est pas configuré sur ce serveur.", "This way of being notified is not set up on this server.";
    /// It has left, or is worth nothing any more.
    DeliveryOver => Conflict: "Cet envoi est terminé.", "This delivery is over.";
    /// A person's devices.
    TooManyDevices => Conflict: "Vous avez déjà le nombre maximal d’appareils : retirez-en un.", "You already have the largest number of devices: remove one.";
    /// Too many.
    TooMany => RateLimited: "Trop de demandes. Réessayez dans un instant.", "Too many requests. Try again in a moment.";
    /// One reminder a day.
    RemindedToday => RateLimited: "Un rappel est déjà parti aujourd’hui.", "A reminder has already been sent today.";
    /// Our fault.
    Internal => Internal: "Une erreur interne est survenue.", "An internal error occurred.";
    /// Not now.
    Unavailable => Unavailable: "Le service est momentanément indisponible.", "The service is unavailable at the moment.";
    /// A document is still being made.
    DocumentPending => Unavailable: "Le document est en préparation. Réessayez dans un instant.", "The document is being made. Try again in a moment.";
    /// Stripe does not answer.
    StripeUnreachable => Unavailable: "Le paiement en ligne ne répond pas. Réessayez dans un instant.", "Online payment does not answer. Try again in a moment.";
    /// The disk is full.
    StorageFull => Unavailable: "Le stockage est plein : rien ne peut être enregistré pour l’instant.", "Storage is full: nothing can be saved at the moment.";
}

/// A [`Fault`] as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Detail<'a> {
    /// The field's name on the wire.
    pub field: &'a str,
    /// What is wrong with it.
    pub message: &'a str,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'a Value>,
}

/// A refusal. Cheap to make, cloned never.
#[derive(Debug)]
pub struct Error {
    /// Why.
    pub reason: Reason,
    /// Which fields, when the reason is [`Reason::Invalid`], [`Reason::OtherHistory`] or
    /// [`Reason::OtherOffset`].
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

    /// The numbers that the caller knows belong to another history than this one.
    #[must_use]
    pub fn other_history(history: &str) -> Self {
        let message = Text::new("n’est plus celui-là", "is not that one any more");
        let fault = Fault { right: Some(history.into()), ..Fault::new("history", message) };
        Self { details: vec![fault], ..Self::from(Reason::OtherHistory) }
    }

    /// An upload goes on after so many bytes, and not where the caller thought.
    #[must_use]
    pub fn other_offset(offset: u64) -> Self {
        let message = Text::new("n’est pas ce qui est arrivé", "is not what has arrived");
        let fault = Fault { right: Some(offset.into()), ..Fault::new("offset", message) };
        Self { details: vec![fault], ..Self::from(Reason::OtherOffset) }
    }

    /// A recording goes on with this part, and not with the one that came.
    #[must_use]
    pub fn other_part(number: u32) -> Self {
        let message = Text::new("n’est pas celle qui est attendue", "is not the one that is expected");
        let fault = Fault { right: Some(number.into()), ..Fault::new("part", message) };
        Self { details: vec![fault], ..Self::from(Reason::OtherOffset) }
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
                format!("{} Référence : {reference}.", self.reason.text(locale)).into()
            }
            (Some(reference), Locale::English) => {
                format!("{} Reference: {reference}.", self.reason.text(locale)).into()
            }
            (None, _) => self.reason.text(locale).into(),
        }
    }

    /// The details as they are shown.
    pub fn shown_details(&self, locale: Locale) -> impl Iterator<Item = Detail<'_>> {
        self.details.iter().map(move |fault| Detail {
            field: &fault.field,
            message: fault.message.show(locale),
            value: fault.right.as_ref(),
        })
    }

    /// What would be right, by the fields' names.
    #[must_use]
    pub fn right(&self) -> BTreeMap<&str, &Value> {
        self.details.iter().filter_map(|fault| Some((fault.field.as_str(), fault.right.as_ref()?))).collect()
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
            _ if database::error::is_full(&cause) => {
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
