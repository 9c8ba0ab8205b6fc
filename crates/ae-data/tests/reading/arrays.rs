//! NumPy's arrays and archives, files of safetensors, IDX files.

use std::io::Write;
use std::path::Path;

use ae_data::Options;

use super::{Row, Section, file};

pub const SECTION: Section = (
    "Arrays",
    "NumPy's `.npy` (also as `.gz`) and `.npz`, safetensors, and folders of IDX files.",
    ROWS,
);

fn array(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

fn npy(folder: &Path, descr: &str, shape: &str, bytes: &[u8]) -> (&'static str, Options) {
    file(folder, "array.npy", array(descr, shape, bytes))
}

/// Four samples of one column, and labels.
fn labelled(folder: &Path, descr: &str, shape: &str, bytes: &[u8]) -> (&'static str, Options) {
    let (name, options) = npy(folder, "|u1", "(4, 1)", &[1, 2, 3, 4]);
    file(folder, "labels.npy", array(descr, shape, bytes));
    (name, Options { labels_file: Some(folder.join("labels.npy")), ..options })
}

fn npz(folder: &Path, arrays: &[(&str, &str, &str, Vec<u8>)]) -> (&'static str, Options) {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for (name, descr, shape, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&array(descr, shape, bytes)).unwrap();
    }
    file(folder, "set.npz", zip.finish().unwrap().into_inner())
}

