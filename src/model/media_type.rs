//! What kind of file it is, judged by its bytes and never by what its sender calls it.

use std::io::Cursor;

use serde::Serialize;

/// A kind of file that may be shown in a page, or the one kind for all that may not.
///
/// What is not on this list (HTML and SVG above all) is only ever offered for saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum MediaType {
    /// PNG image.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG image.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// GIF image.
    #[serde(rename = "image/gif")]
    Gif,
    /// WebP image.
    #[serde(rename = "image/webp")]
    Webp,
    /// AVIF image.
    #[serde(rename = "image/avif")]
    Avif,
    /// MPEG-4 video.
    #[serde(rename = "video/mp4")]
    Mp4,
    /// WebM video.
    #[serde(rename = "video/webm")]
    Webm,
    /// Ogg sound.
    #[serde(rename = "audio/ogg")]
    OggAudio,
    /// Ogg video.
    #[serde(rename = "video/ogg")]
    OggVideo,
    /// MPEG layer 3 sound.
    #[serde(rename = "audio/mpeg")]
    Mp3,
    /// RIFF WAVE sound.
    #[serde(rename = "audio/wav")]
    Wav,
    /// PDF document.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// Anything else.
    #[serde(rename = "application/octet-stream")]
    Opaque,
}

/// Width and height of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl MediaType {
    /// Every kind there is.
    pub const ALL: [MediaType; 13] = [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::Webp,
        MediaType::Avif,
        MediaType::Mp4,
        MediaType::Webm,
        MediaType::OggAudio,
        MediaType::OggVideo,
        MediaType::Mp3,
        MediaType::Wav,
        MediaType::Pdf,
        MediaType::Opaque,
    ];

    /// The kind of a file that begins with `head`.
    pub fn sniff(head: &[u8]) -> MediaType {
        let riff_form = if head.starts_with(b"RIFF") { head.get(8..12) } else { None };
        match head {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => MediaType::Png,
            [0xff, 0xd8, 0xff, ..] => MediaType::Jpeg,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => MediaType::Gif,
            _ if riff_form == Some(b"WEBP") => MediaType::Webp,
            _ if riff_form == Some(b"WAVE") => MediaType::Wav,
            [_, _, _, _, b'f', b't', b'y', b'p', rest @ ..] => sniff_iso_media(rest),
            [0x1a, 0x45, 0xdf, 0xa3, rest @ ..] => sniff_matroska(rest),
            [b'O', b'g', b'g', b'S', ..] => sniff_ogg(head),
            [b'I', b'D', b'3', 2..=4, ..] => MediaType::Mp3,
            [0xff, second, third, ..] if is_mp3_frame(*second, *third) => MediaType::Mp3,
            [b'%', b'P', b'D', b'F', b'-', ..] => MediaType::Pdf,
            _ => MediaType::Opaque,
        }
    }

    /// The kind with this name, as it is stored and sent.
    pub fn find(name: &str) -> Option<MediaType> {
        MediaType::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Its name, as in a `Content-Type` header.
    pub fn as_str(self) -> &'static str {
        match self {
            MediaType::Png => "image/png",
            MediaType::Jpeg => "image/jpeg",
            MediaType::Gif => "image/gif",
            MediaType::Webp => "image/webp",
            MediaType::Avif => "image/avif",
            MediaType::Mp4 => "video/mp4",
            MediaType::Webm => "video/webm",
            MediaType::OggAudio => "audio/ogg",
            MediaType::OggVideo => "video/ogg",
            MediaType::Mp3 => "audio/mpeg",
            MediaType::Wav => "audio/wav",
            MediaType::Pdf => "application/pdf",
            MediaType::Opaque => "application/octet-stream",
        }
    }

    /// Whether a page may show it in place; all else is downloaded.
    pub fn is_shown(self) -> bool {
        self != MediaType::Opaque
    }

    /// The size of a picture that begins with `head`, if this kind has one and it stands there: as it is seen, so with
    /// width and height changed where the camera was held upright and says so (EXIF 2.3, orientation 5 to 8).
    pub fn dimensions(self, head: &[u8]) -> Option<Dimensions> {
        let is_picture =
            matches!(self, MediaType::Png | MediaType::Jpeg | MediaType::Gif | MediaType::Webp | MediaType::Avif);
        let size = is_picture.then(|| imagesize::blob_size(head).ok())??;
        let (width, height) = (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?);
        let seen = if self.lies_on_its_side(head) { (height, width) } else { (width, height) };
        (width > 0 && height > 0).then_some(Dimensions { width: seen.0, height: seen.1 })
    }

    /// Whether the rows of a picture are its columns to who looks at it. Browsers turn these two kinds.
    fn lies_on_its_side(self, head: &[u8]) -> bool {
        if !matches!(self, MediaType::Jpeg | MediaType::Webp) {
            return false;
        }
        let Ok(fields) = exif::Reader::new().read_from_container(&mut Cursor::new(head)) else { return false };
        let orientation = fields.get_field(exif::Tag::Orientation, exif::In::PRIMARY);
        orientation.and_then(|field| field.value.get_uint(0)).is_some_and(|value| (5..=8).contains(&value))
    }
}

