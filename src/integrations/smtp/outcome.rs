//! What an answer of the relay means, by the moment at which it comes.

use std::time::Duration;

/// The pause for a relay that says it has too much to do, or that wants to see a sender come back.
const THROTTLED_PAUSE: Duration = Duration::from_secs(5 * 60);

/// What the caller does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The relay has the mail and answers for it.
    Sent {
        /// What the relay said, which names the mail in its records.
        queue_id: String,
    },
    /// Not now.
    Retry {
        /// The least pause.
        after: Option<Duration>,
        /// What happened.
        reason: String,
        /// What stands in the way.
        obstacle: Obstacle,
        /// Whether the relay may have taken it all the same: the connection ended behind the mail's last byte. The next try
        /// has the same Message-ID.
        perhaps_sent: bool,
    },
    /// There is nobody at this address: stop writing to it.
    AddressDead {
        /// What the relay said.
        reason: String,
    },
    /// The relay does not take mail from us as we are set up: show it to the administrator. The address is sound.
    Misconfigured {
        /// What the relay said.
        reason: String,
        /// What stands in the way.
        obstacle: Obstacle,
    },
    /// This mail is not taken, and will not be: drop it. The address is sound.
    Refused {
        /// What the relay said.
        reason: String,
    },
}

/// What stands between us and the relay, by what mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Its name leads nowhere.
    Name,
    /// Nobody answers there, or not in time, or not in SMTP.
    Connection,
    /// TLS begins at another moment than its address says.
    TlsMoment,
    /// Nobody whom we trust vouches for its certificate.
    Authority,
    /// Its certificate is for other names.
    CertificateName,
    /// Its certificate has ended, or not begun.
    CertificateDate,
    /// It takes nothing from this machine.
    Greeting,
    /// User or password are wrong.
    Credentials,
    /// It has no way to sign in.
    NoSignIn,
    /// It takes mail only from who has signed in, or is known to it.
    Relaying,
    /// We may not write as this sender.
    Sender,
    /// It has no time, or waits to see whether we come back.
    Busy,
}

/// When an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Greeting, EHLO, STARTTLS.
    Hello,
    /// AUTH.
    SignIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, before the mail.
    Data,
    /// Behind the mail's last byte.
    Final,
}

/// An answer of the relay: `code` as 550, `enhanced` as 5.1.1 or zeros where there is none (RFC 3463), and its text.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) enhanced: [u8; 3],
    pub(super) text: String,
}

impl Reply {
    /// One line for people.
    pub(super) fn line(&self) -> String {
        const CHARS_MAX: usize = 200;
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = self.text.chars().map(plain).take(CHARS_MAX).collect();
        match self.enhanced {
            [0, 0, 0] => format!("{} {text}", self.code),
            [class, subject, detail] => format!("{} {class}.{subject}.{detail} {text}", self.code),
        }
        .trim_end()
        .to_owned()
    }

    /// What it means that the relay said this instead of what it should have.
    pub(super) fn outcome(&self, stage: Stage) -> Outcome {
        let reason = self.line();
        // 421 closes the connection, whatever it is said to. A full mailbox gets empty again.
        if self.code / 100 != 5 || (stage == Stage::Recipient && self.enhanced[1..] == [2, 2]) {
            let throttled = self.enhanced[..2] == [4, 7] || self.code == 421;
            let after = throttled.then_some(THROTTLED_PAUSE);
            return Outcome::Retry { after, reason, obstacle: Obstacle::Busy, perhaps_sent: false };
        }
        match stage {
            Stage::Hello => Outcome::Misconfigured { reason, obstacle: Obstacle::Greeting },
            Stage::SignIn => Outcome::Misconfigured { reason, obstacle: Obstacle::Credentials },
            Stage::Sender if matches!(self.code, 552 | 555) => Outcome::Refused { reason },
            Stage::Sender if self.wants_sign_in() => Outcome::Misconfigured { reason, obstacle: Obstacle::Relaying },
            Stage::Sender => Outcome::Misconfigured { reason, obstacle: Obstacle::Sender },
            Stage::Recipient => self.of_recipient(reason),
            Stage::Data | Stage::Final if self.code == 530 => {
                Outcome::Misconfigured { reason, obstacle: Obstacle::Relaying }
            }
            Stage::Data | Stage::Final => Outcome::Refused { reason },
        }
    }

    /// Whether the relay would take this mail from who has signed in, or is known to it.
    fn wants_sign_in(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        text.contains("relay") || text.contains("authenticat") || matches!(self.code, 530 | 535)
    }

