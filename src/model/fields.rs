//! Reading a JSON object field by field, remembering each field that is wrong.
//!
//! One reader for every body, query string and socket event, so that all of them say what is wrong in the same way:
//! every bad field at once, by its name. Unknown fields are ignored. Integers are those that JavaScript can hold
//! (53 bits); text never holds NUL. What was read leaves only when nothing was wrong.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::model::id::NotAnId;
use crate::model::locale::Text;

/// The largest integer that every JSON client can hold exactly, 2⁵³ − 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name, with a path into lists (`files[2].name`).
    pub field: String,
    /// What is wrong, for people.
    pub message: Text,
}

impl Fault {
    /// A fault of `field`, said in French and in English.
    pub fn new(field: impl Into<String>, message: Text) -> Fault {
        Fault { field: field.into(), message }
    }
}

/// The object being read.
pub struct Fields {
    map: Map<String, Value>,
    within: String,
    textual: bool,
    faults: Vec<Fault>,
}

impl Fields {
    /// Reads an object: the reader's result if no field was wrong, else every fault.
    pub fn read<T>(map: Map<String, Value>, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Vec<Fault>> {
        Fields { map, within: String::new(), textual: false, faults: Vec::new() }.settle(reader)
    }

    /// Reads any JSON value, which must be an object; nothing at all counts as an empty one.
    pub fn read_value<T>(value: Value, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Vec<Fault>> {
        match value {
            Value::Object(map) => Fields::read(map, reader),
            Value::Null => Fields::read(Map::new(), reader),
            _ => Err(vec![Fault::new("", Text::new("un objet est attendu", "an object is expected"))]),
        }
    }

    /// Reads the pairs of a query string: everything is text there, so numbers and booleans are read out of text. Of a
    /// repeated name the last one counts.
    pub fn read_pairs<T>(
        pairs: impl IntoIterator<Item = (String, String)>,
        reader: impl FnOnce(&mut Fields) -> T,
    ) -> Result<T, Vec<Fault>> {
        let map = pairs.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        Fields { map, within: String::new(), textual: true, faults: Vec::new() }.settle(reader)
    }

    fn settle<T>(mut self, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Vec<Fault>> {
        let result = reader(&mut self);
        if self.faults.is_empty() { Ok(result) } else { Err(self.faults) }
    }

    /// Text of `length` characters that must be there.
    pub fn text(&mut self, name: &str, length: RangeInclusive<usize>) -> String {
        match self.optional_text(name, length) {
            Some(text) => text,
            None => self.missing(name),
        }
    }

    /// Text of `length` characters, if it is there.
    pub fn optional_text(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            return Some(self.wrong(name, Text::new("doit être un texte", "must be a text")));
        };
        match wrong_with_text(&text, &length) {
            None => Some(text),
            Some(message) => Some(self.wrong(name, message)),
        }
    }

    /// The id of something, that must be there: an integer from 1.
    pub fn id<I: TryFrom<i64, Error = NotAnId>>(&mut self, name: &str) -> I {
        id_of(self.integer(name, 1..=INTEGER_MAX))
    }

    /// The id of something, if it is there.
    pub fn optional_id<I: TryFrom<i64, Error = NotAnId>>(&mut self, name: &str) -> Option<I> {
        self.optional_integer(name, 1..=INTEGER_MAX).map(id_of)
    }

    /// An integer in `range` that must be there.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> i64 {
        match self.optional_integer(name, range) {
            Some(number) => number,
            None => self.missing(name),
        }
    }

    /// An integer in `range`, if it is there.
    pub fn optional_integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.take(name)?;
        let Some(number) = integer_of(&value, self.textual) else {
            return Some(self.wrong(name, Text::new("doit être un entier", "must be an integer")));
        };
        if range.contains(&number) {
            return Some(number);
        }
        let (least, most) = (range.start(), range.end());
        let message = if *most == INTEGER_MAX {
            Text::new(format!("doit être au moins {least}"), format!("must be at least {least}"))
        } else {
            Text::new(format!("doit être entre {least} et {most}"), format!("must be between {least} and {most}"))
        };
        Some(self.wrong(name, message))
    }

    /// True or false, that must be there.
    pub fn boolean(&mut self, name: &str) -> bool {
        match self.optional_boolean(name) {
            Some(truth) => truth,
            None => self.missing(name),
        }
    }

