//! Statements about calls and who sat in them.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::model::call::{Call, CallState, EndReason, Media, Participant, Provider, RoomBits};
use crate::model::id::{CallId, ConversationId, MessageId, UserId};
use crate::model::recording::Recording;
use crate::model::timestamp::Timestamp;
use crate::store::recordings;

/// A call to be stored.
#[derive(Debug)]
pub struct NewCall {
    pub conversation_id: ConversationId,
    pub media: Media,
    pub provider: Provider,
    pub room: Option<RoomBits>,
    pub state: CallState,
    pub reachable: bool,
    pub started_by: UserId,
    pub started_at: Timestamp,
}

/// Stores a call.
pub fn insert(conn: &Connection, new: &NewCall) -> rusqlite::Result<CallId> {
    conn.prepare_cached(
        "INSERT INTO calls (conversation_id, media, provider, room, state, reachable, started_by, started_at)
         VALUES (:conversation, :media, :provider, :room, :state, :reachable, :started_by, :started_at)
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":conversation": new.conversation_id,
            ":media": new.media,
            ":provider": new.provider,
            ":room": new.room.map(|room| room.0),
            ":state": new.state,
            ":reachable": new.reachable,
            ":started_by": new.started_by,
            ":started_at": new.started_at,
        },
        |row| row.get(0),
    )
}

macro_rules! select_call {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.conversation_id, k.message_id, k.media, k.provider, k.state, k.reachable, k.started_by,
               k.started_at, k.answered_at, k.ended_at, k.end_reason, k.room
             FROM calls k ",
            $rest
        )
    };
}

fn call(row: &Row<'_>) -> rusqlite::Result<Call> {
    Ok(Call {
        id: row.get(0)?,
        conversation_id: row.get(1)?,
        message_id: row.get(2)?,
        media: row.get(3)?,
        provider: row.get(4)?,
        room: row.get::<_, Option<[u8; 16]>>(12)?.map(RoomBits),
        state: row.get(5)?,
        reachable: row.get(6)?,
        started_by: row.get(7)?,
        started_at: row.get(8)?,
        answered_at: row.get(9)?,
        ended_at: row.get(10)?,
        end_reason: row.get(11)?,
        participants: Vec::new(),
        recording: Recording::default(),
    })
}

/// One call.
pub fn find(conn: &Connection, id: CallId) -> rusqlite::Result<Option<Call>> {
    let found = conn.prepare_cached(select_call!("WHERE k.id = :id"))?.query_row(named_params! {":id": id}, call);
    complete(conn, found.optional()?)
}

/// The live call of a conversation.
pub fn find_live(conn: &Connection, conversation_id: ConversationId) -> rusqlite::Result<Option<Call>> {
    let found = conn
        .prepare_cached(select_call!("WHERE k.conversation_id = :id AND k.state IN ('ringing', 'ongoing')"))?
        .query_row(named_params! {":id": conversation_id}, call);
    complete(conn, found.optional()?)
}

/// The live call that somebody is in, or that rings for them.
pub fn find_live_of(conn: &Connection, user_id: UserId) -> rusqlite::Result<Option<Call>> {
    let found = conn
        .prepare_cached(select_call!(
            "JOIN conversations c ON c.id = k.conversation_id
             WHERE k.state IN ('ringing', 'ongoing') AND :user IN (c.client_id, c.lawyer_id)"
        ))?
        .query_row(named_params! {":user": user_id}, call);
    complete(conn, found.optional()?)
}

/// Every call that goes on.
pub fn list_live(conn: &Connection) -> rusqlite::Result<Vec<Call>> {
    let calls = conn
        .prepare_cached(select_call!("WHERE k.state IN ('ringing', 'ongoing')"))?
        .query_map([], call)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    complete_all(conn, calls)
}

