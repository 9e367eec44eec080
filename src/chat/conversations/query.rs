//! What somebody types to look for, taken apart into terms.
//!
//! All words must be there; the last one also finds what begins with it, its ending aside (`résilie` finds
//! `Résiliation`); "quotes" of any kind hold words together; -minus leaves out. French elisions are looked through:
//! `l'avocat` finds `avocat`. A word is found in the singular and the plural, a number with and without gaps between its
//! digits, initials with and without points.

use std::ops::Range;

use crate::model::text::fold::{self, fold};
use crate::model::text::nfc::nfc;
use crate::model::text::words::Words;
use crate::model::text::words::word::{Kind, Word};
use crate::store::search::{Phrase, Term};

/// Words of a query that count; what comes after them is not looked for.
const WORDS_MAX: usize = 32;

/// Spellings of one term.
const SPELLINGS_MAX: usize = 8;

/// What stands before an apostrophe without being a word of its own.
const ELIDED: [&str; 14] =
    ["l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu"];

/// What French words end in when only their form changes; the longest first.
const ENDINGS: [&str; 7] = ["ees", "ee", "es", "er", "ez", "e", "s"];

/// Letters that a word keeps when its ending is cut off.
const STEM_MIN: usize = 5;

/// Letters of the shortest word that has a plural of its own.
const SINGULAR_MIN: usize = 3;

/// Digits from which on a number may be written in groups.
const GROUPED_DIGITS_MIN: usize = 4;

/// A query, taken apart.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// All of these must be there.
    pub all: Vec<Term>,
    /// None of these may be there.
    pub none: Vec<Term>,
}

/// A part of a query.
#[derive(Debug)]
struct Part {
    at: Range<usize>,
    is_phrase: bool,
    is_unwanted: bool,
    is_last: bool,
}

impl Terms {
    /// Reads a query.
    #[must_use]
    pub fn read(query: &str) -> Self {
        let query = nfc(query);
        let mut terms = Self::default();
        let mut room = WORDS_MAX;
        for part in parts(&query) {
            let mut left = room;
            let Some(term) = term(&query[part.at.clone()], &part, &mut left) else { continue };
            let terms = if part.is_unwanted { &mut terms.none } else { &mut terms.all };
            if !terms.contains(&term) {
                room = left;
                terms.push(term);
            }
        }
        terms
    }
}

/// Words and phrases, in order. Groups of digits that stand behind each other are one part.
fn parts(query: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while let Some(start) = query[at..].find(|c: char| !c.is_whitespace()).map(|gap| at + gap) {
        let is_unwanted = query[start..].starts_with('-');
        let start = start + usize::from(is_unwanted);
        let quoted = quoted(query, start);
        let is_phrase = quoted.is_some();
        let (inner, after) = quoted.unwrap_or_else(|| {
            let end = |c: char| c.is_whitespace() || is_quote(c);
            let end = query[start..].find(end).map_or(query.len(), |end| start + end);
            (start..end, end)
        });
        at = after;
        let part = Part { at: inner, is_phrase, is_unwanted, is_last: false };
        match parts.last_mut() {
            Some(before) if continues(query, before, &part) => before.at.end = part.at.end,
            _ => parts.push(part),
        }
    }
    if let Some(last) = parts.last_mut() {
        last.is_last = !last.is_phrase && !last.is_unwanted;
    }
    parts
}

/// What stands in quotes at `start`, and where these end. Single ones are apostrophes as well, so both must be there.
fn quoted(query: &str, start: usize) -> Option<(Range<usize>, usize)> {
    let quote = query[start..].chars().next()?;
    let inner = start + quote.len_utf8();
    if is_quote(quote) {
        let end = query[inner..].find(is_quote).map_or(query.len(), |end| inner + end);
        return Some((inner..end, end + query[end..].chars().next().map_or(0, char::len_utf8)));
    }
    let mut singles =
        query[inner..].match_indices(['‘', '’']).map(|(at, quote)| (inner + at, inner + at + quote.len()));
    let (end, after) = singles.find(|(_, after)| !query[*after..].starts_with(char::is_alphanumeric))?;
    matches!(quote, '‘' | '‚').then_some((inner..end, after))
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '‹' | '›' | '″' | '＂' | '❝' | '❞' | '「'..='』' | '〝'..='〟')
}

