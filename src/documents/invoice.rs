//! An invoice as a page: what the law wants on it, set so that it is read in one look.
//!
//! Head, buyer, lines, sums, how to pay, the sentences of the law; on each page who issues it and which page it is. The
//! PDF carries its own data (Factur-X), so that an accountant's program reads the same amounts as a person.

use crate::documents::pdf::archive::{self, Attached, Metadata};
use crate::documents::pdf::picture::Picture;
use crate::documents::pdf::sheet::{Align, BLACK, GREY, HEIGHT, PALE, Sheet, Style, WIDTH, wrapped};
use crate::documents::pdf::typeface::Weight;
use crate::documents::{factur_x, payment_code, wording};
use crate::model::cents::Cents;
use crate::model::invoice::{Invoice, InvoiceType, Line};

const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - 56.0;
const TEXT_WIDTH: f32 = RIGHT - LEFT;
/// Where the pages behind the first begin.
const TOP: f32 = 64.0;

/// The right ends of the columns behind the description: quantity, price, VAT, amount.
const COLUMNS: [f32; 4] = [RIGHT - 222.0, RIGHT - 136.0, RIGHT - 88.0, RIGHT];
const DESCRIPTION_WIDTH: f32 = TEXT_WIDTH - 280.0;

const TITLE: Style = Style { weight: Weight::SemiBold, size: 20.0, ink: BLACK };
const NAME: Style = Style { weight: Weight::SemiBold, size: 13.0, ink: BLACK };
const STRONG: Style = Style { weight: Weight::SemiBold, size: 9.5, ink: BLACK };
const BODY: Style = Style { weight: Weight::Regular, size: 9.5, ink: BLACK };
const SMALL: Style = Style { weight: Weight::Regular, size: 8.0, ink: GREY };
const LABEL: Style = Style { weight: Weight::Regular, size: 8.5, ink: GREY };
const STAMP: Style = Style { weight: Weight::SemiBold, size: 96.0, ink: [0.93, 0.91, 0.88] };
const LEADING: f32 = 13.5;
const SMALL_LEADING: f32 = 11.0;
const FOOT_LEADING: f32 = 10.5;

/// The PDF/A-3 of an invoice. A draft (without number) is marked "BROUILLON" and carries no data.
#[must_use]
pub fn pdf(invoice: &Invoice) -> Vec<u8> {
    let mut sheet = Sheet::default();
    stamp(&mut sheet, invoice);
    let y = head(&mut sheet, invoice);
    let y = lines(&mut sheet, invoice, y);
    let y = sums(&mut sheet, invoice, y);
    let y = payment(&mut sheet, invoice, y);
    sentences(&mut sheet, invoice, y);
    feet(&mut sheet, invoice);
    let number = invoice.number.as_deref().unwrap_or("brouillon");
    let title = format!("{} {number}", wording::title(invoice));
    let metadata = Metadata { title: &title, author: &invoice.seller.name, language: "fr", day: invoice.issued_on };
    let xml = invoice.number.is_some().then(|| factur_x::xml(invoice));
    let attached = xml.as_ref().map(|xml| Attached {
        name: factur_x::FILE_NAME,
        description: "Factur-X, profil EN 16931",
        mime_type: "text/xml",
        data: xml.as_bytes(),
        xmp: factur_x::XMP,
    });
    archive::write(sheet, &metadata, attached.as_ref())
}

fn stamp(sheet: &mut Sheet, invoice: &Invoice) {
    if invoice.number.is_none() {
        sheet.stamp("BROUILLON", STAMP);
    } else if invoice.is_specimen {
        sheet.stamp("SPÉCIMEN", STAMP);
    }
}

/// Who issues, what it is, who is billed. Gives the place below.
fn head(sheet: &mut Sheet, invoice: &Invoice) -> f32 {
    let seller = &invoice.seller;
    let mut y = 64.0;
    if let Some(picture) = seller.logo.as_ref().and_then(|logo| Picture::read(&logo.data).ok()) {
        sheet.picture(LEFT, 44.0, 150.0, 44.0, picture);
        y = 104.0;
    }
    y = sheet.paragraph(LEFT, y, 250.0, &seller.name, NAME, 16.0);
    for line in wording::address(&seller.address) {
        y = sheet.paragraph(LEFT, y, 250.0, &line, LABEL, 12.0);
    }
    sheet.text(RIGHT, 66.0, wording::title(invoice), TITLE, Align::Right);
    let number = invoice.number.as_deref().unwrap_or("Brouillon");
    sheet.text(RIGHT, 84.0, number, NAME, Align::Right);
    let mut facts = vec![("Date", wording::day(invoice.issued_on))];
    if invoice.r#type != InvoiceType::Credit {
        facts.push(("Échéance", wording::day(invoice.due_on)));
    }
    facts.push(("Nature", "Prestation de services".to_owned()));
    let mut right = 104.0;
    for (label, value) in facts {
        sheet.text(RIGHT - 118.0, right, label, LABEL, Align::Right);
        sheet.text(RIGHT, right, &value, BODY, Align::Right);
        right += LEADING;
    }
    let mut buyer = y.max(right).max(150.0) + 10.0;
    sheet.text(RIGHT - 220.0, buyer, "Client", LABEL, Align::Left);
    buyer = sheet.paragraph(RIGHT - 220.0, buyer + 14.0, 220.0, &invoice.buyer.name, STRONG, LEADING);
    for line in wording::address(&invoice.buyer.address) {
        buyer = sheet.paragraph(RIGHT - 220.0, buyer, 220.0, &line, BODY, LEADING);
    }
    let numbers = [("SIREN", &invoice.buyer.siren), ("TVA", &invoice.buyer.vat_number)];
    for (label, number) in numbers {
        if let Some(number) = number {
            sheet.text(RIGHT - 220.0, buyer, &format!("{label} {number}"), LABEL, Align::Left);
            buyer += 12.0;
        }
    }
    if let Some(notice) = wording::copy_notice(invoice) {
        sheet.text(LEFT, buyer + 8.0, notice, STRONG, Align::Left);
        buyer += 18.0;
    }
    buyer + 22.0
}

