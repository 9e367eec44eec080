//! The `invoices` table and what stands beside it: documents and series of numbers.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde_json::Value;

use crate::model::billing::{Balance, Draft, Related};
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::{ConversationId, InvoiceId, MessageId, UserId};
use crate::model::invoice::{Invoice, InvoiceType};
use crate::model::timestamp::Timestamp;
use crate::store::practice::{from_json, to_json};

/// How documents are drawn by this version of the program.
pub const TEMPLATE: i64 = 1;

/// A row of the table, without what is printed.
#[derive(Clone, Debug)]
pub struct InvoiceRow {
    pub id: InvoiceId,
    pub conversation_id: ConversationId,
    pub lawyer_id: UserId,
    pub client_id: UserId,
    pub r#type: InvoiceType,
    pub draft: Option<Draft>,
    pub number: Option<String>,
    pub issued_on: Option<Day>,
    pub due_on: Option<Day>,
    pub is_specimen: bool,
    pub origin_id: Option<InvoiceId>,
    pub net: Cents,
    pub vat: Cents,
    pub balance: Balance,
    pub deducted_by: Option<InvoiceId>,
    pub reminded_on: Option<Day>,
    pub goes_by_platform: bool,
    pub transmitted: Option<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl InvoiceRow {
    /// Whether it has a number.
    #[must_use]
    pub fn is_issued(&self) -> bool {
        self.number.is_some()
    }

    /// Whether the original must still go by an approved platform. `invoice_transmissions` counts the same.
    #[must_use]
    pub fn is_to_transmit(&self) -> bool {
        self.goes_by_platform && self.transmitted.is_none()
    }
}

const COLUMNS: &str = "id, conversation_id, lawyer_id, client_id, type, draft, number, issued_on, due_on, is_specimen,
    origin_id, net_cents, vat_cents, prepaid_cents, credited_cents, received_cents, paid_cents, is_in_process,
    is_disputed, deducted_by, reminded_on, transmitted, created_at, updated_at,
    goes_by_platform";

fn read(row: &Row<'_>) -> rusqlite::Result<InvoiceRow> {
    let draft: Option<String> = row.get(5)?;
    let transmitted: Option<String> = row.get(21)?;
    let (net, vat): (Cents, Cents) = (row.get(11)?, row.get(12)?);
    Ok(InvoiceRow {
        id: row.get(0)?,
        conversation_id: row.get(1)?,
        lawyer_id: row.get(2)?,
        client_id: row.get(3)?,
        r#type: type_of(&row.get::<_, String>(4)?),
        draft: draft.map(|json| from_json(5, &json)).transpose()?,
        number: row.get(6)?,
        issued_on: row.get(7)?,
        due_on: row.get(8)?,
        is_specimen: row.get(9)?,
        origin_id: row.get(10)?,
        net,
        vat,
        balance: Balance {
            total: net + vat,
            prepaid: row.get(13)?,
            credited: row.get(14)?,
            received: row.get(15)?,
            paid: row.get(16)?,
            is_in_process: row.get(17)?,
            is_disputed: row.get(18)?,
        },
        deducted_by: row.get(19)?,
        reminded_on: row.get(20)?,
        goes_by_platform: row.get(24)?,
        transmitted: transmitted.map(|json| from_json(21, &json)).transpose()?,
        created_at: row.get(22)?,
        updated_at: row.get(23)?,
    })
}

fn type_of(word: &str) -> InvoiceType {
    match word {
        "deposit" => InvoiceType::Deposit,
        "credit" => InvoiceType::Credit,
        _ => InvoiceType::Standard,
    }
}

/// The word of a type in the database and on the wire.
#[must_use]
pub const fn word_of(r#type: InvoiceType) -> &'static str {
    match r#type {
        InvoiceType::Standard => "standard",
        InvoiceType::Deposit => "deposit",
        InvoiceType::Credit => "credit",
    }
}

/// Whose and where a new row is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub conversation_id: ConversationId,
    pub lawyer_id: UserId,
    pub client_id: UserId,
}

