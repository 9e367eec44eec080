use super::ebml::{UNKNOWN_SIZE, children, element, head, id_bytes, long_size};
use super::ids::{
    BLOCK, CUE_CLUSTER_POSITION, CUE_POINT, CUE_TIME, CUE_TRACK_POSITIONS, DURATION, SEEK_HEAD, SEEK_ID, SEEK_POSITION,
};
use super::*;

const MUXER: u32 = 0x4d80;

/// Two pictures and a tone, as `MediaRecorder` gave them: when their last block is in milliseconds, and when
/// there are pictures that need no others, as ffprobe says.
const RECORDED: [(&str, &[u8], u64, [u64; 2]); 2] = [
    ("Chromium 156", include_bytes!("samples/chromium.webm"), 12_410, [219, 10_308]),
    ("Firefox 153", include_bytes!("samples/firefox.webm"), 10_726, [0, 6_542]),
];

fn ebml_head() -> Vec<u8> {
    element(EBML, &element(DOC_TYPE, b"webm"))
}

fn with_open_size(id: u32, payload: &[u8]) -> Vec<u8> {
    [id_bytes(id), UNKNOWN_SIZE.to_vec(), payload.to_vec()].concat()
}

fn simple_block(track: u8, time: i16, is_key: bool, bytes: usize) -> Vec<u8> {
    let [high, low] = time.to_be_bytes();
    let flags = if is_key { 0x80 } else { 0 };
    element(SIMPLE_BLOCK, &[&[0x80 | track, high, low, flags][..], &vec![0x55; bytes]].concat())
}

fn group(track: u8, time: i16, refers: bool) -> Vec<u8> {
    let [high, low] = time.to_be_bytes();
    let block = element(BLOCK, &[0x80 | track, high, low, 0, 1, 2, 3]);
    let reference = if refers { element(REFERENCE_BLOCK, &[0xff]) } else { Vec::new() };
    element(BLOCK_GROUP, &[block, reference].concat())
}

fn track(number: u8, kind: u8, rest: &[u8]) -> Vec<u8> {
    let payload = [element(TRACK_NUMBER, &[number]), element(TRACK_TYPE, &[kind]), rest.to_vec()];
    element(TRACK_ENTRY, &payload.concat())
}

fn segment_head(with_pictures: bool) -> Vec<u8> {
    let info = [element(TIMESTAMP_SCALE, &[0x0f, 0x42, 0x40]), element(MUXER, b"a browser")].concat();
    let size = [element(PIXEL_WIDTH, &[0x02, 0x80]), element(PIXEL_HEIGHT, &[0x01, 0xe0])].concat();
    let pictures = if with_pictures { track(2, 1, &element(VIDEO, &size)) } else { Vec::new() };
    [element(INFO, &info), element(TRACKS, &[track(1, 2, &[]), pictures].concat())].concat()
}

/// As browsers write: nothing that is open has a size.
fn open_clusters() -> Vec<Vec<u8>> {
    let cluster = |tick: u16| {
        let blocks = [
            element(TIMESTAMP, &tick.to_be_bytes()),
            simple_block(1, 0, true, 20),
            simple_block(2, 5, true, 300),
            simple_block(2, 40, false, 100),
            group(2, 80, true),
            simple_block(1, 90, true, 20),
        ];
        with_open_size(CLUSTER, &blocks.concat())
    };
    vec![cluster(0), cluster(1_000), cluster(2_000)]
}

/// As other writers do: each cluster has its size.
fn sized_clusters() -> Vec<Vec<u8>> {
    let cluster = |tick: u16| {
        let blocks = [element(TIMESTAMP, &tick.to_be_bytes()), group(2, 3, false), simple_block(1, 95, true, 20)];
        element(CLUSTER, &blocks.concat())
    };
    vec![cluster(0), cluster(1_000), cluster(2_000)]
}

fn recording(clusters: &[Vec<u8>]) -> Vec<u8> {
    [ebml_head(), with_open_size(SEGMENT, &segment_head(true)), clusters.concat()].concat()
}

fn plan_in_parts(bytes: &[u8], part: usize) -> Result<Plan, Unusable> {
    let mut scanner = Scanner::default();
    bytes.chunks(part).for_each(|part| scanner.push(part));
    scanner.finish()
}

fn plan(bytes: &[u8]) -> Result<Plan, Unusable> {
    plan_in_parts(bytes, bytes.len().max(1))
}

/// The file that comes of a recording, by what is said that is to be done with it.
fn made_seekable(bytes: &[u8], plan: &Plan) -> Vec<u8> {
    let body_from = plan.head.len() - HEAD_ROOM_BYTES as usize;
    let body = &bytes[body_from..usize::try_from(plan.body_end).unwrap()];
    [&plan.head[..], body, &plan.tail].concat()
}

