//! What looks after recordings of calls behind the commits: they are made files, and those of 8x8 are fetched.

use tokio::task::JoinHandle;

use super::{keep_running, settings};
use crate::chat::handle::chat::Chat;
use crate::config::Config;
use crate::delivery::{jaas, recordings};

/// Starts what goes on for as long as the server does; nobody is contacted before something waits.
pub(super) fn start(chat: &Chat, config: &Config) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![keep_running(chat, "the making of recordings", recordings::run(chat.clone()))];
    if let Some(fetcher) = settings::fetcher(config) {
        tasks.push(keep_running(chat, "the fetching of recordings", jaas::run(chat.clone(), fetcher)));
    }
    tasks
}