/// Stores a draft.
///
/// # Errors
/// SQLite's.
pub fn insert_draft(conn: &Connection, place: Place, draft: &Draft, now: Timestamp) -> rusqlite::Result<InvoiceId> {
    conn.prepare_cached(
        "INSERT INTO invoices (conversation_id, lawyer_id, client_id, type, draft, created_at, updated_at)
         VALUES (:conversation, :lawyer, :client, :type, :draft, :now, :now)
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":conversation": place.conversation_id,
            ":lawyer": place.lawyer_id,
            ":client": place.client_id,
            ":type": word_of(draft.r#type),
            ":draft": to_json(draft)?,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// Puts another draft in a draft's place.
///
/// # Errors
/// SQLite's.
pub fn set_draft(conn: &Connection, id: InvoiceId, draft: &Draft, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE invoices
         SET draft = :draft, type = :type, updated_at = :now
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":draft": to_json(draft)?,
        ":type": word_of(draft.r#type),
        ":now": now,
        ":id": id,
    })
    .map(drop)
}

/// Removes a draft, or a specimen with all that belongs to it.
///
/// # Errors
/// SQLite's.
pub fn delete(conn: &Connection, id: InvoiceId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM invoices WHERE id = :id")?.execute(named_params! { ":id": id }).map(drop)
}

/// One row.
///
/// # Errors
/// SQLite's.
pub fn find(conn: &Connection, id: InvoiceId) -> rusqlite::Result<Option<InvoiceRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM invoices WHERE id = :id"))?
        .query_row(named_params! { ":id": id }, read)
        .optional()
}

/// What is printed on an issued row.
///
/// # Errors
/// SQLite's.
pub fn find_content(conn: &Connection, id: InvoiceId) -> rusqlite::Result<Option<Invoice>> {
    let json: Option<Option<String>> = conn
        .prepare_cached("SELECT content FROM invoices WHERE id = :id")?
        .query_row(named_params! { ":id": id }, |row| row.get(0))
        .optional()?;
    json.flatten().map(|json| from_json(0, &json)).transpose()
}

/// Freezes a draft: number, days and all that is printed.
///
/// # Errors
/// SQLite's.
pub fn freeze(conn: &Connection, id: InvoiceId, content: &Invoice, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE invoices
         SET number = :number, issued_on = :issued_on, due_on = :due_on, content = :content, template = :template,
           is_specimen = :is_specimen, net_cents = :net, vat_cents = :vat, prepaid_cents = :prepaid,
           goes_by_platform = :goes_by_platform, updated_at = :now
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":number": content.number,
        ":issued_on": content.issued_on,
        ":due_on": content.due_on,
        ":content": to_json(content)?,
        ":template": TEMPLATE,
        ":is_specimen": content.is_specimen,
        ":net": content.totals.net(),
        ":vat": content.totals.vat(),
        ":prepaid": content.prepaid_cents,
        ":goes_by_platform": content.goes_by_platform() && !content.is_specimen,
        ":now": now,
        ":id": id,
    })
    .map(drop)
}

/// Stores a row for a credit note, to be frozen at once.
///
/// # Errors
/// SQLite's.
pub fn insert_credit(
    conn: &Connection,
    place: Place,
    origin_id: InvoiceId,
    now: Timestamp,
) -> rusqlite::Result<InvoiceId> {
    conn.prepare_cached(
        "INSERT INTO invoices (conversation_id, lawyer_id, client_id, type, origin_id, created_at, updated_at)
         VALUES (:conversation, :lawyer, :client, 'credit', :origin, :now, :now)
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":conversation": place.conversation_id,
            ":lawyer": place.lawyer_id,
            ":client": place.client_id,
            ":origin": origin_id,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// A message shows this invoice.
///
/// # Errors
/// SQLite's.
pub fn insert_entry(conn: &Connection, id: InvoiceId, message_id: MessageId) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO invoice_entries (message_id, invoice_id) VALUES (:message, :id)")?
        .execute(named_params! { ":message": message_id, ":id": id })
        .map(drop)
}

/// The messages that show an invoice, the first first.
///
/// # Errors
/// SQLite's.
pub fn list_entries(conn: &Connection, id: InvoiceId) -> rusqlite::Result<Vec<MessageId>> {
    conn.prepare_cached("SELECT message_id FROM invoice_entries WHERE invoice_id = :id ORDER BY message_id")?
        .query_map(named_params! { ":id": id }, |row| row.get(0))?
        .collect()
}

/// A deposit is deducted by this final invoice.
///
/// # Errors
/// SQLite's.
pub fn set_deducted(conn: &Connection, deposit: InvoiceId, by: InvoiceId) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE invoices SET deducted_by = :by WHERE id = :id")?
        .execute(named_params! { ":by": by, ":id": deposit })
        .map(drop)
}

/// The last day that the buyer was reminded.
///
/// # Errors
/// SQLite's.
pub fn set_reminded(conn: &Connection, id: InvoiceId, on: Day, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE invoices SET reminded_on = :on, updated_at = :now WHERE id = :id")?
        .execute(named_params! { ":on": on, ":now": now, ":id": id })
        .map(drop)
}

