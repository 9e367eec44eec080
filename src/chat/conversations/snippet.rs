//! The part of a message that shows why it was found: its own text, with the hits between `⟦` and `⟧`.

use std::ops::Range;

use crate::model::text::nfc::nfc;
use crate::model::text::visible;
use crate::model::text::words::{Piece, Words};
use crate::store::search::Term;

/// Words of a snippet.
const WORDS: usize = 24;

/// Of these so many before the first hit, if there are.
const WORDS_BEFORE: usize = 8;

/// Characters of a snippet, whatever the text calls words: an address without gaps is one, and may be long.
const CHARS: usize = 320;

/// Of these so many before the first hit, if there are.
const CHARS_BEFORE: usize = 120;

/// The snippet of a text or, where nothing in it was looked for, of the first of the files' names in which something was.
#[must_use]
pub fn snippet<'a>(content: &'a str, names: impl Iterator<Item = &'a str> + Clone, terms: &[Term]) -> String {
    let texts = std::iter::once(content).chain(names);
    let marked = texts.clone().find_map(|text| cut(text, terms, true));
    marked.or_else(|| texts.filter(|text| !text.is_empty()).find_map(|text| cut(text, &[], false))).unwrap_or_default()
}

/// A part of a text; nothing if it must have a hit and has none.
fn cut(text: &str, terms: &[Term], must_hit: bool) -> Option<String> {
    let text = nfc(text);
    let words = Words::read(&text);
    let hits = hits(&text, &words, terms);
    if must_hit && hits.is_empty() {
        return None;
    }
    let all = words.as_slice();
    let first = hits.first().map_or(0, |hit| hit.start);
    let start = first.saturating_sub(WORDS_BEFORE).min(all.len().saturating_sub(WORDS));
    let end = (start + WORDS).min(all.len());
    let from = if start == 0 { 0 } else { all[start].at.start };
    let to = if end == all.len() { text.len() } else { all[end - 1].at.end };
    let first_at = hits.first().map_or(from, |hit| all[hit.start].at.start);
    let before = text[from..first_at].char_indices().rev().nth(CHARS_BEFORE - 1);
    let from = before.map_or(from, |(at, _)| visible::cut_before(&text, from + at));
    let to = text[from..to].char_indices().nth(CHARS).map_or(to, |(at, _)| visible::cut_before(&text, from + at));
    let mut shown = String::with_capacity(to - from + 16);
    shown.push_str(if from == 0 { "" } else { "…" });
    // The text's own are no marks.
    let plain = |part: &str| part.replace('⟦', "[").replace('⟧', "]");
    let mut at = from;
    for hit in hits.iter().filter(|hit| hit.start < end) {
        let (hit_start, hit_end) = (all[hit.start].at.start.max(at), all[hit.end.min(end) - 1].at.end.min(to));
        if hit_end <= hit_start {
            continue;
        }
        shown.push_str(&plain(&text[at..hit_start]));
        shown.push('⟦');
        shown.push_str(&plain(&text[hit_start..hit_end]));
        shown.push('⟧');
        at = hit_end;
    }
    shown.push_str(&plain(&text[at..to]));
    shown.push_str(if to == text.len() { "" } else { "…" });
    Some(shown)
}