    /// A refused recipient: we may not send through this relay, policy stands against this mail, or there is nobody.
    fn of_recipient(&self, reason: String) -> Outcome {
        match self.enhanced {
            _ if self.wants_sign_in() => Outcome::Misconfigured { reason, obstacle: Obstacle::Relaying },
            [5, 0..=2, _] | [5, 4, 4] => Outcome::AddressDead { reason },
            [0, 0, 0] if matches!(self.code, 550 | 551 | 553) => Outcome::AddressDead { reason },
            _ => Outcome::Refused { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(stage: Stage, code: u16, enhanced: [u8; 3], text: &str) -> &'static str {
        match (Reply { code, enhanced, text: text.to_owned() }).outcome(stage) {
            Outcome::Sent { .. } => "sent",
            Outcome::Retry { after: None, .. } => "retry",
            Outcome::Retry { after: Some(_), .. } => "retry later",
            Outcome::AddressDead { .. } => "dead",
            Outcome::Misconfigured { .. } => "misconfigured",
            Outcome::Refused { .. } => "refused",
        }
    }

    #[test]
    fn what_is_temporary_is_tried_again_at_every_stage() {
        use Stage::{Data, Final, Hello, Recipient, Sender, SignIn};
        for stage in [Hello, SignIn, Sender, Recipient, Data, Final] {
            assert_eq!(kind(stage, 421, [4, 3, 2], "closing"), "retry later");
            assert_eq!(kind(stage, 450, [4, 7, 1], "greylisted"), "retry later");
            assert_eq!(kind(stage, 451, [4, 3, 0], "local error"), "retry");
            assert_eq!(kind(stage, 452, [0, 0, 0], ""), "retry");
        }
    }

    #[test]
    fn what_is_permanent_means_what_its_stage_says() {
        for (stage, code, enhanced, text, expected) in [
            (Stage::Hello, 554, [5, 7, 1], "no service for you", "misconfigured"),
            (Stage::SignIn, 535, [5, 7, 8], "bad credentials", "misconfigured"),
            (Stage::SignIn, 534, [5, 7, 9], "mechanism too weak", "misconfigured"),
            (Stage::Sender, 530, [5, 7, 0], "Must issue a STARTTLS command first", "misconfigured"),
            (Stage::Sender, 553, [5, 7, 1], "Sender address rejected: not owned by user", "misconfigured"),
            (Stage::Sender, 552, [5, 3, 4], "message size exceeds fixed limit", "refused"),
            (Stage::Recipient, 550, [5, 1, 1], "User unknown", "dead"),
            (Stage::Recipient, 550, [0, 0, 0], "No such user here", "dead"),
            (Stage::Recipient, 553, [5, 1, 3], "bad address syntax", "dead"),
            (Stage::Recipient, 550, [5, 2, 1], "mailbox disabled", "dead"),
            (Stage::Recipient, 550, [5, 4, 4], "Host or domain name not found", "dead"),
            (Stage::Recipient, 552, [5, 2, 2], "mailbox full", "retry"),
            (Stage::Recipient, 554, [5, 7, 1], "<a@b.example>: Relay access denied", "misconfigured"),
            (Stage::Recipient, 550, [5, 7, 1], "Relaying denied", "misconfigured"),
            (Stage::Recipient, 550, [5, 7, 1], "blocked by policy", "refused"),
            (Stage::Recipient, 530, [5, 7, 0], "Authentication required", "misconfigured"),
            (Stage::Recipient, 503, [5, 5, 1], "bad sequence", "refused"),
            (Stage::Data, 554, [5, 5, 1], "no valid recipients", "refused"),
            (Stage::Final, 554, [5, 7, 1], "looks like spam", "refused"),
            (Stage::Final, 550, [5, 1, 1], "only the recipient's stage speaks against an address", "refused"),
        ] {
            assert_eq!(kind(stage, code, enhanced, text), expected, "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn a_refusal_that_can_be_mended_says_what_stands_in_the_way() {
        for (stage, code, text, expected) in [
            (Stage::Hello, 554, "no service for you", Obstacle::Greeting),
            (Stage::SignIn, 535, "bad credentials", Obstacle::Credentials),
            (Stage::SignIn, 454, "temporary failure", Obstacle::Busy),
            (Stage::Sender, 530, "Authentication required", Obstacle::Relaying),
            (Stage::Sender, 553, "Sender address rejected: not owned by user", Obstacle::Sender),
            (Stage::Sender, 553, "Relaying disallowed as avis@cabinet.example", Obstacle::Relaying),
            (Stage::Recipient, 554, "<a@b.example>: Relay access denied", Obstacle::Relaying),
            (Stage::Recipient, 450, "greylisted", Obstacle::Busy),
            (Stage::Data, 530, "Authentication required", Obstacle::Relaying),
        ] {
            match (Reply { code, enhanced: [0; 3], text: text.to_owned() }).outcome(stage) {
                Outcome::Misconfigured { obstacle, .. } | Outcome::Retry { obstacle, .. } => {
                    assert_eq!(obstacle, expected, "{stage:?} {code} {text}");
                }
                outcome => panic!("{outcome:?}"),
            }
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        let reply = Reply { code: 550, enhanced: [5, 1, 1], text: format!("no\r\nsuch user {}", "x".repeat(900)) };
        assert!(reply.line().starts_with("550 5.1.1 no  such user x"));
        assert!(reply.line().len() < 250);
        assert_eq!(Reply { code: 250, enhanced: [0; 3], text: String::new() }.line(), "250");
    }
}
