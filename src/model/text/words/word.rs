//! A word of a text: what it is and where it stands.

use std::ops::Range;

/// A word and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the folded text.
    pub(super) folded: Range<usize>,
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
