//! Looking through the bytes of a text, many at once: every text that is sent comes through here.

/// Bytes that are looked at in one go.
const AT_ONCE: usize = 16;

/// Where the first byte is that ends something; the text's length if there is none.
pub(super) fn until(text: &str, ends: impl Fn(u8) -> bool + Copy) -> usize {
    let has_none = |chunk: &&[u8]| !chunk.iter().fold(false, |found, byte| found | ends(*byte));
    let length = AT_ONCE * text.as_bytes().chunks_exact(AT_ONCE).take_while(has_none).count();
    let rest = &text.as_bytes()[length..];
    length + rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_found_wherever_it_stands() {
        for length in 0..50 {
            for at in 0..=length {
                let text = format!("{}.{}", "a".repeat(at), ".a".repeat(length - at));
                assert_eq!(until(&text, |byte| byte == b'.'), at);
                assert_eq!(until(&text, |byte| byte == b'-'), text.len());
            }
        }
    }
}
