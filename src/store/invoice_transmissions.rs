//! Which originals went by an approved platform, and which still have to: two columns of the `invoices` table.

use rusqlite::{Connection, OptionalExtension as _, named_params};
use serde_json::Value;

use crate::model::day::Day;
use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;
use crate::store::practice::to_json;

/// What still has to go by an approved platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// How many invoices and credit notes; at least one.
    pub count: i64,
    /// The number of the oldest.
    pub number: String,
    /// When the oldest was issued.
    pub issued_on: Day,
}

/// By which platform the original went.
///
/// # Errors
/// SQLite's.
pub fn set(conn: &Connection, id: InvoiceId, what: &Value, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE invoices SET transmitted = :what, updated_at = :now WHERE id = :id")?
        .execute(named_params! { ":what": to_json(what)?, ":now": now, ":id": id })
        .map(drop)
}

/// What still has to; `None` where nothing does.
///
/// # Errors
/// SQLite's.
pub fn load_waiting(conn: &Connection) -> rusqlite::Result<Option<Waiting>> {
    conn.prepare_cached(
        "SELECT count(*) OVER (), number, issued_on
         FROM invoices
         WHERE goes_by_platform = 1
           AND transmitted IS NULL
         ORDER BY issued_on, id
         LIMIT 1",
    )?
    .query_row([], |row| Ok(Waiting { count: row.get(0)?, number: row.get(1)?, issued_on: row.get(2)? }))
    .optional()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::billing::Draft;
    use crate::model::conversation::Members;
    use crate::model::id::UserId;
    use crate::model::invoice::Invoice;
    use crate::store::conversations;
    use crate::store::database::scratch;
    use crate::store::invoices::{self, Place, Whose};

    /// A conversation in which there are bills.
    fn place(conn: &Connection) -> Place {
        let members = Members { client_id: UserId::try_from(1).unwrap(), lawyer_id: UserId::try_from(6).unwrap() };
        let conversation_id = conversations::insert(conn, members, Timestamp::default()).unwrap();
        Place { conversation_id, lawyer_id: members.lawyer_id, client_id: members.client_id }
    }

    /// An invoice of this day for a buyer of this kind and country.
    fn issue(conn: &Connection, place: Place, number: &str, issued_on: &str, buyer: (&str, &str)) -> InvoiceId {
        let (kind, country) = buyer;
        let draft: Draft =
            serde_json::from_value(json!({ "type": "standard", "lines": [], "depositIds": [] })).unwrap();
        let id = invoices::insert_draft(conn, place, &draft, Timestamp::default()).unwrap();
        let address = json!({ "line1": "1 rue", "postcode": "69002", "city": "Lyon", "country": country });
        let content: Invoice = serde_json::from_value(json!({
            "type": "standard", "number": number, "issuedOn": issued_on, "dueOn": issued_on,
            "seller": {
                "name": "Cabinet", "profession": "avocat", "legalForm": "SELARL", "siren": "732829320",
                "address": address, "vatRegime": "collection", "paymentTermDays": 30, "penaltyRateBp": 1_200,
                "eInvoicingFrom": "2027-09-01",
            },
            "buyer": { "kind": kind, "name": "Somebody", "address": address },
            "lines": [], "totals": { "vatGroups": [] }, "preceding": [], "prepaidCents": 0, "note": null,
            "isSpecimen": number.starts_with("DEMO"),
        }))
        .unwrap();
        invoices::freeze(conn, id, &content, Timestamp::default()).unwrap();
        id
    }

    /// How many wait by this count; and which, row by row.
    fn waiting(conn: &Connection) -> (Option<Waiting>, Vec<String>) {
        let rows = invoices::list(conn, Whose::Everybody, None, None, usize::MAX, |row| row.is_to_transmit()).unwrap();
        (load_waiting(conn).unwrap(), rows.into_iter().filter_map(|row| row.number).collect())
    }

    #[test]
    fn what_a_french_business_was_billed_since_the_day_waits_until_it_went() {
        let conn = scratch::open();
        let place = place(&conn);
        issue(&conn, place, "F2027-00001", "2027-08-31", ("company", "FR"));
        issue(&conn, place, "F2027-00002", "2027-09-01", ("person", "FR"));
        issue(&conn, place, "F2027-00003", "2027-09-01", ("company", "DE"));
        issue(&conn, place, "DEMO-00001", "2027-09-01", ("company", "FR"));
        assert_eq!(waiting(&conn), (None, vec![]));
        let first = issue(&conn, place, "F2027-00004", "2027-09-01", ("company", "FR"));
        let second = issue(&conn, place, "F2027-00005", "2027-09-02", ("company", "FR"));
        let oldest = |count, number: &str, day| {
            Some(Waiting { count, number: number.to_owned(), issued_on: Day::new(2027, 9, day).unwrap() })
        };
        let both = ["F2027-00005", "F2027-00004"].map(str::to_owned).to_vec();
        assert_eq!(waiting(&conn), (oldest(2, "F2027-00004", 1), both));
        let went = json!({ "platform": "PA", "reference": "1", "date": "2027-09-02" });
        set(&conn, first, &went, Timestamp::default()).unwrap();
        assert_eq!(waiting(&conn), (oldest(1, "F2027-00005", 2), vec!["F2027-00005".to_owned()]));
        set(&conn, second, &went, Timestamp::default()).unwrap();
        assert_eq!(waiting(&conn), (None, vec![]));
    }

    #[test]
    fn whether_an_original_goes_by_a_platform_never_changes() {
        let conn = scratch::open();
        let place = place(&conn);
        issue(&conn, place, "F2027-00001", "2027-09-01", ("company", "FR"));
        conn.execute("UPDATE invoices SET goes_by_platform = 0", []).unwrap_err();
        assert_eq!(waiting(&conn).1, ["F2027-00001"]);
    }
}
