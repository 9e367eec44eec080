//! What looks after bills behind the commits: documents are made, Stripe is asked.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::keep_running;
use crate::chat::handle::chat::Chat;
use crate::config::Config;
use crate::delivery::{documents, stripe};
use crate::integrations::https::client::{self, Outbound};
use crate::integrations::stripe::client::Stripe;

/// The account at Stripe, where one is set up; nobody is contacted yet.
pub(super) fn stripe_of(config: &Config) -> Option<Arc<Stripe>> {
    let settings = config.stripe.as_ref()?.stripe.clone();
    let named = settings.api.iter().cloned().collect();
    let outbound = Outbound::new(&client::Settings { named, ..config.notices.outbound.clone() });
    Some(Arc::new(Stripe::new(settings, &outbound)))
}

/// Starts what goes on for as long as the server does.
pub(super) fn start(chat: &Chat, config: &Config, stripe: Option<Arc<Stripe>>, url: &str) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![keep_running(chat, "the making of documents", documents::run(chat.clone()))];
    if let (Some(stripe), Some(settings)) = (stripe, &config.stripe) {
        let settings = stripe::Settings { public_url: url.to_owned(), sepa: settings.sepa };
        let worker = stripe::Worker::new(chat.clone(), stripe, settings);
        tasks.push(keep_running(chat, "the asking of Stripe", worker.run()));
    }
    tasks
}