/// Somebody's calls, the latest first: of one conversation, or of all of theirs; those before `before`.
pub fn list_of(
    conn: &Connection,
    user_id: UserId,
    conversation_id: Option<ConversationId>,
    before: Option<CallId>,
    limit: usize,
) -> rusqlite::Result<Vec<Call>> {
    let calls = conn
        .prepare_cached(select_call!(
            "JOIN conversations c ON c.id = k.conversation_id
             WHERE :user IN (c.client_id, c.lawyer_id)
               AND (:conversation IS NULL OR k.conversation_id = :conversation)
               AND (:before IS NULL OR k.id < :before)
             ORDER BY k.id DESC
             LIMIT :limit"
        ))?
        .query_map(
            named_params! {
                ":user": user_id,
                ":conversation": conversation_id,
                ":before": before,
                ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
            },
            call,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    complete_all(conn, calls)
}

/// Who may sit in a call of this conversation: its members whose accounts work.
pub fn list_who_may_join(conn: &Connection, conversation_id: ConversationId) -> rusqlite::Result<Vec<UserId>> {
    conn.prepare_cached(
        "SELECT u.id
         FROM conversations c
         JOIN users u ON u.id IN (c.client_id, c.lawyer_id)
         WHERE c.id = :conversation
           AND u.is_active = 1
         ORDER BY u.id",
    )?
    .query_map(named_params! {":conversation": conversation_id}, |row| row.get(0))?
    .collect()
}

/// The live calls of which a member's account is closed, with that member.
pub fn list_closed(conn: &Connection) -> rusqlite::Result<Vec<(CallId, UserId)>> {
    conn.prepare_cached(
        "SELECT k.id, u.id
         FROM calls k
         JOIN conversations c ON c.id = k.conversation_id
         JOIN users u ON u.id IN (c.client_id, c.lawyer_id)
         WHERE k.state IN ('ringing', 'ongoing')
           AND u.is_active = 0
         ORDER BY k.id, u.id",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

fn complete_all(conn: &Connection, calls: Vec<Call>) -> rusqlite::Result<Vec<Call>> {
    calls.into_iter().map(|one| Ok(complete(conn, Some(one))?.expect("one was given"))).collect()
}

/// Adds who sat in it, and what was recorded of it.
fn complete(conn: &Connection, call: Option<Call>) -> rusqlite::Result<Option<Call>> {
    let Some(mut call) = call else { return Ok(None) };
    call.participants = conn
        .prepare_cached(
            "SELECT user_id, joined_at, left_at, seat
             FROM call_participants
             WHERE call_id = :id
             ORDER BY joined_at, user_id",
        )?
        .query_map(named_params! {":id": call.id}, |row| {
            Ok(Participant { user_id: row.get(0)?, joined_at: row.get(1)?, left_at: row.get(2)?, seat: row.get(3)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    call.recording = recordings::find(conn, call.id)?.map(|row| row.shown).unwrap_or_default();
    Ok(Some(call))
}

/// When the calls began that somebody started since `since`, the earliest first.
pub fn list_starts(conn: &Connection, user_id: UserId, since: Timestamp) -> rusqlite::Result<Vec<Timestamp>> {
    conn.prepare_cached(
        "SELECT started_at
         FROM calls
         WHERE started_by = :user
           AND started_at > :since
         ORDER BY started_at",
    )?
    .query_map(named_params! {":user": user_id, ":since": since}, |row| row.get(0))?
    .collect()
}

/// The latest calls of a conversation: who started each and when, and whether it was answered. The latest comes first.
pub fn list_latest(
    conn: &Connection,
    conversation_id: ConversationId,
    count: usize,
) -> rusqlite::Result<Vec<(UserId, Timestamp, bool)>> {
    conn.prepare_cached(
        "SELECT started_by, started_at, answered_at IS NOT NULL
         FROM calls
         WHERE conversation_id = :conversation
         ORDER BY id DESC
         LIMIT :count",
    )?
    .query_map(
        named_params! {":conversation": conversation_id, ":count": i64::try_from(count).unwrap_or(i64::MAX)},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?
    .collect()
}

/// Notes that a call was answered.
pub fn set_answered(conn: &Connection, id: CallId, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE calls SET state = 'ongoing', answered_at = :at WHERE id = :id")?
        .execute(named_params! {":id": id, ":at": at})
        .map(drop)
}

/// Notes that a call is over; nobody sits in it any more.
pub fn set_ended(
    conn: &Connection,
    id: CallId,
    state: CallState,
    reason: EndReason,
    at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE calls
         SET state = :state,
             ended_at = :at,
             end_reason = :reason
         WHERE id = :id",
    )?
    .execute(named_params! {":id": id, ":state": state, ":at": at, ":reason": reason})?;
    conn.prepare_cached("UPDATE call_participants SET left_at = :at WHERE call_id = :id AND left_at IS NULL")?
        .execute(named_params! {":id": id, ":at": at})
        .map(drop)
}

/// Notes the entry that a call has left in its conversation.
pub fn set_message(conn: &Connection, id: CallId, message_id: MessageId) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE calls SET message_id = :message WHERE id = :id")?
        .execute(named_params! {":id": id, ":message": message_id})
        .map(drop)
}

/// Gives somebody a seat in a call, or another one. When they first took one stays.
pub fn set_seat(
    conn: &Connection,
    id: CallId,
    user_id: UserId,
    seat: Option<&str>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO call_participants (call_id, user_id, seat, joined_at)
         VALUES (:call, :user, :seat, :at)
         ON CONFLICT (call_id, user_id) DO UPDATE SET seat = :seat, left_at = NULL",
    )?
    .execute(named_params! {":call": id, ":user": user_id, ":seat": seat, ":at": at})
    .map(drop)
}

/// Notes that somebody sits in a call no more; whether they did.
pub fn set_left(conn: &Connection, id: CallId, user_id: UserId, at: Timestamp) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "UPDATE call_participants
         SET left_at = :at
         WHERE call_id = :call
           AND user_id = :user
           AND left_at IS NULL",
    )?
    .execute(named_params! {":call": id, ":user": user_id, ":at": at})
    .map(|changed| changed > 0)
}

/// The latest call of all; 0 for none.
pub fn last_id(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT coalesce(max(id), 0) FROM calls", [], |row| row.get(0))
}
