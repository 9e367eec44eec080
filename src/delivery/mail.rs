//! A mail: its words, its links, its headers, and what the relay's answer comes to.

use std::time::{Duration, SystemTime};

use tracing::warn;

use crate::chat::contract::command::deliveries::Settlement;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::words::MailWords;
use crate::delivery::pause::{OF_MAIL, again};
use crate::delivery::settings::{Mail, Settings};
use crate::documents::letter::{self, About};
use crate::integrations::smtp::mail::{self as smtp, BadPart, Line, Mailbox};
use crate::integrations::smtp::outcome::Outcome;
use crate::model::delivery::{self, DeliveryKind};
use crate::store::outbox::Leased;

/// Hands one mail to the relay.
pub(super) async fn send(chat: &Chat, settings: &Settings, mail: &Mail, leased: &Leased) -> Settlement {
    let words = match (leased.kind, leased.user_id) {
        (DeliveryKind::Messages, Some(user_id)) => {
            match chat.load_mail_words(user_id, leased.created_at, leased.locale).await {
                Ok(words) => Some(words),
                Err(error) => return again(leased, OF_MAIL, None, error.to_string()),
            }
        }
        _ => None,
    };
    let written = match write(settings, mail, leased, words.as_ref()) {
        Ok(written) => written,
        Err(bad) => return Settlement::Failed { reason: bad.to_string() },
    };
    let outcome = mail.mailer.send(&written).await;
    settled(outcome, leased)
}

/// What the relay's answer comes to. Its words may quote the address, which is shortened in them.
fn settled(outcome: Outcome, leased: &Leased) -> Settlement {
    let shortened = |reason: String| match &leased.address {
        Some(address) => reason.replace(address.as_str(), &delivery::shortened(address)),
        None => reason,
    };
    match outcome {
        Outcome::Sent { .. } => Settlement::Sent,
        Outcome::Retry { after, reason, .. } => again(leased, OF_MAIL, after, shortened(reason)),
        Outcome::AddressDead { reason } => Settlement::AddressDead { reason: shortened(reason) },
        Outcome::Misconfigured { reason, .. } => {
            let reason = shortened(reason);
            warn!(reason, "the relay takes no mail from this server as it is set up (--smtp, --mail-from)");
            again(leased, OF_MAIL, None, reason)
        }
        Outcome::Refused { reason } => Settlement::Failed { reason: shortened(reason) },
    }
}

/// The whole mail.
fn write(settings: &Settings, mail: &Mail, leased: &Leased, words: Option<&MailWords>) -> Result<smtp::Mail, BadPart> {
    let address = leased.address.as_deref().unwrap_or_default();
    let secret = leased.secret.as_deref().unwrap_or_default();
    let to = |path: &str| format!("{}/{path}{secret}", settings.public_url);
    let (invitation, password, confirmation) = (to("invitation/"), to("mot-de-passe/"), to("confirmation/"));
    let sign_in = format!("{}/connexion", settings.public_url);
    let account = format!("{}/moi", settings.public_url);
    let token = words.map_or("", |words| words.unsubscribe_token.as_str());
    let unsubscribe = format!("{}/notifications/unsubscribe/{token}", settings.public_url);
    let page = format!("{}/", settings.public_url);
    let about = match (leased.kind, words) {
        (DeliveryKind::Messages, Some(words)) => {
            About::Messages { url: &page, unsubscribe: &unsubscribe, told: &words.told }
        }
        (kind, _) => plain(kind, [&invitation, &password, &confirmation, &sign_in, &account]),
    };
    let said = letter::compose(&settings.practice, leased.locale, &about);
    let domain = mail.from.address.domain();
    let thread: Vec<smtp::MessageId> = match words {
        None => Vec::new(),
        Some(words) => vec![format!("{:032x}@{domain}", u128::from_be_bytes(words.thread)).parse()?],
    };
    let created = Duration::from_millis(u64::try_from(leased.created_at.as_millis()).unwrap_or(0));
    Ok(smtp::Mail {
        from: mail.from.clone(),
        to: Mailbox { name: None, address: address.parse::<smtp::Address>()? },
        subject: Line::new(&said.subject),
        text: said.text,
        html: Some(said.html),
        message_id: format!("{}@{domain}", leased.reference).parse::<smtp::MessageId>()?,
        date: SystemTime::UNIX_EPOCH + created,
        thread,
        unsubscribe: words.map(|_| unsubscribe.parse::<smtp::Link>()).transpose()?,
    })
}

/// What a mail with a link of its own, or without one, is about.
fn plain<'a>(kind: DeliveryKind, [invitation, password, confirmation, sign_in, account]: [&'a str; 5]) -> About<'a> {
    match kind {
        DeliveryKind::Messages | DeliveryKind::Read | DeliveryKind::Call | DeliveryKind::Test => About::Test,
        DeliveryKind::Invitation => About::Invitation { url: invitation },
        DeliveryKind::Password => About::Password { url: password },
        DeliveryKind::Address => About::Address { url: confirmation },
        DeliveryKind::AddressChanged => About::AddressChanged,
        DeliveryKind::AddressTaken => About::AddressTaken { url: sign_in },
        DeliveryKind::NewDevice => About::NewDevice { url: account },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::smtp::outcome::Obstacle;
    use crate::model::id::DeliveryId;
    use crate::model::locale::Locale;
    use crate::model::timestamp::Timestamp;

    pub(crate) fn leased(kind: DeliveryKind) -> Leased {
        let now = Timestamp::now();
        Leased {
            id: DeliveryId::new(1).unwrap(),
            kind,
            user_id: None,
            address: Some("marie@cabinet.fr".to_owned()),
            reach: None,
            conversation_id: None,
            message_id: None,
            call_id: None,
            was_accepted: false,
            secret: Some("s3cret".to_owned()),
            locale: Locale::French,
            reference: "abc".to_owned(),
            attempts: 1,
            created_at: now,
            expires_at: now + Duration::from_secs(3600),
        }
    }

    #[test]
    fn every_answer_of_a_relay_has_its_settlement() {
        let reason = || "550 5.1.1 <marie@cabinet.fr>: unknown".to_owned();
        let plain = "550 5.1.1 <m…@cabinet.fr>: unknown".to_owned();
        let of = |outcome| settled(outcome, &leased(DeliveryKind::Test));
        assert_eq!(of(Outcome::Sent { queue_id: String::new() }), Settlement::Sent);
        assert_eq!(of(Outcome::AddressDead { reason: reason() }), Settlement::AddressDead { reason: plain.clone() });
        assert_eq!(of(Outcome::Refused { reason: reason() }), Settlement::Failed { reason: plain.clone() });
        let obstacle = Obstacle::Sender;
        let misconfigured = of(Outcome::Misconfigured { reason: reason(), obstacle });
        assert!(matches!(misconfigured, Settlement::Retry { reason, .. } if reason == plain));
        let retry = |after| Outcome::Retry { after, reason: reason(), obstacle: Obstacle::Busy, perhaps_sent: false };
        let now = Timestamp::now();
        let half = Duration::from_secs(1800);
        assert!(matches!(of(retry(Some(half))), Settlement::Retry { at, .. } if at >= now + half));
        let too_late = of(retry(Some(Duration::from_secs(7200))));
        assert_eq!(too_late, Settlement::Failed { reason: plain }, "it is worth nothing by then");
    }
}
