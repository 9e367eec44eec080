//! What leaves the house, as those see it who carry it out: taken with a lease, settled with what became of it.
//!
//! A lease ends by itself, so nothing is lost with who took it. What is taken is looked at once more: it may be worth nothing
//! any more.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::access::{caller, keys};
use crate::chat::contract::command::deliveries::{
    LeaseDeliveries, RetryDelivery, SendTestMail, SettleDeliveries, Settlement, TestDevice,
};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::leaving::{self, Fate};
use crate::chat::notices::post::{Letter, Post};
use crate::model::delivery::{Channel, Delivery, DeliveryKind, DeliveryState};
use crate::model::id::DeliveryId;
use crate::model::locale::Text;
use crate::model::notices::DeviceKind;
use crate::model::timestamp::Timestamp;
use crate::store::outbox::{self, Backlog, Leased, NewDelivery, To};
use crate::store::{devices, notices, shown, users};

/// How long somebody may be at a delivery: longer than any of them takes.
const LEASE: Duration = Duration::from_secs(5 * 60);

/// The pause between two tests of one device.
const TEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a test is worth something.
const TEST_LIFE: Duration = Duration::from_secs(10 * 60);

/// Deliveries on a page.
const PAGE: i64 = 50;

/// Which deliveries are wanted.
#[derive(Debug, Default)]
pub struct DeliveryQuery {
    pub state: Option<DeliveryState>,
    pub channel: Option<Channel>,
    /// `next_cursor` of the page before.
    pub cursor: Option<DeliveryId>,
}

/// A page of deliveries, the latest first.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPage {
    pub deliveries: Vec<Delivery>,
    pub next_cursor: Option<DeliveryId>,
}

impl Chat {
    /// What waits, has left, or could not.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn list_deliveries(&self, actor: Actor, query: DeliveryQuery) -> Result<DeliveryPage, Error> {
        self.ask(move |conn, now| {
            caller::require_admin(conn, actor, now)?;
            let DeliveryQuery { state, channel, cursor } = query;
            let deliveries = outbox::list(conn, state, channel, cursor, PAGE)?;
            let next_cursor =
                deliveries.last().filter(|_| i64::try_from(deliveries.len()) == Ok(PAGE)).map(|last| last.id);
            Ok(DeliveryPage { deliveries, next_cursor })
        })
        .await
    }

    /// What waits on each channel, and what its last answer was where it does not go.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn load_backlogs(&self) -> Result<Vec<(Backlog, Option<String>)>, Error> {
        self.ask(|conn, _| {
            let backlogs = outbox::backlogs(conn)?.into_iter();
            backlogs.map(|backlog| Ok((backlog, outbox::complaint(conn, backlog.channel)?))).collect()
        })
        .await
    }

    /// The key pair that pushes are signed with, in PKCS #8.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn load_vapid(&self) -> Result<Vec<u8>, Error> {
        self.ask(|conn, _| keys::load_vapid(conn)).await
    }

    /// When something is due on a channel next.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn next_due(&self, channel: Channel) -> Result<Option<Timestamp>, Error> {
        self.ask(move |conn, _| Ok(outbox::next_due(conn, channel)?)).await
    }
}

/// The rule of [`LeaseDeliveries`]. What is worth nothing any more is dropped on the way, and what is to leave later waits.
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn lease(
    conn: &Connection,
    actor: Actor,
    command: &LeaseDeliveries,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<Vec<Leased>>, Error> {
    caller::require_system(actor)?;
    let leased = outbox::lease(conn, command.channel, command.limit, now, now + LEASE)?;
    let mut wanted = Vec::with_capacity(leased.len());
    for delivery in leased {
        match leaving::judge(conn, &delivery, now, context)? {
            Fate::Leaves => wanted.push(delivery),
            Fate::Later { at, expires_at } => outbox::put_off(conn, delivery.id, at, expires_at)?,
            Fate::Dropped(reason) => {
                outbox::set_done(conn, delivery.id, DeliveryState::Dropped, Some(reason), now)?;
            }
        }
    }
    Ok(wanted.into())
}

/// The rule of `ReleaseDeliveries`.
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn release(conn: &Connection, actor: Actor) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    outbox::release(conn)?;
    Ok(().into())
}

