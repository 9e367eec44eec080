//! The `outbox` table: what is to leave, has left, or could not.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::delivery::{Channel, Delivery, DeliveryKind, DeliveryState, shortened};
use crate::model::id::{CallId, ConversationId, DeliveryId, DeviceId, MessageId, UserId};
use crate::model::locale::Locale;
use crate::model::notices::DeviceKind;
use crate::model::timestamp::Timestamp;
use crate::store::devices::Reach;

/// What is to leave.
#[derive(Debug)]
pub struct NewDelivery<'a> {
    pub channel: Channel,
    pub kind: DeliveryKind,
    pub user_id: Option<UserId>,
    pub to: To<'a>,
    /// The secret of the link in it.
    pub secret: Option<&'a str>,
    pub locale: Locale,
    pub due_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Where it goes.
#[derive(Clone, Copy, Debug)]
pub enum To<'a> {
    /// A mail, to this address.
    Address(&'a str),
    /// A push, to this device.
    Device(DeviceId, Option<Subject>),
}

/// What a push is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// A conversation, up to this message.
    Messages(ConversationId, MessageId),
    /// A call in a conversation.
    Call(ConversationId, CallId),
}

impl Subject {
    fn conversation_id(self) -> ConversationId {
        match self {
            Self::Messages(conversation_id, _) | Self::Call(conversation_id, _) => conversation_id,
        }
    }

    fn message_id(self) -> Option<MessageId> {
        match self {
            Self::Messages(_, message_id) => Some(message_id),
            Self::Call(..) => None,
        }
    }

    fn call_id(self) -> Option<CallId> {
        match self {
            Self::Messages(..) => None,
            Self::Call(_, call_id) => Some(call_id),
        }
    }
}

/// What somebody is at. `Debug` shows neither address nor secret.
pub struct Leased {
    pub id: DeliveryId,
    pub kind: DeliveryKind,
    pub user_id: Option<UserId>,
    /// Of a mail.
    pub address: Option<String>,
    /// Of a push; `None` once the device is gone.
    pub reach: Option<Reach>,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    pub call_id: Option<CallId>,
    /// Whether its service has taken it before.
    pub was_accepted: bool,
    pub secret: Option<String>,
    pub locale: Locale,
    /// The same at every try.
    pub reference: String,
    /// This one included.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl fmt::Debug for Leased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leased({} {})", self.id, self.kind.as_str())
    }
}

/// How much waits on a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backlog {
    pub channel: Channel,
    pub waiting: i64,
    /// Since when the oldest has waited.
    pub oldest_at: Timestamp,
}

