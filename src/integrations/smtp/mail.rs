//! A mail and the parts of it, none of which can break out of its place.
//!
//! No header can be injected: whatever enters a header is an [`Address`], a [`Line`], a [`MessageId`] or a [`Link`], and none of
//! them holds a control character.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use mail_builder::MessageBuilder;
use mail_builder::headers::address;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::url::URL;

/// One mail to one person. All of it says that a program wrote it, so that no absence note answers.
#[derive(Clone, Debug)]
pub struct Mail {
    /// From whom, and to whom answers and complaints go.
    pub from: Mailbox,
    /// The one recipient.
    pub to: Mailbox,
    /// What it is about.
    pub subject: Line,
    /// In plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// The same at every try, so that a mail that arrives twice can be recognised.
    pub message_id: MessageId,
    /// When it was written.
    pub date: SystemTime,
    /// What it belongs to, oldest first: mail programs put it below.
    pub thread: Vec<MessageId>,
    /// Where one press ends such mails (RFC 8058: a `POST` there does).
    pub unsubscribe: Option<Link>,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// What is shown.
    pub name: Option<Line>,
    /// Where it goes.
    pub address: Address,
}

/// `local@domain`, in letters of any script, without quotes, comments or spaces. Where only the domain has letters beyond
/// ASCII it stands in Punycode, which every relay takes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

/// One line of text: whatever would end or hide a line is a space in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

/// `unique@domain`, without the angle brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// An `https://` address (`http://` on loopback).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

/// A part of a mail that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPart {
    /// Not `local@domain`.
    #[error("not an e-mail address")]
    Address,
    /// Not `unique@domain` in letters, digits and `.-_+=`.
    #[error("not a message id")]
    MessageId,
    /// Not an address that a mail may link to.
    #[error("not an https:// address")]
    Link,
}

impl Mail {
    /// The whole of it, with lines that end in CRLF; in ASCII unless an address is not.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let seconds = self.date.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut mail = MessageBuilder::new()
            .from(self.from.as_header())
            .to(self.to.as_header())
            .subject(self.subject.0.as_str())
            .date(Date::new(i64::try_from(seconds).unwrap_or(0)))
            .message_id(self.message_id.0.as_str())
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("X-Auto-Response-Suppress", Raw::new("All"))
            .text_body(self.text.as_str());
        if let Some(parent) = self.thread.last() {
            let all = self.thread.iter().map(|id| id.0.as_str());
            mail = mail.in_reply_to(parent.0.as_str()).references(message_id::MessageId::new_list(all));
        }
        if let Some(link) = &self.unsubscribe {
            mail = mail
                .header("List-Unsubscribe", URL::new(link.0.as_str()))
                .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
        }
        if let Some(html) = &self.html {
            mail = mail.html_body(html.as_str());
        }
        let mut bytes = Vec::new();
        mail.serialize(&mut bytes);
        bytes
    }
}

impl Mailbox {
    fn as_header(&self) -> address::Address<'_> {
        address::Address::new_address(self.name.as_ref().map(|name| name.0.as_str()), self.address.0.as_str())
    }
}

impl Address {
    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Address {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<Address, BadPart> {
        let allowed = |c: char| {
            if c.is_ascii() { c.is_ascii_graphic() && !"()<>[]:;@\\,\"".contains(c) } else { c.is_alphanumeric() }
        };
        let parts = |part: &str| part.split('.').all(|piece| !piece.is_empty() && piece.chars().all(allowed));
        match text.split_once('@') {
            Some((local, domain)) if text.len() <= 254 && local.len() <= 64 && parts(local) && parts(domain) => {
                let in_ascii = if local.is_ascii() { idna::domain_to_ascii_strict(domain).ok() } else { None };
                Ok(Address(format!("{local}@{}", in_ascii.as_deref().unwrap_or(domain))))
            }
            _ => Err(BadPart::Address),
        }
    }
}

impl fmt::Debug for Address {
    /// The domain alone: who gets mail stands in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(…@{})", self.domain())
    }
}