/// Whether a group of digits stands behind others, one gap apart. Before the first one may stand the country of an IBAN,
/// behind the last one decimals and a currency.
fn continues(query: &str, before: &Part, part: &Part) -> bool {
    let is_plain = |part: &Part| !part.is_phrase && !part.is_unwanted;
    let before_it = without_country(query[before.at.clone()].trim_start_matches('+'));
    let is_digit = |c: char| fold::digit(c).is_some();
    let is_group = |c: char| is_digit(c) || c.is_whitespace();
    let ending = query[part.at.clone()].trim_start_matches(is_digit);
    let ending = ending.strip_prefix([',', '.']).unwrap_or(ending).trim_start_matches(is_digit);
    is_plain(before)
        && is_plain(part)
        && before_it.starts_with(is_digit)
        && before_it.chars().all(is_group)
        && query[part.at.clone()].starts_with(is_digit)
        && !ending.contains(char::is_alphanumeric)
        && query[before.at.end..part.at.start].chars().count() == 1
}

/// `76 3000` for `FR76 3000`.
fn without_country(iban: &str) -> &str {
    let digits = iban.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if iban.len() - digits.len() == 2 { digits } else { iban }
}

/// What a part of a query looks for; nothing if it has no words.
fn term(text: &str, part: &Part, room: &mut usize) -> Option<Term> {
    let words = Words::read(text);
    let all = words.as_slice();
    let skipped = usize::from(!part.is_phrase && is_elided(text, &words));
    // The last character of a run only matters if something follows it.
    let is_tail = all.len() > 1 && all[all.len() - 1].kind == Kind::Last && all[all.len() - 2].kind == Kind::Pair;
    let end = (all.len() - usize::from(is_tail)).min(skipped + *room);
    if skipped >= end {
        return None;
    }
    let asked = skipped..end;
    *room -= asked.len();
    let last = &all[end - 1];
    // One character of a script without gaps is found wherever it stands, a longer run as it is.
    let goes_on = last.kind == Kind::Last
        || (part.is_last && last.kind != Kind::Pair && has_letters(&words, &all[asked.clone()]));
    let any = if asked.len() == 1 && last.kind == Kind::Letters {
        forms(words.folded(last), goes_on)
    } else {
        let mut any = Vec::new();
        let is_grouped = asked.len() > 1 && !part.is_phrase && text.contains(char::is_whitespace);
        if is_grouped {
            any.push(asked.clone().map(|at| phrase(&words, at..at + 1, goes_on && at + 1 == end)).collect());
        } else {
            any.push(vec![phrase(&words, asked.clone(), goes_on)]);
        }
        initials(text, &words, &asked, goes_on, &mut any);
        numbers(text, &words, &asked, goes_on, &mut any);
        if !part.is_phrase && is_compound(text, &all[asked.clone()]) {
            compounds(&words, &asked, goes_on, &mut any);
        }
        any
    };
    Some(Term { any })
}

/// Whether the first word is what an apostrophe stands behind, and another one follows.
fn is_elided(text: &str, words: &Words) -> bool {
    match words.as_slice() {
        [first, _, ..] => {
            let behind = text[first.at.end..].chars().next();
            behind.is_some_and(|c| fold(c.encode_utf8(&mut [0; 4])) == "'") && ELIDED.contains(&words.folded(first))
        }
        _ => false,
    }
}

fn has_letters(words: &Words, asked: &[Word]) -> bool {
    asked.iter().map(|word| words.folded(word).chars().count()).sum::<usize>() > 1
}

fn phrase(words: &Words, range: Range<usize>, is_prefix: bool) -> Phrase {
    let folded: Vec<&str> = words.as_slice()[range].iter().map(|word| words.folded(word)).collect();
    Phrase { words: folded.join(" "), is_prefix }
}

