//! The two weights that documents are set in, and how wide a text is in them.
//!
//! IBM Plex Sans (SIL Open Font License): Latin, Greek and Cyrillic, figures of one width.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId};

use crate::model::text::visible::is_hidden;

/// What stands for a character that the typeface lacks: PDF/A allows no glyph without a meaning.
const REPLACEMENT: char = '\u{fffd}';

static REGULAR: LazyLock<Typeface> =
    LazyLock::new(|| Typeface::new("IBMPlexSans", include_bytes!("../fonts/IBMPlexSans-Regular.ttf")));
static SEMIBOLD: LazyLock<Typeface> =
    LazyLock::new(|| Typeface::new("IBMPlexSans-SemiBold", include_bytes!("../fonts/IBMPlexSans-SemiBold.ttf")));

/// How heavy the letters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// For reading.
    Regular,
    /// For headings and sums.
    SemiBold,
}

impl Weight {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Regular, Self::SemiBold];

    /// The typeface of this weight.
    #[must_use]
    pub fn typeface(self) -> &'static Typeface {
        match self {
            Self::Regular => &REGULAR,
            Self::SemiBold => &SEMIBOLD,
        }
    }
}

/// A typeface that is in the binary.
#[derive(Debug)]
pub struct Typeface {
    /// Its PostScript name.
    pub name: &'static str,
    /// The file.
    pub data: &'static [u8],
    face: Face<'static>,
}

impl Typeface {
    fn new(name: &'static str, data: &'static [u8]) -> Self {
        Self { name, data, face: Face::parse(data, 0).expect("the typefaces in the binary are sound") }
    }

    /// The glyph of a character and the character that it shows: another one where this one is not there.
    #[must_use]
    pub fn glyph(&self, character: char) -> (u16, char) {
        for candidate in [character, simpler(character), REPLACEMENT, '?'] {
            if let Some(GlyphId(id @ 1..)) = self.face.glyph_index(candidate) {
                return (id, candidate);
            }
        }
        (0, character)
    }

    /// Whether there is a glyph of the character, or of one that means the same.
    fn has(&self, character: char) -> bool {
        let is_there = |c| matches!(self.face.glyph_index(c), Some(GlyphId(1..)));
        is_there(character) || is_there(simpler(character))
    }

    /// How far a glyph advances, in thousandths of the size.
    #[must_use]
    pub fn advance(&self, glyph: u16) -> f32 {
        let units = self.face.glyph_hor_advance(GlyphId(glyph)).unwrap_or_default();
        self.scaled(units.into())
    }

    /// The width of a line of text at a size, in points.
    #[must_use]
    pub fn width(&self, text: &str, size: f32) -> f32 {
        drawn(text).map(|c| self.advance(self.glyph(c).0)).sum::<f32>() * size / 1000.0
    }

    /// Whether each character of a text has a glyph that shows it.
    #[must_use]
    pub fn draws(&self, text: &str) -> bool {
        text.chars().all(|c| self.face.glyph_index(c).is_some_and(|GlyphId(id)| id > 0) || simpler(c) != c)
    }

    /// Left, bottom, right and top of all glyphs together; the ascent, the descent and the height of capitals; in
    /// thousandths of the size.
    #[must_use]
    pub fn measures(&self) -> ([f32; 4], f32, f32, f32) {
        let bounds = self.face.global_bounding_box();
        let bounds = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(|side| self.scaled(side.into()));
        let capital = self.face.capital_height().unwrap_or_else(|| self.face.ascender());
        let [ascent, descent, capital] =
            [self.face.ascender(), self.face.descender(), capital].map(|height| self.scaled(height.into()));
        (bounds, ascent, descent, capital)
    }

    fn scaled(&self, units: f32) -> f32 {
        units * 1000.0 / f32::from(self.face.units_per_em())
    }
}

/// The characters of a text that take place: not those that only join or change the one before.
pub fn drawn(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !is_left_out(*c))
}

fn is_left_out(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' | '\u{202a}'..='\u{202e}')
}

/// The characters of a text that cannot be printed, each once: a sign would stand for them, or nothing at all where something
/// is seen. Left out is only what shows nothing anyway.
#[must_use]
pub fn unprintable(text: &str) -> Vec<char> {
    let shows = |c: char| Weight::ALL.into_iter().all(|weight| weight.typeface().has(c));
    let mut found = Vec::new();
    for c in text.chars().filter(|c| !(shows(*c) || is_left_out(*c) && is_hidden(*c))) {
        if !found.contains(&c) {
            found.push(c);
        }
    }
    found
}

/// A character that looks alike or means the same, where the typeface may lack the first.
const fn simpler(character: char) -> char {
    match character {
        '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => '\u{a0}',
        '\u{2010}' | '\u{2011}' => '-',
        '\t' | '\n' | '\r' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_french_documents_need_is_there() {
        for weight in Weight::ALL {
            for character in "Aéèêëàâäçîïôöùûüÿœæ ÉÈÀÇŒ€ «»’“”–—…·×−½²°№ŁłßøΩЖ\u{a0}\u{202f}".chars()
            {
                assert_ne!(weight.typeface().glyph(character).0, 0, "{character:?} in {weight:?}");
            }
        }
    }

    #[test]
    fn a_character_that_is_missing_is_shown_as_one_that_is_there() {
        let (glyph, shown) = Weight::Regular.typeface().glyph('漢');
        assert!(glyph != 0 && shown != '漢');
    }

    #[test]
    fn what_would_be_replaced_or_left_out_cannot_be_printed() {
        for (text, missing) in [
            ("Société Łukasz, Αθήνα, Москва\n\t12 €\u{202f}« ok »\u{2011}\u{3000}", ""),
            ("a\u{200b}\u{200d}\u{fe0f}\u{202e}\u{feff}", ""),
            ("漢字漢", "漢字"),
            ("👍\u{1f3fd}", "👍\u{1f3fd}"),
            ("\u{2066}\u{1}", "\u{2066}\u{1}"),
        ] {
            assert_eq!(unprintable(text).into_iter().collect::<String>(), missing, "{text:?}");
        }
        for c in
            ('\0'..='\u{ffff}').filter(|c| unprintable(&c.to_string()).is_empty() && drawn(&c.to_string()).count() == 1)
        {
            for weight in Weight::ALL {
                assert!(weight.typeface().glyph(c).1 != REPLACEMENT || c == REPLACEMENT, "{c:?}");
            }
        }
    }

    #[test]
    fn figures_have_one_width() {
        let face = Weight::Regular.typeface();
        let widths: Vec<f32> = ('0'..='9').map(|c| face.width(&c.to_string(), 10.0)).collect();
        assert!(widths.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.001), "{widths:?}");
    }
}
