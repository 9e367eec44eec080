//! The dialogue with the relay, one mail at a time.
//!
//! ```text
//! connect ─ (TLS) ─ 220 ─ EHLO ─ (STARTTLS ─ TLS ─ EHLO) ─ (AUTH) ─┬─ MAIL ─ RCPT ─ DATA ─ mail ─ 250 ─┬─ kept for the next
//!                                                                  └──────────────── RSET ─────────────┘
//! ```

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mail_send::smtp::message::Parameters;
use mail_send::{Credentials, Error, SmtpClient};
use smtp_proto::{EXT_SMTP_UTF8, EXT_START_TLS, EhloResponse, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::mail::Mail;
use super::outcome::{Obstacle, Outcome, Reply, Stage};
use super::settings::Settings;

/// How long a connection is kept for the next mail; relays end idle ones after some minutes.
const KEPT_FOR: Duration = Duration::from_secs(20);
/// Mails over one connection; some relays allow few.
const MAILS_PER_CONNECTION_MAX: u32 = 50;

/// Hands mails to the relay; making one contacts nobody.
///
/// The connection is kept for the next mail, and mails sent at the same time get connections of their own: whoever wants to be
/// gentle sends one after the other.
pub struct Mailer {
    settings: Settings,
    tls: TlsConnector,
    kept: Mutex<Option<Session>>,
}

struct Session {
    client: SmtpClient<Box<dyn Wire>>,
    takes_utf8: bool,
    mails: u32,
    used_at: Instant,
}

/// TCP, or TLS over it.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Why there is no session.
enum NoSession {
    /// TLS does not come about, because of the certificate or because the other side does not speak it.
    Tls(Obstacle, String),
    /// Whatever else.
    Other(Outcome),
}

impl Mailer {
    /// Ready to send.
    pub fn new(settings: Settings) -> Mailer {
        let tls = TlsConnector::from(std::sync::Arc::new(settings.roots.client_config()));
        Mailer { settings, tls, kept: Mutex::default() }
    }

    /// Hands one mail to the relay.
    pub async fn send(&self, mail: &Mail) -> Outcome {
        let mut session = match self.reused().await {
            Some(session) => session,
            None => match self.open().await {
                Ok(session) => session,
                Err(outcome) => return outcome,
            },
        };
        let outcome = match deliver(&mut session, mail, self.settings.final_timeout).await {
            Ok(outcome) => outcome,
            // What the relay said in this dialogue is unknown, so it ends.
            Err(outcome) => return outcome,
        };
        session.mails += 1;
        session.used_at = Instant::now();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        outcome
    }

    /// Whether the relay lets us in: a connection up to where a mail would begin, and its end.
    ///
    /// # Errors
    ///
    /// What a mail would come to.
    pub async fn try_out(&self) -> Result<(), Outcome> {
        let session = self.open().await?;
        // It ends anyhow.
        let _ = session.client.quit().await;
        Ok(())
    }

    /// Ends the connection that is kept. To be called when nothing is left to send.
    pub async fn rest(&self) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = kept {
            // It ends anyhow.
            let _ = session.client.quit().await;
        }
    }

    async fn reused(&self) -> Option<Session> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut session = kept.filter(|it| it.used_at.elapsed() < KEPT_FOR && it.mails < MAILS_PER_CONNECTION_MAX)?;
        session.client.rset().await.is_ok().then_some(session)
    }

    async fn open(&self) -> Result<Session, Outcome> {
        match self.dial(true).await {
            Ok(session) => Ok(session),
            Err(NoSession::Other(outcome)) => Err(outcome),
            // A relay on this machine seldom has a certificate that anybody vouches for.
            Err(NoSession::Tls(..)) if self.settings.may_be_plain => {
                self.dial(false).await.map_err(|error| match error {
                    NoSession::Other(outcome) => outcome,
                    NoSession::Tls(obstacle, reason) => Outcome::Misconfigured { reason, obstacle },
                })
            }
            Err(NoSession::Tls(obstacle, reason)) => Err(Outcome::Misconfigured { reason, obstacle }),
        }
    }

    async fn dial(&self, with_tls: bool) -> Result<Session, NoSession> {
        let Settings { relay, command_timeout, own_name, .. } = &self.settings;
        let stream = timeout(*command_timeout, connect(&relay.host, relay.port));
        let stream = stream.await.map_err(|_| later(Obstacle::Connection, "no connection in time"))??;
        // The end of a mail is a small write behind a large one: held back for the relay's acknowledgement, it cost 40 ms.
        let _ = stream.set_nodelay(true);
        let stream: Box<dyn Wire> = if relay.tls_at_once { self.encrypt(stream).await? } else { Box::new(stream) };
        let mut client = SmtpClient { stream, timeout: *command_timeout };
        let greeting = timeout(*command_timeout, client.read()).await.map_err(|_| Error::Timeout);
        greeting.and_then(|reply| reply).and_then(expect_success).map_err(|error| stopped(error, Stage::Hello))?;
        let hello = |error| stopped(error, Stage::Hello);
        let mut offered = client.ehlo(own_name.as_str()).await.map_err(hello)?;
        if !relay.tls_at_once && with_tls {
            if offered.has_capability(EXT_START_TLS) {
                client.cmd(b"STARTTLS\r\n").await.and_then(expect_success).map_err(hello)?;
                client = SmtpClient { stream: self.encrypt(client.stream).await?, timeout: *command_timeout };
                offered = client.ehlo(own_name.as_str()).await.map_err(hello)?;
            } else if !self.settings.may_be_plain {
                let reason = format!("{relay} does not offer STARTTLS; smtps:// is for relays that begin with TLS");
                return Err(NoSession::Other(Outcome::Misconfigured { reason, obstacle: Obstacle::TlsMoment }));
            }
        }
        self.sign_in(&mut client, &offered).await?;
        let takes_utf8 = offered.has_capability(EXT_SMTP_UTF8);
        Ok(Session { client, takes_utf8, mails: 0, used_at: Instant::now() })
    }

    async fn encrypt<S: Wire + 'static>(&self, stream: S) -> Result<Box<dyn Wire>, NoSession> {
        let host = self.settings.relay.host.clone();
        let name = ServerName::try_from(host).map_err(|error| NoSession::Tls(Obstacle::Name, error.to_string()))?;
        match timeout(self.settings.command_timeout, self.tls.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(match rustls_error(&error) {
                Some(rustls::Error::InvalidMessage(_)) => {
                    let reason = "the relay does not begin with TLS there; smtp:// is for STARTTLS";
                    NoSession::Tls(Obstacle::TlsMoment, reason.to_owned())
                }
                Some(reason) => NoSession::Tls(obstacle_of(reason), format!("TLS: {reason}")),
                None => later(Obstacle::Connection, &error.to_string()),
            }),
            Err(_) => Err(later(Obstacle::Connection, "no TLS in time")),
        }
    }

    async fn sign_in(
        &self,
        client: &mut SmtpClient<Box<dyn Wire>>,
        offered: &EhloResponse<String>,
    ) -> Result<(), NoSession> {
        let (Some(user), Some(password)) = (&self.settings.relay.user, &self.settings.password) else { return Ok(()) };
        let credentials = Credentials::new(user.as_str(), password.reveal());
        match client.authenticate(&credentials, offered).await {
            Ok(_) => Ok(()),
            Err(error) => Err(stopped(error, Stage::SignIn)),
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The name is looked up by itself: that it leads nowhere is mended otherwise than that nobody answers.
async fn connect(host: &str, port: u16) -> Result<TcpStream, NoSession> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found: Vec<SocketAddr> = found.map_err(|error| later(Obstacle::Name, &error.to_string()))?.collect();
    TcpStream::connect(&found[..]).await.map_err(|error| later(Obstacle::Connection, &error.to_string()))
}

/// What keeps TLS from coming about.
fn obstacle_of(error: &rustls::Error) -> Obstacle {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            Obstacle::CertificateName
        }
        rustls::Error::InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => Obstacle::CertificateDate,
        rustls::Error::InvalidCertificate(_) => Obstacle::Authority,
        _ => Obstacle::TlsMoment,
    }
}

