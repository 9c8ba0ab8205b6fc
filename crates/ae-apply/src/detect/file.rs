//! A detector in one file: safetensors, with everything that is no tensor as JSON in the metadata.

use std::path::Path;

use ae_data::{Preprocessing, Samples, Shape};
use ae_models::Architecture;
use ae_models::tensors::{self, Tensors};
use ae_train::{MaskedColumn, MaskedTable};
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::preparation::Preparation;
use super::statistics::{Fitted, KindScores, Statistics, whitening};
use super::{Columns, Counts, Detector, DetectorSettings, ScoreKind, of_kind};
use crate::{Error, Result};

const FORMAT: u32 = 1;

/// The fields that are not tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// The version of this format of a detector.
    detector: u32,
    settings: DetectorSettings,
    columns: Columns,
    preprocessing: Preprocessing,
    cells: Vec<MaskedColumn>,
    counts: Counts,
}

impl Detector {
    /// Writes the detector to a file, whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = Header {
            detector: FORMAT,
            settings: self.settings.clone(),
            columns: self.columns.clone(),
            preprocessing: self.preparation.0.clone(),
            cells: self.network.table.columns().to_vec(),
            counts: self.counts,
        };
        let text = serde_json::to_string(&header)
            .map_err(|error| malformed(path, "a header that can be written", error))?;
        let statistics = &self.statistics;
        let width = statistics.error_variance.len();
        let joint = width + statistics.code.mean.len();
        let matrix = |values: &[f32], width: usize| {
            TensorData::new(values.to_vec(), [values.len() / width, width])
        };
        let vector = |values: &[f64]| TensorData::new(values.to_vec(), [values.len()]);
        let mut all: Tensors = tensors::collect(&self.network.model)
            .into_iter()
            .map(|(name, data)| (format!("model.{name}"), data))
            .collect();
        all.extend([
            ("rows".to_owned(), matrix(&statistics.rows, width)),
            ("joint".to_owned(), matrix(&statistics.joint, joint)),
            ("calibration_rows".to_owned(), matrix(&self.calibration_rows, width)),
            ("error_variance".to_owned(), vector(&statistics.error_variance)),
            ("hidden_variance".to_owned(), vector(&statistics.hidden_variance)),
        ]);
        let residual = statistics.residual.as_ref().map(|whitening| ("residual", whitening));
        for (name, whitening) in [("code", &statistics.code)].into_iter().chain(residual) {
            let size = whitening.mean.len();
            // Symmetric, so rows are columns.
            let root = TensorData::new(whitening.root.as_slice().to_vec(), [size, size]);
            all.insert(format!("{name}.root"), root);
            all.insert(format!("{name}.mean"), vector(whitening.mean.as_slice()));
        }
        for (part, scores) in [("scale", &statistics.scale), ("calibration", &self.calibration)] {
            let named =
                |(kind, scores): &(ScoreKind, Vec<f64>)| (format!("{part}.{kind}"), vector(scores));
            all.extend(scores.iter().map(named));
        }
        Ok(tensors::write(path, &all, &text)?)
    }

    /// Reads a detector that was [saved](Self::save).
    ///
    /// # Errors
    /// If the file cannot be read, or is not such a file.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let (tensors, text) = tensors::read(path)?;
        let is_detector = serde_json::from_str::<serde_json::Value>(&text)
            .is_ok_and(|value| value.get("detector").is_some());
        if !is_detector {
            let got = "another safetensors file; `ae detect --data FILE` makes a detector";
            return Err(malformed(path, "a detector", got));
        }
        let header: Header = serde_json::from_str(&text)
            .map_err(|error| malformed(path, "the header of a detector", error))?;
        Reader { path, tensors }.detector(header, device)
    }
}

fn malformed(path: &Path, expected: impl Into<String>, got: impl std::fmt::Display) -> Error {
    Error::File { path: path.to_owned(), expected: expected.into(), got: got.to_string() }
}

