//! What the rules know beside the database. Lives on the writer's thread.

use crate::chat::access::memberships::Memberships;
use crate::chat::access::rates::Rates;
use crate::chat::contract::bell::Bell;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::model::id::MessageId;
use crate::store::fulltext::Indexer;
use crate::store::new_messages::NewMessage;

/// Stores a message: see [`crate::store::new_messages::Insert::run`].
pub type InsertMessage<'a> = dyn FnMut(&NewMessage<'_>) -> rusqlite::Result<Option<MessageId>> + 'a;

/// Lent to each rule for one change.
pub struct Context<'a> {
    pub insert: &'a mut InsertMessage<'a>,
    pub rates: &'a mut Rates,
    pub memberships: &'a mut Memberships,
    pub index: &'a mut Indexer,
    pub settings: &'a Settings,
    pub presence: &'a Presence,
    pub bell: &'a Bell,
    pub seats: &'a Seats,
}
