//! A recording of a browser, made seekable: how long it is, and where one may begin to play.
//!
//! `MediaRecorder` writes WebM as it comes: nobody knew how long it would become, and so neither its duration nor an index
//! stands in it. Both are added without moving what was recorded: room for a longer head was left in front of it when it
//! began to arrive, and the index (Cues) goes behind it.
//!
//! ```text
//! arrived   room ‥‥‥ │ EBML  Segment  Info  Tracks │ Cluster  Cluster … │ half a block
//! kept      EBML  Segment  SeekHead  Info  Tracks  Void │ Cluster  Cluster … │ Cues
//! ```
//!
//! The bytes come from the network, in parts of any size. They are looked at once, in bounded memory, and whatever they are,
//! nothing here panics: what follows the last whole block is cut off, and what is no recording is [`Unusable`]. The formats:
//! RFC 8794 (EBML), RFC 9559 (Matroska), <https://www.webmproject.org/docs/container/>.

use std::time::Duration;

use crate::documents::webm::ebml::{Found, HEAD_BYTES_MAX, Head};
use crate::documents::webm::ids::{
    BLOCK, BLOCK_GROUP, CLUSTER, CUES, DOC_TYPE, EBML, INFO, OF_SEGMENT, PIXEL_HEIGHT, PIXEL_WIDTH, REFERENCE_BLOCK,
    SEGMENT, SIMPLE_BLOCK, TIMESTAMP, TIMESTAMP_SCALE, TRACK_ENTRY, TRACK_NUMBER, TRACK_TYPE, TRACKS, VIDEO, VOID,
};
use crate::documents::webm::layout::{cue_point, info_element, seek_head};
use crate::model::recording::HEAD_ROOM_BYTES;

mod ebml;
mod ids;
mod layout;

/// Bytes of the longest element that is kept whole, and of all that stands before the first cluster.
const HEAD_BYTES_LIMIT: u64 = 64 * 1024;
/// How far apart the places in the index are at least.
const CUE_DISTANCE_NS: u64 = 500_000_000;
/// Places in the index at most: half a second apart, more than a day.
const CUES_MAX: usize = 200_000;
/// Bytes of a block that say whose it is and when: a number of at most eight, a time of two, flags.
const BLOCK_HEAD_BYTES: usize = 11;
const NS_PER_TICK: u64 = 1_000_000;

/// There is nothing in it that could be played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is no WebM with anything in it")]
pub struct Unusable;

/// How a recording that has arrived becomes a file that seeks.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// What stands before the first cluster, in the place of the room that was left and of the head that arrived.
    pub head: Vec<u8>,
    /// Bytes of what arrived that stay, its head included; what follows is cut off.
    pub body_end: u64,
    /// What follows then: the index.
    pub tail: Vec<u8>,
    /// How long it is.
    pub duration: Duration,
    /// Width and height in pixels, where there are pictures.
    pub dimensions: Option<(u32, u32)>,
}

/// Whether something begins as a recording does.
#[must_use]
pub fn begins_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&EBML.to_be_bytes())
}

/// Looks at a recording as it comes.
#[derive(Debug, Default)]
pub struct Scanner {
    /// Bytes that were looked at.
    at: u64,
    /// Those after them that have come, behind some that were looked at.
    waiting: Vec<u8>,
    /// How many of those.
    seen: usize,
    /// Bytes of the present element that mean nothing here.
    skip: u64,
    is_over: bool,
    ebml: Option<Vec<u8>>,
    is_in_segment: bool,
    info: Option<Vec<u8>>,
    tracks: Option<Tracks>,
    first_cluster: Option<u64>,
    cluster: Option<Cluster>,
    group: Option<Group>,
    /// The block that is whole once the present element is.
    block: Option<Block>,
    cues: Vec<Cue>,
    last_tick: Option<u64>,
    sound: Sound,
}

/// Up to where all is whole.
#[derive(Clone, Copy, Debug, Default)]
struct Sound {
    end: u64,
    cues: usize,
    last_tick: Option<u64>,
}

