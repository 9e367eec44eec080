//! The words of a text as the full-text index knows them.
//!
//! Words are folded. A word ends where letters meet digits, so that `L132-1`, `L. 132-1` and `L 132-1` are the same three.
//! Where words are written without gaps, each two neighbouring characters are a word, and the last one by itself. Numbers
//! whose digits stand in groups (`12 500`, `06 12 34 56 78`) are known in one piece as well, and so are letters with
//! points between them (`S.A.R.L.`, `L.O.`): [`Words::joined`].

use std::ops::Range;

use unicode_normalization::char::{compose, is_combining_mark};

use crate::model::text::fold::{self, fold_char};
use crate::model::text::nfc::nfc;
use crate::model::text::words::initials::{Initials, initials};

mod initials;

/// Digits of the longest number that is known in one piece: those of an IBAN.
const DIGITS_MAX: usize = 34;

/// Stands in the index between what does not follow each other; no word can be this.
const BREAK: &str = " ‖";

/// A word and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// What it is.
    pub kind: Kind,
    folded: Range<usize>,
}

/// What a word consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Letters.
    Letters,
    /// Digits.
    Digits,
    /// Two characters of a script without gaps, the next pair following.
    Pair,
    /// The last character of such a script before something else.
    Last,
}

/// The words of a text, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    folded: String,
    words: Vec<Word>,
}

/// What is known in one piece as well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// Its digits or letters, folded.
    pub folded: String,
    /// The words that are its parts.
    pub words: Range<usize>,
}

impl Words {
    /// Reads a text, which should be in NFC.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self::read_those(text, |_| true)
    }

    /// Reads a text and remembers the places of some words only.
    fn read_those(text: &str, is_kept: fn(Kind) -> bool) -> Self {
        let mut reader =
            Reader { folded: Vec::new(), words: Vec::new(), is_kept, kind: None, at: 0..0, start: 0, run: Vec::new() };
        reader.folded.reserve(text.len() + text.len() / 8);
        let mut end = 0;
        loop {
            end = reader.take_ascii(text.as_bytes(), end);
            let Some(c) = text[end..].chars().next() else { break };
            let start = end;
            end += c.len_utf8();
            fold_char(c, &mut |c| reader.take(c, start..end));
        }
        reader.end_word(0);
        let folded = String::from_utf8(reader.folded).expect("it was put together of characters");
        Self { folded, words: reader.words }
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

    /// The numbers whose digits stand in groups and the letters with points between them, in `text`, which must be the one
    /// that was read, as a whole.
    #[must_use]
    pub fn joined(&self, text: &str) -> Vec<Joined> {
        let word_at = |byte: usize| self.words.partition_point(|word| word.at.start < byte);
        let initials = initials(text)
            .map(|Initials { letters, at }| Joined { folded: letters, words: word_at(at.start)..word_at(at.end) });
        self.numbers(text).into_iter().chain(initials).collect()
    }

    /// The numbers whose digits stand in groups, in `text`, which must be the one that was read. A group may belong to
    /// several: `12 500 75001` is `12500` and `1250075001`.
    fn numbers(&self, text: &str) -> Vec<Joined> {
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
        let mut between = between.chars();
        let gap = between.next().filter(|_| between.next().is_none())?;
        match gap {
            '.' | '/' => Some(gap),
            '\'' | '’' => Some('\''),
            '-' | '‐' | '‑' => Some('-'),
            gap if gap.is_whitespace() && gap != '\n' => Some(' '),
            _ => None,
        }
    }

    fn read_groups(&self, text: &str, groups: Range<usize>, gap: Option<char>, numbers: &mut Vec<Joined>) {
        let length = |at: usize| self.words[at].folded.len();
        let count = groups.len();
        let total: usize = groups.clone().map(length).sum();
        if total > DIGITS_MAX {
            return;
        }
        // Dashes and strokes also stand between the numbers of an article, a case or a date.
        let is_one = count > 1 && (count > 3 || !matches!(gap, Some('-' | '/')));
        if is_one {
            numbers.push(Joined { folded: self.together(groups.clone()), words: groups.clone() });
        }
        if let Some(digits) = self.national(text, groups.clone()) {
            numbers.push(Joined { folded: digits, words: groups.clone() });
        }
        let mut at = groups.start;
        while at + 1 < groups.end {
            let thousands = (at + 1..groups.end).take_while(|at| length(*at) == 3).count();
            if length(at) <= 3 && thousands > 0 {
                let words = at..at + 1 + thousands;
                if words != groups || !is_one {
                    numbers.push(Joined { folded: self.together(words.clone()), words: words.clone() });
                }
                at = words.end;
            } else {
                at += 1;
            }
        }
    }

    /// A French telephone number as it is dialled within France: `+33 6 12 34 56 78` is `0612345678`.
    fn national(&self, text: &str, groups: Range<usize>) -> Option<String> {
        let before = &text[..self.words[groups.start].at.start];
        let digits = self.together(groups);
        let rest = if before.ends_with('+') {
            digits.strip_prefix("33")?
        } else {
            digits.strip_prefix("0033").or_else(|| before.ends_with("(0)").then_some(digits.as_str()))?
        };
        let rest = rest.strip_prefix('0').unwrap_or(rest);
        (rest.len() == 9).then(|| format!("0{rest}"))
    }

    fn together(&self, groups: Range<usize>) -> String {
        groups.map(|at| self.folded(&self.words[at])).collect()
    }
}