/// After `ftyp`: the brand that the file is made for, a version, and the brands it is also good for.
fn sniff_iso_media(brands: &[u8]) -> MediaType {
    let Some((main, rest)) = brands.split_first_chunk::<4>() else { return MediaType::Opaque };
    let also = rest.get(4..).unwrap_or_default().chunks_exact(4).take(16);
    match main {
        b"avif" | b"avis" => MediaType::Avif,
        b"mif1" | b"msf1" | b"miaf" if also.clone().any(|brand| brand == b"avif") => MediaType::Avif,
        b"mp41" | b"mp42" | b"mp71" | b"avc1" | b"dash" | b"M4V " | b"MSNV" | b"f4v " => MediaType::Mp4,
        [b'i', b's', b'o', b'2'..=b'9' | b'm'] => MediaType::Mp4,
        _ => MediaType::Opaque,
    }
}

/// WebM says so in the document type near the beginning; other Matroska files are not shown.
fn sniff_matroska(header: &[u8]) -> MediaType {
    const DOCUMENT_TYPE: &[u8] = b"\x42\x82\x84webm";
    let near = &header[..header.len().min(64)];
    if near.windows(DOCUMENT_TYPE.len()).any(|part| part == DOCUMENT_TYPE) {
        MediaType::Webm
    } else {
        MediaType::Opaque
    }
}

/// The first page names the codec of the first stream, after a table whose length stands at byte 26.
fn sniff_ogg(head: &[u8]) -> MediaType {
    let segments = head.get(26).map_or(0, |count| usize::from(*count));
    let codec = head.get(27 + segments..).unwrap_or_default();
    if codec.starts_with(b"\x80theora") || codec.starts_with(b"fishead\0") {
        MediaType::OggVideo
    } else if [&b"\x01vorbis"[..], b"OpusHead", b"\x7fFLAC", b"Speex   "].iter().any(|id| codec.starts_with(id)) {
        MediaType::OggAudio
    } else {
        MediaType::Opaque
    }
}

