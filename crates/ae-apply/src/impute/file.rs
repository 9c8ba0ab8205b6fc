//! An imputer as one file: safetensors, with all but numbers as JSON in its metadata.

use std::path::Path;

use ae_data::table::Schema;
use ae_models::tensors::{self, Tensors};
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};

use super::cells::of_schema;
use super::donors::Donors;
use super::ensemble::Ensemble;
use super::features::Layout;
use super::net::Completion;
use super::{Cells, Check, Column, Imputer, Settings};
use crate::{Error, Result};

/// The kind and the version of the file.
const KIND: &str = "imputer";
const VERSION: u32 = 1;

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
        Self::load_checked(path, device).map_err(|problem| match problem {
            Problem::Other(error) => error,
            Problem::Content { expected, got } => {
                Error::File { path: path.to_owned(), expected, got }
            }
        })
    }

    fn load_checked(path: &Path, device: &Device) -> Result<Self, Problem> {
        let (mut all, text) = tensors::read(path)?;
        let Metadata { settings, columns, layout, bounds, check, schema, .. } = metadata(&text)?;
        let is_finite = |data: &TensorData| data.iter::<f64>().all(f64::is_finite);
        if let Some((name, _)) = all.iter().find(|(_, data)| !is_finite(data)) {
            return Err(problem("finite numbers", format!("others in tensor {name}")));
        }
        let mut models = Vec::with_capacity(settings.models);
        for number in 0..settings.models {
            models.push(model(number, &mut all, &layout, device)?);
        }
        let mut donors = vec![];
        for (at, column) in columns.iter().enumerate() {
            donors.push(match column.categories() {
                Some(_) => Donors::default(),
                None => donors_of(at, &mut all, settings.tilt)?,
            });
        }
        if let Some(name) = all.keys().next() {
            return Err(problem("no other tensors", name.clone()));
        }
        let ensemble = Ensemble { layout, models, device: device.clone().without_autodiff() };
        let imputer = Self { settings, columns, bounds, ensemble, donors, check, schema };
        // Weights may be finite and what they give not.
        let nothing = vec![f64::NAN; imputer.columns.len()];
        if imputer.predictions(&Cells::new(imputer.columns.clone(), nothing)?).is_err() {
            return Err(problem("models that predict finite numbers", "others".to_owned()));
        }
        Ok(imputer)
    }
}

/// Why a file is no imputer.
enum Problem {
    Content { expected: String, got: String },
    Other(Error),
}

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

fn problem(expected: impl Into<String>, got: String) -> Problem {
    Problem::Content { expected: expected.into(), got }
}

/// The description of a file, whose parts fit each other.
fn metadata(text: &str) -> Result<Metadata, Problem> {
    let what: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if what["kind"] != KIND {
        let got = if text.is_empty() { "none" } else { "another file" };
        return Err(problem("an imputer that `ae impute` saved", got.to_owned()));
    }
    if what["version"] != VERSION {
        let expected = format!("version {VERSION} of the format");
        return Err(problem(expected, what["version"].to_string()));
    }
    let metadata: Metadata = serde_json::from_str(text)
        .map_err(|error| problem("the description of an imputer", format!("`{error}`")))?;
    let Metadata { settings, columns, layout, bounds, check, schema, .. } = &metadata;
    settings.check().map_err(|error| problem("settings in their ranges", format!("`{error}`")))?;
    let part = if columns.is_empty() {
        "no columns"
    } else if !layout.fits(columns) {
        "features of other columns"
    } else if schema.as_ref().is_some_and(|schema| of_schema(schema) != *columns) {
        "a schema of other columns"
    } else if bounds.len() != columns.len() || !bounds.iter().all(|[low, high]| low <= high) {
        "bounds of other columns"
    } else if check.methods.iter().any(|errors| errors.columns.len() != columns.len()) {
        "errors of other columns"
    } else {
        return Ok(metadata);
    };
    Err(problem("a description whose parts fit each other", part.to_owned()))
}

/// Takes the tensors whose names begin with `prefix`, without it.
fn take(prefix: &str, all: &mut Tensors) -> Tensors {
    let names = all.range(prefix.to_owned()..).map(|(name, _)| name.clone());
    let names: Vec<String> = names.take_while(|name| name.starts_with(prefix)).collect();
    let own = names.into_iter().filter_map(|name| {
        let data = all.remove(&name)?;
        Some((name[prefix.len()..].to_owned(), data))
    });
    own.collect()
}

