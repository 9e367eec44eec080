//! What a part of a form says about itself: the field that it is for, and what its file is called (RFC 7578).
//!
//! Programs write file names in many ways: in UTF-8 or in Windows-1252, with escapes (`%E9`) or behind `filename*=` with the
//! name of the encoding. Each is read as what its author sees.

use hyper::header::{self, HeaderMap};

use crate::http::request::text_from;

/// The field's and the file's name.
pub fn read(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let Some(value) = headers.get(header::CONTENT_DISPOSITION) else { return (None, None) };
    let (mut field, mut file, mut extended) = (None, None, None);
    for (name, value) in parameters(value.as_bytes()) {
        match name.as_str() {
            "name" => field = Some(text_from(value)),
            "filename" => file = Some(unescaped(value)),
            "filename*" => extended = decoded(&value),
            _ => {}
        }
    }
    (field, extended.or(file))
}

/// The parameters behind the first semicolon, their names in small letters, quotes and backslashes taken away.
fn parameters(value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut rest = value.iter().copied().skip_while(|byte| *byte != b';').skip(1).peekable();
    let mut found = Vec::new();
    while rest.peek().is_some() {
        let (mut name, mut value) = (Vec::new(), Vec::new());
        while let Some(byte) = rest.next_if(|byte| !matches!(byte, b'=' | b';')) {
            name.push(byte);
        }
        if rest.next() == Some(b'=') {
            while rest.next_if(|byte| *byte == b' ').is_some() {}
            let is_quoted = rest.next_if_eq(&b'"').is_some();
            while let Some(byte) = rest.next() {
                match byte {
                    b'"' if is_quoted => break,
                    b';' if !is_quoted => break,
                    // Some browsers put the folders of Windows in, with backslashes that escape nothing.
                    b'\\' if is_quoted && matches!(rest.peek(), Some(b'"' | b'\\')) => value.extend(rest.next()),
                    byte => value.push(byte),
                }
            }
            if is_quoted {
                while rest.next_if(|byte| *byte != b';').is_some() {}
                rest.next();
            }
        }
        let name = String::from_utf8_lossy(&name).trim().to_ascii_lowercase();
        found.push((name, if value.is_ascii() { value.trim_ascii().to_vec() } else { value }));
    }
    found
}

/// Browsers escape quotes and line ends in a name by `%`, others whole letters; a `%` that begins no escape is itself.
fn unescaped(value: Vec<u8>) -> String {
    text_from(percent_encoding::percent_decode(&value).collect())
}

/// `UTF-8''caf%C3%A9.pdf` (RFC 5987).
fn decoded(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (_encoding, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    Some(unescaped(text.to_vec()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn names_are_read_however_they_are_written() {
        for (value, field, file) in [
            (&b"form-data; name=\"file\"; filename=\"contrat.pdf\""[..], "file", "contrat.pdf"),
            (b"form-data; name=file; filename=contrat.pdf", "file", "contrat.pdf"),
            (b"form-data; filename=\"caf\xc3\xa9.pdf\"; name=\"file\"", "file", "caf\u{e9}.pdf"),
            (b"form-data; name=\"file\"; filename=\"caf\xe9 n\xb0 1.pdf\"", "file", "caf\u{e9} n\u{b0} 1.pdf"),
            (b"form-data; name=\"file\"; filename=\"caf%E9.pdf\"", "file", "caf\u{e9}.pdf"),
            (b"form-data; name=\"file\"; filename=\"a%22b;c.pdf\"", "file", "a\"b;c.pdf"),
            (b"form-data; name=\"file\"; filename=\"a\\\"b.pdf\"", "file", "a\"b.pdf"),
            (b"form-data; name=\"file\"; filename=\"100%.pdf\"", "file", "100%.pdf"),
            (b"form-data; name=\"file\"; filename=\"C:\\Temp\\a.pdf\"", "file", "C:\\Temp\\a.pdf"),
            (b"form-data; name=\"file\"; filename=\"x.pdf\"; filename*=UTF-8''%e2%82%ac.pdf", "file", "\u{20ac}.pdf"),
            (b"Form-Data; NAME = \"file\" ; FileName = \"x.pdf\"", "file", "x.pdf"),
            (b"form-data; name=\"file\"; filename*=iso-8859-1'fr'caf%E9.pdf", "file", "caf\u{e9}.pdf"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_bytes(value).unwrap());
            let names = (Some(field.to_owned()), Some(file.to_owned()));
            assert_eq!(read(&headers), names, "{}", String::from_utf8_lossy(value));
        }
        assert_eq!(read(&HeaderMap::new()), (None, None));
    }
}
