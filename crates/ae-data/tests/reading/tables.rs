//! Tables.

use std::path::Path;

use ae_data::Options;
use ae_data::table::{self, Decimal, Header, Missing, TableOptions, Unseen};

use super::{Row, Section, file};

pub const SECTION: Section = (
    "Tables",
    "`.csv`, `.tsv`, `.tab`, `.psv`, `.txt`, `.dat`, `.data`, and the same as `.gz`; sparse tables as \
     `.svmlight`, `.libsvm`, `.svm`.",
    ROWS,
);

fn csv(folder: &Path, text: impl AsRef<[u8]>) -> (&'static str, Options) {
    file(folder, "table.csv", text)
}

fn with(folder: &Path, text: impl AsRef<[u8]>, table: TableOptions) -> (&'static str, Options) {
    (csv(folder, text).0, Options { table, ..Options::default() })
}

/// 60 rows of four numbers with one decimal, the first of them `first`.
fn numbers(first: &str, separator: &str, decimal: &str) -> String {
    let cell = |row: usize, column: usize| {
        format!("{}{decimal}{}", (row * 7 + column * column * 11 + row * column) % 40, row % 10)
    };
    let line = |row| (0..4).map(|column| cell(row, column)).collect::<Vec<_>>().join(separator);
    let rows = (0..60).map(|row| line(row) + "\n").collect::<String>();
    format!("{first}{rows}")
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}"
        .chars()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// Opens a table with the columns of a model that was trained on another.
fn at_use(folder: &Path, trained: &str, text: &str, unseen: Unseen) -> (&'static str, Options) {
    std::fs::write(folder.join("trained.csv"), trained).unwrap();
    let schema =
        table::read(&folder.join("trained.csv"), None).unwrap().table().unwrap().schema.clone();
    with(folder, text, TableOptions { schema: Some(schema), unseen, ..TableOptions::default() })
}

const TRAINED: &str = "a,b,c,d\n1,2,3.5,4\n5,6,7,8\n9,1,2,3\n";

