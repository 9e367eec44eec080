//! A ZIP archive that is written while it is sent: names, sizes and then bytes, in order, nothing packed.
//!
//! All sizes are known in advance, so the archive's own is as well, and each header is final when it leaves: no reader has to
//! look for sizes behind the bytes. Beyond four gigabytes or 65 534 files the 64-bit fields of the format are used.
//!
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

use time::OffsetDateTime;

use crate::model::timestamp::Timestamp;

/// From this value on a field of 32 or 16 bits says that a longer one holds the number.
const LONG: u64 = 0xffff_ffff;
const MANY: u64 = 0xffff;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// Readers of version 2.0, or 4.5 for 64-bit fields.
const PLAIN: u16 = 20;
const ZIP64: u16 = 45;

/// A file of the archive.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name in the archive, a path of one segment.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was last changed.
    pub at: Timestamp,
}

/// The frame around the files' bytes.
#[derive(Debug)]
pub struct Archive {
    parts: Vec<Part>,
    checksums: Vec<u32>,
}

impl Archive {
    /// An archive of these files, in this order.
    pub fn new(parts: Vec<Part>) -> Archive {
        let checksums = vec![0; parts.len()];
        Archive { parts, checksums }
    }

    /// Bytes of the whole archive.
    pub fn size(&self) -> u64 {
        let bodies = self.parts.iter().map(|part| header(part, 0).len() as u64 + part.size);
        bodies.sum::<u64>() + self.ending().len() as u64
    }

    /// What stands before the bytes of a file with this checksum (CRC-32).
    pub fn begin(&mut self, index: usize, checksum: u32) -> Vec<u8> {
        self.checksums[index] = checksum;
        header(&self.parts[index], checksum)
    }

    /// What stands behind all files: the directory, and where it is.
    pub fn ending(&self) -> Vec<u8> {
        let (mut directory, mut offset) = (Vec::new(), 0);
        for (part, checksum) in self.parts.iter().zip(&self.checksums) {
            directory.extend(entry(part, *checksum, offset));
            offset += header(part, *checksum).len() as u64 + part.size;
        }
        let (count, length) = (self.parts.len() as u64, directory.len() as u64);
        let mut ending = directory;
        if count >= MANY || offset >= LONG || length >= LONG {
            ending.extend(locator(count, length, offset));
        }
        ending.extend(0x0605_4b50_u32.to_le_bytes());
        ending.extend([0; 4]);
        ending.extend(short(count).to_le_bytes());
        ending.extend(short(count).to_le_bytes());
        ending.extend(word(length).to_le_bytes());
        ending.extend(word(offset).to_le_bytes());
        ending.extend([0; 2]);
        ending
    }
}

