//! `ae detect`.

mod judge;
mod labels;
mod outputs;
mod rule;
mod sources;

use std::path::{Path, PathBuf};

use ae_apply::detect::{Detector, DetectorSettings, ScoreKind};
use ae_data::{Samples, split_rows};
use ae_train::{Event, Flow};
use burn::tensor::Device;

use super::Examples;
use crate::args::DeviceArgs;
use crate::outputs::check_folder;
use crate::{Error, Result, interrupt};
use judge::{Judged, Part};
use rule::Rule;
use sources::Sources;

/// Find the samples that are unlike the others: in a table, an array, a folder of images
///
/// No row is scored by a detector that was trained on it: with --data alone, its test set is scored, or else
/// each half of the rows by a detector of the other half.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A detector that this command wrote, instead of a training
    #[arg(value_name = "FILE.detector")]
    detector: Option<PathBuf>,
    /// What to train on: normal samples, or nearly all normal; with a detector, what to score
    #[arg(short, long, value_name = "FILE|FOLDER")]
    data: String,
    /// What to score [default: the test set of the data, or the data itself]
    #[arg(long, value_name = "FILE|FOLDER", conflicts_with = "detector")]
    score: Option<String>,
    /// What samples are scored by: all (error and joint), error, residual, latent, neighbours, joint, masked, rows
    /// [default: all]
    #[arg(long, value_name = "SCORE", value_parser = score_kind)]
    by: Option<ScoreKind>,
    /// Flag at most this share of normal samples on average [default: 0.01, or the smallest possible]
    #[arg(long, value_name = "RATE")]
    false_alarms: Option<f64>,
    /// Find the threshold by a model of the largest scores: smaller rates, as far as the model holds
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
    /// Column of a table with the labels, where a table has it [default: label, class or target]
    #[arg(long, value_name = "NAME|INDEX")]
    label_column: Option<String>,
    /// Scale all images of folders to one size
    #[arg(long, value_name = "WxH", value_parser = ae_recipe::parse::pixels)]
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
        let detector = match &self.detector {
            Some(path) => Some(Detector::load(path, &device)?),
            None => None,
        };
        let sources = Sources::open(self, detector.as_ref())?;
        let plan = self.plan(detector, &sources)?;
        sources.notes.iter().for_each(|note| eprintln!("note: {note}"));
        // Before the training, so that a folder that cannot be made costs no minutes.
        let folder = NewFolder::make(&out)?;
        let (detector, parts) = self.parts(plan, &sources, &device)?;
        let Sources { training, scored, known, is_anomaly, mut notes, left_out } = sources;
        let Some(scored) = scored.or(training) else {
            return Err(Error::usage("nothing to score"));
        };
        let judged = Judged::new(self, &parts, &scored, &known, is_anomaly)?;
        if let Some(shift) = &judged.shift {
            eprintln!("warning: {shift}");
            notes.push(shift.clone());
        }
        let has_new_detector = self.detector.is_none().then_some(&detector);
        let read = outputs::Read { notes: &notes, left_out };
        folder.keep();
        outputs::write(self, &out, &name, has_new_detector, &judged, &scored, &read)
    }

    /// What is to be trained, which data and settings allow.
    fn plan(&self, detector: Option<Detector>, sources: &Sources) -> Result<Plan> {
        let rule = Rule::of(self);
        let Some(training) = &sources.training else {
            let Some(detector) = detector else { return Err(Error::usage("nothing to train on")) };
            let kind = self.by.unwrap_or(detector.settings().score);
            rule.check(detector.calibration(kind)?.scores().len())?;
            return Ok(Plan::Trained(Box::new(detector)));
        };
        let settings = self.settings();
        let all = settings.counts(training)?;
        if sources.scored.is_some() {
            rule.check(all.calibration)?;
            return Ok(Plan::Whole);
        }
        let (first, second) = split_rows(training.len(), 0.5, settings.seed)?;
        for rows in [&first, &second] {
            let counts = settings.counts(&training.subset(rows)).map_err(|error| {
                Error::usage(format!(
                    "half of the rows, by which the other half is scored: {error}; or score other rows with --score"
                ))
            })?;
            rule.check(counts.calibration)?;
        }
        Ok(Plan::Halves(first, second))
    }

    /// The detector to keep, and the detectors with the rows that each scores.
    fn parts(
        &self,
        plan: Plan,
        sources: &Sources,
        device: &Device,
    ) -> Result<(Detector, Vec<Part>)> {
        let all = |detector: Detector, scored: Option<&Samples>| {
            let rows = (0..scored.map_or(0, Samples::len)).collect();
            (detector.clone(), vec![Part { detector, rows }])
        };
        let (training, scored) = (sources.training.as_ref(), sources.scored.as_ref());
        match (plan, training) {
            (Plan::Trained(detector), _) => Ok(all(*detector, scored)),
            (Plan::Whole, Some(training)) => Ok(all(self.fit(training, device)?, scored)),
            (Plan::Halves(first, second), Some(training)) => {
                let part = |seen: &[usize], rows: Vec<usize>| -> Result<Part> {
                    Ok(Part { detector: self.fit(&training.subset(seen), device)?, rows })
                };
                let detector = self.fit(training, device)?;
                let parts = vec![part(&first, second.clone())?, part(&second, first)?];
                Ok((detector, parts))
            }
            (_, None) => Err(Error::usage("nothing to train on")),
        }
    }

    fn settings(&self) -> DetectorSettings {
        let usual = DetectorSettings::default();
        DetectorSettings {
            score: self.by.unwrap_or(usual.score),
            trim: self.trim.unwrap_or(usual.trim),
            steps: self.steps.unwrap_or(usual.steps),
            seed: self.seed.unwrap_or(usual.seed),
            ..usual
        }
    }

    fn fit(&self, samples: &Samples, device: &Device) -> Result<Detector> {
        interrupt::is_requested();
        let mut observer = |event: &Event<'_>| {
            if let Event::Warning(warning) = event {
                eprintln!("warning: {warning}");
            }
            if interrupt::is_requested() { Flow::Stop } else { Flow::Continue }
        };
        Ok(Detector::fit_observed(&self.settings(), samples, device, &mut observer)?)
    }

    fn check_out(&self, out: &Path) -> Result<()> {
        let sources = [Some(&self.data), self.score.as_ref(), self.labels.as_ref()];
        let sources = sources.into_iter().flatten().map(Path::new);
        check_folder(out, self.force, sources.chain(self.detector.as_deref()))
    }
}

/// What is to be trained.
enum Plan {
    /// Nothing.
    Trained(Box<Detector>),
    /// A detector that scores other rows.
    Whole,
    /// A detector of all rows to keep, and one of each half, which scores the other half.
    Halves(Vec<usize>, Vec<usize>),
}

/// The folder for results. One that was made is removed if it stays empty.
struct NewFolder<'a> {
    path: &'a Path,
    is_new: bool,
}

impl<'a> NewFolder<'a> {
    fn make(path: &'a Path) -> Result<Self> {
        let is_new = !path.exists();
        std::fs::create_dir_all(path).map_err(Error::io(path))?;
        Ok(Self { path, is_new })
    }

    fn keep(mut self) {
        self.is_new = false;
    }
}

impl Drop for NewFolder<'_> {
    fn drop(&mut self) {
        if self.is_new {
            // It is empty, or else someone else needs it.
            let _ = std::fs::remove_dir(self.path);
        }
    }
}

/// The name of a file without its endings, or of a folder.
fn name_of(source: &str) -> String {
    let path = Path::new(source);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = if path.is_dir() { &*name } else { name.split('.').next().unwrap_or(&name) };
    if name.is_empty() { "data".to_owned() } else { name.to_owned() }
}
