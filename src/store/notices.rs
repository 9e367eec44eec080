//! Statements about notices: what people chose, and up to where they were told.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::id::{ConversationId, DeliveryId, MessageId, UserId};
use crate::model::notices::{AddressState, Clock, Days, Detail, EmailChoice, QuietHours};
use crate::model::timestamp::Timestamp;

/// A row of `notice_settings`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsRow {
    pub push: bool,
    pub email: EmailChoice,
    pub detail: Detail,
    /// A name; `None` for the practice's.
    pub time_zone: Option<String>,
    pub quiet_hours: Option<QuietHours>,
    pub calls_in_quiet_hours: bool,
}

impl Default for SettingsRow {
    /// What who has chosen nothing has.
    fn default() -> Self {
        Self {
            push: true,
            email: EmailChoice::default(),
            detail: Detail::default(),
            time_zone: None,
            quiet_hours: None,
            calls_in_quiet_hours: false,
        }
    }
}

/// Which notices a mark counts for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkChannel {
    /// To browsers and apps.
    Push,
    Email,
}

impl MarkChannel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Email => "email",
        }
    }
}

/// What somebody chose; the defaults where they chose nothing.
pub fn find_settings(conn: &Connection, user_id: UserId) -> rusqlite::Result<SettingsRow> {
    let row = conn
        .prepare_cached(
            "SELECT push, email, detail, time_zone, quiet_from, quiet_to, quiet_days, calls_in_quiet_hours
            FROM notice_settings
            WHERE user_id = :user_id",
        )?
        .query_row(named_params! {":user_id": user_id}, |row| {
            let (email, detail): (String, String) = (row.get(1)?, row.get(2)?);
            let (from, to, days): (Option<u16>, Option<u16>, Option<u8>) = (row.get(4)?, row.get(5)?, row.get(6)?);
            let quiet = |(from, to, days)| {
                Some(QuietHours { from: Clock::new(from)?, to: Clock::new(to)?, days: Days::from_bits(days)? })
            };
            Ok(SettingsRow {
                push: row.get(0)?,
                email: EmailChoice::find(&email).unwrap_or_default(),
                detail: Detail::find(&detail).unwrap_or_default(),
                time_zone: row.get(3)?,
                quiet_hours: from.zip(to).zip(days).and_then(|((from, to), days)| quiet((from, to, days))),
                calls_in_quiet_hours: row.get(7)?,
            })
        })
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// Stores what somebody chose.
pub fn set_settings(conn: &Connection, user_id: UserId, settings: &SettingsRow) -> rusqlite::Result<()> {
    let quiet = settings.quiet_hours;
    conn.prepare_cached(
        "INSERT INTO notice_settings
            (user_id, push, email, detail, time_zone, quiet_from, quiet_to, quiet_days, calls_in_quiet_hours)
        VALUES (:user_id, :push, :email, :detail, :time_zone, :quiet_from, :quiet_to, :quiet_days, :calls)
        ON CONFLICT (user_id) DO UPDATE
        SET push = excluded.push, email = excluded.email, detail = excluded.detail, time_zone = excluded.time_zone,
            quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, quiet_days = excluded.quiet_days,
            calls_in_quiet_hours = excluded.calls_in_quiet_hours",
    )?
    .execute(named_params! {
        ":user_id": user_id,
        ":push": settings.push,
        ":email": settings.email.as_str(),
        ":detail": settings.detail.as_str(),
        ":time_zone": settings.time_zone,
        ":quiet_from": quiet.map(|quiet| quiet.from.minutes()),
        ":quiet_to": quiet.map(|quiet| quiet.to.minutes()),
        ":quiet_days": quiet.map(|quiet| quiet.days.bits()),
        ":calls": settings.calls_in_quiet_hours,
    })
    .map(drop)
}

/// What is known of the address that somebody's mail goes to.
pub fn address_state(conn: &Connection, user_id: UserId) -> rusqlite::Result<AddressState> {
    conn.prepare_cached("SELECT email_confirmed_at, email_failed_at FROM users WHERE id = :user_id")?.query_row(
        named_params! {":user_id": user_id},
        |row| {
            let (confirmed, failed): (Option<Timestamp>, Option<Timestamp>) = (row.get(0)?, row.get(1)?);
            Ok(match (confirmed, failed) {
                (_, Some(_)) => AddressState::Failed,
                (Some(_), None) => AddressState::Confirmed,
                (None, None) => AddressState::Unconfirmed,
            })
        },
    )
}

/// Counts all that is there as told on this channel: what comes of a choice begins with what is said after it.
pub fn mark_all(conn: &Connection, user_id: UserId, channel: MarkChannel, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO notice_marks (user_id, conversation_id, channel, message_id, marked_at)
        SELECT :user_id, id, :channel, last_message_id, :now
        FROM conversations
        WHERE last_message_id IS NOT NULL
          AND (client_id = :user_id AND client_unread > 0 OR lawyer_id = :user_id AND lawyer_unread > 0)
        ON CONFLICT (user_id, conversation_id, channel) DO UPDATE
        SET message_id = max(message_id, excluded.message_id), marked_at = excluded.marked_at",
    )?
    .execute(named_params! {":user_id": user_id, ":channel": channel.as_str(), ":now": now})
    .map(drop)
}

