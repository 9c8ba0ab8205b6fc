//! The lock of a folder that is written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use crate::{Error, Result};

/// The file that is locked. It stays after the run; a lock ends with its process, however that ends.
pub(crate) const FILE: &str = ".lock";

/// Further tries to lock a folder, and the time before each.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(25);

/// Keeps other processes from writing to a folder, for as long as it lives.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "closed when dropped")] Option<File>);

impl FolderLock {
    /// Whether a process has locked a folder.
    pub fn is_held(folder: &Path) -> bool {
        let file = File::open(folder.join(FILE));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Locks a folder. Where the file system has no locks, it is not locked.
    ///
    /// # Errors
    /// If another process has locked it, or the file cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        let mut file = options.open(&path).map_err(Error::io(&path))?;
        // Who only asks whether it is held, holds it for a moment.
        let mut locked = file.try_lock();
        for _ in 0..TRIES {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(PAUSE);
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => {
                let id = format!("{}\n", std::process::id());
                let written = file.set_len(0).and_then(|()| file.rewind());
                written.and_then(|()| file.write_all(id.as_bytes())).map_err(Error::io(&path))?;
                Ok(Self(Some(file)))
            }
            Err(TryLockError::WouldBlock) => {
                let mut id = String::new();
                // Windows locks the bytes as well.
                let process = match file.read_to_string(&mut id) {
                    Ok(_) if !id.trim().is_empty() => format!("process {}", id.trim()),
                    _ => "another process".to_owned(),
                };
                Err(Error::usage(format!(
                    "{}: {process} is writing this run; wait until it is done, or stop it first",
                    folder.display()
                )))
            }
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                Ok(Self(None))
            }
            Err(TryLockError::Error(error)) => Err(Error::io(&path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once_and_again_after_that() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!FolderLock::is_held(folder.path()));
        let first = FolderLock::new(folder.path()).unwrap();
        assert!(FolderLock::is_held(folder.path()));
        let message = FolderLock::new(folder.path()).unwrap_err().to_string();
        let expected = format!(
            "{}: process {} is writing this run; wait until it is done, or stop it first",
            folder.path().display(),
            std::process::id()
        );
        assert_eq!(message, expected);
        drop(first);
        assert!(!FolderLock::is_held(folder.path()));
        FolderLock::new(folder.path()).unwrap();
    }
}
