//! Rooms that nobody can guess.

use std::fmt;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::integrations::jws::CannotSign;

const PREFIX: &str = "lex-";
/// RFC 4648's base32 in lower case: Jitsi compares rooms in lower case.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const BITS: usize = 128;

/// The name of a room: `lex-` and 26 letters and digits from 128 random bits. Who knows it could try to enter, so it is in no
/// `Debug` output.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Room(String);

/// Not a name that [`Room::generate`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a room")]
pub struct BadRoom;

impl Room {
    /// A new room.
    ///
    /// # Errors
    ///
    /// Only where the system has no randomness.
    pub fn generate() -> Result<Room, CannotSign> {
        let mut random = [0; BITS / 8];
        SystemRandom::new().fill(&mut random)?;
        Ok(Room::from_bits(u128::from_be_bytes(random)))
    }

    /// A room that was generated before.
    ///
    /// # Errors
    ///
    /// [`BadRoom`].
    pub fn parse(text: &str) -> Result<Room, BadRoom> {
        let rest = text.strip_prefix(PREFIX).ok_or(BadRoom)?;
        let fits = rest.len() == BITS.div_ceil(5) && rest.bytes().all(|byte| LETTERS.contains(&byte));
        if fits { Ok(Room(text.to_owned())) } else { Err(BadRoom) }
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bits that name it.
    pub fn bits(&self) -> u128 {
        let value = |letter: u8| LETTERS.iter().position(|one| *one == letter).unwrap_or(0) as u128;
        let letters = self.0.bytes().skip(PREFIX.len()).enumerate();
        letters.fold(
            0,
            |bits, (index, letter)| if index < 25 { bits << 5 | value(letter) } else { bits << 3 | value(letter) >> 2 },
        )
    }

    /// The room that these bits name. The highest come first; the last letter has but three.
    pub fn from_bits(bits: u128) -> Room {
        let padded = |index: usize| if index < 25 { bits >> (123 - 5 * index) } else { bits << 2 };
        let letters = (0..BITS.div_ceil(5)).map(|index| char::from(LETTERS[(padded(index) & 31) as usize]));
        Room(PREFIX.chars().chain(letters).collect())
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another program's base32.
    #[test]
    fn a_room_is_the_base32_of_its_bits() {
        let bits = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;
        assert_eq!(Room::from_bits(bits).as_str(), "lex-aaisem2ekvthpcezvk54zxpo74");
        assert_eq!(Room::from_bits(u128::MAX).as_str(), "lex-77777777777777777777777774");
        for bits in [0, 1, bits, u128::MAX, u128::MAX - 1] {
            assert_eq!(Room::from_bits(bits).bits(), bits);
        }
    }

    #[test]
    fn rooms_differ_and_are_recognised() {
        let (one, other) = (Room::generate().unwrap(), Room::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(Room::parse(one.as_str()), Ok(one.clone()));
        for text in [
            "",
            "lex-",
            "lex-aaisem2ekvthpcezvk54zxpo7",
            "lex-AAISEM2EKVTHPCEZVK54ZXPO74",
            "aaisem2ekvthpcezvk54zxpo74",
            "lex-aaisem2ekvthpcezvk54zxpo7/",
            "lex-aaisem2ekvthpcezvk54zxpo71",
        ] {
            assert_eq!(Room::parse(text), Err(BadRoom), "{text}");
        }
        assert_eq!(format!("{one:?}"), "Room(…)");
    }
}
