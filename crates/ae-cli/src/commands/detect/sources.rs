//! What a detection reads: the training rows, the rows that are scored, labelled rows.

use std::path::Path;

use ae_apply::Detector;
use ae_apply::detect::check_alike;
use ae_data::table::Schema;
use ae_data::{Options, Samples, open_unsplit};

use super::Args;
use super::labels::{Reading, anomalies, shown};
use crate::{Error, Result};

/// All that is read, which fits together.
pub struct Sources {
    /// What a detector is trained on; none if it is in a file.
    pub training: Option<Samples>,
    /// What is scored; none if it is the training rows, which halves of them then score.
    pub scored: Option<Samples>,
    pub known: Known,
    /// Which scored rows are anomalies, if their labels say so.
    pub is_anomaly: Option<Vec<bool>>,
    /// What the person should know of what was read.
    pub notes: Vec<String>,
    /// Rows that are in a source and in none of these sets, of which some note speaks.
    pub left_out: usize,
}

/// The labelled rows of `--labels`.
pub enum Known {
    None,
    /// The scored rows themselves.
    Scored,
    Other(Box<Samples>, Vec<bool>),
}

impl Sources {
    pub fn open(args: &Args, detector: Option<&Detector>) -> Result<Self> {
        let mut reader = Reader { args, notes: vec![], left_out: 0, no_column: None, found: false };
        let (training, scored) = reader.training_and_scored(detector)?;
        let schema = match (detector, &training) {
            (Some(detector), _) => detector.schema(),
            (None, Some(training)) => training.table().map(|table| &table.schema),
            (None, None) => None,
        };
        let check = |samples: &Samples| match (detector, &training) {
            (Some(detector), _) => detector.check(samples),
            (None, Some(training)) => check_alike(training, samples),
            (None, None) => Ok(()),
        };
        if let Some(scored) = &scored {
            check(scored)?;
        }
        let source = args.score.as_ref().unwrap_or(&args.data);
        let labelled = match &args.labels {
            Some(labels) if !is_same(labels, source) => {
                if args.score.is_some() && is_same(labels, &args.data) {
                    return Err(Error::usage(format!(
                        "--labels: {labels} is what the detector is trained on, and scores of such rows are too \
                         small; give other labelled rows, or leave --score out to choose by rows that each half \
                         of the data scores of the other"
                    )));
                }
                let opened = reader.open(labels, schema)?;
                let samples = reader.test_set(labels, opened);
                check(&samples)?;
                Some(samples)
            }
            _ => None,
        };
        if let (Some(error), false) = (reader.no_column.take(), reader.found) {
            return Err(error.into());
        }
        let of_training = if detector.is_none() { training.as_ref() } else { None };
        let scored_rows = scored.as_ref().or(training.as_ref());
        let Some(scored_rows) = scored_rows else { return Err(Error::usage("nothing to score")) };
        args.check_anomaly(&[Some(scored_rows), labelled.as_ref()], of_training)?;
        let is_anomaly = reader.scored_labels(source, scored_rows);
        let known = match (&args.labels, labelled) {
            (None, _) => Known::None,
            (Some(labels), None) => {
                args.known(labels, scored_rows)?;
                Known::Scored
            }
            (Some(labels), Some(samples)) => {
                let is_anomaly = args.known(labels, &samples)?;
                Known::Other(Box::new(samples), is_anomaly)
            }
        };
        let Reader { notes, left_out, .. } = reader;
        Ok(Self { training, scored, known, is_anomaly, notes, left_out })
    }
}

struct Reader<'a> {
    args: &'a Args,
    notes: Vec<String>,
    left_out: usize,
    /// Why the first source that lacks the column of `--label-column` was not read with it.
    no_column: Option<ae_data::Error>,
    /// Whether a source has it.
    found: bool,
}

/// A source, and its test set if it has one.
type Opened = (Samples, Option<Samples>);

