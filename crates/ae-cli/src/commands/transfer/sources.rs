//! Source, target and test set, read so that their features agree.

use std::path::Path;

use ae_apply::transfer::{Domains, resized, standardized};
use ae_data::{DataDirs, Options, Progress, Samples, Unsplit, open_unsplit, subsample};
use burn::tensor::Device;

use super::Args;
use crate::download::DownloadBar;
use crate::{Error, Result};

/// Samples by what they are for.
pub struct Sources {
    pub source: Samples,
    pub target: Samples,
    /// What is classified, if not the target.
    pub test: Option<Samples>,
}

impl Sources {
    pub fn open(args: &Args) -> Result<Self> {
        let named = [Some(&args.source), Some(&args.target), args.test.as_ref()];
        if args.label_column.is_some()
            && !named.into_iter().flatten().any(|it| takes_label_column(classes_of(it).0))
        {
            return Err(Error::usage(
                "--label-column needs a table or an array with the labels; drop it",
            ));
        }
        let mut source = open(args, &args.source, None)?;
        let like = is_file_table(&source.samples).then(|| source.samples.clone());
        let mut target = open(args, &args.target, like.as_ref())?;
        // A sparse file tells of its columns only up to the last one that it names.
        let is_sparse = |it: &Unsplit| it.samples.table().is_some_and(|table| table.indexed);
        if is_sparse(&source) && is_sparse(&target) {
            let narrow = open(args, &args.target, None)?;
            if narrow.samples.width() > source.samples.width() {
                source = open(args, &args.source, Some(&narrow.samples))?;
                target = narrow;
            }
        }
        let test = match &args.test {
            Some(test) => {
                let like = is_file_table(&source.samples).then(|| source.samples.clone());
                Some(open(args, test, like.as_ref())?.samples)
            }
            None => target.test.take(),
        };
        let prepare = |samples: Samples, name: &str| -> Result<Samples> {
            let samples = of_classes(samples, classes_of(name).1)?;
            let samples = match args.samples {
                Some(count) if count < samples.len() => {
                    subsample(&samples, count, args.seed.unwrap_or(0))?
                }
                _ => samples,
            };
            let shape = samples.shape().clone();
            match args.resize {
                Some((width, height)) => Ok(resized(&samples, width, height).map_err(|error| {
                    Error::usage(format!("--resize: {error} ({name}: {shape})"))
                })?),
                None => Ok(samples),
            }
        };
        let test_name = args.test.as_ref().unwrap_or(&args.target);
        let sets = Self {
            source: prepare(source.samples, &args.source)?,
            target: prepare(target.samples, &args.target)?,
            test: test.map(|test| prepare(test, test_name)).transpose()?,
        };
        Ok(sets)
    }

    /// Numbers of columns in units of their deviation; counts and pixels as they are.
    pub fn domains(&self, device: &Device) -> Result<Domains> {
        let (source, target, test) = (&self.source, &self.target, self.test.as_ref());
        // Says what is wrong before it takes time.
        let domains = Domains::new(source, target, test, device)?;
        let is_dense = source.table().is_some_and(|table| !table.indexed);
        Ok(if is_dense { standardized(domains)? } else { domains })
    }

    /// What is classified.
    pub fn scored(&self) -> &Samples {
        self.test.as_ref().unwrap_or(&self.target)
    }
}

/// Whether it has columns that another file must have too.
fn is_file_table(samples: &Samples) -> bool {
    samples.table().is_some()
}

fn open(args: &Args, named: &str, like: Option<&Samples>) -> Result<Unsplit> {
    let (source, _) = classes_of(named);
    let mut options = Options {
        dirs: DataDirs { data_dir: args.data_dir.clone(), ..DataDirs::default() },
        seed: args.seed.unwrap_or(0),
        ..Options::default()
    };
    if takes_label_column(source) {
        options.label_column = args.label_column.clone();
    }
    if !ae_data::is_published(source) {
        options.dirs.data_dir = None;
    }
    if Path::new(source).is_dir() && args.resize.is_some() {
        // A folder of images of any sizes; one of other files is refused, and read as it is.
        options.resize = args.resize;
    }
    options.table.schema = like.and_then(Samples::table).map(|table| table.schema.clone());
    let mut bar = DownloadBar::default();
    let mut progress = |it: Progress<'_>| bar.show(it);
    let opened = open_unsplit(source, &options, &mut progress);
    if opened.is_err() && options.resize.take().is_some() {
        return Ok(open_unsplit(source, &options, &mut progress)?);
    }
    Ok(opened?)
}

/// Whether labels may be in a column: sparse files have them first in each line, folders and sets by name elsewhere.
fn takes_label_column(source: &str) -> bool {
    Path::new(source).is_file() && !is_sparse_name(source)
}

fn is_sparse_name(source: &str) -> bool {
    let name = source.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".svmlight", ".libsvm", ".svm", ".svml"].iter().any(|end| name.ends_with(end))
}

/// The data and the names of its classes, if there are some behind a colon. A path that exists is a path.
pub fn classes_of(named: &str) -> (&str, Option<&str>) {
    if Path::new(named).exists() {
        return (named, None);
    }
    match named.rsplit_once(':') {
        // Not the drive of a path.
        Some((source, classes)) if source.len() > 1 && !classes.contains(['/', '\\']) => {
            (source, Some(classes))
        }
        _ => (named, None),
    }
}

/// The samples of these classes.
fn of_classes(samples: Samples, classes: Option<&str>) -> Result<Samples> {
    let Some(classes) = classes else { return Ok(samples) };
    let Some(labels) = samples.labels() else {
        return Err(Error::usage(format!(
            "classes {classes}: the samples have no labels to choose by"
        )));
    };
    let mut is_wanted = vec![false; labels.names().len()];
    for class in classes.split(',') {
        let Some(at) = labels.names().iter().position(|name| name == class) else {
            let names = labels.names();
            let more = if names.len() > 20 { ", ..." } else { "" };
            return Err(Error::usage(format!(
                "class: expected one of {}{more}, got `{class}`",
                names[..names.len().min(20)].join(", ")
            )));
        };
        is_wanted[at] = true;
    }
    let rows = labels.classes().iter().enumerate();
    let rows: Vec<usize> =
        rows.filter(|(_, class)| is_wanted[**class as usize]).map(|(row, _)| row).collect();
    if rows.is_empty() {
        return Err(Error::usage(format!("classes {classes}: no samples are of them")));
    }
    Ok(samples.subset(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_stand_behind_the_last_colon() {
        assert_eq!(classes_of("mnist:1,3"), ("mnist", Some("1,3")));
        assert_eq!(classes_of("mnist"), ("mnist", None));
        assert_eq!(classes_of("a:b/c.csv"), ("a:b/c.csv", None));
        assert_eq!(classes_of("C:3"), ("C:3", None));
    }
}
