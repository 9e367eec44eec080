//! `Content-Disposition` for files whose names strangers chose (RFC 6266, RFC 5987).
//!
//! The name travels twice: as ASCII that every client reads, and as UTF-8. Neither can break out of its header, name a
//! path, or hide its ending behind bidirectional marks.

use hyper::header::HeaderValue;

/// How a file is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Shown in the page.
    Inline,
    /// Saved to disk.
    Attachment,
}

/// The header's value for a file called `name`.
pub fn header_value(disposition: Disposition, name: &str) -> HeaderValue {
    let kind = match disposition {
        Disposition::Inline => "inline",
        Disposition::Attachment => "attachment",
    };
    let safe: String = name.chars().map(|c| if is_unsafe(c) { '_' } else { c }).collect();
    let ascii: String = safe.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in safe.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    let text = format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).expect("only printable ASCII is left")
}

/// Controls, separators, quotes, and marks that change the direction of reading.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | '"' | ';' | ':' | '<' | '>' | '|' | '*' | '?')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{Disposition, header_value};

    #[test]
    fn hostile_names_stay_inside_their_header() {
        for (name, expected) in [
            ("contrat.pdf", "attachment; filename=\"contrat.pdf\"; filename*=UTF-8''contrat.pdf"),
            (
                "résumé €.pdf",
                "attachment; filename=\"r_sum_ _.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%E2%82%AC.pdf",
            ),
            ("a\"b\r\nX: y", "attachment; filename=\"a_b__X_ y\"; filename*=UTF-8''a_b__X_%20y"),
            ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''.._.._etc_passwd"),
            ("photo\u{202e}gpj.exe", "attachment; filename=\"photo_gpj.exe\"; filename*=UTF-8''photo_gpj.exe"),
            ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ] {
            assert_eq!(header_value(Disposition::Attachment, name), expected, "{name}");
        }
    }
}
