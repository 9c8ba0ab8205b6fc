//! Reads a file, decompresses gzip, and limits the decompressed size.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::GzDecoder;

use crate::disk::{DiskFile, temporary};
use crate::{Error, Result};

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The most bytes that a file of `compressed` bytes may inflate to: 16 MiB + 100 x `compressed`.
///
/// Deflate compresses runs of zeros a thousandfold, so a download of 10 MB could otherwise fill
/// 10 GB of memory. The published sets are compressed 3 to 10 times; only nearly blank data reaches
/// 100 times. The first 16 MiB are free, so that small blank sets still load.
pub(crate) fn inflated_limit(compressed: u64) -> u64 {
    compressed.saturating_mul(100).saturating_add(16 << 20)
}

/// A regular file opened for reading. Its first bytes, not its name, say whether it is gzip. All gzip
/// files that this crate reads are read through it.
pub(crate) struct FileReader<'a> {
    path: PathBuf,
    size: u64,
    bytes: Box<dyn Read + 'a>,
    packed: Option<Packed>,
    /// The file itself, if it is not compressed, and the place in it of the first byte.
    file: Option<(DiskFile, u64)>,
    /// Bytes that may still be read.
    left: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packed {
    Gzip,
    Zip,
}

impl FileReader<'static> {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let metadata = path.metadata().map_err(Error::io(path))?;
        if !metadata.is_file() {
            // A device or a pipe has no size to limit its contents by, and opening it may block.
            let got = if metadata.is_dir() { "a folder" } else { "a device or a pipe" };
            return Err(Error::malformed(path, "a file", got));
        }
        let file = File::open(path).map_err(Error::io(path))?;
        // The path may lead to another file by now.
        let size = file.metadata().map_err(Error::io(path))?.len();
        let itself = Arc::new(file);
        let mut file = BufReader::with_capacity(1 << 16, itself.clone());
        let gzip = file.fill_buf().map_err(Error::io(path))?.starts_with(GZIP_MAGIC);
        let (bytes, left): (Box<dyn Read>, u64) = if gzip {
            (Box::new(Members { member: Some(GzDecoder::new(file)) }), inflated_limit(size))
        } else {
            (Box::new(file), u64::MAX)
        };
        let packed = gzip.then_some(Packed::Gzip);
        let file = (!gzip).then(|| (DiskFile::new(itself, path), 0));
        Ok(Self { path: path.to_owned(), size, bytes, packed, file, left })
    }
}

impl<'a> FileReader<'a> {
    /// Reads a file within a zip archive, in which it takes `size` bytes. `path` is that of the file
    /// within the archive.
    pub(crate) fn within_zip(path: &Path, size: u64, bytes: impl Read + 'a) -> Self {
        let (bytes, left) = (Box::new(bytes), inflated_limit(size));
        Self { path: path.to_owned(), size, bytes, packed: Some(Packed::Zip), file: None, left }
    }

    /// Reads `size` bytes of a file from `start` on. `path` is that of the part, for errors.
    pub(crate) fn part(
        path: &Path,
        file: Arc<DiskFile>,
        start: u64,
        size: u64,
        bytes: impl Read + 'a,
    ) -> Self {
        let file = Some((DiskFile::clone(&file), start));
        Self { file, ..Self::joined(path, size, bytes) }
    }

    /// Reads `size` bytes that are in several files.
    pub(crate) fn joined(path: &Path, size: u64, bytes: impl Read + 'a) -> Self {
        let (bytes, left) = (Box::new(bytes), u64::MAX);
        Self { path: path.to_owned(), size, bytes, packed: None, file: None, left }
    }

    /// The size of the file on disk, in bytes.
    #[cfg(feature = "images")]
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The next `count` bytes, or all that are left if there are fewer.
    ///
    /// Memory grows with the bytes that arrive, so `count` may come from a header that is wrong.
    pub(crate) fn up_to(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(count.min(self.size) as usize);
        let path = self.path.clone();
        self.take(count).read_to_end(&mut bytes).map_err(Error::io(&path))?;
        Ok(bytes)
    }

    /// Whether nothing is left.
    pub(crate) fn is_at_end(&mut self) -> Result<bool> {
        Ok(self.up_to(1)?.is_empty())
    }

