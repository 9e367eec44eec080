//! What of a text can be seen.
//!
//! Two addresses or names that look alike but differ by what nobody sees would pass for one another, and a message of
//! such characters alone would be an empty one.

use unicode_normalization::char::is_combining_mark;

/// Characters that may be drawn as one: twice those of a family. A text can put any number of marks on a letter.
const DRAWN_AS_ONE_MAX: usize = 32;

/// A character that shows nothing by itself: controls, zero-width characters, changes of the writing direction,
/// variation selectors, tags, letters that are drawn as blanks. Spaces and line ends do not count.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && !c.is_ascii_whitespace() && c != '\u{b}';
    }
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}'
            | '\u{fffe}' | '\u{ffff}' | '\u{13430}'..='\u{1343f}' | '\u{13441}' | '\u{13442}' | '\u{16fe4}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether anything of the text can be seen: marks need a letter to stand on.
#[must_use]
pub fn has_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_hidden(c) && (c.is_ascii() || !is_combining_mark(c)))
}

/// The text without the blanks around it, and without the marks that pages and address books put around what is copied.
#[must_use]
pub fn trim(text: &str) -> &str {
    let is_around = |c| {
        matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202d}' | '\u{2060}' | '\u{feff}'
            | '\u{2066}'..='\u{2069}')
    };
    text.trim_matches(|c: char| c.is_whitespace() || is_around(c))
}

/// Whether a hidden character is somewhere in the text. Joiners within a word of a script whose letters join are part
/// of how it is written.
#[must_use]
pub fn has_hidden(text: &str) -> bool {
    let mut before = '\0';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_spelling = is_joiner(c) && joins(before) && chars.peek().is_some_and(|after| joins(*after));
        if is_hidden(c) && !is_spelling {
            return true;
        }
        before = c;
    }
    false
}

/// A place at `at` or shortly before it where the text can be cut: what is drawn as one stays in one piece.
#[must_use]
pub fn cut_before(text: &str, at: usize) -> usize {
    let places = text[..at].char_indices().rev().map(|(at, _)| at).take(DRAWN_AS_ONE_MAX);
    std::iter::once(at).chain(places).find(|at| !is_within(text, *at)).unwrap_or(at)
}

/// Whether what stands before a place and what stands behind it are drawn as one.
fn is_within(text: &str, at: usize) -> bool {
    let (Some(before), Some(behind)) = (text[..at].chars().next_back(), text[at..].chars().next()) else {
        return false;
    };
    let is_flag_letter = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    let flag_letters = || text[..at].chars().rev().take_while(|c| is_flag_letter(*c)).count();
    before == '\u{200d}'
        || is_combining_mark(behind)
        || is_hidden(behind)
        || matches!(behind, '\u{1f3fb}'..='\u{1f3ff}')
        || (is_flag_letter(behind) && flag_letters() % 2 == 1)
}

/// Zero-width joiner and non-joiner.
pub(in crate::model) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Letters and marks of the scripts from Arabic to Sinhala, whose spelling knows joiners.
pub(in crate::model) fn joins(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{dff}') && !is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_as_one_is_not_cut() {
        for one in ["👨\u{200d}👩\u{200d}👧", "👍🏽", "🇫🇷", "q\u{303}\u{323}", "1\u{fe0f}\u{20e3}", "a", "क\u{93f}"]
        {
            let text = one.repeat(3);
            for (at, _) in text.char_indices() {
                assert_eq!(cut_before(&text, at), at - at % one.len(), "{one} at {at}");
            }
        }
        let marked = format!("q{}", "\u{303}".repeat(100));
        assert_eq!(cut_before(&marked, marked.len() - 2), marked.len() - 2, "too many marks");
    }

    /// One of each kind of what nobody sees.
    pub(in crate::model) const HIDDEN: [char; 31] = [
        '\0',
        '\u{7}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{17b5}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe00}',
        '\u{fe0e}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{13430}',
        '\u{13441}',
        '\u{16fe4}',
        '\u{1d159}',
        '\u{e0001}',
        '\u{e0100}',
    ];

    #[test]
    fn what_shows_nothing_is_nothing() {
        for c in HIDDEN {
            assert!(is_hidden(c), "{c:?}");
            assert!(!has_visible(&format!(" {c}\n{c}")), "{c:?}");
            assert!(has_hidden(&format!("a{c}b")), "{c:?}");
        }
        assert_eq!(trim("\u{feff}\u{202a} \ta b\u{a0}\u{202c}\u{200b}"), "a b");
        assert_eq!(trim("\u{202d}\u{2068}a b\u{2069}\u{202c}"), "a b");
        assert_eq!(trim("\u{3164}a\u{202e}"), "\u{3164}a\u{202e}");
        for nothing in ["", " \n\t\u{3000}", "\u{301}", "\u{301}\u{302} \u{20dd}", "\u{feff}\u{301}"] {
            assert!(!has_visible(nothing), "{nothing:?}");
        }
    }

    #[test]
    fn what_is_written_is_seen() {
        for text in ["a", "é", "e\u{301}", "👍", "❤\u{fe0f}", ".", "中", "نام", "\u{200b}x"] {
            assert!(has_visible(text), "{text:?}");
        }
        for text in ["a b\n", "علی\u{200c}رضا", "क\u{94d}\u{200d}ष"] {
            assert!(!has_hidden(text), "{text:?}");
        }
        assert!(has_hidden("a\u{200c}b"));
        assert!(has_hidden("علی\u{200c}"));
    }
}
