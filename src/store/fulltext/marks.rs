//! What the full-text index holds of a message beside its words: whose it is, whether it has a file, and in which range of
//! ids it is.
//!
//! These are terms like its words, and stand before them. They consist of characters for private use, which are in no
//! word: nobody can look for them by typing. Nearly each is one character, for which there is no index of beginnings.

use crate::model::id::{MessageId, UserId};

/// Stands in the index for a message with a file.
pub const HAS_FILE: char = '\u{e000}';

/// Ids in a range.
pub const RANGE_IDS: i64 = 1 << 15;

/// Each of the planes 15 and 16 is for private use.
const PLANE: i64 = 1 << 16;

/// The first term of a range; the plane over, they are used anew.
const FIRST_RANGE: i64 = 15 * PLANE;

/// The digits of a member's id, as a number to the base of a plane.
const FIRST_DIGIT: i64 = 16 * PLANE;

/// The term of a member, the least digit first: one character up to id 65 535.
pub fn member(id: UserId) -> impl Iterator<Item = char> {
    let mut rest = Some(id.as_i64());
    std::iter::from_fn(move || {
        let number = rest?;
        rest = Some(number / PLANE).filter(|rest| *rest > 0);
        Some(character(FIRST_DIGIT + number % PLANE))
    })
}

/// The term of a range, by its number.
#[must_use]
pub fn range(number: i64) -> char {
    character(FIRST_RANGE + number % PLANE)
}

/// All marks of a message, each with a space behind it.
pub fn push(terms: &mut String, id: MessageId, members: impl Iterator<Item = UserId>, has_file: bool) {
    for member_id in members {
        member(member_id).for_each(|digit| terms.push(digit));
        terms.push(' ');
    }
    if has_file {
        terms.push(HAS_FILE);
        terms.push(' ');
    }
    terms.push(range(id.as_i64() / RANGE_IDS));
    terms.push(' ');
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).expect("all of these planes are characters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::words::push_index_text;

    fn term(id: i64) -> String {
        member(UserId::new(id).unwrap()).collect()
    }

    #[test]
    fn each_member_has_a_term_of_their_own() {
        assert_eq!(term(6), "\u{100006}");
        assert_eq!(term(65_535), "\u{10ffff}");
        assert_eq!(term(65_536), "\u{100000}\u{100001}");
        assert_eq!(term((1 << 53) - 1).chars().count(), 4);
        let few: std::collections::HashSet<String> = (1..200_000).map(term).collect();
        assert_eq!(few.len(), 199_999);
    }

    #[test]
    fn no_mark_is_in_a_word() {
        for mark in ["\u{e000}", "\u{f0000}", "\u{fffff}", "\u{100006}", "\u{10ffff}"] {
            let mut terms = String::new();
            push_index_text(&mut terms, &format!("a{mark}b {mark}"), []);
            assert_eq!(terms.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
        }
    }

    #[test]
    fn a_message_begins_with_its_marks() {
        let mut terms = String::new();
        let members = [1, 6].into_iter().filter_map(UserId::new);
        push(&mut terms, MessageId::new(40_000).unwrap(), members, true);
        assert_eq!(terms, "\u{100001} \u{100006} \u{e000} \u{f0001} ");
    }
}
