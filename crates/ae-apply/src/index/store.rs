//! An index: codes with the files that they belong to.

use std::collections::HashMap;

use ae_data::fnv1a;
use burn::tensor::Device;

use super::{Codes, Metric, Neighbour, nearest};
use crate::{Error, Result};

/// Where the codes of an index come from. Another model's codes mean something else, so queries need the same one.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The folder of the run whose model made the codes.
    pub run: String,
    /// The [digest](Entry::digest_of) of the model's file.
    pub model: String,
    /// The folder or the source that was indexed.
    pub data: String,
    /// Channels, height and width that images are read with; `None` for rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<[usize; 3]>,
}

/// A file of an index, or a row of other data.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Its name: a path relative to the folder, or `row 17`.
    pub name: String,
    /// The size of the file in bytes.
    #[serde(default)]
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970.
    #[serde(default)]
    pub modified: u64,
    /// The digest of its bytes.
    #[serde(default)]
    pub digest: String,
    /// The [perceptual hash](super::PerceptualHash) of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<u64>,
}

impl Entry {
    /// A digest of bytes: FNV-1a of their words and their number, in hexadecimal. It tells files apart, and is no
    /// protection against somebody who wants them to be confused.
    pub fn digest_of(bytes: &[u8]) -> String {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let end = [u64::from_le_bytes(last), bytes.len() as u64];
        format!("{:016x}", fnv1a(words.chain(end)))
    }

    /// Whether it is the same file, unchanged, by name, size and time.
    fn is_unchanged(&self, other: &Self) -> bool {
        (&self.name, self.size, self.modified) == (&other.name, other.size, other.modified)
    }
}

/// Codes with the files that they belong to. [`save`](Self::save) and [`load`](Self::load) keep it in one file.
///
/// ```
/// use ae_apply::index::{Codes, Entry, Index, Metric, Origin};
/// use burn::tensor::Device;
///
/// let origin = Origin { run: "run".into(), model: "0".into(), data: "photos".into(), image: None };
/// let entry = Entry { name: "one.png".into(), digest: String::new(), ..Entry::default() };
/// let codes = Codes::new(vec![0.5, 0.25], 2)?;
/// let index = Index::new(origin, vec![entry], codes.clone())?;
/// let found = index.search(&codes, 3, Metric::Euclidean, &Device::flex())?;
/// assert_eq!(index.entries()[found[0][0].row].name, "one.png");
/// # Ok::<(), ae_apply::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    pub(super) origin: Origin,
    pub(super) entries: Vec<Entry>,
    pub(super) codes: Codes,
    /// What cosines are measured from: the mean of the codes that the index began with.
    pub(super) center: Vec<f32>,
}

/// What an index and a folder have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The entries of the folder, by their places, that are new or have changed.
    pub to_code: Vec<usize>,
    /// The number of files that stayed as they were.
    pub kept: usize,
    /// The number of files that are gone.
    pub gone: usize,
    /// The number of files that have changed.
    pub changed: usize,
}

impl Index {
    /// An index of codes, an entry each.
    ///
    /// # Errors
    /// If the numbers of entries and codes differ, or a name is there twice.
    pub fn new(origin: Origin, entries: Vec<Entry>, codes: Codes) -> Result<Self> {
        let center = codes.mean();
        Self { origin, entries, codes, center }.checked()
    }

