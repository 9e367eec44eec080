//! What mends it where mail or a push does not leave: the flag, or the step, by what was answered.

use crate::integrations::push::Outcome as PushOutcome;
use crate::integrations::smtp::outcome::{Obstacle, Outcome};
use crate::model::notices::DeviceKind;

/// What mends it where a relay did not take a mail; nothing where it did.
pub(super) fn of_mail(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Sent { .. } => None,
        Outcome::Retry { obstacle, .. } | Outcome::Misconfigured { obstacle, .. } => Some(of_obstacle(*obstacle)),
        Outcome::AddressDead { .. } => Some("is the address written as its owner does? Try one that you read yourself"),
        Outcome::Refused { .. } => Some(
            "this mail is not wanted there, whatever this server is set up like: the relay's words say why; ask whoever runs \
             it for SPF and DKIM of the domain in --mail-from",
        ),
    }
}

fn of_obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Name => {
            "--smtp: is that the relay's name, and does this machine's DNS know it (`getent hosts NAME`)?"
        }
        Obstacle::Connection => {
            "--smtp: is that the relay's host and port (smtps:// with 465, smtp:// with 587), and does the firewall let it \
             through?"
        }
        Obstacle::TlsMoment => "--smtp: smtps://…:465 begins with TLS, smtp://…:587 turns it on by STARTTLS",
        Obstacle::Authority => {
            "--extra-ca FILE: the certificate (PEM) of the authority that vouches for the relay, such as the office's own"
        }
        Obstacle::CertificateName => "--smtp: name the host as its certificate does, and not by an address or an alias",
        Obstacle::CertificateDate => {
            "is this machine's clock right (`timedatectl`)? Otherwise whoever runs the relay renews its certificate"
        }
        Obstacle::Greeting => {
            "it takes nothing from this machine's address: --smtp with a submission account at your provider (port 465 or 587)"
        }
        Obstacle::Credentials => {
            "--smtp smtps://USER@HOST names the user, --smtp-password-file the password; some providers want an app password"
        }
        Obstacle::NoSignIn => {
            "--smtp: users sign in at port 465 (smtps://) or 587 (smtp://); a relay that knows this machine wants neither \
             USER@ nor --smtp-password-file"
        }
        Obstacle::Relaying => {
            "sign in (--smtp smtps://USER@HOST, --smtp-password-file), or have the relay take mail from this machine's address"
        }
        Obstacle::Sender => "--mail-from: an address as which the user in --smtp may write",
        Obstacle::Busy => "nothing to mend so far: `lexchat serve` comes back by itself; try again in some minutes",
    }
}

/// What mends it where a push service did not take a push; nothing where it did.
pub(super) fn of_push(kind: DeviceKind, outcome: &PushOutcome) -> Option<&'static str> {
    match (outcome, kind) {
        (PushOutcome::Accepted, _) => None,
        (PushOutcome::Gone, _) => {
            Some("that device has given its notifications up: its owner turns them on there again, under /moi")
        }
        (PushOutcome::OtherSender { .. }, DeviceKind::Webpush) => Some(
            "it was registered for another server's keys, or at a service that --push-host named then: its owner turns \
             notifications off and on again there, under /moi",
        ),
        (PushOutcome::OtherSender { .. }, DeviceKind::Fcm) => {
            Some("--fcm-account: the file of the Firebase project that the app was made with")
        }
        (PushOutcome::Retry { .. }, _) => Some(
            "`lexchat serve` comes back by itself; if it stays so: does the firewall let this machine reach it on port 443 \
             (HTTPS_PROXY, --extra-ca)?",
        ),
        (PushOutcome::Misconfigured { .. }, DeviceKind::Webpush) => Some(
            "is this machine's clock right (`timedatectl`)? --push-contact: an address that can be written to \
             (mailto:admin@…, https://…)",
        ),
        (PushOutcome::Misconfigured { .. }, DeviceKind::Fcm) => Some(
            "--fcm-account: is its key still valid, may it send, and is the Cloud Messaging API on in that project? Is this \
             machine's clock right?",
        ),
        (PushOutcome::OurFault { .. }, DeviceKind::Webpush) => {
            Some("a service in your own network is allowed by --push-host https://NAME; otherwise report these words")
        }
        (PushOutcome::OurFault { .. } | PushOutcome::TooLarge, _) => Some("no flag mends that: report these words"),
    }
}

/// What became of a push, in words.
pub(super) fn told(outcome: &PushOutcome) -> String {
    match outcome {
        PushOutcome::Accepted => "accepted".to_owned(),
        PushOutcome::Gone => "the device does not exist any more".to_owned(),
        PushOutcome::OtherSender { reason } => format!("the device takes nothing from this server: {reason}"),
        PushOutcome::TooLarge => "too large for its service".to_owned(),
        PushOutcome::Retry { reason, .. } => format!("not now: {reason}"),
        PushOutcome::Misconfigured { reason } => format!("the service takes nothing from this server: {reason}"),
        PushOutcome::OurFault { reason } => format!("not understood: {reason}"),
    }
}