impl Reader<'_> {
    /// What is trained on and what is scored; the latter is none where it is the same rows.
    fn training_and_scored(
        &mut self,
        detector: Option<&Detector>,
    ) -> Result<(Option<Samples>, Option<Samples>)> {
        let data = &self.args.data;
        if let Some(detector) = detector {
            let opened = self.open(data, detector.schema())?;
            return Ok((None, Some(self.test_set(data, opened))));
        }
        let (training, test) = self.open(data, None)?;
        let Some(score) = &self.args.score else {
            if let Some(test) = &test {
                self.notes.push(format!(
                    "{data}: trained on its {} training samples; its {} test samples are scored",
                    training.len(),
                    test.len()
                ));
            }
            return Ok((Some(training), test));
        };
        if let Some(test) = test.filter(|_| !is_same(score, data)) {
            self.leave_out(test.len(), format!("test samples of {data} are not used"));
        }
        let schema = training.table().map(|table| table.schema.clone());
        let opened = self.open(score, schema.as_ref())?;
        if opened.1.is_none() && is_same(score, data) {
            return Err(Error::usage(format!(
                "--score: {score} is what the detector is trained on, and scores of such rows are too small; leave \
                 --score out, and each half of the rows is scored by a detector of the other half"
            )));
        }
        let scored = match is_same(score, data) {
            true => opened.1.unwrap_or(opened.0),
            false => self.test_set(score, opened),
        };
        Ok((Some(training), Some(scored)))
    }

    /// What of a source is scored, or has the labels: its test set, if it has one.
    fn test_set(&mut self, source: &str, (samples, test): Opened) -> Samples {
        match test {
            Some(test) => {
                let what = format!("training samples of {source} are not used, but its test set");
                self.leave_out(samples.len(), what);
                test
            }
            None => samples,
        }
    }

    fn leave_out(&mut self, count: usize, what: String) {
        self.notes.push(format!("{count} {what}"));
        self.left_out += count;
    }

    /// Reads a source as the training rows with this schema were read, if one is given. It may lack the column of
    /// `--label-column`, as rows to score do, but then no other column has the labels.
    fn open(&mut self, source: &str, schema: Option<&Schema>) -> Result<Opened> {
        let args = self.args;
        let mut options = Options {
            label_column: args.label_column.clone(),
            // Another source gets it where no folder is there to take it, and says what it needs.
            resize: args.resize.filter(|_| Path::new(source).is_dir() || !args.has_folder()),
            ..Options::default()
        };
        options.table.schema = schema.cloned();
        let read = |options: &Options| open_unsplit(source, options, &mut |_| ());
        let opened = match (read(&options), &args.label_column) {
            (Ok(opened), asked) => {
                self.found |= asked.is_some();
                opened
            }
            (Err(error), None) => return Err(error.into()),
            (Err(error), Some(asked)) => {
                let without = Options { label_column: None, ..options.clone() };
                // Not for want of the column.
                let Ok(mut opened) = read(&without) else { return Err(error.into()) };
                let other = opened.samples.table().and_then(|table| table.schema.label());
                if let (Some(other), None) = (other, schema) {
                    return Err(Error::usage(format!(
                        "--label-column: {source} has no column `{asked}`, and its column `{other}` would be read as \
                         labels instead of `{asked}`; rename it"
                    )));
                }
                if opened.samples.labels().is_some() {
                    self.notes.push(format!(
                        "{source}: its labels are not those of --label-column, and not used"
                    ));
                    opened.samples = opened.samples.without_labels();
                    opened.test = opened.test.map(Samples::without_labels);
                }
                self.no_column.get_or_insert(error);
                opened
            }
        };
        for samples in std::iter::once(&opened.samples).chain(&opened.test) {
            if let Some(dropped) = samples.table().map(|table| table.dropped).filter(|it| *it > 0) {
                self.leave_out(
                    dropped,
                    format!("rows of {source} are left out: they have no label"),
                );
            }
        }
        Ok((opened.samples, opened.test))
    }

    /// Which scored rows are anomalies, with a note where their labels do not say it.
    fn scored_labels(&mut self, source: &str, scored: &Samples) -> Option<Vec<bool>> {
        match anomalies(self.args.anomaly.as_deref(), scored) {
            Reading::Unlabelled => None,
            Reading::Unclear(why) => {
                self.notes.push(format!(
                    "{source}: {why}; name that of the anomalies with --anomaly to get AUROC and average precision"
                ));
                None
            }
            Reading::Known(is_anomaly) => {
                let anomalies = is_anomaly.iter().filter(|it| **it).count();
                if anomalies == 0 || anomalies == is_anomaly.len() {
                    let what = if anomalies == 0 { "normal" } else { "an anomaly" };
                    self.notes.push(format!(
                        "{source}: every row is {what} by its label, so there is no AUROC and no average precision"
                    ));
                }
                Some(is_anomaly)
            }
        }
    }
}

impl Args {
    fn has_folder(&self) -> bool {
        let sources = [Some(&self.data), self.score.as_ref(), self.labels.as_ref()];
        sources.into_iter().flatten().any(|source| Path::new(source).is_dir())
    }

    /// Refuses an `--anomaly` that no label has: `used` is what labels are used of, `training` may have the class
    /// as well.
    fn check_anomaly(&self, used: &[Option<&Samples>], training: Option<&Samples>) -> Result<()> {
        let Some(wanted) = &self.anomaly else { return Ok(()) };
        let names = |samples: &Samples| samples.labels().map(|labels| labels.names().to_vec());
        let mut all: Vec<String> =
            used.iter().copied().flatten().filter_map(names).flatten().collect();
        if all.is_empty() {
            return Err(Error::usage(
                "--anomaly: needs labels, and what is scored has none; name their column with --label-column",
            ));
        }
        all.sort();
        all.dedup();
        let known = training.and_then(names).is_some_and(|names| names.contains(wanted));
        match known || all.contains(wanted) {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "--anomaly: expected one of the labels ({}), got {wanted}",
                shown(&all)
            ))),
        }
    }

    /// Which of the labelled rows to choose a threshold by are anomalies; some have to be, and some not.
    fn known(&self, source: &str, samples: &Samples) -> Result<Vec<bool>> {
        let refuse = |what: String| Err(Error::usage(format!("--labels: {what}")));
        match anomalies(self.anomaly.as_deref(), samples) {
            Reading::Unlabelled => refuse(format!(
                "expected samples with labels, got none in {source}; name their column with --label-column"
            )),
            Reading::Unclear(why) => {
                refuse(format!("{source}: {why}; name that of the anomalies with --anomaly"))
            }
            Reading::Known(is_anomaly) => {
                let anomalies = is_anomaly.iter().filter(|it| **it).count();
                let normal = is_anomaly.len() - anomalies;
                match anomalies > 0 && normal > 0 {
                    true => Ok(is_anomaly),
                    false => refuse(format!(
                        "expected normal rows and anomalies in {source}, got {normal} normal rows and {anomalies} \
                         anomalies"
                    )),
                }
            }
        }
    }
}

/// Whether two names are of one source.
fn is_same(one: &str, other: &str) -> bool {
    let path = |source: &str| std::fs::canonicalize(source).ok();
    one == other || path(one).is_some_and(|one| path(other) == Some(one))
}