/// Whether the columns have this number of features, of which `cells` says the same.
fn check_width(columns: &Columns, cells: usize, width: usize) -> Result<(), String> {
    let shape = match &columns.shape {
        Shape::Image { channels, height, width } => {
            channels.checked_mul(*height).and_then(|count| count.checked_mul(*width))
        }
        Shape::Table { columns } => Some(columns.len()),
    };
    let schema = columns.schema.as_ref().map_or(width, |schema| schema.features());
    match shape == Some(width) && schema == width && cells == width {
        true => Ok(()),
        false => {
            let shape = shape.map_or("more".to_owned(), |count| count.to_string());
            Err(format!("{shape} by the shape, {schema} by the schema, {cells} by the cells"))
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
    tensors: Tensors,
}

impl Reader<'_> {
    fn detector(mut self, header: Header, device: &Device) -> Result<Detector> {
        let path = self.path;
        let Header { detector, settings, columns, preprocessing, cells, counts } = header;
        if detector != FORMAT {
            return Err(malformed(path, format!("version {FORMAT} of a detector"), detector));
        }
        let in_file = |error: Error| malformed(path, "a valid detector", error);
        settings.check().map_err(in_file)?;
        // A tensor bounds the number of features before anything of the size that the header claims is made.
        let error_variance = self.variance("error_variance", None)?;
        let width = error_variance.len();
        let table = MaskedTable::new(cells).map_err(|error| in_file(error.into()))?;
        check_width(&columns, table.features(), width)
            .map_err(|got| malformed(path, format!("columns of {width} features"), got))?;
        Samples::from_floats(vec![0.0; width], columns.shape.clone())
            .and_then(|samples| samples.with_preprocessing(preprocessing.clone()))
            .map_err(|error| in_file(error.into()))?;

        let network = self.network(table, &settings, device)?;
        let code = settings.code;
        let rows = self.matrix("rows", width)?;
        let joint = self.matrix("joint", width + code)?;
        if rows.len() / width != joint.len() / (width + code) || rows.is_empty() {
            return Err(malformed(path, "a code and a residual for each row", "others"));
        }
        let calibration_rows = self.matrix("calibration_rows", width)?;
        let hidden_variance = self.variance("hidden_variance", Some(width))?;
        let residual = match self.tensors.contains_key("residual.root") {
            true => Some(self.whitening("residual", width)?),
            false => None,
        };
        let code_whitening = self.whitening("code", code)?;
        let there = Counts {
            calibration: calibration_rows.len() / width,
            training: (rows.len() / width).saturating_sub(counts.scale),
            ..counts
        };
        if there != counts || counts.training == 0 {
            let expected = format!("the parts that its header says ({counts:?})");
            return Err(malformed(path, expected, format!("{there:?}")));
        }
        let [scale, calibration] =
            [self.scores("scale", counts.scale)?, self.scores("calibration", counts.calibration)?];
        let is_residual = |(kind, _): &(ScoreKind, Vec<f64>)| *kind == ScoreKind::Residual;
        if calibration.iter().any(is_residual) != residual.is_some() {
            return Err(malformed(path, "a covariance of errors with its scores", "one of them"));
        }
        // What a detector that scores has: without these, scoring would have to fail.
        let kinds = ScoreKind::KINDS.into_iter().filter(|kind| {
            *kind != ScoreKind::Residual || residual.is_some() || settings.score == *kind
        });
        for kind in kinds {
            of_kind(&calibration, kind).map_err(in_file)?;
            if kind != ScoreKind::All {
                of_kind(&scale, kind).map_err(in_file)?;
            }
        }
        if let Some(name) = self.tensors.keys().next() {
            return Err(malformed(path, "the tensors of a detector", format!("`{name}` as well")));
        }
        let statistics = Statistics::assemble(Fitted {
            error_variance,
            hidden_variance,
            residual,
            code: code_whitening,
            rows,
            joint,
            scale,
            neighbours: settings.neighbours,
            width,
            code_size: code,
        })?;
        Ok(Detector {
            settings,
            columns,
            preparation: Preparation(preprocessing),
            network,
            statistics,
            calibration,
            calibration_rows,
            counts,
            device: device.clone(),
        })
    }

    fn network(
        &mut self,
        table: MaskedTable,
        settings: &DetectorSettings,
        device: &Device,
    ) -> Result<Network> {
        let mut of_model = Tensors::new();
        let names: Vec<String> =
            self.tensors.keys().filter(|name| name.starts_with("model.")).cloned().collect();
        for name in names {
            if let Some(data) = self.tensors.remove(&name) {
                of_model.insert(name["model.".len()..].to_owned(), data);
            }
        }
        let is_finite = |data: &TensorData| data.iter::<f32>().all(f32::is_finite);
        if let Some((name, _)) = of_model.iter().find(|(_, data)| !is_finite(data)) {
            let expected = format!("finite numbers in `model.{name}`");
            return Err(malformed(self.path, expected, "another"));
        }
        // Before a model of the size that the header claims is made.
        let there: usize = of_model.values().map(TensorData::num_elements).sum();
        let config = Network::config(table.features(), settings);
        let claimed = Architecture::Dense(config).num_params();
        if claimed != Some(there) {
            let claimed = claimed.map_or("more".to_owned(), |count| count.to_string());
            let expected = format!("{claimed} parameters of the model, as its header says");
            return Err(malformed(self.path, expected, there));
        }
        let network = Network::new(table, settings, device)?;
        let model = tensors::replace(network.model, of_model)
            .map_err(|error| malformed(self.path, "the tensors of the model", error))?;
        Ok(Network { model, ..network })
    }

    fn take(&mut self, name: &str) -> Result<TensorData> {
        let found = self.tensors.remove(name);
        found.ok_or_else(|| malformed(self.path, format!("a tensor `{name}`"), "none"))
    }

    fn matrix(&mut self, name: &str, width: usize) -> Result<Vec<f32>> {
        let data = self.take(name)?;
        let shape = data.shape().to_vec();
        let values: Vec<f32> = data.iter::<f32>().collect();
        match shape.len() == 2 && shape[1] == width && values.iter().all(|value| value.is_finite())
        {
            true => Ok(values),
            false => {
                let expected = format!("finite rows of {width} numbers in `{name}`");
                Err(malformed(self.path, expected, format!("shape {shape:?}")))
            }
        }
    }

    fn vector(&mut self, name: &str, length: Option<usize>) -> Result<Vec<f64>> {
        let values: Vec<f64> = self.take(name)?.iter::<f64>().collect();
        let fits = length.is_none_or(|length| values.len() == length) && !values.is_empty();
        match fits && values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => {
                let many = length.map_or("at least one".to_owned(), |length| length.to_string());
                let expected = format!("{many} finite numbers in `{name}`");
                Err(malformed(self.path, expected, format!("{} numbers", values.len())))
            }
        }
    }

    /// Numbers that can be divided by, also in f32.
    fn variance(&mut self, name: &str, length: Option<usize>) -> Result<Vec<f64>> {
        let values = self.vector(name, length)?;
        match values.iter().all(|value| *value >= f64::from(f32::MIN_POSITIVE)) {
            true => Ok(values),
            false => Err(malformed(self.path, format!("variances above 0 in `{name}`"), "others")),
        }
    }

    fn whitening(&mut self, name: &str, size: usize) -> Result<super::covariance::Whitening> {
        let mean = self.vector(&format!("{name}.mean"), Some(size))?;
        let root = self.vector(&format!("{name}.root"), size.checked_mul(size))?;
        Ok(whitening(mean, &root))
    }

    fn scores(&mut self, part: &str, rows: usize) -> Result<KindScores> {
        let mut scores = vec![];
        for kind in ScoreKind::KINDS {
            let name = format!("{part}.{kind}");
            if self.tensors.contains_key(&name) {
                scores.push((kind, self.vector(&name, Some(rows))?));
            }
        }
        Ok(scores)
    }
}
