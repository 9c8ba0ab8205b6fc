//! Parquet and Arrow: files, shards, and data sets of Hugging Face on the disk.
//!
//!     cargo test -p ae-data --features arrow --test columnar
#![cfg(feature = "arrow")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use ae_data::table::Role;
use ae_data::{DataSet, Options, Samples, Unsplit, open, open_unsplit};
use arrow_array::types::Int8Type;
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

fn batch(columns: Vec<(&str, ArrayRef)>, metadata: &[(&str, &str)]) -> RecordBatch {
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let schema = Schema::new(fields).with_metadata(metadata);
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect())
        .unwrap()
}

fn parquet_with(path: &Path, batch: &RecordBatch, compression: Compression) {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn parquet(path: &Path, batch: &RecordBatch) {
    parquet_with(path, batch, Compression::SNAPPY);
}

fn arrow_file(path: &Path, batch: &RecordBatch) {
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(File::create(path).unwrap(), &batch.schema())
            .unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

fn arrow_stream(path: &Path, batch: &RecordBatch) {
    let mut writer =
        arrow_ipc::writer::StreamWriter::try_new(File::create(path).unwrap(), &batch.schema())
            .unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

fn whole(path: &Path, options: &Options) -> Unsplit {
    open_unsplit(path.to_str().unwrap(), options, &mut |_| ()).unwrap()
}

fn error(path: &Path) -> String {
    open(path.to_str().unwrap(), &Options::default(), &mut |_| ()).unwrap_err().to_string()
}

fn rows(samples: &Samples) -> Vec<Vec<f32>> {
    (0..samples.len()).map(|row| samples.row(row)).collect()
}

fn roles(samples: &Samples) -> Vec<(String, Role)> {
    let columns = &samples.table().unwrap().schema.columns;
    columns.iter().map(|column| (column.name.clone(), column.role.clone())).collect()
}

/// A column of each type that is read.
fn all_types() -> RecordBatch {
    let words: DictionaryArray<Int8Type> =
        vec!["red", "blue", "red", "blue", "red"].into_iter().collect();
    batch(
        vec![
            ("small", Arc::new(Int8Array::from(vec![1, -2, 3, 4, 5]))),
            ("large", Arc::new(UInt64Array::from(vec![7u64, 8, 9, 1 << 40, 11]))),
            (
                "single",
                Arc::new(Float32Array::from(vec![
                    Some(0.1),
                    None,
                    Some(1e30),
                    Some(-0.5),
                    Some(2.0),
                ])),
            ),
            ("double", Arc::new(Float64Array::from(vec![0.25, 0.5, 1e-300, 3.5, f64::NAN]))),
            ("flag", Arc::new(BooleanArray::from(vec![true, false, true, false, true]))),
            ("day", Arc::new(Date32Array::from(vec![0, 1, -1, 18_000, 19_000]))),
            ("moment", Arc::new(TimestampMillisecondArray::from(vec![1500, 0, 86_400_000, -1, 1]))),
            ("colour", Arc::new(words)),
            ("size", Arc::new(StringArray::from(vec!["s", "m", "s", "m", "s"]))),
            ("index", Arc::new(Int64Array::from(vec![10, 11, 12, 13, 14]))),
            ("label", Arc::new(StringArray::from(vec!["b", "a", "b", "a", "b"]))),
        ],
        &[],
    )
}

#[test]
fn types_are_those_of_the_file_and_roles_those_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    parquet(&at("t.parquet"), &all_types());
    let set = whole(&at("t.parquet"), &Options::default());
    let samples = &set.samples;
    let found = roles(samples);
    let of = |name: &str| &found.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!((of("small"), of("large")), (&Role::Integer, &Role::Integer));
    assert_eq!(
        (of("single"), of("double"), of("flag")),
        (&Role::Number, &Role::Number, &Role::Boolean)
    );
    assert!(matches!(of("day"), Role::Date { .. }) && matches!(of("moment"), Role::Date { .. }));
    assert_eq!((of("index"), of("label")), (&Role::Id, &Role::Label));
    let categories =
        |names: [&str; 2]| Role::Categorical { categories: names.map(str::to_owned).to_vec() };
    assert_eq!((of("colour"), of("size")), (&categories(["blue", "red"]), &categories(["m", "s"])));
    assert_eq!(samples.labels().unwrap().names(), ["a", "b"]);
    assert_eq!(
        samples.raw_row(0),
        [1.0, 7.0, 0.1f32.into(), 0.25, 1.0, 0.0, 1.5, 0.0, 1.0, 0.0, 1.0]
    );
    assert_eq!(
        samples.raw_row(3)[..7],
        [4.0, (1u64 << 40) as f64, -0.5, 3.5, 0.0, 18_000.0 * 86_400.0, (-0.001f32).into()]
    );
    assert_eq!(samples.missing(), 2);
    assert_eq!(samples.missing_in(1).iter().position(|it| *it), Some(2));
}

/// Every container and compression has the same samples, in memory and from a temporary file.
#[test]
fn containers_and_compressions_are_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let batch = all_types();
    parquet(&at("expected.parquet"), &batch);
    let expected = whole(&at("expected.parquet"), &Options::default()).samples;
    for (name, compression) in [
        ("none.parquet", Compression::UNCOMPRESSED),
        ("zstd.parquet", Compression::ZSTD(Default::default())),
        ("gzip.parquet", Compression::GZIP(Default::default())),
        ("lz4.pq", Compression::LZ4_RAW),
    ] {
        parquet_with(&at(name), &batch, compression);
    }
    arrow_file(&at("file.arrow"), &batch);
    arrow_file(&at("file.feather"), &batch);
    arrow_stream(&at("stream.arrow"), &batch);
    for name in [
        "none.parquet",
        "zstd.parquet",
        "gzip.parquet",
        "lz4.pq",
        "file.arrow",
        "file.feather",
        "stream.arrow",
    ] {
        for resident_limit in [None, Some(0)] {
            let read = whole(&at(name), &Options { resident_limit, ..Options::default() }).samples;
            assert_eq!(read.is_on_disk(), resident_limit.is_some());
            assert_eq!(rows(&read), rows(&expected), "{name}");
            assert_eq!(roles(&read), roles(&expected), "{name}");
        }
    }
}

/// The same table as CSV is read alike.
#[test]
fn table_is_that_of_csv() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let x = Float64Array::from(vec![Some(1.5), Some(2.5), None, Some(4.0)]);
    let kind = StringArray::from(vec![Some("u"), Some("v"), Some("u"), None]);
    let batch = batch(vec![("x", Arc::new(x)), ("kind", Arc::new(kind))], &[]);
    parquet(&at("t.parquet"), &batch);
    fs::write(at("t.csv"), "x,kind\n1.5,u\n2.5,v\n,u\n4.0,\n").unwrap();
    for missing in [ae_data::table::Missing::Mean, ae_data::table::Missing::Drop] {
        let table = ae_data::table::TableOptions { missing, ..Default::default() };
        let options = Options { table, ..Options::default() };
        let [one, other] = ["t.parquet", "t.csv"].map(|name| whole(&at(name), &options).samples);
        assert_eq!((rows(&one), roles(&one)), (rows(&other), roles(&other)));
    }
    let table = ae_data::table::TableOptions {
        missing: ae_data::table::Missing::Refuse,
        ..Default::default()
    };
    let options = Options { table, ..Options::default() };
    let error =
        open(at("t.parquet").to_str().unwrap(), &options, &mut |_| ()).unwrap_err().to_string();
    assert!(
        error.contains("t.parquet, row 3, column `x`: expected a value, got an empty cell"),
        "{error}"
    );
}

