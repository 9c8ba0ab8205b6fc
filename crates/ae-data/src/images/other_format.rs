//! What a file with the name of an image is instead.

/// The format of bytes that are no image that this crate reads, in words, with what to do.
pub(super) fn name(file: &[u8]) -> &'static str {
    let text = file.trim_ascii_start();
    let text = text[..text.len().min(15)].to_ascii_lowercase();
    match file {
        [] => "an empty file",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'a', b'v', b'i', b'f' | b's', ..] => "an AVIF image; save it as PNG or JPEG",
            [b'h', b'e', ..] | [b'm', b'i' | b's', b'f', b'1', ..] => {
                "an HEIC image; save it as PNG or JPEG"
            }
            _ => "a film",
        },
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', ..] => {
            "a JPEG XL image; save it as PNG or JPEG"
        }
        [0, 0, 0, 0x0c, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
            "a JPEG 2000 image; save it as PNG or JPEG"
        }
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop file; save it as PNG or JPEG",
        [0, 0, 1 | 2, 0, ..] => "an icon; save it as PNG",
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' ', b'h', ..] => {
            "a pointer of Git LFS; fetch the file itself (git lfs pull)"
        }
        _ if text.starts_with(b"%pdf") => "a PDF file; save its pages as PNG",
        _ if text.starts_with(b"<svg") || text.starts_with(b"<?xml") => {
            "an SVG drawing or XML; save it as PNG"
        }
        _ if text.starts_with(b"<!doctype") || text.starts_with(b"<html") => {
            "a web page; download the image itself"
        }
        _ if file.len() > 128 && file[128..].starts_with(b"DICM") => "a DICOM file; save it as PNG",
        _ => "something else",
    }
}