const ROWS: &[Row] = &[
    (
        "comma, with names",
        |dir| csv(dir, "a,b\n1,2\n3,4\n"),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features a, b",
    ),
    (
        "semicolon and decimal comma",
        |dir| csv(dir, numbers("a;b;c;d\n", ";", ",")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d",
    ),
    (
        "tab",
        |dir| csv(dir, numbers("a\tb\tc\td\n", "\t", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d",
    ),
    (
        "`|`",
        |dir| csv(dir, numbers("a|b|c|d\n", "|", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d",
    ),
    (
        "runs of blanks",
        |dir| csv(dir, numbers("  a   b c d\n", "   ", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d",
    ),
    (
        "a line `sep=;` as Excel writes it",
        |dir| csv(dir, numbers("sep=;\na;b;c;d\n", ";", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d",
    ),
    (
        "a title and an empty line above the table",
        |dir| csv(dir, numbers("Measured in May\n\na,b,c,d\n", ",", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d",
    ),
    (
        "comments",
        |dir| csv(dir, numbers("# made by hand\na,b,c,d\n# here\n", ",", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features a, b, c, d. Warning: table.csv: 1 comment left out",
    ),
    (
        "a row of units",
        |dir| csv(dir, numbers("t,p,v,u\ns,Pa,m/s,K\n", ",", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features t, p, v, u. Warning: table.csv: the second row left out, because it has units",
    ),
    (
        "UTF-16",
        |dir| csv(dir, utf16("höhe,b\n1,2\n3,4\n")),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features höhe, b",
    ),
    (
        "a byte order mark",
        |dir| csv(dir, "\u{feff}a,b\n1,2\n3,4\n"),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features a, b",
    ),
    (
        "Windows-1252",
        |dir| csv(dir, b"h\xf6he,b\n1,2\n3,4\n"),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features höhe, b. Warning: table.csv: 1 row read as Windows-1252, because they are not UTF-8",
    ),
    (
        "CR line ends of old Macs",
        |dir| csv(dir, "a,b\r1,2\r3,4\r"),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features a, b",
    ),
    (
        "empty last columns and rows",
        |dir| csv(dir, "a,b,,\n1,2,,\n3,4,,\n,,,\n,,,\n"),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features a, b. Warning: table.csv: 2 rows of empty cells left out",
    ),
    (
        "thousands",
        |dir| csv(dir, "a;b\n1,234.5;2\n2,345.5;4\n"),
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1234.5, 2; features a, b",
    ),
    (
        "a decimal comma that may be thousands",
        |dir| csv(dir, "a\tb\n1,234\t2\n2,345\t4\n"),
        "refused: table.csv: expected numbers with one decimal mark, got `1,234` between a tab; set `decimal` to point or comma",
    ),
    (
        "the same with an option",
        |dir| {
            with(
                dir,
                "a\tb\n1,234\t2\n2,345\t4\n",
                TableOptions { decimal: Some(Decimal::Comma), ..TableOptions::default() },
            )
        },
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1.234, 2; features a, b",
    ),
    (
        "names 0, 1, 2, 3 as pandas writes them",
        |dir| csv(dir, numbers("0,1,2,3\n", ",", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features 0, 1, 2, 3",
    ),
    (
        "years as names",
        |dir| csv(dir, numbers("2019,2020,2021,2022\n", ",", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; names in the first row; 40 different rows once standardised; features 2019, 2020, 2021, 2022",
    ),
    (
        "numbers of rows in a column without a name, as pandas writes them",
        |dir| {
            csv(
                dir,
                format!(
                    ",a,b\n{}",
                    (0..60)
                        .map(|row| format!("{row},{},{}.5\n", row % 7, row % 5))
                        .collect::<String>()
                ),
            )
        },
        "60 samples of 2 columns: 3 columns: 2 numeric, `0` left out (one for each row); names in the first row; 35 different rows once standardised; features a, b",
    ),
    (
        "names of rows, as R writes them",
        |dir| csv(dir, "\"a\",\"b\"\n\"r1\",1,2\n\"r2\",3,4\n\"r3\",5,7\n"),
        "3 samples of 2 columns: 3 columns: 2 numeric, `0` left out (one for each row); names in the first row; the first is 1, 2; features a, b",
    ),
    (
        "no names",
        |dir| csv(dir, numbers("", ",", ".")),
        "60 samples of 4 columns: 4 columns: 4 numeric; no names, the first row is a sample; 40 different rows once standardised; features 0, 1, 2, 3",
    ),
    (
        "names of numbers, said by an option",
        |dir| {
            with(
                dir,
                "5,7\n1,2\n3,4\n",
                TableOptions { header: Header::Yes, ..TableOptions::default() },
            )
        },
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features 5, 7",
    ),
    (
        "an identifier, categories, booleans, dates and a label",
        |dir| {
            csv(
                dir,
                format!(
                    "id,size,colour,sold,day,class\n{}",
                    (0..60)
                        .map(|row| format!(
                            "{},{}.5,{},{},2020-01-{:02},{}\n",
                            900 + row,
                            row % 9,
                            ["red", "blue"][row % 2],
                            ["yes", "no"][row % 2],
                            1 + row % 28,
                            ["a", "b", "c"][row % 3]
                        ))
                        .collect::<String>()
                ),
            )
        },
        "60 samples of 5 columns: 6 columns: 1 numeric, 1 categorical, 1 boolean, 1 of dates, `id` left out (one for each row), label `class` (3 classes); names in the first row; 60 different rows once standardised; features size, colour=blue, colour=red, sold, day",
    ),
    (
        "a continuous `target`",
        |dir| {
            csv(
                dir,
                format!(
                    "a,target\n{}",
                    (0..60).map(|row| format!("{},{row}.5\n", row % 7)).collect::<String>()
                ),
            )
        },
        "60 samples of 1 columns: 2 columns: 1 numeric, label `target` (60 classes); names in the first row; 7 different rows once standardised; features a",
    ),
    (
        "times in seconds, of which f32 has 6 digits too few",
        |dir| {
            csv(
                dir,
                format!(
                    "t,a\n{}",
                    (0..100)
                        .map(|row| format!(
                            "{},{}\n",
                            1_700_000_000 + row,
                            (f64::from(row) / 9.0).sin()
                        ))
                        .collect::<String>()
                ),
            )
        },
        "100 samples of 2 columns: 2 columns: 2 numeric; names in the first row; 100 different rows once standardised; features t, a",
    ),
    (
        "missing cells",
        |dir| csv(dir, "a,b,c\n1,?,x\nNA,2,y\n3,,x\n-,4,\n5,#N/A,y\n6,7,x\n8,9,y\n"),
        "7 samples of 4 columns: 3 columns: 2 numeric, 1 categorical; 6 cells missing; names in the first row; the first is 1, 5.5, 1, 0; features a, b, c=x, c=y",
    ),
    (
        "missing cells, their rows dropped",
        |dir| {
            with(
                dir,
                "a,b\n1,?\nNA,2\n3,5\n4,6\n",
                TableOptions { missing: Missing::Drop, ..TableOptions::default() },
            )
        },
        "2 samples of 2 columns: 2 columns: 2 numeric; 2 cells missing; 2 rows left out; names in the first row; the first is 3, 5; features a, b",
    ),
    (
        "missing cells, refused",
        |dir| {
            with(
                dir,
                "a,b\n1,?\nNA,2\n3,5\n4,6\n",
                TableOptions { missing: Missing::Refuse, ..TableOptions::default() },
            )
        },
        "refused: table.csv, line 2, column `b`: expected a value, got `?`; 2 cells are missing, 1 in `a` and 1 in `b`: set `missing` to drop to leave out such rows or to mean to fill them, or list columns in `ignore`",
    ),
    (
        "-999 for missing cells",
        |dir| {
            with(
                dir,
                "a,b\n1,-999\n-999,2\n3,5\n4,6\n",
                TableOptions { missing_as: vec!["-999".into()], ..TableOptions::default() },
            )
        },
        "4 samples of 2 columns: 2 columns: 2 numeric; 2 cells missing; names in the first row; the first is 1, 4.3333335; features a, b",
    ),
    (
        "a text among numbers",
        |dir| csv(dir, numbers("a,b,c,d\n", ",", ".") + "1,2,tall,4\n"),
        "refused: table.csv, line 62, column `c`: expected a number, got `tall`",
    ),
    (
        "a row of another length",
        |dir| csv(dir, numbers("a,b,c,d\n", ",", ".") + "1,2,3\n"),
        "refused: table.csv, line 62: expected 4 cells as in the first row, got 3",
    ),
    (
        "texts that are all different",
        |dir| {
            csv(
                dir,
                format!(
                    "a,comment\n{}",
                    (0..60).map(|row| format!("{},said {row}\n", row % 7)).collect::<String>()
                ),
            )
        },
        "60 samples of 1 columns: 2 columns: 1 numeric, `comment` left out (one for each row); names in the first row; 7 different rows once standardised; features a",
    ),
    (
        "only texts",
        |dir| {
            csv(
                dir,
                format!(
                    "comment\n{}",
                    (0..60).map(|row| format!("said{row}\n")).collect::<String>()
                ),
            )
        },
        "refused: table.csv: expected at least one column of numbers, got none; list columns in `categorical` or `numeric`",
    ),
    (
        "columns of the model in another order, and others",
        |dir| at_use(dir, TRAINED, "d,x,a,c,b\n4,0,1,3.5,2\n8,0,5,7,6\n", Unseen::Refuse),
        "2 samples of 4 columns: 4 columns: 4 numeric; names in the first row; the first is 1, 2, 3.5, 4; features a, b, c, d. Warning: table.csv: `x` left out: the model does not know it",
    ),
    (
        "columns of other names than the model's",
        |dir| at_use(dir, TRAINED, "d,a,b,x\n4,1,2,3\n5,6,7,8\n", Unseen::Refuse),
        "refused: table.csv: expected the columns of the model, with `c`, got `x` instead",
    ),
    (
        "no names, and as many columns as the model has",
        |dir| at_use(dir, TRAINED, "1,2,3.5,4\n5,6,7,8\n", Unseen::Refuse),
        "2 samples of 4 columns: 4 columns: 4 numeric; no names, the first row is a sample; the first is 1, 2, 3.5, 4; features a, b, c, d",
    ),
    (
        "a category that the model does not know",
        |dir| {
            at_use(
                dir,
                "a,colour\n1,red\n2,blue\n3,red\n4,blue\n",
                "a,colour\n1,green\n2,red\n",
                Unseen::Refuse,
            )
        },
        "refused: table.csv, line 2, column `colour`: expected `blue` or `red`, got `green`; set `unseen` to zero to read unknown categories as none",
    ),
    (
        "the same, read as none",
        |dir| {
            at_use(
                dir,
                "a,colour\n1,red\n2,blue\n3,red\n4,blue\n",
                "a,colour\n1,green\n2,red\n",
                Unseen::Zero,
            )
        },
        "2 samples of 3 columns: 2 columns: 1 numeric, 1 categorical; names in the first row; the first is 1, 0, 0; features a, colour=blue, colour=red",
    ),
    (
        "the class 1 against the rest, of classes 1, 2, 3",
        |dir| {
            let text = (1..=60).map(|row| format!("{row}.5,{}\n", row % 3 + 1)).collect::<String>();
            let (name, options) = csv(dir, format!("a,class\n{text}"));
            (name, Options { normal: Some("1".into()), ..options })
        },
        "60 samples of 1 columns: 2 columns: 1 numeric, label `class` (3 classes); names in the first row; 20 to train on, the first [3.5]; 60 different rows once standardised; features a",
    ),
    (
        "the class 0 against the rest, of classes 1, 2, 3",
        |dir| {
            let text = (1..=60).map(|row| format!("{row}.5,{}\n", row % 3 + 1)).collect::<String>();
            let (name, options) = csv(dir, format!("a,class\n{text}"));
            (name, Options { normal: Some("0".into()), ..options })
        },
        "refused: normal class of table.csv: expected 1, 2 or 3, got `0`",
    ),
    (
        "one row",
        |dir| csv(dir, "a,b\n1,2\n"),
        "refused: samples of table.csv: expected at least 2, one to train on and one to hold out as the test set, got 1",
    ),
    (
        "rows that are all equal",
        |dir| csv(dir, "a,b\n1,2\n1,2\n1,2\n1,2\n"),
        "4 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features a, b. Warning: table.csv: all 3 training samples are equal, so there is nothing to learn; look at how they are read",
    ),
    (
        "only names",
        |dir| csv(dir, "a,b\n"),
        "refused: table.csv: expected at least one row of numbers, got only a header",
    ),
    (
        "an empty file",
        |dir| csv(dir, ""),
        "refused: table.csv: expected at least one row of numbers, got an empty file",
    ),
    (
        "a spreadsheet with the name of a table",
        |dir| csv(dir, b"PK\x03\x04 and more"),
        "refused: table.csv: expected a table as text, got a spreadsheet (.xlsx, .ods) or another zip; save it as CSV",
    ),
    (
        "a Parquet file with the name of a table",
        |dir| csv(dir, b"PAR1 and more"),
        "refused: table.csv: expected a table as text, got a Parquet file; name it .parquet, or save it as CSV",
    ),
    (
        "a web page with the name of a table",
        |dir| csv(dir, "<!DOCTYPE html><html>Sign in</html>"),
        "refused: table.csv: expected a table as text, got a web page or XML; download the file itself",
    ),
    (
        "JSON with the name of a table",
        |dir| csv(dir, "[{\"a\": 1}, {\"a\": 2}]"),
        "refused: table.csv: expected a table as text, got JSON; save it as CSV (pandas: `read_json`, then `to_csv`)",
    ),
    (
        "a pointer of Git LFS",
        |dir| csv(dir, "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
        "refused: table.csv: expected a table as text, got a pointer of Git LFS; fetch the file itself (git lfs pull)",
    ),
    (
        "gzip with zeros behind it",
        |dir| {
            use std::io::Write;
            let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            encoder.write_all(b"a,b\n1,2\n3,4\n").unwrap();
            file(dir, "table.csv.gz", [encoder.finish().unwrap(), vec![0; 512]].concat())
        },
        "2 samples of 2 columns: 2 columns: 2 numeric; names in the first row; the first is 1, 2; features a, b",
    ),
    (
        "libsvm, counting from 1",
        |dir| file(dir, "table.libsvm", "+1 1:0.5 3:2 # first\n-1 2:1\n"),
        "2 samples of 3 columns: 4 columns: 3 numeric, label `label` (2 classes); named by their indices; the first is 0.5, 0, 2; features 1, 2, 3",
    ),
    (
        "svmlight, counting from 0, with `qid` and labels of fractions",
        |dir| file(dir, "table.svmlight", "0.5 qid:1 0:1\n1.5 qid:1 2:3\n"),
        "2 samples of 3 columns: 3 columns: 3 numeric; named by their indices; the first is 1, 0, 0; features 0, 1, 2. Warning: table.svmlight: the labels are left out: `0.5` is no class",
    ),
    (
        "a sparse table that is too large when it is dense",
        |dir| file(dir, "table.svm", "1 1000000:1\n".repeat(100)),
        "refused: table.svm: expected at most 8424608 numbers as a dense table, got 100 rows of 1000000 columns; keep fewer columns (scikit-learn: `TruncatedSVD`, `SelectKBest`) and save them with `numpy.save`",
    ),
];