    pub(super) fn checked(self) -> Result<Self> {
        if self.entries.len() != self.codes.len() {
            let expected = format!("{}, one for each code", self.codes.len());
            return Err(Error::setting("entries of the index", expected, self.entries.len()));
        }
        if self.center.len() != self.codes.width() {
            let expected = format!("{} numbers", self.codes.width());
            return Err(Error::setting("center of the index", expected, self.center.len()));
        }
        let mut names: Vec<&str> = self.entries.iter().map(|entry| &*entry.name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::setting(
                "entries of the index",
                "each name once",
                format!("`{}` twice", pair[0]),
            )),
            None => Ok(self),
        }
    }

    /// The same codes with another record of where they come from.
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Where the codes come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The files, one for each code.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The codes.
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// For each query the rows of its nearest codes ([`nearest`]). Cosines are those of codes minus the index's
    /// center: codes that share a large mean would all have nearly the same direction.
    ///
    /// # Errors
    /// As [`nearest`].
    pub fn search(
        &self,
        queries: &Codes,
        count: usize,
        metric: Metric,
        device: &Device,
    ) -> Result<Vec<Vec<Neighbour>>> {
        match metric {
            Metric::Euclidean => nearest(queries, &self.codes, count, metric, device),
            Metric::Cosine if queries.width() == self.codes.width() => {
                let [queries, codes] = [queries, &self.codes].map(|it| it.centered(&self.center));
                nearest(&queries, &codes, count, metric, device)
            }
            Metric::Cosine => nearest(queries, &self.codes, count, metric, device),
        }
    }

    /// Drops the entries that a folder no longer has, or whose size or time has changed, and says which of the folder
    /// still have to be coded and [added](Self::extend). `present` needs no digests.
    pub fn keep_unchanged(&mut self, present: &[Entry]) -> Changes {
        let known: HashMap<&str, &Entry> = self.entries.iter().map(|it| (&*it.name, it)).collect();
        let is_new =
            |entry: &Entry| known.get(&*entry.name).is_none_or(|it| !it.is_unchanged(entry));
        let to_code: Vec<usize> = (0..present.len()).filter(|at| is_new(&present[*at])).collect();
        let changed = to_code.iter().filter(|at| known.contains_key(&*present[**at].name)).count();
        let before = self.entries.len();
        let present: HashMap<&str, &Entry> = present.iter().map(|it| (&*it.name, it)).collect();
        let stays =
            |entry: &Entry| present.get(&*entry.name).is_some_and(|it| it.is_unchanged(entry));
        let kept: Vec<usize> = (0..before).filter(|row| stays(&self.entries[*row])).collect();
        self.codes = self.codes.subset(&kept);
        self.entries = kept.iter().map(|row| self.entries[*row].clone()).collect();
        Changes { to_code, kept: kept.len(), gone: before - kept.len() - changed, changed }
    }

    /// Adds entries and their codes, and puts all in the order of names.
    ///
    /// # Errors
    /// If the numbers of entries and codes differ, a name is there already, or the codes have another width.
    pub fn extend(&mut self, entries: Vec<Entry>, codes: &Codes) -> Result<()> {
        let mut all = self.clone();
        all.entries.extend(entries);
        all.codes.extend(codes)?;
        if self.entries.is_empty() {
            all.center = codes.mean();
        }
        let mut all = all.checked()?;
        let mut order: Vec<usize> = (0..all.entries.len()).collect();
        order.sort_by(|a, b| all.entries[*a].name.cmp(&all.entries[*b].name));
        self.codes = all.codes.subset(&order);
        self.entries = order.iter().map(|row| std::mem::take(&mut all.entries[*row])).collect();
        self.center = all.center;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn entry(name: &str, size: u64) -> Entry {
        Entry {
            name: name.into(),
            size,
            modified: 7,
            digest: Entry::digest_of(name.as_bytes()),
            hash: Some(u64::MAX),
        }
    }

    pub fn index(names: &[&str]) -> Index {
        let origin = Origin {
            run: "runs/a".into(),
            model: "ab".into(),
            data: "photos".into(),
            image: Some([3, 8, 8]),
        };
        let values = (0..2 * names.len()).map(|value| value as f32).collect();
        let entries = names.iter().map(|name| entry(name, 1)).collect();
        Index::new(origin, entries, Codes::new(values, 2).unwrap()).unwrap()
    }

    #[test]
    fn an_index_of_one_image_finds_it() {
        let index = index(&["only.png"]);
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let found = index.search(index.codes(), 12, metric, &Device::flex()).unwrap();
            assert_eq!((found[0].len(), found[0][0].row), (1, 0));
        }
    }

    /// Files `a` (unchanged), `b` (of another size) and `d` (new); `c` is gone.
    #[test]
    fn only_what_is_new_or_changed_is_coded() {
        let mut index = index(&["a", "b", "c"]);
        let present = [entry("a", 1), entry("b", 2), entry("d", 1)];
        let changes = index.keep_unchanged(&present);
        assert_eq!(changes, Changes { to_code: vec![1, 2], kept: 1, gone: 1, changed: 1 });
        assert_eq!((index.entries().len(), index.codes().values()), (1, &[0.0, 1.0][..]));
        let codes = Codes::new(vec![8.0, 8.0, 9.0, 9.0], 2).unwrap();
        index.extend(vec![entry("d", 1), entry("b", 2)], &codes).unwrap();
        let names: Vec<&str> = index.entries().iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(index.codes().values(), [0.0, 1.0, 9.0, 9.0, 8.0, 8.0]);
        assert_eq!(index.keep_unchanged(&present).to_code, [0usize; 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut index = index(&["a", "b"]);
        let before = index.clone();
        let codes = Codes::new(vec![1.0, 1.0], 2).unwrap();
        let message = index.extend(vec![entry("a", 1)], &codes).unwrap_err().to_string();
        assert_eq!(message, "entries of the index: expected each name once, got `a` twice");
        let message = index.extend(vec![], &codes).unwrap_err().to_string();
        assert_eq!(message, "entries of the index: expected 3, one for each code, got 2");
        assert_eq!(index, before);
    }

    #[test]
    fn digests_differ_by_content_and_length() {
        let all = [&b""[..], b"\0", b"\0\0", b"12345678", b"123456789", b"123456780"];
        let digests: std::collections::HashSet<String> =
            all.iter().map(|bytes| Entry::digest_of(bytes)).collect();
        assert_eq!(digests.len(), all.len());
    }
}