/// The rule of [`SettleDeliveries`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn settle(
    conn: &Connection,
    actor: Actor,
    command: &SettleDeliveries,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let done = |id, state, reason: Option<&str>| outbox::set_done(conn, id, state, reason, now);
    for (id, settlement) in &command.results {
        let id = *id;
        match settlement {
            Settlement::Sent => {
                devices::set_used_by(conn, id, now)?;
                done(id, DeliveryState::Sent, None)?;
                if let Some((user_id, conversation_id, message_id)) = shown::find_told(conn, id)?
                    && !notices::is_unread(conn, user_id, Some(conversation_id), Some(message_id))?
                {
                    // It was read while it was on its way.
                    post.take_back(conn, user_id, conversation_id, message_id, now)?;
                }
            }
            Settlement::Retry { at, reason } => outbox::set_due(conn, id, *at, Some(reason), true)?,
            Settlement::Postponed { at } => outbox::set_due(conn, id, *at, None, false)?,
            Settlement::Failed { reason } => done(id, DeliveryState::Failed, Some(reason))?,
            Settlement::AddressDead { reason } => {
                if let Some(address) = outbox::address_of(conn, id)? {
                    users::set_email_failed(conn, &address, now)?;
                }
                done(id, DeliveryState::Failed, Some(reason))?;
            }
            Settlement::DeviceGone { reason } => {
                devices::set_gone_by(conn, id, now)?;
                done(id, DeliveryState::Failed, Some(reason))?;
            }
            Settlement::Dropped { reason } => done(id, DeliveryState::Dropped, Some(reason))?,
        }
    }
    Ok(().into())
}

/// The rule of [`RetryDelivery`].
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`; `NOT_FOUND`; `CONFLICT` for one that has left or is worth nothing any more.
pub fn retry(
    conn: &Connection,
    actor: Actor,
    command: &RetryDelivery,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_admin(conn, actor, now)?;
    match outbox::retry(conn, command.delivery_id, now)? {
        Some(channel) => {
            context.bell.ring(channel);
            Ok(().into())
        }
        None if outbox::exists(conn, command.delivery_id)? => Err(Reason::DeliveryOver.into()),
        None => Err(Reason::NotFound.into()),
    }
}

/// The rule of [`SendTestMail`].
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`; `CONFLICT` where no mail is set up; `INVALID` for an address that is for examples.
pub fn send_test_mail(
    conn: &Connection,
    actor: Actor,
    command: &SendTestMail,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<()>, Error> {
    let admin = caller::require_admin(conn, actor, now)?;
    post.require_channel()?;
    let address = command.to.as_str();
    if !post.takes(address) {
        let message = Text::new("est une adresse d’exemple", "is an address for examples");
        return Err(Error::invalid("to", message));
    }
    let (kind, locale) = (DeliveryKind::Test, command.locale);
    let letter = Letter { kind, user_id: Some(admin.user_id), secret: None, locale };
    post.mail(conn, &letter, address, now + TEST_LIFE, now)?;
    Ok(().into())
}

/// The rule of [`TestDevice`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND`; `RATE_LIMITED` for two within ten seconds; `CONFLICT` for a device that is gone, or whose
/// channel is not set up any more.
pub fn test_device(
    conn: &Connection,
    actor: Actor,
    command: &TestDevice,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<()>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    let row = devices::find(conn, me.user_id, me.session_id, command.device_id)?.ok_or(Reason::NotFound)?;
    let available = &post.operator.available;
    let (channel, is_on) = match row.device.kind {
        DeviceKind::Webpush => (Channel::Webpush, available.web_push.is_some()),
        DeviceKind::Fcm => (Channel::Fcm, available.fcm),
    };
    if row.device.gone_at.is_some() || !is_on {
        return Err(Reason::ChannelOff.into());
    }
    let pause = row.tested_at.map(|at| (at + TEST_PAUSE).since(now)).filter(|pause| *pause <= TEST_PAUSE);
    if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
        return Err(Error::too_many(pause));
    }
    devices::set_tested(conn, row.device.id, now)?;
    let locale = users::find(conn, me.user_id)?.map(|account| account.profile.locale).unwrap_or_default();
    let new = NewDelivery {
        channel,
        kind: DeliveryKind::Test,
        user_id: Some(me.user_id),
        to: To::Device(row.device.id, None),
        secret: None,
        locale,
        due_at: now,
        expires_at: now + TEST_LIFE,
    };
    outbox::insert(conn, &new, now)?;
    post.bell.ring(channel);
    Ok(().into())
}

#[cfg(test)]
mod tests;