/// The bits after the sync: layer III, and no reserved version, bit rate or sample rate.
fn is_mp3_frame(second: u8, third: u8) -> bool {
    let (version, layer) = (second >> 3 & 0b11, second >> 1 & 0b11);
    second >> 5 == 0b111 && version != 0b01 && layer == 0b01 && third >> 4 != 0b1111 && third >> 2 & 0b11 != 0b11
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    #[test]
    fn each_kind_is_known_by_its_first_bytes() {
        let webm = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm";
        for (head, kind) in [
            (&png(1, 1)[..], MediaType::Png),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", MediaType::Jpeg),
            (b"GIF89a\x01\0\x01\0\0\0\0", MediaType::Gif),
            (b"RIFF\x24\0\0\0WEBPVP8 ", MediaType::Webp),
            (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf", MediaType::Avif),
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", MediaType::Mp4),
            (webm, MediaType::Webm),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead", MediaType::OggAudio),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora", MediaType::OggVideo),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", MediaType::Avif),
            (b"ID3\x04\0\0\0\0\0\0", MediaType::Mp3),
            (b"\xff\xfb\x90\x44\0", MediaType::Mp3),
            (b"RIFF\x24\0\0\0WAVEfmt ", MediaType::Wav),
            (b"%PDF-1.7\n", MediaType::Pdf),
        ] {
            assert_eq!(MediaType::sniff(head), kind, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn what_could_run_in_a_page_is_opaque() {
        for head in [
            &b"<!doctype html><script>alert(1)</script>"[..],
            b"<html>",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>",
            b"<?xml version='1.0'?><svg/>",
            b"alert(1)",
            b"PK\x03\x04",
            b"MZ\x90\0",
            b"\x7fELF",
            b"#!/bin/sh",
            b" %PDF-1.7",
            b"<script>%PDF-1.7</script>",
            b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            b"\0\0\0\x18ftypM4A \0\0\0\0",
            b"RIFF\x24\0\0\0AVI LIST",
            b"ID3<script>",
            b"\xff\xff\xff\xff",
            b"OggS",
            b"",
            b"\0",
        ] {
            assert_eq!(MediaType::sniff(head), MediaType::Opaque, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_kind_is_found_by_its_own_name_only() {
        for kind in MediaType::ALL {
            assert_eq!(MediaType::find(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(MediaType::find("text/html"), None);
        assert!(!MediaType::Opaque.is_shown());
    }

    #[test]
    fn a_picture_has_dimensions_and_damage_has_none() {
        assert_eq!(MediaType::Png.dimensions(&png(640, 480)), Some(Dimensions { width: 640, height: 480 }));
        assert_eq!(MediaType::Png.dimensions(&png(0, 480)), None);
        assert_eq!(MediaType::Pdf.dimensions(&png(640, 480)), None);
        let whole = png(640, 480);
        for end in 0..whole.len() {
            assert!(MediaType::sniff(&whole[..end]) == MediaType::Opaque || end >= 8);
            for kind in MediaType::ALL {
                kind.dimensions(&whole[..end]);
            }
        }
    }

    /// A JPEG of 640 by 480 as a camera writes it that was held in one of eight ways.
    fn photograph(orientation: u8) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(b"\xff\xc0\0\x11\x08\x01\xe0\x02\x80\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9");
        bytes
    }

    #[test]
    fn a_picture_is_as_wide_as_it_is_seen_however_the_camera_was_held() {
        for (orientation, width, height) in [
            (0, 640, 480),
            (1, 640, 480),
            (3, 640, 480),
            (4, 640, 480),
            (5, 480, 640),
            (6, 480, 640),
            (8, 480, 640),
            (9, 640, 480),
        ] {
            let seen = MediaType::Jpeg.dimensions(&photograph(orientation));
            assert_eq!(seen, Some(Dimensions { width, height }), "orientation {orientation}");
        }
        let whole = photograph(6);
        for end in 0..whole.len() {
            let mut bytes = whole[..end].to_vec();
            MediaType::Jpeg.dimensions(&bytes);
            for place in 0..end {
                bytes[place] ^= 0xff;
                MediaType::Jpeg.dimensions(&bytes);
                bytes[place] ^= 0xff;
            }
        }
    }

    #[test]
    fn damaged_pictures_are_judged_without_harm() {
        let jpeg =
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\x01\xe0\x02\x80\x03\x01\x22\0";
        let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x7f\xc2\x77\0\x07\x10\x11";
        let avif =
            b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf\0\0\0\x30meta\0\0\0\0\0\0\0\x14iprp\0\0\0\x0cipco\0\0\0\x14ispe\0";
        for whole in [&png(640, 480)[..], jpeg, b"GIF89a\x80\x02\xe0\x01\0\0\0", webp, avif] {
            for end in 0..=whole.len() {
                let mut bytes = whole[..end].to_vec();
                for kind in MediaType::ALL {
                    kind.dimensions(&bytes);
                }
                for place in 0..end {
                    for flip in [0x01, 0x80, 0xff] {
                        bytes[place] ^= flip;
                        MediaType::sniff(&bytes).dimensions(&bytes);
                        bytes[place] ^= flip;
                    }
                }
            }
        }
        assert_eq!(MediaType::Jpeg.dimensions(jpeg), Some(Dimensions { width: 640, height: 480 }));
    }
}
