//! Letters with points between them, as `S.A.R.L.`, `L.O.` and `J.-P.`: people also write and look for them in one piece.
//!
//! What folding leaves out is passed over here as well: a text out of a PDF has hidden places for a line's end in them.

use std::ops::Range;
use std::str::Chars;

use unicode_normalization::char::is_combining_mark;

use crate::model::text::fold::{fold_char, folds_to_nothing};
use crate::model::text::words::bytes;

/// Letters with points between them.
pub(super) struct Initials {
    /// The letters, folded and in one piece: `sarl` for `S.A.R.L.`.
    pub(super) letters: String,
    /// Their bytes in the text, with the points.
    pub(super) at: Range<usize>,
}

/// Where letters have points between them, in order.
pub(super) fn initials(text: &str) -> impl Iterator<Item = Initials> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some((point, after)) = next_point(text, from) {
            let start = text[from..point].char_indices().rev().find(|(_, c)| !folds_to_nothing(*c));
            let start = start.filter(|(_, c)| c.is_alphabetic());
            let found = start.and_then(|(start, _)| initials_at(text, from + start));
            from = found.as_ref().map_or(after, |initials| initials.at.end);
            if found.is_some() {
                return found;
            }
        }
        None
    })
}

/// Where the first point from there on begins and ends.
fn next_point(text: &str, mut from: usize) -> Option<(usize, usize)> {
    loop {
        // What points of ASCII and of another width begin with.
        from += bytes::until(&text[from..], |byte| matches!(byte, b'.' | 0xe2 | 0xef));
        let c = text[from..].chars().next()?;
        let after = from + c.len_utf8();
        if is_point(c) {
            return Some((from, after));
        }
        from = after;
    }
}

/// What stands at `start`, if no word begins or ends there.
fn initials_at(text: &str, start: usize) -> Option<Initials> {
    let mut rest = text[start..].chars();
    let mut letters = String::new();
    let mut end = start;
    let mut count = 0;
    while let Some(letter) = next(&mut rest).filter(|c| c.is_alphabetic()) {
        let mut behind = rest.clone();
        let following = next(&mut behind);
        let is_pointed = following.is_some_and(is_point);
        if !is_pointed && following.is_some_and(is_of_a_word) {
            break;
        }
        fold_char(letter, &mut |c| letters.push(c));
        count += 1;
        if is_pointed {
            rest = behind;
        }
        end = text.len() - rest.as_str().len();
        if !is_pointed {
            break;
        }
        pass_hyphen(&mut rest);
    }
    let before = text[..start].chars().rev().find(|c| !folds_to_nothing(*c));
    (count > 1 && !before.is_some_and(is_of_a_word)).then_some(Initials { letters, at: start..end })
}

/// The next character that counts.
fn next(rest: &mut Chars) -> Option<char> {
    rest.find(|c| !folds_to_nothing(*c))
}

/// Goes behind the hyphen of `J.-P.`, if another pointed letter follows.
fn pass_hyphen(rest: &mut Chars) {
    let mut ahead = rest.clone();
    let mut is_hyphen = false;
    if let Some(c) = next(&mut ahead) {
        fold_char(c, &mut |c| is_hyphen = c == '-');
    }
    let behind = ahead.clone();
    if is_hyphen && next(&mut ahead).is_some_and(char::is_alphabetic) && next(&mut ahead).is_some_and(is_point) {
        *rest = behind;
    }
}

/// A point, in any width.
fn is_point(c: char) -> bool {
    matches!(c, '.' | '\u{2024}' | '\u{fe52}' | '\u{ff0e}')
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}
