//! `.npz` archives: which arrays are read, and the text of each error.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use ae_data::{Options, Samples, Shape, npy, open};
use zip::write::SimpleFileOptions;

/// A named array: its elements' type, its shape and its bytes.
type Array<'a> = (&'a str, &'a str, &'a str, Vec<u8>);

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn save(folder: &Path, arrays: &[Array]) -> PathBuf {
    let path = folder.join("set.npz");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    for (at, (name, descr, shape, bytes)) in arrays.iter().enumerate() {
        let method = [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][at % 2];
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(format!("{name}.npy"), options).unwrap();
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}");
        zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
        zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        zip.write_all(header.as_bytes()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn rows(samples: &Samples) -> Vec<Vec<f32>> {
    samples.into()
}

fn classes(samples: &Samples) -> Vec<&str> {
    let labels = samples.labels().expect("labels");
    labels.classes().iter().map(|class| labels.names()[*class as usize].as_str()).collect()
}

#[test]
fn samples_and_labels_are_found_by_name() {
    let table = || floats(&[1.0, 2.0, 3.0, 4.0]);
    for (samples, labels) in [("X", "y"), ("x", "Y"), ("data", "target"), ("arr_0", "arr_1")] {
        let folder = tempfile::tempdir().unwrap();
        let path = save(
            folder.path(),
            &[
                (labels, "<i8", "(2,)", [7i64, -1].map(i64::to_le_bytes).concat()),
                (samples, "<f4", "(2, 2)", table()),
            ],
        );
        let (read, test) = npy::read_archive(&path).unwrap();
        assert_eq!(rows(&read), [[1.0, 2.0], [3.0, 4.0]], "{samples}");
        assert_eq!(classes(&read), ["7", "-1"], "{samples}");
        assert!(test.is_none());
    }
    // The only array of two dimensions, whatever its name.
    let folder = tempfile::tempdir().unwrap();
    let codes = ("codes", "<f4", "(2, 2)", table());
    let path = save(folder.path(), &[codes.clone(), ("kind", "<f4", "(2,)", floats(&[1.0, 0.0]))]);
    let (read, _) = npy::read_archive(&path).unwrap();
    assert!(rows(&read)[1] == [3.0, 4.0] && read.labels().is_none());
    // The labels have a name of the user's; a float may be a class, and (n, 1) is a column.
    let path = save(folder.path(), &[codes, ("kind", "<f4", "(2, 1)", floats(&[1.0, 0.0]))]);
    let options = Options { label_column: Some("kind".into()), ..Options::default() };
    let opened = open(path.to_str().unwrap(), &options, &mut |_| ()).unwrap();
    assert_eq!(opened.splits.training.labels().unwrap().names(), ["0", "1"]);
    assert_eq!(opened.description, "an archive of NumPy arrays");
}

/// The names of Keras' mnist.npz.
#[test]
fn training_and_test_arrays_are_two_sets_of_the_same_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(
        folder.path(),
        &[
            ("x_test", "|u1", "(1, 1, 2)", vec![51, 0]),
            ("x_train", "|u1", "(2, 1, 2)", vec![0, 255, 255, 0]),
            ("y_train", "|u1", "(2,)", vec![5, 0]),
            ("y_test", "|u1", "(1,)", vec![7]),
        ],
    );
    let (training, test) = npy::read_archive(&path).unwrap();
    let test = test.unwrap();
    assert_eq!(training.shape(), &Shape::image(1, 1, 2));
    assert_eq!(
        (rows(&training), rows(&test)),
        (vec![vec![0.0, 1.0], vec![1.0, 0.0]], vec![vec![0.2, 0.0]])
    );
    assert_eq!((classes(&training), classes(&test)), (vec!["5", "0"], vec!["7"]));
    assert_eq!(test.labels().unwrap().names(), ["0", "5", "7"]);
}

/// The names of MedMNIST. Validation images are training images: a validation set is split from them.
#[test]
fn validation_arrays_are_training_rows_if_there_is_a_test_set() {
    let folder = tempfile::tempdir().unwrap();
    let part = |part: &'static str, kind: &str| format!("{part}_{kind}");
    let names: Vec<String> = ["train", "val", "test"]
        .iter()
        .flat_map(|of| [part(of, "images"), part(of, "labels")])
        .collect();
    let arrays: Vec<Array> = names
        .iter()
        .zip(0u8..)
        .map(|(name, at)| {
            let shape = if name.ends_with("images") { "(1, 1, 1)" } else { "(1, 1)" };
            (name.as_str(), "|u1", shape, vec![51 * (at / 2)])
        })
        .collect();
    let (training, test) = npy::read_archive(&save(folder.path(), &arrays)).unwrap();
    assert_eq!(
        (rows(&training), classes(&training)),
        (vec![vec![0.0], vec![0.2]], vec!["0", "51"])
    );
    assert_eq!(classes(&test.unwrap()), ["102"]);
    let (training, test) = npy::read_archive(&save(folder.path(), &arrays[..4])).unwrap();
    assert_eq!((training.len(), classes(&test.unwrap())), (1, vec!["51"]));
}

#[test]
fn labels_that_are_no_classes_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(
        folder.path(),
        &[("X", "<f4", "(2, 1)", floats(&[1.0, 2.0])), ("y", "<f4", "(2,)", floats(&[0.5, 1.5]))],
    );
    let (read, _) = npy::read_archive(&path).unwrap();
    assert!(read.labels().is_none() && read.len() == 2);
    let error = npy::read_archive_with(&path, Some("y"), None, Default::default()).unwrap_err();
    assert!(error.to_string().ends_with(
        "set.npz/y.npy: expected integers or texts of shape [n] as labels, got the float 0.5"
    ));
}