fn column_heads(sheet: &mut Sheet, y: f32) -> f32 {
    sheet.text(LEFT, y, "Désignation", LABEL, Align::Left);
    for (right, label) in COLUMNS.into_iter().zip(["Quantité", "Prix unitaire HT", "TVA", "Montant HT"]) {
        sheet.text(right, y, label, LABEL, Align::Right);
    }
    sheet.rule(LEFT, y + 6.0, TEXT_WIDTH, BLACK);
    y + 22.0
}

fn lines(sheet: &mut Sheet, invoice: &Invoice, y: f32) -> f32 {
    let mut y = column_heads(sheet, y);
    for line in &invoice.lines {
        let wrapped = wrapped(&line.description, DESCRIPTION_WIDTH, BODY);
        let rows = wrapped.len() + usize::from(line.discount_cents > Cents::ZERO);
        // A line that is longer than a page begins where it stands.
        let height = rows as f32 * LEADING;
        if y + height > lines_end(invoice) && height < lines_end(invoice) - TOP {
            y = next_lines(sheet, invoice);
        }
        y = draw_line(sheet, invoice, line, &wrapped, y);
    }
    y
}

/// Below it no line is set.
fn lines_end(invoice: &Invoice) -> f32 {
    foot(invoice) - 20.0
}

/// A new page for lines.
fn next_lines(sheet: &mut Sheet, invoice: &Invoice) -> f32 {
    sheet.turn();
    stamp(sheet, invoice);
    column_heads(sheet, TOP)
}

fn draw_line(sheet: &mut Sheet, invoice: &Invoice, line: &Line, wrapped: &[String], y: f32) -> f32 {
    let rate = match line.vat_category.exemption() {
        Some(_) => "–".to_owned(),
        None => wording::percent(line.vat_rate_bp.basis_points().into()),
    };
    let values = [wording::quantity(line.quantity), line.unit_price_cents.to_string(), rate, line.net().to_string()];
    for (right, value) in COLUMNS.into_iter().zip(values) {
        sheet.text(right, y, &value, BODY, Align::Right);
    }
    let mut below = y;
    for text in wrapped {
        if below > lines_end(invoice) {
            below = next_lines(sheet, invoice);
        }
        sheet.text(LEFT, below, text, BODY, Align::Left);
        below += LEADING;
    }
    if line.discount_cents > Cents::ZERO {
        sheet.text(LEFT, below, &format!("Remise : {}", line.discount_cents), LABEL, Align::Left);
        below += LEADING;
    }
    sheet.rule(LEFT, below - 5.0, TEXT_WIDTH, PALE);
    below + 8.0
}

/// The sums, kept together on one page where they fit on one.
fn sums(sheet: &mut Sheet, invoice: &Invoice, y: f32) -> f32 {
    let mut rows: Vec<(String, Cents, Style)> = vec![("Total HT".to_owned(), invoice.totals.net(), BODY)];
    for group in &invoice.totals.vat_groups {
        let label = match group.category.exemption() {
            Some(_) => format!("Hors TVA, sur {}", group.base_cents),
            None => {
                let rate = wording::percent(group.rate_bp.basis_points().into());
                format!("TVA {rate} sur {}", group.base_cents)
            }
        };
        rows.push((label, group.vat_cents, BODY));
    }
    rows.push(("Total TTC".to_owned(), invoice.totals.total(), STRONG));
    if invoice.r#type != InvoiceType::Credit {
        for deposit in &invoice.preceding {
            let label = format!("Acompte {} du {}", deposit.number, wording::day(deposit.issued_on));
            rows.push((label, -deposit.total_cents, BODY));
        }
    }
    let step = LEADING + 1.0;
    let mut y = room(sheet, invoice, y, rows.len() as f32 * step + 50.0);
    y += 6.0;
    for (label, amount, style) in rows {
        y = room(sheet, invoice, y, step);
        sheet.text(RIGHT - 96.0, y, &label, Style { ink: GREY, ..style }, Align::Right);
        sheet.text(RIGHT, y, &amount.to_string(), style, Align::Right);
        y += step;
    }
    y = room(sheet, invoice, y, 34.0);
    let label = if invoice.r#type == InvoiceType::Credit { "À votre crédit" } else { "Net à payer" };
    sheet.rule(RIGHT - 230.0, y - 6.0, 230.0, BLACK);
    sheet.text(RIGHT - 96.0, y + 10.0, label, NAME, Align::Right);
    sheet.text(RIGHT, y + 10.0, &invoice.due().to_string(), NAME, Align::Right);
    y + 34.0
}

