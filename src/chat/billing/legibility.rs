//! What is stored can be printed: parties and drafts from before this was asked where they are typed.

use crate::chat::contract::printed_fields::illegible;
use crate::model::billing::Draft;
use crate::model::fields::Fault;
use crate::model::party::{Address, Buyer, Practice};

/// What of a bill cannot be printed, by its field (`practice.…`, `buyer.…`, `lines[0].description`, `note`).
#[must_use]
pub fn faults(practice: &Practice, buyer: &Buyer, draft: &Draft) -> Vec<Fault> {
    let own = [
        ("practice.name", Some(&practice.name)),
        ("practice.authorisation", practice.authorisation.as_ref()),
        ("practice.legalForm", Some(&practice.legal_form)),
        ("practice.rcs", practice.rcs.as_ref()),
        ("practice.mediator.name", practice.mediator.as_ref().map(|mediator| &mediator.name)),
        ("practice.mediator.contact", practice.mediator.as_ref().map(|mediator| &mediator.contact)),
        ("buyer.name", Some(&buyer.name)),
        ("note", draft.note.as_ref()),
    ];
    let mut faults: Vec<Fault> = own.into_iter().filter_map(|(name, text)| illegible(name, text?)).collect();
    faults.extend(of_address("practice", &practice.address));
    faults.extend(of_address("buyer", &buyer.address));
    let lines = draft.lines.iter().enumerate();
    faults.extend(lines.filter_map(|(at, line)| illegible(format!("lines[{at}].description"), &line.description)));
    faults
}

fn of_address(whose: &str, address: &Address) -> Vec<Fault> {
    let parts = [
        ("line1", Some(&address.line1)),
        ("line2", address.line2.as_ref()),
        ("postcode", Some(&address.postcode)),
        ("city", Some(&address.city)),
    ];
    parts.into_iter().filter_map(|(name, text)| illegible(format!("{whose}.address.{name}"), text?)).collect()
}
