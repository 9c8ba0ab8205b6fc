//! Any data set by one word: a name or a path.

use std::path::{Path, PathBuf};

use crate::catalogue::{cifar_folders, names};
use crate::error::{list, quote};
use crate::kind::Kind;
use crate::{Error, Parts, Progress, Result, Samples, Search};
use crate::{cifar, digits, mnist, npy, table};

/// What [`open`] may be told beyond the source.
///
/// | field | default | for | meaning |
/// |---|---|---|---|
/// | `search` | cache, download | published sets | where they are looked for |
/// | `resize` | none | a folder of images | width and height to bring all images to |
/// | `label_column` | `label`, `class`, `target` | a table | name or index of the column that holds the labels |
/// | `labels_file` | none | a NumPy array | a `.npy` of integers, one for each sample |
/// | `test_fraction` | 0.1 | sources without a test part | what part is held out as test part |
/// | `digits` | 20,000 and 2,000 | `digits` | how many to draw to train and to test on |
/// | `seed` | 0 | all | decides the digits and what is held out |
///
/// An option that is given for a source it is not for is an error; only the seed, the cache and
/// whether to download may stand there unused.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where published sets are looked for.
    pub search: Search,
    /// Width and height to bring all images of a folder to.
    pub resize: Option<(usize, usize)>,
    /// The column of a table that holds the labels.
    pub label_column: Option<String>,
    /// The labels of a NumPy array.
    pub labels_file: Option<PathBuf>,
    /// The part held out of a source that has no test part.
    pub test_fraction: Option<f64>,
    /// Digits to train on and digits to test on.
    pub digits: Option<(usize, usize)>,
    /// Decides the digits and what is held out.
    pub seed: u64,
}

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
    /// Holds out a test part where the source has none, as [`open`] does.
    ///
    /// # Errors
    /// If the fraction to hold out is not above 0 and below 1, or there are fewer than two samples.
    pub fn part(self, options: &Options) -> Result<DataSet> {
        let Self { name, what, samples, test, source } = self;
        let parts = match test {
            Some(test) => Parts { training: samples, test },
            None => {
                let fraction = options.test_fraction.unwrap_or(TEST_FRACTION);
                Parts::hold_out(&samples, fraction, options.seed)
                    .map_err(|error| error.of(&source))?
            }
        };
        Ok(DataSet { name, what, parts })
    }
}

/// Samples to train on, and those to test on where the source has them.
type Pieces = (Samples, Option<Samples>);

/// Digits that [`open`] draws to train on and to test on.
pub const DIGITS: (usize, usize) = (20_000, 2_000);
const MOST_DIGITS: usize = 1_000_000;
const TEST_FRACTION: f64 = 0.1;

/// Opens a data set by name (see [`catalogue`](crate::catalogue)) or by path: a folder of CIFAR-10
/// batches, of IDX files or of images, or a `.csv`, `.tsv` or `.npy` file (or `.csv.gz` and so on).
///
/// A name comes before a file of the same name; `./mnist` is always a path.
///
/// ```
/// use ae_data::{Options, open};
/// let options = Options { digits: Some((100, 10)), ..Options::default() };
/// let digits = open("digits", &options, &mut |_| ())?;
/// assert_eq!((digits.parts.training.len(), digits.parts.test.len()), (100, 10));
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If there is nothing of that name, an option is given that is not for this source, or as the
/// function that reads it: [`mnist::load`], [`mnist::read_folder`], [`cifar::read_folder`],
/// `images::read_folder`, [`table::read`], [`npy::read`].
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
        Kind::Digits => draw(options)?,
        Kind::Published => {
            let Parts { training, test } = mnist::load(source, &options.search, progress)?;
            (training, Some(test))
        }
        Kind::Cifar10 => cifar10(&options.search)?,
        Kind::CifarFolder => cifar::read_folder(path)?,
        Kind::IdxFolder => mnist::read_folder(path)?,
        Kind::Images => read_images(path, options.resize)?,
        Kind::Table => (table::read(path, options.label_column.as_deref())?, None),
        Kind::Array => (npy::read(path, labels_file)?, None),
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

impl Options {
    /// Whether every option that is given is for this kind of source.
    fn check(&self, kind: Kind, source: &str) -> Result<()> {
        let by_name = matches!(kind, Kind::Published | Kind::Cifar10);
        let has_test = matches!(kind, Kind::Digits | Kind::Published);
        let options = [
            ("data folder", self.search.data_dir.is_some(), by_name, "a published set"),
            ("resize", self.resize.is_some(), kind == Kind::Images, "a folder of images"),
            ("label column", self.label_column.is_some(), kind == Kind::Table, "a table"),
            ("labels file", self.labels_file.is_some(), kind == Kind::Array, "a NumPy array"),
            ("test fraction", self.test_fraction.is_some(), !has_test, NO_TEST_PART),
            ("number of digits", self.digits.is_some(), kind == Kind::Digits, "`digits`"),
        ];
        match options.into_iter().find(|(_, given, fits, _)| *given && !fits) {
            Some((option, _, _, needs)) => Err(not_for(option, needs, kind, source)),
            None => Ok(()),
        }
    }
}

const NO_TEST_PART: &str = "a source without a test part";

fn not_for(option: &str, needs: &str, kind: Kind, source: &str) -> Error {
    let got = format!("{} ({})", kind.what(), quote(source));
    Error::invalid(option, format!("{needs} to use it on"), got)
}

fn draw(options: &Options) -> Result<Pieces> {
    let (training, test) = options.digits.unwrap_or(DIGITS);
    for count in [training, test] {
        if !(1..=MOST_DIGITS).contains(&count) {
            let expected = format!("1 to {MOST_DIGITS}");
            return Err(Error::invalid("number of digits", expected, count.to_string()));
        }
    }
    // The test digits depend on the seed alone, not on how many there are to train on.
    let test_seed = options.seed ^ u64::from_be_bytes(*b"the test");
    Ok((digits::generate(training, options.seed), Some(digits::generate(test, test_seed))))
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
use crate::images::read_folder as read_images;

#[cfg(not(feature = "images"))]
fn read_images(path: &Path, _: Option<(usize, usize)>) -> Result<Pieces> {
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

    #[test]
    fn the_seed_decides_the_digits_and_no_digit_is_in_both_parts() {
        let digits = |digits, seed| {
            let options = Options { digits: Some(digits), seed, ..Options::default() };
            open("digits", &options, &mut |_| ()).unwrap().parts
        };
        let rows = |samples: &Samples| (0..samples.len()).map(|row| samples.row(row)).collect();
        let (one, more): (Parts, Parts) = (digits((200, 50), 1), digits((300, 50), 1));
        let test: Vec<Vec<f32>> = rows(&one.test);
        assert_eq!(test, rows(&more.test), "whatever there is to train on, the test is the same");
        assert!(rows(&more.training).iter().all(|row| !test.contains(row)));
        assert_ne!(test, rows(&digits((200, 50), 2).test));
        assert!(one.test.labels().is_some());
    }
}
