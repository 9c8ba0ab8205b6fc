//! Named arrays: NumPy's `.npz` files, which are zip archives, and files of safetensors.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::header::Array;
use super::tensors;
use super::{in_memory, joined, labels_of, no_classes, push_classes, samples, samples_within};
use crate::error::{list, quote};
use crate::file_reader::FileReader;
use crate::table::Missing;
use crate::{Error, Labels, Result, Samples, classes::Classes};

/// The names of an array of samples, of its labels, and the same of parts that are split.
const SAMPLES: [&str; 8] = ["X", "x", "data", "features", "images", "inputs", "samples", "arr_0"];
const LABELS: [&str; 8] = ["y", "Y", "labels", "label", "target", "targets", "class", "classes"];
const TRAINING: [[&str; 2]; 4] = [
    ["x_train", "y_train"],
    ["X_train", "y_train"],
    ["train_images", "train_labels"],
    ["train_x", "train_y"],
];
const VALIDATION: [[&str; 2]; 4] =
    [["x_val", "y_val"], ["X_val", "y_val"], ["val_images", "val_labels"], ["val_x", "val_y"]];
const TEST: [[&str; 2]; 4] = [
    ["x_test", "y_test"],
    ["X_test", "y_test"],
    ["test_images", "test_labels"],
    ["test_x", "test_y"],
];

/// The most arrays that a message lists.
const LISTED: usize = 8;

/// Reads training samples, and test samples if there are any: as [`read_archive_with`], with labels by
/// the names of the arrays and [`Missing::Mean`].
///
/// # Errors
/// As [`read_archive_with`].
pub fn read_archive(path: &Path) -> Result<(Samples, Option<Samples>)> {
    read_archive_with(path, None, None, Missing::default())
}

/// Reads a `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write it. Each array is read as
/// [`read`](super::read) reads a file of it.
///
/// **Samples** are the arrays `x_train` and `x_test` (or `X_train`, `train_images`, `train_x` and so
/// on); else the only one of `X`, `x`, `data`, `features`, `images`, `inputs`, `samples`, `arr_0`;
/// else the only array of numbers with at least 2 dimensions. `x_val` is the test set if there is no
/// other, else part of the training set.
///
/// **Labels** are the array `label_array`, or the file `labels`; else `y_train` and `y_test` for
/// `x_train` and `x_test`; else the only one of `y`, `Y`, `labels`, `label`, `target`, `targets`,
/// `class`, `classes`; else `arr_1` for `arr_0` if it has one dimension. Of an archive with `x_test`
/// (or `x_val`), `label_array` has `train` in its name, and the array with `test` (or `val`) in that
/// place has the other labels. Labels found by a name that are no classes, such as fractions, or that
/// only some of the sets have, are left out with a warning, and so are all other arrays.
///
/// # Errors
/// If the file is no zip archive or is damaged; several arrays may be the samples, or none; an array
/// that is read is malformed, or inflates to more than 16 MiB + 100 x its size in the archive; labels
/// are not as many as the samples; `label_array` has no array for the test set; or `label_array` and
/// `labels` are both given.
pub fn read_archive_with(
    path: &Path,
    label_array: Option<&str>,
    labels: Option<&Path>,
    missing: Missing,
) -> Result<(Samples, Option<Samples>)> {
    read_archive_within(path, label_array, labels, missing, usize::MAX)
}

