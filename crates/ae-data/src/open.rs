//! Any data set by one word: a name or a path.

use std::path::Path;

use crate::catalogue::{cifar_folders, names};
use crate::error::list;
use crate::kind::Kind;
use crate::one_class::{self, one_class};
use crate::options::{NO_TEST_PART, not_for};
use crate::{Error, Labels, Options, Parts, Progress, Result, Samples, Search, draw};
use crate::{cifar, mnist, npy, table, variations};

/// A data set ready to use.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// Its name, or that of its file or folder.
    pub name: String,
    /// What it is.
    pub what: String,
    /// What to train on and what to test on.
    pub parts: Parts,
}

/// A data set as its source has it, nothing held out.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Its name, or that of its file or folder.
    pub name: String,
    /// What it is.
    pub what: String,
    /// All samples in their own order, but for those of a test part.
    pub samples: Samples,
    /// The test part, where the source has one.
    pub test: Option<Samples>,
    /// The word it was opened by, for errors.
    source: String,
}

impl Whole {
    /// Holds out a test part where the source has none, draws as many samples as are wanted, and
    /// keeps the normal class, as [`open`] does.
    ///
    /// # Errors
    /// If the fraction to hold out is not above 0 and below 1, there are fewer than two samples to
    /// part or fewer in a part than are wanted of it, or as [`one_class`](crate::one_class()).
    pub fn part(self, options: &Options) -> Result<DataSet> {
        let Self { name, mut what, samples, test, source } = self;
        let mut parts = match test {
            Some(test) => Parts { training: samples, test },
            None => {
                let fraction = options.test_fraction.unwrap_or(TEST_FRACTION);
                Parts::hold_out(&samples, fraction, options.seed)
                    .map_err(|error| error.of(&source))?
            }
        };
        for (part, samples, count) in [
            ("training", &mut parts.training, options.training_samples),
            ("test", &mut parts.test, options.test_samples),
        ] {
            if let Some(count) = count.filter(|count| *count != samples.len()) {
                let of = format!("{source}, {part} part");
                *samples = draw(samples, count, options.seed).map_err(|error| error.of(&of))?;
            }
        }
        parts.test = parts.test.filled_as(&parts.training);
        parts.training = parts.training.clone().filled_as(&parts.training);
        if let Some(normal) = &options.normal {
            let names = parts.training.labels().map(Labels::names).unwrap_or_default();
            let name = one_class::find(names, normal).map(|class| names[class].clone());
            let name = name.unwrap_or_else(|| normal.clone());
            parts = one_class(&parts, normal).map_err(|error| error.of(&source))?;
            what += &format!(", class {name} against the rest");
        }
        Ok(DataSet { name, what, parts })
    }
}

/// Samples to train on, and those to test on where the source has them.
type Pieces = (Samples, Option<Samples>);

const TEST_FRACTION: f64 = 0.1;

