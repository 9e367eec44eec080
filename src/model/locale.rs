//! The two languages that people are spoken to in.

use std::borrow::Cow;

use serde::Serialize;

/// A language of the product. French unless somebody asks for English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Locale {
    /// `fr`
    #[default]
    #[serde(rename = "fr")]
    French,
    /// `en`
    #[serde(rename = "en")]
    English,
}

impl Locale {
    /// The language of a tag such as `en`, `en-GB` or `fr_CA`; `None` for any other language.
    pub fn find(tag: &str) -> Option<Locale> {
        match tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "fr" => Some(Locale::French),
            "en" => Some(Locale::English),
            _ => None,
        }
    }

    /// The two-letter tag.
    pub fn tag(self) -> &'static str {
        match self {
            Locale::French => "fr",
            Locale::English => "en",
        }
    }

    /// What stands between a name and what is said of it.
    #[must_use]
    pub fn colon(self) -> &'static str {
        match self {
            Locale::French => "\u{a0}: ",
            Locale::English => ": ",
        }
    }

    /// The language that an `Accept-Language` header asks for: its best-weighted one that we speak, else French.
    pub fn accepted(header: &str) -> Locale {
        let mut best = (0.0, Locale::French);
        for range in header.split(',').take(32) {
            let mut parts = range.split(';');
            let Some(locale) = parts.next().and_then(Locale::find) else { continue };
            let weight = match parts.find_map(|part| part.trim().strip_prefix("q=")) {
                Some(weight) => weight.parse().unwrap_or(0.0),
                None => 1.0,
            };
            if weight > best.0 {
                best = (weight, locale);
            }
        }
        best.1
    }
}

/// One thing said in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    fr: Cow<'static, str>,
    en: Cow<'static, str>,
}

impl Text {
    /// The same sentence in French and in English.
    pub fn new(fr: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Text {
        Text { fr: fr.into(), en: en.into() }
    }

    /// The sentence in `locale`.
    pub fn show(&self, locale: Locale) -> &str {
        match locale {
            Locale::French => &self.fr,
            Locale::English => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn the_best_weighted_language_that_we_speak_is_taken() {
        for (header, expected) in [
            ("", Locale::French),
            ("de", Locale::French),
            ("en", Locale::English),
            ("en-GB,en;q=0.9,fr;q=0.8", Locale::English),
            ("fr;q=0.2, en;q=0.7", Locale::English),
            ("de, fr-CA;q=0.9, en;q=0.3", Locale::French),
            ("en;q=0", Locale::French),
            ("en;q=x, fr;q=0.1", Locale::French),
        ] {
            assert_eq!(Locale::accepted(header), expected, "{header}");
        }
    }
}
