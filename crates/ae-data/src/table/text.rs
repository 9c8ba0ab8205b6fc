//! The text of a table, decoded from UTF-8, UTF-16 or Windows-1252.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use csv::{ByteRecord, StringRecord};
use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::{Error, Result, file_reader::FileReader};

/// The bytes of a file that are examined to find its encoding.
const START: u64 = 4096;

/// The bytes of a file as UTF-8, without byte order mark and converted from UTF-16. Bytes that are not
/// UTF-8 are passed on; their rows are decoded by [`record`].
pub(super) struct Text {
    bytes: std::io::Chain<Cursor<Vec<u8>>, BufReader<FileReader<'static>>>,
    decoder: Option<Decoder>,
    decoded: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Text {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut input = BufReader::new(FileReader::open(path)?);
        let mut start = vec![];
        input.by_ref().take(START).read_to_end(&mut start).map_err(Error::io(path))?;
        if let Some(other) = other_format(&start) {
            return Err(Error::malformed(path, "a table as text", other));
        }
        let (mark, decoder) = match &*start {
            [0xef, 0xbb, 0xbf, ..] => (3, None),
            [0xff, 0xfe, ..] => (2, Some(UTF_16LE)),
            [0xfe, 0xff, ..] => (2, Some(UTF_16BE)),
            _ => (0, utf16_without_mark(&start)),
        };
        if decoder.is_none() && start.contains(&0) {
            let got = "zero bytes; save it as UTF-8";
            return Err(Error::malformed(path, "a table as text", got));
        }
        start.drain(..mark);
        Ok(Self {
            bytes: Cursor::new(start).chain(input),
            decoder: decoder.map(|encoding| encoding.new_decoder_without_bom_handling()),
            decoded: vec![],
            at: 0,
            ended: false,
        })
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            return self.bytes.read(buffer);
        };
        while self.at == self.decoded.len() && !self.ended {
            let bytes = self.bytes.fill_buf()?;
            self.ended = bytes.is_empty();
            let most = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(1 << 16);
            self.decoded.resize(most, 0);
            let (_, read, written, _) =
                decoder.decode_to_utf8(bytes, &mut self.decoded, self.ended);
            self.bytes.consume(read);
            self.decoded.truncate(written);
            self.at = 0;
        }
        let count = buffer.len().min(self.decoded.len() - self.at);
        buffer[..count].copy_from_slice(&self.decoded[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Recognises UTF-16 without a byte order mark: in Latin text every other byte is 0.
fn utf16_without_mark(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let zeros = |of: usize| start.iter().skip(of).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    match (zeros(0), zeros(1)) {
        (0, odd) if half > 1 && odd * 10 >= half * 8 => Some(UTF_16LE),
        (even, 0) if half > 1 && even * 10 >= half * 8 => Some(UTF_16BE),
        _ => None,
    }
}

/// Recognises other formats that are often named `.csv`.
fn other_format(start: &[u8]) -> Option<&'static str> {
    let text = start.trim_ascii_start();
    let text = text[..text.len().min(15)].to_ascii_lowercase();
    match start {
        [b'P', b'K', 3, 4, ..] => {
            Some("a spreadsheet (.xlsx, .ods) or another zip; save it as CSV")
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some("a spreadsheet (.xls); save it as CSV"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file; name it .parquet, or save it as CSV"),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32; save it as UTF-8"),
        _ if [&b"<!doctype"[..], b"<html", b"<?xml"].iter().any(|tag| text.starts_with(tag)) => {
            Some("a web page or XML; download the file itself")
        }
        _ if text.starts_with(b"[{") || text.starts_with(b"{\"") => {
            Some("JSON; save it as CSV (pandas: `read_json`, then `to_csv`)")
        }
        _ if text.starts_with(b"@relation") => {
            Some("an ARFF file; keep what is below @data and save it as CSV")
        }
        _ if text.starts_with(b"version https:/") => {
            Some("a pointer of Git LFS; fetch the file itself (git lfs pull)")
        }
        _ => None,
    }
}

/// Decodes a row from UTF-8, or else from Windows-1252. Returns whether it was the latter.
pub(super) fn record(bytes: ByteRecord, into: &mut StringRecord) -> bool {
    match StringRecord::from_byte_record(bytes) {
        Ok(record) => {
            *into = record;
            false
        }
        Err(error) => {
            let bytes = error.into_byte_record();
            *into =
                bytes.iter().map(|cell| WINDOWS_1252.decode_without_bom_handling(cell).0).collect();
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<String> {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, bytes).unwrap();
        let mut out = String::new();
        Text::open(&path)?.read_to_string(&mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let expected = "höhe;b\n1;2\n".repeat(3000);
        let units = || expected.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            expected.clone().into_bytes(),
            [b"\xef\xbb\xbf", expected.as_bytes()].concat(),
            little.clone(),
            [b"\xff\xfe", &*little].concat(),
            big.clone(),
            [b"\xfe\xff", &*big].concat(),
        ] {
            assert!(text(&bytes).unwrap() == expected, "{:?}", &bytes[..8]);
        }
    }

    #[test]
    fn rows_that_are_not_utf8_are_windows_1252() {
        let mut row = StringRecord::new();
        assert!(record(ByteRecord::from(vec![&b"h\xf6he"[..], b"5 \x80"]), &mut row));
        assert_eq!(row, vec!["höhe", "5 €"]);
        assert!(!record(ByteRecord::from(vec!["höhe"]), &mut row));
        assert_eq!(row, vec!["höhe"]);
    }

    #[test]
    fn other_formats_are_named() {
        for (bytes, said) in [
            (&b"PK\x03\x04rest"[..], "spreadsheet"),
            (b"\xd0\xcf\x11\xe0rest", "spreadsheet"),
            (b"PAR1rest", "Parquet"),
            (b"[{\"a\":1}]", "JSON"),
            (b"@RELATION x\n", "ARFF"),
            (b" <!DOCTYPE html><html>", "web page"),
            (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
            (b"1,2\n3,\x00\n5,6\n", "zero bytes"),
        ] {
            let error = text(bytes).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
