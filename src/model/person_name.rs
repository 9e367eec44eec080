//! The name that a person goes by.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Most characters of a name.
pub const LENGTH_MAX: usize = 100;

/// A name fit to be shown: one line, single spaces, nothing invisible in it, 1…100 characters.
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
        let kept: String = text.chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect();
        let name = kept.split_whitespace().collect::<Vec<_>>().join(" ");
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

/// Controls, and characters that turn the writing direction or hide.
pub(in crate::model) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff0}'..='\u{fffc}' | '\u{e0000}'..='\u{e007f}')
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
        assert_eq!(name("a\u{202e}b\u{200b}c\0d\u{7}").unwrap(), "abcd");
        assert_eq!(name("a\u{2028}b\tc").unwrap(), "a b c");
        assert_eq!(name("<script>alert(1)</script>").unwrap(), "<script>alert(1)</script>", "text is drawn as text");
    }

    #[test]
    fn a_name_has_1_to_100_characters() {
        assert_eq!(name(" \u{202e}\0 "), Err(NotAName::Empty));
        assert!(name(&"é".repeat(100)).is_ok());
        assert_eq!(name(&"é".repeat(101)), Err(NotAName::TooLong));
    }
}
