//! `ae detect`.

mod judge;
mod outputs;

use std::path::{Path, PathBuf};

use ae_apply::detect::{Detector, DetectorSettings, ScoreKind};
use ae_data::{Options, Samples, open_unsplit, split_rows};
use ae_train::{Event, Flow};
use burn::tensor::Device;

use super::Examples;
use crate::args::DeviceArgs;
use crate::{Error, Result, interrupt};
use judge::{Judged, Part};

/// Find the samples that are unlike the others: in a table, an array, a folder of images
///
/// Every row is scored by a detector that has not seen it: with --data alone, each half of the rows is scored
/// by a detector of the other half.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A detector that this command wrote, instead of a training
    #[arg(value_name = "FILE.detector")]
    detector: Option<PathBuf>,
    /// What to train on: normal samples, or nearly all normal; with a detector, what to score
    #[arg(short, long, value_name = "FILE|FOLDER")]
    data: String,
    /// What to score [default: the data itself]
    #[arg(long, value_name = "FILE|FOLDER", conflicts_with = "detector")]
    score: Option<String>,
    /// What samples are scored by: all (error and joint), error, residual, latent, neighbours, joint, masked, rows
    /// [default: all]
    #[arg(long, value_name = "SCORE", value_parser = score_kind)]
    by: Option<ScoreKind>,
    /// Flag at most this share of normal samples, guaranteed [default: 0.01, or the smallest possible]
    #[arg(long, value_name = "RATE")]
    false_alarms: Option<f64>,
    /// Take the rate of false alarms from a model of the largest scores: no guarantee, but smaller rates
    #[arg(long)]
    tail: bool,
    /// Flag this share of the scored samples
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["tail", "false_alarms"])]
    contamination: Option<f64>,
    /// Choose the threshold by labelled samples: the best F1, or the recall of --recall
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tail", "false_alarms", "contamination"])]
    labels: Option<String>,
    /// The share of the anomalies in --labels that is to be flagged
    #[arg(long, value_name = "SHARE", requires = "labels")]
    recall: Option<f64>,
    /// The label of anomalies [default: 1, true, yes, anomaly, anomalous or outlier]
    #[arg(long, value_name = "LABEL")]
    anomaly: Option<String>,
    /// Leave this share of the training samples out, as too unusual
    #[arg(long, value_name = "SHARE", conflicts_with = "detector")]
    trim: Option<f64>,
    /// Training steps [default: 3000]
    #[arg(long, value_name = "N", conflicts_with = "detector")]
    steps: Option<usize>,
    /// Column of a table with the labels [default: label, class or target]
    #[arg(long, value_name = "NAME|INDEX")]
    label_column: Option<String>,
    /// Scale all images of a folder to one size
    #[arg(long, value_name = "WxH", value_parser = size)]
    resize: Option<(usize, usize)>,
    /// Seed of all that is drawn [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "detector")]
    seed: Option<u64>,
    /// Folder for scores.csv, flagged.csv, report.html and the detector [default: NAME-anomalies]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Write into a folder that has files already
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "detect",
    [
        "ae detect --data patients.csv                    # which rows are unusual, and why",
        "ae detect --data good/ --score new/ --resize 32x32 --false-alarms 0.05",
        "ae detect patients-anomalies/patients.detector --data june.csv --out june",
    ],
)];

fn size(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parts.ok_or_else(|| "expected width and height in pixels, such as 64x48".into())
}

