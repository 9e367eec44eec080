//! Pages being set: text, lines and boxes at places, on as many pages as it takes.
//!
//! Lengths are points (1/72 inch). Places are measured from the upper left corner of an A4 page, as a reader sees it.

use std::collections::BTreeMap;

use pdf_writer::{Content, Name, Str, TextStr};
use qrcodegen::QrCode;
use subsetter::GlyphRemapper;

use crate::documents::pdf::picture::Picture;
use crate::documents::pdf::typeface::{Weight, drawn};

/// The width of an A4 page.
pub const WIDTH: f32 = 595.28;

/// The height of an A4 page.
pub const HEIGHT: f32 = 841.89;

/// Red, green and blue, 0…1.
pub type Ink = [f32; 3];

/// Text.
pub const BLACK: Ink = [0.11, 0.11, 0.13];

/// What is secondary.
pub const GREY: Ink = [0.40, 0.40, 0.43];

/// Hairlines.
pub const PALE: Ink = [0.80, 0.79, 0.76];

/// How a text is set.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Style {
    /// How heavy.
    pub weight: Weight,
    /// How large, in points.
    pub size: f32,
    /// In which colour.
    pub ink: Ink,
}

/// Which side of a text stands at the place that is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Its left end.
    Left,
    /// Its right end.
    Right,
    /// Its middle.
    Centre,
}

/// The letters of one weight that a document uses.
#[derive(Debug, Default)]
pub struct Letters {
    /// From the typeface's glyphs to those of the subset.
    pub remapper: GlyphRemapper,
    /// What each glyph of the subset means.
    pub meanings: BTreeMap<u16, char>,
}

/// The pages of a document.
pub struct Sheet {
    done: Vec<Vec<u8>>,
    page: Content,
    regular: Letters,
    semibold: Letters,
    picture: Option<Picture>,
}

/// Pages that are set.
#[derive(Debug)]
pub struct Pages {
    /// What is drawn on each.
    pub contents: Vec<Vec<u8>>,
    /// The letters of each weight.
    pub letters: [(Weight, Letters); 2],
    /// The picture, where there is one.
    pub picture: Option<Picture>,
}

impl Default for Sheet {
    fn default() -> Self {
        let (regular, semibold) = (Letters::default(), Letters::default());
        Self { done: Vec::new(), page: Content::new(), regular, semibold, picture: None }
    }
}

impl Sheet {
    /// Sets one line of text with its baseline at `y`.
    pub fn text(&mut self, x: f32, y: f32, text: &str, style: Style, align: Align) {
        let width = style.weight.typeface().width(text, style.size);
        let x = match align {
            Align::Left => x,
            Align::Right => x - width,
            Align::Centre => x - width / 2.0,
        };
        self.line_of_text([1.0, 0.0, 0.0, 1.0, x, HEIGHT - y], text, style);
    }

    /// Sets one large word across the middle of the page, rising.
    pub fn stamp(&mut self, word: &str, style: Style) {
        let (sin, cos) = 0.7_f32.sin_cos();
        let half = style.weight.typeface().width(word, style.size) / 2.0;
        let (x, y) = (WIDTH / 2.0 - half * cos, HEIGHT / 2.0 - half * sin);
        self.line_of_text([cos, sin, -sin, cos, x, y], word, style);
    }

    /// Sets a text over as many lines as it takes. Gives the baseline of the line behind the last.
    pub fn paragraph(&mut self, x: f32, mut y: f32, width: f32, text: &str, style: Style, leading: f32) -> f32 {
        for line in wrapped(text, width, style) {
            self.text(x, y, &line, style, Align::Left);
            y += leading;
        }
        y
    }

    /// A hairline from left to right.
    pub fn rule(&mut self, x: f32, y: f32, width: f32, ink: Ink) {
        let [red, green, blue] = ink;
        self.page.set_stroke_rgb(red, green, blue).set_line_width(0.6);
        self.page.move_to(x, HEIGHT - y).line_to(x + width, HEIGHT - y).stroke();
    }

    /// A filled box.
    pub fn fill(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        let [red, green, blue] = ink;
        self.page.set_fill_rgb(red, green, blue).rect(x, HEIGHT - y - height, width, height).fill_nonzero();
    }

    /// A QR code with its upper left corner at the place.
    pub fn code(&mut self, x: f32, y: f32, side: f32, code: &QrCode) {
        let module = side / f32::from(i16::try_from(code.size()).unwrap_or(i16::MAX));
        let [red, green, blue] = BLACK;
        self.page.set_fill_rgb(red, green, blue);
        for row in 0..code.size() {
            for column in (0..code.size()).filter(|column| code.get_module(*column, row)) {
                let [column, row] = [column, row].map(|place| f32::from(i16::try_from(place).unwrap_or(0)));
                let (left, below) = (x + column * module, HEIGHT - y - (row + 1.0) * module);
                self.page.rect(left, below, module, module);
            }
        }
        self.page.fill_nonzero();
    }