/// A safetensors file of arrays: name, type, shape and bytes.
fn tensors(
    folder: &Path,
    name: &'static str,
    arrays: &[(&str, &str, &str, Vec<u8>)],
) -> (&'static str, Options) {
    let (mut header, mut data) = (String::from("{\"__metadata__\":{\"format\":\"pt\"}"), vec![]);
    for (name, dtype, shape, bytes) in arrays {
        let (start, end) = (data.len(), data.len() + bytes.len());
        header += &format!(
            ",\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}"
        );
        data.extend(bytes);
    }
    header += "}";
    let length = (header.len() as u64).to_le_bytes();
    file(folder, name, [&length[..], header.as_bytes(), &data].concat())
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn idx(folder: &Path, name: &'static str, sizes: &[u32], bytes: &[u8]) {
    let header = [0, 0, 8, sizes.len() as u8]
        .into_iter()
        .chain(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file(folder, name, header.chain(bytes.iter().copied()).collect::<Vec<u8>>());
}

const ROWS: &[Row] = &[
    (
        "f4 `[n, columns]`",
        |dir| npy(dir, "<f4", "(2, 2)", &floats(&[1.0, 2.0, 3.0, 4.0])),
        "2 samples of 2 columns; the first is 1, 2; features 0, 1",
    ),
    (
        "float16",
        |dir| npy(dir, "<f2", "(3, 1)", &[0x00, 0x3c, 0x00, 0xc0, 0x55, 0x35]),
        "3 samples of 1 columns; the first is 1; features 0",
    ),
    (
        "u1 images `[n, h, w]`",
        |dir| npy(dir, "|u1", "(2, 1, 2)", &[0, 51, 255, 102]),
        "2 samples of 1x1x2; the first is 0, 0.2",
    ),
    (
        "u1 images `[n, h, w, 3]`, channels last, as Keras has them",
        |dir| npy(dir, "|u1", "(2, 1, 2, 3)", &[0, 51, 255, 102, 153, 204, 0, 0, 0, 0, 0, 0]),
        "2 samples of 1x2x3; the first is 0, 0.2, 1, 0.4, 0.6, 0.8",
    ),
    (
        "u1 images `[n, 3, h, w]`, channels first, as PyTorch has them",
        |dir| npy(dir, "|u1", "(2, 3, 1, 2)", &[0, 51, 255, 102, 153, 204, 0, 0, 0, 0, 0, 0]),
        "2 samples of 3x1x2; the first is 0, 0.2, 1, 0.4, 0.6, 0.8",
    ),
    (
        "images `[n, 3, h, 3]`, which may be either, are read with channels first",
        |dir| npy(dir, "|u1", "(2, 3, 1, 3)", &[9; 18]),
        "2 samples of 3x1x3",
    ),
    (
        "images with transparency",
        |dir| npy(dir, "|u1", "(2, 2, 2, 4)", &[0; 32]),
        "refused: array.npy: expected shape [n, columns], [n, height, width], [n, 1 or 3, height, width] or [n, height, width, 1 or 3], got [2, 2, 2, 4]; save it without transparency, as `array[..., :3]`",
    ),
    (
        "one dimension",
        |dir| npy(dir, "<f4", "(2,)", &floats(&[1.0, 2.0])),
        "refused: array.npy: expected shape [n, columns], [n, height, width], [n, 1 or 3, height, width] or [n, height, width, 1 or 3], got [2]; save one column as `array.reshape(-1, 1)`",
    ),
    (
        "five dimensions",
        |dir| npy(dir, "|u1", "(2, 1, 1, 1, 2)", &[0; 4]),
        "refused: array.npy: expected shape [n, columns], [n, height, width], [n, 1 or 3, height, width] or [n, height, width, 1 or 3], got [2, 1, 1, 1, 2]; save it as a table, `array.reshape(len(array), -1)`",
    ),
    (
        "`=f8` and `(2L, 1L)`, as Python 2 wrote them",
        |dir| npy(dir, "=f8", "(2L, 1L)", &[1.5f64, 2.5].map(f64::to_le_bytes).concat()),
        "2 samples of 1 columns; the first is 1.5; features 0",
    ),
    (
        "Python objects",
        |dir| npy(dir, "|O", "(2, 1)", &[0; 16]),
        "refused: array.npy: expected elements of type f2, f4, f8, i1 to i8, u1 to u8 or bool, got Python objects; save `array.astype('float32')` instead",
    ),
    (
        "complex numbers",
        |dir| npy(dir, "<c8", "(2, 1)", &[0; 16]),
        "refused: array.npy: expected elements of type f2, f4, f8, i1 to i8, u1 to u8 or bool, got `<c8`",
    ),
    (
        "NaN, read as the mean",
        |dir| npy(dir, "<f4", "(3, 1)", &floats(&[1.0, f32::NAN, 3.0])),
        "3 samples of 1 columns; the first is 1; features 0",
    ),
    (
        "infinity",
        |dir| npy(dir, "<f4", "(2, 1)", &floats(&[1.0, f32::INFINITY])),
        "refused: array.npy, element [1, 0]: expected a finite number from -3.4e38 to 3.4e38, got inf",
    ),
    (
        "an array that is cut short",
        |dir| npy(dir, "<f4", "(2, 2)", &floats(&[1.0, 2.0])),
        "refused: array.npy: expected shape [2, 2], so 16 bytes after the header, got 8: the file is cut short",
    ),
    (
        "labels `(n, 1)`",
        |dir| labelled(dir, "|u1", "(4, 1)", &[7, 8, 7, 8]),
        "4 samples of 1 columns, classes 7, 8; the first is 1; features 0",
    ),
    (
        "labels that are floats",
        |dir| labelled(dir, "<f4", "(4,)", &floats(&[1.0, 0.0, 1.0, 0.0])),
        "4 samples of 1 columns, classes 0, 1; the first is 1; features 0",
    ),
    (
        "labels that are fractions",
        |dir| labelled(dir, "<f4", "(4,)", &floats(&[1.5, 0.0, 1.0, 0.0])),
        "refused: labels.npy: expected integers or texts of shape [n] as labels, got the float 1.5",
    ),
    (
        "one-hot labels",
        |dir| labelled(dir, "|u1", "(4, 2)", &[1, 0, 0, 1, 1, 0, 0, 1]),
        "refused: labels.npy: expected integers or texts of shape [n] as labels, got shape [4, 2]; save one-hot rows as `labels.argmax(axis=1)`",
    ),
    (
        "labels of another number",
        |dir| labelled(dir, "|u1", "(3,)", &[1, 2, 3]),
        "refused: labels.npy: expected 4 labels, one for each sample in array.npy, got 3",
    ),
    (
        "`.npz` with `X` and `y`",
        |dir| {
            npz(
                dir,
                &[
                    ("X", "<f4", "(2, 2)", floats(&[1.0, 2.0, 3.0, 4.0])),
                    ("y", "|u1", "(2,)", vec![0, 1]),
                ],
            )
        },
        "2 samples of 2 columns, classes 0, 1; the first is 1, 2; features 0, 1",
    ),
    (
        "`.npz` with `x_train`, `y_train`, `x_test`, `y_test`, as Keras has MNIST",
        |dir| {
            npz(
                dir,
                &[
                    ("x_test", "|u1", "(1, 1, 2)", vec![0, 51]),
                    ("x_train", "|u1", "(2, 1, 2)", vec![0, 255, 255, 0]),
                    ("y_train", "|u1", "(2,)", vec![5, 0]),
                    ("y_test", "|u1", "(1,)", vec![7]),
                ],
            )
        },
        "2 samples of 1x1x2, 1 to test, classes 0, 5, 7; the first is 0, 1",
    ),
    (
        "`.npz` with `arr_0` and `arr_1`, saved without names",
        |dir| {
            npz(
                dir,
                &[
                    ("arr_0", "<f4", "(2, 2)", floats(&[1.0, 2.0, 3.0, 4.0])),
                    ("arr_1", "|u1", "(2,)", vec![0, 1]),
                ],
            )
        },
        "2 samples of 2 columns, classes 0, 1; the first is 1, 2; features 0, 1",
    ),
    (
        "`.npz` with one array of two dimensions, and others",
        |dir| {
            npz(
                dir,
                &[
                    ("codes", "<f4", "(2, 2)", floats(&[1.0, 2.0, 3.0, 4.0])),
                    ("names", "<U1", "(2,)", vec![65, 0, 0, 0, 66, 0, 0, 0]),
                ],
            )
        },
        "2 samples of 2 columns; the first is 1, 2; features 0, 1. Warning: set.npz: arrays left out: `names` [2] of texts",
    ),
    (
        "`.npz` with labels under a name of your own",
        |dir| {
            let (name, options) = npz(
                dir,
                &[
                    ("codes", "<f4", "(2, 2)", floats(&[1.0, 2.0, 3.0, 4.0])),
                    ("kind", "|u1", "(2,)", vec![3, 4]),
                ],
            );
            (name, Options { label_column: Some("kind".into()), ..options })
        },
        "2 samples of 2 columns, classes 3, 4; the first is 1, 2; features 0, 1",
    ),
    (
        "`.npz` with several arrays of unknown names",
        |dir| {
            npz(
                dir,
                &[
                    ("a", "<f4", "(2, 1)", floats(&[1.0, 2.0])),
                    ("b", "<f4", "(2, 1)", floats(&[1.0, 2.0])),
                ],
            )
        },
        "refused: set.npz: expected one array of samples of at least 2 dimensions, or several of which one is named `X` or `data`, or `x_train` and `x_test`, got `a` [2, 1] and `b` [2, 1]; save the one you mean by itself, such as `numpy.save('X.npy', numpy.load('set.npz')['a'])`",
    ),
    (
        "`.npz` with a `y` of fractions",
        |dir| {
            npz(
                dir,
                &[
                    ("X", "<f4", "(2, 1)", floats(&[1.0, 2.0])),
                    ("y", "<f4", "(2,)", floats(&[0.5, 1.5])),
                ],
            )
        },
        "2 samples of 1 columns; the first is 1; features 0. Warning: set.npz: arrays left out: `y` (no classes, but the float 0.5)",
    ),
    (
        "`.npz` with labels of the training set alone",
        |dir| {
            npz(
                dir,
                &[
                    ("x_train", "|u1", "(2, 1)", vec![1, 2]),
                    ("y_train", "|u1", "(2,)", vec![0, 1]),
                    ("x_test", "|u1", "(1, 1)", vec![3]),
                ],
            )
        },
        "2 samples of 1 columns, 1 to test; the first is 1; features 0. Warning: set.npz: arrays left out: `y_train` (`x_test` has no labels)",
    ),
    (
        "`.npz` with validation labels missing",
        |dir| {
            npz(
                dir,
                &[
                    ("x_train", "|u1", "(1, 1)", vec![1]),
                    ("y_train", "|u1", "(1,)", vec![0]),
                    ("x_val", "|u1", "(1, 1)", vec![2]),
                    ("x_test", "|u1", "(1, 1)", vec![3]),
                    ("y_test", "|u1", "(1,)", vec![0]),
                ],
            )
        },
        "2 samples of 1 columns, 1 to test; the first is 1; features 0. Warning: set.npz: the 1 rows of x_val are in the training set: a validation set is split from it. Warning: set.npz: arrays left out: `y_train` (`x_val` has no labels) and `y_test` (`x_val` has no labels)",
    ),
    (
        "`.npz` with validation rows, and a small limit of memory",
        |dir| {
            let (name, options) = npz(
                dir,
                &[
                    ("x_train", "|u1", "(2, 1)", vec![1, 2]),
                    ("x_val", "|u1", "(2, 1)", vec![3, 4]),
                    ("x_test", "|u1", "(1, 1)", vec![3]),
                ],
            );
            (name, Options { resident_limit: Some(4), ..options })
        },
        "4 samples of 1 columns, 1 to test; the first is 1; features 0. Warning: set.npz: the 2 rows of x_val are in the training set: a validation set is split from it. Warning: set.npz: x_train and x_val are joined in memory, though they take more than half of `resident_limit`; to leave them on the disk, save one array of both",
    ),
    (
        "`.npz` of a sparse matrix of SciPy",
        |dir| {
            npz(
                dir,
                &[
                    ("indices", "<i4", "(1,)", vec![0; 4]),
                    ("indptr", "<i4", "(1,)", vec![0; 4]),
                    ("data", "<f4", "(1,)", vec![0; 4]),
                ],
            )
        },
        "refused: set.npz: expected one array of samples of at least 2 dimensions, or several of which one is named `X` or `data`, or `x_train` and `x_test`, got `indices` [1], `indptr` [1] and `data` [1]: a sparse matrix of SciPy; save it as `numpy.save('X.npy', scipy.sparse.load_npz('set.npz').toarray())`",
    ),
    (
        "safetensors with samples and labels",
        |dir| {
            tensors(
                dir,
                "set.safetensors",
                &[
                    ("X", "F32", "[3,2]", floats(&[0.5, 2.0, 3.0, 4.0, 5.0, 6.0])),
                    (
                        "y",
                        "I64",
                        "[3]",
                        [7i64, 5, 7].into_iter().flat_map(i64::to_le_bytes).collect(),
                    ),
                ],
            )
        },
        "3 samples of 2 columns, classes 5, 7; the first is 0.5, 2; features 0, 1",
    ),
    (
        "safetensors of half precision (F16)",
        |dir| {
            tensors(
                dir,
                "set.safetensors",
                &[("data", "F16", "[2,1]", vec![0x00, 0x3c, 0x00, 0xb8])],
            )
        },
        "2 samples of 1 columns; the first is 1; features 0",
    ),
    (
        "safetensors of BF16",
        |dir| {
            tensors(
                dir,
                "set.safetensors",
                &[("data", "BF16", "[2,1]", vec![0x80, 0x3f, 0x00, 0xc0])],
            )
        },
        "2 samples of 1 columns; the first is 1; features 0",
    ),
    (
        "safetensors of bytes, images with channels last",
        |dir| {
            tensors(
                dir,
                "set.safetensors",
                &[("images", "U8", "[2,1,1,3]", vec![0, 51, 102, 153, 204, 255])],
            )
        },
        "2 samples of 1x1x3; the first is 0, 0.2, 0.4",
    ),
    (
        "shards of safetensors, whose rows are joined",
        |dir| {
            tensors(
                dir,
                "data-00002-of-00002.safetensors",
                &[("X", "F32", "[1,1]", floats(&[3.0])), ("y", "U8", "[1]", vec![1])],
            );
            tensors(
                dir,
                "data-00001-of-00002.safetensors",
                &[("X", "F32", "[2,1]", floats(&[1.0, 2.0])), ("y", "U8", "[2]", vec![0, 1])],
            );
            (".", Options::default())
        },
        "3 samples of 1 columns, classes 0, 1; the first is 1; features 0",
    ),
    (
        "shards of safetensors, one of which is not there",
        |dir| {
            tensors(
                dir,
                "data-00001-of-00002.safetensors",
                &[("X", "F32", "[1,1]", floats(&[3.0]))],
            );
            (".", Options::default())
        },
        "refused: the folder: expected 2 shards of `data`, got none of number 2",
    ),
    (
        "shards of safetensors with rows of different widths",
        |dir| {
            tensors(
                dir,
                "data-00001-of-00002.safetensors",
                &[("X", "F32", "[1,1]", floats(&[3.0]))],
            );
            tensors(
                dir,
                "data-00002-of-00002.safetensors",
                &[("X", "F32", "[1,2]", floats(&[3.0, 4.0]))],
            );
            (".", Options::default())
        },
        "refused: data-00002-of-00002.safetensors, array `X`: expected rows like those of the shards before, <f4 [1, 1], got <f4 [1, 2]",
    ),
    (
        "safetensors of a model, with many arrays",
        |dir| {
            tensors(
                dir,
                "model.safetensors",
                &[
                    ("encoder.weight", "F32", "[1,1]", floats(&[3.0])),
                    ("decoder.weight", "F32", "[1,1]", floats(&[3.0])),
                ],
            )
        },
        "refused: model.safetensors: expected one array of samples of at least 2 dimensions, or several of which one is named `X` or `data`, or `x_train` and `x_test`, got `encoder.weight` [1, 1] and `decoder.weight` [1, 1]; save the one you mean by itself",
    ),
    (
        "safetensors of a type that is not read",
        |dir| tensors(dir, "set.safetensors", &[("X", "F8_E4M3", "[1,2]", vec![1, 2])]),
        "refused: set.safetensors: expected one array of samples of at least 2 dimensions, or several of which one is named `X` or `data`, or `x_train` and `x_test`, got `X` (not of numbers); save the one you mean by itself",
    ),
    (
        "safetensors that are cut short",
        |dir| {
            let (name, options) =
                tensors(dir, "set.safetensors", &[("X", "F32", "[1,2]", floats(&[3.0, 4.0]))]);
            let bytes = std::fs::read(dir.join(name)).unwrap();
            std::fs::write(dir.join(name), &bytes[..bytes.len() - 1]).unwrap();
            (name, options)
        },
        "refused: set.safetensors, array `X`: expected data_offsets within the 7 bytes of the file, got 0 to 8: the file is cut short or damaged",
    ),
    (
        "a file with the name of safetensors and other contents",
        |dir| file(dir, "set.safetensors", b"1,2\n3,4\n5,6\n"),
        "refused: set.safetensors: expected a safetensors file, got another file, or one with a header of more than 100 MB",
    ),
    (
        "IDX files with labels and a test set",
        |dir| {
            idx(dir, "train-images-idx3-ubyte", &[2, 1, 2], &[0, 51, 255, 0]);
            idx(dir, "train-labels-idx1-ubyte", &[2], &[1, 0]);
            idx(dir, "t10k-images-idx3-ubyte", &[1, 1, 2], &[0, 51]);
            idx(dir, "t10k-labels-idx1-ubyte", &[1], &[1]);
            (".", Options::default())
        },
        "2 samples of 1x1x2, 1 to test, classes 0, 1; the first is 0, 0.2",
    ),
    (
        "IDX images that are cut short",
        |dir| {
            idx(dir, "train-images-idx3-ubyte", &[2, 1, 2], &[0, 51, 255]);
            (".", Options::default())
        },
        "refused: train-images-idx3-ubyte: expected 2 images of 1x2 pixels, so 4 bytes after the header, got 3: the file is cut short",
    ),
    (
        "a file of another kind",
        |dir| file(dir, "data.h5", b"\x89HDF\r\n"),
        "refused: data.h5: expected a .csv, .tsv, .npy, .npz, .safetensors, .svmlight or image file, or the folder the file is in, got another kind of file",
    ),
];