/// One mail over an open session: `Err` where the session is of no use any more.
async fn deliver(session: &mut Session, mail: &Mail, final_timeout: Duration) -> Result<Outcome, Outcome> {
    let (from, to) = (mail.from.address.as_str(), mail.to.address.as_str());
    let needs_utf8 = !(from.is_ascii() && to.is_ascii());
    if needs_utf8 && !session.takes_utf8 {
        return Ok(Outcome::Refused { reason: "the relay takes no addresses with letters beyond ASCII".to_owned() });
    }
    let mut parameters = Parameters::new();
    if needs_utf8 {
        parameters.add("SMTPUTF8").add(("BODY", "8BITMIME"));
    }
    let client = &mut session.client;
    if let Err(error) = client.mail_from(from, &parameters).await {
        return ended(error, Stage::Sender);
    }
    if let Err(error) = client.rcpt_to(to, &Parameters::new()).await {
        return ended(error, Stage::Recipient);
    }
    match client.cmd(b"DATA\r\n").await {
        Ok(reply) if reply.code == 354 => {}
        Ok(reply) => return ended(Error::UnexpectedReply(reply), Stage::Data),
        Err(error) => return ended(error, Stage::Data),
    }
    match timeout(final_timeout, client.write_message(&mail.to_bytes())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return ended(Error::Io(error), Stage::Data),
        Err(_) => return ended(Error::Timeout, Stage::Data),
    }
    match timeout(final_timeout, client.read()).await.map_err(|_| Error::Timeout).and_then(|reply| reply) {
        Ok(reply) if reply.code / 100 == 2 => Ok(Outcome::Sent { queue_id: said(reply).line() }),
        Ok(reply) => ended(Error::UnexpectedReply(reply), Stage::Final),
        Err(error) => ended(error, Stage::Final),
    }
}

