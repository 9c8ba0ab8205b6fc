//! Unpacks a zip archive, the form in which EMNIST is published.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use crate::{Error, Result, file_reader::inflated_limit};

/// Writes the files `names` from the archive's folder `gzip` into `folder`, each whole or not at
/// all. No file may be larger than [`inflated_limit`] allows.
pub(crate) fn unpack(archive: &Path, names: &[String], folder: &Path) -> Result<()> {
    let broken = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => Error::io(archive)(error),
        error => Error::malformed(archive, "a zip archive", format!("something else ({error})")),
    };
    let file = File::open(archive).map_err(Error::io(archive))?;
    let size = file.metadata().map_err(Error::io(archive))?.len();
    let mut members = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    for name in names {
        let mut member = members.by_name(&format!("gzip/{name}")).map_err(|error| match error {
            zip::result::ZipError::FileNotFound => {
                Error::malformed(archive, format!("gzip/{name} in it"), "an archive without it")
            }
            error => broken(error),
        })?;
        let limit = inflated_limit(member.compressed_size().min(size));
        let path = folder.join(name);
        ae_files::write_atomically(&path, |file| {
            let damaged = |expected: String, got: String| {
                std::io::Error::other(Error::malformed(archive, expected, got))
            };
            let mut left = limit;
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = member.read(&mut buffer).map_err(|error| {
                    damaged(format!("an intact gzip/{name} in it"), error.to_string())
                })?;
                if read == 0 {
                    return Ok(());
                }
                left = left.checked_sub(read as u64).ok_or_else(|| {
                    damaged(format!("at most {limit} bytes in gzip/{name}"), "more".into())
                })?;
                file.write_all(&buffer[..read])?;
            }
        })
        .map_err(Error::io(&path))?;
    }
    Ok(())
}
