//! Texts of bills: what is printed must be there to be seen, on the paper too.
//!
//! The typeface of the documents knows Latin, Greek and Cyrillic. A sign that stands for a letter which it lacks would be a
//! loss that nobody notices before the paper is out of the house, so such a letter is refused where it is typed. What shows
//! nothing anywhere is no loss.

use crate::documents::pdf::typeface;
use crate::model::fields::{Fault, Fields};
use crate::model::locale::Text;
use crate::model::text::nfc::nfc;
use crate::model::text::visible;

/// Characters that a refusal names.
const NAMED_MAX: usize = 5;

/// What is printed in one line and must be there, in single spaces and with nothing hidden in it.
pub fn words(fields: &mut Fields, name: &str, max: usize) -> String {
    let text = noted_words(fields, name, max);
    legible(fields, name, &text)
}

/// The same, if it is there.
pub fn optional_words(fields: &mut Fields, name: &str, max: usize) -> Option<String> {
    let text = fields.optional_text(name, 1..=max)?;
    require_visible(fields, name, &text);
    let text = in_one_line(fields, name, &text);
    Some(legible(fields, name, &text))
}

/// What is printed and must be there, without the blanks around it.
pub fn printed(fields: &mut Fields, name: &str, max: usize) -> String {
    let text = fields.text(name, 1..=max);
    require_visible(fields, name, &text);
    legible(fields, name, visible::trim(&text))
}

/// What is printed, if it is there.
pub fn optional_printed(fields: &mut Fields, name: &str, max: usize) -> Option<String> {
    let text = optional_noted(fields, name, max)?;
    Some(legible(fields, name, &text))
}

/// One line that must be there and that no document has.
pub fn noted_words(fields: &mut Fields, name: &str, max: usize) -> String {
    let text = fields.text(name, 1..=max);
    require_visible(fields, name, &text);
    in_one_line(fields, name, &text)
}

/// What no document has, if it is there.
pub fn optional_noted(fields: &mut Fields, name: &str, max: usize) -> Option<String> {
    let text = fields.optional_text(name, 1..=max)?;
    require_visible(fields, name, &text);
    Some(visible::trim(&text).to_owned())
}

/// What is wrong with a text that is to be printed, if anything is.
#[must_use]
pub fn illegible(field: impl Into<String>, text: &str) -> Option<Fault> {
    let missing = typeface::unprintable(text);
    if missing.is_empty() {
        return None;
    }
    let name = |c: &char| {
        let code = format!("U+{:04X}", u32::from(*c));
        if visible::has_visible(&c.to_string()) { format!("{c} ({code})") } else { code }
    };
    let mut named: Vec<String> = missing.iter().take(NAMED_MAX).map(name).collect();
    named.extend((missing.len() > NAMED_MAX).then(|| "…".to_owned()));
    let named = named.join(", ");
    let said = Text::new(
        format!("contient des caractères que le document ne peut pas imprimer : {named}"),
        format!("has characters in it that the document cannot print: {named}"),
    );
    Some(Fault::new(field, said))
}

/// The text as it is printed. Of what the typeface lacks, blanks become plain ones and what nobody sees goes; the rest is
/// refused.
fn legible(fields: &mut Fields, name: &str, text: &str) -> String {
    let text = nfc(text);
    let missing = typeface::unprintable(&text);
    let kept = |c: char| match c {
        _ if !missing.contains(&c) => Some(c),
        '\u{b}' | '\u{c}' | '\u{85}' => Some('\n'),
        _ if c.is_whitespace() => Some(' '),
        _ => Some(c).filter(|c| !visible::is_hidden(*c)),
    };
    let text: String = text.chars().filter_map(kept).collect();
    if let Some(fault) = illegible(name, &text) {
        fields.wrong::<()>(name, fault.message);
    }
    text
}

fn in_one_line(fields: &mut Fields, name: &str, text: &str) -> String {
    let text = visible::trim(text);
    if visible::has_hidden(text) {
        fields.wrong::<()>(name, Text::new("contient des caractères invisibles", "has hidden characters in it"));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn require_visible(fields: &mut Fields, name: &str, text: &str) {
    if !text.is_empty() && !visible::has_visible(text) {
        fields.wrong::<()>(name, Text::new("ne doit pas être vide", "must not be empty"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::model::locale::Locale;

    fn read(text: &str) -> Result<String, String> {
        let map = Map::from_iter([("note".to_owned(), json!(text))]);
        let read = Fields::read(map, |fields| printed(fields, "note", 1_000));
        read.map_err(|faults| format!("{}: {}", faults[0].field, faults[0].message.show(Locale::French)))
    }

    #[test]
    fn what_is_typed_is_printed_or_refused() {
        for (typed, kept) in [
            ("Société Łukasz – Αθήνα – Москва, n° 5 ✓", "Société Łukasz – Αθήνα – Москва, n° 5 ✓"),
            ("e\u{301}te\u{301}", "été"),
            ("a\u{200b}b\u{200d}c\u{fe0f}", "a\u{200b}b\u{200d}c\u{fe0f}"),
            ("a\u{2066}b\u{7}c\u{206a}", "abc"),
            ("a\u{3000}b\u{c}c\td", "a\u{3000}b\nc\td"),
        ] {
            assert_eq!(read(typed).as_deref(), Ok(kept), "{typed:?}");
        }
        for (typed, named) in [
            ("Dossier 漢字", "漢 (U+6F22), 字 (U+5B57)"),
            ("مرحبا", "م (U+0645), ر (U+0631), ح (U+062D), ب (U+0628), ا (U+0627)"),
            ("Merci 😀", "😀 (U+1F600)"),
            ("Merci \u{1f3fd}", "\u{1f3fd} (U+1F3FD)"),
            ("אבגדהו", "א (U+05D0), ב (U+05D1), ג (U+05D2), ד (U+05D3), ה (U+05D4), …"),
            ("a\u{20d7}", "U+20D7"),
        ] {
            let refused = read(typed).unwrap_err();
            assert!(refused.starts_with("note: ") && refused.ends_with(named), "{refused}");
        }
    }
}
