//! An invoice as data: Factur-X 1.09, profile EN 16931, in UN/CEFACT's Cross Industry Invoice (D22B).
//!
//! The same amounts as on the page, in the elements and the order that the schema wants. Checked in the tests by the
//! schema and by the rules of EN 16931 and of the French reform (BR-FR).

use crate::documents::pdf::archive::escaped;
use crate::documents::wording;
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::invoice::{Invoice, InvoiceType, Line, VatCategory, VatGroup};
use crate::model::party::{Address, Buyer, Practice, VatRegime};

/// The name that the file has within the PDF: no other one is found.
pub const FILE_NAME: &str = "factur-x.xml";

/// What the metadata of the PDF says of the file within, with the description of its own words.
pub const XMP: &str = concat!(
    "<rdf:Description rdf:about=\"\" xmlns:fx=\"urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#\">",
    "<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>",
    "<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>\n",
    "<rdf:Description rdf:about=\"\" xmlns:pdfaExtension=\"http://www.aiim.org/pdfa/ns/extension/\" ",
    "xmlns:pdfaSchema=\"http://www.aiim.org/pdfa/ns/schema#\" ",
    "xmlns:pdfaProperty=\"http://www.aiim.org/pdfa/ns/property#\">",
    "<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType=\"Resource\">",
    "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>",
    "<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>",
    "<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>",
    "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>DocumentFileName</pdfaProperty:name>",
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>",
    "<pdfaProperty:description>The name of the embedded XML document</pdfaProperty:description></rdf:li>",
    "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>DocumentType</pdfaProperty:name>",
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>",
    "<pdfaProperty:description>The type of the document</pdfaProperty:description></rdf:li>",
    "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>Version</pdfaProperty:name>",
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>",
    "<pdfaProperty:description>The version of the schema of the XML</pdfaProperty:description></rdf:li>",
    "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>ConformanceLevel</pdfaProperty:name>",
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>",
    "<pdfaProperty:description>The conformance level of the XML</pdfaProperty:description></rdf:li>",
    "</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>\n",
);

/// The schemes of ISO 6523: a SIREN, and an address of the French directory of electronic invoices.
const SIREN: &str = "0002";
const DIRECTORY: &str = "0225";

/// An XML document being written: elements are closed by whoever opened them.
#[derive(Default)]
struct Xml(String);

impl Xml {
    /// An element with elements in it.
    fn group(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>"));
        inside(self);
        self.0.push_str(&format!("</{name}>"));
    }

    /// An element with text in it.
    fn text(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("<{name}>{}</{name}>", escaped(value)));
    }

    /// An element with an attribute and text in it.
    fn marked(&mut self, name: &str, attribute: &str, mark: &str, value: &str) {
        self.0.push_str(&format!("<{name} {attribute}=\"{}\">{}</{name}>", escaped(mark), escaped(value)));
    }

    fn amount(&mut self, name: &str, amount: Cents) {
        self.text(name, &amount.plain());
    }

    fn date(&mut self, name: &str, day: Day) {
        self.group(name, |xml| xml.marked("udt:DateTimeString", "format", "102", &day.digits()));
    }
}

/// The document.
#[must_use]
pub fn xml(invoice: &Invoice) -> String {
    let mut xml = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    xml.0.push_str(concat!(
        "<rsm:CrossIndustryInvoice",
        " xmlns:rsm=\"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100\"",
        " xmlns:ram=\"urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100\"",
        " xmlns:udt=\"urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100\"",
        " xmlns:qdt=\"urn:un:unece:uncefact:data:standard:QualifiedDataType:100\">",
    ));
    xml.group("rsm:ExchangedDocumentContext", |xml| {
        xml.group("ram:BusinessProcessSpecifiedDocumentContextParameter", |xml| xml.text("ram:ID", invoice.process()));
        xml.group("ram:GuidelineSpecifiedDocumentContextParameter", |xml| {
            xml.text("ram:ID", "urn:cen.eu:en16931:2017");
        });
    });
    xml.group("rsm:ExchangedDocument", |xml| document(xml, invoice));
    xml.group("rsm:SupplyChainTradeTransaction", |xml| {
        for (place, line) in invoice.lines.iter().enumerate() {
            xml.group("ram:IncludedSupplyChainTradeLineItem", |xml| item(xml, place + 1, line));
        }
        let is_outside = invoice.totals.vat_groups.iter().any(|group| group.category.is_outside());
        xml.group("ram:ApplicableHeaderTradeAgreement", |xml| {
            xml.group("ram:SellerTradeParty", |xml| seller(xml, &invoice.seller, is_outside));
            xml.group("ram:BuyerTradeParty", |xml| buyer(xml, &invoice.buyer, is_outside));
        });
        // Without a day of its own the service counts as given on the day of issue (BT-72).
        xml.group("ram:ApplicableHeaderTradeDelivery", |xml| {
            xml.group("ram:ActualDeliverySupplyChainEvent", |xml| {
                xml.date("ram:OccurrenceDateTime", invoice.issued_on)
            });
        });
        xml.group("ram:ApplicableHeaderTradeSettlement", |xml| settlement(xml, invoice));
    });
    xml.0.push_str("</rsm:CrossIndustryInvoice>\n");
    xml.0
}

