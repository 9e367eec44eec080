//! Originals that go by an approved platform: the note that one went.

use rusqlite::Connection;
use serde_json::json;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::{callers, payments};
use crate::chat::contract::command::billing::NoteTransmission;
use crate::chat::contract::error::Error;
use crate::chat::contract::outcome::Outcome;
use crate::model::billing::ShownInvoice;
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::store::invoice_transmissions;

/// The rule of [`NoteTransmission`].
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for a draft; `INVALID` for a day to come.
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
    let what = json!({ "platform": platform, "reference": reference, "date": date });
    invoice_transmissions::set(conn, seen.row.id, &what, now)?;
    payments::settled(conn, &seen, now, context)
}
