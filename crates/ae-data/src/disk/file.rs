//! A file that is read at any place, and temporary files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Error, Result};

/// A file that is read at any place, by several threads at once.
#[derive(Clone)]
pub(crate) struct DiskFile {
    path: PathBuf,
    file: Arc<File>,
}

impl DiskFile {
    /// A file that is open. `path` is the source it belongs to, for errors.
    pub(crate) fn new(file: impl Into<Arc<File>>, path: &Path) -> Self {
        Self { path: path.to_owned(), file: file.into() }
    }

    /// Fills `bytes` with those from `place` on.
    pub(crate) fn read_at(&self, bytes: &mut [u8], place: u64) -> Result<()> {
        read_exact_at(&self.file, bytes, place).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                let expected = "as many bytes as when it was opened";
                Error::malformed(&self.path, expected, "a file that became shorter")
            }
            _ => Error::io(&self.path)(error),
        })
    }

    pub(crate) fn write_at(&self, bytes: &[u8], place: u64) -> Result<()> {
        write_all_at(&self.file, bytes, place).map_err(|reason| full(reason, &self.path))
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], place: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], place: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, place)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut place: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, place)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                place += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut place: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, place)? {
            0 => return Err(std::io::ErrorKind::WriteZero.into()),
            written => {
                bytes = &bytes[written..];
                place += written as u64;
            }
        }
    }
    Ok(())
}

/// The folder of temporary files. `/tmp` is in memory on many systems.
fn folder() -> PathBuf {
    let on_disk = PathBuf::from("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if cfg!(unix) && on_disk.is_dir() => on_disk,
        _ => std::env::temp_dir(),
    }
}

/// A file without a name, which is gone as soon as it is closed, for the rows of the source at `path`.
pub(crate) fn temporary(path: &Path) -> Result<File> {
    let folder = folder();
    tempfile::tempfile_in(&folder).map_err(|reason| full(reason, &folder)).map_err(|error| {
        Error::Missing(format!(
            "{}: its rows need a temporary file: {error}; set TMPDIR to a folder on a disk",
            path.display()
        ))
    })
}

/// The error of writing a temporary file.
fn full(reason: std::io::Error, path: &Path) -> Error {
    match ae_files::is_full(&reason) {
        true => Error::Missing(format!(
            "{}: the disk of the temporary file with its rows is full ({}: {reason}); set TMPDIR to a folder \
             on another one",
            path.display(),
            folder().display()
        )),
        false => Error::io(path)(reason),
    }
}
