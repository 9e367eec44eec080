//! E-mail addresses, as far as they identify people.

use std::fmt;
use std::str::FromStr;

/// The longest address that mail can be delivered to.
const LENGTH_MAX: usize = 254;

/// An address in the one spelling under which it is stored and looked for: trimmed and in lower case.
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
        let folded = text.trim().to_lowercase();
        let (local, domain) = folded.rsplit_once('@').ok_or(NotAnEmail)?;
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@<>()[]\\,;:\"".contains(c);
        let good_local = (1..=64).contains(&local.len()) && local.chars().all(is_plain);
        let good_label = |label: &str| {
            !label.is_empty() && !label.starts_with('-') && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let good = folded.len() <= LENGTH_MAX && good_local && domain.split('.').all(good_label);
        if good { Ok(Email(folded)) } else { Err(NotAnEmail) }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
        ] {
            assert_eq!(text.parse::<Email>().map(|email| email.to_string()), Ok(address.to_owned()));
        }
    }

    #[test]
    fn what_is_no_single_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
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
            &long,
        ] {
            assert_eq!(text.parse::<Email>(), Err(NotAnEmail), "{text:?}");
        }
    }
}
