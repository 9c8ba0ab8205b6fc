//! An imputer as one file: safetensors, with all but numbers as JSON in its metadata.

use std::path::Path;

use ae_data::table::Schema;
use ae_models::tensors::{self, Tensors};
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};

use super::donors::Donors;
use super::ensemble::Ensemble;
use super::features::Layout;
use super::net::Completion;
use super::{Check, Column, Imputer, Settings};
use crate::{Error, Result};

/// The kind and the version of the file.
const KIND: &str = "imputer";
const VERSION: u32 = 1;

/// The most models of a file.
const MOST_MODELS: usize = 1000;

/// What the file says besides tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    kind: String,
    version: u32,
    settings: Settings,
    columns: Vec<Column>,
    layout: Layout,
    bounds: Vec<[f64; 2]>,
    check: Check,
    schema: Option<Schema>,
}

impl Imputer {
    /// Writes it as one file, whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut all = Tensors::new();
        for (number, model) in self.ensemble.models.iter().enumerate() {
            let own = tensors::collect(model).into_iter();
            all.extend(own.map(|(name, data)| (format!("models.{number}.{name}"), data)));
        }
        for (column, donors) in self.donors.iter().enumerate().filter(|(_, it)| it.len() > 0) {
            for (name, values) in [("predictions", &donors.predictions), ("values", &donors.values)]
            {
                let data = TensorData::new(values.clone(), [values.len()]);
                all.insert(format!("donors.{column}.{name}"), data);
            }
        }
        let metadata = Metadata {
            kind: KIND.to_owned(),
            version: VERSION,
            settings: self.settings.clone(),
            columns: self.columns.clone(),
            layout: self.ensemble.layout.clone(),
            bounds: self.bounds.clone(),
            check: self.check.clone(),
            schema: self.schema.clone(),
        };
        let metadata = serde_json::to_string(&metadata)
            .map_err(|error| Error::setting("imputer", "numbers that are finite", error))?;
        Ok(tensors::write(path, &all, &metadata)?)
    }

    /// Reads a file of [`save`](Self::save).
    ///
    /// # Errors
    /// If the file cannot be read, is no such file, or its parts do not fit each other.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let refuse = |expected: &str, got: String| Error::File {
            path: path.to_owned(),
            expected: expected.to_owned(),
            got,
        };
        let (mut all, text) = tensors::read(path)?;
        let what: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        if what["kind"] != KIND {
            let got = if text.is_empty() { "none" } else { "another file" };
            return Err(refuse("an imputer that `ae impute` saved", got.to_owned()));
        }
        if what["version"] != VERSION {
            let got = what["version"].to_string();
            return Err(refuse(&format!("version {VERSION} of the format"), got));
        }
        let metadata: Metadata = serde_json::from_str(&text)
            .map_err(|error| refuse("the description of an imputer", format!("`{error}`")))?;
        let Metadata { settings, columns, layout, bounds, check, schema, .. } = metadata;
        let fits_schema = schema.as_ref().is_none_or(|schema| {
            schema.columns.iter().filter(|it| it.role.features() > 0).count() == columns.len()
        });
        let has_bounds =
            bounds.len() == columns.len() && bounds.iter().all(|[low, high]| low <= high);
        if columns.is_empty() || !layout.fits(&columns) || !fits_schema || !has_bounds {
            return Err(refuse("a description whose parts fit each other", "other columns".into()));
        }
        if !(1..=MOST_MODELS).contains(&settings.models) {
            return Err(refuse("1 to 1000 models", settings.models.to_string()));
        }
        let is_finite = |data: &TensorData| data.iter::<f64>().all(f64::is_finite);
        if let Some((name, _)) = all.iter().find(|(_, data)| !is_finite(data)) {
            return Err(refuse("finite numbers", format!("others in tensor {name}")));
        }
        let mut models = Vec::with_capacity(settings.models);
        for number in 0..settings.models {
            let prefix = format!("models.{number}.");
            let mut own = Tensors::new();
            let names: Vec<String> =
                all.keys().filter(|it| it.starts_with(&prefix)).cloned().collect();
            for name in names {
                if let Some(data) = all.remove(&name) {
                    own.insert(name[prefix.len()..].to_owned(), data);
                }
            }
            // The width is that of a tensor that is there, so no file makes a larger model than itself.
            let width = own.get("dense.encoder.layers.0.bias").map(|bias| bias.shape()[0]);
            let precision = own.get("precision").map(|it| it.shape().to_vec());
            let d = layout.width();
            let (Some(width @ 1..), true) = (width, precision == Some(vec![d, d])) else {
                let expected = format!("the tensors of model {number} for {d} features");
                return Err(refuse(&expected, "others".to_owned()));
            };
            let model = Completion::new(&layout, None, width, 0, device)?;
            let model = tensors::replace(model, own).map_err(|error| {
                refuse(&format!("the tensors of model {number}"), error.to_string())
            })?;
            models.push(model);
        }
        let mut donors = vec![];
        for column in 0..columns.len() {
            let mut take = |name: &str| -> Vec<f64> {
                let data = all.remove(&format!("donors.{column}.{name}"));
                data.map(|data| data.iter::<f64>().collect()).unwrap_or_default()
            };
            let (predictions, values) = (take("predictions"), take("values"));
            if predictions.len() != values.len() {
                let got = format!("{} predictions of {} values", predictions.len(), values.len());
                return Err(refuse("a prediction for each value that was held back", got));
            }
            donors.push(Donors::of(predictions.into_iter().zip(values).collect()));
        }
        if let Some(name) = all.keys().next() {
            return Err(refuse("no other tensors", name.clone()));
        }
        let ensemble = Ensemble { layout, models, device: device.clone().without_autodiff() };
        Ok(Self { settings, columns, bounds, ensemble, donors, check, schema })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::imputer::tests::{mixed, quick};

    fn saved() -> (tempfile::TempDir, std::path::PathBuf, Imputer) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.imputer");
        let settings = Settings { epochs: Some(2), ..quick() };
        let imputer = Imputer::fit(&settings, &mixed(), &Device::flex()).unwrap();
        imputer.save(&path).unwrap();
        (folder, path, imputer)
    }

    fn refused(path: &Path) -> String {
        Imputer::load(path, &Device::flex()).err().unwrap().to_string()
    }

    #[test]
    fn a_file_gives_the_same_imputer() {
        let (_folder, path, imputer) = saved();
        let loaded = Imputer::load(&path, &Device::flex()).unwrap();
        let cells = mixed();
        assert_eq!(loaded.impute(&cells).unwrap(), imputer.impute(&cells).unwrap());
        assert_eq!(loaded.draws(&cells, 2, 5).unwrap(), imputer.draws(&cells, 2, 5).unwrap());
        assert_eq!(loaded.intervals(&cells, 0.9).unwrap(), imputer.intervals(&cells, 0.9).unwrap());
        assert_eq!(loaded.check(), imputer.check());
        let before = std::fs::read(&path).unwrap();
        loaded.save(&path).unwrap();
        assert!(before == std::fs::read(&path).unwrap());
    }

    #[test]
    fn other_files_are_named() {
        let (folder, path, _) = saved();
        let bytes = std::fs::read(&path).unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, b"length,width\n1,2\n").unwrap();
        assert!(refused(&other).contains("expected a safetensors file"), "{}", refused(&other));
        tensors::write(&other, &Tensors::new(), "").unwrap();
        assert!(refused(&other).ends_with("expected an imputer that `ae impute` saved, got none"));
        let (all, text) = tensors::read(&path).unwrap();
        let changed = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            tensors::write(&other, &all, &text.replace(from, to)).unwrap();
            refused(&other)
        };
        assert!(
            changed("\"version\":1", "\"version\":9").contains("version 1 of the format, got 9")
        );
        assert!(changed("\"models\":2", "\"models\":3").contains("tensors of model 2"));
        assert!(changed("\"models\":2", "\"models\":0").contains("1 to 1000 models, got 0"));
        assert!(changed("\"seed\":0", "\"seed\":0,\"more\":1").contains("unknown field"));
        let message = changed("\"name\":\"y\",", "\"name\":\"y\",\"odd\":1,");
        assert!(message.contains("unknown field"), "{message}");
        let message = changed("{\"start\":1,\"end\":2}", "{\"start\":9,\"end\":2}");
        assert!(message.contains("parts fit each other"), "{message}");
        let mut less = all.clone();
        less.retain(|name, _| !name.ends_with("donors.0.values"));
        tensors::write(&other, &less, &text).unwrap();
        assert!(refused(&other).contains("a prediction for each value"), "{}", refused(&other));
        let mut infinite = all.clone();
        infinite.insert("models.0.mean".into(), TensorData::from([f32::NAN; 5]));
        tensors::write(&other, &infinite, &text).unwrap();
        assert!(refused(&other).contains("finite numbers"), "{}", refused(&other));
        assert!(std::fs::read(&path).unwrap() == bytes);
    }

    /// Of a file with a byte changed or cut off anywhere: an error or another imputer, never a panic.
    #[test]
    fn no_damage_panics() {
        let (folder, path, _) = saved();
        let bytes = std::fs::read(&path).unwrap();
        let other = folder.path().join("other");
        for step in 0..150 {
            let at = step * bytes.len() / 150;
            let mut damaged = bytes.clone();
            damaged[at] = damaged[at].wrapping_add(1 + step as u8);
            std::fs::write(&other, &damaged).unwrap();
            if let Ok(imputer) = Imputer::load(&other, &Device::flex()) {
                let _ = imputer.impute(&mixed());
            }
            std::fs::write(&other, &bytes[..at]).unwrap();
            assert!(Imputer::load(&other, &Device::flex()).is_err());
        }
    }
}
