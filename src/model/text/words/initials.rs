//! Letters with points between them, as `S.A.R.L.`, `L.O.` and `J.-P.`: people also write and look for them in one piece.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use crate::model::text::fold::fold_char;

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
        while let Some(point) = text[from..].find('.').map(|at| from + at) {
            let start = text[from..point].char_indices().next_back().filter(|(_, c)| c.is_alphabetic());
            let found = start.and_then(|(start, _)| initials_at(text, from + start));
            from = found.as_ref().map_or(point + 1, |initials| initials.at.end);
            if found.is_some() {
                return found;
            }
        }
        None
    })
}

/// What stands at `start`, if no word begins or ends there.
fn initials_at(text: &str, start: usize) -> Option<Initials> {
    let mut rest = text[start..].chars();
    let mut letters = String::new();
    let mut end = start;
    let mut count = 0;
    while let Some(letter) = rest.next().filter(|c| c.is_alphabetic()) {
        let is_pointed = rest.clone().next() == Some('.');
        if !is_pointed && rest.clone().next().is_some_and(is_of_a_word) {
            break;
        }
        fold_char(letter, &mut |c| letters.push(c));
        count += 1;
        if is_pointed {
            rest.next();
        }
        end = text.len() - rest.as_str().len();
        if !is_pointed {
            break;
        }
        pass_hyphen(&mut rest);
    }
    (count > 1 && !text[..start].ends_with(is_of_a_word)).then_some(Initials { letters, at: start..end })
}

/// Goes behind the hyphen of `J.-P.`, if another pointed letter follows.
fn pass_hyphen(rest: &mut std::str::Chars) {
    let mut ahead = rest.clone();
    let mut is_hyphen = false;
    if let Some(c) = ahead.next() {
        fold_char(c, &mut |c| is_hyphen = c == '-');
    }
    let behind = ahead.clone();
    if is_hyphen && ahead.next().is_some_and(char::is_alphabetic) && ahead.next() == Some('.') {
        *rest = behind;
    }
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}
