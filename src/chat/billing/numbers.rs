//! Numbers: a series without gaps for invoices and one for credit notes, allotted in the transaction that issues.

use rusqlite::Connection;

use crate::chat::contract::error::{Error, Reason};
use crate::model::day::Day;
use crate::model::fields::Fault;
use crate::model::locale::Text;
use crate::store::invoice_series;

/// How far behind the latest number known here the last one that left the house may lie. More is a slip of the keyboard,
/// which could not be taken back: each number between is noted as lost.
const LOST_MAX: i64 = 10_000;

/// A series of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Series {
    /// `F2026-00042`
    Invoice,
    /// `A2026-00007`
    Credit,
    /// `DEMO-00001`: outside every series.
    Specimen,
}

impl Series {
    const fn name(self) -> &'static str {
        match self {
            Self::Invoice => "F",
            Self::Credit => "A",
            Self::Specimen => "DEMO",
        }
    }

    const fn year_of(self, day: i32) -> i32 {
        match self {
            Self::Invoice | Self::Credit => day,
            Self::Specimen => 0,
        }
    }

    /// How the number at this place is written.
    #[must_use]
    pub fn write(self, year: i32, place: i64) -> String {
        match self {
            Self::Invoice | Self::Credit => format!("{}{year}-{place:05}", self.name()),
            Self::Specimen => format!("{}-{place:05}", self.name()),
        }
    }

    /// Year and place of a number of this series.
    #[must_use]
    pub fn read(self, number: &str) -> Option<(i32, i64)> {
        let (year, place) = number.strip_prefix(self.name())?.split_once('-')?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || !(5..=9).contains(&place.len()) || !is_plain(year) || !is_plain(place) {
            return None;
        }
        let (year, place) = (year.parse().ok()?, place.parse().ok()?);
        (self.write(year, place) == number && place >= 1).then_some((year, place))
    }
}

/// Takes the next number of a series.
///
/// # Errors
/// `CONFLICT` where the day lies before the last one of the series: the clock is wrong now, or was.
pub fn take(conn: &Connection, series: Series, today: Day) -> Result<String, Error> {
    if let Some(latest) = invoice_series::find_latest_day(conn, series.name())?.filter(|latest| today < *latest) {
        let said = Text::new(
            format!("l’horloge dit {today}, avant le dernier numéro de la série ({latest})"),
            format!("the clock says {today}, before the last number of the series ({latest})"),
        );
        return Err(Error { details: vec![Fault::new("clock", said)], ..Reason::ClockBehind.into() });
    }
    let year = series.year_of(today.year());
    let place = invoice_series::find_latest(conn, series.name(), year)?.map_or(0, |(latest, _)| latest) + 1;
    invoice_series::set_latest(conn, series.name(), year, place, today)?;
    Ok(series.write(year, place))
}

/// The latest number of a year that was given out here.
///
/// # Errors
/// `INTERNAL`.
pub fn latest(conn: &Connection, series: Series, year: i32) -> Result<Option<String>, Error> {
    let found = invoice_series::find_latest(conn, series.name(), series.year_of(year))?;
    Ok(found.map(|(place, _)| series.write(year, place)))
}

/// The series goes on behind this number, which was given out elsewhere; the numbers between are noted as lost.
///
/// # Errors
/// `CONFLICT` where this copy has given out a later one; `INVALID`, naming `field`, for a year to come and for a number that
/// is more than `LOST_MAX` behind the latest one.
pub fn skip_to(
    conn: &Connection,
    field: &'static str,
    series: Series,
    number: Option<&str>,
    today: Day,
) -> Result<(), Error> {
    let Some((year, place)) = number.and_then(|number| series.read(number)) else { return Ok(()) };
    let known = invoice_series::find_latest(conn, series.name(), year)?;
    let latest = known.map_or(0, |(latest, _)| latest);
    if place < latest {
        return Err(Reason::NumbersBehind.into());
    }
    if year > today.year() || place - latest > LOST_MAX {
        let known = series.write(year, latest);
        let said = if year > today.year() {
            Text::new("est d’une année à venir", "is of a year to come")
        } else {
            Text::new(
                format!("plus de {LOST_MAX} numéros après {known}, le dernier connu ici"),
                format!("more than {LOST_MAX} numbers after {known}, the latest known here"),
            )
        };
        return Err(Error::invalid(field, said));
    }
    for lost in latest + 1..=place {
        invoice_series::insert_lost(conn, &series.write(year, lost), today)?;
    }
    let on = known.map_or(today, |(_, on)| on.max(today));
    if place > latest {
        invoice_series::set_latest(conn, series.name(), year, place, on)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Series;
    use crate::chat::contract::error::Code;
    use crate::chat::testing::bills::{Office, hour};
    use crate::model::invoice::InvoiceType;

    #[test]
    fn a_series_begins_anew_with_the_year_and_stops_where_the_clock_went_back() {
        const YEAR: Duration = Duration::from_secs(366 * 86_400);
        let mut office = Office::open();
        let next = |office: &mut Office| office.try_issue(InvoiceType::Standard, vec![hour(100)], Vec::new());
        let first = next(&mut office).unwrap();
        let year = first.issued_at.unwrap().year();
        office.fixture.pass(YEAR);
        let behind = [next(&mut office).unwrap(), next(&mut office).unwrap()];
        office.fixture.set_clock_right();
        let refused = next(&mut office).unwrap_err();
        assert_eq!((refused.code(), refused.details[0].field.as_str()), (Code::Conflict, "clock"));
        office.fixture.pass(YEAR);
        let last = next(&mut office).unwrap();
        let numbers = [&first, &behind[0], &behind[1], &last].map(|it| it.number.clone().unwrap());
        let expected = [(year, 1), (year + 1, 1), (year + 1, 2), (year + 1, 3)];
        assert_eq!(numbers, expected.map(|(year, place)| Series::Invoice.write(year, place)));
    }

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(Series::Invoice.write(2026, 42), "F2026-00042");
        assert_eq!(Series::Credit.write(2026, 123_456), "A2026-123456");
        assert_eq!(Series::Specimen.write(0, 1), "DEMO-00001");
        assert_eq!(Series::Invoice.read("F2026-00042"), Some((2026, 42)));
        assert_eq!(Series::Invoice.read("F2026-123456"), Some((2026, 123_456)));
        for text in ["", "A2026-00042", "F2026-42", "F2026-000042", "F26-00042", "F2026-00000", "F2026-0004x"] {
            assert_eq!(Series::Invoice.read(text), None, "{text}");
        }
    }
}