/// The spelling in which initials stand in one piece.
fn initials(text: &str, words: &Words, asked: &Range<usize>, goes_on: bool, any: &mut Vec<Vec<Phrase>>) {
    let Some(mut pieces) = words.with_initials_joined(text) else { return };
    pieces.retain(|piece| asked.start <= piece.words.start && piece.words.end <= asked.end);
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return };
    // The room may end within some: what is left of them is no spelling.
    if first.words.start > asked.start || last.words.end < asked.end {
        return;
    }
    // The last character of a run, as above.
    let is_tail = pieces.len() > 1 && pieces[pieces.len() - 2].words == last.words && last.folded.chars().count() == 1;
    let shown = &pieces[..pieces.len() - usize::from(is_tail)];
    let folded: Vec<&str> = shown.iter().map(|piece| piece.folded.as_str()).collect();
    let spelling = vec![Phrase { words: folded.join(" "), is_prefix: goes_on && !is_tail }];
    if !any.contains(&spelling) {
        any.push(spelling);
    }
}

/// The spellings in which numbers stand in one piece, with what stands before and behind them; and, where one may be written
/// in groups, those in which it stands apart from its neighbours.
fn numbers(text: &str, words: &Words, asked: &Range<usize>, goes_on: bool, any: &mut Vec<Vec<Phrase>>) {
    let parted = words.numbers(text).into_iter().map(|number| (number.words, number.folded));
    let whole = asked
        .clone()
        .filter(|at| words.as_slice()[*at].kind == Kind::Digits)
        .map(|at| (at..at + 1, words.folded(&words.as_slice()[at]).to_owned()));
    let whole = whole.filter(|(_, digits)| asked.len() > 1 && digits.len() >= GROUPED_DIGITS_MIN);
    for (range, number) in parted.chain(whole) {
        if range.start < asked.start || range.end > asked.end || any.len() >= SPELLINGS_MAX {
            continue;
        }
        let mut spelling = Vec::new();
        if asked.start < range.start {
            spelling.push(phrase(words, asked.start..range.start, false));
        }
        spelling.push(Phrase { words: number, is_prefix: goes_on && range.end == asked.end });
        if range.end < asked.end {
            spelling.push(phrase(words, range.end..asked.end, goes_on));
        }
        if !any.contains(&spelling) {
            any.push(spelling);
        }
    }
}

/// Whether these are one word of several: `procès-verbal`.
fn is_compound(text: &str, words: &[Word]) -> bool {
    words.len() > 1
        && words.iter().all(|word| word.kind == Kind::Letters)
        && words.windows(2).all(|pair| {
            // One character may hold several words.
            text.get(pair[0].at.end..pair[1].at.start).is_some_and(|between| fold(between) == "-")
        })
}

/// The same in the singular and the plural, of which the last part takes the mark, the first (`ayants-droit`), or both.
fn compounds(words: &Words, asked: &Range<usize>, goes_on: bool, any: &mut Vec<Vec<Phrase>>) {
    let parts: Vec<&str> = words.as_slice()[asked.clone()].iter().map(|word| words.folded(word)).collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    for start in variants(first) {
        for end in variants(last) {
            let is_there = start == first && (end == last || goes_on && end.starts_with(last));
            if is_there || any.len() >= SPELLINGS_MAX {
                continue;
            }
            let mut spelled = parts.clone();
            spelled[parts.len() - 1] = &end;
            spelled[0] = &start;
            any.push(vec![Phrase { words: spelled.join(" "), is_prefix: false }]);
        }
    }
}

/// A word in the singular and the plural; while it may go on, what it begins with in all its forms.
fn forms(word: &str, goes_on: bool) -> Vec<Vec<Phrase>> {
    let forms = variants(word);
    let single = |words: String, is_prefix| vec![Phrase { words, is_prefix }];
    if !goes_on {
        return forms.into_iter().map(|form| single(form, false)).collect();
    }
    let start = without_ending(word);
    let others = forms.into_iter().filter(|form| !form.starts_with(start)).map(|form| single(form, false));
    std::iter::once(single(start.to_owned(), true)).chain(others).collect()
}

