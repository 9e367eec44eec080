//! The colour space that documents are in, as an ICC profile: sRGB (IEC 61966-2-1) for a D50 connection space.
//!
//! Version 2 of the ICC format (ICC.1:2001-04), which every checker of PDF/A accepts.

/// Points of the curve between black and white.
const CURVE_POINTS: u16 = 256;

/// The profile's bytes.
#[must_use]
pub fn profile() -> Vec<u8> {
    let curve = curve();
    let tags: [(&[u8; 4], Vec<u8>); 9] = [
        (b"desc", description("sRGB IEC61966-2.1")),
        (b"cprt", [b"text\0\0\0\0".as_slice(), b"Public domain\0"].concat()),
        (b"wtpt", xyz([0.9642, 1.0, 0.8249])),
        (b"rXYZ", xyz([0.436_07, 0.222_49, 0.013_92])),
        (b"gXYZ", xyz([0.385_15, 0.716_87, 0.097_08])),
        (b"bXYZ", xyz([0.143_07, 0.060_61, 0.714_10])),
        (b"rTRC", curve.clone()),
        (b"gTRC", curve.clone()),
        (b"bTRC", curve),
    ];
    let mut table = Vec::new();
    let mut data = Vec::new();
    let begin = 128 + 4 + 12 * tags.len();
    table.extend_from_slice(&u32_of(tags.len()));
    for (name, content) in &tags {
        table.extend_from_slice(*name);
        table.extend_from_slice(&u32_of(begin + data.len()));
        table.extend_from_slice(&u32_of(content.len()));
        data.extend_from_slice(content);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    [header(begin + data.len()), table, data].concat()
}

fn header(size: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(128);
    header.extend_from_slice(&u32_of(size));
    header.extend_from_slice(b"\0\0\0\0\x02\x10\0\0mntrRGB XYZ ");
    for part in [2026_u16, 1, 1, 0, 0, 0] {
        header.extend_from_slice(&part.to_be_bytes());
    }
    header.extend_from_slice(b"acsp");
    header.resize(68, 0);
    header.extend_from_slice(&xyz([0.9642, 1.0, 0.8249])[8..]);
    header.resize(128, 0);
    header
}

fn description(text: &str) -> Vec<u8> {
    let mut tag = b"desc\0\0\0\0".to_vec();
    tag.extend_from_slice(&u32_of(text.len() + 1));
    tag.extend_from_slice(text.as_bytes());
    tag.push(0);
    // No text in Unicode, none for the Macintosh: lengths of zero and the fixed room of the latter.
    tag.resize(tag.len() + 4 + 4 + 2 + 1 + 67, 0);
    tag
}

fn xyz(values: [f64; 3]) -> Vec<u8> {
    let mut tag = b"XYZ \0\0\0\0".to_vec();
    for value in values {
        tag.extend_from_slice(&((value * 65_536.0).round() as i32).to_be_bytes());
    }
    tag
}

fn curve() -> Vec<u8> {
    let mut tag = b"curv\0\0\0\0".to_vec();
    tag.extend_from_slice(&u32::from(CURVE_POINTS).to_be_bytes());
    for point in 0..CURVE_POINTS {
        let encoded = f64::from(point) / f64::from(CURVE_POINTS - 1);
        let linear = if encoded <= 0.040_45 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) };
        tag.extend_from_slice(&((linear * 65_535.0).round() as u16).to_be_bytes());
    }
    tag
}

fn u32_of(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_says_how_long_it_is_and_where_its_tags_are() {
        let profile = profile();
        let number = |at: usize| u32::from_be_bytes(profile[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(number(0), profile.len());
        assert_eq!(&profile[36..40], b"acsp");
        for tag in 0..number(128) {
            let (offset, size) = (number(132 + 12 * tag + 4), number(132 + 12 * tag + 8));
            assert!(offset % 4 == 0 && offset + size <= profile.len());
        }
    }
}
