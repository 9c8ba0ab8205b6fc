//! The folders that published data sets are searched in, and the progress of a download.

use std::path::PathBuf;

use crate::{Error, Result};

/// The folders that published data sets are searched in.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `data_dir` | none | a folder of the user, searched first: its subfolder with the name of the set, then the folder itself |
/// | `cache_dir` | `ae` in the user's cache folder | searched next, one subfolder per set; downloads go there |
/// | `download` | true | whether to download a set that neither has |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDirs {
    /// A folder of the user, which must exist.
    pub data_dir: Option<PathBuf>,
    /// The cache. Without one nothing is downloaded.
    pub cache_dir: Option<PathBuf>,
    /// Whether to download.
    pub download: bool,
}

impl Default for DataDirs {
    fn default() -> Self {
        let cache_dir = dirs::cache_dir().map(|folder| folder.join("ae"));
        Self { data_dir: None, cache_dir, download: true }
    }
}

impl DataDirs {
    /// The user's folders that may hold `set`.
    pub(crate) fn user_folders(&self, set: &str) -> Result<Vec<PathBuf>> {
        match &self.data_dir {
            None => Ok(vec![]),
            Some(folder) if folder.is_dir() => Ok(vec![folder.join(set), folder.clone()]),
            Some(folder) => {
                Err(Error::malformed(folder, "a folder of data sets", "no folder of this name"))
            }
        }
    }

    /// The folder of `set` in the cache.
    pub(crate) fn cache_folder(&self, set: &str) -> Option<PathBuf> {
        self.cache_dir.as_ref().map(|folder| folder.join(set))
    }

    /// All folders that may hold `set`, in the order of the search.
    pub(crate) fn folders(&self, set: &str) -> Result<Vec<PathBuf>> {
        Ok(self.user_folders(set)?.into_iter().chain(self.cache_folder(set)).collect())
    }
}

/// The state of a download, reported at its start and after every piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The address that is downloaded.
    pub address: &'a str,
    /// Bytes so far.
    pub received: u64,
    /// Size of the file in bytes, if the server says.
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_folder_is_searched_before_the_cache() {
        let data = tempfile::tempdir().unwrap();
        let dirs = DataDirs {
            data_dir: Some(data.path().to_owned()),
            cache_dir: Some("/cache".into()),
            download: false,
        };
        assert_eq!(
            dirs.folders("kmnist").unwrap(),
            [data.path().join("kmnist"), data.path().to_owned(), "/cache/kmnist".into()]
        );
        let dirs = DataDirs { data_dir: Some(data.path().join("typo")), ..dirs };
        let error = dirs.folders("kmnist").unwrap_err().to_string();
        assert!(
            error.ends_with("typo: expected a folder of data sets, got no folder of this name")
        );
    }
}