/// What the index is given for a message: the words of its text, then those of its files' names, and what else each is
/// known by. Words are separated by characters of ASCII that are neither letters nor digits.
#[must_use]
pub fn index_text<'a>(content: &str, file_names: impl IntoIterator<Item = &'a str>) -> String {
    let content = nfc(content);
    let is_kept = |kind| kind == Kind::Digits;
    let words = Words::read_those(&content, is_kept);
    let numbers = words.numbers(&content);
    let mut all = words.folded;
    append_numbers(&mut all, &numbers);
    append_initials(&mut all, &content);
    for name in file_names {
        let name = nfc(name);
        let words = Words::read_those(&name, is_kept);
        all.push_str(BREAK);
        all.push(' ');
        all.push_str(&words.folded);
        append_numbers(&mut all, &words.numbers(&name));
    }
    all
}

/// With the number behind them, of the article for example: `lo 111-1` for `L.O. 111-1`.
fn append_initials(all: &mut String, content: &str) {
    for Initials { letters, at } in initials(content) {
        let behind = content[at.end..].trim_start();
        let number = behind.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(behind.len());
        all.push_str(BREAK);
        for part in [&letters, &behind[..number]] {
            all.push(' ');
            all.push_str(part);
        }
    }
}

fn append_numbers(all: &mut String, numbers: &[Joined]) {
    for number in numbers {
        all.push_str(BREAK);
        all.push(' ');
        all.push_str(&number.folded);
    }
}

/// Reads a text from its beginning to its end.
struct Reader {
    /// What was read, as UTF-8.
    folded: Vec<u8>,
    words: Vec<Word>,
    /// The words whose places are wanted.
    is_kept: fn(Kind) -> bool,
    /// Of the word that is being read.
    kind: Option<Kind>,
    /// Where it stands.
    at: Range<usize>,
    /// Where its folded text begins.
    start: usize,
    /// Characters of a script without gaps that follow each other.
    run: Vec<(char, Range<usize>)>,
}

/// What a byte of a text is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Letters,
    Digits,
    /// A character of ASCII between words.
    Gap,
    /// A character beyond ASCII.
    Other,
}

impl Part {
    const fn kind(self) -> Option<Kind> {
        match self {
            Self::Letters => Some(Kind::Letters),
            Self::Digits => Some(Kind::Digits),
            Self::Gap | Self::Other => None,
        }
    }
}

/// What each byte is part of: every text that is sent is looked through byte by byte.
const PARTS: [Part; 256] = {
    let mut parts = [Part::Other; 256];
    let mut byte = 0;
    while byte < 128 {
        parts[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Part::Letters,
            b'0'..=b'9' => Part::Digits,
            _ => Part::Gap,
        };
        byte += 1;
    }
    parts
};

