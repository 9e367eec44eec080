//! `/users/{id}/billing`: how a client wants to be billed.

use serde_json::{Value, json};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::billing::buyers::Billing;
use crate::chat::contract::bill_fields;
use crate::chat::contract::command::billing::UpdateBuyer;
use crate::model::id::UserId;

/// `GET /users/{id}/billing`
pub async fn show(call: Call, id: UserId) -> Answer {
    let billing = call.chat().load_buyer(call.member()?, id).await?;
    call.ok(&shown(&billing))
}

/// `PATCH /users/{id}/billing`: what is not said stays.
pub async fn update(mut call: Call, user_id: UserId) -> Answer {
    let actor = call.member()?;
    let known = shown(&call.chat().load_buyer(actor, user_id).await?);
    let buyer = call
        .body(|fields| {
            fields.fill(&known);
            bill_fields::buyer(fields)
        })
        .await?;
    let buyer = call.chat().execute(actor, UpdateBuyer { user_id, buyer }).await?;
    call.ok(&shown(&Billing { name: String::new(), buyer: Some(buyer) }))
}

/// Before anybody said, a person with the name of the account and without an address.
fn shown(billing: &Billing) -> Value {
    match &billing.buyer {
        Some(buyer) => json!({
            "kind": buyer.kind, "name": buyer.name, "address": buyer.address, "siren": buyer.siren,
            "vatNumber": buyer.vat_number,
        }),
        None => json!({ "kind": "person", "name": billing.name, "address": null, "siren": null, "vatNumber": null }),
    }
}
