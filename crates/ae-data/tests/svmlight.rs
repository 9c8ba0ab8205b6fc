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

/// With other columns, or others by one, rows would be zeros or the values of other columns.
#[test]
fn indices_that_are_not_those_of_the_model_are_refused() {
    let schema = |text: &str| parse(text).unwrap().table().unwrap().schema.clone();
    let (from_0, from_1) = (schema("1 0:1 3:4\n"), schema("1 1:1 4:4\n"));
    let read = |schema, text: &str| {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, text).unwrap();
        let read = svmlight::read_with(&path, Missing::Mean, Some(schema));
        read.map_err(|error| error.to_string().replace(&path.display().to_string(), "<file>"))
    };
    assert_eq!(
        read(&from_1, "1 7:1\n1 9:1\n").unwrap_err(),
        "<file>: expected indices that are columns of the model: `1`, `2`, `3` or `4`, got 7 to 9"
    );
    let error = read(&from_1, "1 0:1 3:4\n").unwrap_err();
    assert!(
        error.starts_with("<file>: expected indices from 1, as the model has, got index 0; write"),
        "{error}"
    );
    let error = read(&from_0, "1 1:1 4:4\n").unwrap_err();
    assert!(
        error.starts_with(
            "<file>: expected indices from 0 to 3, as the model has, got indices from 1 to 4, so probably from 1"
        ),
        "{error}"
    );
    // Column 0 shows that the indices begin there, whatever the last is.
    let ok = read(&from_0, "1 0:0 1:1 4:4\n").unwrap();
    assert_eq!(rows(&ok), [[0.0, 1.0, 0.0, 0.0]]);
    assert_eq!(rows(&read(&from_0, "1 1:1 3:4\n").unwrap()), [[0.0, 1.0, 0.0, 4.0]]);
    let mut names = from_1.clone();
    names.columns.iter_mut().for_each(|column| column.name.insert(0, 'x'));
    let error = read(&names, "1 1:1\n").unwrap_err();
    assert!(
        error.contains("columns of the model: `x1`, `x2`, `x3` or `x4`, got 1 to 1"),
        "{error}"
    );
}

/// Not even where labels are left out already.
#[test]
fn a_row_without_a_label_is_refused() {
    for first in ["0.5 1:1\n", "0,3 1:1\n"] {
        let error = parse(&format!("{first}1:7 2:2\n")).unwrap_err().to_string();
        let said = "line 2: expected a number as the label before the pairs (0 if there is none), got `1:7`";
        assert!(error.ends_with(said), "{error}");
    }
}

#[test]
fn rows_that_are_dropped_are_counted() {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&path, "1 1:nan 2:1\n2 1:3 2:5\n3 1:4\n").unwrap();
    let read = svmlight::read_with(&path, Missing::Drop, None).unwrap();
    let info = read.table().unwrap();
    assert_eq!((read.len(), info.dropped, info.classes), (2, 1, 2));
    assert_eq!(read.labels().unwrap().names(), ["2", "3"]);
    std::fs::write(&path, "1 1:nan 2:1\n").unwrap();
    let error = svmlight::read_with(&path, Missing::Drop, None).unwrap_err().to_string();
    assert!(error.ends_with("set `missing` to mean to fill them"), "{error}");
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

/// Every extension is known wherever one is looked at.
#[test]
fn all_extensions_are_known() {
    for end in ["svmlight", "libsvm", "svm", "svml", "svm.gz"] {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &std::path::Path| {
            let opened = open(path.to_str().unwrap(), &Options::default(), &mut |_| ());
            opened.unwrap_err().to_string()
        };
        let path = folder.path().join(format!("a.{end}"));
        std::fs::write(&path, "no label").unwrap();
        let said = error(folder.path());
        assert!(said.ends_with(&format!("give one of them: `a.{end}`")), "{said}");
        assert!(error(&path).contains("expected a number as the label"), "{end}");
        let said = error(std::path::Path::new(&format!("nowhere.{end}")));
        assert_eq!(
            said,
            format!("nowhere.{end}: expected a file or a folder, got nothing of this name")
        );
    }
}
