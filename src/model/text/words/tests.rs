use super::*;

#[test]
fn words_are_folded_and_end_where_letters_meet_digits() {
    for (text, indexed) in [
        ("", ""),
        (" \u{200b}👍 … ", ""),
        ("L’avocat du Cœur", "l avocat du coeur"),
        ("L132-1", "l 132 1"),
        ("L. 132-1", "l 132 1"),
        ("ﬁ\u{ad}nan\u{200b}ce e\u{301}te\u{301}", "finance ete"),
        ("m² n° 42", "m 2 n 42"),
        ("中国契约法", "中国 国契 契约 约法 法"),
        ("法", "法"),
        ("ｶﾞｲﾄﾞ", "ガイ イド ド"),
        ("か\u{3099}く", "がく く"),
        ("第12条", "第 12 条"),
        ("มาตรา๑๒", "มา าต ตร รา า 12"),
        ("धारा ४२०", "धारा 420"),
        ("中a", "中 a"),
        ("a中1", "a 中 1"),
        ("a\u{200b}1", "a 1"),
        ("L'Été–2B", "l ete 2 b"),
        ("กฎหมาย", "กฎ ฎห หม มา าย ย"),
        ("हिन्दी", "हिन्दी"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם λόγος", "שלום λογοσ"),
    ] {
        assert_eq!(indexed_words(text, []), indexed, "{text}");
    }
    assert_eq!(indexed_words("vu", ["Bail_2024.pdf"]), "vu ‖ bail 2024 pdf");
}

/// What the index is given, as its tokenizer splits it.
fn indexed_words<'a>(text: &str, file_names: impl IntoIterator<Item = &'a str>) -> String {
    let is_gap = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    let mut indexed = String::new();
    push_index_text(&mut indexed, text, file_names);
    indexed.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_index_is_given_each_word_where_it_stands() {
    let pieces = ["a", "É", "7", " ", "-", "’", "\u{200b}", "²", "½", "中", "法", "ガ", "œ", "…", "\u{301}", "🙂", "C"];
    let mut state = 7_usize;
    for _ in 0..20_000 {
        let text: String = (0..8)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                pieces[(state >> 33) % pieces.len()]
            })
            .collect();
        let words = Words::read(&nfc(&text));
        let folded: Vec<&str> = words.as_slice().iter().map(|word| words.folded(word)).collect();
        let indexed = indexed_words(&text, []);
        assert_eq!(indexed.split(" ‖").next(), Some(folded.join(" ").as_str()), "{text:?}");
    }
}

#[test]
fn words_know_where_they_stand() {
    for (text, parts) in [
        ("« L’Été »", vec!["L", "Été"]),
        ("a\u{301}b 12m", vec!["a\u{301}b", "12", "m"]),
        ("x中国", vec!["x", "中国", "国"]),
        ("½ ﬁn", vec!["½", "½", "ﬁn"]),
        (
            "q\u{303} مُحَمَّدٌ ก\u{200b}ข 1\u{fe0f}\u{20e3}",
            vec!["q\u{303}", "مُحَمَّدٌ", "ก\u{200b}ข", "ข", "1\u{fe0f}\u{20e3}"],
        ),
    ] {
        let words = Words::read(text);
        let stand: Vec<&str> = words.as_slice().iter().map(|word| &text[word.at.clone()]).collect();
        assert_eq!(stand, parts);
    }
}

#[test]
fn a_number_in_groups_is_known_in_one_piece() {
    for (text, numbers) in [
        ("12500 42", vec!["1250042"]),
        ("12 500 €", vec!["12500"]),
        ("12\u{a0}500 €", vec!["12500"]),
        ("12\u{202f}500,00 €", vec!["12500"]),
        ("12.500", vec!["12500"]),
        ("12’500", vec!["12500"]),
        ("1 234 567", vec!["1234567"]),
        ("12 500 75001", vec!["1250075001", "12500"]),
        ("06 12 34 56 78", vec!["0612345678"]),
        ("06.12.34.56.78", vec!["0612345678"]),
        ("06-12-34-56-78", vec!["0612345678"]),
        ("06–12–34–56–78", vec!["0612345678"]),
        ("06‑12‑34‑56‑78", vec!["0612345678"]),
        ("12＇500", vec!["12500"]),
        ("१२ ५००", vec!["12500"]),
        ("١٢٬٥٠٠", vec!["12500"]),
        ("12\u{2060}\u{a0}\u{2060}500", vec!["12500"]),
        ("+33 6 12 34 56 78", vec!["33612345678", "0612345678"]),
        ("+33612345678", vec!["0612345678"]),
        ("0033 6 12 34 56 78", vec!["0033612345678", "0612345678"]),
        ("+33 (0)6 12 34 56 78", vec!["612345678", "0612345678"]),
        ("(06) 12 34 56 78", vec!["0612345678"]),
        ("(2) 500 €", vec![]),
        ("n° 20-12.345", vec!["12345"]),
        ("L132-1", vec![]),
        ("12/2024", vec![]),
        ("12,500", vec![]),
        ("12  500", vec![]),
        ("12\n500", vec![]),
    ] {
        let found: Vec<String> = Words::read(text).numbers(text).into_iter().map(|number| number.folded).collect();
        assert_eq!(found, numbers, "{text}");
    }
    assert_eq!(indexed_words("12 500 €", []), "12 500 ‖ 12500");
}

