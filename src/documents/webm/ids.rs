//! The ids of the elements that matter here (RFC 9559, section 5).

pub(super) const EBML: u32 = 0x1a45_dfa3;
pub(super) const DOC_TYPE: u32 = 0x4282;
pub(super) const VOID: u32 = 0xec;
pub(super) const CRC: u32 = 0xbf;
pub(super) const SEGMENT: u32 = 0x1853_8067;
pub(super) const SEEK_HEAD: u32 = 0x114d_9b74;
pub(super) const SEEK: u32 = 0x4dbb;
pub(super) const SEEK_ID: u32 = 0x53ab;
pub(super) const SEEK_POSITION: u32 = 0x53ac;
pub(super) const INFO: u32 = 0x1549_a966;
pub(super) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
pub(super) const DURATION: u32 = 0x4489;
pub(super) const TRACKS: u32 = 0x1654_ae6b;
pub(super) const TRACK_ENTRY: u32 = 0xae;
pub(super) const TRACK_NUMBER: u32 = 0xd7;
pub(super) const TRACK_TYPE: u32 = 0x83;
pub(super) const VIDEO: u32 = 0xe0;
pub(super) const PIXEL_WIDTH: u32 = 0xb0;
pub(super) const PIXEL_HEIGHT: u32 = 0xba;
pub(super) const CLUSTER: u32 = 0x1f43_b675;
pub(super) const TIMESTAMP: u32 = 0xe7;
pub(super) const SIMPLE_BLOCK: u32 = 0xa3;
pub(super) const BLOCK_GROUP: u32 = 0xa0;
pub(super) const BLOCK: u32 = 0xa1;
pub(super) const REFERENCE_BLOCK: u32 = 0xfb;
pub(super) const CUES: u32 = 0x1c53_bb6b;
pub(super) const CUE_POINT: u32 = 0xbb;
pub(super) const CUE_TIME: u32 = 0xb3;
pub(super) const CUE_TRACK_POSITIONS: u32 = 0xb7;
pub(super) const CUE_TRACK: u32 = 0xf7;
pub(super) const CUE_CLUSTER_POSITION: u32 = 0xf1;
pub(super) const TAGS: u32 = 0x1254_c367;
pub(super) const CHAPTERS: u32 = 0x1043_a770;
pub(super) const ATTACHMENTS: u32 = 0x1941_a469;

/// What stands in a segment and never in a cluster: with it a cluster ends whose size was not known.
pub(super) const OF_SEGMENT: [u32; 10] =
    [EBML, SEGMENT, SEEK_HEAD, INFO, TRACKS, CLUSTER, CUES, TAGS, CHAPTERS, ATTACHMENTS];