/// The parts of a segment: of each its id, where it stands from the beginning of the payload, and its payload. A cluster
/// whose size is not known reaches up to the index.
fn parts_of(file: &[u8]) -> Vec<(u32, u64, Vec<u8>)> {
    let Found::Head(ebml) = head(file) else { panic!("no head") };
    let rest = &file[ebml.length + ebml.size.unwrap() as usize..];
    let Found::Head(segment) = head(rest) else { panic!("no segment") };
    assert_eq!((segment.id, segment.size), (SEGMENT, None), "what is in it may have no size either");
    let payload = &rest[segment.length..];
    let (mut at, mut parts) = (0, Vec::new());
    while at < payload.len() {
        let Found::Head(found) = head(&payload[at..]) else { panic!("no element at {at}") };
        let (start, from) = (at, at + found.length);
        at = match found.size {
            Some(size) => from + size as usize,
            None => {
                let is_next =
                    |at: &usize| [CLUSTER, CUES].iter().any(|id| payload[*at..].starts_with(&id.to_be_bytes()));
                (from..payload.len()).find(is_next).unwrap()
            }
        };
        parts.push((found.id, start as u64, payload[from..at].to_vec()));
    }
    parts
}

/// The places in the index: when each is, and where it leads.
fn places_of(cues: &[u8]) -> Vec<(u64, u64)> {
    let place = |(id, point): (u32, &[u8])| {
        assert_eq!(id, CUE_POINT);
        (number(point, CUE_TIME), number(&one(point, CUE_TRACK_POSITIONS), CUE_CLUSTER_POSITION))
    };
    children(cues).map(place).collect()
}

fn one(payload: &[u8], id: u32) -> Vec<u8> {
    children(payload).find(|(found, _)| *found == id).unwrap().1.to_vec()
}

fn number(payload: &[u8], id: u32) -> u64 {
    ebml::unsigned(&one(payload, id)).unwrap()
}

#[test]
fn a_recording_gets_its_duration_and_an_index_that_leads_to_its_clusters() {
    for (clusters, last) in [(open_clusters(), 2_090), (sized_clusters(), 2_095)] {
        let bytes = recording(&clusters);
        let plan = plan(&bytes).unwrap();
        assert_eq!((plan.body_end, plan.duration), (bytes.len() as u64, Duration::from_millis(last)));
        assert_eq!(plan.dimensions, Some((640, 480)));
        assert_eq!(plan.head.len() as u64, HEAD_ROOM_BYTES + (bytes.len() - clusters.concat().len()) as u64);
        let parts = parts_of(&made_seekable(&bytes, &plan));
        let ids: Vec<u32> = parts.iter().map(|(id, ..)| *id).collect();
        assert_eq!(ids, [SEEK_HEAD, INFO, TRACKS, VOID, CLUSTER, CLUSTER, CLUSTER, CUES]);
        let at = |wanted| parts.iter().find(|(id, ..)| *id == wanted).map(|(_, at, payload)| (*at, payload)).unwrap();
        for (_, seek) in children(at(SEEK_HEAD).1) {
            let id = u32::try_from(number(seek, SEEK_ID)).unwrap();
            assert_eq!(number(seek, SEEK_POSITION), at(id).0, "{id:x}");
        }
        assert_eq!(f64::from_be_bytes(one(at(INFO).1, DURATION).try_into().unwrap()), last as f64);
        assert_eq!(one(at(INFO).1, MUXER), b"a browser", "what was said stays");
        let places: Vec<u64> = parts.iter().filter(|(id, ..)| *id == CLUSTER).map(|(_, at, _)| *at).collect();
        let cues = places_of(at(CUES).1);
        let offset = if last == 2_090 { 5 } else { 3 };
        assert_eq!(cues, [(offset, places[0]), (1_000 + offset, places[1]), (2_000 + offset, places[2])]);
    }
}

#[test]
fn what_browsers_record_seeks_to_each_picture_that_needs_no_other() {
    for (browser, bytes, milliseconds, alone) in RECORDED {
        let plan = plan(bytes).unwrap();
        assert_eq!((plan.body_end, plan.dimensions), (bytes.len() as u64, Some((128, 54))), "{browser}");
        assert_eq!(plan.duration, Duration::from_millis(milliseconds), "{browser}");
        let parts = parts_of(&made_seekable(bytes, &plan));
        let cues = places_of(&parts.last().unwrap().2);
        assert_eq!(cues.iter().map(|(tick, _)| *tick).collect::<Vec<_>>(), alone, "{browser}");
        for (tick, place) in cues {
            let (id, _, cluster) = parts.iter().find(|(_, at, _)| *at == place).unwrap();
            let begins = number(cluster, TIMESTAMP);
            assert!(*id == CLUSTER && begins <= tick && tick < begins + 10_000, "{browser}: {tick} is in {begins}");
        }
        for length in (0..bytes.len()).step_by(97) {
            let cut = plan_in_parts(&bytes[..length], 64);
            assert!(cut.is_ok_and(|cut| cut.duration <= plan.duration) || length < 2_500, "{browser}: {length}");
        }
    }
}

