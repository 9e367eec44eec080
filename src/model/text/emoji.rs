//! One emoji: what is one, and which ones look the same.
//!
//! Sequences are judged by their grammar (Unicode Technical Standard 51) and not by a list of those that are known today:
//! next year's phones send emoji that no list of this year has.

/// The longest sequences (families, flags of regions) are well below this many bytes.
const BYTES_MAX: usize = 64;

const JOINER: char = '\u{200d}';

/// Whether the text is exactly one emoji.
#[must_use]
pub fn is_emoji(text: &str) -> bool {
    if text.len() > BYTES_MAX {
        return false;
    }
    let mut rest = text.chars();
    match rest.next() {
        // Keycaps: a digit, perhaps asked to look like an emoji, in a key.
        Some('0'..='9' | '#' | '*') => matches!(rest.as_str(), "\u{20e3}" | "\u{fe0f}\u{20e3}"),
        // Flags of countries are two letters.
        Some(first) if is_flag_letter(first) => rest.next().is_some_and(is_flag_letter) && rest.next().is_none(),
        Some('🏴') if rest.as_str().starts_with(is_tag) => is_region(rest.as_str()),
        Some(_) => text.split(JOINER).all(is_element),
        None => false,
    }
}

/// What is the same for all spellings of one look: selectors of a variation and joiners that join nothing fall away.
#[must_use]
pub fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_selector(*c)) {
        if c != JOINER || key.chars().next_back().is_some_and(is_pictograph) {
            key.push(c);
        }
    }
    key.truncate(key.trim_end_matches(JOINER).len());
    key
}

/// Whether two texts are one emoji to whoever looks at them.
#[must_use]
pub fn look_alike(one: &str, other: &str) -> bool {
    one == other || key(one) == key(other)
}

/// A character that stands for a picture by itself.
#[must_use]
pub fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21aa}'
        | '\u{231a}'..='\u{23ff}'
        | '\u{24c2}'
        | '\u{25aa}'..='\u{25fe}'
        | '\u{2600}'..='\u{27bf}'
        | '\u{2934}' | '\u{2935}'
        | '\u{2b05}'..='\u{2b55}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f004}'..='\u{1f1e5}'
        | '\u{1f200}'..='\u{1faff}')
}

/// Asks for the look of an emoji or of a text.
pub(in crate::model) fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// A picture, perhaps with a selector, perhaps in a tone of skin.
fn is_element(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let rest = chars.as_str();
    let rest = rest.strip_prefix(is_selector).unwrap_or(rest);
    let rest = if is_skin_tone(first) { rest } else { rest.strip_prefix(is_skin_tone).unwrap_or(rest) };
    is_pictograph(first) && rest.is_empty()
}

/// The tags of a region behind a black flag, with the one that ends them.
fn is_region(tags: &str) -> bool {
    tags.strip_suffix('\u{e007f}').is_some_and(|tags| !tags.is_empty() && tags.chars().all(is_tag))
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}')
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_one_picture_whatever_it_is_made_of() {
        for emoji in [
            "👍",
            "👍🏽",
            "❤️",
            "❤",
            "👨‍👩‍👧‍👦",
            "🇫🇷",
            "1️⃣",
            "#️⃣",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
            "©️",
            "🫶",
            "☕",
            "⚖️",
            "✅",
            "🏳️‍🌈",
            "🏴‍☠️",
            "🏴",
            "👩🏾‍⚖️",
            "🏽",
            "🕵🏽‍♀️",
            "👁️‍🗨️",
        ] {
            assert!(is_emoji(emoji), "{emoji}");
        }
    }

    #[test]
    fn what_only_looks_like_one_or_like_none_is_none() {
        for other in [
            "",
            "a",
            "1",
            "👍👍",
            "👍 ",
            "ok",
            "é",
            "🇫",
            "<",
            "中",
            "\u{200d}",
            "\u{fe0f}",
            "👍a",
            "\0",
            "🇫🇷🇩🇪",
            "👍\u{200d}",
            "\u{200d}👍",
            "👍\u{fe0f}\u{fe0f}",
            "👨\u{200d}\u{200d}👩",
            "👍\u{e0067}\u{e007f}",
            "🏴\u{e0067}\u{e0062}",
            "🏴\u{e007f}",
            "👍\u{20e3}",
            "👍🏽🏽",
            "👍\u{301}",
            "🇫🇷\u{fe0f}",
        ] {
            assert!(!is_emoji(other), "{other:?}");
        }
        assert!(!is_emoji(&"👨\u{200d}".repeat(40)));
    }

    #[test]
    fn what_looks_alike_has_one_key() {
        for (one, other) in [
            ("👍", "👍\u{fe0f}"),
            ("❤", "❤️"),
            ("👍", "👍\u{200d}"),
            ("🏳️‍🌈", "🏳‍🌈"),
            ("1️⃣", "1\u{20e3}"),
            ("👍", "👍\u{fe0e}"),
        ] {
            assert!(look_alike(one, other), "{one:?} {other:?}");
        }
        for (one, other) in [("👍", "👍🏽"), ("👨‍👩‍👧", "👨‍👩‍👦"), ("🏴", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"), ("🇫🇷", "🇩🇪"), ("👩‍⚖️", "👩")]
        {
            assert!(!look_alike(one, other), "{one:?} {other:?}");
        }
    }
}
