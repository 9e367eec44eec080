//! Asks Stripe what is to be asked, and writes down what it says.
//!
//! All that is sent stands in a row with its idempotency key first, so a crash at any point leads to one charge and one
//! refund. Paid is what Stripe says when it is asked, never what a redirect or a webhook says: those only wake this.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::auth::actor::Actor;
use crate::chat::contract::command::stripe::{
    BookCheckout, BookRefunds, FailCheckout, FailRefund, NoteCheckout, NoteDispute, PostponeStripe, Postponed,
    SettleStripeEvent,
};
use crate::chat::contract::error::Reason;
use crate::chat::handle::chat::Chat;
use crate::delivery::stripe_missed;
use crate::delivery::stripe_trouble::Trouble;
use crate::delivery::stripe_words::{has_given_back, is_disputed, method_of, received_s, seen_of, status_of};
use crate::integrations::stripe::call::{Call, IdempotencyKey, NewRefund, NewSession};
use crate::integrations::stripe::client::{Again, Failure, Kind, Stripe};
use crate::integrations::stripe::object::{Charge, Dispute, Event, List, Reference, Refund, Session, SessionStatus};
use crate::model::billing::PaymentMethod;
use crate::model::cents::Cents;
use crate::model::timestamp::Timestamp;
use crate::store::checkout::{RefundRow, SessionRow};
use crate::store::stripe_events::EventRow;

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Why a refund is not asked for: Stripe gave money back of which nothing was known here. In Stripe's manner of words.
const REFUNDED_ELSEWHERE: &str = "refunded_elsewhere";
/// How payment pages are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where payers return to: the origin that people use.
    pub public_url: String,
    /// Whether a SEPA debit is offered beside the card.
    pub sepa: bool,
}

/// Asks Stripe, and hears what it says.
pub struct Worker {
    chat: Chat,
    stripe: Arc<Stripe>,
    settings: Settings,
}

/// One thing to be asked.
enum Task {
    Session(Box<SessionRow>, String, i64),
    Refund(RefundRow),
    Event(EventRow),
}

impl Task {
    fn key(&self) -> String {
        match self {
            Self::Session(row, ..) => format!("s{}", row.id),
            Self::Refund(row) => format!("r{}", row.id),
            Self::Event(row) => row.id.clone(),
        }
    }

    fn postponed(&self) -> (Postponed, u32) {
        match self {
            Self::Session(row, ..) => (Postponed::Checkout(row.id), row.checks),
            Self::Refund(row) => (Postponed::Refund(row.id), row.checks),
            Self::Event(row) => (Postponed::Event(row.id.clone()), row.checks),
        }
    }
}

impl Worker {
    /// Ready to ask; contacts nobody yet.
    #[must_use]
    pub fn new(chat: Chat, stripe: Arc<Stripe>, settings: Settings) -> Arc<Self> {
        Arc::new(Self { chat, stripe, settings })
    }

    /// Asks for as long as it is polled.
    pub async fn run(self: Arc<Self>) {
        let missed = stripe_missed::run(&self.chat, &self.stripe);
        tokio::join!(missed, Arc::clone(&self).carry_out_all());
    }

