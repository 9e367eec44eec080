use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::integrations::roots::Roots;
use crate::integrations::smtp::mail::{Line, Mailbox};
use crate::integrations::smtp::settings::{OwnName, Password};

/// A relay without TLS that answers each command with what the script says, else with success.
struct Fixture {
    port: u16,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<String>>>,
}

/// A command's first word and the answer to it; `DROP` ends the connection, `SILENCE` says nothing, `.` is the end of a mail.
type Script = &'static [(&'static str, &'static str)];

impl Fixture {
    async fn start(script: Script) -> Fixture {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, heard) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (counted, noted) = (Arc::clone(&connections), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, script, Arc::clone(&noted)));
            }
        });
        Fixture { port, connections, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn mailer(&self, user: &str, password: Option<&str>) -> Mailer {
        let relay = format!("smtp://{user}127.0.0.1:{}", self.port).parse().unwrap();
        let name = OwnName::new("chat.example");
        let mut settings = Settings::new(relay, password.map(Password::new), name, Roots::built_in()).unwrap();
        // Who says nothing is waited for so long; everybody else has to be quicker, on a busy machine too.
        settings.command_timeout = Duration::from_secs(2);
        settings.final_timeout = Duration::from_secs(2);
        Mailer::new(settings)
    }
}

async fn serve(stream: TcpStream, script: Script, noted: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let scripted = |word: &str| script.iter().find(|(command, _)| *command == word).map(|(_, answer)| *answer);
    let mut in_mail = false;
    let mut word = "CONNECT".to_owned();
    loop {
        let usual = match word.as_str() {
            "CONNECT" => "220 relay.example ESMTP\r\n",
            "EHLO" => "250-relay.example\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 2.7.0 fine\r\n",
            "DATA" => "354 go on\r\n",
            "." => "250 2.0.0 Ok: queued as 2F9ADA7605A\r\n",
            "QUIT" => "221 2.0.0 bye\r\n",
            _ => "250 2.0.0 fine\r\n",
        };
        let answer = scripted(&word).unwrap_or(usual);
        match answer {
            "DROP" => return None,
            "SILENCE" => std::future::pending().await,
            answer => stream.write_all(answer.as_bytes()).await.ok()?,
        }
        in_mail = word == "DATA" && answer.starts_with("354") || in_mail && word != ".";
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            noted.lock().unwrap().push(line.trim_end().to_owned());
            if !in_mail || line == ".\r\n" {
                word = line.split_whitespace().next().unwrap_or_default().to_owned();
                break;
            }
        }
    }
}

fn mail_to(address: &str) -> Mail {
    Mail {
        from: Mailbox { name: Some(Line::new("Cabinet")), address: "avis@cabinet.example".parse().unwrap() },
        to: Mailbox { name: None, address: address.parse().unwrap() },
        subject: Line::new("Vous avez un nouveau message"),
        text: "Bonjour\n.\n..\n.fin".to_owned(),
        html: None,
        message_id: "1@cabinet.example".parse().unwrap(),
        date: SystemTime::now(),
        thread: Vec::new(),
        unsubscribe: None,
    }
}

async fn outcome(script: Script) -> Outcome {
    Fixture::start(script).await.mailer("", None).send(&mail_to("a@client.example")).await
}

#[tokio::test]
async fn a_mail_is_handed_over_and_its_dots_survive() {
    let relay = Fixture::start(&[]).await;
    let sent = relay.mailer("", None).send(&mail_to("a@client.example")).await;
    assert_eq!(sent, Outcome::Sent { queue_id: "250 2.0.0 Ok: queued as 2F9ADA7605A".to_owned() });
    let heard = relay.heard();
    let begins = ["EHLO chat.example", "MAIL FROM:<avis@cabinet.example>", "RCPT TO:<a@client.example>", "DATA"];
    assert_eq!(&heard[..4], begins);
    let body = &heard[heard.iter().position(String::is_empty).unwrap() + 1..];
    assert_eq!(body[..4], ["Bonjour", "..", "...", "..fin"], "{body:?}");
}