    /// The next `length` bytes as a file that is read at any place, and where they begin: the file itself,
    /// of which `start` bytes were read, or a temporary one if it is compressed.
    ///
    /// # Errors
    /// If the file does not end there: how many bytes it has, or `None` if it has more.
    pub(crate) fn into_disk(
        mut self,
        start: u64,
        length: u64,
    ) -> Result<std::result::Result<(DiskFile, u64), Option<u64>>> {
        let path = self.path.clone();
        if let Some((file, base)) = self.file {
            let rest = self.size.saturating_sub(start);
            return Ok(match rest.cmp(&length) {
                Ordering::Equal => Ok((file, base + start)),
                Ordering::Less => Err(Some(rest)),
                Ordering::Greater => Err(None),
            });
        }
        let disk = DiskFile::new(temporary(&path)?, &path);
        let (mut at, mut buffer) = (0, vec![0; 1 << 20]);
        loop {
            let read = self.read(&mut buffer).map_err(Error::io(&path))?;
            match (read, at + read as u64) {
                (0, end) if end < length => return Ok(Err(Some(end))),
                (0, _) => return Ok(Ok((disk, 0))),
                (_, end) if end > length => return Ok(Err(None)),
                (_, end) => {
                    disk.write_at(&buffer[..read], at)?;
                    at = end;
                }
            }
        }
    }

    /// Turns a decompression error into one that names the file.
    fn classify_error(&self, error: std::io::Error) -> std::io::Error {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let got = match error.kind() {
            UnexpectedEof => "one that is cut short".to_owned(),
            InvalidData | InvalidInput => format!("a damaged one ({error})"),
            _ => return error,
        };
        let expected = match self.packed {
            Some(Packed::Zip) => "a whole file in a zip archive",
            _ => "a whole gzip file",
        };
        std::io::Error::other(Error::malformed(&self.path, expected, got))
    }
}

/// The members of a gzip file, one after another. Zeros after a member, which tapes and block
/// devices pad with, are skipped, as by gzip itself.
struct Members<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { break };
            while rest.fill_buf()?.first() == Some(&0) {
                let zeros = rest.fill_buf()?.iter().take_while(|byte| **byte == 0).count();
                rest.consume(zeros);
            }
            if !rest.fill_buf()?.is_empty() {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match self.bytes.read(buffer) {
            Err(error) if self.packed.is_some() => return Err(self.classify_error(error)),
            other => other?,
        };
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                let limit = inflated_limit(self.size);
                return Err(std::io::Error::other(Error::malformed(
                    &self.path,
                    format!("at most {limit} bytes inflated from {}", self.size),
                    match self.packed {
                        Some(Packed::Zip) => {
                            "more; if you trust the file, save it without compression (`numpy.savez`)"
                        }
                        _ => {
                            "more; if you trust the file, unpack it (gunzip) and give the unpacked one"
                        }
                    },
                )));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> tempfile::TempPath {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file.into_temp_path()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_recognised_by_its_bytes() {
        let bytes = b"seven bytes and more";
        let members = [gzip(b"seven "), gzip(&bytes[6..])];
        for stored in [
            bytes.to_vec(),
            gzip(bytes),
            members.concat(),
            [gzip(bytes), vec![0; 20_000]].concat(),
            [&*members[0], &[0; 512], &*members[1], &[0; 7]].concat(),
        ] {
            let path = file(&stored);
            let mut input = FileReader::open(&path).unwrap();
            assert_eq!(input.up_to(5).unwrap(), b"seven");
            assert!(!input.is_at_end().unwrap());
            assert_eq!(input.up_to(u64::MAX).unwrap(), &bytes[6..]);
            assert!(input.is_at_end().unwrap());
        }
    }

    #[test]
    fn other_bytes_after_gzip_are_refused() {
        let path = file(&[gzip(b"seven"), b"more".to_vec()].concat());
        let error = FileReader::open(&path).unwrap().up_to(u64::MAX).unwrap_err().to_string();
        assert!(error.contains("expected a whole gzip file"), "{error}");
    }

    #[test]
    fn decompression_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 20 << 20]);
        let path = file(&bomb);
        let limit = inflated_limit(bomb.len() as u64);
        assert_eq!(FileReader::open(&path).unwrap().up_to(limit).unwrap().len() as u64, limit);
        let error = FileReader::open(&path).unwrap().up_to(limit + 1).unwrap_err().to_string();
        assert!(error.contains(&format!("expected at most {limit} bytes")), "{error}");
    }

    #[test]
    fn the_file_on_the_disk_is_the_one_that_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&path, b"first").unwrap();
        std::fs::write(&other, b"other").unwrap();
        let input = FileReader::open(&path).unwrap();
        std::fs::rename(&other, &path).unwrap();
        let (disk, start) = input.into_disk(1, 4).unwrap().unwrap();
        let mut bytes = [0; 4];
        disk.read_at(&mut bytes, start).unwrap();
        assert_eq!(&bytes, b"irst");
        let short = FileReader::open(&path).unwrap().into_disk(7, 4).unwrap();
        assert_eq!(short.err(), Some(Some(0)));
    }

    #[test]
    fn folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = FileReader::open(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with(": expected a file, got a folder"), "{error}");
    }
}