/// Counts a conversation as told up to a message on this channel. A mark never goes back.
pub fn mark(
    conn: &Connection,
    (user_id, conversation_id): (UserId, ConversationId),
    channel: MarkChannel,
    message_id: MessageId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO notice_marks (user_id, conversation_id, channel, message_id, marked_at)
        VALUES (:user_id, :conversation_id, :channel, :message_id, :now)
        ON CONFLICT (user_id, conversation_id, channel) DO UPDATE
        SET message_id = excluded.message_id, marked_at = excluded.marked_at
        WHERE excluded.message_id > message_id",
    )?
    .execute(named_params! {
        ":user_id": user_id,
        ":conversation_id": conversation_id,
        ":channel": channel.as_str(),
        ":message_id": message_id,
        ":now": now,
    })
    .map(drop)
}

/// The conversation that is asked about, or all of somebody: who has thousands is not gone through for one of them.
macro_rules! asked {
    () => {
        "WITH asked (id) AS (
            SELECT :conversation_id WHERE :conversation_id IS NOT NULL
            UNION ALL
            SELECT id FROM conversations WHERE :conversation_id IS NULL AND client_id = :user_id
            UNION ALL
            SELECT id FROM conversations WHERE :conversation_id IS NULL AND lawyer_id = :user_id
        ) "
    };
}

/// What is unread and was not told yet of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Untold {
    pub conversation_id: ConversationId,
    /// When the first of it was sent.
    pub oldest_at: Timestamp,
    pub oldest_id: MessageId,
    /// The last of it.
    pub newest_id: MessageId,
    pub newest_at: Timestamp,
}

