//! Originals that go by an approved platform: the note that one went.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::{callers, payments};
use crate::chat::contract::command::billing::NoteTransmission;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::model::billing::ShownInvoice;
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::store::invoice_transmissions;

/// Slips of one document that were corrected, at most: each is told with it.
const EARLIER_MAX: usize = 20;

/// The rule of [`NoteTransmission`]. Which invoices go by a platform is the practice's to know: any that is issued takes a
/// slip. The latest counts, and those before it stay beside it.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for a draft, and for yet another correction; `INVALID` for a day
/// to come.
pub fn note(
    conn: &Connection,
    actor: Actor,
    command: &NoteTransmission,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let seen = callers::require_keeper(conn, actor, command.invoice_id, now)?;
    if command.date > context.settings.today(now) {
        return Err(Error::invalid("date", Text::new("est dans l’avenir", "lies in the future")));
    }
    let NoteTransmission { platform, reference, date, .. } = command;
    let slip = json!({ "platform": platform, "reference": reference, "date": date });
    if let Some(what) = behind(slip, seen.row.transmitted.as_ref())? {
        invoice_transmissions::set(conn, seen.row.id, &what, now)?;
    }
    payments::settled(conn, &seen, now, context)
}

/// A slip with those before it, the oldest first. `None` where it is the one that is there.
fn behind(mut slip: Value, known: Option<&Value>) -> Result<Option<Value>, Error> {
    let Some(known) = known else { return Ok(Some(slip)) };
    let mut before = known.clone();
    let earlier = before.as_object_mut().and_then(|before| before.remove("earlier"));
    if before == slip {
        return Ok(None);
    }
    let mut earlier = earlier.and_then(|it| it.as_array().cloned()).unwrap_or_default();
    if earlier.len() == EARLIER_MAX {
        return Err(Reason::TooManySlips.into());
    }
    earlier.push(before);
    slip["earlier"] = Value::Array(earlier);
    Ok(Some(slip))
}
