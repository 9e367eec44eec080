//! What delivers mail and pushes behind the commits.

use tokio::task::JoinHandle;

use super::{StartError, keep_running, settings};
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::config::Config;
use crate::delivery::channel::Delivery;

/// Starts what goes on for as long as the server does; nobody is contacted before something is due.
pub(super) async fn start(chat: &Chat, config: &Config, url: &str) -> Result<JoinHandle<()>, StartError> {
    let settings = settings::of_delivery(config, url, &chat.load_vapid().await?).map_err(Error::internal)?;
    Ok(keep_running(chat, "delivery", Delivery::new(chat.clone(), settings).run()))
}
