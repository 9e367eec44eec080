//! What there is to deliver with.

use crate::integrations::https::client::Outbound;
use crate::integrations::smtp::mail::Mailbox;
use crate::integrations::smtp::mailer::Mailer;
use crate::integrations::{fcm, web_push};

/// The channels that are set up, and what every notice says.
pub struct Settings {
    /// The origin that links lead to.
    pub public_url: String,
    /// What notices are signed with.
    pub practice: String,
    pub mail: Option<Mail>,
    pub web_push: Option<web_push::sender::Sender>,
    pub fcm: Option<fcm::sender::Sender>,
}

/// How mail leaves.
pub struct Mail {
    pub mailer: Mailer,
    /// From whom.
    pub from: Mailbox,
}

impl Settings {
    /// Senders of pushes, on shared connections.
    #[must_use]
    pub fn with_push(
        mut self,
        web_push: Option<web_push::sender::Settings>,
        fcm: Option<fcm::sender::Settings>,
        outbound: &Outbound,
    ) -> Self {
        self.web_push = web_push.map(|settings| web_push::sender::Sender::new(settings, outbound));
        self.fcm = fcm.map(|settings| fcm::sender::Sender::new(settings, outbound));
        self
    }
}
