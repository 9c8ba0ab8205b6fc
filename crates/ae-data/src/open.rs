//! Opens any data set by its name or path.

use std::path::Path;

use crate::error::list;
use crate::one_class::{self, one_class};
use crate::options::{NO_TEST_SET, not_for};
use crate::registry::{cifar_folders, names};
use crate::source_kind::SourceKind;
use crate::table::TableOptions;
use crate::{DataDirs, Error, Labels, Options, Progress, Result, Samples, Splits, subsample};
use crate::{cifar, mnist, npy, svmlight, table, variations};

/// A data set, split into training and test set.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// Its name, or that of its file or folder.
    pub name: String,
    /// What it is, in a few words.
    pub description: String,
    /// The training set and the test set.
    pub splits: Splits,
}

/// A data set as its source has it, with nothing held out.
#[derive(Clone, Debug)]
pub struct Unsplit {
    /// Its name, or that of its file or folder.
    pub name: String,
    /// What it is, in a few words.
    pub description: String,
    /// All samples in their order, without those of the source's test set.
    pub samples: Samples,
    /// The test set, if the source has one.
    pub test: Option<Samples>,
    /// The name or path it was opened by, for errors.
    source: String,
}

impl Unsplit {
    /// Splits the samples as [`open`] does: holds out a test set if the source has none, draws the
    /// requested numbers of samples, and keeps the normal class.
    ///
    /// # Errors
    /// If the fraction to hold out is not above 0 and below 1, there are fewer than two samples to
    /// split or fewer in a set than are requested, or as [`one_class`](crate::one_class()).
    pub fn split(self, options: &Options) -> Result<DataSet> {
        let Self { name, mut description, samples, test, source } = self;
        let mut splits = match test {
            Some(test) => Splits { training: samples, test },
            None => {
                let fraction = options.test_fraction.unwrap_or(TEST_FRACTION);
                if samples.len() < 2 {
                    let expected =
                        "at least 2, one to train on and one to hold out as the test set";
                    let what = format!("samples of {source}");
                    return Err(Error::invalid(what, expected, samples.len().to_string()));
                }
                Splits::hold_out(&samples, fraction, options.seed)
                    .map_err(|error| error.of(&source))?
            }
        };
        for (set, samples, count) in [
            ("training", &mut splits.training, options.training_samples),
            ("test", &mut splits.test, options.test_samples),
        ] {
            if let Some(count) = count.filter(|count| *count != samples.len()) {
                let of = format!("{source}, {set} set");
                *samples =
                    subsample(samples, count, options.seed).map_err(|error| error.of(&of))?;
            }
        }
        if splits.training.len() > 1 && splits.training.are_equal()? {
            tracing::warn!(
                "{source}: all {} training samples are equal, so there is nothing to learn; look at how \
                 they are read",
                splits.training.len()
            );
        }
        splits.test = splits.test.filled_as(&splits.training)?;
        splits.training = splits.training.clone().filled_as(&splits.training)?;
        if let Some(normal) = &options.normal {
            let names = splits.training.labels().map(Labels::names).unwrap_or_default();
            let name = one_class::find(names, normal).map(|class| names[class].clone());
            let name = name.unwrap_or_else(|| normal.clone());
            splits = one_class(&splits, normal).map_err(|error| error.of(&source))?;
            description += &format!(", class {name} against the rest");
        }
        Ok(DataSet { name, description, splits })
    }
}

/// Training samples, and test samples if the source has them.
type TrainTest = (Samples, Option<Samples>);

const TEST_FRACTION: f64 = 0.1;

