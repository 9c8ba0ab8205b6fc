//! What is read, what is refused, and what is said: a table of inputs as people have them.
//!
//! Each row writes an input into an empty folder and opens it as the program does. Its result is what was
//! read, with all warnings, or the text of the error. `docs/src/what-is-read.md` is made from this table:
//! `AE_WRITE_DOCS=1 cargo test -p ae-data --test reading` writes it.
#![cfg(feature = "images")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ae_data::{DataDirs, Method, Options, Preprocessing, Shape, open_unsplit};
use warnings::collect;

#[path = "reading/arrays.rs"]
mod arrays;
#[path = "reading/folders.rs"]
mod folders;
#[path = "reading/pictures.rs"]
mod pictures;
#[path = "reading/tables.rs"]
mod tables;
#[path = "reading/warnings.rs"]
mod warnings;

/// An input in words, a function that writes it into a folder and returns its name there and the options
/// to open it with, and the result.
type Row = (&'static str, fn(&Path) -> (&'static str, Options), &'static str);

/// A section of the page: its title, a sentence, and its rows.
type Section = (&'static str, &'static str, &'static [Row]);

const SECTIONS: [Section; 4] =
    [tables::SECTION, arrays::SECTION, pictures::SECTION, folders::SECTION];

/// Writes a file.
fn file(folder: &Path, name: &'static str, bytes: impl AsRef<[u8]>) -> (&'static str, Options) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    (name, Options::default())
}

/// The result of opening an input.
fn outcome(make: fn(&Path) -> (&'static str, Options)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (name, options) = make(folder.path());
    let dirs = DataDirs { download: false, ..options.dirs.clone() };
    let options = Options { dirs, ..options };
    let source = folder.path().join(name).display().to_string();
    let (opened, warnings) = collect(|| {
        let whole = open_unsplit(&source, &options, &mut |_| ());
        // Whatever needs two sets is found out when they are made.
        let split = whole.as_ref().ok().map(|whole| whole.clone().split(&options));
        match split {
            Some(Err(error)) => Err(error),
            _ => whole,
        }
    });
    let mut text = match opened {
        Err(error) => format!("refused: {error}"),
        Ok(whole) => {
            let samples = &whole.samples;
            let mut text = format!("{} samples of {}", samples.len(), samples.shape());
            if let Some(test) = &whole.test {
                write!(text, ", {} to test", test.len()).unwrap();
            }
            match (samples.table(), samples.labels()) {
                (Some(table), _) => write!(text, ": {table}").unwrap(),
                (None, Some(labels)) => {
                    write!(text, ", classes {}", labels.names().join(", ")).unwrap();
                }
                (None, None) => {}
            }
            let row = samples.row(0);
            if row.len() <= 6 && (samples.table().is_none() || samples.len() < 9) {
                let shown: Vec<String> = row.iter().map(|value| value.to_string()).collect();
                write!(text, "; the first is {}", shown.join(", ")).unwrap();
            }
            if options.normal.is_some() {
                let kept = whole.clone().split(&options).unwrap().splits.training;
                write!(text, "; {} to train on, the first {:?}", kept.len(), kept.row(0)).unwrap();
            }
            if samples.table().is_some() && samples.len() > 8 {
                let fitted = Preprocessing::fit(Method::Standardize, samples).unwrap();
                let seen = samples.clone().with_preprocessing(fitted).unwrap();
                let rows = (0..seen.len()).map(|row| format!("{:?}", seen.row(row)));
                let different: std::collections::HashSet<String> = rows.collect();
                write!(text, "; {} different rows once standardised", different.len()).unwrap();
            }
            if let Shape::Table { columns } = samples.shape()
                && columns.len() <= 6
            {
                write!(text, "; features {}", columns.join(", ")).unwrap();
            }
            text
        }
    };
    for warning in warnings {
        write!(text, ". Warning: {warning}").unwrap();
    }
    let root = folder.path().display().to_string();
    for inside in [format!("{root}/./"), format!("{root}/.:"), format!("{root}/"), root] {
        text = text.replace(&inside, if inside.ends_with(':') { "the folder:" } else { "" });
    }
    text.replace("samples of .: ", "samples of the folder: ")
}

#[test]
fn every_input_has_its_result() {
    let mut wrong = vec![];
    for (_, _, rows) in SECTIONS {
        for (input, make, right) in rows {
            let got = outcome(*make);
            if got != *right {
                wrong.push(format!("{input}\n  right: {right}\n  got:   {got}"));
            }
        }
    }
    if let Ok(path) = std::env::var("AE_RESULTS") {
        let rows = SECTIONS.iter().flat_map(|(_, _, rows)| rows.iter());
        let all: String =
            rows.map(|(input, make, _)| format!("{input}\t{}\n", outcome(*make))).collect();
        fs::write(path, all).unwrap();
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

fn page() -> String {
    let mut page = "# What is read\n\n\
        What the program makes of files and folders as people have them: what is read, what is refused, \
        and how to go on. This page is made from a table of tests (`crates/ae-data/tests/reading`), so each \
        line is true of this version. Names of options are those of the library; the program's are in \
        [Your own data](your-own-data.md): `missing` is `--missing`, `resize` is `--resize`, `channels` is \
        `--color`, `header` is `--header`.\n"
        .to_owned();
    for (title, sentence, rows) in SECTIONS {
        write!(page, "\n## {title}\n\n{sentence}\n\n| input | result |\n|---|---|\n").unwrap();
        for (input, _, result) in rows {
            let cell = |text: &str| {
                let text = text.replace('|', "\\|").replace('<', "&lt;").replace('\u{fffd}', "?");
                text.replace('\n', " ")
            };
            writeln!(page, "| {} | {} |", cell(input), cell(result)).unwrap();
        }
    }
    page + "\nParquet, Arrow and data sets of Hugging Face on the disk are read by a program that is built with \
        the feature `arrow` ([Your own data](your-own-data.md)); HDF5, spreadsheets, JSON and databases are not. \
        Save them as CSV, or with `numpy.save` (pandas: `to_csv`)."
}

#[test]
fn the_page_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/what-is-read.md");
    let Some(true) = path.parent().map(Path::exists) else { return };
    if std::env::var_os("AE_WRITE_DOCS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/src/what-is-read.md is not the table's; run AE_WRITE_DOCS=1 cargo test -p ae-data --test reading"
    );
}