fn model(
    number: usize,
    all: &mut Tensors,
    layout: &Layout,
    device: &Device,
) -> Result<Completion, Problem> {
    let own = take(&format!("models.{number}."), all);
    let d = layout.width();
    // A model is made only where the tensors that are there have its shapes, so that it is no larger than the file.
    let shape = |name: &str| own.get(name).map_or(vec![], |data| data.shape().to_vec());
    let width = shape("dense.encoder.layers.0.bias").first().copied().unwrap_or(0);
    let expected = [
        ("precision", vec![d, d]),
        ("dense.encoder.layers.0.weight", vec![width, 2 * d]),
        ("dense.encoder.layers.1.weight", vec![width, width]),
    ];
    if let Some((name, expected)) =
        expected.iter().find(|(name, it)| width == 0 || shape(name) != *it)
    {
        let expected = format!("a model of {d} features, with {name} of {expected:?}");
        let got = format!("{:?} in model {number}", shape(name));
        return Err(problem(expected, got));
    }
    let model = Completion::new(layout, None, width, 0, device)?;
    let marks = tensors::collect(&model).remove("categories");
    if own.get("categories") != marks.as_ref() {
        let got = format!("those of others in model {number}");
        return Err(problem("the marks of the columns of categories", got));
    }
    tensors::replace(model, own)
        .map_err(|error| problem(format!("the tensors of model {number}"), error.to_string()))
}