/// Opens a data set by name (see [`catalogue`](crate::catalogue)) or by path: a folder of CIFAR-10
/// batches, of IDX files or of images, or a `.csv`, `.tsv` or `.npy` file (or `.csv.gz` and so on).
///
/// A name comes before a file of the same name; `./mnist` is always a path.
///
/// ```
/// use ae_data::{Options, open};
/// let options = Options { training_samples: Some(100), ..Options::default() };
/// let curves = open("curves", &options, &mut |_| ())?;
/// assert_eq!((curves.parts.training.len(), curves.parts.test.len()), (100, 10_000));
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If there is nothing of that name, an option is given that is not for this source, or as the
/// function that reads it: [`mnist::load`], [`mnist::read_folder`], [`cifar::read_folder`],
/// `images::read_folder`, [`table::read`], [`npy::read`], [`variations::make`], [`draw`](crate::draw()),
/// [`one_class`](crate::one_class()).
pub fn open(
    source: &str,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet> {
    open_whole(source, options, progress)?.part(options)
}

/// Opens a data set as [`open`] does, but holds nothing out: to use a model on, not to train one.
///
/// # Errors
/// As [`open`], except that one sample is enough.
pub fn open_whole(
    source: &str,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Whole> {
    let path = Path::new(source);
    let kind = Kind::of(source)?;
    options.check(kind, source)?;
    let labels_file = options.labels_file.as_deref();
    let (samples, test) = match kind {
        Kind::Generated(made) => in_two(made.draw(options)?),
        Kind::Published => in_two(mnist::load(source, &options.search, progress)?),
        Kind::Variation(variation) => {
            let digits = mnist::load("mnist", &options.search, progress)?;
            let counts = options.counts(variations::COUNTS);
            let made = variations::make(variation, &digits, counts, options.seed);
            in_two(made.map_err(|error| error.of(source))?)
        }
        Kind::Cifar10 => cifar10(&options.search)?,
        Kind::CifarFolder => cifar::read_folder(path)?,
        Kind::IdxFolder => mnist::read_folder(path)?,
        Kind::Images => read_images(path, options)?,
        Kind::Table => {
            (table::read_with(path, options.label_column.as_deref(), &options.table)?, None)
        }
        Kind::Array => (npy::read_with(path, labels_file, options.table.missing)?, None),
    };
    let (name, what) = match names().into_iter().find(|(name, _)| name == source) {
        Some(known) => known,
        None => {
            let name = path.file_name().unwrap_or(path.as_os_str());
            (name.to_string_lossy().into_owned(), kind.what().to_owned())
        }
    };
    if test.is_some() && options.test_fraction.is_some() {
        return Err(not_for("test fraction", NO_TEST_PART, kind, source));
    }
    Ok(Whole { name, what, samples, test, source: source.to_owned() })
}

fn in_two(parts: Parts) -> Pieces {
    (parts.training, Some(parts.test))
}

fn cifar10(search: &Search) -> Result<Pieces> {
    let folders = cifar_folders(search)?;
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

#[cfg(feature = "images")]
fn read_images(path: &Path, options: &Options) -> Result<Pieces> {
    let Options { resize, channels, skip_broken, .. } = *options;
    let options = crate::images::ImageOptions { resize, channels, skip_broken };
    crate::images::read_folder_with(path, &options)
}

#[cfg(not(feature = "images"))]
fn read_images(path: &Path, _: &Options) -> Result<Pieces> {
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
        (set.parts.training.len(), set.parts.test.len())
    }

    #[test]
    fn folders_and_files_are_told_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let plain = Options::default();

        let rows = (0..20).map(|row| format!("{row},a{}\n", row % 2)).collect::<String>();
        fs::write(path("table.TSV"), format!("x,label\n{rows}").replace(',', "\t")).unwrap();
        let table = opened(&path("table.TSV"), &plain);
        assert_eq!((counts(&table), &*table.name, &*table.what), ((18, 2), "table.TSV", "a table"));
        assert_eq!(table.parts.test.labels().unwrap().names(), ["a0", "a1"]);

        fs::create_dir(path("batches")).unwrap();
        fs::write(path("batches/data_batch_1.bin"), [0; 10 * 3073]).unwrap();
        let half = Options { test_fraction: Some(0.5), ..Options::default() };
        assert_eq!(counts(&opened(&path("batches"), &half)), (5, 5));
        fs::write(path("batches/test_batch.bin"), [0; 3 * 3073]).unwrap();
        let batches = opened(&path("batches"), &plain);
        assert_eq!((counts(&batches), &*batches.what), ((10, 3), "CIFAR-10 batches"));

        fs::create_dir(path("idx")).unwrap();
        let images = Samples::from_bytes(vec![7; 40], Shape::image(1, 2, 2)).unwrap();
        idx::write_images(&path("idx/train-images.idx3-ubyte.gz"), &images).unwrap();
        assert_eq!(counts(&opened(&path("idx"), &plain)), (9, 1));
    }

    #[test]
    fn an_array_and_its_labels() {
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
        assert_eq!((counts(&set), &*set.what), ((3, 1), "a NumPy array"));
        assert_eq!(set.parts.training.labels().unwrap().names(), ["3", "5"]);
    }

    fn rows(samples: &Samples) -> Vec<Vec<f32>> {
        (0..samples.len()).map(|row| samples.row(row)).collect()
    }

    #[test]
    fn what_is_made_has_a_test_part_of_its_own_that_the_seed_decides() {
        for name in ["digits", "rectangles", "convex", "curves"] {
            let made = |training, test, seed| {
                let (training_samples, test_samples) = (Some(training), Some(test));
                let options =
                    Options { training_samples, test_samples, seed, ..Options::default() };
                open(name, &options, &mut |_| ()).unwrap().parts
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

    /// Generated digits stand in for those of MNIST.
    #[test]
    fn variations_are_made_of_mnist_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        for (part, samples) in
            [("train", crate::digits::generate(90, 1)), ("t10k", crate::digits::generate(40, 2))]
        {
            let classes = samples.labels().unwrap().classes().iter();
            let classes: Vec<u8> = classes.map(|class| *class as u8).collect();
            let path = |what: &str| data.join(format!("{part}-{what}-ubyte"));
            idx::write_images(&path("images-idx3"), &samples).unwrap();
            idx::write_labels(&path("labels-idx1"), &classes).unwrap();
        }
        let search = Search { data_dir: Some(data), cache_dir: None, download: false };
        let options = Options {
            search,
            training_samples: Some(70),
            test_samples: Some(50),
            ..Options::default()
        };
        let made = |name: &str, options: &Options| open(name, options, &mut |_| ()).unwrap();
        let turned = made("mnist-rot", &options);
        assert_eq!((counts(&turned), &*turned.name), ((70, 50), "mnist-rot"));
        assert!(turned.what.contains("regenerated, not the published files"), "{}", turned.what);
        let basic = made("mnist-basic", &options);
        let classes = |set: &DataSet| set.parts.test.labels().unwrap().classes().to_vec();
        assert_eq!(classes(&turned), classes(&basic));
        assert_ne!(rows(&turned.parts.test), rows(&basic.parts.test));

        let normal = Options { normal: Some("3".into()), ..options };
        let threes = made("mnist-bg-rand", &normal);
        let are_three = |set: &DataSet| classes(set).iter().filter(|class| **class == 3).count();
        let labels = threes.parts.test.labels().unwrap().classes();
        let normal = labels.iter().filter(|class| **class == 0).count();
        assert_eq!((labels.len(), normal), (50, are_three(&basic)));
        let training = basic.parts.training.labels().unwrap().classes().iter();
        assert_eq!(threes.parts.training.len(), training.filter(|class| **class == 3).count());
        assert!(threes.what.ends_with(", class 3 against the rest"), "{}", threes.what);
    }

    #[test]
    fn fewer_are_drawn_after_a_test_part_is_held_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs::write(&path, (0..100).map(|row| format!("{row}\n")).collect::<String>()).unwrap();
        let parts = |training_samples, test_samples| {
            let options = Options { training_samples, test_samples, ..Options::default() };
            opened(&path, &options).parts
        };
        let (all, few) = (parts(None, None), parts(Some(20), Some(4)));
        assert_eq!((few.training.len(), few.test.len()), (20, 4));
        for (few, all) in [(&few.training, &all.training), (&few.test, &all.test)] {
            assert!(rows(few).iter().all(|row| rows(all).contains(row)));
        }
        assert_eq!(rows(&parts(Some(90), None).training), rows(&all.training));
    }

    #[test]
    fn the_seed_decides_the_digits_and_no_digit_is_in_both_parts() {
        let digits = |(training, test), seed| {
            let (training_samples, test_samples) = (Some(training), Some(test));
            let options = Options { training_samples, test_samples, seed, ..Options::default() };
            open("digits", &options, &mut |_| ()).unwrap().parts
        };
        let (one, more): (Parts, Parts) = (digits((200, 50), 1), digits((300, 50), 1));
        let test: Vec<Vec<f32>> = rows(&one.test);
        assert_eq!(test, rows(&more.test), "whatever there is to train on, the test is the same");
        assert!(rows(&more.training).iter().all(|row| !test.contains(row)));
        assert_ne!(test, rows(&digits((200, 50), 2).test));
        assert!(one.test.labels().is_some());
    }
}
