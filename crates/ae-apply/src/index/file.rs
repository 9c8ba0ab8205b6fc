//! An index on disk: one safetensors file.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{Codes, Entry, Index, Origin};
use crate::{Error, Result};

/// The version of the format.
const FORMAT: u32 = 1;

/// The key of the metadata that the header is under.
const HEADER: &str = "ae";

#[derive(serde::Serialize, serde::Deserialize)]
struct Header {
    format: u32,
    /// Always `index`.
    kind: String,
    #[serde(flatten)]
    origin: Origin,
}

impl Index {
    /// Writes the index as one safetensors file, whole or not at all: `codes` (f32, `[entries, width]`), `center`
    /// (f32, `[width]`), `entries` (their JSON as bytes: a header of that size would exceed what the format allows
    /// from some hundred thousand files), and where the codes come from as JSON under the key `ae` of the metadata.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed = |what: String| Error::File {
            path: path.to_owned(),
            expected: "an index that can be written".to_owned(),
            got: what,
        };
        let header = Header { format: FORMAT, kind: "index".into(), origin: self.origin.clone() };
        let header = serde_json::to_string(&header).map_err(|error| failed(error.to_string()))?;
        let entries =
            serde_json::to_vec(&self.entries).map_err(|error| failed(error.to_string()))?;
        let [codes, center] = [self.codes.values(), &self.center].map(bytes_of);
        let width = self.codes.width();
        let views = [
            ("codes", Dtype::F32, vec![self.codes.len(), width], &codes),
            ("center", Dtype::F32, vec![width], &center),
            ("entries", Dtype::U8, vec![entries.len()], &entries),
        ];
        let views = views.into_iter().map(|(name, dtype, shape, bytes)| {
            TensorView::new(dtype, shape, bytes).map(|view| (name, view))
        });
        let views: Result<Vec<_>, _> = views.collect();
        let metadata = HashMap::from([(HEADER.to_owned(), header)]);
        let bytes = views
            .and_then(|views| safetensors::serialize(views, Some(metadata)))
            .map_err(|error| failed(error.to_string()))?;
        ae_files::write_atomically(path, |file| file.write_all(&bytes)).map_err(Error::io(path))
    }

    /// Reads an index.
    ///
    /// # Errors
    /// If the file cannot be read or is no index.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        Self::parse(&bytes).map_err(|(expected, got)| Error::File {
            path: path.to_owned(),
            expected,
            got,
        })
    }

    /// Says what was expected and what was got instead.
    fn parse(bytes: &[u8]) -> Result<Self, (String, String)> {
        let no_index = |got: String| ("an index, as `ae index` writes it".to_owned(), got);
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|error| no_index(format!("`{error}`")))?;
        let text = metadata.metadata().as_ref().and_then(|map| map.get(HEADER));
        let text = text.ok_or_else(|| no_index("a safetensors file without its header".into()))?;
        let header: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| no_index(format!("a header that is no JSON ({error})")))?;
        if header.get("kind").and_then(|kind| kind.as_str()) != Some("index") {
            return Err(no_index("the file of a model or of something else".into()));
        }
        if header.get("format").and_then(serde_json::Value::as_u64) != Some(u64::from(FORMAT)) {
            let expected = format!("format {FORMAT} (a newer version of the program may have it)");
            let format = header.get("format").map_or("none".into(), |format| format.to_string());
            return Err((expected, format!("format {format}")));
        }
        let header: Header = serde_json::from_value(header)
            .map_err(|error| ("the header of an index".to_owned(), error.to_string()))?;
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|error| no_index(format!("`{error}`")))?;
        let tensor = |name: &str, dtype: Dtype, dimensions: usize| {
            let found = tensors.tensor(name).ok();
            let fits = found.filter(|it| it.dtype() == dtype && it.shape().len() == dimensions);
            fits.ok_or_else(|| {
                (
                    format!("a tensor `{name}` of {dimensions} dimensions of {dtype:?}"),
                    "none".to_owned(),
                )
            })
        };
        let (codes, center) = (tensor("codes", Dtype::F32, 2)?, tensor("center", Dtype::F32, 1)?);
        let entries = tensor("entries", Dtype::U8, 1)?;
        let entries: Vec<Entry> = serde_json::from_slice(entries.data())
            .map_err(|error| ("a list of entries".to_owned(), error.to_string()))?;
        let in_words = |error: Error| match error {
            Error::Setting { what, expected, got } => (format!("{what}: {expected}"), got),
            other => ("a whole index".to_owned(), other.to_string()),
        };
        let center = floats(center.data());
        if center.iter().any(|value| !value.is_finite()) {
            return Err(("finite numbers in its center".to_owned(), "NaN or infinity".to_owned()));
        }
        let codes = Codes::new(floats(codes.data()), codes.shape()[1]).map_err(in_words)?;
        Self { origin: header.origin, entries, codes, center }.checked().map_err(in_words)
    }
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::store::tests::index;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_index_survives_save_and_load() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.aex");
        for names in [&["b/ä.png", "a \"quoted\".jpg"][..], &[]] {
            let index = index(names);
            index.save(&path).unwrap();
            assert_eq!(Index::load(&path).unwrap(), index);
        }
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.aex");
        let message = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let said = Index::load(&path).unwrap_err().to_string();
            said.strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned()
        };
        let said = message(b"not an index");
        assert!(said.starts_with("expected an index, as `ae index` writes it, got `"), "{said}");
        let with = |header: &str| {
            let metadata = HashMap::from([(HEADER.to_owned(), header.to_owned())]);
            safetensors::serialize(Vec::<(String, TensorView<'_>)>::new(), Some(metadata)).unwrap()
        };
        assert_eq!(
            message(&with("{\"part\":\"whole\"}")),
            "expected an index, as `ae index` writes it, got the file of a model or of something else"
        );
        assert_eq!(
            message(&with("{\"kind\":\"index\",\"format\":9}")),
            "expected format 1 (a newer version of the program may have it), got format 9"
        );
        let header = r#"{"kind":"index","format":1,"run":"r","model":"m","data":"d"}"#;
        assert_eq!(
            message(&with(header)),
            "expected a tensor `codes` of 2 dimensions of F32, got none"
        );
        let gone = folder.path().join("gone.aex");
        let said = Index::load(&gone).unwrap_err().to_string();
        assert!(said.starts_with(&gone.display().to_string()), "{said}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Damage is an error or another index, never a panic.
        #[test]
        fn damaged_files_do_not_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("it.aex");
            index(&["a", "b", "c"]).save(&path).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            let _ = Index::parse(&bytes);
        }
    }
}