/// Opens a data set by name (see [`registry`](crate::registry())) or by path: a folder of CIFAR-10
/// batches, of IDX files or of images, or a `.csv`, `.tsv`, `.npy`, `.npz`, `.safetensors`, `.parquet`, `.arrow` (with the feature `arrow`), `.svmlight` or `.libsvm` file (or `.csv.gz` and so on).
///
/// A name is preferred to a file of the same name; `./mnist` is always a path.
///
/// ```
/// use ae_data::{Options, open};
/// let options = Options { training_samples: Some(100), ..Options::default() };
/// let curves = open("curves", &options, &mut |_| ())?;
/// assert_eq!((curves.splits.training.len(), curves.splits.test.len()), (100, 10_000));
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If nothing has this name, an option does not fit the source, or as the function that reads it: [`mnist::load`], [`mnist::read_folder`], [`cifar::read_folder`],
/// `images::read_folder`, [`table::read`], [`npy::read`], [`npy::read_archive`], [`svmlight::read`], [`variations::generate`], [`subsample`](crate::subsample()),
/// [`one_class`](crate::one_class()).
pub fn open(
    source: &str,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet> {
    open_unsplit(source, options, progress)?.split(options)
}

/// Opens a data set as [`open`] does, but holds nothing out: to apply a model to it, not to train one.
///
/// # Errors
/// As [`open`], except that one sample is enough.
pub fn open_unsplit(
    source: &str,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Unsplit> {
    let path = Path::new(source);
    let kind = SourceKind::of(source)?;
    options.check(kind, source)?;
    let labels_file = options.labels_file.as_deref();
    let (samples, test) = match kind {
        SourceKind::Synthetic(made) => {
            in_two(made.splits(options.counts(made.counts()), options.seed)?)
        }
        SourceKind::Published => in_two(mnist::load(source, &options.dirs, progress)?),
        SourceKind::Variation(variation) => {
            let digits = mnist::load("mnist", &options.dirs, progress)?;
            let counts = options.counts(variations::COUNTS);
            let made = variations::generate(variation, &digits, counts, options.seed);
            in_two(made.map_err(|error| error.of(source))?)
        }
        SourceKind::Cifar10 => cifar10(&options.dirs)?,
        SourceKind::CifarFolder => cifar::read_folder(path)?,
        SourceKind::IdxFolder => mnist::read_folder_within(path, options.in_memory())?,
        SourceKind::Images => read_images(path, options)?,
        SourceKind::Table => {
            let (label_column, limit) = (options.label_column.as_deref(), options.in_memory());
            (table::read_within(path, label_column, &options.table, limit)?, None)
        }
        SourceKind::Array => {
            let (missing, limit) = (options.table.missing, options.in_memory());
            (npy::read_within(path, labels_file, missing, limit)?, None)
        }
        SourceKind::Columns => read_columns(path, options)?,
        SourceKind::Sparse => {
            let TableOptions { missing, schema, .. } = &options.table;
            (svmlight::read_with(path, *missing, schema.as_ref())?, None)
        }
        SourceKind::Arrays | SourceKind::Tensors => {
            let label_array = options.label_column.as_deref();
            let (missing, limit) = (options.table.missing, options.in_memory());
            npy::read_archive_within(path, label_array, labels_file, missing, limit)?
        }
    };
    let (name, description) = match names().into_iter().find(|(name, _)| name == source) {
        Some(known) => known,
        None => {
            let name = path.file_name().unwrap_or(path.as_os_str());
            (name.to_string_lossy().into_owned(), kind.description().to_owned())
        }
    };
    if test.is_some() && options.test_fraction.is_some() {
        return Err(not_for("test fraction", NO_TEST_SET, kind, source));
    }
    Ok(Unsplit { name, description, samples, test, source: source.to_owned() })
}

fn in_two(splits: Splits) -> TrainTest {
    (splits.training, Some(splits.test))
}

fn cifar10(dirs: &DataDirs) -> Result<TrainTest> {
    let folders = cifar_folders(dirs)?;
    match folders.iter().find(|folder| cifar::is_in(folder)) {
        Some(folder) => cifar::read_folder(folder),
        None => {
            let folders: Vec<_> =
                folders.iter().map(|folder| folder.display().to_string()).collect();
            Err(Error::Missing(format!(
                "cifar10 is not in {}: put data_batch_1.bin to data_batch_5.bin and test_batch.bin \
                 from https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz into one of these \
                 folders",
                list(&folders, "or")
            )))
        }
    }
}

#[cfg(feature = "arrow")]
fn read_columns(path: &Path, options: &Options) -> Result<TrainTest> {
    let Options { resize, channels, skip_broken, .. } = *options;
    let images = crate::columnar::ImageOptions { resize, channels, skip_broken };
    let (label_column, limit) = (options.label_column.as_deref(), options.in_memory());
    crate::columnar::read_within(path, label_column, &options.table, &images, limit)
}

#[cfg(not(feature = "arrow"))]
fn read_columns(path: &Path, _: &Options) -> Result<TrainTest> {
    Err(Error::Missing(format!(
        "{}: Parquet and Arrow need a program that is built with the feature `arrow` (`cargo install \
         --path crates/ae-cli --features arrow`); or save the data as CSV (pandas: `read_parquet` or `read_feather`, then `to_csv`; \
         Hugging Face: `to_csv`)",
        path.display()
    )))
}

#[cfg(feature = "images")]
fn read_images(path: &Path, options: &Options) -> Result<TrainTest> {
    let Options { resize, channels, skip_broken, .. } = *options;
    let image_options = crate::images::ImageOptions { resize, channels, skip_broken };
    crate::images::read_folder_within(path, &image_options, options.in_memory())
}

#[cfg(not(feature = "images"))]
fn read_images(path: &Path, _: &Options) -> Result<TrainTest> {
    let expected = "IDX files or CIFAR-10 batches (this program was built without images)";
    Err(Error::malformed(path, expected, "a folder with none of them"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shape, idx};
    use std::fs;

    fn opened(path: &Path, options: &Options) -> DataSet {
        open(path.to_str().unwrap(), options, &mut |_| ()).unwrap()
    }

    fn counts(set: &DataSet) -> (usize, usize) {
        (set.splits.training.len(), set.splits.test.len())
    }

    #[test]
    fn folders_and_files_are_recognised_by_their_contents() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let plain = Options::default();

        let rows = (0..20).map(|row| format!("{row},a{}\n", row % 2)).collect::<String>();
        fs::write(path("table.TSV"), format!("x,label\n{rows}").replace(',', "\t")).unwrap();
        let table = opened(&path("table.TSV"), &plain);
        assert_eq!(
            (counts(&table), &*table.name, &*table.description),
            ((18, 2), "table.TSV", "a table")
        );
        assert_eq!(table.splits.test.labels().unwrap().names(), ["a0", "a1"]);

        fs::create_dir(path("batches")).unwrap();
        fs::write(path("batches/data_batch_1.bin"), [0; 10 * 3073]).unwrap();
        let half = Options { test_fraction: Some(0.5), ..Options::default() };
        assert_eq!(counts(&opened(&path("batches"), &half)), (5, 5));
        fs::write(path("batches/test_batch.bin"), [0; 3 * 3073]).unwrap();
        let batches = opened(&path("batches"), &plain);
        assert_eq!((counts(&batches), &*batches.description), ((10, 3), "CIFAR-10 batches"));

        fs::create_dir(path("idx")).unwrap();
        let images = Samples::from_bytes(vec![7; 40], Shape::image(1, 2, 2)).unwrap();
        idx::write_images(&path("idx/train-images.idx3-ubyte.gz"), &images).unwrap();
        assert_eq!(counts(&opened(&path("idx"), &plain)), (9, 1));
    }

    #[test]
    fn array_with_a_labels_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, shape: &str, bytes: &[u8]| {
            let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}");
            let start = [b"\x93NUMPY\x01\x00".as_slice(), &[header.len() as u8, 0]].concat();
            let path = folder.path().join(name);
            fs::write(&path, [&*start, header.as_bytes(), bytes].concat()).unwrap();
            path
        };
        let array = write("array.npy", "(4, 2)", &[1, 2, 3, 4, 5, 6, 7, 8]);
        let labels_file = Some(write("labels.npy", "(4,)", &[3, 3, 5, 3]));
        let set = opened(&array, &Options { labels_file, ..Options::default() });
        assert_eq!((counts(&set), &*set.description), ((3, 1), "a NumPy array"));
        assert_eq!(set.splits.training.labels().unwrap().names(), ["3", "5"]);
    }

    /// The refusal names the feature and the way by CSV.
    #[cfg(not(feature = "arrow"))]
    #[test]
    fn columns_need_a_feature() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        fs::write(&path, "PAR1").unwrap();
        for path in [path.as_path(), folder.path()] {
            let error = open(path.to_str().unwrap(), &Options::default(), &mut |_| ()).unwrap_err();
            let (error, path) = (error.to_string(), path.display());
            let expected = format!(
                "{path}: Parquet and Arrow need a program that is built with the feature `arrow`"
            );
            assert!(
                error.starts_with(&expected) && error.contains("or save the data as CSV"),
                "{error}"
            );
        }
    }

    fn rows(samples: &Samples) -> Vec<Vec<f32>> {
        (0..samples.len()).map(|row| samples.row(row)).collect()
    }

    #[test]
    fn generated_test_sets_depend_on_the_seed_alone() {
        for name in ["digits", "rectangles", "convex", "curves"] {
            let made = |training, test, seed| {
                let (training_samples, test_samples) = (Some(training), Some(test));
                let options =
                    Options { training_samples, test_samples, seed, ..Options::default() };
                open(name, &options, &mut |_| ()).unwrap().splits
            };
            let (one, more) = (made(60, 30, 1), made(90, 30, 1));
            assert_eq!((one.training.len(), one.test.len()), (60, 30));
            let test = rows(&one.test);
            assert_eq!(test, rows(&more.test), "{name}");
            assert_eq!(rows(&one.training), rows(&more.training)[..60], "{name}");
            assert_ne!(test, rows(&one.training)[..30], "{name}");
            assert_ne!(test, rows(&made(60, 30, 2).test), "{name}");
        }
    }

    /// Generated digits take the place of MNIST's.
    #[test]
    fn variations_are_generated_from_mnist() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        for (part, samples) in
            [("train", crate::digits::generate(90, 1)), ("t10k", crate::digits::generate(40, 2))]
        {
            let classes = samples.labels().unwrap().classes().iter();
            let classes: Vec<u8> = classes.map(|class| *class as u8).collect();
            let path = |kind: &str| data.join(format!("{part}-{kind}-ubyte"));
            idx::write_images(&path("images-idx3"), &samples).unwrap();
            idx::write_labels(&path("labels-idx1"), &classes).unwrap();
        }
        let dirs = DataDirs { data_dir: Some(data), cache_dir: None, download: false };
        let options = Options {
            dirs,
            training_samples: Some(70),
            test_samples: Some(50),
            ..Options::default()
        };
        let made = |name: &str, options: &Options| open(name, options, &mut |_| ()).unwrap();
        let rotated = made("mnist-rot", &options);
        assert_eq!((counts(&rotated), &*rotated.name), ((70, 50), "mnist-rot"));
        let text = &rotated.description;
        assert!(text.contains("regenerated, not the published files"), "{text}");
        let basic = made("mnist-basic", &options);
        let classes = |set: &DataSet| set.splits.test.labels().unwrap().classes().to_vec();
        assert_eq!(classes(&rotated), classes(&basic));
        assert_ne!(rows(&rotated.splits.test), rows(&basic.splits.test));

        let normal = Options { normal: Some("3".into()), ..options };
        let threes = made("mnist-bg-rand", &normal);
        let are_three = |set: &DataSet| classes(set).iter().filter(|class| **class == 3).count();
        let labels = threes.splits.test.labels().unwrap().classes();
        let normal = labels.iter().filter(|class| **class == 0).count();
        assert_eq!((labels.len(), normal), (50, are_three(&basic)));
        let training = basic.splits.training.labels().unwrap().classes().iter();
        assert_eq!(threes.splits.training.len(), training.filter(|class| **class == 3).count());
        assert!(
            threes.description.ends_with(", class 3 against the rest"),
            "{}",
            threes.description
        );
    }

    #[test]
    fn samples_are_drawn_after_the_test_set_is_held_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs::write(&path, (0..100).map(|row| format!("{row}\n")).collect::<String>()).unwrap();
        let splits = |training_samples, test_samples| {
            let options = Options { training_samples, test_samples, ..Options::default() };
            opened(&path, &options).splits
        };
        let (all, few) = (splits(None, None), splits(Some(20), Some(4)));
        assert_eq!((few.training.len(), few.test.len()), (20, 4));
        for (few, all) in [(&few.training, &all.training), (&few.test, &all.test)] {
            assert!(rows(few).iter().all(|row| rows(all).contains(row)));
        }
        assert_eq!(rows(&splits(Some(90), None).training), rows(&all.training));
    }

    #[test]
    fn digits_depend_on_the_seed_and_no_digit_is_in_both_sets() {
        let digits = |(training, test), seed| {
            let (training_samples, test_samples) = (Some(training), Some(test));
            let options = Options { training_samples, test_samples, seed, ..Options::default() };
            open("digits", &options, &mut |_| ()).unwrap().splits
        };
        let (one, more): (Splits, Splits) = (digits((200, 50), 1), digits((300, 50), 1));
        let test: Vec<Vec<f32>> = rows(&one.test);
        assert_eq!(test, rows(&more.test), "the test set does not depend on the training set");
        assert!(rows(&more.training).iter().all(|row| !test.contains(row)));
        assert_ne!(test, rows(&digits((200, 50), 2).test));
        assert!(one.test.labels().is_some());
    }
}
