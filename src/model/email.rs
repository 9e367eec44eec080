//! E-mail addresses, as far as they identify people.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::char::is_combining_mark;

use crate::model::text::nfc::nfc;
use crate::model::text::visible;

/// The longest address that mail can be delivered to.
const LENGTH_MAX: usize = 254;

/// What a name begins with that stands for letters beyond ASCII.
const PUNYCODE: &str = "xn--";

/// An address in the one spelling under which it is stored and looked for: trimmed, in lower case and in NFC, its domain in
/// letters.
///
/// What comes along with a pasted address and cannot be seen is trimmed too; inside of it, it is refused.
///
/// Whether mail arrives there is not judged, only that it can be one address and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnEmail;

impl Email {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Email, NotAnEmail> {
        let folded = spelling(text);
        let (local, domain) = folded.rsplit_once('@').ok_or(NotAnEmail)?;
        let is_plain = |c: char| !c.is_whitespace() && !visible::is_hidden(c) && !"@<>()[]\\,;:\"".contains(c);
        let good_local = (1..=64).contains(&local.len()) && local.chars().all(is_plain) && !has_loose_mark(local);
        let good = folded.len() <= LENGTH_MAX && good_local && is_host(domain);
        if good { Ok(Email(folded)) } else { Err(NotAnEmail) }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one spelling of what may or may not be an address.
#[must_use]
pub fn spelling(text: &str) -> String {
    let spelling = nfc(&visible::trim(text).to_lowercase()).into_owned();
    match spelling.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() || domain.contains(PUNYCODE) => {
            format!("{local}@{}", in_letters(domain))
        }
        _ => spelling,
    }
}

/// The same address with its domain in Punycode, if that is another spelling.
#[must_use]
pub fn in_punycode(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@').filter(|(_, domain)| !domain.is_ascii())?;
    idna::domain_to_ascii_strict(domain).ok().map(|domain| format!("{local}@{domain}"))
}

/// A domain as its people write it, read as names of hosts are read everywhere: wide letters, the full stop of Chinese and
/// Japanese, and Punycode are no others. Browsers hand over in Punycode what was typed in letters, some of them.
fn in_letters(domain: &str) -> String {
    // What cannot be seen would be passed over.
    if domain.chars().any(visible::is_hidden) {
        return domain.to_owned();
    }
    match idna::domain_to_unicode(domain) {
        (letters, Ok(())) if is_host(&letters) || !domain.is_ascii() => letters,
        _ => domain.to_owned(),
    }
}

/// The longest part of a domain between two full stops, as DNS has them.
const LABEL_BYTES_MAX: usize = 63;

fn is_host(domain: &str) -> bool {
    domain.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && (label.len() <= LABEL_BYTES_MAX || !label.is_ascii())
            && label.chars().all(|c| (c.is_alphanumeric() || c == '-') && !visible::is_hidden(c))
    })
}

/// Whether a mark stands on no letter, or on one that is never written with it: only scripts beyond Latin have marks that
/// NFC leaves apart from their letters.
fn has_loose_mark(text: &str) -> bool {
    let before = std::iter::once('\0').chain(text.chars());
    text.chars().zip(before).any(|(c, before)| is_combining_mark(c) && before < '\u{370}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        for (text, address) in [
            ("client1@example.com", "client1@example.com"),
            ("  Camille.Durand+lex@Example.COM\n", "camille.durand+lex@example.com"),
            ("o'neil@cabinet-martin.fr", "o'neil@cabinet-martin.fr"),
            ("élodie@société.fr", "élodie@société.fr"),
            ("admin@localhost", "admin@localhost"),
            ("e\u{301}lodie@socie\u{301}te\u{301}.fr", "élodie@société.fr"),
            ("\u{feff}zed@example.com\u{200b} ", "zed@example.com"),
            ("zed@ＥＸample．com", "zed@example.com"),
            ("zed@例え。jp", "zed@例え.jp"),
            ("\u{2068}zed@example.com\u{2069}", "zed@example.com"),
            ("हिन्दी@example.com", "हिन्दी@example.com"),
            ("zed@xn--socit-esab.fr", "zed@société.fr"),
            ("Zed@mail.XN--SOCIT-ESAB.FR", "zed@mail.société.fr"),
            ("zed@xn--r8jz45g.jp", "zed@例え.jp"),
            ("élodie@xn--bcher-kva.example", "élodie@bücher.example"),
            ("zed@straße.example", "zed@straße.example"),
            ("zed@xn--i-7iq.example", "zed@xn--i-7iq.example"),
            ("zed@xn--a.example", "zed@xn--a.example"),
        ] {
            assert_eq!(text.parse::<Email>().map(|email| email.to_string()), Ok(address.to_owned()), "{text:?}");
            assert_eq!(spelling(address), address);
        }
    }

    #[test]
    fn what_is_no_single_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        let long_label = format!("a@{}.fr", "b".repeat(64));
        for text in [
            &long_label,
            "a@b-.fr",
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a b@c.fr",
            "a@b c.fr",
            "a@b..fr",
            "a@.fr",
            "a@b.fr.",
            "a@b@c.fr",
            "a@-b.fr",
            "a@b.fr,c@d.fr",
            "A <a@b.fr>",
            "a\0@b.fr",
            "a\r\n@b.fr",
            "a@b_c.fr",
            "a\u{200b}b@c.fr",
            "a\u{202e}b@c.fr",
            "a\u{ad}b@c.fr",
            "a\u{fe0f}@c.fr",
            "a\u{feff}b@c.fr",
            "a\u{200d}b@c.fr",
            "\u{3164}b@c.fr",
            "a@c\u{3164}.fr",
            "a@soci\u{ad}été.fr",
            "a@soci\u{200b}été.fr",
            "a@i❤.example",
            "a@⑴.example",
            "a@\u{115f}.fr",
            "x\u{302}@c.fr",
            "\u{301}@c.fr",
            &long,
        ] {
            assert_eq!(text.parse::<Email>(), Err(NotAnEmail), "{text:?}");
        }
    }
}
