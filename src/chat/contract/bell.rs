//! Tells who delivers that there is something to deliver. It may ring for nothing; it never fails to ring.

use tokio::sync::Notify;

use crate::model::delivery::Channel;

/// A bell per channel.
#[derive(Debug, Default)]
pub struct Bell {
    email: Notify,
    webpush: Notify,
    fcm: Notify,
}

impl Bell {
    /// Something is to leave. To be called in the transaction that stores it: whoever is woken asks the writer, and so comes
    /// behind that transaction.
    pub fn ring(&self, channel: Channel) {
        self.of(channel).notify_one();
    }

    /// Waits until it has rung since the last time.
    pub async fn rung(&self, channel: Channel) {
        self.of(channel).notified().await;
    }

    fn of(&self, channel: Channel) -> &Notify {
        match channel {
            Channel::Email => &self.email,
            Channel::Webpush => &self.webpush,
            Channel::Fcm => &self.fcm,
        }
    }
}