fn document(xml: &mut Xml, invoice: &Invoice) {
    xml.text("ram:ID", invoice.number.as_deref().unwrap_or_default());
    xml.text("ram:TypeCode", invoice.type_code());
    xml.date("ram:IssueDateTime", invoice.issued_on);
    for note in wording::notes(invoice) {
        xml.group("ram:IncludedNote", |xml| {
            xml.text("ram:Content", &note.text);
            if let Some(code) = note.code {
                xml.text("ram:SubjectCode", code);
            }
        });
    }
}

fn item(xml: &mut Xml, number: usize, line: &Line) {
    xml.group("ram:AssociatedDocumentLineDocument", |xml| xml.text("ram:LineID", &number.to_string()));
    xml.group("ram:SpecifiedTradeProduct", |xml| xml.text("ram:Name", &line.description));
    xml.group("ram:SpecifiedLineTradeAgreement", |xml| {
        xml.group("ram:NetPriceProductTradePrice", |xml| xml.amount("ram:ChargeAmount", line.unit_price_cents));
    });
    xml.group("ram:SpecifiedLineTradeDelivery", |xml| {
        let quantity = format!("{}.{:03}", line.quantity / 1_000, line.quantity % 1_000);
        xml.marked("ram:BilledQuantity", "unitCode", "C62", &quantity);
    });
    xml.group("ram:SpecifiedLineTradeSettlement", |xml| {
        xml.group("ram:ApplicableTradeTax", |xml| {
            xml.text("ram:TypeCode", "VAT");
            xml.text("ram:CategoryCode", line.vat_category.code());
            rate(xml, line.vat_category, line.vat_rate_bp.basis_points());
        });
        if line.discount_cents > Cents::ZERO {
            xml.group("ram:SpecifiedTradeAllowanceCharge", |xml| {
                xml.group("ram:ChargeIndicator", |xml| xml.text("udt:Indicator", "false"));
                xml.amount("ram:ActualAmount", line.discount_cents);
                xml.text("ram:ReasonCode", "95");
                xml.text("ram:Reason", "Remise");
            });
        }
        xml.group("ram:SpecifiedTradeSettlementLineMonetarySummation", |xml| {
            xml.amount("ram:LineTotalAmount", line.net());
        });
    });
}

fn seller(xml: &mut Xml, practice: &Practice, is_outside: bool) {
    xml.text("ram:Name", &practice.name);
    xml.text("ram:Description", &wording::identity(practice).join(" · "));
    xml.group("ram:SpecifiedLegalOrganization", |xml| xml.marked("ram:ID", "schemeID", SIREN, &practice.siren));
    address(xml, &practice.address);
    xml.group("ram:URIUniversalCommunication", |xml| {
        xml.marked("ram:URIID", "schemeID", DIRECTORY, &practice.siren);
    });
    if is_outside {
        return;
    }
    // Without a VAT number the rules for exempt supplies ask for another tax registration.
    let (scheme, number) = match &practice.vat_number {
        Some(number) => ("VA", number),
        None => ("FC", &practice.siren),
    };
    xml.group("ram:SpecifiedTaxRegistration", |xml| xml.marked("ram:ID", "schemeID", scheme, number));
}

fn buyer(xml: &mut Xml, buyer: &Buyer, is_outside: bool) {
    xml.text("ram:Name", &buyer.name);
    if let Some(siren) = &buyer.siren {
        xml.group("ram:SpecifiedLegalOrganization", |xml| xml.marked("ram:ID", "schemeID", SIREN, siren));
    }
    address(xml, &buyer.address);
    if let Some(siren) = &buyer.siren {
        xml.group("ram:URIUniversalCommunication", |xml| xml.marked("ram:URIID", "schemeID", DIRECTORY, siren));
    }
    if let Some(number) = buyer.vat_number.as_ref().filter(|_| !is_outside) {
        xml.group("ram:SpecifiedTaxRegistration", |xml| xml.marked("ram:ID", "schemeID", "VA", number));
    }
}

