//! Text as it is compared when somebody looks for it: case, marks, ligatures and widths do not count.

use unicode_normalization::char::{compose, decompose_compatible};

use crate::model::text::visible;

/// Where the ten digits of a script begin, in order: the category `Nd` of Unicode, below U+10000.
const ZEROS: [char; 36] = [
    '\u{30}', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}', '\u{17e0}',
    '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}',
    '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}',
];

/// The text in small letters without marks; punctuation stays, in its plainest form.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        fold_char(c, &mut |c| push(&mut folded, c));
    }
    folded
}

/// Whether each word of `wanted` begins some word of `text`; where words are written without gaps, it may begin anywhere. A
/// hyphen is a gap: `jean-pierre` is found in `Jean Pierre`.
#[must_use]
pub fn has_words(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (fold(text), fold(wanted));
    let is_gap = |c: char| !c.is_alphanumeric() && c != '@' && c != '.' && c != '+';
    wanted.split(|c: char| c.is_whitespace() || c == '-').filter(|word| !word.is_empty()).all(|word| {
        let without_gaps = word.starts_with(has_no_gaps);
        text.match_indices(word).any(|(at, _)| without_gaps || text[..at].chars().next_back().is_none_or(is_gap))
    })
}

/// Hands over what stands for a character, in order: nothing for what is not seen, several for what is written as one.
pub(in crate::model::text) fn fold_char(c: char, emit: &mut impl FnMut(char)) {
    if c.is_ascii() {
        return emit(c.to_ascii_lowercase());
    }
    if let Some(letter) = western(c) {
        return emit(letter);
    }
    match c {
        // What French is set with comes to one plain character, too.
        '\u{a0}' | '\u{202f}' => emit(' '),
        '‐'..='―' | '‘'..='‟' | '«' | '»' => plain(c, emit),
        'º' | 'ª' | '°' => emit('°'),
        '№' => {
            emit('n');
            emit('°');
        }
        '´' => emit('\''),
        '″' => emit('"'),
        c if visible::is_hidden(c) => {}
        // Kana and Korean syllables: what they consist of is no mark that could be left out.
        '\u{3041}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' => emit(c),
        c => {
            if is_fraction(c) {
                emit(' ');
            }
            decompose_compatible(c, |part| part.to_lowercase().for_each(|small| plain(small, emit)));
        }
    }
}

/// Whether nothing stands for a character: it is a mark that does not count, or nobody sees it.
#[must_use]
pub fn folds_to_nothing(c: char) -> bool {
    let mut is_nothing = true;
    fold_char(c, &mut |_| is_nothing = false);
    is_nothing
}

/// The letter under an accent of Western European languages: what decomposing comes to, without looking it up.
const fn western(c: char) -> Option<char> {
    Some(match c {
        'À'..='Å' | 'à'..='å' => 'a',
        'Ç' | 'ç' => 'c',
        'È'..='Ë' | 'è'..='ë' => 'e',
        'Ì'..='Ï' | 'ì'..='ï' => 'i',
        'Ñ' | 'ñ' => 'n',
        'Ò'..='Ö' | 'ò'..='ö' => 'o',
        'Ù'..='Ü' | 'ù'..='ü' => 'u',
        'Ý' | 'ý' | 'ÿ' => 'y',
        _ => return None,
    })
}

/// Appends a folded character. Letters that are put together of several are one again.
pub(in crate::model::text) fn push(folded: &mut String, c: char) {
    if is_joined_to_the_last(c)
        && let Some(last) = folded.chars().next_back()
        && let Some(both) = compose(last, c)
    {
        folded.pop();
        folded.push(both);
    } else {
        folded.push(c);
    }
}

/// Sound marks of kana, and the vowels and endings of Korean syllables.
pub(in crate::model::text) fn is_joined_to_the_last(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309a}' | '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}')
}