#[test]
fn errors() {
    let one = || floats(&[1.0, 2.0]);
    let cases: [(&str, Vec<Array>, &str); 6] = [
        (
            "two arrays of unknown names",
            vec![("a", "<f4", "(1, 2)", one()), ("b", "<f4", "(1, 2)", one())],
            "<set>: expected one array of samples of at least 2 dimensions, or several of which one is named \
             `X` or `data`, or `x_train` and `x_test`, got `a` [1, 2] and `b` [1, 2]; save the one you mean by \
             itself, such as `numpy.save('X.npy', numpy.load('set.npz')['a'])`",
        ),
        (
            "no array of two dimensions",
            vec![("x", "<f4", "(2,)", one()), ("names", "|O", "(2,)", one())],
            "<set>: expected one array of samples of at least 2 dimensions, or several of which one is named \
             `X` or `data`, or `x_train` and `x_test`, got `x` [2] and `names` (not of numbers); save the one \
             you mean by itself, such as `numpy.save('X.npy', numpy.load('set.npz')['x'])`",
        ),
        (
            "a sparse matrix",
            vec![
                ("indices", "<i4", "(2,)", one()),
                ("indptr", "<i4", "(2,)", one()),
                ("data", "<f4", "(2,)", one()),
            ],
            "<set>: expected one array of samples of at least 2 dimensions, or several of which one is named \
             `X` or `data`, or `x_train` and `x_test`, got `indices` [2], `indptr` [2] and `data` [2]: a sparse \
             matrix of SciPy; save it as `numpy.save('X.npy', scipy.sparse.load_npz('set.npz').toarray())`",
        ),
        (
            "labels of another number",
            vec![("X", "<f4", "(1, 2)", one()), ("y", "|u1", "(2,)", vec![0, 1])],
            "<set>/y.npy: expected 1 labels, one for each sample in X.npy, got 2",
        ),
        (
            "a test set of another width",
            vec![("x_train", "<f4", "(1, 2)", one()), ("x_test", "<f4", "(2, 1)", one())],
            "<set>/x_test.npy: expected 2 columns as in x_train, got 1 columns",
        ),
        (
            "an array that is cut short",
            vec![("X", "<f4", "(2, 2)", one())],
            "<set>/X.npy: expected shape [2, 2], so 16 bytes after the header, got 8: the file is cut short",
        ),
    ];
    for (what, arrays, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = save(folder.path(), &arrays);
        let error = npy::read_archive(&path).unwrap_err().to_string();
        let error = error.replace(&path.display().to_string(), "<set>");
        assert_eq!(error, expected, "{what}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.npz");
    std::fs::write(&path, b"\x93NUMPY is one array").unwrap();
    let error = npy::read_archive(&path).unwrap_err().to_string();
    assert!(
        error.contains("expected a zip archive of NumPy arrays (.npz), got another file"),
        "{error}"
    );
}

/// A run of zeros compresses a thousandfold: 64 MB of them are refused.
#[test]
fn arrays_that_inflate_too_much_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(
        folder.path(),
        &[("z", "|u1", "(1,)", vec![0]), ("X", "|u1", "(64, 1000000)", vec![0; 64_000_000])],
    );
    let error = npy::read_archive(&path).unwrap_err().to_string();
    assert!(error.contains("bytes inflated from"), "{error}");
    assert!(error.contains("save it without compression (`numpy.savez`)"), "{error}");
}