/// Which words are hits, in order; what overlaps is one.
fn hits(text: &str, words: &Words, terms: &[Term]) -> Vec<Range<usize>> {
    let single = |(at, word)| Piece { folded: words.folded(word).to_owned(), words: at..at + 1 };
    let plain = words.as_slice().iter().enumerate().map(single).collect();
    let numbers = words.numbers(text).into_iter().map(|number| vec![number]);
    let readings = std::iter::once(plain).chain(words.with_initials_joined(text)).chain(numbers);
    let mut found: Vec<Range<usize>> = Vec::new();
    for reading in readings {
        for phrase in terms.iter().flat_map(|term| &term.any).flatten() {
            let parts: Vec<&str> = phrase.words.split(' ').collect();
            let stands = |window: &[Piece]| {
                window.iter().zip(&parts).enumerate().all(|(at, (piece, part))| {
                    piece.folded == *part
                        || (phrase.is_prefix && at + 1 == parts.len() && piece.folded.starts_with(part))
                })
            };
            let places = reading.windows(parts.len()).filter(|window| stands(window));
            found.extend(places.map(|window| window[0].words.start..window[window.len() - 1].words.end));
        }
    }
    found.sort_by_key(|hit| hit.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for hit in found {
        match merged.last_mut() {
            Some(last) if hit.start < last.end => last.end = last.end.max(hit.end),
            _ => merged.push(hit),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::conversations::query::Terms;

    fn shown(content: &str, names: &[&str], query: &str) -> String {
        snippet(content, names.iter().copied(), &Terms::read(query).all)
    }

    #[test]
    fn the_own_text_is_shown_with_its_hits() {
        for (content, query, expected) in [
            ("le Bail commercial", "bail", "le ⟦Bail⟧ commercial"),
            ("l’Été, où l’ﬁnancement", "financement ete", "l’⟦Été⟧, où l’⟦ﬁnancement⟧"),
            ("vu l'art. L. 132-1 du code", "L132-1", "vu l'art. ⟦L. 132-1⟧ du code"),
            ("soit 12\u{202f}500 €", "12500", "soit ⟦12\u{202f}500⟧ €"),
            ("soit 12500 €", "12 500", "soit ⟦12500⟧ €"),
            ("la S.C.I. Bleue", "sci", "la ⟦S.C.I⟧. Bleue"),
            ("la SCI Bleue", "S.C.I.", "la ⟦SCI⟧ Bleue"),
            ("l'art. L.O. 212-1", "LO212-1", "l'art. ⟦L.O. 212-1⟧"),
            ("la S.A.S. Delmas", "\"SAS Delmas\"", "la ⟦S.A.S. Delmas⟧"),
            ("我国契约法规定", "契约法", "我国⟦契约法⟧规定"),
            ("我国法", "法", "我国⟦法⟧"),
            ("fi\u{ad}nance", "finance", "⟦fi\u{ad}nance⟧"),
            ("q\u{303} 1\u{fe0f}\u{20e3}!", "q 1", "⟦q\u{303}⟧ ⟦1\u{fe0f}\u{20e3}⟧!"),
            ("la S.\u{200b}A.\u{200b}S. X", "sas", "la ⟦S.\u{200b}A.\u{200b}S⟧. X"),
            ("a \u{3164}.\u{3164}.", "\"a \u{3164}.\u{3164}.\"", "⟦a⟧ \u{3164}.\u{3164}."),
            ("à 8 ㏂ ﷺ", "㏂ ﷺ", "à 8 ⟦㏂⟧ ⟦ﷺ⟧"),
            ("rien", "", "rien"),
            ("⟦faux⟧ vraiment", "vraiment", "[faux] ⟦vraiment⟧"),
        ] {
            assert_eq!(shown(content, &[], query), expected);
        }
        assert_eq!(shown("vu", &["autre.txt", "Bail_2024.pdf"], "bail"), "⟦Bail⟧_2024.pdf");
        assert_eq!(shown("", &["a.txt"], ""), "a.txt");
    }

    #[test]
    fn a_text_without_gaps_is_cut_too() {
        let gapless = "x".repeat(1000);
        for (content, query, expected) in [
            (gapless.clone(), "xxx", format!("⟦{}⟧…", "x".repeat(CHARS))),
            (format!("{gapless} bail"), "bail", format!("…{} ⟦bail⟧", "x".repeat(CHARS_BEFORE - 1))),
            (format!("bail {gapless}"), "bail", format!("⟦bail⟧ {}…", "x".repeat(CHARS - 5))),
            (format!("bail {gapless} bail"), "bail", format!("⟦bail⟧ {}…", "x".repeat(CHARS - 5))),
            ("é…".repeat(2) + &"\u{1f642}".repeat(1000), "e", format!("⟦é⟧…⟦é⟧…{}…", "\u{1f642}".repeat(CHARS - 4))),
        ] {
            assert_eq!(shown(&content, &[], query), expected);
        }
    }

    #[test]
    fn what_is_drawn_as_one_is_shown_whole() {
        let family = "👨\u{200d}👩\u{200d}👧";
        let text = format!("{} bail{}", family.repeat(100), family.repeat(100));
        let shown = shown(&text, &[], "bail");
        let families = shown.replace("⟦bail⟧", "").replace([' ', '…'], "");
        assert!(shown.contains(" ⟦bail⟧") && families.replace(family, "").is_empty(), "{shown}");
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_hit() {
        let long: String = (0..100).map(|n| format!("mot{} ", if n == 50 { "cible" } else { "" })).collect();
        let shown = shown(&long, &[], "motcible");
        assert!(shown.starts_with("…mot mot") && shown.ends_with("mot…") && shown.contains(" ⟦motcible⟧ "), "{shown}");
        assert_eq!(shown.split(' ').count(), WORDS);
    }
}
