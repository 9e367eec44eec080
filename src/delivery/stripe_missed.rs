//! Asks Stripe for the events whose webhook was lost.
//!
//! All since a mark are asked for, page by page, and the mark moves behind a round alone that came to its end: what webhooks
//! tell meanwhile says nothing about what was missed before.

use std::time::Duration;

use crate::auth::actor::Actor;
use crate::chat::contract::command::stripe::{NoteEventsAsked, StoreStripeEvent};
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::delivery::stripe_trouble::Trouble;
use crate::integrations::stripe::call::{Call, EventsWanted};
use crate::integrations::stripe::client::Stripe;
use crate::integrations::stripe::object::{Event, List};

/// How often Stripe is asked for events that did not arrive.
const EVERY: Duration = Duration::from_secs(3_600);
/// How often it is looked whether billing is still on hold.
const HELD: Duration = Duration::from_secs(60);
/// How far before the mark a round begins: Stripe may list an event a while after it happened.
const OVERLAP_S: i64 = 3_600;

/// What is asked for, and listened to.
const KINDS: [&str; 14] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// Asks round after round. One that fails is soon begun anew.
pub(super) async fn run(chat: &Chat, stripe: &Stripe) {
    let mut tries = 0;
    loop {
        let after = match catch_up(chat, stripe).await {
            Ok(after) => {
                tries = 0;
                after
            }
            Err(trouble) => {
                let after = trouble.after(tries);
                tries = tries.saturating_add(1);
                tracing::warn!(reason = trouble.reason(), "events that did not arrive are asked for again later");
                after
            }
        };
        tokio::time::sleep(after).await;
    }
}

/// One round; how long until the next.
async fn catch_up(chat: &Chat, stripe: &Stripe) -> Result<Duration, Trouble> {
    let Some(mark_s) = chat.stripe_events_asked_s().await? else { return Ok(HELD) };
    chat.execute(Actor::System, NoteEventsAsked { until_s: mark_s }).await?;
    let since = u64::try_from(mark_s - OVERLAP_S).ok();
    let mut wanted = EventsWanted { kinds: KINDS.to_vec(), since, ..EventsWanted::default() };
    let mut latest_s = mark_s;
    loop {
        let page: List<Event> = stripe.send(&Call::events(&wanted)).await?;
        for event in &page.data {
            store(chat, stripe, event).await?;
            latest_s = latest_s.max(event.created);
        }
        match page.data.last() {
            Some(last) if page.has_more => wanted.starting_after = Some(last.id.clone()),
            _ => break,
        }
    }
    chat.execute(Actor::System, NoteEventsAsked { until_s: latest_s }).await?;
    chat.wake();
    Ok(EVERY)
}

/// Keeps an event, to be looked at behind the commit.
async fn store(chat: &Chat, stripe: &Stripe, event: &Event) -> Result<bool, Error> {
    let command = StoreStripeEvent {
        id: event.id.clone(),
        kind: event.kind.clone(),
        created_s: event.created,
        is_our_mode: event.livemode == stripe.livemode(),
        history: event.metadata("history"),
        body: serde_json::to_string(event).map_err(Error::internal)?,
    };
    chat.execute(Actor::System, command).await
}
