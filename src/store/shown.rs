//! Statements about what devices show and is not so any more: calls that ring no longer, messages that were read elsewhere.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::delivery::Channel;
use crate::model::id::{CallId, ConversationId, DeliveryId, MessageId, SessionId, UserId};
use crate::model::timestamp::Timestamp;
use crate::store::outbox::word;

/// What the devices that rang for a call show is to change: what it has come to is read when it leaves. On which channels, and for
/// whom.
/// A missed one (`message_id` is its entry) is told to those, too, that the ringing did not get to.
pub fn renew_call(
    conn: &Connection,
    call_id: CallId,
    message_id: Option<MessageId>,
    expires_at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Vec<(Channel, UserId)>> {
    conn.prepare_cached(
        "UPDATE outbox
        SET message_id = :message_id, expires_at = :expires_at,
            is_renewed = state = 'waiting' AND leased_until_at IS NOT NULL,
            due_at = CASE WHEN state = 'waiting' THEN due_at ELSE :now END,
            attempts = CASE WHEN state = 'waiting' THEN attempts ELSE 0 END,
            state = 'waiting', reason = NULL, done_at = NULL
        WHERE call_id = :call_id
          AND (state IN ('waiting', 'sent') OR state IN ('failed', 'dropped') AND :message_id IS NOT NULL)
        RETURNING channel, user_id",
    )?
    .query_map(
        named_params! {":call_id": call_id, ":message_id": message_id, ":expires_at": expires_at, ":now": now},
        |row| Ok((word(row, 0, Channel::find)?, row.get(1)?)),
    )?
    .collect()
}

/// What the devices of this session show of a call is final: whoever holds them knows what became of it.
pub fn leave_call(conn: &Connection, call_id: CallId, session_id: SessionId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE outbox
        SET call_id = NULL, leased_until_at = NULL, is_renewed = 0,
            done_at = coalesce(done_at, :now),
            reason = CASE state WHEN 'waiting' THEN 'taken on this device' ELSE reason END,
            state = CASE state WHEN 'waiting' THEN 'dropped' ELSE state END
        WHERE call_id = :call_id
          AND device_id IN (SELECT id FROM devices WHERE session_id = :session_id)",
    )?
    .execute(named_params! {":call_id": call_id, ":session_id": session_id, ":now": now})
    .map(drop)
}

/// Has the apps of somebody take away what they were told of a conversation up to here, for it was read; whether any has to.
/// A browser would have to show something instead: there the page closes what it shows.
pub fn insert_read(
    conn: &Connection,
    user_id: UserId,
    conversation_id: ConversationId,
    read_id: MessageId,
    (now, expires_at): (Timestamp, Timestamp),
) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "INSERT INTO outbox
            (channel, kind, user_id, device_id, conversation_id, message_id, locale, due_at, expires_at, created_at)
        SELECT o.channel, 'read', o.user_id, o.device_id, o.conversation_id, max(o.message_id), o.locale, :now, :expires_at,
            :now
        FROM outbox o
        JOIN devices d ON d.id = o.device_id AND d.address IS NOT NULL
        WHERE o.user_id = :user_id
          AND o.conversation_id = :conversation_id
          AND o.channel = 'fcm'
          AND o.kind = 'messages'
          AND o.state = 'sent'
          AND o.message_id <= :read_id
          AND NOT EXISTS (
              SELECT 1
              FROM outbox r
              WHERE r.device_id = o.device_id
                AND r.conversation_id = o.conversation_id
                AND r.kind = 'read'
                AND r.message_id >= o.message_id
          )
        GROUP BY o.device_id
        ON CONFLICT (device_id, conversation_id, kind) WHERE state = 'waiting' AND conversation_id IS NOT NULL DO UPDATE
        SET message_id = excluded.message_id, expires_at = excluded.expires_at, is_renewed = leased_until_at IS NOT NULL",
    )?
    .execute(named_params! {
        ":user_id": user_id,
        ":conversation_id": conversation_id,
        ":read_id": read_id,
        ":now": now,
        ":expires_at": expires_at,
    })
    .map(|inserted| inserted > 0)
}

/// What an app has just been told of: whose, which conversation, up to which message. `None` for all other deliveries.
pub fn find_told(conn: &Connection, id: DeliveryId) -> rusqlite::Result<Option<(UserId, ConversationId, MessageId)>> {
    conn.prepare_cached(
        "SELECT user_id, conversation_id, message_id
        FROM outbox
        WHERE id = :id
          AND channel = 'fcm'
          AND kind = 'messages'
          AND state = 'sent'",
    )?
    .query_row(named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    .optional()
}