    async fn carry_out_all(self: Arc<Self>) {
        let mut woken = self.chat.due().subscribe();
        let mut asked = HashSet::new();
        let mut tasks: JoinSet<String> = JoinSet::new();
        loop {
            for task in self.due().await {
                let key = task.key();
                if asked.insert(key.clone()) {
                    let worker = Arc::clone(&self);
                    tasks.spawn(async move {
                        worker.carry_out(task).await;
                        key
                    });
                }
            }
            tokio::select! {
                done = tasks.join_next(), if !tasks.is_empty() => match done {
                    Some(Ok(key)) => { asked.remove(&key); }
                    // A task that panicked has no key: it is asked anew after the restart, or when the rest is done.
                    Some(Err(_)) if tasks.is_empty() => asked.clear(),
                    Some(Err(_)) | None => {}
                },
                _ = woken.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn due(&self) -> Vec<Task> {
        match self.chat.list_due_at_stripe().await {
            Ok(due) => {
                let sessions = due
                    .sessions
                    .into_iter()
                    .map(|(row, number, conversation)| Task::Session(Box::new(row), number, conversation));
                let refunds = due.refunds.into_iter().map(Task::Refund);
                sessions.chain(refunds).chain(due.events.into_iter().map(Task::Event)).collect()
            }
            Err(refusal) => {
                tracing::debug!(%refusal, "what is to be asked of Stripe could not be read");
                Vec::new()
            }
        }
    }

    async fn carry_out(&self, task: Task) {
        let outcome = match &task {
            Task::Session(row, number, conversation) => self.session(row, number, *conversation).await,
            Task::Refund(row) => self.refund(row).await,
            Task::Event(row) => self.event(row).await,
        };
        let Err(trouble) = outcome else { return };
        let (what, checks) = task.postponed();
        let (after, reason) = (trouble.after(checks), trouble.reason());
        tracing::warn!(?what, reason, "Stripe is asked again later");
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        if let Err(refusal) = self.chat.execute(Actor::System, PostponeStripe { what, after_ms }).await {
            tracing::debug!(%refusal, "when Stripe is asked again could not be stored");
        }
    }

    async fn session(&self, row: &SessionRow, number: &str, conversation: i64) -> Result<(), Trouble> {
        let Some(stripe_id) = row.stripe_id.as_deref().filter(|_| row.state != "creating") else {
            return self.create(row, number, conversation).await;
        };
        if row.state == "open" && row.is_unwanted {
            let key = key_of(&row.expire_key)?;
            match self.stripe.send(&Call::expire_session(stripe_id, key)).await {
                Ok(session) => return self.book(&session).await,
                // Somebody has paid meanwhile, or its time is over: what Stripe says of it is booked.
                Err(Failure { again: Again::Never, .. }) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        let session = self.stripe.send(&Call::session(stripe_id)).await?;
        self.book(&session).await
    }

    async fn create(&self, row: &SessionRow, number: &str, conversation: i64) -> Result<(), Trouble> {
        let back = format!("{}/c/{conversation}", self.settings.public_url);
        let new = NewSession {
            amount_cents: u32::try_from(row.amount.0).map_err(|_| Trouble::Mismatch("an amount that is none"))?,
            label: number.to_owned(),
            client_reference_id: row.reference.clone(),
            metadata: self.metadata("reference", &row.reference),
            success_url: back.clone(),
            cancel_url: back,
            customer_email: None,
            sepa: self.settings.sepa,
            locale: "fr",
            expires_at: u64::try_from(row.expires_s).unwrap_or(0),
        };
        let made = match self.stripe.send(&Call::create_session(&new, key_of(&row.create_key)?)).await {
            Ok(made) => made,
            Err(Failure { again: Again::Never, reason, .. }) => {
                tracing::warn!(reason, "Stripe made no payment page");
                self.chat.execute(Actor::System, FailCheckout { session_id: row.id, failure: reason }).await?;
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        };
        if made.livemode != self.stripe.livemode() {
            return Err(Trouble::Mismatch("a payment page of the other mode"));
        }
        let url = made.url.clone().unwrap_or_default();
        let expires_s = made.expires_at.unwrap_or(row.expires_s);
        let note = NoteCheckout { session_id: row.id, stripe_id: made.id.clone(), url, expires_s };
        self.chat.execute(Actor::System, note).await?;
        self.chat.wake();
        if made.status == Some(SessionStatus::Open) { Ok(()) } else { self.book(&made).await }
    }

    fn metadata(&self, name: &str, value: &str) -> BTreeMap<String, String> {
        let history = self.chat.history().to_string();
        BTreeMap::from([("history".to_owned(), history), (name.to_owned(), value.to_owned())])
    }

    /// Writes down how a payment page stands, if it is ours.
    async fn book(&self, session: &Session) -> Result<(), Trouble> {
        let Some(reference) = session.client_reference_id.clone() else {
            return Err(Trouble::Mismatch("a payment page without a reference"));
        };
        if session.livemode != self.stripe.livemode() {
            return Err(Trouble::Mismatch("a payment page of the other mode"));
        }
        let payment = session.payment_intent.as_ref();
        let whole = payment.and_then(Reference::whole);
        let amount = match whole {
            Some(payment) if payment.amount_received > 0 => payment.amount_received,
            _ => session.amount_total.unwrap_or(0),
        };
        let book = BookCheckout {
            stripe_id: session.id.clone(),
            reference,
            status: status_of(session, whole),
            payment_intent: payment.map(|payment| payment.id().to_owned()),
            amount: Cents(amount),
            currency: session.currency.clone().unwrap_or_default(),
            method: whole.map_or(PaymentMethod::Other, method_of),
            received_s: whole.and_then(received_s),
        };
        self.chat.execute(Actor::System, book).await?;
        // A refund or a dispute may have been told of while its payment was not known here.
        if let Some(payment) = whole.filter(|payment| has_given_back(payment)) {
            let refunds: List<Refund> = self.stripe.send(&Call::refunds_of(&payment.id)).await?;
            self.book_refunds(&payment.id, &refunds.data).await?;
        }
        if let Some(payment) = whole.filter(|payment| is_disputed(payment)) {
            self.book_disputes(&payment.id).await?;
        }
        Ok(())
    }

    /// Asks how a payment's disputes stand, and writes that down.
    async fn book_disputes(&self, payment_intent: &str) -> Result<(), Trouble> {
        let asked_s = Timestamp::now().as_secs();
        let disputes: List<Dispute> = self.stripe.send(&Call::disputes_of(payment_intent)).await?;
        for dispute in disputes.data {
            let note = NoteDispute {
                stripe_id: dispute.id,
                payment_intent: payment_intent.to_owned(),
                amount: Cents(dispute.amount),
                status: dispute.status,
                reason: dispute.reason,
                asked_s,
            };
            self.chat.execute(Actor::System, note).await?;
        }
        Ok(())
    }

    async fn refund(&self, row: &RefundRow) -> Result<(), Trouble> {
        if let (Some(stripe_id), "pending") = (&row.stripe_id, row.state.as_str()) {
            let refund = self.stripe.send(&Call::refund(stripe_id)).await?;
            self.book_refunds(&row.payment_intent, &[refund]).await?;
            return Ok(());
        }
        // Stripe forgets keys after a day, and a restored copy forgets what was given back: what Stripe knows comes first.
        let known: List<Refund> = self.stripe.send(&Call::refunds_of(&row.payment_intent)).await?;
        let has_news = !known.data.is_empty() && self.book_refunds(&row.payment_intent, &known.data).await?;
        if known.data.iter().any(|refund| seen_of(refund).key.as_deref() == Some(&row.create_key)) {
            return Ok(());
        }
        if has_news {
            return self.fail(row, REFUNDED_ELSEWHERE.to_owned()).await;
        }
        let new = NewRefund {
            payment_intent: row.payment_intent.clone(),
            amount_cents: u32::try_from(row.amount.0).map_err(|_| Trouble::Mismatch("an amount that is none"))?,
            metadata: self.metadata("refund", &row.create_key),
        };
        match self.stripe.send(&Call::create_refund(&new, key_of(&row.create_key)?)).await {
            Ok(made) => self.book_refunds(&row.payment_intent, &[made]).await.map(drop),
            Err(Failure { again: Again::Never, reason, .. }) => self.fail(row, reason).await,
            Err(failure) => Err(failure.into()),
        }
    }

    async fn fail(&self, row: &RefundRow, reason: String) -> Result<(), Trouble> {
        tracing::warn!(reason, "a refund is not made");
        Ok(self.chat.execute(Actor::System, FailRefund { refund_id: row.id, failure: reason }).await?)
    }

    /// Whether some of them gave money back and were not known.
    async fn book_refunds(&self, payment_intent: &str, refunds: &[Refund]) -> Result<bool, Trouble> {
        let (payment_intent, refunds) = (payment_intent.to_owned(), refunds.iter().map(seen_of).collect());
        Ok(self.chat.execute(Actor::System, BookRefunds { payment_intent, refunds }).await?)
    }

    async fn event(&self, row: &EventRow) -> Result<(), Trouble> {
        let event: Option<Event> = row.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let took = match event {
            Some(event) => self.effect(&event).await,
            None => Ok(false),
        };
        let outcome = match took {
            Ok(true) => "done",
            Ok(false) => "unknown",
            Err(Trouble::Chat(refusal)) if refusal.reason == Reason::NotFound => "unknown",
            Err(Trouble::Stripe(Failure { again: Again::Never, ref kind, .. })) if *kind != Kind::Misconfigured => {
                "unknown"
            }
            Err(Trouble::Mismatch(_)) => "unknown",
            Err(trouble) => return Err(trouble),
        };
        Ok(self.chat.execute(Actor::System, SettleStripeEvent { id: row.id.clone(), outcome }).await?)
    }

    /// What an event names is asked for again, and that is written down. Whether it names something that is looked after.
    async fn effect(&self, event: &Event) -> Result<bool, Trouble> {
        if event.kind.starts_with("checkout.session.") {
            let Some(session) = event.object::<Session>() else { return Ok(false) };
            let session = self.stripe.send(&Call::session(&session.id)).await?;
            self.book(&session).await?;
            return Ok(true);
        }
        if event.kind.starts_with("charge.dispute.") {
            let Some(dispute) = event.object::<Dispute>() else { return Ok(false) };
            let Some(payment_intent) = dispute.payment_intent else { return Ok(false) };
            self.book_disputes(&payment_intent).await?;
            return Ok(true);
        }
        let payment = match event.kind.as_str() {
            "charge.refunded" => event.object::<Charge>().and_then(|charge| charge.payment_intent),
            kind if kind.starts_with("refund.") || kind == "charge.refund.updated" => {
                event.object::<Refund>().and_then(|refund| refund.payment_intent)
            }
            _ => None,
        };
        let Some(payment_intent) = payment.map(|payment| payment.id().to_owned()) else { return Ok(false) };
        let list: List<Refund> = self.stripe.send(&Call::refunds_of(&payment_intent)).await?;
        self.book_refunds(&payment_intent, &list.data).await?;
        Ok(true)
    }
}

fn key_of(text: &str) -> Result<IdempotencyKey, Trouble> {
    IdempotencyKey::new(text).ok_or(Trouble::Mismatch("a key that is none"))
}
