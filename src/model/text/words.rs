//! The words of a text as the full-text index knows them.
//!
//! Words are folded. A word ends where letters meet digits, so that `L132-1`, `L. 132-1` and `L 132-1` are the same three.
//! Where words are written without gaps, each two neighbouring characters are a word, and the last one by itself. Numbers
//! whose digits stand in groups (`12 500`, `06 12 34 56 78`) are known in one piece as well ([`Words::numbers`]), and so are
//! letters with points between them, among their neighbours (`la SARL Delmas`, `LO 111-1`): [`Words::with_initials_joined`].

use std::ops::Range;

use crate::model::text::fold::{fold_char, folds_to_nothing};
use crate::model::text::nfc::nfc;
use crate::model::text::words::initials::{Initials, initials};
use crate::model::text::words::reader::Reader;
use crate::model::text::words::word::{Kind, Word};

mod bytes;
mod initials;
mod reader;
pub mod word;

/// Digits of the longest number that is known in one piece: those of an IBAN.
const DIGITS_MAX: usize = 34;

/// Digits of a French telephone number behind its first zero.
const NATIONAL_DIGITS: usize = 9;

/// Stands in the index between what does not follow each other; no word can be this.
const BREAK: &str = " ‖";

/// Words on each side of initials beside which the index holds them in one piece.
const NEIGHBOURS: usize = 4;

/// The words of a text, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    folded: String,
    words: Vec<Word>,
}

/// A word, or several that are known in one piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Its digits or letters, folded.
    pub folded: String,
    /// The words that are its parts.
    pub words: Range<usize>,
}

impl Words {
    /// Reads a text, which should be in NFC.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self::read_those(text, String::new(), |_| true)
    }

    /// Reads a text, folds it behind what is in `folded`, and remembers the places of some words only.
    fn read_those(text: &str, folded: String, is_kept: fn(Kind) -> bool) -> Self {
        let (folded, words) = Reader::read(text, folded, is_kept);
        Self { folded, words }
    }

    /// The words.
    #[must_use]
    pub fn as_slice(&self) -> &[Word] {
        &self.words
    }

    /// A word as the index holds it.
    #[must_use]
    pub fn folded(&self, word: &Word) -> &str {
        &self.folded[word.folded.clone()]
    }

    /// The words of `text`, which must be the one that was read, as a whole: letters with points between them are one, or
    /// what a text without the points would have there. `None` if there are no such letters.
    #[must_use]
    pub fn with_initials_joined(&self, text: &str) -> Option<Vec<Piece>> {
        let mut found = initials(text).peekable();
        found.peek()?;
        let single = |at: usize| Piece { folded: self.folded(&self.words[at]).to_owned(), words: at..at + 1 };
        let word_at = |byte: usize| self.words.partition_point(|word| word.at.start < byte);
        let mut pieces = Vec::with_capacity(self.words.len());
        let mut next = 0;
        for Initials { letters, at } in found {
            let words = word_at(at.start)..word_at(at.end);
            pieces.extend((next..words.start).map(single));
            next = words.end;
            let joined = Self::read(&letters);
            let piece = |word| Piece { folded: joined.folded(word).to_owned(), words: words.clone() };
            pieces.extend(joined.words.iter().filter(|_| !words.is_empty()).map(piece));
        }
        pieces.extend((next..self.words.len()).map(single));
        Some(pieces)
    }

    /// The numbers whose digits stand in groups, in `text`, which must be the one that was read. A group may belong to
    /// several: `12 500 75001` is `12500` and `1250075001`.
    #[must_use]
    pub fn numbers(&self, text: &str) -> Vec<Piece> {
        let mut numbers = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            if self.words[at].kind != Kind::Digits {
                at += 1;
                continue;
            }
            let gap = self.gap_after(text, at);
            let mut end = at + 1;
            while gap.is_some() && self.gap_after(text, end - 1) == gap {
                end += 1;
            }
            self.read_groups(text, at..end, gap, &mut numbers);
            // The last group may begin another number that is grouped in another way.
            at = if end - at > 1 && self.gap_after(text, end - 1).is_some() { end - 1 } else { end };
        }
        numbers
    }

    /// What stands between two groups of digits, if that is one character that can group them.
    fn gap_after(&self, text: &str, at: usize) -> Option<char> {
        let (word, next) = (self.words.get(at)?, self.words.get(at + 1)?);
        if word.kind != Kind::Digits || next.kind != Kind::Digits {
            return None;
        }
        let between = text.get(word.at.end..next.at.start)?;
        // The area code of a telephone number: `(06) 12 34 56 78`.
        if between == ") " && text[..word.at.start].ends_with('(') && self.folded(word).starts_with('0') {
            return Some(' ');
        }
        let mut between = between.chars().filter(|c| !folds_to_nothing(*c));
        let gap = between.next().filter(|_| between.next().is_none())?;
        if gap.is_whitespace() {
            return (!matches!(gap, '\n' | '\u{2028}' | '\u{2029}')).then_some(' ');
        }
        let mut folded = None;
        fold_char(gap, &mut |c| folded = Some(c));
        folded.filter(|c| matches!(c, '.' | '/' | '\'' | '-'))
    }

    fn read_groups(&self, text: &str, groups: Range<usize>, gap: Option<char>, numbers: &mut Vec<Piece>) {
        let length = |at: usize| self.words[at].folded.len();
        let count = groups.len();
        let total: usize = groups.clone().map(length).sum();
        if total > DIGITS_MAX {
            return;
        }
        // Dashes and strokes also stand between the numbers of an article, a case or a date.
        let is_one = count > 1 && (count > 3 || !matches!(gap, Some('-' | '/')));
        if is_one {
            numbers.push(Piece { folded: self.together(groups.clone()), words: groups.clone() });
        }
        if let Some(digits) = self.national(text, groups.clone()) {
            numbers.push(Piece { folded: digits, words: groups.clone() });
        }
        let mut at = groups.start;
        while at + 1 < groups.end {
            let thousands = (at + 1..groups.end).take_while(|at| length(*at) == 3).count();
            if length(at) <= 3 && thousands > 0 {
                let words = at..at + 1 + thousands;
                if words != groups || !is_one {
                    numbers.push(Piece { folded: self.together(words.clone()), words: words.clone() });
                }
                at = words.end;
            } else {
                at += 1;
            }
        }
    }

    /// A French telephone number as it is dialled within France: `+33 6 12 34 56 78` is `0612345678`.
    fn national(&self, text: &str, groups: Range<usize>) -> Option<String> {
        let length: usize = groups.clone().map(|at| self.words[at].folded.len()).sum();
        if length < NATIONAL_DIGITS {
            return None;
        }
        let before = &text[..self.words[groups.start].at.start];
        let digits = self.together(groups);
        let rest = if before.ends_with('+') {
            digits.strip_prefix("33")?
        } else {
            digits.strip_prefix("0033").or_else(|| before.ends_with("(0)").then_some(digits.as_str()))?
        };
        let rest = rest.strip_prefix('0').unwrap_or(rest);
        (rest.len() == NATIONAL_DIGITS).then(|| format!("0{rest}"))
    }

    fn together(&self, groups: Range<usize>) -> String {
        groups.map(|at| self.folded(&self.words[at])).collect()
    }
}

