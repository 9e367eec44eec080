//! Renders issued bills off the writer's thread, once each, from what was frozen.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::chat::contract::command::billing::StoreDocument;
use crate::chat::handle::chat::Chat;
use crate::documents::{factur_x, invoice};
use crate::model::id::InvoiceId;
use crate::model::invoice::Invoice;

/// How often it is looked for what is left, beside when something was issued.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Renders what is issued for as long as it is polled. A document that cannot be made is logged and tried again.
pub async fn run(chat: Chat) {
    let mut woken = chat.due().subscribe();
    loop {
        match chat.list_unprinted().await {
            Ok(unprinted) if unprinted.is_empty() => {}
            Ok(unprinted) => {
                let mut are_stored = true;
                for (id, content) in unprinted {
                    are_stored &= print(&chat, id, content).await;
                }
                if are_stored {
                    continue;
                }
            }
            Err(refusal) => tracing::warn!(%refusal, "the documents that are to be made could not be read"),
        }
        let _or_time_is_up = tokio::time::timeout(LOOK_EVERY, woken.changed()).await;
    }
}

async fn print(chat: &Chat, id: InvoiceId, content: Invoice) -> bool {
    let rendered = tokio::task::spawn_blocking(move || {
        let (pdf, xml) = (invoice::pdf(&content), factur_x::xml(&content).into_bytes());
        let sha256: [u8; 32] = Sha256::digest(&pdf).into();
        StoreDocument { invoice_id: id, pdf, xml, sha256 }
    });
    let stored = match rendered.await {
        Ok(command) => chat.execute(Actor::System, command).await.map_err(|refusal| refusal.to_string()),
        Err(panic) => Err(panic.to_string()),
    };
    if let Err(reason) = &stored {
        tracing::error!(invoice = %id, reason, "a document could not be made");
    }
    stored.is_ok()
}