fn numbers(values: &[f64], labels: &[i64], metadata: &[(&str, &str)]) -> RecordBatch {
    batch(
        vec![
            ("x", Arc::new(Float64Array::from(values.to_vec()))),
            ("kind", Arc::new(Int64Array::from(labels.to_vec()))),
        ],
        metadata,
    )
}

const CLASSES: &[(&str, &str)] = &[(
    "huggingface",
    r#"{"info": {"features": {"x": {"dtype": "float64", "_type": "Value"}, "kind": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}"#,
)];

#[test]
fn shards_are_joined_and_parts_are_found_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    parquet(&data.join("train-00001-of-00002.parquet"), &numbers(&[3.0, 4.0], &[0, 0], CLASSES));
    parquet(&data.join("train-00000-of-00002.parquet"), &numbers(&[1.0, 2.0], &[0, 1], CLASSES));
    parquet(&data.join("validation-00000-of-00001.parquet"), &numbers(&[5.0], &[1], CLASSES));
    parquet(&data.join("test-00000-of-00001.parquet"), &numbers(&[6.0, 7.0], &[1, -1], CLASSES));
    let set = whole(folder.path(), &Options::default());
    assert_eq!(rows(&set.samples), [[1.0], [2.0], [3.0], [4.0], [5.0]]);
    assert_eq!(set.samples.labels().unwrap().names(), ["cat", "dog"]);
    assert_eq!(set.samples.labels().unwrap().classes(), [0, 1, 0, 0, 1]);
    // The row of -1 has no label, so it is left out.
    let test = set.test.unwrap();
    assert_eq!((rows(&test), test.labels().unwrap().classes()), (vec![vec![6.0]], &[1][..]));

    parquet(&data.join("train-00001-of-00002.parquet"), &all_types());
    let error = error(folder.path());
    assert!(error.contains("column 0: expected the columns of "), "{error}");
}