#[test]
fn letters_with_points_between_them_are_known_in_one_piece() {
    for (text, joined) in [
        ("une S.A.R.L. et une S.A", vec!["sarl", "sa"]),
        ("article L.O. 111-1", vec!["lo"]),
        ("J.-P. et M.\u{2011}A.", vec!["jp", "ma"]),
        ("J.-Paul, A.-, B.--C., -D.-E", vec![]),
        ("l'É.N.A.", vec!["ena"]),
        ("U.S.A.: O.N.U.!", vec!["usa", "onu"]),
        ("art. L. 132-1 C. civ.", vec![]),
        ("www.a.fr, v1.ab, p.ex. fin.A.", vec![]),
        ("a.. .b. …", vec![]),
        ("x.é\u{301}.z, Q\u{303}.R.", vec!["xez", "qr"]),
        ("S.\u{200b}A.\u{ad}S. \u{2060}O.\u{2060}N.\u{2060}U., B\u{200b}.\u{feff}P.", vec!["sas", "onu", "bp"]),
        ("Ｓ．Ｃ．Ｉ．, S․A․", vec!["sci", "sa"]),
        ("क.कि.ग.", vec![]),
    ] {
        assert_eq!(initials(text).map(|initials| initials.letters).collect::<Vec<_>>(), joined, "{text}");
    }
    for (text, indexed) in [
        ("ส.ส.ร. a", "ส ส ร a ‖ สส สร ร a"),
        ("n.º 5", "n 5"),
        ("\u{3164}.\u{3164}. a", "a"),
        ("ﷺ.a.", "صلي الله عليه وسلم a ‖ صلي الله عليه وسلمa"),
    ] {
        assert_eq!(indexed_words(text, []), indexed);
    }
    assert_eq!(indexed_words("la S.C.I. X", ["K.O..pdf"]), "la s c i x ‖ la sci x ‖ k o pdf ‖ ko pdf");
    assert_eq!(indexed_words("L.O. 111\u{2011}1 bis", []), "l o 111 1 bis ‖ lo 111 1 bis");
}

#[test]
fn initials_stand_among_their_neighbours() {
    for (text, joined) in [
        (
            "un deux trois quatre cinq S.A. un deux trois quatre cinq",
            vec!["deux trois quatre cinq sa un deux trois quatre"],
        ),
        ("la S.A.S. X contre la S.A. Y", vec!["la sas x contre la sa y"]),
        ("S.A. un deux trois quatre S.C.I.", vec!["sa un deux trois quatre sci"]),
        ("S.A. a b c d e f g h i S.C.I. fin", vec!["sa a b c d", "f g h i sci fin"]),
        ("aucune", vec![]),
    ] {
        let indexed = indexed_words(text, []);
        assert_eq!(indexed.split(" ‖ ").skip(1).collect::<Vec<_>>(), joined, "{text}");
    }
}

#[test]
fn every_character_is_read_and_stands_where_it_stands() {
    for c in (0..0x3_0000).filter_map(char::from_u32) {
        let text = format!("a{c}1 {c}{c}\u{3099}");
        let words = Words::read(&text);
        for word in words.as_slice() {
            assert!(!text[word.at.clone()].is_empty() && !words.folded(word).is_empty(), "{c:?}");
            assert!(!words.folded(word).contains(' '), "{c:?}");
        }
        let _numbers = words.numbers(&text);
        let _initials = initials(&format!("a.{c}.{c}b.{text}.{c}.")).count();
    }
}
