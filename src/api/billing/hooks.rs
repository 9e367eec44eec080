//! `/hooks/stripe`: what Stripe tells by itself. Whoever signs it is believed that there is something to ask about, no more.

use std::time::SystemTime;

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::auth::actor::Actor;
use crate::chat::contract::command::stripe::StoreStripeEvent;
use crate::chat::contract::error::{Error, Reason};
use crate::integrations::hook::BadSignature;
use crate::integrations::stripe::event::{BadEvent, SIGNATURE_HEADER};
use crate::model::locale::Text;

/// The largest event that is read.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// `POST /hooks/stripe`
pub async fn stripe(mut call: Call) -> Answer {
    let Some(stripe) = call.api.settings.stripe.clone() else { return Err(Reason::NotFound.into()) };
    let signature = call.request.header(hyper::header::HeaderName::from_static(SIGNATURE_HEADER));
    let signature = signature.unwrap_or_default().to_owned();
    let body = call.request.bytes(BODY_BYTES_MAX).await.map_err(reply::unreadable)?;
    let event = stripe.event(&signature, &body, SystemTime::now()).map_err(refused)?;
    let command = StoreStripeEvent {
        id: event.id.clone(),
        kind: event.kind.clone(),
        created_s: event.created,
        is_our_mode: event.livemode == stripe.livemode(),
        history: event.metadata("history"),
        body: serde_json::to_string(&event).map_err(Error::internal)?,
    };
    call.chat().execute(Actor::System, command).await?;
    call.chat().wake();
    call.ok(&serde_json::json!({ "received": true }))
}

fn refused(bad: BadEvent) -> Error {
    let said = match bad {
        BadEvent::Signature(BadSignature::OutOfTime) => {
            Text::new("trop ancienne, ou une horloge est fausse", "too old, or one of the clocks is wrong")
        }
        BadEvent::Signature(_) => Text::new("ne correspond pas", "does not match"),
        BadEvent::Malformed => Text::new("n’est pas un événement complet", "is no event with its object"),
    };
    Error::invalid(SIGNATURE_HEADER, said)
}
