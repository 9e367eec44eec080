//! What the rules know beside the database. Lives on the writer's thread.

use crate::chat::access::memberships::Memberships;
use crate::chat::access::rates::Rates;
use crate::chat::contract::bell::Bell;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::store::fulltext::Indexer;

/// Lent to each rule for one change.
#[derive(Debug)]
pub struct Context<'a> {
    pub rates: &'a mut Rates,
    pub memberships: &'a mut Memberships,
    pub index: &'a mut Indexer,
    pub settings: &'a Settings,
    pub presence: &'a Presence,
    pub bell: &'a Bell,
    pub seats: &'a Seats,
}