/// Everybody for whom something is unread that was not told by every channel: who, and where.
pub fn list_waiting(conn: &Connection) -> rusqlite::Result<Vec<(UserId, ConversationId)>> {
    conn.prepare_cached(
        "SELECT user_id, conversation_id
        FROM (
            SELECT client_id AS user_id, id AS conversation_id, client_read_id AS read_id, last_message_id
            FROM conversations
            WHERE client_unread > 0
            UNION ALL
            SELECT lawyer_id, id, lawyer_read_id, last_message_id
            FROM conversations
            WHERE lawyer_unread > 0
        ) c
        WHERE 2 > (
            SELECT count(*)
            FROM notice_marks m
            WHERE m.user_id = c.user_id
              AND m.conversation_id = c.conversation_id
              AND m.message_id >= c.last_message_id
        )",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// What somebody was not told on a channel, of one conversation or of all. What was sent while a conversation was muted, or
/// is, does not count.
pub fn list_untold(
    conn: &Connection,
    user_id: UserId,
    conversation_id: Option<ConversationId>,
    channel: MarkChannel,
) -> rusqlite::Result<Vec<Untold>> {
    let mut statement = conn.prepare_cached(concat!(
        asked!(),
        "SELECT c.id, min(m.created_at), min(m.id), max(m.id), max(m.created_at)
        FROM asked
        JOIN conversations c ON c.id = asked.id
        JOIN messages m ON m.conversation_id = c.id
        WHERE (c.client_id = :user_id AND c.client_unread > 0 OR c.lawyer_id = :user_id AND c.lawyer_unread > 0)
          AND m.sent_rev > coalesce((
              SELECT r.sent_rev
              FROM messages r
              WHERE r.id = max(
                  CASE c.client_id WHEN :user_id THEN c.client_read_id ELSE c.lawyer_read_id END,
                  coalesce((
                      SELECT n.message_id
                      FROM notice_marks n
                      WHERE n.user_id = :user_id
                        AND n.conversation_id = c.id
                        AND n.channel = :channel
                  ), 0)
              )
          ), 0)
          AND m.sender_id <> :user_id
          AND m.counts_unread = 1
          AND m.deleted_at IS NULL
          AND m.created_at >= coalesce(
              CASE c.client_id WHEN :user_id THEN c.client_muted_until_at ELSE c.lawyer_muted_until_at END, 0)
        GROUP BY c.id
        ORDER BY c.id"
    ))?;
    let rows = statement.query_map(
        named_params! {
            ":user_id": user_id,
            ":conversation_id": conversation_id,
            ":channel": channel.as_str(),
        },
        |row| {
            Ok(Untold {
                conversation_id: row.get(0)?,
                oldest_at: row.get(1)?,
                oldest_id: row.get(2)?,
                newest_id: row.get(3)?,
                newest_at: row.get(4)?,
            })
        },
    )?;
    rows.collect()
}

/// When somebody was last mailed about messages, if that was.
pub fn last_mailed(conn: &Connection, user_id: UserId) -> rusqlite::Result<Option<Timestamp>> {
    conn.prepare_cached(
        "SELECT max(created_at)
        FROM outbox
        WHERE user_id = :user_id
          AND channel = 'email'
          AND kind = 'messages'",
    )?
    .query_row(named_params! {":user_id": user_id}, |row| row.get(0))
}

/// Whether somebody has read anything since this moment. Goes through all of their conversations.
pub fn has_read_since(conn: &Connection, user_id: UserId, since: Timestamp) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM conversations c
            JOIN read_marks r ON r.conversation_id = c.id
              AND r.user_id = :user_id
              AND r.message_id = CASE c.client_id WHEN :user_id THEN c.client_read_id ELSE c.lawyer_read_id END
            WHERE (c.client_id = :user_id OR c.lawyer_id = :user_id)
              AND c.updated_at > :since
              AND r.read_at > :since
        )",
    )?
    .query_row(named_params! {":user_id": user_id, ":since": since}, |row| row.get(0))
}

/// Whether a device of somebody accepted a push about a conversation up to this message or a later one.
pub fn was_pushed(
    conn: &Connection,
    user_id: UserId,
    conversation_id: ConversationId,
    message_id: MessageId,
) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM devices d
            JOIN outbox o ON o.device_id = d.id
            WHERE d.user_id = :user_id
              AND o.conversation_id = :conversation_id
              AND o.message_id >= :message_id
              AND o.state = 'sent'
        )",
    )?
    .query_row(
        named_params! {":user_id": user_id, ":conversation_id": conversation_id, ":message_id": message_id},
        |row| row.get(0),
    )
}

