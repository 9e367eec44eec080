//! `lexchat test`: one mail or push, by the way that the server takes, and what was answered.

use std::time::{Duration, SystemTime};

use crate::chat::contract::error::Reason;
use crate::chat::writer::local_admin::{LocalAdmin, Reached};
use crate::cli::test::{TestCommand, TestEmail, TestPush};
use crate::config::notices::Notices;
use crate::config::place;
use crate::console::say;
use crate::delivery::push::{self, Kind, Shown};
use crate::delivery::settings::Settings;
use crate::documents::letter::{self, About};
use crate::integrations::https::client::Outbound;
use crate::integrations::smtp::mail::{BadPart, Line, Mail, Mailbox};
use crate::integrations::smtp::mailer::Mailer;
use crate::integrations::smtp::outcome::Outcome;
use crate::integrations::web_push;
use crate::integrations::web_push::vapid::Keys;
use crate::model::locale::Locale;
use crate::model::notices::DeviceKind;
use crate::operator::{Error, remedies};

/// How long a test is worth something.
const TEST_LIFE: Duration = Duration::from_secs(600);

/// `lexchat test …`
pub fn test(command: TestCommand) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Undelivered(error.to_string()))?;
    match command {
        TestCommand::Email(typed) => runtime.block_on(email(&typed)),
        TestCommand::Push(typed) => runtime.block_on(push(&typed)),
    }
}

async fn email(typed: &TestEmail) -> Result<(), Error> {
    let notices = checked(&typed.notices)?;
    let practice = notices.practice.clone();
    let mail = notices.mail.ok_or_else(|| Error::Usage("--smtp and --mail-from say how mail leaves".to_owned()))?;
    let address = typed.to.trim().parse().map_err(|bad: BadPart| Error::Usage(format!("`{}`: {bad}", typed.to)))?;
    let practice = practice.unwrap_or_else(|| mail.from.address.domain().to_owned());
    let words = letter::compose(&practice, Locale::default(), &About::Test);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let message = Mail {
        from: mail.from.clone(),
        to: Mailbox { name: None, address },
        subject: Line::new(&words.subject),
        text: words.text,
        html: Some(words.html),
        message_id: format!("test.{}@{}", now.as_nanos(), mail.from.address.domain())
            .parse()
            .map_err(|bad: BadPart| Error::Usage(format!("--mail-from: {bad}")))?,
        date: SystemTime::now(),
        thread: Vec::new(),
        unsubscribe: None,
    };
    let mailer = Mailer::new(mail.smtp);
    let outcome = mailer.send(&message).await;
    mailer.rest().await;
    let remedy = remedies::of_mail(&outcome);
    let text = match outcome {
        Outcome::Sent { queue_id } => {
            say(&format!("the relay has it: {queue_id}"));
            return Ok(());
        }
        Outcome::Retry { reason, .. } => format!("not now: {reason}"),
        Outcome::AddressDead { reason } => format!("there is nobody at the address: {reason}"),
        Outcome::Misconfigured { reason, .. } => format!("the relay takes no mail from here: {reason}"),
        Outcome::Refused { reason } => format!("the relay refuses it: {reason}"),
    };
    Err(Error::Undelivered(with_remedy(&text, remedy)))
}

/// What happened, and below it what mends it.
fn with_remedy(text: &str, remedy: Option<&str>) -> String {
    remedy.map_or_else(|| text.to_owned(), |remedy| format!("{text}\n  {remedy}"))
}

async fn push(typed: &TestPush) -> Result<(), Error> {
    let notices = checked(&typed.notices)?;
    if notices.web_push.is_none() && notices.fcm.is_none() {
        return Err(Error::Usage("--push-contact or --fcm-account say how pushes leave".to_owned()));
    }
    let reached = reach(typed)?;
    let outbound = Outbound::new(&notices.outbound);
    let web_push = match notices.web_push {
        None => None,
        Some(push) => {
            let keys = Keys::from_pkcs8(&reached.vapid).map_err(|bad| Error::Undelivered(bad.to_string()))?;
            Some(web_push::sender::Settings { keys, contact: push.contact, services: push.services })
        }
    };
    let settings = Settings {
        public_url: String::new(),
        practice: notices.practice.unwrap_or_else(|| "lexchat".to_owned()),
        mail: None,
        web_push: None,
        fcm: None,
    };
    let settings = settings.with_push(web_push, notices.fcm, &outbound);
    let shown = Shown {
        kind: Kind::Test,
        tag: [0; 16],
        body: "Les notifications arrivent sur cet appareil.".to_owned(),
        ttl: TEST_LIFE,
    };
    let mut failures = 0;
    for (name, reach) in &reached.devices {
        let (text, remedy) = match (reach.kind, &settings.web_push, &settings.fcm) {
            (DeviceKind::Webpush, None, _) => ("no push leaves for browsers".to_owned(), Some("--push-contact")),
            (DeviceKind::Fcm, _, None) => ("no push leaves for apps".to_owned(), Some("--fcm-account")),
            _ => {
                let outcome = push::hand_over(&settings, reach, &shown).await;
                (remedies::told(&outcome), remedies::of_push(reach.kind, &outcome))
            }
        };
        failures += usize::from(remedy.is_some());
        let device = format!("{} {}", reach.kind.as_str(), name.as_deref().unwrap_or("–"));
        say(&with_remedy(&format!("{device}: {text}"), remedy));
    }
    if failures == 0 { Ok(()) } else { Err(Error::Undelivered(format!("{failures} of them did not go"))) }
}

/// Whom a test goes to.
fn reach(typed: &TestPush) -> Result<Reached, Error> {
    let reached = match LocalAdmin::open(&place::database_of(&typed.database))?.reach(&typed.email) {
        Err(error) if error.reason == Reason::NotFound => {
            let text = format!("nobody signs in as {}", typed.email);
            let remedy = "`lexchat user list` shows the addresses; is it another database (--db, LEXCHAT_DB)?";
            return Err(Error::Undelivered(with_remedy(&text, Some(remedy))));
        }
        reached => reached?,
    };
    if reached.devices.is_empty() {
        let remedy =
            "its owner turns notifications on under /moi, on each device, while the server runs with these flags";
        return Err(Error::Undelivered(with_remedy("this person has no device that is reached", Some(remedy))));
    }
    Ok(reached)
}

fn checked(typed: &crate::cli::notices::Notices) -> Result<Notices, Error> {
    Notices::new(typed, None, true).map_err(|wrong| Error::Usage(wrong.to_string()))
}