/// Appends what the index is given for a message: the words of its text, then those of its files' names, and what else each
/// is known by. Words are separated by characters of ASCII that are neither letters nor digits.
pub fn push_index_text<'a>(terms: &mut String, content: &str, file_names: impl IntoIterator<Item = &'a str>) {
    push_words(terms, content);
    for name in file_names {
        terms.push_str(BREAK);
        terms.push(' ');
        push_words(terms, name);
    }
}

fn push_words(terms: &mut String, text: &str) {
    let text = nfc(text);
    let words = Words::read_those(&text, std::mem::take(terms), |kind| kind == Kind::Digits);
    let numbers = words.numbers(&text);
    *terms = words.folded;
    for number in numbers {
        terms.push_str(BREAK);
        terms.push(' ');
        terms.push_str(&number.folded);
    }
    push_initials(terms, &text);
}

/// Letters with points between them in one piece, with the words on both sides of them: so they are found as they stand.
fn push_initials(terms: &mut String, text: &str) {
    if initials(text).next().is_none() {
        return;
    }
    let pieces = Words::read(text).with_initials_joined(text).unwrap_or_default();
    let mut end = 0;
    for (at, _) in pieces.iter().enumerate().filter(|(_, piece)| piece.words.len() > 1) {
        let start = at.saturating_sub(NEIGHBOURS);
        if start > end || end == 0 {
            terms.push_str(BREAK);
        }
        let shown = start.max(end)..(at + 1 + NEIGHBOURS).min(pieces.len()).max(end);
        end = shown.end;
        for piece in &pieces[shown] {
            terms.push(' ');
            terms.push_str(&piece.folded);
        }
    }
}

#[cfg(test)]
mod tests;
