//! What a certificate says about itself: until when it is good, and for which names.
//!
//! It is read, not judged: whether a browser believes who signed it depends on the browser.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;

/// How long before its end a certificate should have been renewed.
pub const RENEWED_BEFORE: Duration = Duration::from_secs(14 * DAY_S);

const DAY_S: u64 = 24 * 60 * 60;

/// The certificate of a server.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: CertificateDer<'static>,
    begins_s: u64,
    ends_s: u64,
}

/// What is wrong with a certificate, or soon will be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Complaint {
    /// It is too late.
    #[error("the certificate ended on {0}: browsers refuse it")]
    Ended(String),
    /// It is late.
    #[error("the certificate ends on {ends}, in {days} days")]
    EndsSoon {
        /// The day, `YYYY-MM-DD`.
        ends: String,
        /// Whole days until then.
        days: u64,
    },
    /// It is too early, or the clock is wrong.
    #[error(
        "the certificate begins on {0} only: browsers refuse it until then, unless the clock of this machine is wrong"
    )]
    NotYet(String),
    /// It is for somebody else.
    #[error("the certificate is not for {0}: browsers refuse it under that name")]
    OtherName(String),
}

impl Certificate {
    /// Reads a certificate; `None` if it is none.
    #[must_use]
    pub fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
        let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
        let second = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
        let validity = parsed.validity();
        Some(Certificate {
            begins_s: second(validity.not_before),
            ends_s: second(validity.not_after),
            der: der.clone().into_owned(),
        })
    }

    /// When it ends, in seconds since 1970.
    #[must_use]
    pub fn ends_s(&self) -> u64 {
        self.ends_s
    }

    /// The day on which it ends, `YYYY-MM-DD`.
    #[must_use]
    pub fn ends_on(&self) -> String {
        day(self.ends_s)
    }

    /// What is wrong with it at this moment, for a server that people know by these names.
    #[must_use]
    pub fn complaints(&self, names: &[String], now: SystemTime) -> Vec<Complaint> {
        let now_s = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut complaints = Vec::new();
        if self.ends_s <= now_s {
            complaints.push(Complaint::Ended(day(self.ends_s)));
        } else if self.ends_s - now_s < RENEWED_BEFORE.as_secs() {
            complaints.push(Complaint::EndsSoon { ends: day(self.ends_s), days: (self.ends_s - now_s) / DAY_S });
        }
        if self.begins_s > now_s {
            complaints.push(Complaint::NotYet(day(self.begins_s)));
        }
        let others = names.iter().filter(|name| !self.is_for(name));
        complaints.extend(others.map(|name| Complaint::OtherName(name.clone())));
        complaints
    }

    /// Whether browsers take it for this host name or address.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let (Ok(parsed), Ok(name)) = (ParsedCertificate::try_from(&self.der), ServerName::try_from(host)) else {
            return false;
        };
        verify_server_name(&parsed, &name).is_ok()
    }
}

fn day(second: u64) -> String {
    let date = i64::try_from(second).ok().and_then(|second| time::OffsetDateTime::from_unix_timestamp(second).ok());
    date.map_or_else(|| "a day beyond the calendar".to_owned(), |date| date.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str], from_day: i64, to_day: i64) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        let now = time::OffsetDateTime::now_utc();
        params.not_before = now + time::Duration::days(from_day);
        params.not_after = now + time::Duration::days(to_day) + time::Duration::hours(1);
        let key = rcgen::KeyPair::generate().unwrap();
        Certificate::read(params.self_signed(&key).unwrap().der()).unwrap()
    }

    fn complaints(certificate: &Certificate, name: &str) -> Vec<Complaint> {
        certificate.complaints(&[name.to_owned()], SystemTime::now())
    }

    #[test]
    fn a_good_certificate_gives_no_reason_to_complain() {
        let good = made(&["chat.example", "*.cabinet.example", "192.0.2.7"], -1, 90);
        for name in ["chat.example", "lexchat.cabinet.example", "192.0.2.7"] {
            assert_eq!(complaints(&good, name), [], "{name}");
        }
        assert!(good.complaints(&[], SystemTime::now()).is_empty());
        assert!(good.ends_on().len() == 10 && good.ends_s() > 1_700_000_000);
    }

    #[test]
    fn one_that_has_ended_ends_soon_has_not_begun_or_is_for_another_name_does() {
        assert!(matches!(complaints(&made(&["a.example"], -90, -2), "a.example")[..], [Complaint::Ended(_)]));
        let soon = complaints(&made(&["a.example"], -90, 13), "a.example");
        assert!(matches!(soon[..], [Complaint::EndsSoon { days: 13, .. }]), "{soon:?}");
        assert!(matches!(complaints(&made(&["a.example"], -90, 14), "a.example")[..], []));
        assert!(matches!(complaints(&made(&["a.example"], 2, 90), "a.example")[..], [Complaint::NotYet(_)]));
        let other = complaints(&made(&["a.example"], -90, 90), "b.example");
        assert_eq!(other, [Complaint::OtherName("b.example".to_owned())]);
    }
}
