//! Where published data sets are looked for.

use std::path::PathBuf;

use crate::{Error, Result};

/// Where published data sets are looked for.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `data_dir` | none | a folder of the user's, looked in first: its subfolder named as the set, then itself |
/// | `cache_dir` | `ae` in the user's cache folder | looked in next (one subfolder per set), and what downloads go to |
/// | `download` | true | whether what is in neither is downloaded |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// A folder of the user's; it must exist.
    pub data_dir: Option<PathBuf>,
    /// The cache; without one nothing is downloaded.
    pub cache_dir: Option<PathBuf>,
    /// Whether to download.
    pub download: bool,
}

impl Default for Search {
    fn default() -> Self {
        let cache_dir = dirs::cache_dir().map(|folder| folder.join("ae"));
        Self { data_dir: None, cache_dir, download: true }
    }
}

impl Search {
    /// The folders of the user's that may hold `set`.
    pub(crate) fn own(&self, set: &str) -> Result<Vec<PathBuf>> {
        match &self.data_dir {
            None => Ok(vec![]),
            Some(folder) if folder.is_dir() => Ok(vec![folder.join(set), folder.clone()]),
            Some(folder) => {
                Err(Error::malformed(folder, "a folder of data sets", "no folder of this name"))
            }
        }
    }

    /// The folder of `set` in the cache.
    pub(crate) fn cached(&self, set: &str) -> Option<PathBuf> {
        self.cache_dir.as_ref().map(|folder| folder.join(set))
    }

    /// All folders that may hold `set`, in the order in which they are looked at.
    pub(crate) fn folders(&self, set: &str) -> Result<Vec<PathBuf>> {
        Ok(self.own(set)?.into_iter().chain(self.cached(set)).collect())
    }
}

/// How far a download is; given out before its first piece and after every piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is fetched.
    pub address: &'a str,
    /// Bytes so far.
    pub received: u64,
    /// Bytes in all, if the server says.
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_folder_comes_before_the_cache() {
        let data = tempfile::tempdir().unwrap();
        let search = Search {
            data_dir: Some(data.path().to_owned()),
            cache_dir: Some("/cache".into()),
            download: false,
        };
        assert_eq!(
            search.folders("kmnist").unwrap(),
            [data.path().join("kmnist"), data.path().to_owned(), "/cache/kmnist".into()]
        );
        let search = Search { data_dir: Some(data.path().join("typo")), ..search };
        let error = search.folders("kmnist").unwrap_err().to_string();
        assert!(
            error.ends_with("typo: expected a folder of data sets, got no folder of this name")
        );
    }
}
