#![doc = include_str!("../README.md")]

use std::fs::File;
use std::io;
use std::path::Path;

/// Writes `path` through a temporary file in the same folder. If `fill` fails, the temporary file is
/// deleted and `path` stays as it was.
///
/// # Errors
/// If the folder does not exist or cannot be written, or `fill` fails. The error of a full disk says that nothing
/// was changed.
pub fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    write(path, fill).map_err(|error| match is_full(&error) {
        true => {
            let text = format!(
                "no room for it on the disk ({error}); nothing was changed, free some space"
            );
            io::Error::new(error.kind(), text)
        }
        false => error,
    })
}

/// Whether an error is that of a disk without room: full, or its limit for a user or a file is reached.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // Temporary files are private to the user; this one gets the permissions of an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = builder.tempfile_in(folder)?;
    fill(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}

/// A path as a shell takes it, to paste: in single quotes where it has characters that mean something to a shell.
///
/// ```
/// use std::path::Path;
///
/// assert_eq!(ae_files::quoted(Path::new("runs/mnist-32")), "runs/mnist-32");
/// assert_eq!(ae_files::quoted(Path::new("my runs/it's")), r"'my runs/it'\''s'");
/// ```
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./@%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn failed_write_keeps_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomically(&path, |file| file.write_all(b"first")).unwrap();
        let failure = write_atomically(&path, |file| {
            file.write_all(b"half of the sec")?;
            Err(io::Error::other("the rest is missing"))
        });
        assert_eq!(failure.unwrap_err().to_string(), "the rest is missing");
        let failure = write_atomically(&path, |file| {
            file.write_all(b"half of the sec")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let expected =
            "no room for it on the disk (no storage space); nothing was changed, free some space";
        assert_eq!(failure.unwrap_err().to_string(), expected);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