impl Reader {
    /// Takes the characters of ASCII that stand at `from`, and tells where they end. They are copied as they stand, gaps too.
    fn take_ascii(&mut self, text: &[u8], from: usize) -> usize {
        let (mut copied, mut at) = (from, from);
        let mut last = None;
        while let Some(byte) = text.get(at) {
            let part = PARTS[usize::from(*byte)];
            if last != Some(part) {
                if part == Part::Other {
                    break;
                }
                if self.turn(part, &text[copied..at], at, at > from) {
                    copied = at;
                }
                last = Some(part);
            }
            at += 1;
        }
        self.copy(&text[copied..at]);
        if at > from {
            self.at.end = at;
        }
        at
    }

    /// Something else begins at `at`. `uncopied` stands before it and is not in `folded` yet; true if it is now.
    fn turn(&mut self, part: Part, uncopied: &[u8], at: usize, is_inside: bool) -> bool {
        let kind = part.kind();
        if is_inside {
            self.at.end = at;
        } else if self.kind == kind {
            return false;
        }
        let was_word = self.kind.is_some();
        self.end_word(uncopied.len());
        // A word needs a gap before it: there is none where letters meet digits, or after one that folded to nothing.
        let meets = kind.is_some() && if uncopied.is_empty() { self.ends_in_a_word() } else { was_word };
        self.kind = kind;
        self.at = at..at;
        if meets {
            self.copy(uncopied);
            self.folded.push(b' ');
            self.start = self.folded.len();
        } else {
            self.start = self.folded.len() + uncopied.len();
        }
        meets
    }

    fn copy(&mut self, text: &[u8]) {
        let start = self.folded.len();
        self.folded.extend_from_slice(text);
        self.folded[start..].make_ascii_lowercase();
    }

    fn ends_in_a_word(&self) -> bool {
        self.folded.last().is_some_and(|byte| PARTS[usize::from(*byte)] != Part::Gap)
    }

    /// Takes a character that is folded.
    fn take(&mut self, c: char, at: Range<usize>) {
        let kind = match c {
            'a'..='z' => Kind::Letters,
            '0'..='9' => Kind::Digits,
            c if c.is_ascii() => return self.end_word(0),
            c if fold::is_joined_to_the_last(c) => return self.join(c, at),
            c if fold::has_no_gaps(c) => Kind::Pair,
            c if c.is_alphanumeric() || is_combining_mark(c) => Kind::Letters,
            _ => return self.end_word(0),
        };
        self.begin(kind, &at);
        self.at.end = at.end;
        if kind == Kind::Pair {
            self.run.push((c, at));
        } else {
            self.push(c);
        }
    }

    /// Begins another word, unless the one that is being read is of this kind too.
    fn begin(&mut self, kind: Kind, at: &Range<usize>) {
        if self.kind != Some(kind) {
            self.end_word(0);
            self.kind = Some(kind);
            self.at = at.clone();
            if kind != Kind::Pair {
                self.open();
            }
        }
    }

    /// The sound mark of the kana before it.
    fn join(&mut self, mark: char, at: Range<usize>) {
        if let Some(last) = self.run.last_mut()
            && let Some(both) = compose(last.0, mark)
        {
            *last = (both, last.1.start..at.end);
            self.at.end = at.end;
        }
    }

    /// `uncopied` bytes of the text that belong before this are not in `folded` yet.
    fn end_word(&mut self, uncopied: usize) {
        match self.kind.take() {
            None => {}
            Some(Kind::Pair) => self.end_run(),
            Some(kind) => self.add(kind, self.at.clone(), uncopied),
        }
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        for pair in run.windows(2) {
            self.open();
            self.push(pair[0].0);
            self.push(pair[1].0);
            self.add(Kind::Pair, pair[0].1.start..pair[1].1.end, 0);
        }
        if let Some((last, at)) = run.last() {
            self.open();
            self.push(*last);
            self.add(Kind::Last, at.clone(), 0);
        }
    }

    /// Begins another word.
    fn open(&mut self) {
        if self.ends_in_a_word() {
            self.folded.push(b' ');
        }
        self.start = self.folded.len();
    }

    fn push(&mut self, c: char) {
        self.folded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn add(&mut self, kind: Kind, at: Range<usize>, uncopied: usize) {
        if (self.is_kept)(kind) {
            self.words.push(Word { at, kind, folded: self.start..self.folded.len() + uncopied });
        }
    }
}

#[cfg(test)]
mod tests;
