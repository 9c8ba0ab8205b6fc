//! Two things that the JPEG decoder does not report: whether a file is complete, and its memory use.

/// Whether a file is a JPEG, by its first bytes.
pub(super) fn is_in(file: &[u8]) -> bool {
    file.starts_with(b"\xff\xd8\xff")
}

/// Whether a JPEG has the end of its image. The decoder would make up missing pixels. Bytes after the
/// end are ignored, and so are previews in segments, which have ends of their own.
pub(super) fn ends(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.strip_prefix(b"\xff\xd8").unwrap_or(jpeg);
    let mut scanned = false;
    loop {
        // The next marker: 0xff, but not followed by 0 (which means 0xff within a scan), by a fill byte
        // or by a restart marker of a scan.
        let at = rest
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 1 | 0xff | 0xd0..=0xd7));
        let Some(at) = at else { return false };
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        match (marker, rest) {
            (0xd9, _) => return scanned,
            (0xd8, _) => {}
            (_, [high, low, ..]) => {
                scanned |= marker == 0xda;
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                match rest.get(length..) {
                    Some(after) => rest = after,
                    None => return false,
                }
            }
            _ => return false,
        }
    }
}

/// Bytes per pixel that the decoder allocates in addition to the colours: none if every scan has
/// complete pixels, else (a progressive JPEG) a coefficient of 2 bytes for each component.
pub(super) fn extra_bytes(jpeg: &[u8]) -> u64 {
    // An unknown frame may have the most components.
    let (components, whole) = frame(jpeg).unwrap_or((4, false));
    if whole { 0 } else { 2 * u64::from(components) }
}

/// The number of components, and whether all of them are in the first scan and only there.
fn frame(jpeg: &[u8]) -> Option<(u8, bool)> {
    let mut rest = jpeg.strip_prefix(b"\xff\xd8")?;
    let mut frame = None;
    loop {
        let (marker, length) = match *rest {
            [0xff, marker, high, low, ..] => (marker, usize::from(u16::from_be_bytes([high, low]))),
            _ => return None,
        };
        let segment = rest.get(4..2 + length)?;
        match marker {
            // A frame: precision, height and width before the number of components.
            0xc0..=0xc2 if frame.is_none() => frame = Some((*segment.get(5)?, marker < 0xc2)),
            // A scan.
            0xda => {
                let (components, baseline) = frame?;
                return Some((components, baseline && *segment.first()? == components));
            }
            // Tables, comments and application segments.
            0xc4 | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
        rest = &rest[2 + length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};

    #[test]
    fn coefficients_are_counted_if_scans_have_incomplete_pixels() {
        let mut jpeg = std::io::Cursor::new(vec![]);
        RgbImage::new(8, 8).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let jpeg = jpeg.into_inner();
        assert_eq!((extra_bytes(&jpeg), ends(&jpeg)), (0, true));
        let at = |marker: u8| jpeg.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
        let with = |at: usize, byte: u8| {
            let mut jpeg = jpeg.clone();
            jpeg[at] = byte;
            extra_bytes(&jpeg)
        };
        let (frame, scan) = (at(0xc0), at(0xda));
        assert_eq!(with(frame + 1, 0xc2), 6, "progressive");
        assert_eq!(with(scan + 4, 1), 6, "a scan of one of three components");
        assert_eq!(with(frame + 1, 0xc9), 8, "arithmetic coding");
        assert_eq!(with(frame + 2, 0xff), 8, "a segment longer than the file");
        assert_eq!(extra_bytes(b"\xff\xd8\xff\xda\x00\x03\x01"), 8, "a scan without a frame");
    }
}
