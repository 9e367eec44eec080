//! Reading a text once, from its beginning to its end, and folding its words on the way: every text that is sent comes
//! through here. It knows nothing of what is made of the words.

use std::ops::Range;

use unicode_normalization::char::{compose, is_combining_mark};

use crate::model::text::fold::{self, fold_char};
use crate::model::text::words::bytes;
use crate::model::text::words::word::{Kind, Word};

/// Reads a text from its beginning to its end.
pub(super) struct Reader {
    /// What was read.
    folded: String,
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

/// How much of the beginning of a text is letters and gaps of ASCII.
fn letters(text: &str) -> usize {
    bytes::until(text, |byte| !byte.is_ascii() | byte.is_ascii_digit())
}

/// How much of the beginning of a text is digits.
fn digits(text: &str) -> usize {
    text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

impl Reader {
    /// The folded text, behind what is in `folded`, and the words of it that are to be kept.
    pub(super) fn read(text: &str, mut folded: String, is_kept: fn(Kind) -> bool) -> (String, Vec<Word>) {
        folded.reserve(text.len() + text.len() / 8);
        let mut reader = Self { folded, words: Vec::new(), is_kept, kind: None, at: 0..0, start: 0, run: Vec::new() };
        let mut end = 0;
        loop {
            end = reader.take_ascii(text, end);
            let Some(c) = text[end..].chars().next() else { break };
            let start = end;
            end += c.len_utf8();
            let mut is_nothing = true;
            fold_char(c, &mut |c| {
                is_nothing = false;
                reader.take(c, start..end);
            });
            if is_nothing {
                reader.stretch(end);
            }
        }
        reader.end_word(0);
        (reader.folded, reader.words)
    }

    /// Takes the characters of ASCII that stand at `from`, and tells where they end. They are copied as they stand, gaps too.
    fn take_ascii(&mut self, text: &str, from: usize) -> usize {
        if (self.is_kept)(Kind::Letters) {
            return self.take_words(text, from);
        }
        let mut end = from;
        loop {
            let start = end;
            end += letters(&text[end..]);
            self.take_letters(&text[start..end]);
            let start = end;
            end += digits(&text[end..]);
            if end == start {
                return end;
            }
            self.take_words(&text[..end], start);
        }
    }

    /// Takes letters and gaps of ASCII, where nobody wants to know where which word stands.
    fn take_letters(&mut self, run: &str) {
        let kind_of = |byte: &u8| PARTS[usize::from(*byte)].kind();
        let bytes = run.as_bytes();
        let (Some(first), Some(last)) = (bytes.first().map(kind_of), bytes.last().map(kind_of)) else { return };
        if first.is_none() || first != self.kind {
            self.end_word(0);
            if first.is_some() {
                self.open();
            }
        }
        self.copy(run);
        self.kind = last;
    }

    /// Takes the characters of ASCII that stand at `from`, word by word, and tells where they end.
    fn take_words(&mut self, text: &str, from: usize) -> usize {
        let (mut copied, mut at) = (from, from);
        let mut last = None;
        while let Some(byte) = text.as_bytes().get(at) {
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
    fn turn(&mut self, part: Part, uncopied: &str, at: usize, is_inside: bool) -> bool {
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
            self.folded.push(' ');
            self.start = self.folded.len();
        } else {
            self.start = self.folded.len() + uncopied.len();
        }
        meets
    }

    fn copy(&mut self, text: &str) {
        let start = self.folded.len();
        self.folded.push_str(text);
        self.folded[start..].make_ascii_lowercase();
    }

    fn ends_in_a_word(&self) -> bool {
        self.folded.as_bytes().last().is_some_and(|byte| PARTS[usize::from(*byte)] != Part::Gap)
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

    /// A mark that does not count, or something that nobody sees: it stands where the word before it does.
    fn stretch(&mut self, end: usize) {
        if self.kind.is_some() {
            self.at.end = end;
        }
        if let Some((_, last)) = self.run.last_mut() {
            last.end = end;
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
            self.folded.push(' ');
        }
        self.start = self.folded.len();
    }

    fn push(&mut self, c: char) {
        self.folded.push(c);
    }

    fn add(&mut self, kind: Kind, at: Range<usize>, uncopied: usize) {
        if (self.is_kept)(kind) {
            self.words.push(Word { at, kind, folded: self.start..self.folded.len() + uncopied });
        }
    }
}
