//! A restored copy is behind: billing is on hold until an administrator has named the last numbers that left the house.
//! And the end of the demonstration.

use rusqlite::Connection;
use serde_json::json;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::billing::numbers::{self, Series};
use crate::chat::contract::command::billing::ResumeBilling;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::chat::conversations::entries;
use crate::model::fields::Fault;
use crate::model::locale::Text;
use crate::model::message_kind::{Kind, StateJson};
use crate::model::timestamp::Timestamp;
use crate::store::invoice_series;
use crate::store::invoices;

/// What stands where a specimen was.
const REMOVED: &str = "Document de démonstration retiré";

/// The rule of [`ResumeBilling`]. The series go on behind the numbers that are named.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`; `INVALID` for what is no number, or one that cannot be; `CONFLICT` where nothing is on hold, or where this copy
/// has given out later ones.
pub fn resume(
    conn: &Connection,
    actor: Actor,
    command: &ResumeBilling,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_admin(conn, actor, now)?;
    let mut faults = Vec::new();
    let series = [("invoice", Series::Invoice, &command.invoice), ("credit", Series::Credit, &command.credit)];
    for (name, series, number) in series {
        if number.as_deref().is_some_and(|number| series.read(number).is_none()) {
            let example = series.write(2026, 42);
            let (fr, en) =
                (format!("doit être un numéro comme {example}"), format!("must be a number such as {example}"));
            faults.push(Fault::new(name, Text::new(fr, en)));
        }
    }
    if !faults.is_empty() {
        return Err(faults.into());
    }
    if !invoice_series::is_on_hold(conn)? {
        return Err(Reason::NotOnHold.into());
    }
    let today = context.settings.today(now);
    for (name, series, number) in series {
        numbers::skip_to(conn, name, series, number.as_deref(), today)?;
    }
    invoice_series::end_hold(conn)?;
    Ok(().into())
}

/// Removes all specimens with their documents and money. Their entries stay in the conversations and say so.
///
/// # Errors
/// `INTERNAL`.
pub fn remove_specimens(
    conn: &Connection,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Vec<Announcement>, Error> {
    let mut events = Vec::new();
    for row in invoices::list_specimens(conn)? {
        for message_id in invoices::list_entries(conn, row.id)? {
            let kind = Kind::Invoice(StateJson::of(&json!({ "removed": true })).map_err(Error::internal)?);
            events.extend(entries::set_state(conn, message_id, REMOVED, &kind, now, context)?);
        }
        invoices::delete(conn, row.id)?;
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::error::Code;
    use crate::chat::testing::bills::{Office, hour};
    use crate::model::invoice::InvoiceType;

    #[test]
    fn a_number_that_cannot_have_left_the_house_is_refused_and_billing_stays_on_hold() {
        let mut office = Office::open();
        let issue = |office: &mut Office| office.try_issue(InvoiceType::Standard, vec![hour(100)], Vec::new());
        let year = issue(&mut office).unwrap().issued_at.unwrap().year();
        let other = "UPDATE settings SET value = 'ffffffffffffffff' WHERE name = 'history'";
        assert_eq!(office.fixture.conn().execute(other, []).unwrap(), 1);
        let last = |year, place| ResumeBilling { invoice: Some(Series::Invoice.write(year, place)), credit: None };
        for (year, place) in [(year + 1, 1), (year, 10_002), (year, 999_999_999)] {
            let refused = office.fixture.run(office.admin, last(year, place)).unwrap_err();
            assert_eq!((refused.code(), refused.details[0].field.as_str()), (Code::Invalid, "invoice"), "{place}");
            assert_eq!(issue(&mut office).unwrap_err().code(), Code::Conflict);
        }
        assert_eq!(invoice_series::list_lost(office.fixture.conn()).unwrap(), []);
        office.fixture.run(office.admin, last(year, 10_001)).unwrap();
        assert_eq!(invoice_series::list_lost(office.fixture.conn()).unwrap().len(), 10_000);
        assert_eq!(issue(&mut office).unwrap().number, Some(Series::Invoice.write(year, 10_002)));
    }
}
