//! A picture as a PDF holds it: a JPEG as it is, a PNG as its samples.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The most pixels that a PNG is unpacked for.
const PIXELS_MAX: u64 = 4_000_000;

/// A picture ready to be embedded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Its colours.
    pub samples: Samples,
    /// How opaque each pixel is, one byte each, deflated.
    pub alpha: Option<Vec<u8>>,
}

/// The colours of a picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Samples {
    /// A whole JPEG file of so many components (1 or 3).
    Jpeg(Vec<u8>, u8),
    /// Red, green, blue, one byte each, deflated.
    Rgb(Vec<u8>),
}

/// Why a picture cannot be printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAPicture {
    /// Neither PNG nor JPEG, or broken.
    #[error("the picture is neither a PNG nor a JPEG that can be read")]
    Unreadable,
    /// More pixels than a letterhead needs.
    #[error("the picture has more than 4 million pixels")]
    TooLarge,
    /// A JPEG in the four inks of printing.
    #[error("the picture is in CMYK; save it in RGB")]
    Cmyk,
}

impl Picture {
    /// Reads a PNG or a JPEG.
    ///
    /// # Errors
    /// What cannot be printed.
    pub fn read(data: &[u8]) -> Result<Self, NotAPicture> {
        if data.starts_with(b"\x89PNG") { png(data) } else { jpeg(data) }
    }

    /// Bytes that it takes in a document, as good as.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let (Samples::Jpeg(samples, _) | Samples::Rgb(samples)) = &self.samples;
        samples.len() + self.alpha.as_ref().map_or(0, Vec::len)
    }
}

fn png(data: &[u8]) -> Result<Picture, NotAPicture> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(data));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_| NotAPicture::Unreadable)?;
    let (width, height) = (reader.info().width, reader.info().height);
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(NotAPicture::TooLarge);
    }
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(NotAPicture::TooLarge)?];
    let frame = reader.next_frame(&mut pixels).map_err(|_| NotAPicture::Unreadable)?;
    pixels.truncate(frame.buffer_size());
    let channels = frame.color_type.samples();
    let (mut colours, mut alpha) = (Vec::with_capacity(pixels.len()), Vec::new());
    for pixel in pixels.chunks_exact(channels) {
        match *pixel {
            [grey] => colours.extend_from_slice(&[grey; 3]),
            [grey, opacity] => {
                colours.extend_from_slice(&[grey; 3]);
                alpha.push(opacity);
            }
            [red, green, blue] => colours.extend_from_slice(&[red, green, blue]),
            [red, green, blue, opacity] => {
                colours.extend_from_slice(&[red, green, blue]);
                alpha.push(opacity);
            }
            _ => return Err(NotAPicture::Unreadable),
        }
    }
    let alpha = (!alpha.is_empty()).then(|| deflated(&alpha));
    Ok(Picture { width, height, samples: Samples::Rgb(deflated(&colours)), alpha })
}

/// Walks the segments of a JPEG to its frame header, which has the sides and the number of components.
fn jpeg(data: &[u8]) -> Result<Picture, NotAPicture> {
    let mut rest = data.strip_prefix(b"\xff\xd8").ok_or(NotAPicture::Unreadable)?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else { return Err(NotAPicture::Unreadable) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length).ok_or(NotAPicture::Unreadable)?;
        if matches!(marker, 0xc0..=0xc2) {
            let [8, h1, h2, w1, w2, components, ..] = *segment else { return Err(NotAPicture::Unreadable) };
            let [height, width] = [[h1, h2], [w1, w2]].map(|side| u32::from(u16::from_be_bytes(side)));
            return match components {
                _ if width == 0 || height == 0 => Err(NotAPicture::Unreadable),
                1 | 3 => Ok(Picture { width, height, samples: Samples::Jpeg(data.to_vec(), components), alpha: None }),
                4 => Err(NotAPicture::Cmyk),
                _ => Err(NotAPicture::Unreadable),
            };
        }
        rest = &rest[2 + length..];
    }
}

/// Deflated in the form that PDF calls `FlateDecode`.
#[must_use]
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory cannot fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_gives_its_colours_and_its_opacity() {
        let mut data = Vec::new();
        let mut encoder = png::Encoder::new(&mut data, 2, 1);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[255, 0, 0, 255, 0, 0, 255, 128]).unwrap();
        writer.finish().unwrap();
        let picture = Picture::read(&data).unwrap();
        assert_eq!((picture.width, picture.height), (2, 1));
        assert_eq!(picture.samples, Samples::Rgb(deflated(&[255, 0, 0, 0, 0, 255])));
        assert_eq!(picture.alpha, Some(deflated(&[255, 128])));
        for end in 0..data.len() {
            let _whatever = Picture::read(&data[..end]);
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let cmyk = b"\xff\xd8\xff\xc0\x00\x14\x08\x00\x10\x00\x10\x04aaaaaaaaaaaa";
        assert_eq!(Picture::read(cmyk), Err(NotAPicture::Cmyk));
        for data in [&b""[..], b"GIF89a", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x01", b"\x89PNG\r\n\x1a\n"] {
            assert_eq!(Picture::read(data), Err(NotAPicture::Unreadable), "{data:?}");
        }
    }
}