    /// True or false, if it is there.
    pub fn optional_boolean(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(truth) => Some(truth),
            Value::String(text) if self.textual && text == "true" => Some(true),
            Value::String(text) if self.textual && text == "false" => Some(false),
            _ => Some(self.wrong(name, Text::new("doit être vrai ou faux", "must be true or false"))),
        }
    }

    /// Something that a text is turned into by `parse`, if it is there; `message` says what is expected.
    pub fn optional_parsed<T>(
        &mut self,
        name: &str,
        message: Text,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        let parsed = value.as_str().and_then(parse);
        if parsed.is_none() {
            self.faults.push(Fault::new(self.path(name), message));
        }
        parsed
    }

    /// Something that a text is turned into by `parse`, that must be there. `stand_in` only takes its place while the
    /// reading of a bad object goes on.
    pub fn parsed<T>(&mut self, name: &str, message: Text, stand_in: T, parse: impl FnOnce(&str) -> Option<T>) -> T {
        let faults = self.faults.len();
        let parsed = self.optional_parsed(name, message, parse);
        if parsed.is_none() && self.faults.len() == faults {
            self.missing::<()>(name);
        }
        parsed.unwrap_or(stand_in)
    }

    /// A list of at most `count_max` values of any kind, if it is there.
    pub fn optional_list(&mut self, name: &str, count_max: usize) -> Option<Vec<Value>> {
        match self.take(name)? {
            Value::Array(list) if list.len() <= count_max => Some(list),
            Value::Array(_) => {
                Some(self.wrong(
                    name,
                    Text::new(format!("au plus {count_max} éléments"), format!("at most {count_max} items")),
                ))
            }
            _ => Some(self.wrong(name, Text::new("doit être une liste", "must be a list"))),
        }
    }

    /// The value itself, whatever it is, if it is there and not `null`.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Reads an object that stands inside this one under `path` (`files[2]`); its faults become faults of the whole.
    pub fn inner<T>(&mut self, path: &str, value: Value, reader: impl FnOnce(&mut Fields) -> T) -> Option<T> {
        let within = self.path(path);
        let Value::Object(map) = value else {
            self.faults.push(Fault::new(within, Text::new("doit être un objet", "must be an object")));
            return None;
        };
        let mut inner = Fields {
            map,
            within: format!("{within}."),
            textual: self.textual,
            faults: std::mem::take(&mut self.faults),
        };
        let result = reader(&mut inner);
        self.faults = inner.faults;
        Some(result)
    }

    /// Remembers a fault of `name` and stands in for its value, which never leaves the reader.
    pub fn wrong<T: Default>(&mut self, name: &str, message: Text) -> T {
        self.faults.push(Fault::new(self.path(name), message));
        T::default()
    }

    fn missing<T: Default>(&mut self, name: &str) -> T {
        self.wrong(name, Text::new("est requis", "is required"))
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.within)
    }
}

/// The id with a number that was read. A number that was wrong is remembered as a fault, and 1 stands in for it.
fn id_of<I: TryFrom<i64, Error = NotAnId>>(number: i64) -> I {
    I::try_from(number.max(1)).expect("an integer from 1 to 2⁵³ − 1 is an id")
}

/// What is wrong with `text`, if it must have `length` characters.
fn wrong_with_text(text: &str, length: &RangeInclusive<usize>) -> Option<Text> {
    if text.contains('\0') {
        return Some(Text::new("ne doit pas contenir de caractère nul", "must not contain a NUL character"));
    }
    // Bytes are an upper bound for characters, so that only long texts are counted through.
    let count = if text.len() < *length.start() || text.len() > *length.end() || *length.start() > 1 {
        text.chars().count()
    } else {
        text.len()
    };
    if count > *length.end() {
        let max = length.end();
        return Some(Text::new(format!("au plus {max} caractères"), format!("at most {max} characters")));
    }
    if count < *length.start() {
        let min = length.start();
        return Some(match min {
            1 => Text::new("ne doit pas être vide", "must not be empty"),
            _ => Text::new(format!("au moins {min} caractères"), format!("at least {min} characters")),
        });
    }
    None
}

/// The integer that a value stands for: JSON knows no difference between `1` and `1.0`.
fn integer_of(value: &Value, textual: bool) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= INTEGER_MAX as f64)?;
            Some(float as i64)
        })?,
        Value::String(text) if textual => text.parse().ok()?,
        _ => return None,
    };
    (-INTEGER_MAX..=INTEGER_MAX).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
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
    fn a_query_string_is_read_out_of_text() {
        let pairs = [("n", "7"), ("b", "true"), ("t", "12")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let read = Fields::read_pairs(pairs, |fields| {
            (fields.id::<MessageId>("n"), fields.boolean("b"), fields.text("t", 1..=5))
        });
        assert_eq!(read.unwrap(), (MessageId::new(7).unwrap(), true, "12".to_owned()));
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
}
