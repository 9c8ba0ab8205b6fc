//! Files of svmlight and libsvm: columns, labels, limits, and the text of each error.

use ae_data::table::{Missing, TableOptions};
use ae_data::{Options, Result, Samples, Shape, open, svmlight};

fn parse(text: &str) -> Result<Samples> {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&path, text).unwrap();
    svmlight::read(&path)
}

fn columns(samples: &Samples) -> Vec<&str> {
    match samples.shape() {
        Shape::Table { columns } => columns.iter().map(String::as_str).collect(),
        Shape::Image { .. } => panic!("expected a table"),
    }
}

fn rows(samples: &Samples) -> Vec<Vec<f32>> {
    samples.into()
}

#[test]
fn columns_begin_at_1_unless_a_line_has_0() {
    let ones = parse("1 1:5 3:7\n\n# a comment\n-1 qid:4 2:1e1 # more\r\n+1\n").unwrap();
    assert_eq!(rows(&ones), [[5.0, 0.0, 7.0], [0.0, 10.0, 0.0], [0.0; 3]]);
    assert_eq!(columns(&ones), ["1", "2", "3"]);
    let labels = ones.labels().unwrap();
    assert_eq!(
        (labels.classes(), labels.names()),
        (&[1, 0, 1][..], &["-1".into(), "1".into()][..])
    );
    let zeros = parse("2.0 0:5\n3 1:7 0:4\n").unwrap();
    assert_eq!(
        (rows(&zeros), columns(&zeros)),
        (vec![vec![5.0, 0.0], vec![4.0, 7.0]], vec!["0", "1"])
    );
    assert_eq!(zeros.labels().unwrap().names(), ["2", "3"]);
}

#[test]
fn labels_that_are_no_classes_are_left_out() {
    assert!(parse("0.5 1:1\n1 1:2\n").unwrap().labels().is_none());
    assert!(parse("0,3 1:1\n2 1:2\n").unwrap().labels().is_none());
}

/// Another file has other columns: those of the model count, whatever it names.
#[test]
fn columns_are_those_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.libsvm"), "1 1:1 4:4\n2 2:2\n").unwrap();
    std::fs::write(path("b.svm"), "1 2:5 9:1\n").unwrap();
    let trained = svmlight::read(&path("a.libsvm")).unwrap();
    let schema = trained.table().unwrap().schema.clone();
    assert_eq!(schema.label(), Some("label"));
    let other = svmlight::read_with(&path("b.svm"), Missing::Mean, Some(&schema)).unwrap();
    assert_eq!(rows(&other), [[0.0, 5.0, 0.0, 0.0]]);
    let table = TableOptions { schema: Some(schema), ..TableOptions::default() };
    let options = Options { table, ..Options::default() };
    let b = path("b.svm").display().to_string();
    let opened = ae_data::open_unsplit(&b, &options, &mut |_| ()).unwrap();
    assert_eq!(opened.samples.width(), 4);
    let a = path("a.libsvm").display().to_string();
    let set = open(&a, &Options::default(), &mut |_| ()).unwrap();
    assert_eq!(set.description, "a sparse table (svmlight)");
}

#[test]
fn nan_is_missing() {
    let read = parse("1 1:nan 2:1\n1 1:3 2:5\n").unwrap();
    assert_eq!((read.row(0), read.missing_in(0)), (vec![3.0, 1.0], vec![true, false]));
}

#[test]
fn errors() {
    let cases = [
        ("", "<file>: expected at least one row, got none"),
        ("1\n2\n", "<file>: expected at least one index:value pair, got only labels"),
        (
            "1:1 2:2\n",
            "<file>, line 1: expected a number as the label before the pairs (0 if there is none), got `1:1`",
        ),
        (
            "a 1:1\n",
            "<file>, line 1: expected a number as the label before the pairs (0 if there is none), got `a`",
        ),
        ("1 1:1\n1 two:2\n", "<file>, line 2: expected a pair such as 3:0.5, got `two:2`"),
        ("1 1:x\n", "<file>, line 1: expected a pair such as 3:0.5, got `1:x`"),
        ("1 1\n", "<file>, line 1: expected a pair such as 3:0.5, got `1`"),
        ("1 -1:1\n", "<file>, line 1: expected a pair such as 3:0.5, got `-1:1`"),
        ("1 1:1 2:2 1:3\n", "<file>, line 1: expected each index once, got `1 twice`"),
        (
            "1 1:1e300\n",
            "<file>, line 1: expected a finite number from -3.4e38 to 3.4e38, got `1:1e300`",
        ),
        ("1 9999999:1\n", "<file>, line 1: expected an index of at most 1048576, got `9999999:1`"),
    ];
    for (text, expected) in cases {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, text).unwrap();
        let error = svmlight::read(&path).unwrap_err().to_string();
        assert_eq!(error.replace(&path.display().to_string(), "<file>"), expected);
    }
}

/// 100 lines of 12 bytes would be 100 million numbers.
#[test]
fn tables_that_are_too_large_when_dense_are_refused() {
    let error = parse(&"1 1000000:1\n".repeat(100)).unwrap_err().to_string();
    let said = "expected at most 8424608 numbers as a dense table, got 100 rows of 1000000 columns; keep \
                fewer columns (scikit-learn: `TruncatedSVD`, `SelectKBest`) and save them with `numpy.save`";
    assert!(error.ends_with(said), "{error}");
}