fn score_kind(name: &str) -> Result<ScoreKind, String> {
    let names: Vec<_> = ScoreKind::KINDS.iter().map(|kind| kind.name()).collect();
    let found = ScoreKind::KINDS.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

impl Args {
    pub fn run(&self) -> Result<()> {
        let scored_source = self.score.as_ref().unwrap_or(&self.data);
        let name = name_of(scored_source);
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}-anomalies")));
        self.check_out(&out)?;
        let device = self.device.open()?.handle;
        let (detector, parts, scored) = self.parts(&device)?;
        let labelled = match &self.labels {
            Some(source) => Some(self.open(source, Some(&detector))?),
            None => None,
        };
        let judged = Judged::new(self, &parts, &scored, labelled.as_ref())?;
        let has_new_detector = self.detector.is_none().then_some(&detector);
        outputs::write(self, &out, &name, has_new_detector, &judged, &scored)
    }

    /// The detector to keep, the detectors with the rows that each scores, and these rows.
    fn parts(&self, device: &Device) -> Result<(Detector, Vec<Part>, Samples)> {
        if let Some(path) = &self.detector {
            let detector = Detector::load(path, device)?;
            let scored = self.open(&self.data, Some(&detector))?;
            let rows = (0..scored.len()).collect();
            return Ok((detector.clone(), vec![Part { detector, rows }], scored));
        }
        let training = self.open(&self.data, None)?;
        let detector = self.fit(&training, device)?;
        if let Some(source) = &self.score {
            let scored = self.open(source, Some(&detector))?;
            let rows = (0..scored.len()).collect();
            return Ok((detector.clone(), vec![Part { detector, rows }], scored));
        }
        let (first, second) = split_rows(training.len(), 0.5, self.seed.unwrap_or(0))?;
        let part = |seen: &[usize], rows: Vec<usize>| -> Result<Part> {
            Ok(Part { detector: self.fit(&training.subset(seen), device)?, rows })
        };
        let parts = vec![part(&first, second.clone())?, part(&second, first)?];
        Ok((detector, parts, training))
    }

    fn fit(&self, samples: &Samples, device: &Device) -> Result<Detector> {
        let usual = DetectorSettings::default();
        let settings = DetectorSettings {
            score: self.by.unwrap_or(usual.score),
            trim: self.trim.unwrap_or(usual.trim),
            steps: self.steps.unwrap_or(usual.steps),
            seed: self.seed.unwrap_or(usual.seed),
            ..usual
        };
        interrupt::is_requested();
        let mut observer = |event: &Event<'_>| {
            if let Event::Warning(warning) = event {
                eprintln!("warning: {warning}");
            }
            if interrupt::is_requested() { Flow::Stop } else { Flow::Continue }
        };
        Ok(Detector::fit_observed(&settings, samples, device, &mut observer)?)
    }

    /// Samples, read as those that a detector was trained on.
    fn open(&self, source: &str, like: Option<&Detector>) -> Result<Samples> {
        let mut options = Options {
            label_column: self.label_column.clone(),
            resize: self.resize,
            ..Options::default()
        };
        options.table.schema = like.and_then(Detector::schema).cloned();
        let opened = open_unsplit(source, &options, &mut |_| ())?;
        Ok(opened.samples)
    }

    fn check_out(&self, out: &Path) -> Result<()> {
        if out.is_file() {
            return Err(Error::usage(format!("{}: expected a folder, got a file", out.display())));
        }
        let is_used = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !self.force {
            return Err(Error::usage(format!(
                "{}: the folder has files already; give another one with --out, or --force",
                out.display()
            )));
        }
        let detector = self.detector.as_ref().map(|path| path.display().to_string());
        let sources =
            [Some(&self.data), self.score.as_ref(), self.labels.as_ref(), detector.as_ref()];
        let folder = std::fs::canonicalize(out).ok();
        for source in sources.into_iter().flatten() {
            let Ok(path) = std::fs::canonicalize(source) else { continue };
            if folder
                .as_deref()
                .is_some_and(|folder| path == folder || path.parent() == Some(folder))
            {
                return Err(Error::usage(format!(
                    "{source}: it is in the folder {} that the results go to; give another one with --out",
                    out.display()
                )));
            }
        }
        Ok(())
    }
}

/// The name of a file without its endings, or of a folder.
fn name_of(source: &str) -> String {
    let path = Path::new(source);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = if path.is_dir() { &*name } else { name.split('.').next().unwrap_or(&name) };
    if name.is_empty() { "data".to_owned() } else { name.to_owned() }
}
