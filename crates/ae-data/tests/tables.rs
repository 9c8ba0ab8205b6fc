//! Tables in every dialect, and the samples that are read from them.
//!
//! `cargo test --test tables -- --nocapture` prints how each was read.

use std::fs;

use ae_data::table::{self, Decimal, Header, Missing, TableOptions, Unseen};
use ae_data::{Result, Samples, Shape};

type Set = fn(&mut TableOptions);

/// The name of a table, its bytes, the options, and the expected columns and rows.
type Case = (&'static str, Vec<u8>, Set, &'static str, Vec<Vec<f64>>);

fn read(bytes: &[u8], label: Option<&str>, set: Set) -> Result<Samples> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, bytes).unwrap();
    let mut options = TableOptions::default();
    set(&mut options);
    table::read_with(&path, label, &options)
}

fn columns(samples: &Samples) -> String {
    let Shape::Table { columns } = samples.shape() else { panic!("expected a table") };
    columns.join(" ")
}

fn check(cases: Vec<Case>) {
    let mut wrong = vec![];
    for (what, bytes, set, names, expected) in cases {
        let text = match read(&bytes, None, set) {
            Err(error) => error.to_string(),
            Ok(samples) => {
                let info = samples.table().unwrap();
                println!("{what}\n    {info}; {}\n", info.notes.join("; "));
                let rows: Vec<Vec<f32>> = (0..samples.len()).map(|row| samples.row(row)).collect();
                let expected: Vec<Vec<f32>> =
                    expected.iter().map(|row| row.iter().map(|x| *x as f32).collect()).collect();
                if (columns(&samples).as_str(), &rows) == (names, &expected) {
                    continue;
                }
                format!("{} {rows:?}", columns(&samples))
            }
        };
        wrong.push(format!("{what}\n    expected: {names} {expected:?}\n    got:      {text}"));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn plain(_: &mut TableOptions) {}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn dialects() {
    let two = || vec![vec![1.5, 2.0], vec![3.0, 4.25], vec![5.0, 6.0]];
    let same = |text: &str| -> Case {
        let what: &'static str = Box::leak(format!("{text:?}").into_boxed_str());
        (what, text.as_bytes().to_vec(), plain, "a b", two())
    };
    let mut cases: Vec<Case> = [
        // separators
        "a,b\n1.5,2\n3,4.25\n5,6\n",
        "a;b\n1.5;2\n3;4.25\n5;6\n",
        "a\tb\n1.5\t2\n3\t4.25\n5\t6\n",
        "a|b\n1.5|2\n3|4.25\n5|6\n",
        "a b\n1.5 2\n3 4.25\n5 6\n",
        "  a      b\n1.5      2\n3     4.25\n 5      6  \n",
        "a \t b\n1.5\t 2\n3 4.25\n5  6\n",
        // decimal commas
        "a;b\n1,5;2\n3;4,25\n5;6\n",
        "a\tb\n1,5\t2\n3\t4,25\n5\t6\n",
        "a|b\n1,5|2\n3|4,25\n5|6\n",
        "a b\n1,5 2\n3 4,25\n5 6\n",
        "\"a\",\"b\"\n\"1,5\",\"2\"\n\"3\",\"4,25\"\n\"5\",\"6\"\n",
        // ends of lines
        "a,b\r1.5,2\r3,4.25\r5,6\r",
        "a,b\r\n1.5,2\r\n3,4.25\r\n5,6",
        "a,b\n\n1.5,2\n   \n3,4.25\n5,6\n\n\n",
        // what stands above
        "\u{feff}a,b\n1.5,2\n3,4.25\n5,6\n",
        "sep=,\na,b\n1.5,2\n3,4.25\n5,6\n",
        "\u{feff}sep=;\r\na;b\r\n1,5;2\r\n3;4,25\r\n5;6\r\n",
        "# by a logger, 2020\n# of channel 1\na,b\n1.5,2\n# a pause\n3,4.25\n5,6\n",
        "# a b\n1.5 2\n3 4.25\n5 6\n",
        "#a,b\n1.5,2\n3,4.25\n5,6\n",
        "Measurements of the north\n\na,b\n1.5,2\n3,4.25\n5,6\n",
        "a, b\n1.5, \"2\"\n3, 4.25\n\"5\", 6\n",
        "Report\nby: me\na;b\n1,5;2\n3;4,25\n5;6\n",
        "a,b\nm,kg\n1.5,2\n3,4.25\n5,6\n",
        "a,b\n(m),\n1.5,2\n3,4.25\n5,6\n",
        // empty cells at the ends
        "a,b,\n1.5,2,\n3,4.25,\n5,6,\n",
        "a,b\n1.5,2,\n3,4.25,\n5,6,\n",
        "a,b,,\n1.5,2,,\n3,4.25,,\n5,6,,\n,,,\n,,,\n",
        "a;b;;\n1,5;2;;\n3;4,25;;\n5;6;;\n;;;\n",
        "a,b,,\n1.5,2\n3,4.25\n5,6\n",
        // names and numbers of rows
        "\"a\" \"b\"\n\"1\" 1.5 2\n\"2\" 3 4.25\n\"3\" 5 6\n",
        "a,b\n\"one\",1.5,2\n\"two\",3,4.25\n\"three\",5,6\n",
        "\"\",\"a\",\"b\"\n\"1\",1.5,2\n\"2\",3,4.25\n\"3\",5,6\n",
        ",a,b\n0,1.5,2\n1,3,4.25\n2,5,6\n",
        ",a,b\nx,1.5,2\ny,3,4.25\nz,5,6\n",
        "Unnamed: 0,a,b\n0,1.5,2\n1,3,4.25\n2,5,6\n",
        "id,a,b\n17,1.5,2\n12,3,4.25\n19,5,6\n",
        "a,PassengerId,b\n1.5,17,2\n3,12,4.25\n5,19,6\n",
    ]
    .into_iter()
    .map(same)
    .collect();
    let text = "a;b\n1,5;2\n3;4,25\n5;6\n";
    cases.extend([
        (
            "UTF-16, little",
            [b"\xff\xfe", &*utf16(text, false)].concat(),
            plain as Set,
            "a b",
            two(),
        ),
        ("UTF-16, big", [b"\xfe\xff", &*utf16(text, true)].concat(), plain, "a b", two()),
        ("UTF-16 without a mark", utf16(text, false), plain, "a b", two()),
        (
            "UTF-16 with tabs",
            [b"\xff\xfe", &*utf16(&text.replace(';', "\t"), false)].concat(),
            plain,
            "a b",
            two(),
        ),
        ("Latin-1", b"H\xf6he;B\n1,5;2\n3;4,25\n5;6\n".to_vec(), plain, "Höhe B", two()),
        (
            "thousands between quotation marks",
            b"a,b\n\"1,234.5\",2\n\"12,345\",3\n".to_vec(),
            plain,
            "a b",
            vec![vec![1234.5, 2.0], vec![12345.0, 3.0]],
        ),
        (
            "thousands with points",
            b"a;b\n1.234,5;2\n12.345;3\n".to_vec(),
            plain,
            "a b",
            vec![vec![1234.5, 2.0], vec![12345.0, 3.0]],
        ),
        (
            "thousands with blanks and apostrophes",
            "a;b\n1 234,5;1'000\n12\u{a0}345;3\n".as_bytes().to_vec(),
            plain,
            "a b",
            vec![vec![1234.5, 1000.0], vec![12345.0, 3.0]],
        ),
        (
            "a comma that could be either, set by an option",
            b"a\tb\n1,234\t2\n".to_vec(),
            |options| options.decimal = Some(Decimal::Comma),
            "a b",
            vec![vec![1.234, 2.0]],
        ),
        (
            "a separator that only an option sets",
            b"a:b\n1:2\n".to_vec(),
            |options| options.separator = Some(':'),
            "a b",
            vec![vec![1.0, 2.0]],
        ),
        (
            "titles filled up by a spreadsheet",
            b"Export;;\nof: 1.1.2020;;\na;b;c\n1,0;2,5;3\n2,0;2,5;3\n1,5;2;4\n".to_vec(),
            plain,
            "a b c",
            vec![vec![1.0, 2.5, 3.0], vec![2.0, 2.5, 3.0], vec![1.5, 2.0, 4.0]],
        ),
        (
            "identifiers too long for f64",
            b"id,a\n1234567890123456789,1\n1234567890123456790,2\n".to_vec(),
            plain,
            "a",
            vec![vec![1.0], vec![2.0]],
        ),
        (
            "exponents of Fortran",
            b"a b\n1.5D+01 2\n0.3d0 4\n".to_vec(),
            plain,
            "a b",
            vec![vec![15.0, 2.0], vec![0.3, 4.0]],
        ),
    ]);
    check(cases);
}

#[test]
fn first_rows() {
    let numbers = || vec![vec![0.5, -1.0, 2.5], vec![1.5, 0.25, 0.0]];
    let below = "0.5,-1,2.5\n1.5,0.25,0\n";
    let with = |first: &str| format!("{first}\n{below}").into_bytes();
    let yes: Set = |options| options.header = Header::Yes;
    check(vec![
        ("0, 1, 2", with("0,1,2"), plain, "0 1 2", numbers()),
        ("years", with("2019,2020,2021"), plain, "2019 2020 2021", numbers()),
        (
            "years between quotation marks",
            with("\"2019\",\"2020\",\"2021\""),
            plain,
            "2019 2020 2021",
            numbers(),
        ),
        (
            "an index and 0, 1, 2",
            b",0,1,2\n0,0.5,-1,2.5\n1,1.5,0.25,0\n".to_vec(),
            plain,
            "0 1 2",
            numbers(),
        ),
        ("names set by an option", with("3,1,2"), yes, "3 1 2", numbers()),
        (
            "a sample set by an option",
            with("0,1,2"),
            |options| options.header = Header::No,
            "0 1 2",
            [vec![vec![0.0, 1.0, 2.0]], numbers()].concat(),
        ),
        (
            "a sample that looks like nothing else",
            b"7,3,5\n1,2,3\n".to_vec(),
            plain,
            "0 1 2",
            vec![vec![7.0, 3.0, 5.0], vec![1.0, 2.0, 3.0]],
        ),
        (
            "text above text is names unless it comes again",
            b"red,1\nblue,2\nred,3\nblue,4\n".to_vec(),
            plain,
            "0=blue 0=red 1",
            vec![
                vec![0.0, 1.0, 1.0],
                vec![1.0, 0.0, 2.0],
                vec![0.0, 1.0, 3.0],
                vec![1.0, 0.0, 4.0],
            ],
        ),
    ]);
    // Sixty rows below pandas' names.
    let row = |at: u32| format!("{},{},1.5,{}\n", f64::from(at) * 0.1 - 2.05, at % 7, at % 3);
    let text = "0,1,2,3\n".to_owned() + &(0..60).map(row).collect::<String>();
    assert_eq!(read(text.as_bytes(), None, plain).unwrap().len(), 60);
    // If it is unclear, the first row is a sample, with a note.
    let samples = read(b"0,1,2\n3,4,5\n", None, plain).unwrap();
    assert_eq!(samples.len(), 2);
    assert!(samples.table().unwrap().notes[0].contains("set `header` to yes if it has the names"));
}

#[test]
fn lines_are_counted_for_all_line_ends() {
    for end in ["\n", "\r", "\r\n"] {
        for (text, line) in [
            ("a,b\n1,2\n3,x\n5,6\n7,8\n", 3),
            ("a,b\n\n1,2\n\n3,x\n5,6\n7,8\n", 5),
            ("sep=,\na,b\n1,2\n3,x\n5,6\n", 4),
            ("# one\n# two\na,b\n1,2\n3,4\n3,x\n5,6\n", 6),
            ("a,\"b\nc\"\n1,2\n3,x\n5,6\n", 4),
        ] {
            let error =
                read(text.replace('\n', end).as_bytes(), None, plain).unwrap_err().to_string();
            let place = format!("table.csv, line {line}, column");
            assert!(error.contains(&place), "{text:?} {end:?}: {error}");
        }
    }
}

#[test]
fn missing_cells() {
    let tokens = [
        "", "NA", "N/A", "NaN", "nan", "null", "None", "?", "-", "#N/A", "NULL", "n/a", "#NA",
        "<NA>",
    ];
    for token in tokens {
        let text = format!("a,b\n1,10\n{token},20\n5,{token}\n3,30\n");
        let refuse: Set = |options| options.missing = Missing::Refuse;
        let error = read(text.as_bytes(), None, refuse).unwrap_err().to_string();
        assert!(error.contains("line 3, column `a`: expected a value"), "{error}");
        assert!(
            error.contains("2 cells are missing, 1 in `a` and 1 in `b`: set `missing`"),
            "{error}"
        );
        let drop: Set = |options| options.missing = Missing::Drop;
        let dropped = read(text.as_bytes(), None, drop).unwrap();
        assert_eq!([dropped.row(0), dropped.row(1)], [[1.0, 10.0], [3.0, 30.0]]);
        assert_eq!((dropped.len(), dropped.table().unwrap().dropped), (2, 2));
        let mean: Set = |options| options.missing = Missing::Mean;
        let filled = read(text.as_bytes(), None, mean).unwrap();
        assert_eq!([filled.row(1), filled.row(2)], [[3.0, 20.0], [5.0, 20.0]]);
        assert_eq!(
            (filled.missing(), filled.missing_in(1), filled.missing_in(0)),
            (2, vec![true, false], vec![false; 2])
        );
    }
    let extra: Set = |options| {
        options.missing = Missing::Drop;
        options.missing_as = vec!["-999".into(), "bad".into()];
    };
    assert_eq!(read(b"a,b\n1,2\n-999,3\n4,bad\n5,6\n", None, extra).unwrap().len(), 2);
    // A class may be called `-`; a row without one is left out.
    let drop: Set = |options| options.missing = Missing::Mean;
    let samples = read(b"a,class\n1,+\n2,-\n3,?\n4,\n", None, drop).unwrap();
    assert_eq!(
        (samples.len(), samples.labels().unwrap().names()),
        (2, &["+".to_owned(), "-".to_owned()][..])
    );
    // A class that only dropped rows have is not a class.
    let drop: Set = |options| options.missing = Missing::Drop;
    let samples = read(b"a,class\n1,x\n?,y\n3,z\n", None, drop).unwrap();
    assert_eq!(samples.labels().unwrap().names(), ["x", "z"]);
    assert_eq!(samples.labels().unwrap().classes(), [0, 1]);
}

#[test]
fn roles() {
    let text = "\
id,size,count,colour,flag,when,note,class,code
7,1.5,1,red,yes,2020-01-01,aa,x,1
8,2.5,2,blue,no,2020-01-02,bb,y,2
9,3.5,2,red,no,2020-01-03,cc,x,1
10,4.5,3,blue,yes,2020-01-04,dd,y,3
";
    let samples = read(text.as_bytes(), None, plain).unwrap();
    let day = 86_400.0;
    let first = 18_262.0 * day;
    assert_eq!(columns(&samples), "size count colour=blue colour=red flag when code");
    assert_eq!(samples.row(0), [1.5, 1.0, 0.0, 1.0, 1.0, first as f32, 1.0]);
    assert_eq!(
        samples.table().unwrap().to_string(),
        "9 columns: 3 numeric, 1 categorical, 1 boolean, 1 of dates, `id` and `note` left out (one \
         for each row), label `class` (2 classes); names in the first row"
    );
    let blocks = samples.table().unwrap().schema.blocks();
    assert_eq!((blocks.len(), blocks[0].features.clone()), (1, 2..4));

    let specified: Set = |options| {
        options.numeric = vec!["id".into()];
        options.categorical = vec!["code".into()];
        options.ignore = vec!["when".into(), "note".into()];
        options.id = vec!["count".into()];
    };
    let samples = read(text.as_bytes(), Some("colour"), specified).unwrap();
    assert_eq!(columns(&samples), "id size flag class=x class=y code=1 code=2 code=3");
    assert_eq!(samples.row(3), [10.0, 4.5, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(samples.labels().unwrap().names(), ["blue", "red"]);
}

#[test]
fn columns_are_matched_by_name_or_refused() {
    let known = read(b"a,b,c,d\n1,2,x,4\n5,6,y,8\n1,1,x,1\n3,3,y,3\n", None, plain).unwrap();
    let schema = known.table().unwrap().schema.clone();
    let with = |text: &str, unseen| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.csv");
        fs::write(&path, text).unwrap();
        let options =
            TableOptions { schema: Some(schema.clone()), unseen, ..TableOptions::default() };
        table::read_with(&path, None, &options)
    };
    let row = |text: &str| with(text, Unseen::Refuse).unwrap().row(0);
    assert_eq!(row("a,b,c,d\n1,2,y,4\n"), [1.0, 2.0, 0.0, 1.0, 4.0]);
    assert_eq!(row("d,c,b,a\n4,y,2,1\n"), [1.0, 2.0, 0.0, 1.0, 4.0]);
    assert_eq!(row("d,c,extra,b,a\n4,y,9,2,1\n"), [1.0, 2.0, 0.0, 1.0, 4.0]);
    assert_eq!(row("1,2,y,4\n"), [1.0, 2.0, 0.0, 1.0, 4.0]);
    let error = |text: &str| with(text, Unseen::Refuse).unwrap_err().to_string();
    assert!(
        error("d,a,b,x\n1,2,3,4\n")
            .ends_with("expected the columns of the model, with `c`, got `x` instead")
    );
    assert!(error("A,b,c,d\n1,2,x,4\n").contains("with `a`, got `A` instead"));
    assert!(error("a,b,c\n1,2,x\n").contains("with `d`, got none of this name"));
    let unseen = "a,b,c,d\n1,2,x,4\n1,2,z,4\n";
    assert!(
        error(unseen)
            .contains("line 3, column `c`: expected `x` or `y`, got `z`; set `unseen` to zero")
    );
    assert_eq!(with(unseen, Unseen::Zero).unwrap().row(1), [1.0, 2.0, 0.0, 0.0, 4.0]);
    assert!(error("1,2,x\n").contains("expected the 4 columns of the model, got 3 without names"));
}

/// An error for an ambiguous table, or for another format, says what to do.
#[test]
fn ambiguous_tables_and_other_formats_are_refused() {
    for (text, said) in [
        ("x\n1,5\n2,5\n", "set `separator` to ; if the comma is a decimal mark"),
        ("a\tb\n1,234\t2\n", "set `decimal` to point or comma"),
        ("a;b\n1,5;2.5\n", "set `decimal` to point or comma"),
        ("d,x\n01/02/2020,1\n03/04/2020,2\n", "set `month_first`, or list the column in `ignore`"),
        ("1,oops\n3,4\n5,6\n", "set `header` to yes, else to no"),
        ("[{\"a\":1}]\n", "JSON"),
        ("@relation x\n@data\n1,2\n", "ARFF"),
        ("name\nBob\nEve\n", "list columns in `categorical`"),
    ] {
        let error = read(text.as_bytes(), None, plain).unwrap_err().to_string();
        assert!(error.contains(said), "{text:?}: {error}");
    }
    let semicolon: Set = |options| options.separator = Some(';');
    assert_eq!(read(b"x\n1,5\n2,5\n", None, semicolon).unwrap().row(1), [2.5]);
    let wrong: Set = |options| options.ignore = vec!["y".into()];
    let error = read(b"x,z\n1,5\n", None, wrong).unwrap_err().to_string();
    assert!(
        error.ends_with("expected a column to ignore named `y`, got the columns `x`, `z`"),
        "{error}"
    );
    let samples = read(b"t\n1700000000000000001\n1700000000000000003\n", None, plain).unwrap();
    assert_eq!(
        samples.table().unwrap().notes,
        ["2 integers of `t` rounded, because they are above 2^53"]
    );
}