#[test]
fn sound_alone_seeks_by_its_own_track() {
    let cluster = |tick: u16| {
        let blocks = [element(TIMESTAMP, &tick.to_be_bytes()), simple_block(1, 7, true, 20)].concat();
        with_open_size(CLUSTER, &blocks)
    };
    let head = with_open_size(SEGMENT, &segment_head(false));
    let bytes = [ebml_head(), head, cluster(0), cluster(100), cluster(900)].concat();
    let plan = plan(&bytes).unwrap();
    assert_eq!((plan.dimensions, plan.duration), (None, Duration::from_millis(907)));
    let parts = parts_of(&made_seekable(&bytes, &plan));
    let cues = children(&parts.last().unwrap().2).count();
    assert_eq!(cues, 2, "one that is near another is left out");
}

#[test]
fn it_does_not_matter_in_what_parts_it_comes() {
    let [chromium, firefox] = RECORDED.map(|(_, bytes, ..)| bytes.to_vec());
    for bytes in [recording(&open_clusters()), recording(&sized_clusters()), chromium, firefox] {
        let whole = plan(&bytes).unwrap();
        for part in [1, 2, 3, 7, 64, 255] {
            assert_eq!(plan_in_parts(&bytes, part).unwrap(), whole, "{part} bytes at a time");
        }
    }
}

#[test]
fn what_follows_the_last_whole_block_is_cut_off() {
    for clusters in [open_clusters(), sized_clusters()] {
        let bytes = recording(&clusters);
        let head = bytes.len() - clusters.concat().len();
        let mut ends = std::collections::BTreeSet::new();
        for length in 0..=bytes.len() {
            match plan(&bytes[..length]) {
                Ok(plan) => {
                    assert!(plan.body_end <= length as u64 && plan.body_end > head as u64, "{length}");
                    let file = made_seekable(&bytes[..length], &plan);
                    assert!(plan.duration <= Duration::from_millis(2_095) && !parts_of(&file).is_empty());
                    ends.insert(plan.body_end);
                }
                Err(Unusable) => assert!(length < head + clusters[0].len(), "{length}"),
            }
        }
        assert!(ends.len() >= 3 && ends.contains(&(bytes.len() as u64)), "{ends:?}");
    }
}

#[test]
fn another_recording_behind_the_first_is_cut_off() {
    let bytes = recording(&open_clusters());
    let twice = [bytes.clone(), bytes.clone()].concat();
    assert_eq!(plan(&twice), plan(&bytes));
}

#[test]
fn what_is_no_recording_is_refused() {
    let other = element(EBML, &element(DOC_TYPE, b"matroska"));
    let clusters = open_clusters().concat();
    let no_tracks = [ebml_head(), with_open_size(SEGMENT, &element(INFO, &[])), clusters.clone()].concat();
    let empty = [ebml_head(), with_open_size(SEGMENT, &segment_head(true))].concat();
    let huge =
        [ebml_head(), id_bytes(SEGMENT), UNKNOWN_SIZE.to_vec(), id_bytes(TRACKS), long_size(1 << 50).to_vec()].concat();
    for bytes in [
        Vec::new(),
        b"GIF89a".to_vec(),
        vec![0; 5_000],
        vec![0xff; 5_000],
        [other, with_open_size(SEGMENT, &segment_head(true)), clusters].concat(),
        no_tracks,
        empty,
        huge,
    ] {
        assert_eq!(plan(&bytes), Err(Unusable));
    }
}

#[test]
fn a_byte_that_was_changed_never_panics_nor_leads_out_of_the_file() {
    for clusters in [open_clusters(), sized_clusters()] {
        let bytes = recording(&clusters);
        for place in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xa0, 0xff, bytes[place] ^ 0x10] {
                let mut changed = bytes.clone();
                changed[place] = value;
                for part in [changed.len(), 13] {
                    if let Ok(plan) = plan_in_parts(&changed, part) {
                        assert!(plan.body_end <= changed.len() as u64);
                        assert!(plan.head.len() as u64 <= HEAD_ROOM_BYTES + plan.body_end);
                    }
                }
            }
        }
    }
}

#[test]
fn bytes_of_no_meaning_never_panic_and_take_no_memory() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..300 {
        let mut scanner = Scanner::default();
        scanner.push(&recording(&open_clusters()));
        for _ in 0..20 {
            let length = (random() % 900) as usize;
            let bytes: Vec<u8> = (0..length).map(|_| (random() & 0xff) as u8).collect();
            scanner.push(&bytes);
            assert!(scanner.waiting.len() <= HEAD_BYTES_LIMIT as usize + 1_000);
        }
        assert!(scanner.finish().is_ok(), "what came before them is kept");
    }
}