fn donors_of(column: usize, all: &mut Tensors, tilt: f64) -> Result<Donors, Problem> {
    let mut take = |name: &str| -> Vec<f64> {
        let data = all.remove(&format!("donors.{column}.{name}"));
        data.map(|data| data.iter::<f64>().collect()).unwrap_or_default()
    };
    let (predictions, values) = (take("predictions"), take("values"));
    if predictions.len() != values.len() {
        let got = format!("{} predictions of {} values", predictions.len(), values.len());
        return Err(problem("a prediction for each value that was held back", got));
    }
    Ok(Donors::of(predictions.into_iter().zip(values).collect(), tilt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::imputer::tests::{mixed, quick};
    use ae_data::table::Role;
    use serde_json::{Value, json};

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
        assert!(changed("\"models\":2", "\"models\":3").contains("[] in model 2"));
        assert!(changed("\"models\":2", "\"models\":1").contains("no other tensors"));
        for models in ["0", "1001", "18446744073709551615"] {
            let message = changed("\"models\":2", &format!("\"models\":{models}"));
            assert!(message.contains("1 to 1000, got"), "{message}");
        }
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

    /// Loads a file, and if it can be loaded, uses it in every way. No panic, and errors of loading name the file.
    fn try_out(path: &Path) -> bool {
        match Imputer::load(path, &Device::flex()) {
            Ok(imputer) => {
                let cells = mixed();
                let _ = imputer.impute(&cells);
                let _ = imputer.draws(&cells, 1, 0);
                let _ = imputer.intervals(&cells, 0.9);
                for column in 0..imputer.columns().len() {
                    let _ = imputer.interval_at(column, 1.0, 0.9);
                }
                true
            }
            Err(error) => {
                let (message, name) = (error.to_string(), path.display().to_string());
                assert!(message.contains(&name), "{message}");
                false
            }
        }
    }

    /// A file with a byte changed or cut off anywhere.
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
            try_out(&other);
            std::fs::write(&other, &bytes[..at]).unwrap();
            assert!(!try_out(&other), "cut off at {at}");
        }
    }

    /// Every place of a JSON value, as a path.
    fn places(value: &Value, path: String, all: &mut Vec<String>) {
        all.push(path.clone());
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| places(value, format!("{path}/{key}"), all));
            }
            Value::Array(list) => {
                let list = list.iter().enumerate();
                list.for_each(|(at, value)| places(value, format!("{path}/{at}"), all));
            }
            _ => {}
        }
    }

    /// Each field of the description replaced by other values or left out, with the tensors as they were.
    #[test]
    fn no_description_panics() {
        let (folder, path, imputer) = saved();
        let schema = Schema {
            columns: vec![
                column("x", Role::Number),
                column("y", Role::Number),
                column("count", Role::Integer),
                column(
                    "sign",
                    Role::Categorical { categories: vec!["minus".into(), "plus".into()] },
                ),
            ],
            missing_as: vec!["-999".into()],
        };
        imputer.with_schema(schema).save(&path).unwrap();
        let (all, text) = tensors::read(&path).unwrap();
        assert!(try_out(&path));
        let whole: Value = serde_json::from_str(&text).unwrap();
        let mut paths = vec![];
        places(&whole, String::new(), &mut paths);
        assert!(paths.len() > 100, "{}", paths.len());
        let other = folder.path().join("other");
        // What the tensors and the schema depend on may not be changed.
        let fixed = ["/kind", "/version", "/columns", "/layout/features", "/layout/categories"];
        for place in &paths {
            let values = [
                json!(null),
                json!(0),
                json!(-1),
                json!(1),
                json!(3),
                json!(1e300),
                json!(u64::MAX),
                json!(true),
                json!("minus"),
                json!([]),
                json!([[1.0, -1.0]]),
                json!({}),
                json!({ "start": 0, "end": u64::MAX }),
                json!({ "category": { "categories": [] } }),
                json!({ "date": { "month_first": true } }),
            ];
            for value in values {
                let mut changed = whole.clone();
                *changed.pointer_mut(place).unwrap() = value;
                tensors::write(&other, &all, &changed.to_string()).unwrap();
                let is_fixed = fixed.iter().any(|it| place.starts_with(it));
                if try_out(&other) && is_fixed {
                    assert_eq!(changed, whole, "{place}");
                }
            }
        }
    }

    /// Each tensor left out, of another shape, of other numbers, or of a shape that its file has no numbers for.
    #[test]
    fn no_tensor_panics() {
        let (folder, path, _) = saved();
        let (all, text) = tensors::read(&path).unwrap();
        let other = folder.path().join("other");
        for (name, data) in &all {
            let count: usize = data.shape().iter().product();
            let (zeros, huge) = (vec![0.0f32; count], vec![f32::MAX; count]);
            let longer = vec![0.5f32; count + 1];
            let replaced = [
                None,
                Some(TensorData::new(zeros.clone(), [count])),
                Some(TensorData::new(zeros.clone(), [1, count, 1])),
                Some(TensorData::new(longer, [count + 1])),
                Some(TensorData::new(Vec::<f32>::new(), [0])),
                Some(TensorData::new(Vec::<f32>::new(), [0, 1usize << 40])),
                Some(TensorData::new(huge, data.shape().clone())),
                Some(TensorData::new(vec![f64::MAX; count], data.shape().clone())),
                Some(TensorData::new(vec![f32::INFINITY; count], data.shape().clone())),
                Some(TensorData::new(zeros, data.shape().clone())),
            ];
            for (case, data) in replaced.into_iter().enumerate() {
                let mut changed = all.clone();
                changed.remove(name);
                changed.extend(data.map(|data| (name.clone(), data)));
                tensors::write(&other, &changed, &text).unwrap();
                let loads = try_out(&other);
                let is_vector = all[name].shape().len() == 1;
                let is_refused = match case {
                    0 | 3 | 4 | 5 | 8 => true,
                    1 => !is_vector,
                    2 => !name.starts_with("donors."),
                    _ => false,
                };
                assert!(!(loads && is_refused), "{name}, case {case}");
            }
        }
    }

    /// A small file whose first bias says that its model has a million units: nothing of that size is made.
    #[test]
    fn a_model_is_no_larger_than_its_file() {
        let (folder, path, _) = saved();
        let (mut all, text) = tensors::read(&path).unwrap();
        let wide = TensorData::new(vec![0.0f32; 1 << 20], [1 << 20]);
        all.insert("models.0.dense.encoder.layers.0.bias".into(), wide);
        let other = folder.path().join("other");
        tensors::write(&other, &all, &text).unwrap();
        let message = refused(&other);
        assert!(
            message.contains("with dense.encoder.layers.0.weight of [1048576, 10]"),
            "{message}"
        );
    }

    fn column(name: &str, role: Role) -> ae_data::table::Column {
        ae_data::table::Column { name: name.into(), role }
    }
}
