use serde_json::json;

use super::Fields;
use crate::model::id::MessageId;
use crate::model::locale::Locale;

#[test]
fn every_bad_field_is_named_at_once() {
    let faults = Fields::read_value(json!({"a": 1, "c": "x\0", "d": 1.5, "e": [1, 2], "f": "yes"}), |fields| {
        fields.text("a", 1..=5);
        fields.id::<MessageId>("b");
        fields.text("c", 1..=5);
        fields.integer("d", 0..=9);
        fields.optional_list("e", 1);
        fields.optional_boolean("f");
    })
    .unwrap_err();
    let names: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(faults[1].message.show(Locale::English), "is required");
}

#[test]
fn a_text_that_must_have_characters_shows_one() {
    for blank in ["", " ", "\t\n", "\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}\u{ad}", "\u{feff} \u{a0}"] {
        let read = |least| Fields::read_value(json!({ "a": blank }), |fields| fields.text("a", least..=9));
        let faults = read(1).unwrap_err();
        assert_eq!(faults[0].message.show(Locale::French), "ne doit pas être vide", "{blank:?}");
        assert_eq!(read(0).unwrap(), blank, "where nothing may stand");
        let read = Fields::read_value(json!({ "a": blank }), |fields| fields.password("a", 1..=9));
        assert_eq!(read.is_ok(), !blank.is_empty(), "a password of before may be of blanks: {blank:?}");
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    for (text, length, good) in [
        ("", 1..=3, false),
        ("", 0..=3, true),
        ("éèà", 1..=3, true),
        ("éèàù", 1..=3, false),
        ("😀😀", 3..=9, false),
        ("abc", 3..=9, true),
    ] {
        let read = Fields::read_value(json!({"t": text}), |fields| fields.text("t", length.clone()));
        assert_eq!(read.is_ok(), good, "{text} {length:?}");
    }
}

#[test]
fn integers_are_those_that_every_client_can_hold() {
    for (number, good) in [
        (json!(1), true),
        (json!(1.0), true),
        (json!(9_007_199_254_740_991_i64), true),
        (json!(9_007_199_254_740_992_i64), false),
        (json!(u64::MAX), false),
        (json!(i64::MIN), false),
        (json!(1e300), false),
        (json!(0), false),
        (json!(-1), false),
        (json!("1"), false),
        (json!(true), false),
    ] {
        let read = Fields::read_value(json!({"n": number}), |fields| fields.id::<MessageId>("n"));
        assert_eq!(read.is_ok(), good, "{number}");
    }
}

#[test]
fn what_is_wrong_with_a_number_is_said() {
    for (text, told) in [
        ("9", None),
        ("-1", Some("must be at least 0")),
        ("99999999999999999999", Some("must be between 0 and 9007199254740991")),
        ("-99999999999999999999", Some("must be between 0 and 9007199254740991")),
        ("1.5", Some("must be an integer")),
        ("sept", Some("must be an integer")),
        ("-", Some("must be an integer")),
        ("", Some("must be an integer")),
    ] {
        let pairs = [("n".to_owned(), text.to_owned())];
        let read = Fields::read_pairs(pairs, |fields| fields.optional_integer("n", 0..=super::INTEGER_MAX));
        let said = read.err().map(|faults| faults[0].message.show(Locale::English).to_owned());
        assert_eq!(said.as_deref(), told, "{text}");
    }
}

#[test]
fn a_query_string_is_read_out_of_text() {
    let pairs = [("n", "7"), ("b", "true"), ("t", "12")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let read =
        Fields::read_pairs(pairs, |fields| (fields.id::<MessageId>("n"), fields.boolean("b"), fields.text("t", 1..=5)));
    assert_eq!(read.unwrap(), (MessageId::new(7).unwrap(), true, "12".to_owned()));
}

#[test]
fn what_is_no_json_is_named_by_field_where_there_is_one() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (text, fields) in [
        (r#"{"content":"\ud83d","conversationId":1}"#.to_owned(), vec!["content"]),
        (format!(r#"{{"b":{deep},"a":"\udc00x","c":1}}"#), vec!["a", "b"]),
        (r#"{"content":"#.to_owned(), vec!["body"]),
        ("[]".to_owned(), vec!["body"]),
    ] {
        let faults = Fields::read_json("body", &text, |_| ()).unwrap_err();
        let named: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(named, fields, "{text}");
        assert_eq!(Fields::read_bytes("body", text.as_bytes(), |_| ()).unwrap_err(), faults, "{text}");
    }
    let faults = Fields::read_bytes("body", b"{\"a\":\"\xff\"}", |_| ()).unwrap_err();
    assert_eq!(faults.len(), 1, "bytes that are no text");
    for text in ["", "null", "\u{feff}", "\u{feff}{\"a\":\"\\ud83d\\ude00\"}"] {
        assert!(Fields::read_json("body", text, |_| ()).is_ok(), "{text}");
        assert!(Fields::read_bytes("body", text.as_bytes(), |_| ()).is_ok(), "{text}");
    }
}

#[test]
fn null_counts_as_absent_and_unknown_fields_are_ignored() {
    let read = Fields::read_value(json!({"a": null, "z": {}}), |fields| fields.optional_text("a", 1..=5));
    assert_eq!(read.unwrap(), None);
}

#[test]
fn a_fault_inside_a_list_carries_its_path() {
    let faults = Fields::read_value(json!({}), |fields| {
        fields.inner("files[2]", json!({"name": 1}), |file| file.text("name", 1..=9))
    })
    .unwrap_err();
    assert_eq!(faults[0].field, "files[2].name");
}
