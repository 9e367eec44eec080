//! The elements that a recording lacks: how long it is, where its parts are, where one may begin to play.

use crate::documents::webm::ebml;
use crate::documents::webm::ids::{
    CRC, CUE_CLUSTER_POSITION, CUE_POINT, CUE_TIME, CUE_TRACK, CUE_TRACK_POSITIONS, CUES, DURATION, INFO, SEEK,
    SEEK_HEAD, SEEK_ID, SEEK_POSITION, TRACKS, VOID,
};

/// What is said of the whole, with its duration.
pub(super) fn info_element(info: &[u8], last_tick: u64) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, child) in ebml::children(info).filter(|(id, _)| ![DURATION, CRC, VOID].contains(id)) {
        payload.extend(ebml::element(id, child));
    }
    payload.extend(ebml::element(DURATION, &(last_tick as f64).to_be_bytes()));
    ebml::element(INFO, &payload)
}

/// Where the parts are, from the beginning of the segment's payload.
pub(super) fn seek_head(info_bytes: u64, cues_at: u64) -> Vec<u8> {
    let of = |info_at| {
        let mut payload = Vec::new();
        for (id, at) in [(INFO, info_at), (TRACKS, info_at + info_bytes), (CUES, cues_at)] {
            let to = ebml::element(SEEK_ID, &id.to_be_bytes());
            let at = ebml::element(SEEK_POSITION, &at.to_be_bytes());
            payload.extend(ebml::element(SEEK, &[to, at].concat()));
        }
        ebml::element(SEEK_HEAD, &payload)
    };
    // Its own length does not depend on what it says.
    let length = of(0).len() as u64;
    of(length)
}

/// A place in the index: from this moment on one may play, beginning with this cluster.
pub(super) fn cue_point(tick: u64, track: u64, cluster_at: u64) -> Vec<u8> {
    let number = |number: u64| number.to_be_bytes();
    let position = [ebml::element(CUE_TRACK, &number(track)), ebml::element(CUE_CLUSTER_POSITION, &number(cluster_at))];
    let point = [ebml::element(CUE_TIME, &number(tick)), ebml::element(CUE_TRACK_POSITIONS, &position.concat())];
    ebml::element(CUE_POINT, &point.concat())
}