/// Reads an archive as [`read_archive_with`] does, and leaves arrays on the disk that take more than
/// `limit` bytes.
pub(crate) fn read_archive_within(
    path: &Path,
    label_array: Option<&str>,
    labels: Option<&Path>,
    missing: Missing,
    limit: usize,
) -> Result<(Samples, Option<Samples>)> {
    if let (Some(array), Some(file)) = (label_array, labels) {
        let got =
            format!("both; leave out the array {} or the file {}", quote(array), file.display());
        return Err(Error::malformed(path, "labels from an array or from a file", got));
    }
    let mut archive = Archive::open(path)?;
    let mut choice = archive.choose(label_array)?;
    if labels.is_some() {
        choice.parts().into_iter().for_each(|[_, labels]| *labels = None);
    }
    let mut left_out = archive.others(&choice);
    let end = if matches!(archive.container, Container::Zip(_)) { ".npy" } else { "" };
    let at = |name: &str| path.join(format!("{name}{end}"));

    let [training, validation, test] =
        [&choice.training, &choice.validation, &choice.test].map(|[samples, _]| samples.as_deref());
    let Some(training) = training else { return Err(archive.ambiguous()) };
    // The arrays of labels of the training and the test set, in the order of their rows.
    let (mut of_training, mut of_test) = (vec![&choice.training], vec![&choice.test]);
    let mut test = test;
    let samples_of = match (validation, test) {
        (Some(validation), Some(_)) => {
            let mut array = archive.read(training)?;
            let rows = archive.read(validation)?;
            let expected = format!("rows like those of {training}, {}", array.described());
            if !array.append(&rows) {
                return Err(Error::malformed(&at(validation), expected, rows.described()));
            }
            of_training.push(&choice.validation);
            tracing::warn!(
                "{}: the {} rows of {validation} are in the training set: a validation set is split from \
                 it",
                path.display(),
                rows.shape[0]
            );
            if in_memory(&array, &at(training))? > limit {
                tracing::warn!(
                    "{}: {training} and {validation} are joined in memory, though they take more than half \
                     of `resident_limit`; to leave them on the disk, save one array of both",
                    path.display()
                );
            }
            samples(&array, &at(training))?
        }
        (Some(validation), None) => {
            tracing::warn!("{}: {validation} is the test set", path.display());
            (test, of_test) = (Some(validation), vec![&choice.validation]);
            archive.samples_within(training, limit)?
        }
        (None, _) => archive.samples_within(training, limit)?,
    };
    let (file, count) = (at(training), samples_of.len());
    let test_file = test.map(at);
    let in_test = test.map(|test| archive.samples_within(test, limit)).transpose()?;
    if let (Some(samples), Some(file)) = (&in_test, &test_file)
        && samples.shape() != samples_of.shape()
    {
        let expected = format!("{} as in {training}", samples_of.shape());
        return Err(Error::malformed(file, expected, samples.shape().to_string()));
    }
    if in_test.is_none() {
        of_test.clear();
    }

    let mut found = None;
    let all: Vec<&Pair> = of_training.iter().chain(&of_test).copied().collect();
    let labelled: Vec<&String> = all.iter().filter_map(|[_, labels]| labels.as_ref()).collect();
    let without = all.iter().find(|[_, labels]| labels.is_none());
    if let Some(labels) = labels {
        if in_test.is_some() {
            let expected = "labels as an array beside each of training and test samples";
            return Err(Error::malformed(path, expected, "a file of labels"));
        }
        found = Some((labels_of(labels, count, &file)?, None));
    } else if let Some([samples, _]) = without {
        let samples = quote(samples.as_deref().unwrap_or_default());
        let left = labelled.iter().map(|name| format!("{} ({samples} has no labels)", quote(name)));
        left_out.extend(left);
    } else {
        let mut classes = Classes::default();
        let in_test = in_test.as_ref().map(|samples| samples.len());
        let mut no_classes = archive.push_labels(&of_training, &mut classes, count, &file)?;
        if let (Some(count), Some(file), None) = (in_test, &test_file, &no_classes) {
            no_classes = archive.push_labels(&of_test, &mut classes, count, file)?;
        }
        match no_classes {
            Some((name, got)) if label_array.is_some() => {
                let expected = "integers or texts of shape [n] as labels";
                return Err(Error::malformed(&at(&name), expected, got));
            }
            Some((name, got)) => left_out.push(format!("{} (no classes, but {got})", quote(&name))),
            None => {
                let all = classes.finish()?;
                let rows: Vec<usize> = (0..all.classes().len()).collect();
                let (first, rest) = rows.split_at(count);
                found = Some((all.subset(first), in_test.map(|_| all.subset(rest))));
            }
        }
    }
    if !left_out.is_empty() {
        let rest = left_out.len().saturating_sub(LISTED);
        left_out.truncate(LISTED);
        if rest > 0 {
            left_out.push(format!("{rest} more"));
        }
        tracing::warn!("{}: arrays left out: {}", path.display(), list(&left_out, "and"));
    }
    let (labels, test_labels): (Option<Labels>, Option<Option<Labels>>) = found.unzip();
    let training = joined(samples_of, &file, labels, missing)?;
    let test = match (in_test, test_file) {
        (Some(samples), Some(file)) => {
            Some(joined(samples, &file, test_labels.flatten(), missing)?)
        }
        _ => None,
    };
    Ok((training, test))
}

