//! What is looked for: terms of folded words, as the index is asked for them and as they are read in a message's words.
//!
//! No character of what people type is ever an operator: words leave here in quotes.

use std::cmp::Reverse;

/// Letters of the longest beginning of words that has an index of its own: `prefix` of `message_words` in the schema.
pub(super) const INDEXED_START: usize = 3;

/// Terms that the index looks for at once before the messages themselves are read.
const QUICK_TERMS: usize = 5;

/// Words of a phrase that the index looks for; those behind them are read in the messages. It reads all places of each word.
const QUICK_WORDS: usize = 5;

/// Words that follow each other, as `model::text::words` folds them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phrase {
    /// The words, with single spaces between them.
    pub words: String,
    /// Whether the last word may go on.
    pub is_prefix: bool,
}

/// Something looked for, in its spellings: all phrases of one of them must be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// The spellings; never empty, nor is one of them.
    pub any: Vec<Vec<Phrase>>,
}

/// Terms that are in every message in which these are, and in some others, and that the index finds without reading long
/// lists first; nothing where it finds these so.
pub(super) fn widened(terms: &[Term]) -> Option<Vec<Term>> {
    if terms.len() <= QUICK_TERMS && !terms.iter().any(has_long_start) {
        return None;
    }
    // What is longer is rarer.
    let length = |term: &&Term| term.any.iter().flatten().map(|phrase| phrase.words.len()).min();
    let mut kept: Vec<&Term> = terms.iter().collect();
    kept.sort_by_key(|term| Reverse(length(term)));
    kept.truncate(QUICK_TERMS);
    let wider = |term: &Term| Term {
        any: term.any.iter().map(|spelling| spelling.iter().flat_map(shortened).collect()).collect(),
    };
    Some(kept.into_iter().map(wider).collect())
}

/// Terms that are in every message in which these are, and in few others, without the ends of long phrases; nothing where no
/// phrase is long.
pub(super) fn cut(terms: &[Term]) -> Option<Vec<Term>> {
    let end = |phrase: &Phrase| phrase.words.match_indices(' ').nth(QUICK_WORDS - 1).map(|(end, _)| end);
    let is_long = |term: &Term| term.any.iter().flatten().any(|phrase| end(phrase).is_some());
    let begun = |phrase: &Phrase| match end(phrase) {
        Some(end) => Phrase { words: phrase.words[..end].to_owned(), is_prefix: false },
        None => phrase.clone(),
    };
    let spelling = |phrases: &Vec<Phrase>| phrases.iter().map(begun).collect();
    let begins = |term: &Term| Term { any: term.any.iter().map(spelling).collect() };
    terms.iter().any(is_long).then(|| terms.iter().map(begins).collect())
}

/// Whether one of its spellings ends in a beginning of words that has no index of its own.
pub(super) fn has_long_start(term: &Term) -> bool {
    let is_long = |phrase: &Phrase| phrase.is_prefix && last_word(phrase).chars().nth(INDEXED_START).is_some();
    term.any.iter().flatten().any(is_long)
}

fn last_word(phrase: &Phrase) -> &str {
    phrase.words.rsplit(' ').next().unwrap_or_default()
}

/// A phrase whose last word may go on, as the words before it and the beginning that has an index; any other as it is.
fn shortened(phrase: &Phrase) -> Vec<Phrase> {
    let last = last_word(phrase);
    let Some((end, _)) = last.char_indices().nth(INDEXED_START).filter(|_| phrase.is_prefix) else {
        return vec![phrase.clone()];
    };
    let before = phrase.words[..phrase.words.len() - last.len()].trim_end().to_owned();
    let start = Phrase { words: last[..end].to_owned(), is_prefix: true };
    let before = Phrase { words: before, is_prefix: false };
    [before, start].into_iter().filter(|phrase| !phrase.words.is_empty()).collect()
}

/// What is looked for in the words of a message, with the spaces around it: all terms, in one spelling each, of which all
/// phrases must be there.
pub(super) struct Needles(Vec<Vec<Vec<String>>>);