fn ended(error: Error, stage: Stage) -> Result<Outcome, Outcome> {
    match error {
        Error::UnexpectedReply(reply) if reply.code != 421 => Ok(said(reply).outcome(stage)),
        error => Err(outcome_of(error, stage)),
    }
}

fn outcome_of(error: Error, stage: Stage) -> Outcome {
    let misconfigured =
        |reason: &str| Outcome::Misconfigured { reason: reason.to_owned(), obstacle: Obstacle::NoSignIn };
    let (obstacle, perhaps_sent) = (Obstacle::Connection, stage == Stage::Final);
    let retry = |reason| Outcome::Retry { after: None, reason, obstacle, perhaps_sent };
    match error {
        Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) => said(reply).outcome(stage),
        Error::UnsupportedAuthMechanism => misconfigured("the relay offers no way to sign in (PLAIN or LOGIN)"),
        Error::Auth(_) | Error::Base64(_) => misconfigured("the relay's way to sign in is not understood"),
        Error::Timeout => retry("no answer in time".to_owned()),
        Error::UnparseableReply => retry("the connection ended, or what came is no SMTP".to_owned()),
        error => retry(error.to_string()),
    }
}

fn stopped(error: Error, stage: Stage) -> NoSession {
    NoSession::Other(outcome_of(error, stage))
}

fn later(obstacle: Obstacle, reason: &str) -> NoSession {
    NoSession::Other(Outcome::Retry { after: None, reason: reason.to_owned(), obstacle, perhaps_sent: false })
}

fn expect_success(reply: Response<String>) -> Result<(), Error> {
    if reply.code / 100 == 2 { Ok(()) } else { Err(Error::UnexpectedReply(reply)) }
}

fn said(reply: Response<String>) -> Reply {
    Reply { code: reply.code, enhanced: reply.esc, text: reply.message }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests;
