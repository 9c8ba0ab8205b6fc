//! Files that are there whole or not at all.

use std::fs::File;
use std::path::Path;

use crate::{Error, Result};

/// Writes `path` by way of a temporary file beside it; where `fill` fails, nothing is left and
/// what was at `path` before stays.
pub(crate) fn write(
    path: &Path,
    fill: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // Temporary files are private; this one becomes an ordinary file, less the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = builder.tempfile_in(folder).map_err(Error::io(folder))?;
    fill(temporary.as_file_mut())
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(Error::io(path))?;
    temporary.persist(path).map_err(|failure| Error::io(path)(failure.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, |file| file.write_all(b"first")).unwrap();
        let failure = write(&path, |file| {
            file.write_all(b"half of the sec")?;
            Err(std::io::Error::other(Error::Missing("the rest".into())))
        });
        assert_eq!(failure.unwrap_err().to_string(), "the rest");
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