#[test]
fn data_sets_that_save_to_disk_wrote_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, batches: &[RecordBatch]| {
        let at = folder.path().join(name);
        fs::create_dir_all(&at).unwrap();
        let mut files = vec![];
        for (index, batch) in batches.iter().enumerate() {
            let file = format!("data-{index:05}-of-{:05}.arrow", batches.len());
            arrow_stream(&at.join(&file), batch);
            files.push(format!(r#"{{"filename": "{file}"}}"#));
        }
        fs::write(at.join("state.json"), format!(r#"{{"_data_files": [{}]}}"#, files.join(", ")))
            .unwrap();
        fs::write(at.join("dataset_info.json"), "{}").unwrap();
    };
    save("one", &[numbers(&[1.0, 2.0], &[0, 1], CLASSES), numbers(&[3.0], &[1], CLASSES)]);
    let one = whole(&folder.path().join("one"), &Options::default());
    assert_eq!((rows(&one.samples).concat(), one.test.is_none()), (vec![1.0, 2.0, 3.0], true));
    assert_eq!(one.samples.labels().unwrap().names(), ["cat", "dog"]);

    save("dict/train", &[numbers(&[1.0, 2.0, 3.0], &[0, 1, 0], CLASSES)]);
    save("dict/test", &[numbers(&[4.0], &[1], CLASSES)]);
    fs::write(folder.path().join("dict/dataset_dict.json"), r#"{"splits": ["train", "test"]}"#)
        .unwrap();
    let dict: DataSet =
        open(folder.path().join("dict").to_str().unwrap(), &Options::default(), &mut |_| ())
            .unwrap();
    assert_eq!((dict.splits.training.len(), dict.splits.test.len()), (3, 1));
    assert_eq!(dict.splits.test.labels().unwrap().classes(), [1]);

    let state = folder.path().join("one/state.json");
    fs::write(&state, r#"{"_data_files": [{"filename": "../secret.arrow"}]}"#).unwrap();
    let error = error(&folder.path().join("one"));
    assert!(
        error.ends_with("expected names of files in its folder, got `../secret.arrow`"),
        "{error}"
    );
}

#[test]
fn lists_of_one_length_are_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let values = Float32Array::from(vec![1.0, 2.0, 3.0, 4.0]);
    let field = Arc::new(Field::new("item", DataType::Float32, true));
    let fixed = FixedSizeListArray::new(field, 2, Arc::new(values), None);
    let mut list = builder::ListBuilder::new(builder::Int32Builder::new());
    list.append_value([Some(5)]);
    list.append_value([Some(6)]);
    parquet(&path, &batch(vec![("emb", Arc::new(fixed)), ("n", Arc::new(list.finish()))], &[]));
    let samples = whole(&path, &Options::default()).samples;
    assert_eq!(rows(&samples), [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]);
    assert_eq!(samples.table().unwrap().schema.feature_names(), ["emb[0]", "emb[1]", "n[0]"]);

    let mut list = builder::ListBuilder::new(builder::Int32Builder::new());
    list.append_value([Some(5)]);
    list.append_value([Some(6), Some(7)]);
    parquet(&path, &batch(vec![("n", Arc::new(list.finish()))], &[]));
    let error = error(&path);
    assert!(
        error.ends_with("column `n`: expected lists of 1 elements as in the first row, got 2"),
        "{error}"
    );
}

#[test]
fn times_have_their_zone_and_fraction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let zoned = TimestampMicrosecondArray::from(vec![1_600_000_000_250_000, 1_600_000_001_000_000]);
    let zoned = zoned.with_timezone("+02:00");
    assert_eq!(
        zoned.data_type(),
        &DataType::Timestamp(TimeUnit::Microsecond, Some("+02:00".into()))
    );
    parquet(&path, &batch(vec![("when", Arc::new(zoned))], &[]));
    let samples = whole(&path, &Options::default()).samples;
    assert_eq!(
        (samples.raw_row(0), samples.raw_row(1)),
        (vec![1_600_000_000.25], vec![1_600_000_001.0])
    );
}

#[cfg(feature = "images")]
#[test]
fn encoded_images_are_samples() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let png = |values: [u8; 3]| {
        let mut bytes = std::io::Cursor::new(vec![]);
        let image = image::RgbImage::from_fn(2, 1, |x, _| {
            image::Rgb(if x == 0 { values } else { [255; 3] })
        });
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    for (colour, expected) in
        [(51u8, vec![0.2, 1.0]), (52, vec![0.2, 1.0, 0.2, 1.0, 52.0 / 255.0, 1.0])]
    {
        let images = [[51, 51, colour], [51, 51, 51], [51, 51, colour]].map(png);
        let bytes = BinaryArray::from_iter_values(images.iter());
        let names = StringArray::from(vec!["a.png", "b.png", "c.png"]);
        let image = StructArray::from(vec![
            (Arc::new(Field::new("bytes", DataType::Binary, true)), Arc::new(bytes) as ArrayRef),
            (Arc::new(Field::new("path", DataType::Utf8, true)), Arc::new(names) as ArrayRef),
        ]);
        let kind = Int64Array::from(vec![0, 1, -1]);
        parquet(&path, &batch(vec![("image", Arc::new(image)), ("kind", Arc::new(kind))], CLASSES));
        for resident_limit in [None, Some(0), Some(8)] {
            let options = Options { resident_limit, ..Options::default() };
            let samples = whole(&path, &options).samples;
            assert_eq!(
                (samples.len(), samples.row(0)),
                (2, expected.clone()),
                "{resident_limit:?}"
            );
            assert_eq!(samples.labels().unwrap().names(), ["cat", "dog"]);
        }
    }
}

/// Files that are cut short or have changed bytes are refused in a sentence, or read: nothing else happens.
#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    parquet(&at("t.parquet"), &all_types());
    arrow_file(&at("t.arrow"), &all_types());
    arrow_stream(&at("t.ipc"), &all_types());
    std::panic::set_hook(Box::new(|_| ()));
    for name in ["t.parquet", "t.arrow", "t.ipc"] {
        let good = fs::read(at(name)).unwrap();
        let mut refused = 0;
        for length in (0..good.len()).step_by(37) {
            fs::write(at(name), &good[..length]).unwrap();
            refused += usize::from(
                open_unsplit(at(name).to_str().unwrap(), &Options::default(), &mut |_| ()).is_err(),
            );
        }
        assert!(refused > 10, "{name}");
        for place in (0..good.len()).step_by(11) {
            let mut bytes = good.clone();
            bytes[place] ^= 0x55;
            fs::write(at(name), &bytes).unwrap();
            let _ = open_unsplit(at(name).to_str().unwrap(), &Options::default(), &mut |_| ());
        }
    }
    let _ = std::panic::take_hook();
    fs::write(at("old.feather"), b"FEA1rest").unwrap();
    assert!(error(&at("old.feather")).contains("Feather of version 1"));
}