fn address(xml: &mut Xml, address: &Address) {
    xml.group("ram:PostalTradeAddress", |xml| {
        xml.text("ram:PostcodeCode", &address.postcode);
        xml.text("ram:LineOne", &address.line1);
        if let Some(line2) = &address.line2 {
            xml.text("ram:LineTwo", line2);
        }
        xml.text("ram:CityName", &address.city);
        xml.text("ram:CountryID", &address.country);
    });
}

fn settlement(xml: &mut Xml, invoice: &Invoice) {
    xml.text("ram:PaymentReference", invoice.number.as_deref().unwrap_or_default());
    xml.text("ram:InvoiceCurrencyCode", "EUR");
    if let Some(iban) = invoice.seller.iban.as_ref().filter(|_| invoice.r#type != InvoiceType::Credit) {
        xml.group("ram:SpecifiedTradeSettlementPaymentMeans", |xml| {
            // UNTDID 4461: a SEPA credit transfer.
            xml.text("ram:TypeCode", "58");
            let iban: String = iban.chars().filter(|c| !c.is_whitespace()).collect();
            xml.group("ram:PayeePartyCreditorFinancialAccount", |xml| xml.text("ram:IBANID", &iban));
            if let Some(bic) = &invoice.seller.bic {
                xml.group("ram:PayeeSpecifiedCreditorFinancialInstitution", |xml| xml.text("ram:BICID", bic));
            }
        });
    }
    for group in &invoice.totals.vat_groups {
        xml.group("ram:ApplicableTradeTax", |xml| tax(xml, group, invoice.seller.vat_regime));
    }
    xml.group("ram:SpecifiedTradePaymentTerms", |xml| xml.date("ram:DueDateDateTime", invoice.due_on));
    xml.group("ram:SpecifiedTradeSettlementHeaderMonetarySummation", |xml| {
        xml.amount("ram:LineTotalAmount", invoice.lines.iter().map(Line::net).sum());
        xml.amount("ram:TaxBasisTotalAmount", invoice.totals.net());
        xml.marked("ram:TaxTotalAmount", "currencyID", "EUR", &invoice.totals.vat().plain());
        xml.amount("ram:GrandTotalAmount", invoice.totals.total());
        xml.amount("ram:TotalPrepaidAmount", invoice.prepaid_cents);
        xml.amount("ram:DuePayableAmount", invoice.due());
    });
    for earlier in &invoice.preceding {
        xml.group("ram:InvoiceReferencedDocument", |xml| {
            xml.text("ram:IssuerAssignedID", &earlier.number);
            xml.group("ram:FormattedIssueDateTime", |xml| {
                xml.marked("qdt:DateTimeString", "format", "102", &earlier.issued_on.digits());
            });
        });
    }
}

fn tax(xml: &mut Xml, group: &VatGroup, regime: VatRegime) {
    xml.amount("ram:CalculatedAmount", group.vat_cents);
    xml.text("ram:TypeCode", "VAT");
    if let Some((_, words)) = group.category.exemption() {
        xml.text("ram:ExemptionReason", words);
    }
    xml.amount("ram:BasisAmount", group.base_cents);
    xml.text("ram:CategoryCode", group.category.code());
    if let Some((code, _)) = group.category.exemption() {
        xml.text("ram:ExemptionReasonCode", code);
    }
    // UNTDID 2475: when money comes in, or when the invoice is issued.
    match regime {
        VatRegime::Collection => xml.text("ram:DueDateTypeCode", "72"),
        VatRegime::Debits => xml.text("ram:DueDateTypeCode", "5"),
        VatRegime::Franchise => {}
    }
    rate(xml, group.category, group.rate_bp.basis_points());
}

/// What is outside the scope of VAT has no rate, not even zero.
fn rate(xml: &mut Xml, category: VatCategory, basis_points: u16) {
    if !category.is_outside() {
        xml.text("ram:RateApplicablePercent", &Cents(basis_points.into()).plain());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_typed_cannot_leave_its_element() {
        let mut xml = Xml::default();
        xml.marked("a", "b", "\"><x y=\"", "</a>\u{0}&");
        assert_eq!(xml.0, "<a b=\"&quot;&gt;&lt;x y=&quot;\">&lt;/a&gt;&amp;</a>");
    }
}
