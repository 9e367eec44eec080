//! Which rule carries out which command about bills.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::{
    buyers, checkout, credits, documents, drafts, events, hold, issuing, payments, practice, refunds, reminders,
    transmissions,
};
use crate::chat::contract::command::{BillingCommand, StripeCommand};
use crate::chat::contract::request::Applied;
use crate::model::timestamp::Timestamp;

/// Carries out one command inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: BillingCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use BillingCommand as C;
    match command {
        C::UpdatePractice(ask) => ask.apply(|command| practice::update(conn, actor, command, now, context)),
        C::UpdateBuyer(ask) => ask.apply(|command| buyers::update(conn, actor, command, now)),
        C::CreateInvoice(ask) => ask.apply(|command| drafts::create(conn, actor, &command, now, context)),
        C::UpdateInvoice(ask) => ask.apply(|command| drafts::update(conn, actor, command, now, context)),
        C::DeleteInvoice(ask) => ask.apply(|command| drafts::delete(conn, actor, &command, now)),
        C::IssueInvoice(ask) => ask.apply(|command| issuing::issue(conn, actor, &command, now, context)),
        C::StoreDocument(ask) => ask.apply(|command| documents::store(conn, actor, &command, now)),
        C::RecordPayment(ask) => ask.apply(|command| payments::record(conn, actor, &command, now, context)),
        C::ReversePayment(ask) => ask.apply(|command| payments::reverse(conn, actor, &command, now, context)),
        C::RemindInvoice(ask) => ask.apply(|command| reminders::remind(conn, actor, &command, now, context)),
        C::CreditInvoice(ask) => ask.apply(|command| credits::credit(conn, actor, &command, now, context)),
        C::RefundInvoice(ask) => ask.apply(|command| refunds::refund(conn, actor, &command, now, context)),
        C::NoteTransmission(ask) => ask.apply(|command| transmissions::note(conn, actor, &command, now, context)),
        C::ResumeBilling(ask) => ask.apply(|command| hold::resume(conn, actor, &command, now, context)),
    }
}

/// The same of what is asked of Stripe and what it tells.
pub fn apply_stripe(
    command: StripeCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use StripeCommand as C;
    match command {
        C::OpenCheckout(ask) => ask.apply(|command| checkout::open(conn, actor, &command, now, context)),
        C::NoteCheckout(ask) => ask.apply(|command| checkout::note(conn, actor, command, now)),
        C::FailCheckout(ask) => ask.apply(|command| checkout::fail(conn, actor, command, now)),
        C::BookCheckout(ask) => ask.apply(|command| checkout::book(conn, actor, &command, now, context)),
        C::PostponeStripe(ask) => ask.apply(|command| events::postpone(conn, actor, command, now)),
        C::BookRefunds(ask) => ask.apply(|command| events::book_refunds(conn, actor, &command, now, context)),
        C::FailRefund(ask) => ask.apply(|command| events::fail_refund(conn, actor, command, now, context)),
        C::StoreStripeEvent(ask) => ask.apply(|command| events::store(conn, actor, command, now)),
        C::SettleStripeEvent(ask) => ask.apply(|command| events::settle(conn, actor, &command)),
        C::NoteEventsAsked(ask) => ask.apply(|command| events::note_asked(conn, actor, &command)),
        C::NoteDispute(ask) => ask.apply(|command| events::note_dispute(conn, actor, &command, now, context)),
    }
}
