//! Who may see a bill, and as whom: the juriste and the client of its conversation, and an administrator once it is issued.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller::{self, Member};
use crate::chat::contract::error::{Error, Reason};
use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::invoices::{self, InvoiceRow};

/// As whom somebody sees a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Viewer {
    /// Who issues it.
    Lawyer,
    /// Who is asked to pay.
    Client,
    /// Somebody who sees that it exists and what it comes to, and nothing of the case.
    Admin,
}

/// A bill that the caller may see.
#[derive(Debug)]
pub struct Seen {
    pub member: Member,
    pub viewer: Viewer,
    pub row: InvoiceRow,
}

/// A bill that the caller may see. A draft is its juriste's alone.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub fn require_seen(conn: &Connection, actor: Actor, id: InvoiceId, now: Timestamp) -> Result<Seen, Error> {
    let member = caller::require_member(conn, actor, now)?;
    let row = invoices::find(conn, id)?.ok_or(Reason::NotFound)?;
    let viewer = if member.user_id == row.lawyer_id {
        Viewer::Lawyer
    } else if !row.is_issued() {
        return Err(Reason::NotFound.into());
    } else if member.user_id == row.client_id {
        Viewer::Client
    } else if member.role == Role::Admin {
        Viewer::Admin
    } else {
        return Err(Reason::NotFound.into());
    };
    Ok(Seen { member, viewer, row })
}

/// A bill of the caller's own: its juriste's.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` for who may only see it.
pub fn require_own(conn: &Connection, actor: Actor, id: InvoiceId, now: Timestamp) -> Result<Seen, Error> {
    let seen = require_seen(conn, actor, id, now)?;
    if seen.viewer == Viewer::Lawyer { Ok(seen) } else { Err(Reason::NotAllowed.into()) }
}

/// An issued bill whose money the caller looks after: its juriste, or an administrator.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` for the client; `CONFLICT` for a draft.
pub fn require_keeper(conn: &Connection, actor: Actor, id: InvoiceId, now: Timestamp) -> Result<Seen, Error> {
    let seen = require_seen(conn, actor, id, now)?;
    if seen.viewer == Viewer::Client {
        return Err(Reason::NotAllowed.into());
    }
    if seen.row.is_issued() { Ok(seen) } else { Err(Reason::NotIssued.into()) }
}