impl Needles {
    pub(super) fn of(terms: &[Term]) -> Self {
        let needle = |phrase: &Phrase| format!(" {}{}", phrase.words, if phrase.is_prefix { "" } else { " " });
        let spelling = |phrases: &Vec<Phrase>| phrases.iter().map(needle).collect();
        Self(terms.iter().map(|term| term.any.iter().map(spelling).collect()).collect())
    }

    /// Whether the index would find a message with these words, as `model::text::words` gives them to it.
    pub(super) fn all_in(&self, text: &str) -> bool {
        let is_gap = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
        let mut words = String::with_capacity(text.len() + 2);
        for word in text.split(is_gap).filter(|word| !word.is_empty()) {
            words.push(' ');
            words.push_str(word);
        }
        words.push(' ');
        self.0.iter().all(|any| any.iter().any(|all| all.iter().all(|needle| words.contains(needle.as_str()))))
    }
}

/// A term in the query language of the index.
pub(super) fn quoted(term: &Term) -> String {
    let phrase = |phrase: &Phrase| {
        let more = if phrase.is_prefix { " *" } else { "" };
        format!("\"{}\"{more}", phrase.words.replace('"', "\"\""))
    };
    let spelling =
        |phrases: &Vec<Phrase>| format!("({})", phrases.iter().map(phrase).collect::<Vec<_>>().join(" AND "));
    format!("({})", term.any.iter().map(spelling).collect::<Vec<_>>().join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(words: &str) -> Phrase {
        Phrase { words: words.to_owned(), is_prefix: true }
    }

    fn word(words: &str) -> Phrase {
        Phrase { words: words.to_owned(), is_prefix: false }
    }

    #[test]
    fn what_is_read_first_is_wider_and_quickly_found() {
        let short = |terms: &[Term]| {
            let phrase = |phrase: &Phrase| format!("{}{}", phrase.words, if phrase.is_prefix { "*" } else { "" });
            let spelling = |phrases: &Vec<Phrase>| phrases.iter().map(phrase).collect::<Vec<_>>().join("&");
            let term = |term: &Term| term.any.iter().map(spelling).collect::<Vec<_>>().join("|");
            terms.iter().map(term).collect::<Vec<_>>()
        };
        let term = |spellings: &[&[Phrase]]| Term { any: spellings.iter().map(|all| all.to_vec()).collect() };
        let single = |phrase: Phrase| term(&[&[phrase]]);
        for (terms, wider) in [
            (vec![single(word("contrat"))], None),
            (vec![single(prefix("con"))], None),
            (vec![single(prefix("été"))], None),
            (vec![single(prefix("法"))], None),
            (vec![single(prefix("étés"))], Some(vec!["été*"])),
            (vec![term(&[&[prefix("bail")], &[word("baux")]])], Some(vec!["bai*|baux"])),
            (vec![single(word("vu")), single(prefix("l 132 12345"))], Some(vec!["l 132&123*", "vu"])),
            (vec![term(&[&[word("12"), prefix("5000")]])], Some(vec!["12&500*"])),
            (
                ["un", "trois", "deux", "quatre", "cinq", "six"].map(|one| single(word(one))).to_vec(),
                Some(vec!["quatre", "trois", "deux", "cinq", "six"]),
            ),
        ] {
            assert_eq!(
                widened(&terms).as_deref().map(short),
                wider.map(|all| all.into_iter().map(str::to_owned).collect())
            );
        }
    }

    #[test]
    fn of_long_phrases_the_index_is_asked_for_the_first_words() {
        let term = |any: &[Phrase]| Term { any: any.iter().map(|phrase| vec![phrase.clone()]).collect() };
        assert_eq!(cut(&[term(&[prefix("un deux trois quatre cinq")])]), None);
        let long = [term(&[prefix("un deux trois quatre cinq s"), prefix("un d")]), term(&[word("sept")])];
        let begun = [term(&[word("un deux trois quatre cinq"), prefix("un d")]), term(&[word("sept")])];
        assert_eq!(cut(&long), Some(begun.to_vec()));
    }
}
