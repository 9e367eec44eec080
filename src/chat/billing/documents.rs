//! Bills as they are asked for: one, a list, what is printed, and the bytes that were made of it.

use std::time::Duration;

use rusqlite::Connection;
use serde::Serialize;

use crate::auth::actor::Actor;
use crate::auth::link::{self, Subject};
use crate::chat::access::caller;
use crate::chat::attachments::transfer::SignedLink;
use crate::chat::billing::callers::{self, Viewer};
use crate::chat::billing::view::{self, Today};
use crate::chat::billing::{deposits, drafts, legibility, mentions, pricing};
use crate::chat::contract::command::billing::StoreDocument;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::model::billing::{InvoiceState, PaymentState, ShownInvoice, Transfer};
use crate::model::cents::Cents;
use crate::model::id::{ConversationId, InvoiceId};
use crate::model::invoice::{Invoice, InvoiceType};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::invoice_documents;
use crate::store::invoice_documents::Document;
use crate::store::invoices::{self, InvoiceRow, Whose};
use crate::store::practice;

/// Bills on a page whose asker did not say how many.
const LIMIT: usize = 50;
/// Bills on the longest page.
pub const LIMIT_MAX: usize = 200;
/// How long somebody waits for a document that is being made.
const DOCUMENT_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Documents made in one go.
const DOCUMENTS_AT_ONCE: i64 = 16;

/// Which bills are looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct InvoiceQuery {
    pub conversation_id: Option<ConversationId>,
    pub state: Option<InvoiceState>,
    pub payment: Option<PaymentState>,
    pub overdue: Option<bool>,
    pub limit: Option<usize>,
    /// Those before this one: the `nextCursor` of the page before.
    pub cursor: Option<InvoiceId>,
}

/// A page of bills, the latest first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoicePage {
    pub invoices: Vec<ShownInvoice>,
    pub next_cursor: Option<InvoiceId>,
}

/// The rule of [`StoreDocument`]. Two that were made of the same row are the same.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn store(conn: &Connection, actor: Actor, command: &StoreDocument, now: Timestamp) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    invoice_documents::insert(conn, command.invoice_id, &command.pdf, &command.xml, &command.sha256, now)?;
    Ok(().into())
}