#[derive(Debug)]
struct Tracks {
    element: Vec<u8>,
    /// The track by which one seeks: the first with pictures, or else the first.
    main: u64,
    dimensions: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Cluster {
    start: u64,
    end: Option<u64>,
    tick: u64,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    end: u64,
    block: Option<Block>,
    is_key: bool,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    track: u64,
    tick: u64,
    is_key: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cue {
    tick: u64,
    cluster: u64,
}

/// What came of a look.
enum Step {
    Done,
    TooShort,
    Malformed,
}

impl Scanner {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.is_over {
            return;
        }
        let skipped = self.skip.min(bytes.len() as u64);
        self.pass(skipped);
        self.waiting.extend_from_slice(&bytes[usize::try_from(skipped).unwrap_or(bytes.len())..]);
        while self.skip == 0 {
            match self.step() {
                Step::Done => {}
                Step::TooShort => break,
                Step::Malformed => {
                    self.is_over = true;
                    break;
                }
            }
        }
        self.waiting.drain(..self.seen);
        self.seen = 0;
    }

    /// What is to be done with what came.
    ///
    /// # Errors
    /// [`Unusable`] where there is not one whole block.
    pub fn finish(self) -> Result<Plan, Unusable> {
        let Self { ebml: Some(ebml), info, tracks: Some(tracks), first_cluster: Some(first), sound, cues, .. } = self
        else {
            return Err(Unusable);
        };
        let last_tick = sound.last_tick.ok_or(Unusable)?;
        let info = info.unwrap_or_default();
        let scale = scale_of(&info);
        let head_bytes = HEAD_ROOM_BYTES + first;
        // Where the segment's payload begins: its head is an id of four bytes and a size of eight.
        let origin = ebml.len() as u64 + 12;
        let place = |offset: u64| (HEAD_ROOM_BYTES + offset).checked_sub(origin).ok_or(Unusable);
        let mut index = Vec::new();
        for cue in cues.iter().take(sound.cues) {
            index.extend(cue_point(cue.tick, tracks.main, place(cue.cluster)?));
        }
        let tail = ebml::element(CUES, &index);
        let info = info_element(&info, last_tick);
        let seek_head = seek_head(info.len() as u64, place(sound.end)?);
        let mut head = ebml;
        head.extend(SEGMENT.to_be_bytes());
        // What has a size may hold nothing that has none, and browsers give their clusters none.
        head.extend(ebml::UNKNOWN_SIZE);
        for part in [&seek_head, &info, &tracks.element] {
            head.extend_from_slice(part);
        }
        let room = head_bytes.checked_sub(head.len() as u64).and_then(|room| room.checked_sub(9)).ok_or(Unusable)?;
        head.extend(ebml::id_bytes(VOID));
        head.extend(ebml::long_size(room));
        head.resize(usize::try_from(head_bytes).map_err(|_| Unusable)?, 0);
        let duration = Duration::from_nanos(last_tick.saturating_mul(scale));
        Ok(Plan { head, body_end: sound.end, tail, duration, dimensions: tracks.dimensions })
    }

    /// Looks at the next element, as far as it has come.
    fn step(&mut self) -> Step {
        let Head { id, size, length } = match ebml::head(self.come()) {
            Found::Head(head) => head,
            Found::TooShort => return Step::TooShort,
            Found::Malformed => return Step::Malformed,
        };
        match (&self.ebml, self.is_in_segment) {
            (None, _) => self.keep(id, size, length, &[EBML]),
            (Some(_), false) if id == SEGMENT => {
                self.is_in_segment = true;
                self.take(length)
            }
            (Some(_), false) => Step::Malformed,
            (Some(_), true) => {
                let is_open = self.cluster.is_some_and(|cluster| cluster.end.is_none()) && self.group.is_none();
                if is_open && OF_SEGMENT.contains(&id) {
                    self.cluster = None;
                }
                match self.cluster {
                    Some(cluster) => self.in_cluster(cluster, id, size, length),
                    None => self.in_segment(id, size, length),
                }
            }
        }
    }

    fn in_segment(&mut self, id: u32, size: Option<u64>, length: usize) -> Step {
        let has_begun = self.first_cluster.is_some();
        match (id, size) {
            // Another recording behind this one: only the first can be played.
            (EBML | SEGMENT, _) => Step::Malformed,
            (CLUSTER, size) if self.tracks.is_some() => {
                let end = size.map(|size| self.at.saturating_add(length as u64).saturating_add(size));
                self.first_cluster.get_or_insert(self.at);
                self.cluster = Some(Cluster { start: self.at, end, tick: 0 });
                self.take(length)
            }
            (INFO | TRACKS, _) if !has_begun => self.keep(id, size, length, &[INFO, TRACKS]),
            (CLUSTER, _) | (_, None) => Step::Malformed,
            (_, Some(size)) if !has_begun && self.at.saturating_add(size) > HEAD_BYTES_LIMIT => Step::Malformed,
            (_, Some(size)) => self.take_and_skip(length, size),
        }
    }

    fn in_cluster(&mut self, cluster: Cluster, id: u32, size: Option<u64>, length: usize) -> Step {
        let Some(size) = size else { return Step::Malformed };
        let end = self.at.saturating_add(length as u64).saturating_add(size);
        let bound = self.group.map(|group| group.end).or(cluster.end);
        if bound.is_some_and(|bound| end > bound) {
            return Step::Malformed;
        }
        match (id, self.group.is_some()) {
            (TIMESTAMP, false) if size <= 8 => {
                let Some(payload) = self.come().get(length..length + size as usize) else { return Step::TooShort };
                let tick = ebml::unsigned(payload).unwrap_or(0);
                self.cluster = Some(Cluster { tick, ..cluster });
                self.take_and_skip(length, size)
            }
            (BLOCK_GROUP, false) => {
                self.group = Some(Group { end, block: None, is_key: true });
                self.take(length)
            }
            (SIMPLE_BLOCK, false) | (BLOCK, true) => {
                let wanted = usize::try_from(size).unwrap_or(BLOCK_HEAD_BYTES).min(BLOCK_HEAD_BYTES);
                let Some(payload) = self.come().get(length..length + wanted) else { return Step::TooShort };
                let Some(block) = block(payload, cluster.tick) else { return Step::Malformed };
                match &mut self.group {
                    Some(group) => group.block = Some(block),
                    None => self.block = Some(block),
                }
                self.take_and_skip(length, size)
            }
            (REFERENCE_BLOCK, true) => {
                self.group = self.group.map(|group| Group { is_key: false, ..group });
                self.take_and_skip(length, size)
            }
            _ => self.take_and_skip(length, size),
        }
    }

    /// Keeps a whole element that belongs to the head.
    fn keep(&mut self, id: u32, size: Option<u64>, length: usize, expected: &[u32]) -> Step {
        let Some(size) = size.filter(|size| self.at.saturating_add(*size) <= HEAD_BYTES_LIMIT) else {
            return Step::Malformed;
        };
        if !expected.contains(&id) {
            return Step::Malformed;
        }
        let end = length + usize::try_from(size).unwrap_or(usize::MAX - HEAD_BYTES_MAX);
        let Some(element) = self.waiting.get(self.seen..).and_then(|come| come.get(..end)) else {
            return Step::TooShort;
        };
        let payload = &element[length..];
        match id {
            EBML if ebml::children(payload).any(|child| child == (DOC_TYPE, b"webm")) => {
                self.ebml = Some(element.to_vec());
            }
            INFO => self.info = Some(payload.to_vec()),
            TRACKS => match tracks(payload) {
                Some(tracks) => self.tracks = Some(tracks),
                None => return Step::Malformed,
            },
            _ => return Step::Malformed,
        }
        self.take(end)
    }

    /// What has come and was not looked at.
    fn come(&self) -> &[u8] {
        self.waiting.get(self.seen..).unwrap_or_default()
    }

    /// Goes behind bytes that have come.
    fn take(&mut self, length: usize) -> Step {
        self.seen += length;
        self.at += length as u64;
        self.settle();
        Step::Done
    }

    /// Goes behind the head of an element, and behind the rest of it as it comes.
    fn take_and_skip(&mut self, length: usize, size: u64) -> Step {
        self.seen += length;
        self.at += length as u64;
        self.skip = size;
        let come = size.min(self.come().len() as u64);
        self.seen += usize::try_from(come).unwrap_or(0);
        self.pass(come);
        if size == 0 {
            self.settle();
        }
        Step::Done
    }

    /// Goes behind bytes that mean nothing here.
    fn pass(&mut self, bytes: u64) {
        self.at += bytes;
        self.skip -= bytes;
        if bytes > 0 && self.skip == 0 {
            self.settle();
        }
    }

    /// Notes what is whole now that an element, or its head, was gone behind.
    fn settle(&mut self) {
        if let Some(block) = self.block.take() {
            self.note(block);
        }
        if let Some(group) = self.group.filter(|group| self.at >= group.end) {
            self.group = None;
            if let Some(block) = group.block {
                self.note(Block { is_key: group.is_key, ..block });
            }
        }
        if self.cluster.is_some_and(|cluster| cluster.end.is_some_and(|end| self.at >= end)) {
            self.cluster = None;
        }
        let is_whole = self.group.is_none() && self.cluster.is_none_or(|cluster| cluster.end.is_none());
        if is_whole && self.first_cluster.is_some() {
            self.sound = Sound { end: self.at, cues: self.cues.len(), last_tick: self.last_tick };
        }
    }

    fn note(&mut self, block: Block) {
        self.last_tick = self.last_tick.max(Some(block.tick));
        let (Some(tracks), Some(cluster)) = (&self.tracks, self.cluster) else { return };
        let distance = CUE_DISTANCE_NS / scale_of(self.info.as_deref().unwrap_or_default());
        let is_far = self.cues.last().is_none_or(|cue| block.tick >= cue.tick.saturating_add(distance));
        if block.is_key && block.track == tracks.main && is_far && self.cues.len() < CUES_MAX {
            self.cues.push(Cue { tick: block.tick, cluster: cluster.start });
        }
    }
}

/// Nanoseconds of a tick.
fn scale_of(info: &[u8]) -> u64 {
    let scale = ebml::children(info).find(|(id, _)| *id == TIMESTAMP_SCALE);
    scale.and_then(|(_, payload)| ebml::unsigned(payload)).filter(|scale| *scale > 0).unwrap_or(NS_PER_TICK)
}

fn tracks(payload: &[u8]) -> Option<Tracks> {
    let (mut first, mut pictures) = (None, None);
    for (_, entry) in ebml::children(payload).filter(|(id, _)| *id == TRACK_ENTRY) {
        let of = |wanted| ebml::children(entry).find(|(id, _)| *id == wanted).map(|(_, payload)| payload);
        let number = of(TRACK_NUMBER).and_then(ebml::unsigned)?;
        first.get_or_insert(number);
        if of(TRACK_TYPE).and_then(ebml::unsigned) == Some(1) && pictures.is_none() {
            let of_video = |wanted| {
                let found = ebml::children(of(VIDEO).unwrap_or_default()).find(|(id, _)| *id == wanted);
                found.and_then(|(_, payload)| ebml::unsigned(payload)).and_then(|pixels| u32::try_from(pixels).ok())
            };
            pictures = Some((number, of_video(PIXEL_WIDTH).zip(of_video(PIXEL_HEIGHT))));
        }
    }
    let (main, dimensions) = pictures.or(first.map(|number| (number, None)))?;
    Some(Tracks { element: ebml::element(TRACKS, payload), main, dimensions })
}

/// Whose a block is, and when.
fn block(payload: &[u8], cluster_tick: u64) -> Option<Block> {
    let length = payload.first()?.leading_zeros() as usize + 1;
    let number = payload.get(..length).filter(|_| length <= 8)?;
    let track = ebml::unsigned(number)? & ((1 << (7 * length)) - 1);
    let time = i16::from_be_bytes([*payload.get(length)?, *payload.get(length + 1)?]);
    let flags = payload.get(length + 2)?;
    Some(Block { track, tick: cluster_tick.saturating_add_signed(time.into()), is_key: flags & 0x80 != 0 })
}

#[cfg(test)]
mod tests;
