//! Reading a JSON object field by field, remembering each field that is wrong.
//!
//! One reader for every body, query string and socket event, so that all of them say what is wrong in the same way:
//! every bad field at once, by its name. Unknown fields are ignored. Integers are those that JavaScript can hold
//! (53 bits); text never holds NUL, and text that must have characters shows one. What was read leaves only when nothing
//! was wrong.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::id::{INTEGER_MAX, NotAnId};
use crate::model::locale::Text;
use crate::model::text::visible;

/// What some editors put in front of a text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name, with a path into lists (`files[2].name`).
    pub field: String,
    /// What is wrong, for people.
    pub message: Text,
    /// What would be right, where that is known.
    pub right: Option<Value>,
}

impl Fault {
    /// A fault of `field`, said in French and in English.
    pub fn new(field: impl Into<String>, message: Text) -> Fault {
        Fault { field: field.into(), message, right: None }
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

    /// Reads JSON text, which must be an object; nothing at all counts as an empty one, and so does a byte order mark.
    /// Of an object that cannot be read each member that is the reason is named; `whole`
    /// is the name of the text itself.
    pub fn read_json<T>(
        whole: &'static str,
        text: &str,
        reader: impl FnOnce(&mut Fields) -> T,
    ) -> Result<T, Vec<Fault>> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        Fields::read_parsed(whole, text.as_bytes(), || serde_json::from_str(text), reader)
    }

    /// As [`Fields::read_json`], of bytes that may be no text at all.
    pub fn read_bytes<T>(
        whole: &'static str,
        bytes: &[u8],
        reader: impl FnOnce(&mut Fields) -> T,
    ) -> Result<T, Vec<Fault>> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(bytes);
        Fields::read_parsed(whole, bytes, || serde_json::from_slice(bytes), reader)
    }

    fn read_parsed<T>(
        whole: &'static str,
        json: &[u8],
        parse: impl FnOnce() -> serde_json::Result<Value>,
        reader: impl FnOnce(&mut Fields) -> T,
    ) -> Result<T, Vec<Fault>> {
        if json.is_empty() {
            return Fields::read(Map::new(), reader);
        }
        match parse() {
            Ok(value @ (Value::Object(_) | Value::Null)) => Fields::read_value(value, reader),
            Ok(_) => Err(vec![Fault::new(whole, Text::new("doit être un objet JSON", "must be a JSON object"))]),
            Err(error) => Err(unreadable(whole, json, &error)),
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

    /// A password of `length` characters that must be there. Older ones may be of blanks alone: only what is chosen anew
    /// must show something.
    pub fn password(&mut self, name: &str, length: RangeInclusive<usize>) -> String {
        match self.plain_text(name, |text| wrong_with_length(text, &length)) {
            Some(text) => text,
            None => self.missing(name),
        }
    }

    /// Text of `length` characters, if it is there.
    pub fn optional_text(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<String> {
        self.plain_text(name, |text| wrong_with_text(text, &length))
    }

    fn plain_text(&mut self, name: &str, check: impl FnOnce(&str) -> Option<Text>) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            return Some(self.wrong(name, Text::new("doit être un texte", "must be a text")));
        };
        match check(&text) {
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
        let number = integer_of(&value, self.textual);
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let (least, most) = (range.start(), range.end());
        let message = match number {
            None if !is_large_integer(&value, self.textual) => Text::new("doit être un entier", "must be an integer"),
            Some(_) if *most == INTEGER_MAX => {
                Text::new(format!("doit être au moins {least}"), format!("must be at least {least}"))
            }
            _ => Text::new(format!("doit être entre {least} et {most}"), format!("must be between {least} and {most}")),
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

    /// Whether a list is there and nothing is in it.
    pub fn is_empty_list(&self, name: &str) -> bool {
        self.map.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    /// The integer that a value is by itself; `None` if it is none.
    pub fn integer_in(&self, value: &Value) -> Option<i64> {
        integer_of(value, self.textual)
    }

    /// The id that a value is by itself, as an item of a list; `None` if it is none.
    pub fn id_in<I: TryFrom<i64, Error = NotAnId>>(&self, value: &Value) -> Option<I> {
        self.integer_in(value).and_then(|number| I::try_from(number).ok())
    }

    /// What is not said stays as it is known: a field that is not there at all is read out of `known`.
    pub fn fill(&mut self, known: &Value) {
        for (name, value) in known.as_object().into_iter().flatten() {
            self.map.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    /// The value itself, whatever it is, if it is there and not `null`.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Whether the member is there and `null`, which means something else than that it is not there.
    pub fn is_null(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_null)
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

/// Why a text is no JSON: the members whose values make no sense by themselves (half of a surrogate pair, too deep, a number
/// without end), or the place where the text as a whole stops making sense.
fn unreadable(whole: &str, text: &[u8], error: &serde_json::Error) -> Vec<Fault> {
    let members: HashMap<String, &RawValue> = serde_json::from_slice(text).unwrap_or_default();
    let is_bad = |value: &RawValue| serde_json::from_str::<Value>(value.get()).is_err();
    let mut faults: Vec<Fault> = members
        .into_iter()
        .filter(|(_, value)| is_bad(value))
        .map(|(name, _)| Fault::new(name, Text::new("ne peut pas être lu", "cannot be read")))
        .collect();
    faults.sort_unstable_by(|left, right| left.field.cmp(&right.field));
    if faults.is_empty() {
        let (line, column) = (error.line(), error.column());
        let message = Text::new(
            format!("n’est pas du JSON (ligne {line}, colonne {column})"),
            format!("is not JSON (line {line}, column {column})"),
        );
        faults.push(Fault::new(whole, message));
    }
    faults
}

/// The id with a number that was read. A number that was wrong is remembered as a fault, and 1 stands in for it.
fn id_of<I: TryFrom<i64, Error = NotAnId>>(number: i64) -> I {
    I::try_from(number.max(1)).expect("an integer from 1 to 2⁵³ − 1 is an id")
}

/// What is wrong with `text`, if it must have `length` characters. Where it may not be empty, something of it can be seen.
fn wrong_with_text(text: &str, length: &RangeInclusive<usize>) -> Option<Text> {
    wrong_with_length(text, length).or_else(|| (*length.start() > 0 && !visible::has_visible(text)).then(empty))
}

fn empty() -> Text {
    Text::new("ne doit pas être vide", "must not be empty")
}

/// What is wrong with `text`, if it must have `length` characters, whatever they show.
fn wrong_with_length(text: &str, length: &RangeInclusive<usize>) -> Option<Text> {
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
            1 => empty(),
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

/// Whether a value is an integer, of those that not every client can hold.
fn is_large_integer(value: &Value, textual: bool) -> bool {
    match value {
        Value::Number(number) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|f| f.fract() == 0.0)
        }
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            textual && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
