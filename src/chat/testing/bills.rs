//! Where tests of bills start: a practice that may issue, somebody to bill, and the rules between the two.

use std::time::Duration;

use serde_json::{Value, json};

use crate::auth::actor::Actor;
use crate::chat::contract::command::billing::{
    CreateInvoice, IssueInvoice, RecordPayment, UpdateBuyer, UpdatePractice,
};
use crate::chat::contract::error::Error;
use crate::chat::contract::settings::Settings;
use crate::chat::testing::fixtures::RulesFixture;
use crate::model::billing::{Draft, DraftLine, PaymentMethod, ShownInvoice};
use crate::model::cents::Cents;
use crate::model::id::{ConversationId, InvoiceId, UserId};
use crate::model::invoice::{InvoiceType, LineKind, VatRate};
use crate::model::party::Buyer;

/// All that the law asks of a practice.
pub fn practice_json() -> Value {
    json!({
        "name": "Cabinet Delorme", "profession": "avocat", "legalForm": "EI", "siren": "732829320",
        "address": {"line1": "12 rue de la République", "postcode": "69002", "city": "Lyon", "country": "FR"},
        "vatNumber": "FR44732829320", "vatRegime": "collection", "paymentTermDays": 30, "penaltyRateBp": 1_200,
        "conventionDate": "2026-03-02", "mediator": {"name": "Médiateur", "contact": "mediateur.example"},
    })
}

/// A client who may be billed.
pub fn buyer() -> Buyer {
    serde_json::from_value(json!({
        "kind": "person", "name": "Camille Moreau",
        "address": {"line1": "3 place Bellecour", "postcode": "69002", "city": "Lyon", "country": "FR"},
    }))
    .unwrap()
}

/// An hour's work.
pub fn hour(net: i64) -> DraftLine {
    DraftLine {
        description: "Heure".to_owned(),
        quantity: 1_000,
        unit_price_cents: Cents(net),
        discount_cents: Cents::ZERO,
        vat_rate_bp: VatRate::ALL[0],
        kind: LineKind::Fee,
    }
}

/// The rules, with a practice that may issue and somebody to bill.
pub struct Office {
    /// The rules.
    pub fixture: RulesFixture,
    /// Who bills.
    pub juriste: Actor,
    /// Who is billed.
    pub client: Actor,
    /// Who looks after the practice.
    pub admin: Actor,
    conversation_id: ConversationId,
}

impl Office {
    /// Without Stripe.
    pub fn open() -> Self {
        Self::with(None)
    }

    /// `stripe_livemode`: whether Stripe's key moves real money.
    pub fn with(stripe_livemode: Option<bool>) -> Self {
        const YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);
        let mut fixture = RulesFixture::with(Settings { message_rate: 0, stripe_livemode, ..Settings::default() });
        let [client, juriste, admin] = [1, 6, 11].map(|user| fixture.actor_for(user, YEARS));
        let conversation_id = fixture.conversation(client, 6);
        let Value::Object(changes) = practice_json() else { panic!("an object") };
        fixture.run(admin, UpdatePractice { changes, logo: None }).unwrap();
        fixture.run(client, UpdateBuyer { user_id: UserId::new(1).unwrap(), buyer: buyer() }).unwrap();
        Self { fixture, juriste, client, admin, conversation_id }
    }

    /// An issued invoice.
    pub fn issue(&mut self, r#type: InvoiceType, lines: Vec<DraftLine>, deposit_ids: Vec<InvoiceId>) -> ShownInvoice {
        self.try_issue(r#type, lines, deposit_ids).unwrap()
    }

    /// A draft, and what comes of issuing it.
    pub fn try_issue(
        &mut self,
        r#type: InvoiceType,
        lines: Vec<DraftLine>,
        deposit_ids: Vec<InvoiceId>,
    ) -> Result<ShownInvoice, Error> {
        let draft = Draft { r#type, lines, buyer: None, due_in_days: None, note: None, deposit_ids };
        let conversation_id = self.conversation_id;
        let made = self.fixture.run(self.juriste, CreateInvoice { conversation_id, draft }).unwrap().reply;
        self.fixture.run(self.juriste, IssueInvoice { invoice_id: made.id }).map(|outcome| outcome.reply)
    }

    /// Money that was transferred on the day of issue.
    pub fn pay(&mut self, invoice: &ShownInvoice, amount: Cents) -> ShownInvoice {
        let (invoice_id, date) = (invoice.id, invoice.issued_at.unwrap());
        let (method, reference) = (PaymentMethod::Transfer, None);
        let record = RecordPayment { invoice_id, method, amount, date, reference };
        self.fixture.run(self.juriste, record).unwrap().reply
    }
}
