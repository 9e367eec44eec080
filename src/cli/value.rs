//! Values that several flags take: bounded numbers, spans of time.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;

/// A whole number; below `least` nothing would work.
pub(super) fn at_least<T: TryFrom<u64> + Clone + Send + Sync + 'static>(least: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(least..)
}

/// Reads a number of bytes: a whole number, with `KiB`, `MiB` or `GiB` where it is meant in those.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let refused =
        || format!("'{text}' is no size: expected a number of bytes, or one with KiB, MiB or GiB, such as 2GiB");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let bytes: u64 = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(refused()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes)).ok_or_else(refused)
}

/// Reads a span of time: a whole number and its unit, `s`, `m`, `h` or `d`; or `0`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let refused = || format!("'{text}' is no span of time: expected a number with s, m, h or d, such as 24h");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds: u64 = match unit {
        "" if number == "0" => 0,
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(refused()),
    };
    let number: u64 = number.parse().map_err(|_| refused())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(refused)
}