fn one(name: &str) -> Array<'_> {
    (name, "|u1", "(1, 2)", vec![1, 2])
}

fn label(name: &str, class: u8) -> Array<'_> {
    (name, "|u1", "(1,)", vec![class])
}

/// The error of opening an archive with these labels.
fn error_of(arrays: &[Array], label_array: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), arrays);
    let read = npy::read_archive_with(&path, label_array, None, Default::default());
    read.unwrap_err().to_string().replace(&path.display().to_string(), "<set>")
}

/// `numpy.savez(x_train=1.0, ..)` saves arrays without a dimension.
#[test]
fn arrays_without_a_dimension_are_refused() {
    let scalar = |name: &'static str| -> Array<'static> { (name, "<f4", "()", floats(&[1.0])) };
    let error = error_of(&["x_train", "x_val", "x_test"].map(scalar), None);
    assert_eq!(error, "<set>/x_val.npy: expected rows like those of x_train, <f4 [], got <f4 []");
    let arrays = [
        one("x_train"),
        one("x_val"),
        one("x_test"),
        scalar("y_train"),
        scalar("y_val"),
        label("y_test", 1),
    ];
    let error = error_of(&arrays, None);
    assert_eq!(error, "<set>/y_val.npy: expected labels like those of y_train, <f4 [], got <f4 []");
    assert!(error_of(&[scalar("x_train")], None).contains("got []"));
}

/// The labels of one set are not those of the other.
#[test]
fn labels_of_a_name_are_required_of_both_sets() {
    let sets = || vec![one("x_train"), one("x_test")];
    let arrays = [sets(), vec![label("y_train", 1)]].concat();
    assert_eq!(
        error_of(&arrays, Some("y_train")),
        "<set>: expected labels of x_test in an array `y_test`, got `x_train` [1, 2], `x_test` [1, 2] and \
         `y_train` [1]"
    );
    let arrays = [sets(), vec![label("kind", 1), label("y_train", 1), label("y_test", 2)]].concat();
    let error = error_of(&arrays, Some("kind"));
    assert!(
        error.starts_with(
            "<set>: expected labels of x_test as well: arrays named such as `kind_train` and `kind_test`, got"
        ),
        "{error}"
    );
    let others = vec![label("kind_train", 3), label("kind_test", 4), label("y_test", 9)];
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), &[sets(), others].concat());
    let (training, test) =
        npy::read_archive_with(&path, Some("kind_train"), None, Default::default()).unwrap();
    assert_eq!((classes(&training), classes(&test.unwrap())), (vec!["3"], vec!["4"]));
}

#[test]
fn an_array_and_a_file_of_labels_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), &[one("X"), label("y", 1)]);
    let options = Options {
        label_column: Some("y".into()),
        labels_file: Some("labels.npy".into()),
        ..Options::default()
    };
    let error = open(path.to_str().unwrap(), &options, &mut |_| ()).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "set.npz: expected labels from an array or from a file, got both; leave out the array `y` or the \
             file labels.npy"
        ),
        "{error}"
    );
}

#[test]
fn errors_of_rows_that_differ_name_type_and_shape() {
    let floats = ("x_val", ">f4", "(1, 2)", floats(&[1.0, 2.0]));
    assert_eq!(
        error_of(&[one("x_train"), floats, one("x_test")], None),
        "<set>/x_val.npy: expected rows like those of x_train, |u1 [1, 2], got >f4 [1, 2]"
    );
}