/// The 64-bit end of the directory, and where that is.
fn locator(count: u64, length: u64, offset: u64) -> Vec<u8> {
    let mut bytes = 0x0606_4b50_u32.to_le_bytes().to_vec();
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend(ZIP64.to_le_bytes());
    bytes.extend(ZIP64.to_le_bytes());
    bytes.extend([0; 8]);
    for number in [count, count, length, offset] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(0x0706_4b50_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((offset + length).to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes
}

fn header(part: &Part, checksum: u32) -> Vec<u8> {
    let long = if part.size >= LONG { vec![part.size, part.size] } else { Vec::new() };
    let mut bytes = 0x0403_4b50_u32.to_le_bytes().to_vec();
    bytes.extend(common(part, checksum, &long));
    bytes.extend(part.name.as_bytes());
    bytes.extend(extra(&long));
    bytes
}

fn entry(part: &Part, checksum: u32, offset: u64) -> Vec<u8> {
    let mut long = if part.size >= LONG { vec![part.size, part.size] } else { Vec::new() };
    long.extend((offset >= LONG).then_some(offset));
    let mut bytes = 0x0201_4b50_u32.to_le_bytes().to_vec();
    bytes.extend(ZIP64.to_le_bytes());
    bytes.extend(common(part, checksum, &long));
    bytes.extend([0; 10]);
    bytes.extend(word(offset).to_le_bytes());
    bytes.extend(part.name.as_bytes());
    bytes.extend(extra(&long));
    bytes
}

/// What a header and an entry of the directory have in common, from the version to the length of the extra field.
fn common(part: &Part, checksum: u32, long: &[u64]) -> Vec<u8> {
    let (date, clock) = moment(part.at);
    let mut bytes = Vec::with_capacity(26);
    for number in [if long.is_empty() { PLAIN } else { ZIP64 }, FLAGS, 0, clock, date] {
        bytes.extend(number.to_le_bytes());
    }
    for number in [checksum, word(part.size), word(part.size)] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(short(part.name.len() as u64).to_le_bytes());
    bytes.extend(short(extra(long).len() as u64).to_le_bytes());
    bytes
}

fn extra(long: &[u64]) -> Vec<u8> {
    if long.is_empty() {
        return Vec::new();
    }
    let mut bytes = 1_u16.to_le_bytes().to_vec();
    bytes.extend(short(8 * long.len() as u64).to_le_bytes());
    bytes.extend(long.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

fn word(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn short(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Date and time as MS-DOS counts them, to two seconds; UTC, for want of a place.
fn moment(at: Timestamp) -> (u16, u16) {
    let moment = OffsetDateTime::from_unix_timestamp(at.as_secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let year = u16::try_from(moment.year().clamp(1980, 2107) - 1980).unwrap_or(0);
    let date = year << 9 | u16::from(u8::from(moment.month())) << 5 | u16::from(moment.day());
    let clock = u16::from(moment.hour()) << 11 | u16::from(moment.minute()) << 5 | u16::from(moment.second() / 2);
    (date, clock)
}

/// The same names, so that each stands for one file, also where small and capital letters are the same: the second
/// `contrat.pdf` is `contrat (2).pdf`.
pub fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    let mut next = std::collections::HashMap::new();
    let mut given = Vec::new();
    for name in names {
        let (stem, ending) = match name.rfind('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name.as_str(), ""),
        };
        let number: &mut u32 = next.entry(name.to_lowercase()).or_insert(1);
        let mut candidate = if *number == 1 { name.clone() } else { format!("{stem} ({number}){ending}") };
        while !taken.insert(candidate.to_lowercase()) {
            *number += 1;
            candidate = format!("{stem} ({number}){ending}");
        }
        *number += 1;
        given.push(candidate);
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, size: u64) -> Part {
        Part { name: name.to_owned(), size, at: Timestamp::from_millis(1_795_347_142_258) }
    }

    fn number(bytes: &[u8]) -> u64 {
        bytes.iter().rev().fold(0, |whole, byte| whole << 8 | u64::from(*byte))
    }

    #[test]
    fn each_name_stands_for_one_file() {
        let names = ["a.pdf", "A.PDF", "a.pdf", "a (2).pdf", "sans", "sans", ".profile", ".profile"];
        let expected =
            ["a.pdf", "A (2).PDF", "a (3).pdf", "a (2) (2).pdf", "sans", "sans (2)", ".profile", ".profile (2)"];
        assert_eq!(distinct(names.map(str::to_owned)), expected);
    }

    #[test]
    fn the_size_is_known_before_the_bytes() {
        let mut archive = Archive::new(vec![part("un.txt", 3), part("dos é.txt", 0)]);
        let size = archive.size();
        let mut whole = archive.begin(0, 0x1234_5678);
        whole.extend(b"abc");
        whole.extend(archive.begin(1, 0));
        whole.extend(archive.ending());
        assert_eq!(whole.len() as u64, size);
        let end = whole.len() - 22;
        let directory = number(&whole[end + 16..end + 20]) as usize;
        assert_eq!((number(&whole[end + 10..end + 12]), &whole[directory..directory + 4]), (2, &b"PK\x01\x02"[..]));
        assert_eq!(number(&whole[directory + 16..directory + 20]), 0x1234_5678);
        // 2026-11-22, 11:32:22.
        assert_eq!((number(&whole[12..14]), number(&whole[10..12])), (46 << 9 | 11 << 5 | 22, 11 << 11 | 32 << 5 | 11));
    }

    #[test]
    fn what_is_too_large_for_short_fields_stands_in_long_ones() {
        let archive = Archive::new(vec![part("groß.bin", LONG + 7), part("b", 1)]);
        let ending = archive.ending();
        let first = header(&archive.parts[0], 0);
        assert_eq!(&first[18..26], [0xff; 8]);
        assert_eq!(number(&first[first.len() - 16..first.len() - 8]), LONG + 7);
        let end = ending.len() - 22;
        assert_eq!(&ending[end + 16..end + 20], [0xff; 4], "the place of the directory is beyond four gigabytes");
        let found = number(&ending[end - 12..end - 4]) - (archive.size() - ending.len() as u64);
        assert_eq!(&ending[found as usize..found as usize + 4], b"PK\x06\x06");
        let many = Archive::new((0..70_000).map(|n| part(&n.to_string(), 0)).collect());
        assert!(many.ending().windows(4).any(|window| window == b"PK\x06\x07"));
    }
}