/// A word as it is, and in the singular and the plural.
fn variants(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let mut add = |stem: Option<&str>, ending: &str| {
        forms.extend(
            stem.filter(|stem| !stem.is_empty() && stem.len() + ending.len() >= SINGULAR_MIN)
                .map(|stem| format!("{stem}{ending}")),
        );
    };
    if word.is_ascii() && word.len() >= SINGULAR_MIN {
        if let Some(stem) = word.strip_suffix("aux").filter(|stem| !stem.is_empty()) {
            add(Some(stem), "al");
            add(Some(stem), "ail");
        }
        match word.strip_suffix(['s', 'x']) {
            Some(singular) => add(Some(singular), ""),
            None => {
                add(Some(word), "s");
                add(word.strip_suffix('u'), "ux");
                add(word.strip_suffix("al"), "aux");
                add(word.strip_suffix("ail"), "aux");
            }
        }
    }
    forms
}

/// `resili` for `resilie`: what a word of some length begins with in all its forms.
fn without_ending(word: &str) -> &str {
    match ENDINGS.iter().find_map(|ending| word.strip_suffix(ending)) {
        Some(stem) if stem.chars().count() >= STEM_MIN => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The terms in short: spellings apart by `|`, phrases by `&`, `*` where a word may go on.
    fn short(terms: &[Term]) -> Vec<String> {
        let phrase = |phrase: &Phrase| format!("{}{}", phrase.words, if phrase.is_prefix { "*" } else { "" });
        let spelling = |phrases: &Vec<Phrase>| phrases.iter().map(phrase).collect::<Vec<_>>().join("&");
        terms.iter().map(|term| term.any.iter().map(spelling).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn a_query_is_words_phrases_and_what_must_not_be_there() {
        for (query, all, none) in [
            ("contrat", vec!["contrat*"], vec![]),
            ("  contrat   bail ", vec!["contrat|contrats", "bail*|baux"], vec![]),
            ("\"mise en demeure\" bail", vec!["mise en demeure", "bail*|baux"], vec![]),
            ("“code civil”", vec!["code civil"], vec![]),
            ("« code civil »", vec!["code civil"], vec![]),
            ("‹code civil›", vec!["code civil"], vec![]),
            ("「code civil」", vec!["code civil"], vec![]),
            ("〝code civil〞", vec!["code civil"], vec![]),
            ("„code civil‟ x", vec!["code civil", "x"], vec![]),
            ("‘code de l’avocat’ ‚x y‘ d‘", vec!["code de l avocat", "x y", "d"], vec![]),
            ("-‘code civil’ ‘un d’accord", vec!["un", "accord*"], vec!["code civil"]),
            ("bail \"mise en", vec!["bail|bails|baux", "mise en"], vec![]),
            ("loi -meublé", vec!["loi|lois"], vec!["meuble|meubles"]),
            ("-\"deux mots\" un", vec!["un*"], vec!["deux mots"]),
            ("l'avocat", vec!["avocat*"], vec![]),
            ("d’accord qu'il", vec!["accord|accords", "il*"], vec![]),
            ("aujourd'hui", vec!["aujourd hui*"], vec![]),
            ("- -- \" \" '' 👍", vec![], vec![]),
            ("a", vec!["a"], vec![]),
            ("RÉSILIÉES", vec!["resili*"], vec![]),
            ("vente", vec!["vente*"], vec![]),
            ("journaux tribunal", vec!["journaux|journal|journail|journau", "tribunal*|tribunaux"], vec![]),
            ("ab\"cd\"ef", vec!["ab", "cd", "ef*"], vec![]),
            ("le le le", vec!["le", "le*"], vec![]),
            ("L132-1", vec!["l 132 1*"], vec![]),
            ("12 500 euros", vec!["12&500|12500", "euros*|euro"], vec![]),
            ("12 500", vec!["12&500*|12500*"], vec![]),
            ("+33 6 12 34 56 78", vec!["33&6&12&34&56&78*|33612345678*|0612345678*"], vec![]),
            ("1 234,56", vec!["1&234&56*|1234&56*"], vec![]),
            ("1 234.56 €", vec!["1&234&56|1234&56|1&23456"], vec![]),
            ("12 500€ 3 000", vec!["12&500|12500", "3&000*|3000*"], vec![]),
            ("12 5a 7", vec!["12", "5 a", "7"], vec![]),
            (
                "FR76 3000 6000 12",
                vec!["fr&76&3000&6000&12*|fr&763000600012*|fr 76&3000&6000 12*|fr 76 3000&6000&12*"],
                vec![],
            ),
            ("S.A.R.L. X", vec!["s a r l|sarl", "x"], vec![]),
            ("L.O.111-1", vec!["l o 111 1*|lo 111 1*"], vec![]),
            ("\"S.A.S. Delmas\"", vec!["s a s delmas|sas delmas"], vec![]),
            ("१२ ५००", vec!["12&500*|12500*"], vec![]),
            ("l'É.N.A.", vec!["e n a*|ena*"], vec![]),
            ("S.\u{200b}A.\u{ad}S. -S.A.", vec!["s a s|sas"], vec!["s a|sa"]),
            ("ส.ส.ร.", vec!["ส ส ร*|สส สร"], vec![]),
            ("㏂", vec!["a m*"], vec![]),
            ("20-12345", vec!["20 12345*|20&12345*"], vec![]),
            ("\"de 12 500 euros\"", vec!["de 12 500 euros|de&12500&euros"], vec![]),
            ("契约法", vec!["契约 约法"], vec![]),
            ("法", vec!["法*"], vec![]),
        ] {
            let terms = Terms::read(query);
            assert_eq!(
                (short(&terms.all), short(&terms.none)),
                (all.iter().map(|s| (*s).to_owned()).collect(), none.iter().map(|s| (*s).to_owned()).collect()),
                "{query}"
            );
        }
    }

    #[test]
    fn what_stands_for_several_words_or_for_none_is_read_too() {
        for c in (0..0x1_0000).filter_map(char::from_u32) {
            let query = format!("{c}{c}-{c}.{c}. \"{c} {c}.{c}.\" -{c}.a {c}");
            for term in Terms::read(&query).all {
                for phrase in term.any.iter().flatten() {
                    assert!(phrase.words.split(' ').all(|word| !word.is_empty()), "{c:?}: {phrase:?}");
                }
            }
        }
    }

    #[test]
    fn initials_that_there_is_no_room_for_are_no_spelling() {
        let words: String = (3..WORDS_MAX + 1).map(|length| format!("{} ", "x".repeat(length))).collect();
        let terms = Terms::read(&format!("{words} \"la S.A.R.L.\""));
        assert_eq!(short(&terms.all).last().unwrap(), "la s");
    }

    #[test]
    fn a_word_of_several_parts_has_a_plural_as_well() {
        for (query, all) in [
            (
                "procès\u{2011}verbal ayants–droit",
                [
                    "proces verbal|proces verbals|proces verbaux|proce verbal|proce verbals|proce verbaux",
                    "ayants droit*|ayant droit|ayant droits",
                ],
            ),
            ("\"procès-verbal\" 42-b", ["proces verbal", "42 b*"]),
        ] {
            assert_eq!(short(&Terms::read(query).all), all, "{query}");
        }
    }

    #[test]
    fn words_are_counted_and_not_terms() {
        let words = |query: &str| -> usize {
            let terms = Terms::read(query);
            let phrases = terms.all.iter().chain(&terms.none).map(|term| &term.any[0][0]);
            phrases.map(|phrase| phrase.words.split(' ').count()).sum()
        };
        assert_eq!(words(&format!("\"{}\"", "le ".repeat(160))), WORDS_MAX);
        assert_eq!(words(&"\"le la de\" ".repeat(32)), 3);
        let different: String = (0..100).map(|n| format!("mot{} ", char::from(b'a' + n % 26))).collect();
        assert!(words(&different) <= WORDS_MAX);
    }
}
