//! JSON of JavaScript's, whose texts may hold halves of surrogate pairs.

use serde::de::DeserializeOwned;

/// Reads JSON. Halves of surrogate pairs, which JavaScript's texts may hold and ours may not, become replacement characters:
/// its own reader takes them, and what they stand in deserves an answer.
pub(super) fn read_mended<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&mended(json)))
}

/// The same JSON with the replacement character in their places.
pub(super) fn mended(json: &str) -> String {
    let unit_at = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    let (mut whole, mut at) = (String::with_capacity(json.len()), 0);
    while let Some(found) = json[at..].find('\\') {
        let escape = at + found;
        whole.push_str(&json[at..escape]);
        let (first, second) = (unit_at(escape), unit_at(escape + 6));
        let (text, length) = match (first, second) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (json.get(escape..escape + 12), 12),
            (Some(0xd800..=0xdfff), _) => (Some("\\ufffd"), 6),
            (Some(_), _) => (json.get(escape..escape + 6), 6),
            (None, _) => (json.get(escape..escape + 2), 2),
        };
        // A backslash before a letter of several bytes, or at the end, is no JSON anyway.
        let Some(text) = text else { break };
        whole.push_str(text);
        at = escape + length;
    }
    whole.push_str(&json[at..]);
    whole
}
