//! `/invoices`: drafts, issuing, lists, reminders, credit notes.

use hyper::StatusCode;
use serde_json::json;

use crate::api::call::{self, Call};
use crate::api::reply::{self, Answer};
use crate::chat::billing::documents::{InvoiceQuery, LIMIT_MAX};
use crate::chat::contract::bill_fields;
use crate::chat::contract::command::billing::{DeleteInvoice, IssueInvoice, NoteTransmission, RemindInvoice};
use crate::chat::contract::printed_fields;
use crate::model::billing::{InvoiceState, PaymentState};
use crate::model::id::InvoiceId;
use crate::model::locale::Text;

/// `GET /invoices?conversationId=&state=&payment=&overdue=&limit=&cursor=`
pub async fn list(call: Call) -> Answer {
    let actor = call.member()?;
    let states = Text::new("n’est pas un état connu", "is no known state");
    let query = call.query(|fields| InvoiceQuery {
        conversation_id: fields.optional_id("conversationId"),
        state: fields.optional_parsed("state", states.clone(), InvoiceState::find),
        payment: fields.optional_parsed("payment", states, PaymentState::find),
        overdue: fields.optional_boolean("overdue"),
        limit: call::optional_limit(fields, LIMIT_MAX),
        cursor: fields.optional_id("cursor"),
    })?;
    let page = call.chat().list_invoices(actor, query).await?;
    call.ok(&page)
}

/// `POST /invoices`
pub async fn create(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call.body(bill_fields::create_invoice).await?;
    let invoice = call.chat().execute(actor, command).await?;
    call.json(StatusCode::CREATED, &invoice)
}

/// `GET /invoices/{id}`
pub async fn load(call: Call, id: InvoiceId) -> Answer {
    let invoice = call.chat().load_invoice(call.member()?, id).await?;
    call.ok(&invoice)
}

/// `PATCH /invoices/{id}`
pub async fn update(mut call: Call, id: InvoiceId) -> Answer {
    let actor = call.member()?;
    call.chat().load_invoice(actor, id).await?;
    let command = call.body(|fields| bill_fields::update_invoice(fields, id)).await?;
    let invoice = call.chat().execute(actor, command).await?;
    call.ok(&invoice)
}

/// `DELETE /invoices/{id}`
pub async fn delete(call: Call, id: InvoiceId) -> Answer {
    call.chat().execute(call.member()?, DeleteInvoice { invoice_id: id }).await?;
    reply::done()
}

/// `POST /invoices/{id}/issue`
pub async fn issue(call: Call, id: InvoiceId) -> Answer {
    let invoice = call.chat().execute(call.member()?, IssueInvoice { invoice_id: id }).await?;
    call.chat().wake();
    call.ok(&invoice)
}

/// `POST /invoices/{id}/remind`
pub async fn remind(call: Call, id: InvoiceId) -> Answer {
    let invoice = call.chat().execute(call.member()?, RemindInvoice { invoice_id: id }).await?;
    call.ok(&invoice)
}

/// `POST /invoices/{id}/credit`
pub async fn credit(mut call: Call, id: InvoiceId) -> Answer {
    let actor = call.member()?;
    call.chat().load_invoice(actor, id).await?;
    let command = call.body(|fields| bill_fields::credit_invoice(fields, id)).await?;
    let credit = call.chat().execute(actor, command).await?;
    call.chat().wake();
    call.json(StatusCode::CREATED, &credit)
}

/// `POST /invoices/{id}/transmitted`
pub async fn transmitted(mut call: Call, id: InvoiceId) -> Answer {
    let actor = call.member()?;
    call.chat().load_invoice(actor, id).await?;
    let command = call
        .body(|fields| NoteTransmission {
            invoice_id: id,
            platform: printed_fields::noted_words(fields, "platform", 200),
            reference: printed_fields::noted_words(fields, "reference", 200),
            date: bill_fields::day(fields, "date"),
        })
        .await?;
    let invoice = call.chat().execute(actor, command).await?;
    call.ok(&invoice)
}

/// `POST /invoices/{id}/link`
pub async fn link(call: Call, id: InvoiceId) -> Answer {
    let link = call.chat().link_document(call.member()?, id).await?;
    call.ok(&json!({ "url": link.url, "expiresAt": link.expires_at }))
}