    /// The document's picture with its upper left corner at the place, as large as fits into the box.
    pub fn picture(&mut self, x: f32, y: f32, width: f32, height: f32, picture: Picture) {
        let [across, down] = [picture.width, picture.height].map(|side| side as f32);
        let scale = (width / across).min(height / down);
        let (wide, high) = (across * scale, down * scale);
        self.page.save_state().transform([wide, 0.0, 0.0, high, x, HEIGHT - y - high]);
        self.page.x_object(Name(b"P0")).restore_state();
        self.picture = Some(picture);
    }

    /// Goes on on a new page.
    pub fn turn(&mut self) {
        let page = std::mem::replace(&mut self.page, Content::new());
        self.done.push(page.finish().to_vec());
    }

    /// The pages so far, this one included.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.done.len() + 1
    }

    /// Adds to a page that was turned already, `0` being the first: for page numbers.
    pub fn on_page(&mut self, page: usize, draw: impl FnOnce(&mut Self)) {
        let current = std::mem::replace(&mut self.page, Content::new());
        draw(self);
        let added = std::mem::replace(&mut self.page, current).finish();
        if let Some(content) = self.done.get_mut(page) {
            content.push(b'\n');
            content.extend_from_slice(&added);
        }
    }

    /// All pages that were turned.
    #[must_use]
    pub fn finish(self) -> Pages {
        let letters = [(Weight::Regular, self.regular), (Weight::SemiBold, self.semibold)];
        Pages { contents: self.done, letters, picture: self.picture }
    }

    fn line_of_text(&mut self, matrix: [f32; 6], text: &str, style: Style) {
        let is_whole = style.weight.typeface().draws(text);
        if !is_whole {
            // What is drawn only stands for the text: who copies or searches gets the text itself.
            self.page.begin_marked_content_with_properties(Name(b"Span")).properties().actual_text(TextStr(text));
        }
        let letters = match style.weight {
            Weight::Regular => &mut self.regular,
            Weight::SemiBold => &mut self.semibold,
        };
        let mut encoded = Vec::with_capacity(text.len() * 2);
        for character in drawn(text) {
            let (glyph, shown) = style.weight.typeface().glyph(character);
            let glyph = letters.remapper.remap(glyph);
            letters.meanings.entry(glyph).or_insert(shown);
            encoded.extend_from_slice(&glyph.to_be_bytes());
        }
        let [red, green, blue] = style.ink;
        self.page.begin_text().set_fill_rgb(red, green, blue).set_font(font_name(style.weight), style.size);
        self.page.set_text_matrix(matrix).show(Str(&encoded)).end_text();
        if !is_whole {
            self.page.end_marked_content();
        }
    }
}

/// The name of a weight in the pages' resources.
#[must_use]
pub const fn font_name(weight: Weight) -> Name<'static> {
    match weight {
        Weight::Regular => Name(b"F0"),
        Weight::SemiBold => Name(b"F1"),
    }
}

/// Breaks a text into lines that fit. A word that is wider than a line is cut.
#[must_use]
pub fn wrapped(text: &str, width: f32, style: Style) -> Vec<String> {
    let face = style.weight.typeface();
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in inseparable(paragraph) {
            let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
            if face.width(&longer, style.size) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for character in word.chars() {
                line.push(character);
                if face.width(&line, style.size) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, character.to_string()));
                }
            }
        }
        lines.push(line);
    }
    lines
}

/// The words of a text, each with the signs that may not be parted from it: in French a space stands before `»` or `:` and
/// behind `«`, and where it was typed as a plain one a line would end there.
fn inseparable(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split([' ', '\t']).filter(|word| !word.is_empty()) {
        let is_sign = word.chars().all(|c| matches!(c, '»' | ':' | ';' | '!' | '?' | '%' | '€'));
        match words.last_mut() {
            Some(last) if is_sign || last.ends_with('«') => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Style = Style { weight: Weight::Regular, size: 10.0, ink: BLACK };

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let text = "Consultation et rédaction d’une assignation devant le tribunal judiciaire\nsecond paragraphe";
        let lines = wrapped(text, 120.0, BODY);
        assert!(lines.iter().all(|line| BODY.weight.typeface().width(line, 10.0) <= 120.0), "{lines:?}");
        assert_eq!(lines.join(" "), text.replace('\n', " "));
    }

    #[test]
    fn a_line_neither_begins_with_a_sign_that_ends_nor_ends_with_one_that_begins() {
        let text = "Lieu-dit « Les Quatre-Vents » : est-ce payé ? Oui ! À 20 % près, 12 €";
        for width in (100..200).step_by(5) {
            let lines = wrapped(text, width as f32, BODY);
            for line in lines.iter().filter(|line| line.chars().count() > 1) {
                assert!(
                    !line.starts_with(['»', ':', '?', '!', '%', '€']) && !line.ends_with('«'),
                    "{width}: {lines:?}"
                );
            }
        }
        assert_eq!(wrapped(text, 120.0, BODY).join(" "), text);
    }

    #[test]
    fn a_word_that_is_too_wide_is_cut() {
        let lines = wrapped(&"x".repeat(200), 50.0, BODY);
        assert!(lines.len() > 5);
        assert_eq!(lines.concat().len(), 200);
    }
}