impl Chat {
    /// One bill.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_invoice(&self, actor: Actor, id: InvoiceId) -> Result<ShownInvoice, Error> {
        let settings = self.settings.clone();
        self.ask(move |conn, now| {
            let seen = callers::require_seen(conn, actor, id, now)?;
            view::show(conn, &seen.row, seen.viewer, Today::of(&settings, now))
        })
        .await
    }

    /// A page of the caller's bills, the latest first; an administrator sees all that are issued.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND` for a conversation that is not theirs.
    pub async fn list_invoices(&self, actor: Actor, query: InvoiceQuery) -> Result<InvoicePage, Error> {
        let settings = self.settings.clone();
        self.ask(move |conn, now| {
            let member = caller::require_member(conn, actor, now)?;
            let (whose, viewer) = match member.role {
                Role::Juriste => (Whose::Lawyer(member.user_id), Viewer::Lawyer),
                Role::Client => (Whose::Client(member.user_id), Viewer::Client),
                Role::Admin => (Whose::Everybody, Viewer::Admin),
            };
            if let (Some(conversation_id), Viewer::Lawyer | Viewer::Client) = (query.conversation_id, viewer) {
                caller::require_membership(conn, actor, conversation_id, now)?;
            }
            let today = Today::of(&settings, now);
            let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
            let keep = |row: &InvoiceRow| is_wanted(row, &query, today);
            let mut rows = invoices::list(conn, whose, query.conversation_id, query.cursor, limit + 1, keep)?;
            let has_more = rows.len() > limit;
            rows.truncate(limit);
            let next_cursor = rows.last().filter(|_| has_more).map(|row| row.id);
            let shown: Result<_, Error> = rows.iter().map(|row| view::show(conn, row, viewer, today)).collect();
            Ok(InvoicePage { invoices: shown?, next_cursor })
        })
        .await
    }

    /// What would be printed of a draft now; what is missing is drawn as a dash.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` once it is issued; `INVALID` naming what cannot be printed.
    pub async fn load_preview(&self, actor: Actor, id: InvoiceId) -> Result<Invoice, Error> {
        let settings = self.settings.clone();
        self.ask(move |conn, now| preview(conn, actor, id, Today::of(&settings, now), now)).await
    }

    /// The document of an issued bill. One that is being made is waited for.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` for a draft; `UNAVAILABLE` where it takes longer.
    pub async fn load_document(&self, actor: Actor, id: InvoiceId) -> Result<(String, Document), Error> {
        let until = tokio::time::Instant::now() + DOCUMENT_WITHIN;
        loop {
            let found = self
                .ask(move |conn, now| {
                    let number = callers::require_seen(conn, actor, id, now)?.row.number.ok_or(Reason::NotIssued)?;
                    Ok(invoice_documents::find(conn, id)?.map(|document| (number, document)))
                })
                .await?;
            match found {
                Some(found) => return Ok(found),
                None if tokio::time::Instant::now() >= until => return Err(Reason::DocumentPending.into()),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// How an issued bill is paid by transfer: what its document says, for what is due by now. `None` where nothing is, or
    /// the practice names no account.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` for a draft.
    pub async fn load_transfer(&self, actor: Actor, id: InvoiceId) -> Result<Option<Transfer>, Error> {
        self.ask(move |conn, now| {
            let row = callers::require_seen(conn, actor, id, now)?.row;
            let reference = row.number.clone().ok_or(Reason::NotIssued)?;
            let amount_cents = row.balance.due();
            let seller = invoices::find_content(conn, id)?.map(|content| content.seller);
            let account = seller.and_then(|seller| Some((seller.name, seller.iban?, seller.bic)));
            let is_owed = row.r#type != InvoiceType::Credit && amount_cents > Cents::ZERO;
            Ok(account.filter(|_| is_owed).map(|(name, iban, bic)| Transfer {
                name,
                iban: iban.chars().filter(char::is_ascii_alphanumeric).collect(),
                bic,
                amount_cents,
                reference,
                is_specimen: row.is_specimen,
            }))
        })
        .await
    }

    /// A signed address of a document, good for five minutes.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` for a draft.
    pub async fn link_document(&self, actor: Actor, id: InvoiceId) -> Result<SignedLink, Error> {
        self.ask(move |conn, now| {
            let seen = callers::require_seen(conn, actor, id, now)?;
            if seen.row.is_issued() { Ok(()) } else { Err(Reason::NotIssued.into()) }
        })
        .await?;
        let caller = actor.caller().ok_or(Reason::TokenMissing)?;
        let links = &self.credentials().links;
        let (grant, expires_at) =
            link::issue(links, Subject::Invoice(id), &caller, Timestamp::now()).map_err(Error::internal)?;
        Ok(SignedLink { url: format!("/invoices/{id}/document.pdf?grant={grant}"), expires_at })
    }

    /// The issued bills whose documents are still to be made, with what is printed on them.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_unprinted(&self) -> Result<Vec<(InvoiceId, Invoice)>, Error> {
        self.ask(|conn, _| {
            let mut found = Vec::new();
            for id in invoice_documents::list_missing(conn, DOCUMENTS_AT_ONCE)? {
                found.extend(invoices::find_content(conn, id)?.map(|content| (id, content)));
            }
            Ok(found)
        })
        .await
    }
}

fn is_wanted(row: &InvoiceRow, query: &InvoiceQuery, today: Today) -> bool {
    query.state.is_none_or(|state| state == view::state_of(row))
        && query.payment.is_none_or(|payment| row.is_issued() && payment == view::payment_of(row))
        && query.overdue.is_none_or(|overdue| overdue == view::is_overdue(row, today.day))
}

fn preview(conn: &Connection, actor: Actor, id: InvoiceId, today: Today, now: Timestamp) -> Result<Invoice, Error> {
    let row = drafts::require_draft(conn, actor, id, now)?;
    let draft = row.draft.clone().ok_or(Reason::AlreadyIssued)?;
    let known = practice::find(conn)?.unwrap_or_default();
    let seller = mentions::incomplete(&known);
    let buyer = view::buyer_of(conn, &row, &draft)?.unwrap_or_else(view::somebody);
    let faults = legibility::faults(&seller, &buyer, &draft);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let (lines, totals) = pricing::price_as_typed(&seller, &buyer, &draft.lines);
    let mut taken = Vec::new();
    for deposit in &draft.deposit_ids {
        taken.extend(invoices::find(conn, *deposit)?.filter(|it| it.conversation_id == row.conversation_id));
    }
    let term = draft.due_in_days.unwrap_or(seller.payment_term_days);
    Ok(Invoice {
        r#type: draft.r#type,
        number: None,
        issued_on: today.day,
        due_on: today.day.plus_days(term.into()),
        seller,
        buyer,
        lines,
        totals,
        preceding: taken.iter().filter_map(deposits::preceding).collect(),
        prepaid_cents: taken.iter().map(|deposit| deposit.balance.total).sum::<Cents>(),
        note: draft.note,
        is_specimen: known.is_demo,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::billing::{CreateInvoice, IssueInvoice, UpdateBuyer, UpdatePractice};
    use crate::chat::contract::command::conversations::CreateConversation;
    use crate::chat::contract::error::Code;
    use crate::chat::testing::bills::{buyer, hour, practice_json};
    use crate::chat::testing::fixtures::ChatFixture;
    use crate::model::billing::Draft;
    use crate::model::id::UserId;

    const PATIENCE: Duration = Duration::from_secs(100);

    /// An issued bill, its client, and a chat beside which nothing makes documents.
    async fn unprinted() -> (ChatFixture, Actor, InvoiceId) {
        let fixture = ChatFixture::demo();
        let mut actors = Vec::new();
        for name in ["client1", "juriste1", "admin"] {
            actors.push(fixture.actor(&fixture.sign_in(name).await));
        }
        let [client, juriste, admin] = actors[..] else { panic!("three") };
        let chat = &fixture.chat;
        let serde_json::Value::Object(changes) = practice_json() else { panic!("an object") };
        chat.execute(admin, UpdatePractice { changes, logo: None }).await.unwrap();
        let [client_id, lawyer_id] = [1, 6].map(|id| UserId::new(id).unwrap());
        chat.execute(client, UpdateBuyer { user_id: client_id, buyer: buyer() }).await.unwrap();
        let begun = chat.execute(client, CreateConversation { participant_id: lawyer_id }).await.unwrap();
        let draft = Draft {
            r#type: InvoiceType::Standard,
            lines: vec![hour(10_000)],
            buyer: None,
            due_in_days: None,
            note: None,
            deposit_ids: Vec::new(),
        };
        let create = CreateInvoice { conversation_id: begun.conversation.id, draft };
        let id = chat.execute(juriste, create).await.unwrap().id;
        chat.execute(juriste, IssueInvoice { invoice_id: id }).await.unwrap();
        (fixture, client, id)
    }

    #[tokio::test]
    async fn a_document_that_takes_longer_than_two_seconds_is_unavailable_and_served_once_it_is_made() {
        let (fixture, client, id) = unprinted().await;
        let asked = tokio::time::Instant::now();
        let answer = tokio::time::timeout(PATIENCE, fixture.chat.load_document(client, id)).await;
        let refused = answer.expect("an answer, though there is no document").unwrap_err();
        assert_eq!((refused.reason, refused.code()), (Reason::DocumentPending, Code::Unavailable));
        assert!(asked.elapsed() >= DOCUMENT_WITHIN, "it was waited for");
        let pdf = b"%PDF".to_vec();
        let made = StoreDocument { invoice_id: id, pdf: pdf.clone(), xml: b"<xml/>".to_vec(), sha256: [7; 32] };
        // One that is made while somebody waits is served to them.
        let (found, stored) =
            tokio::join!(fixture.chat.load_document(client, id), fixture.chat.execute(Actor::System, made));
        stored.unwrap();
        assert_eq!(found.unwrap().1.pdf, pdf);
    }
}
