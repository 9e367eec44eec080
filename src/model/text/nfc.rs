//! The one spelling of a text among those that Unicode calls equivalent: NFC.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The first byte of U+0300 in UTF-8: no character below it composes with its neighbours.
const FIRST_COMPOSING_BYTE: u8 = 0xcc;

/// The text in NFC. Text in Western European letters is only looked through.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    // The greatest byte, and not the first that is too great: many are looked at at once.
    let greatest = text.bytes().fold(0, u8::max);
    if greatest < FIRST_COMPOSING_BYTE || text.chars().all(is_plain) || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// Whether a character is one with which nothing composes: what French is written and set with.
const fn is_plain(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | '\u{2010}'..='\u{205f}' | '€')
}

/// The text in NFD, the form in which some systems hand over what was typed.
#[must_use]
pub fn nfd(text: &str) -> String {
    text.nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_looked_up_is_its_own_normal_form() {
        for c in ('\0'..=char::MAX).filter(|c| is_plain(*c)) {
            for text in [c.to_string(), format!("a{c}"), format!("{c}{c}")] {
                assert!(text.nfc().eq(text.chars()), "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn equivalent_texts_become_one() {
        for (text, normal) in [
            ("créé", "créé"),
            ("cre\u{301}e\u{301}", "créé"),
            ("か\u{3099}", "が"),
            ("\u{212b}", "Å"),
            ("q\u{323}\u{307}", "q\u{323}\u{307}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            ("ﬁ m²", "ﬁ m²"),
        ] {
            assert_eq!(nfc(text), normal);
        }
        assert!(matches!(nfc("L'été à Nîmes"), Cow::Borrowed(_)));
        assert!(matches!(nfc("« L’été » – 12 €…"), Cow::Borrowed(_)));
        assert_eq!(nfd("é"), "e\u{301}");
    }
}