/// Scripts that put no gaps between words, and Korean, which puts its particles right behind them.
pub(in crate::model::text) fn has_no_gaps(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_fraction(c: char) -> bool {
    matches!(c, '¼'..='¾' | '\u{2150}'..='\u{215f}' | '\u{2189}')
}

/// A decomposed small letter without what does not count.
fn plain(c: char, emit: &mut impl FnMut(char)) {
    // The Arabic letter that only makes a word wider is a mark, too.
    if c == '\u{640}' || is_mark_that_does_not_count(c) || visible::is_hidden(c) {
        return;
    }
    let letters = match c {
        'ł' => "l",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'ŋ' => "n",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        'ς' => "σ",
        // Letters that are written either way: endings, and those of Persian and Urdu.
        'ة' | 'ہ' | 'ە' => "ه",
        'ى' | 'ی' => "ي",
        'ک' => "ك",
        'ٱ' => "ا",
        '‘' | '’' | '‛' | 'ʼ' | 'ʹ' | '′' => "'",
        '“' | '”' | '„' | '‟' | '«' | '»' => "\"",
        '‐'..='―' | '−' => "-",
        '⁄' => "/",
        // Between the thousands of Arabic numbers.
        '٬' => "'",
        c => return emit(digit(c).unwrap_or(c)),
    };
    letters.chars().for_each(emit);
}

/// The digit of ASCII that one of any script is; of numbers in circles and the like there is none.
#[must_use]
pub fn digit(c: char) -> Option<char> {
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= c)].last()?;
    char::from_digit(u32::from(c) - u32::from(*zero), 10)
}

/// Accents and their like, the vowel points of Hebrew and Arabic. The vowel signs of other scripts are letters.
fn is_mark_that_does_not_count(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}'
        | '\u{5c4}' | '\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_marks_ligatures_and_widths_do_not_count() {
        for (text, folded) in [
            ("Élodie LEFÈVRE-Çınar, Œuvre", "elodie lefevre-cinar, oeuvre"),
            ("E\u{301}lodie", "elodie"),
            ("Иван Й", "иван и"),
            ("ﬁnancement ĳ", "financement ij"),
            ("ｃｏｎｔｒａｔ １２", "contrat 12"),
            ("fi\u{ad}nance\u{200b}ment\u{feff}", "financement"),
            ("Łódź Øresund Straße STRAẞE Æther Đorđe Þór", "lodz oresund strasse strasse aether dorde thor"),
            ("m² 1ᵉʳ n° nº №", "m2 1er n° n° n°"),
            ("1½", "1 1/2"),
            ("L’avocat “dit” «non»", "l'avocat \"dit\" \"non\""),
            ("Ἀθῆναι ΛΌΓΟΣ λόγος", "αθηναι λογοσ λογοσ"),
            ("مُحَمَّد", "محمد"),
            ("عـقـد مدرسة أحمد", "عقد مدرسه احمد"),
            ("שָׁלוֹם", "שלום"),
            ("か\u{3099}く ｶﾞ", "がく ガ"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("हिन्दी", "हिन्दी"),
            ("İstanbul ı", "istanbul i"),
            ("١٢٣ ۴۵ १२ ๗ ၃", "123 45 12 7 3"),
            ("یک کتاب", "يك كتاب"),
            ("ہے ٱلله", "هے الله"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn what_is_folded_stays_as_it_is() {
        for c in (0..0x3_0000).filter_map(char::from_u32) {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    #[test]
    fn a_western_letter_is_what_decomposing_comes_to() {
        for c in '\u{80}'..='\u{24f}' {
            let mut decomposed = String::new();
            let mut emit = |c| decomposed.push(c);
            decompose_compatible(c, |part| part.to_lowercase().for_each(|small| plain(small, &mut emit)));
            assert!(western(c).is_none_or(|letter| decomposed == letter.to_string()), "{c}: {decomposed}");
        }
        assert_eq!("éèêëàâîïôûùüÿçÉÀ".chars().filter_map(western).collect::<String>(), "eeeeaaiiouuuycea");
    }

    #[test]
    fn the_beginnings_of_words_are_found_in_any_order() {
        for (wanted, found) in [
            ("", true),
            ("elo", true),
            ("marchand élodie", true),
            ("  MAR ", true),
            ("lodie", false),
            ("sophie", true),
            ("etoile", true),
            ("elo x", false),
        ] {
            assert_eq!(has_words("Élodie-Sophie Marchand de l'Étoile", wanted), found, "{wanted}");
        }
        assert!(has_words("Łukasz Sørensen", "lukasz sorensen"));
        assert!(has_words("Jean Pierre Martin jean-pierre@exemple.fr", "jean\u{2011}pierre"));
        assert!(has_words("Jean-Pierre Martin jean-pierre@exemple.fr", "jean pierre pierre@ jean-pierre@exemple.fr"));
        assert!(has_words("山田太郎", "太郎"));
        assert!(!has_words("山田太郎", "花子"));
    }
}
