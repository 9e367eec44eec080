//! The name that a person goes by.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::model::text::nfc::nfc;
use crate::model::text::visible;

/// Most characters of a name.
pub const LENGTH_MAX: usize = 100;

/// A name fit to be shown: one line in NFC, single spaces, nothing hidden in it, 1…100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PersonName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// Nothing is left of it.
    #[error("the name is empty")]
    Empty,
    /// More than [`LENGTH_MAX`] characters.
    #[error("the name has more than {LENGTH_MAX} characters")]
    TooLong,
    /// It holds what nobody can see, so it could pass for another name.
    #[error("the name holds characters that cannot be seen")]
    Hidden,
}

impl PersonName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<PersonName, NotAName> {
        let text = nfc(visible::trim(text));
        if !visible::has_visible(&text) {
            return Err(NotAName::Empty);
        }
        if visible::has_hidden(&text) {
            return Err(NotAName::Hidden);
        }
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.chars().count() {
            0 => Err(NotAName::Empty),
            1..=LENGTH_MAX => Ok(PersonName(name)),
            _ => Err(NotAName::TooLong),
        }
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, NotAName> {
        text.parse().map(|name: PersonName| name.to_string())
    }

    #[test]
    fn a_name_is_one_visible_line() {
        assert_eq!(name("  Anne-Sophie   de  L'Étoile\n").unwrap(), "Anne-Sophie de L'Étoile");
        assert_eq!(name("محمد").unwrap(), "محمد");
        assert_eq!(name("\u{feff}Zoe\u{308}\u{200b}").unwrap(), "Zoë");
        assert_eq!(name("علی\u{200c}رضا").unwrap(), "علی\u{200c}رضا");
        assert_eq!(name("a\u{2028}b\tc").unwrap(), "a b c");
        assert_eq!(name("<script>alert(1)</script>").unwrap(), "<script>alert(1)</script>", "text is drawn as text");
    }

    #[test]
    fn a_name_that_could_pass_for_another_is_refused() {
        for c in [
            '\0', '\u{7}', '\u{ad}', '\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{3164}', '\u{fe0f}', '\u{feff}',
        ] {
            assert_eq!(name(&format!("Zo{c}e")), Err(NotAName::Hidden), "{c:?}");
            assert_eq!(name(&format!("{c} {c}")), Err(NotAName::Empty), "{c:?}");
        }
        assert_eq!(name("\u{301}"), Err(NotAName::Empty));
    }

    #[test]
    fn a_name_has_1_to_100_characters() {
        assert_eq!(name(" \u{202e}\0 "), Err(NotAName::Empty));
        assert!(name(&"é".repeat(100)).is_ok());
        assert_eq!(name(&"é".repeat(101)), Err(NotAName::TooLong));
    }
}