/// An array of samples and one of labels, by name.
type Pair = [Option<String>; 2];

#[derive(Default)]
struct Choice {
    training: Pair,
    validation: Pair,
    test: Pair,
}

impl Choice {
    fn parts(&mut self) -> [&mut Pair; 3] {
        [&mut self.training, &mut self.validation, &mut self.test]
    }
}

struct Archive {
    path: PathBuf,
    size: u64,
    container: Container,
    /// The name, the place in the container and the header of each array.
    arrays: Vec<(String, usize, Result<Array>)>,
}

enum Container {
    Zip(ZipArchive<BufReader<File>>),
    /// The parts of each array.
    Tensors(Vec<Vec<tensors::Part>>),
}

impl Archive {
    fn open(path: &Path) -> Result<Self> {
        if path.is_dir() || tensors::is_file(path) {
            let (mut parts, mut arrays) = (vec![], vec![]);
            for tensor in tensors::read(path)? {
                arrays.push((tensor.name, parts.len(), tensor.header));
                parts.push(tensor.parts);
            }
            let container = Container::Tensors(parts);
            return Ok(Self { path: path.to_owned(), size: 0, container, arrays });
        }
        // Only regular files.
        drop(FileReader::open(path)?);
        let file = File::open(path).map_err(Error::io(path))?;
        let size = file.metadata().map_err(Error::io(path))?.len();
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| match error {
            zip::result::ZipError::Io(error) => Error::io(path)(error),
            error => {
                let got = format!("another file or a damaged one ({error})");
                Error::malformed(path, "a zip archive of NumPy arrays (.npz)", got)
            }
        })?;
        let mut arrays = vec![];
        for place in 0..zip.len() {
            let Some(Ok(name)) = zip.name_for_index(place) else { continue };
            let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
            let at = path.join(format!("{name}.npy"));
            let header = member(&mut zip, place, size, &at)
                .and_then(|mut input| Array::header(&mut input, &at));
            arrays.push((name, place, header));
        }
        Ok(Self { path: path.to_owned(), size, container: Container::Zip(zip), arrays })
    }

    /// The path of an array, for errors.
    fn file(&self, array: &str) -> PathBuf {
        match self.container {
            Container::Zip(_) => self.path.join(format!("{array}.npy")),
            Container::Tensors(_) => self.path.join(array),
        }
    }

    /// The header of an array, and the rest of its file.
    fn opened(&mut self, name: &str, at: &Path) -> Result<(Array, FileReader<'_>)> {
        let place = self.place(name)?;
        match &mut self.container {
            Container::Zip(zip) => {
                let mut input = member(zip, place, self.size, at)?;
                Ok((Array::header(&mut input, at)?, input))
            }
            Container::Tensors(parts) => {
                let input = tensors::reader(&parts[place], at);
                match &self.arrays[place].2 {
                    Ok(header) => Ok((header.clone(), input)),
                    Err(error) => Err(Error::Missing(error.to_string())),
                }
            }
        }
    }

    fn read(&mut self, name: &str) -> Result<Array> {
        let at = self.file(name);
        let (header, input) = self.opened(name, &at)?;
        Array::filled(header, input, &at)
    }

    fn samples_within(&mut self, name: &str, limit: usize) -> Result<Samples> {
        let at = self.file(name);
        let (header, input) = self.opened(name, &at)?;
        samples_within(header, input, &at, limit)
    }

    fn place(&self, name: &str) -> Result<usize> {
        let found = self.arrays.iter().find(|(known, ..)| known == name);
        found.map(|(_, place, _)| *place).ok_or_else(|| self.ambiguous())
    }

    /// Adds the classes of samples whose labels are in these arrays, one after another; else the array
    /// that has no classes, and what it has.
    fn push_labels(
        &mut self,
        parts: &[&Pair],
        classes: &mut Classes,
        count: usize,
        samples: &Path,
    ) -> Result<Option<(String, String)>> {
        let names: Vec<&String> = parts.iter().filter_map(|[_, labels]| labels.as_ref()).collect();
        let (first, rest) = names.split_first().ok_or_else(|| self.ambiguous())?;
        let mut labels = self.read(first)?;
        for name in rest {
            let more = self.read(name)?;
            let expected = format!("labels like those of {first}, {}", labels.described());
            if !labels.append(&more) {
                return Err(Error::malformed(&self.file(name), expected, more.described()));
            }
        }
        if let Some(got) = no_classes(&labels) {
            return Ok(Some(((*first).clone(), got)));
        }
        push_classes(classes, &labels, &self.file(first), count, samples)?;
        Ok(None)
    }

    fn has(&self, name: &str) -> bool {
        self.arrays.iter().any(|(known, ..)| known == name)
    }

    /// The shape of an array of numbers.
    fn numbers(&self, name: &str) -> Option<&[usize]> {
        let (.., header) = self.arrays.iter().find(|(known, ..)| known == name)?;
        header.as_ref().ok().filter(|array| !array.is_text()).map(|array| &*array.shape)
    }

    fn choose(&self, label_array: Option<&str>) -> Result<Choice> {
        let owned = |name: &str| Some(name.to_owned());
        let pair = |pairs: [[&str; 2]; 4]| {
            let found = pairs.into_iter().find(|[samples, _]| self.has(samples));
            found.map_or([None, None], |[samples, labels]| {
                [owned(samples), owned(labels).filter(|labels| self.has(labels))]
            })
        };
        let mut choice =
            Choice { training: pair(TRAINING), validation: pair(VALIDATION), test: pair(TEST) };
        if choice.training[0].is_none() {
            choice =
                Choice { training: [Some(self.samples(label_array)?), None], ..Choice::default() };
        }
        let [samples, labels] = &mut choice.training;
        match label_array {
            Some(name) if !self.has(name) || samples.as_deref() == Some(name) => {
                let expected = format!("an array of labels named {}", quote(name));
                return Err(Error::malformed(&self.path, expected, self.listed()));
            }
            Some(name) => {
                *labels = owned(name);
                for ([samples, labels], part) in
                    [(&mut choice.validation, "val"), (&mut choice.test, "test")]
                {
                    let Some(samples) = samples else { continue };
                    let other = name.replace("train", part);
                    if other == name || !self.has(&other) {
                        let expected = match other == name {
                            true => format!(
                                "labels of {samples} as well: arrays named such as \
                                 `{name}_train` and `{name}_{part}`"
                            ),
                            false => format!("labels of {samples} in an array {}", quote(&other)),
                        };
                        return Err(Error::malformed(&self.path, expected, self.listed()));
                    }
                    *labels = Some(other);
                }
            }
            None if labels.is_none()
                && choice.test[0].is_none()
                && choice.validation[0].is_none() =>
            {
                let mut named = LABELS.iter().filter(|name| self.has(name));
                *labels =
                    named.next().filter(|_| named.next().is_none()).and_then(|name| owned(name));
                if labels.is_none() && samples.as_deref() == Some("arr_0") {
                    let is_column = |name: &&str| {
                        matches!(self.arrays.iter().find(|(known, ..)| known == name),
                            Some((.., Ok(array))) if matches!(*array.shape, [_] | [_, 1]))
                    };
                    *labels = Some("arr_1").filter(is_column).and_then(owned);
                }
            }
            None => {}
        }
        Ok(choice)
    }

    /// The array of samples: the only one with a known name, else the only one that may be.
    fn samples(&self, label_array: Option<&str>) -> Result<String> {
        let is_samples = |name: &&str| self.numbers(name).is_some_and(|shape| shape.len() > 1);
        let named: Vec<&str> = SAMPLES.into_iter().filter(is_samples).collect();
        let all = self.arrays.iter().map(|(name, ..)| name.as_str());
        let others = all
            .filter(|name| !LABELS.contains(name) && Some(*name) != label_array)
            .filter(is_samples);
        let others: Vec<&str> = others.collect();
        match (&*named, &*others) {
            ([one], _) | ([], [one]) => Ok((*one).to_owned()),
            _ => Err(self.ambiguous()),
        }
    }

    /// The error of a choice that is not clear.
    fn ambiguous(&self) -> Error {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        let sparse = ["indptr", "indices", "data"].iter().all(|name| self.has(name));
        let first = |name: &(String, usize, Result<Array>)| name.0.clone();
        let name = self.arrays.iter().map(first).next().unwrap_or_else(|| "NAME".to_owned());
        let advice = match (self.arrays.is_empty(), sparse) {
            (true, _) => String::new(),
            _ if matches!(self.container, Container::Tensors(_)) => {
                "; save the one you mean by itself".to_owned()
            }
            (_, true) => format!(
                ": a sparse matrix of SciPy; save it as `numpy.save('X.npy', \
                 scipy.sparse.load_npz('{file}').toarray())`"
            ),
            _ => format!(
                "; save the one you mean by itself, such as `numpy.save('X.npy', \
                 numpy.load('{file}')['{name}'])`"
            ),
        };
        let expected = "one array of samples of at least 2 dimensions, or several of which one is \
                        named `X` or `data`, or `x_train` and `x_test`";
        Error::malformed(&self.path, expected, self.listed() + &advice)
    }

    /// The arrays that are not read, in words.
    fn others(&self, choice: &Choice) -> Vec<String> {
        let chosen = [&choice.training, &choice.validation, &choice.test];
        let is_chosen = |name: &str| {
            chosen.iter().any(|pair| pair.iter().flatten().any(|chosen| chosen == name))
        };
        let others = self.arrays.iter().filter(|(name, ..)| !is_chosen(name));
        others.map(described).collect()
    }

    fn listed(&self) -> String {
        let mut shown: Vec<String> = self.arrays.iter().take(LISTED).map(described).collect();
        match self.arrays.len() {
            0 => return "no array".to_owned(),
            more if more > LISTED => shown.push(format!("{} more", more - LISTED)),
            _ => {}
        }
        list(&shown, "and")
    }
}

/// A file in a zip archive of `size` bytes.
fn member<'a>(
    zip: &'a mut ZipArchive<BufReader<File>>,
    place: usize,
    size: u64,
    at: &Path,
) -> Result<FileReader<'a>> {
    let member = zip.by_index(place).map_err(|error| {
        Error::malformed(at, "a file that can be unpacked", format!("a damaged one ({error})"))
    })?;
    let size = member.compressed_size().min(size);
    Ok(FileReader::within_zip(at, size, member))
}

fn described((name, _, header): &(String, usize, Result<Array>)) -> String {
    match header {
        Ok(array) if array.is_text() => format!("{} {:?} of texts", quote(name), array.shape),
        Ok(array) => format!("{} {:?}", quote(name), array.shape),
        Err(_) => format!("{} (not of numbers)", quote(name)),
    }
}