/// The messages up to which somebody was told on a channel in one go, at `marked_at`: those that are still unread, of
/// conversations that are not muted by now.
pub fn list_marked(
    conn: &Connection,
    user_id: UserId,
    channel: MarkChannel,
    marked_at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Vec<MessageId>> {
    conn.prepare_cached(
        "SELECT m.message_id
        FROM notice_marks m
        JOIN conversations c ON c.id = m.conversation_id
        WHERE m.user_id = :user_id
          AND m.channel = :channel
          AND m.marked_at = :marked_at
          AND (c.client_id = :user_id AND c.client_unread > 0 AND c.client_read_id < m.message_id
              AND coalesce(c.client_muted_until_at, 0) <= :now
            OR c.lawyer_id = :user_id AND c.lawyer_unread > 0 AND c.lawyer_read_id < m.message_id
              AND coalesce(c.lawyer_muted_until_at, 0) <= :now)
        ORDER BY m.message_id",
    )?
    .query_map(
        named_params! {
            ":user_id": user_id,
            ":channel": channel.as_str(),
            ":marked_at": marked_at,
            ":now": now,
        },
        |row| row.get(0),
    )?
    .collect()
}

/// Whether somebody has muted a conversation at this moment.
pub fn is_muted(
    conn: &Connection,
    user_id: UserId,
    conversation_id: ConversationId,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM conversations
            WHERE id = :conversation_id
              AND CASE client_id WHEN :user_id THEN client_muted_until_at ELSE lawyer_muted_until_at END > :now
        )",
    )?
    .query_row(named_params! {":user_id": user_id, ":conversation_id": conversation_id, ":now": now}, |row| row.get(0))
}

/// When a message was sent.
pub fn sent_at(conn: &Connection, id: MessageId) -> rusqlite::Result<Option<Timestamp>> {
    conn.prepare_cached("SELECT created_at FROM messages WHERE id = :id")?
        .query_row(named_params! {":id": id}, |row| row.get(0))
        .optional()
}

/// Who sent a message and what it says, if it still says something.
pub fn find_told(conn: &Connection, id: MessageId) -> rusqlite::Result<Option<(String, String)>> {
    conn.prepare_cached(
        "SELECT u.name, m.content
        FROM messages m
        JOIN users u ON u.id = m.sender_id
        WHERE m.id = :id
          AND m.deleted_at IS NULL",
    )?
    .query_row(named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// Whether the message that a push tells of was deleted, and nothing before it waits that its device was not told of.
pub fn was_taken_back(conn: &Connection, delivery_id: DeliveryId, user_id: UserId) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT CASE WHEN last.deleted_at IS NULL THEN 0 ELSE NOT EXISTS (
            SELECT 1
            FROM messages m
            WHERE m.conversation_id = o.conversation_id
              AND m.sent_rev < last.sent_rev
              AND m.sent_rev > coalesce((
                  SELECT max(r.sent_rev)
                  FROM messages r
                  WHERE r.id = CASE c.client_id WHEN :user_id THEN c.client_read_id ELSE c.lawyer_read_id END
                     OR r.id IN (
                         SELECT sent.message_id
                         FROM outbox sent
                         WHERE sent.device_id = o.device_id
                           AND sent.conversation_id = o.conversation_id
                           AND sent.kind = o.kind
                           AND sent.state = 'sent'
                     )
              ), 0)
              AND m.sender_id <> :user_id
              AND m.counts_unread = 1
              AND m.deleted_at IS NULL
        ) END
        FROM outbox o
        JOIN messages last ON last.id = o.message_id
        JOIN conversations c ON c.id = o.conversation_id
        WHERE o.id = :delivery_id",
    )?
    .query_row(named_params! {":delivery_id": delivery_id, ":user_id": user_id}, |row| row.get(0))
    .optional()
    .map(|found| found.unwrap_or(false))
}

/// Whether somebody has anything unread: anywhere or in one conversation, at all or up to this message.
pub fn is_unread(
    conn: &Connection,
    user_id: UserId,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
) -> rusqlite::Result<bool> {
    conn.prepare_cached(concat!(
        asked!(),
        "SELECT EXISTS (
            SELECT 1
            FROM asked
            JOIN conversations c ON c.id = asked.id
            WHERE client_id = :user_id AND client_unread > 0 AND client_read_id < coalesce(:message_id, client_read_id + 1)
               OR lawyer_id = :user_id AND lawyer_unread > 0 AND lawyer_read_id < coalesce(:message_id, lawyer_read_id + 1)
        )"
    ))?
    .query_row(
        named_params! {":user_id": user_id, ":conversation_id": conversation_id, ":message_id": message_id},
        |row| row.get(0),
    )
}

#[cfg(test)]
mod tests;