impl Line {
    /// Any text, made one line.
    pub fn new(text: &str) -> Line {
        let hides = |c: char| {
            c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let spaced: String = text.chars().map(|c| if hides(c) { ' ' } else { c }).collect();
        Line(spaced.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<MessageId, BadPart> {
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-_+=".contains(c));
        match text.split_once('@') {
            Some((unique, domain)) if text.len() <= 200 && plain(unique) && plain(domain) => {
                Ok(MessageId(text.to_owned()))
            }
            _ => Err(BadPart::MessageId),
        }
    }
}

impl FromStr for Link {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<Link, BadPart> {
        let plain = text.len() <= 500 && text.chars().all(|c| c.is_ascii_graphic() && !"<>,\"".contains(c));
        let uri = text.parse::<hyper::Uri>().ok().filter(|_| plain).ok_or(BadPart::Link)?;
        crate::integrations::https::origin::Origin::of(&uri).map_err(|_| BadPart::Link)?;
        Ok(Link(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mail() -> Mail {
        Mail {
            from: Mailbox {
                name: Some(Line::new("Cabinet Dupré & Associés")),
                address: "avis@cabinet.example".parse().unwrap(),
            },
            to: Mailbox { name: None, address: "marie@client.example".parse().unwrap() },
            subject: Line::new("Vous avez un nouveau message – n° 42"),
            text: "Bonjour,\n.\nÀ bientôt".to_owned(),
            html: Some(format!("<p>Bonjour</p>{}", "x".repeat(3000))),
            message_id: "abc.1@cabinet.example".parse().unwrap(),
            date: UNIX_EPOCH + Duration::from_secs(1_795_860_000),
            thread: vec!["c7@cabinet.example".parse().unwrap()],
            unsubscribe: Some("https://chat.cabinet.example/notifications/unsubscribe/abc".parse().unwrap()),
        }
    }

    #[test]
    fn a_mail_has_its_headers_and_lines_that_fit() {
        let bytes = mail().to_bytes();
        let text = String::from_utf8(bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "To: <marie@client.example>",
            "Message-ID: <abc.1@cabinet.example>",
            "In-Reply-To: <c7@cabinet.example>",
            "References: <c7@cabinet.example>",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "List-Unsubscribe: <https://chat.cabinet.example/notifications/unsubscribe/abc>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "MIME-Version: 1.0",
        ] {
            assert!(
                head.replace("\r\n ", " ").replace("\r\n\t", " ").lines().any(|there| there.trim_end() == line),
                "{line}\n{head}"
            );
        }
        assert!(
            head.contains("multipart/alternative")
                && head.contains("\r\nDate: ")
                && head.contains("<avis@cabinet.example>")
        );
        assert!(text.is_ascii());
        assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
    }

    #[test]
    fn a_mail_without_extras_has_none_of_their_headers() {
        let plain = Mail { html: None, thread: Vec::new(), unsubscribe: None, ..mail() };
        let text = String::from_utf8(plain.to_bytes()).unwrap();
        for name in ["In-Reply-To", "References", "List-Unsubscribe", "multipart"] {
            assert!(!text.contains(name), "{name}");
        }
    }

    #[test]
    fn nothing_that_enters_a_header_can_end_it() {
        let nasty = "x\r\nBcc: all@evil.example\r\n\r\nbody\u{2028}\u{85}\u{0}";
        let mail = Mail {
            from: Mailbox { name: Some(Line::new(nasty)), ..mail().from },
            to: Mailbox { name: Some(Line::new(&format!("\"{nasty}\" <a@b>, c@d"))), ..mail().to },
            subject: Line::new(&nasty.repeat(20)),
            ..mail()
        };
        let text = String::from_utf8(mail.to_bytes()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        assert!(!names.contains(&"Bcc"), "{head}");
        assert_eq!(names.len(), 13, "{names:?}");
    }

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for text in ["a@b.example", "a.b+c@d-e.example", "é@exämple.example", "a@localhost"] {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), text);
        }
        for (typed, sent) in [("a@exämple.example", "a@xn--exmple-cua.example"), ("a@例え.jp", "a@xn--r8jz45g.jp")] {
            let address: Address = typed.parse().unwrap();
            assert_eq!((address.as_str(), address.domain()), (sent, sent.split_once('@').unwrap().1));
        }
        for text in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b@c",
            "a b@c.example",
            "a@b.example\r\nX: y",
            "a@b.example>",
            "<a@b.example>",
            "a,b@c.example",
            "\"a\"@b.example",
            "a..b@c.example",
            ".a@c.example",
            "a@b..c",
            "a@[127.0.0.1]",
            "a\u{0}@b.example",
            "a\u{200b}@b.example",
            "a\u{85}@b.example",
        ] {
            assert_eq!(text.parse::<Address>(), Err(BadPart::Address), "{text:?}");
        }
        assert!(format!("{}@b.example", "a".repeat(65)).parse::<Address>().is_err());
        assert_eq!(format!("{:?}", "marie@b.example".parse::<Address>().unwrap()), "Address(…@b.example)");
    }

    #[test]
    fn ids_and_links_are_plain() {
        for text in ["", "a", "<a@b>", "a@b>\r\nX: y", "a b@c", "a@", "é@b", "a@b@c"] {
            assert!(text.parse::<MessageId>().is_err(), "{text:?}");
        }
        for text in [
            "",
            "ftp://a.example/",
            "http://a.example/",
            "javascript:x",
            "https://a.example/<x>",
            "https://a.example/x y",
            "https://a.example/\r\nX",
            "/x",
        ] {
            assert!(text.parse::<Link>().is_err(), "{text:?}");
        }
        assert!("http://127.0.0.1:3000/x".parse::<Link>().is_ok());
    }
}
