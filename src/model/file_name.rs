//! The name of a file that somebody sent: something to show and to save under, never a path.

use std::fmt;

use serde::Serialize;

use crate::model::text::nfc::nfc;
use crate::model::text::{emoji, visible};

/// What a file is called when nothing of its name could be kept.
const NAMELESS: &str = "fichier";

/// Most bytes of a name: every common file system takes as much, and its escaped form still fits a header.
const BYTES_MAX: usize = 180;

/// Longest ending that survives when a name is cut.
const ENDING_BYTES_MAX: usize = 16;

/// Names that open a device on Windows, whatever ending follows.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// A name in NFC without controls, separators, text-direction overrides or a device's name; never empty, at most 180 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// The nearest good name to what was sent; anything at all gives one.
    pub fn clean(sent: &str) -> FileName {
        let last = nfc(sent.rsplit(['/', '\\']).next().unwrap_or_default());
        let kept: String = visible_part(&last).chars().map(harmless).collect();
        let words = kept.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = cut(words.trim_matches(|c: char| c == '.' || c == ' '));
        if !visible::has_visible(&name) {
            FileName(NAMELESS.to_owned())
        } else if is_device(&name) {
            FileName(format!("_{name}"))
        } else {
            FileName(name)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Without what cannot be seen, but for the joiners and selectors that emoji and some scripts are spelled with.
fn visible_part(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let before = kept.chars().next_back().unwrap_or_default();
        let after = chars.peek().copied().unwrap_or_default();
        let is_spelling = if emoji::is_selector(c) {
            emoji::is_pictograph(before)
        } else {
            visible::is_joiner(c)
                && (visible::joins(before) && visible::joins(after)
                    || (emoji::is_pictograph(before) || emoji::is_selector(before)) && emoji::is_pictograph(after))
        };
        if is_spelling || !visible::is_hidden(c) {
            kept.push(c);
        }
    }
    kept
}

/// Characters that shells and file systems give a meaning become `_`.
fn harmless(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        // Looks like a separator, or like the dot before an ending.
        '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' | '\u{ff3c}' | '\u{2024}' => '_',
        c => c,
    }
}

/// At most [`BYTES_MAX`] bytes: of a longer name the middle goes, so that its ending still tells what it is.
fn cut(name: &str) -> String {
    if name.len() <= BYTES_MAX {
        return name.to_owned();
    }
    let ending = match name.rfind('.') {
        Some(dot) if name.len() - dot <= ENDING_BYTES_MAX => &name[dot..],
        _ => "",
    };
    let stem = &name[..name.floor_char_boundary(BYTES_MAX - ending.len())];
    format!("{}{ending}", stem.trim_end_matches(['.', ' ']))
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    DEVICES.contains(&stem.as_str())
        || port.is_some_and(|number| {
            matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        for name in
            ["contrat.pdf", "Été à Noël (2).jpeg", "договор.docx", "家族👩‍👩‍👧.png", "a", "archive.tar.gz", "console.log"]
        {
            assert_eq!(FileName::clean(name).as_str(), name);
        }
    }

    #[test]
    fn a_hostile_name_becomes_a_harmless_one() {
        for (sent, kept) in [
            ("", "fichier"),
            ("...", "fichier"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\system32\\cmd.exe", "cmd.exe"),
            ("a/", "fichier"),
            (".htaccess", "htaccess"),
            ("name. . .", "name"),
            ("a\r\nSet-Cookie: x", "a Set-Cookie_ x"),
            ("a\0b.txt", "ab.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\u{2066}b\u{2069}c\u{200b}.txt", "abc.txt"),
            ("e\u{301}te\u{301}.pdf", "été.pdf"),
            ("a\u{fe0f}b\u{200d}c\u{3164}.txt", "abc.txt"),
            ("\u{200b}\u{301}", "fichier"),
            ("\u{3164}.\u{feff}", "fichier"),
            ("a\t  b\u{a0} c.txt", "a b c.txt"),
            ("a<b>c:d\"e|f?g*h.txt", "a_b_c_d_e_f_g_h.txt"),
            ("a\u{2215}b\u{ff0f}c", "a_b_c"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("lpt¹", "_lpt¹"),
            ("com10.txt", "com10.txt"),
        ] {
            assert_eq!(FileName::clean(sent).as_str(), kept, "{sent:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let name = FileName::clean(&format!("{}.pdf", "é".repeat(500)));
        assert!(name.as_str().len() <= BYTES_MAX && name.as_str().len() > BYTES_MAX - 4);
        assert!(name.as_str().ends_with("é.pdf"));
        let endless = FileName::clean(&format!("a.{}", "é".repeat(500)));
        assert!(endless.as_str().len() <= BYTES_MAX);
    }

    #[test]
    fn a_clean_name_is_clean() {
        for sent in ["../../x", "CON.txt", "a\u{202e}b", &"x".repeat(999), ". a .", "?.?", "_CON"] {
            let once = FileName::clean(sent);
            assert_eq!(FileName::clean(once.as_str()), once, "{sent}");
        }
    }
}