#[tokio::test]
async fn an_answer_means_what_its_moment_says() {
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { perhaps_sent: false, .. } => "retry",
        Outcome::Retry { perhaps_sent: true, .. } => "retry, perhaps sent",
        Outcome::AddressDead { .. } => "dead",
        Outcome::Misconfigured { .. } => "misconfigured",
        Outcome::Refused { .. } => "refused",
    };
    let cases: &[(Script, &str)] = &[
        (&[("CONNECT", "DROP")], "retry"),
        (&[("CONNECT", "SILENCE")], "retry"),
        (&[("CONNECT", "SSH-2.0-OpenSSH_9\r\n")], "retry"),
        (&[("CONNECT", "421 4.3.2 busy\r\n")], "retry"),
        (&[("CONNECT", "554 5.7.1 you are listed\r\n")], "misconfigured"),
        (&[("EHLO", "DROP")], "retry"),
        (&[("EHLO", "SILENCE")], "retry"),
        (&[("EHLO", "550 5.7.1 no\r\n")], "misconfigured"),
        (&[("MAIL", "DROP")], "retry"),
        (&[("MAIL", "451 4.3.0 later\r\n")], "retry"),
        (&[("MAIL", "530 5.7.0 Authentication required\r\n")], "misconfigured"),
        (&[("RCPT", "DROP")], "retry"),
        (&[("RCPT", "SILENCE")], "retry"),
        (&[("RCPT", "450 4.2.0 greylisted\r\n")], "retry"),
        (&[("RCPT", "550 5.1.1 nobody\r\n")], "dead"),
        (&[("RCPT", "554 5.7.1 Relay access denied\r\n")], "misconfigured"),
        (&[("DATA", "DROP")], "retry"),
        (&[("DATA", "451 4.3.0 later\r\n")], "retry"),
        (&[("DATA", "554 5.5.1 no\r\n")], "refused"),
        (&[("DATA", "250 what\r\n")], "retry"),
        (&[(".", "DROP")], "retry, perhaps sent"),
        (&[(".", "SILENCE")], "retry, perhaps sent"),
        (&[(".", "451 4.3.0 later\r\n")], "retry"),
        (&[(".", "554 5.7.1 spam\r\n")], "refused"),
    ];
    for (script, expected) in cases {
        let outcome = outcome(script).await;
        assert_eq!(kind(&outcome), *expected, "{script:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_relay_that_wants_a_password_gets_it_or_says_what_is_wrong() {
    let relay = Fixture::start(&[]).await;
    let mailer = relay.mailer("me@", Some("word"));
    assert!(matches!(mailer.send(&mail_to("a@client.example")).await, Outcome::Sent { .. }));
    // NUL, user, NUL, password.
    assert!(relay.heard().contains(&"AUTH PLAIN AG1lAHdvcmQ=".to_owned()), "{:?}", relay.heard());

    for (script, temporary) in [
        (&[("AUTH", "535 5.7.8 bad credentials\r\n")] as Script, false),
        (&[("AUTH", "454 4.7.0 later\r\n")], true),
        (&[("EHLO", "250 relay.example\r\n")], false),
    ] {
        let relay = Fixture::start(script).await;
        let outcome = relay.mailer("me@", Some("word")).send(&mail_to("a@client.example")).await;
        let right = if temporary {
            matches!(outcome, Outcome::Retry { .. })
        } else {
            matches!(outcome, Outcome::Misconfigured { .. })
        };
        assert!(right, "{outcome:?}");
        assert!(!relay.heard().iter().any(|line| line.starts_with("MAIL")));
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_said_to_a_relay_elsewhere() {
    let relay = Fixture::start(&[]).await;
    let mut mailer = relay.mailer("me@", Some("word"));
    mailer.settings.may_be_plain = false;
    let outcome = mailer.send(&mail_to("a@client.example")).await;
    assert!(matches!(&outcome, Outcome::Misconfigured { reason, .. } if reason.contains("STARTTLS")), "{outcome:?}");
    assert_eq!(relay.heard(), ["EHLO chat.example"]);

    // Broken TLS is no reason to go on without.
    let relay = Fixture::start(&[("EHLO", "250-relay.example\r\n250 STARTTLS\r\n"), ("STARTTLS", "220 go\r\n")]).await;
    let mut mailer = relay.mailer("me@", Some("word"));
    mailer.settings.may_be_plain = false;
    let outcome = mailer.send(&mail_to("a@client.example")).await;
    assert!(!matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
    assert!(!relay.heard().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_connection_serves_the_next_mail_and_one_that_died_is_replaced() {
    let relay = Fixture::start(&[]).await;
    let mailer = relay.mailer("", None);
    for _ in 0..3 {
        assert!(matches!(mailer.send(&mail_to("a@client.example")).await, Outcome::Sent { .. }));
    }
    assert_eq!(relay.connections.load(Ordering::SeqCst), 1);
    mailer.rest().await;
    assert_eq!(relay.heard().last().unwrap(), "QUIT");
    assert!(matches!(mailer.send(&mail_to("a@client.example")).await, Outcome::Sent { .. }));
    assert_eq!(relay.connections.load(Ordering::SeqCst), 2);

    let ending = Fixture::start(&[("RSET", "DROP")]).await;
    let mailer = ending.mailer("", None);
    for sent in 1..=3 {
        assert!(matches!(mailer.send(&mail_to("a@client.example")).await, Outcome::Sent { .. }));
        assert_eq!(ending.connections.load(Ordering::SeqCst), sent);
    }

    let refusing = Fixture::start(&[("RCPT", "550 5.1.1 nobody\r\n")]).await;
    let mailer = refusing.mailer("", None);
    for _ in 0..2 {
        assert!(matches!(mailer.send(&mail_to("a@client.example")).await, Outcome::AddressDead { .. }));
    }
    assert_eq!(refusing.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_relay_that_takes_it() {
    let relay = Fixture::start(&[]).await;
    assert!(matches!(relay.mailer("", None).send(&mail_to("é@client.example")).await, Outcome::Sent { .. }));
    assert!(relay.heard().contains(&"MAIL FROM:<avis@cabinet.example> SMTPUTF8 BODY=8BITMIME".to_owned()));
    let relay = Fixture::start(&[("EHLO", "250 relay.example\r\n")]).await;
    assert!(matches!(relay.mailer("", None).send(&mail_to("é@client.example")).await, Outcome::Refused { .. }));
    assert!(!relay.heard().iter().any(|line| line.starts_with("MAIL")));
    assert!(matches!(relay.mailer("", None).send(&mail_to("a@société.example")).await, Outcome::Sent { .. }));
    assert!(relay.heard().contains(&"RCPT TO:<a@xn--socit-esab.example>".to_owned()), "a domain alone never needs it");
}

#[tokio::test]
async fn nobody_there_is_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let relay = Fixture { port, connections: Arc::default(), heard: Arc::default() };
    let outcome = relay.mailer("", None).send(&mail_to("a@client.example")).await;
    assert!(matches!(outcome, Outcome::Retry { perhaps_sent: false, .. }), "{outcome:?}");
}
