//! The practice as the seller of its invoices: known field by field, and complete only when the law is content.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::billing::numbers::{self, Series};
use crate::chat::billing::view::Today;
use crate::chat::billing::{hold, mentions};
use crate::chat::contract::bill_fields;
use crate::chat::contract::command::billing::UpdatePractice;
use crate::chat::contract::error::Error;
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::model::legal_number::goes_with_siren;
use crate::model::locale::Text;
use crate::model::party::e_invoicing_from;
use crate::model::timestamp::Timestamp;
use crate::store::invoice_series;
use crate::store::practice::{self, PracticeRow};
use crate::store::stripe_events;

/// Events of other histories that are shown: something was paid for an invoice that this copy does not know.
const FOREIGN_SHOWN: i64 = 50;

/// The rule of [`UpdatePractice`]. A real SIREN makes an end of the demonstration: its data and its documents go.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators; `INVALID` where SIREN, SIRET and VAT number contradict
/// each other.
pub fn update(
    conn: &Connection,
    actor: Actor,
    command: UpdatePractice,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Value>, Error> {
    caller::require_admin(conn, actor, now)?;
    let mut row = practice::find(conn)?.unwrap_or_default();
    let mut events = Vec::new();
    if row.is_demo && command.changes.get("siren").is_some_and(Value::is_string) {
        row = PracticeRow::default();
        events = hold::remove_specimens(conn, now, context)?;
    }
    for (name, value) in command.changes {
        if value.is_null() {
            row.data.remove(&name);
        } else {
            row.data.insert(name, value);
        }
    }
    if let Some(logo) = command.logo {
        row.logo = logo;
    }
    let text = |name: &str| row.data.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("siret").is_empty() && !text("siret").starts_with(text("siren")) {
        let said = Text::new("ne commence pas par le SIREN", "does not begin with the SIREN");
        return Err(Error::invalid("siret", said));
    }
    if !text("siren").is_empty() && !goes_with_siren(text("vatNumber"), text("siren")) {
        return Err(Error::invalid("vatNumber", bill_fields::other_siren()));
    }
    practice::set(conn, &row, now)?;
    Ok(Outcome { reply: shown(conn, &row, Today::of(context.settings, now))?, events })
}

impl Chat {
    /// The practice as far as it is known.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn load_practice(&self, actor: Actor) -> Result<Value, Error> {
        let settings = self.settings.clone();
        self.ask(move |conn, now| {
            caller::require_admin(conn, actor, now)?;
            shown(conn, &practice::find(conn)?.unwrap_or_default(), Today::of(&settings, now))
        })
        .await
    }
}

fn shown(conn: &Connection, row: &PracticeRow, today: Today) -> Result<Value, Error> {
    let mut data = row.data.clone();
    data.entry("eInvoicingFrom").or_insert_with(|| json!(e_invoicing_from()));
    data.insert("logo".to_owned(), json!(row.logo));
    data.insert("missing".to_owned(), json!(mentions::missing(&row.data)));
    data.insert("isDemo".to_owned(), json!(row.is_demo));
    data.insert("onHold".to_owned(), json!(invoice_series::is_on_hold(conn)?));
    let online = today.stripe.map(|livemode| if livemode { "live" } else { "test" });
    data.insert("onlinePayment".to_owned(), json!(online));
    let year = today.day.year();
    let latest = json!({
        "invoice": numbers::latest(conn, Series::Invoice, year)?,
        "credit": numbers::latest(conn, Series::Credit, year)?,
    });
    data.insert("latestNumbers".to_owned(), latest);
    let foreign = stripe_events::list_foreign(conn, FOREIGN_SHOWN)?.into_iter();
    let foreign = foreign.map(|event| json!({ "id": event.id, "type": event.kind, "createdSeconds": event.created_s }));
    data.insert("foreignEvents".to_owned(), foreign.collect());
    Ok(Value::Object(data))
}