/// Stores what is to leave. A push about a conversation takes the place of one of its kind that waits for the same device;
/// one that somebody is at leaves once more.
pub fn insert(conn: &Connection, new: &NewDelivery<'_>, now: Timestamp) -> rusqlite::Result<DeliveryId> {
    let (address, device_id, about) = match new.to {
        To::Address(address) => (Some(address), None, None),
        To::Device(device_id, about) => (None, Some(device_id), about),
    };
    conn.prepare_cached(
        "INSERT INTO outbox
            (channel, kind, user_id, device_id, address, conversation_id, message_id, call_id, secret, locale, due_at,
             expires_at, created_at)
        VALUES (:channel, :kind, :user_id, :device_id, :address, :conversation_id, :message_id, :call_id, :secret, :locale,
             :due_at, :expires_at, :now)
        ON CONFLICT (device_id, conversation_id, kind) WHERE state = 'waiting' AND conversation_id IS NOT NULL DO UPDATE
        SET message_id = excluded.message_id, call_id = excluded.call_id, expires_at = excluded.expires_at,
            is_renewed = leased_until_at IS NOT NULL
        RETURNING id",
    )?
    .query_row(
        named_params! {
            ":channel": new.channel.as_str(),
            ":kind": new.kind.as_str(),
            ":user_id": new.user_id,
            ":device_id": device_id,
            ":address": address,
            ":conversation_id": about.map(Subject::conversation_id),
            ":message_id": about.and_then(Subject::message_id),
            ":call_id": about.and_then(Subject::call_id),
            ":secret": new.secret,
            ":locale": new.locale,
            ":due_at": new.due_at,
            ":expires_at": new.expires_at,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// Takes what is due on a channel, what somebody waits for before what is about messages and then the longest due, for somebody who is at it until `until`.
pub fn lease(
    conn: &Connection,
    channel: Channel,
    limit: i64,
    now: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Vec<Leased>> {
    let mut ids: Vec<DeliveryId> = Vec::new();
    // What is about messages comes in crowds; a call or a link to a password does not wait behind them.
    for is_of_a_crowd in [false, true] {
        let room = limit - i64::try_from(ids.len()).unwrap_or(limit);
        let mut due = conn.prepare_cached(
            "SELECT id
            FROM outbox
            WHERE channel = :channel
              AND state = 'waiting'
              AND (kind IN ('messages', 'read')) = :is_of_a_crowd
              AND due_at <= :now
              AND (leased_until_at IS NULL OR leased_until_at <= :now)
            ORDER BY due_at, id
            LIMIT :room",
        )?;
        let asked = named_params! {
            ":channel": channel.as_str(), ":is_of_a_crowd": is_of_a_crowd, ":now": now, ":room": room,
        };
        for id in due.query_map(asked, |row| row.get(0))? {
            ids.push(id?);
        }
    }
    let mut leased = Vec::with_capacity(ids.len());
    for id in ids {
        conn.prepare_cached(
            "UPDATE outbox SET leased_until_at = :until, attempts = attempts + 1, is_renewed = 0 WHERE id = :id",
        )?
        .execute(named_params! {":id": id, ":until": until})?;
        leased.push(
            conn.prepare_cached(
                "SELECT o.id, o.kind, o.user_id, o.address, o.conversation_id, o.message_id, o.secret, o.locale,
                    o.reference, o.attempts, o.created_at, o.expires_at, d.kind, d.address, d.public_key, d.auth,
                    o.call_id, o.was_accepted
                FROM outbox o
                LEFT JOIN devices d ON d.id = o.device_id
                WHERE o.id = :id",
            )?
            .query_row(named_params! {":id": id}, read_leased)?,
        );
    }
    Ok(leased)
}

/// When something is due on a channel next that nobody is at.
pub fn next_due(conn: &Connection, channel: Channel) -> rusqlite::Result<Option<Timestamp>> {
    // Of each kind the first in the index: thousands may wait.
    let mut first = conn.prepare_cached(
        "SELECT due_at
        FROM outbox
        WHERE channel = :channel
          AND state = 'waiting'
          AND (kind IN ('messages', 'read')) = :is_of_a_crowd
          AND leased_until_at IS NULL
        ORDER BY due_at
        LIMIT 1",
    )?;
    let mut next = None;
    for is_of_a_crowd in [false, true] {
        let asked = named_params! {":channel": channel.as_str(), ":is_of_a_crowd": is_of_a_crowd};
        let due_at: Option<Timestamp> = first.query_row(asked, |row| row.get(0)).optional()?;
        next = due_at.into_iter().chain(next).min();
    }
    Ok(next)
}

/// Nobody is at anything: whoever was has ended.
pub fn release(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE outbox SET leased_until_at = NULL WHERE leased_until_at IS NOT NULL")?.execute([])?;
    Ok(())
}

/// It is over, or leaves once more where something newer came meanwhile. The secret goes where it can't be wanted any more.
pub fn set_done(
    conn: &Connection,
    id: DeliveryId,
    state: DeliveryState,
    reason: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE outbox
        SET state = CASE WHEN is_renewed THEN 'waiting' ELSE :state END,
            reason = CASE WHEN is_renewed THEN NULL ELSE :reason END,
            done_at = CASE WHEN is_renewed THEN NULL ELSE :now END,
            due_at = CASE WHEN is_renewed THEN :now ELSE due_at END,
            attempts = CASE WHEN is_renewed THEN 0 ELSE attempts END,
            was_accepted = was_accepted OR :state = 'sent',
            is_renewed = 0, leased_until_at = NULL,
            secret = CASE WHEN :state = 'failed' THEN secret END
        WHERE id = :id
          AND state = 'waiting'",
    )?
    .execute(named_params! {":id": id, ":state": state.as_str(), ":reason": reason, ":now": now})
    .map(drop)
}

/// It is tried again at this moment; `counts` says whether the try that is over was one.
pub fn set_due(
    conn: &Connection,
    id: DeliveryId,
    due_at: Timestamp,
    reason: Option<&str>,
    counts: bool,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE outbox
        SET due_at = :due_at, reason = coalesce(:reason, reason), leased_until_at = NULL,
            attempts = attempts - CASE WHEN :counts THEN 0 ELSE 1 END
        WHERE id = :id
          AND state = 'waiting'",
    )?
    .execute(named_params! {":id": id, ":due_at": due_at, ":reason": reason, ":counts": counts})
    .map(drop)
}

/// It leaves at this moment instead, as if it had not been taken, and is worth something until the other one.
pub fn put_off(conn: &Connection, id: DeliveryId, due_at: Timestamp, expires_at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE outbox
        SET due_at = :due_at, expires_at = :expires_at, leased_until_at = NULL, attempts = attempts - 1
        WHERE id = :id
          AND state = 'waiting'",
    )?
    .execute(named_params! {":id": id, ":due_at": due_at, ":expires_at": expires_at})
    .map(drop)
}

/// Tries again at once what waits, or failed and is still worth something; whether there was such a one. Where something
/// newer waits for the same device, that is the one.
pub fn retry(conn: &Connection, id: DeliveryId, now: Timestamp) -> rusqlite::Result<Option<Channel>> {
    conn.prepare_cached(
        "UPDATE outbox
        SET state = 'waiting', done_at = NULL, due_at = :now, leased_until_at = NULL
        WHERE id = :id
          AND state IN ('waiting', 'failed')
          AND expires_at > :now
          AND NOT EXISTS (
              SELECT 1
              FROM outbox newer
              WHERE newer.device_id = outbox.device_id
                AND newer.conversation_id = outbox.conversation_id
                AND newer.kind = outbox.kind
                AND newer.state = 'waiting'
                AND newer.id <> outbox.id
          )
        RETURNING channel",
    )?
    .query_row(named_params! {":id": id, ":now": now}, |row| word(row, 0, Channel::find))
    .optional()
}

/// Where a mail goes.
pub fn address_of(conn: &Connection, id: DeliveryId) -> rusqlite::Result<Option<String>> {
    let found = conn
        .prepare_cached("SELECT address FROM outbox WHERE id = :id")?
        .query_row(named_params! {":id": id}, |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Whether there is such a one at all.
pub fn exists(conn: &Connection, id: DeliveryId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE id = :id)")?
        .query_row(named_params! {":id": id}, |row| row.get(0))
}

/// The latest first, those before `before`.
pub fn list(
    conn: &Connection,
    state: Option<DeliveryState>,
    channel: Option<Channel>,
    before: Option<DeliveryId>,
    limit: i64,
) -> rusqlite::Result<Vec<Delivery>> {
    conn.prepare_cached(
        "SELECT id, channel, kind, state, address, attempts, reason, created_at, due_at, done_at
        FROM outbox
        WHERE (:state IS NULL OR state = :state)
          AND (:channel IS NULL OR channel = :channel)
          AND (:before IS NULL OR id < :before)
        ORDER BY id DESC
        LIMIT :limit",
    )?
    .query_map(
        named_params! {
            ":state": state.map(DeliveryState::as_str),
            ":channel": channel.map(Channel::as_str),
            ":before": before,
            ":limit": limit,
        },
        |row| {
            let address: Option<String> = row.get(4)?;
            Ok(Delivery {
                id: row.get(0)?,
                channel: word(row, 1, Channel::find)?,
                kind: word(row, 2, DeliveryKind::find)?,
                state: word(row, 3, DeliveryState::find)?,
                to: address.as_deref().map(shortened),
                attempts: row.get(5)?,
                reason: row.get(6)?,
                created_at: row.get(7)?,
                due_at: row.get(8)?,
                done_at: row.get(9)?,
            })
        },
    )?
    .collect()
}

/// What waits, channel by channel; a channel without anything is left out.
pub fn backlogs(conn: &Connection) -> rusqlite::Result<Vec<Backlog>> {
    conn.prepare_cached(
        "SELECT channel, count(*), min(created_at)
        FROM outbox
        WHERE state = 'waiting'
        GROUP BY channel",
    )?
    .query_map([], |row| {
        Ok(Backlog { channel: word(row, 0, Channel::find)?, waiting: row.get(1)?, oldest_at: row.get(2)? })
    })?
    .collect()
}

/// What a channel was last answered where it did not go, if that is why something waits there.
pub fn complaint(conn: &Connection, channel: Channel) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached(
        "SELECT reason
        FROM outbox
        WHERE channel = :channel
          AND state = 'waiting'
          AND attempts > 0
          AND reason IS NOT NULL
        ORDER BY id DESC
        LIMIT 1",
    )?
    .query_row(named_params! {":channel": channel.as_str()}, |row| row.get(0))
    .optional()
}

/// Forgets what was over before this moment.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM outbox WHERE done_at < :before")?.execute(named_params! {":before": before})
}

fn read_leased(row: &Row<'_>) -> rusqlite::Result<Leased> {
    let kind: Option<String> = row.get(12)?;
    let address: Option<String> = row.get(13)?;
    let keys: (Option<String>, Option<String>) = (row.get(14)?, row.get(15)?);
    let reach = kind.as_deref().and_then(DeviceKind::find).zip(address);
    Ok(Leased {
        id: row.get(0)?,
        kind: word(row, 1, DeliveryKind::find)?,
        user_id: row.get(2)?,
        address: row.get(3)?,
        reach: reach.map(|(kind, address)| Reach { kind, address, keys: keys.0.zip(keys.1) }),
        conversation_id: row.get(4)?,
        message_id: row.get(5)?,
        call_id: row.get(16)?,
        was_accepted: row.get(17)?,
        secret: row.get(6)?,
        locale: row.get(7)?,
        reference: row.get(8)?,
        attempts: row.get(9)?,
        created_at: row.get(10)?,
        expires_at: row.get(11)?,
    })
}

/// A word of ours; any other one is an error of the read.
pub(super) fn word<T>(row: &Row<'_>, place: usize, find: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(place)?;
    find(&text).ok_or(rusqlite::Error::InvalidQuery)
}
