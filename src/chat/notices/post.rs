//! Giving a mail to the post: a row of the outbox, written in the transaction that causes it.
//!
//! Nobody is mailed at a demo account or at a name that is set apart for examples.

use std::time::Duration;

use rusqlite::Connection;

use crate::chat::access::context::Context;
use crate::chat::contract::bell::Bell;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::settings::Notices;
use crate::model::delivery::{Channel, DeliveryKind, is_nowhere};
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;
use crate::store::outbox::{self, NewDelivery, To};
use crate::store::shown;

/// How long a mail without a link is worth something.
pub const MAIL_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long taking a notice away is worth something.
const READ_LIFE: Duration = Duration::from_secs(60 * 60);

/// Whoever has something to send.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    pub operator: &'a Notices,
    pub bell: &'a Bell,
}

/// A mail; its words are found when it leaves.
#[derive(Debug)]
pub struct Letter<'a> {
    pub kind: DeliveryKind,
    /// Whose account it is about; none of a guest.
    pub user_id: Option<UserId>,
    /// Of the link in it.
    pub secret: Option<&'a str>,
    pub locale: Locale,
}

impl<'a> Post<'a> {
    /// What there is for this change.
    #[must_use]
    pub fn of(context: &Context<'a>) -> Self {
        Self { operator: &context.settings.notices, bell: context.bell }
    }
}

impl Post<'_> {
    /// Refuses where no mail is set up.
    ///
    /// # Errors
    /// `CONFLICT`.
    pub fn require_channel(self) -> Result<(), Error> {
        if self.operator.available.email { Ok(()) } else { Err(Reason::ChannelOff.into()) }
    }

    /// Whether mail goes to this address.
    #[must_use]
    pub fn takes(self, address: &str) -> bool {
        self.operator.mails_anywhere || !is_nowhere(address)
    }

    /// Has a letter leave at once. One to an address that takes none is forgotten.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn mail(
        self,
        conn: &Connection,
        letter: &Letter<'_>,
        address: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.operator.available.email || !self.takes(address) {
            return Ok(());
        }
        let Letter { kind, user_id, secret, locale } = *letter;
        let to = To::Address(address);
        let new = NewDelivery { channel: Channel::Email, kind, user_id, to, secret, locale, due_at: now, expires_at };
        outbox::insert(conn, &new, now)?;
        self.bell.ring(Channel::Email);
        Ok(())
    }

    /// Has apps take away what they were told of a conversation up to here, for it was read. Costs nothing without apps.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn take_back(
        self,
        conn: &Connection,
        user_id: UserId,
        conversation_id: ConversationId,
        read_id: MessageId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_on = self.operator.available.fcm;
        if is_on && shown::insert_read(conn, user_id, conversation_id, read_id, (now, now + READ_LIFE))? {
            self.bell.ring(Channel::Fcm);
        }
        Ok(())
    }
}