/// Sums up anew what became of an invoice, from its credit notes, money, payment pages and disputes.
///
/// # Errors
/// SQLite's.
pub fn refresh(conn: &Connection, id: InvoiceId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE invoices
         SET credited_cents =
             (SELECT coalesce(sum(c.net_cents + c.vat_cents), 0) FROM invoices c WHERE c.origin_id = invoices.id),
           paid_cents = (SELECT coalesce(sum(p.amount_cents), 0) FROM payments p WHERE p.invoice_id = invoices.id),
           received_cents =
             (SELECT coalesce(sum(p.amount_cents), 0)
              FROM payments p
              LEFT JOIN payments r ON r.id = p.reverses_id
              WHERE p.invoice_id = invoices.id
                AND (p.amount_cents > 0 AND r.id IS NULL OR r.amount_cents > 0)),
           is_in_process = EXISTS (
             SELECT 1 FROM checkout_sessions s WHERE s.invoice_id = invoices.id AND s.state = 'in_process'),
           is_disputed = EXISTS (
             SELECT 1
             FROM disputes d
             WHERE d.invoice_id = invoices.id
               AND d.status NOT IN ('won', 'lost', 'warning_closed', 'prevented')),
           updated_at = :now
         WHERE id = :id",
    )?
    .execute(named_params! { ":id": id, ":now": now })
    .map(drop)
}

/// Which rows a list shows.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    /// All of a juriste's, drafts included.
    Lawyer(UserId),
    /// The issued ones of a client.
    Client(UserId),
    /// All issued ones.
    Everybody,
}

/// The latest first, before `before`, as far as `keep` wants them, at most `limit`.
///
/// # Errors
/// SQLite's.
pub fn list(
    conn: &Connection,
    whose: Whose,
    conversation_id: Option<ConversationId>,
    before: Option<InvoiceId>,
    limit: usize,
    mut keep: impl FnMut(&InvoiceRow) -> bool,
) -> rusqlite::Result<Vec<InvoiceRow>> {
    let (condition, user) = match whose {
        Whose::Lawyer(user) => ("lawyer_id = :user", Some(user)),
        Whose::Client(user) => ("client_id = :user AND number IS NOT NULL", Some(user)),
        Whose::Everybody => ("number IS NOT NULL AND :user IS NULL", None),
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
         FROM invoices
         WHERE {condition}
           AND (:conversation IS NULL OR conversation_id = :conversation)
           AND id < :before
         ORDER BY id DESC"
    ))?;
    let before = before.map_or(i64::MAX, InvoiceId::as_i64);
    let mut rows =
        statement.query(named_params! { ":user": user, ":conversation": conversation_id, ":before": before })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        if keep(&row) {
            found.push(row);
            if found.len() >= limit {
                break;
            }
        }
    }
    Ok(found)
}

/// The issued rows of a span of days that are no specimens, in the order of issue.
///
/// # Errors
/// SQLite's.
pub fn list_issued(conn: &Connection, from: Day, to: Day) -> rusqlite::Result<Vec<InvoiceRow>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
         FROM invoices
         WHERE issued_on BETWEEN :from AND :to
           AND is_specimen = 0
         ORDER BY issued_on, id"
    ))?
    .query_map(named_params! { ":from": from, ":to": to }, read)?
    .collect()
}

/// An invoice's credit notes, in the order of issue.
///
/// # Errors
/// SQLite's.
pub fn list_credits(conn: &Connection, origin_id: InvoiceId) -> rusqlite::Result<Vec<InvoiceRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM invoices WHERE origin_id = :origin ORDER BY id"))?
        .query_map(named_params! { ":origin": origin_id }, read)?
        .collect()
}

/// The deposits that a final invoice deducts.
///
/// # Errors
/// SQLite's.
pub fn list_deducted(conn: &Connection, by: InvoiceId) -> rusqlite::Result<Vec<InvoiceRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM invoices WHERE deducted_by = :by ORDER BY id"))?
        .query_map(named_params! { ":by": by }, read)?
        .collect()
}

/// All specimens, credit notes first: what refers to another one goes before it.
///
/// # Errors
/// SQLite's.
pub fn list_specimens(conn: &Connection) -> rusqlite::Result<Vec<InvoiceRow>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
         FROM invoices
         WHERE is_specimen = 1
         ORDER BY origin_id IS NULL, deducted_by IS NULL, id"
    ))?
    .query_map([], read)?
    .collect()
}

/// How a document is named beside another one.
#[must_use]
pub fn related(row: &InvoiceRow) -> Option<Related> {
    let (number, issued_at) = row.number.clone().zip(row.issued_on)?;
    Some(Related { id: row.id, number, total_cents: row.balance.total, issued_at })
}

/// How many are issued, overdue on this day, and without a document.
///
/// # Errors
/// SQLite's.
pub fn count(conn: &Connection, today: Day) -> rusqlite::Result<[i64; 3]> {
    conn.prepare_cached(
        "SELECT count(*),
           coalesce(sum(type <> 'credit'
             AND due_on < :today
             AND net_cents + vat_cents - prepaid_cents - credited_cents > paid_cents), 0),
           coalesce(sum(NOT EXISTS (SELECT 1 FROM invoice_documents d WHERE d.invoice_id = invoices.id)), 0)
         FROM invoices
         WHERE number IS NOT NULL",
    )?
    .query_row(named_params! { ":today": today }, |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
}