/// How to pay: the account and its code for a banking application.
fn payment(sheet: &mut Sheet, invoice: &Invoice, y: f32) -> f32 {
    if invoice.r#type == InvoiceType::Credit {
        let about = invoice.preceding.first();
        let text = about.map(|it| format!("Avoir sur la facture {} du {}.", it.number, wording::day(it.issued_on)));
        return text.map_or(y, |text| sheet.paragraph(LEFT, y, TEXT_WIDTH, &text, BODY, LEADING) + 8.0);
    }
    let (Some(iban), true) = (&invoice.seller.iban, invoice.due() > Cents::ZERO) else { return y };
    let y = room(sheet, invoice, y, 96.0);
    let number = invoice.number.as_deref().unwrap_or_default();
    let bic = invoice.seller.bic.as_deref();
    let code = payment_code::transfer(&invoice.seller.name, iban, bic, invoice.due(), number);
    let x = if code.is_some() { LEFT + 96.0 } else { LEFT };
    if let Some(code) = code.filter(|_| invoice.number.is_some() && !invoice.is_specimen) {
        sheet.code(LEFT, y - 8.0, 80.0, &code);
    }
    sheet.text(x, y, "Par virement", STRONG, Align::Left);
    let mut rows = vec![("IBAN", wording::iban(iban))];
    rows.extend(bic.map(|bic| ("BIC", bic.to_owned())));
    rows.push(("Référence", number.to_owned()));
    rows.push(("Avant le", wording::day(invoice.due_on)));
    let mut below = y + 18.0;
    for (label, value) in rows {
        sheet.text(x, below, label, LABEL, Align::Left);
        sheet.text(x + 62.0, below, &value, BODY, Align::Left);
        below += LEADING;
    }
    below.max(y + 80.0) + 12.0
}

fn sentences(sheet: &mut Sheet, invoice: &Invoice, y: f32) {
    let mut y = y;
    for note in wording::notes(invoice).iter().filter(|note| note.is_printed) {
        let lines = wrapped(&note.text, TEXT_WIDTH, SMALL);
        y = room(sheet, invoice, y, lines.len() as f32 * SMALL_LEADING);
        for line in lines {
            y = room(sheet, invoice, y, SMALL_LEADING);
            sheet.text(LEFT, y, &line, SMALL, Align::Left);
            y += SMALL_LEADING;
        }
        y += 2.0;
    }
}

/// The same place, or the head of a new page where so much height does not fit any more. What fits on no page begins where
/// it stands, and asks again as it goes on.
fn room(sheet: &mut Sheet, invoice: &Invoice, y: f32, height: f32) -> f32 {
    let end = foot(invoice) - 14.0;
    if y + height <= end || height > end - TOP {
        return y;
    }
    sheet.turn();
    stamp(sheet, invoice);
    TOP
}

/// What the practice is, in as many lines as that takes; the last one is short.
fn foot_lines(invoice: &Invoice) -> Vec<String> {
    let identity = wording::identity(&invoice.seller);
    identity.iter().flat_map(|line| wrapped(line, TEXT_WIDTH, SMALL)).collect()
}

/// Where the foot of each page begins.
fn foot(invoice: &Invoice) -> f32 {
    HEIGHT - 41.0 - FOOT_LEADING * foot_lines(invoice).len() as f32
}

fn feet(sheet: &mut Sheet, invoice: &Invoice) {
    let (identity, foot) = (foot_lines(invoice), foot(invoice));
    let pages = sheet.pages();
    sheet.turn();
    for page in 0..pages {
        sheet.on_page(page, |sheet| {
            sheet.rule(LEFT, foot, TEXT_WIDTH, PALE);
            let mut y = foot + 13.0;
            for line in &identity {
                sheet.text(LEFT, y, line, SMALL, Align::Left);
                y += FOOT_LEADING;
            }
            let number = invoice.number.as_deref().unwrap_or("Brouillon");
            let text = format!("{number} · page {} sur {pages}", page + 1);
            sheet.text(RIGHT, y - FOOT_LEADING, &text, SMALL, Align::Right);
        });
    }
}
