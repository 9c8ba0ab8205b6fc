//! `ae impute` from the outside: what it writes, and what it refuses.

mod common;

use std::path::Path;

use common::{fail, succeed, text};

/// Options with which an imputation takes a second.
const QUICK: &str = "--models 2 --epochs 3 --device cpu";

/// A table in an unusual dialect: names, a column of identifiers, numbers with decimal commas, integers, words for
/// yes and no, categories with a quote and a separator, one column with no cell, and a label.
fn patients(folder: &Path) -> String {
    let mut table = "id;size;age;smoker;town;nothing;class\r\n".to_owned();
    for row in 0..60 {
        let gap = |at: usize, cell: String| match (row + at * 5) % 7 {
            0 => {
                if at.is_multiple_of(2) {
                    "?".to_owned()
                } else {
                    String::new()
                }
            }
            _ => cell,
        };
        let size = format!("{},{:02}", 150 + row % 30, row % 100);
        let town = ["\"Bad; Ems\"", "Köln", "Ulm"][row % 3];
        table += &format!(
            "{};{};{};{};{};;{}\r\n",
            1000 + row,
            gap(0, size),
            gap(1, (20 + row % 40).to_string()),
            gap(2, if row % 4 == 0 { "yes" } else { "no" }.to_owned()),
            gap(3, town.to_owned()),
            if row == 11 { "" } else { ["ill", "well"][row % 2] },
        );
    }
    std::fs::write(folder.join("patients.csv"), &table).unwrap();
    table
}

fn cells(table: &str) -> Vec<Vec<String>> {
    // Quoted cells have no separator but this one.
    let lines = table.lines().map(|line| line.replace("\"Bad; Ems\"", "\"Bad, Ems\""));
    lines.map(|line| line.split(';').map(str::to_owned).collect()).collect()
}

#[test]
fn a_table_is_filled_in_and_keeps_everything_else() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let before = patients(here);
    let output =
        common::ae(here, &format!("impute patients.csv --out complete.csv --draws 2 {QUICK}"));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for expected in [
        "patients.csv: 60 rows, 7 columns: 2 numeric, 3 categorical, `id` left out (one for each row), \
         `nothing` left out (empty)",
        "note: `class` is used and filled in like any other column; --ignore class leaves it out",
        "note: `nothing` has no known cell to learn from: its 60 missing cells stay empty",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let results = text(&output.stdout);
    for expected in
        ["autoencoder", "mean/mode", "kNN", "chained ridge", "NRMSE, numbers", "wrong categories"]
    {
        assert!(results.contains(expected), "{results}");
    }
    for file in ["complete.csv", "complete.draws/1.csv", "complete.draws/2.csv"] {
        let after = std::fs::read_to_string(here.join(file)).unwrap();
        assert_eq!(after.matches("\r\n").count(), 61);
        for (was, is) in cells(&before).iter().zip(cells(&after)) {
            for (column, (was, is)) in was.iter().zip(&is).enumerate() {
                if !(was.is_empty() || was == "?") || column == 5 {
                    assert_eq!(was, is, "{file}: a known cell");
                    continue;
                }
                let fits = match column {
                    1 => is.split_once(',').is_some_and(|(_, digits)| digits.len() == 2),
                    2 => is.parse::<u32>().is_ok_and(|age| (20..60).contains(&age)),
                    3 => ["yes", "no"].contains(&is.as_str()),
                    4 => ["\"Bad, Ems\"", "Köln", "Ulm"].contains(&is.as_str()),
                    _ => ["ill", "well"].contains(&is.as_str()),
                };
                assert!(fits, "{file}: column {column}: {is}");
            }
        }
    }
    let page = std::fs::read_to_string(here.join("complete.report.html")).unwrap();
    for expected in
        ["What was missing", "How good it is", "Column by column", "pooled over the draws"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"));

    // The complete table is complete.
    let message =
        fail(here, &format!("impute complete.csv --out again.csv --ignore nothing {QUICK}"));
    assert_eq!(
        message,
        "complete.csv: no cell is missing, so there is nothing to fill in; `--hide 0.1` instead of \
         `--out` hides some, to see how well they would be"
    );
    assert!(!here.join("again.csv").exists());
}

#[test]
fn new_rows_are_filled_in_by_what_was_learned() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    patients(here);
    succeed(here, &format!("impute patients.csv --out complete.csv {QUICK}"));
    // Other columns between, another order, a category that was not learned, a column that is new.
    let new = "class;town;more;size;smoker;age\nill;;x;160,50;yes;?\n;Ulm;y;;no;30\nwell;Rom;;150,00;;40\n";
    std::fs::write(here.join("new.csv"), new).unwrap();
    let line = "impute new.csv --model complete.imputer --out new-complete.csv --device cpu";
    let output = common::ae(here, line);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(
            "`town`: 1 cells have a category that was not learned; they stay as they are"
        ),
        "{said}"
    );
    assert!(
        said.contains(
            "`more` is not among the columns that were learned: its 1 missing cells stay empty"
        ),
        "{said}"
    );
    let after = std::fs::read_to_string(here.join("new-complete.csv")).unwrap();
    let rows = cells(&after);
    assert_eq!(rows[0], cells(new)[0]);
    assert!(rows[1][0] == "ill" && rows[1][2] == "x" && rows[1][3] == "160,50");
    assert!(["\"Bad, Ems\"", "Köln", "Ulm"].contains(&rows[1][1].as_str()), "{after}");
    assert!(rows[1][5].parse::<u32>().is_ok());
    assert_eq!(rows[3][1], "Rom");
    assert_eq!(rows[3][2], "");
    assert!(!here.join("new-complete.imputer").exists());

    std::fs::write(here.join("less.csv"), "town;size;age\nUlm;150,0;?\n").unwrap();
    let message = fail(here, "impute less.csv --model complete.imputer --out less-complete.csv");
    assert_eq!(
        message,
        "less.csv: expected the columns of the model, with `smoker` and `class`, got none of this name"
    );
    let message = fail(here, "impute new.csv --model patients.csv --out other.csv");
    assert!(message.starts_with("patients.csv: expected a safetensors file"), "{message}");
    for file in ["less-complete.csv", "other.csv"] {
        assert!(!here.join(file).exists());
    }
}

#[test]
fn json_has_what_the_text_has() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    patients(here);
    let line = format!("impute patients.csv --out complete.csv --draws 3 --json {QUICK}");
    let results: serde_json::Value = serde_json::from_str(&succeed(here, &line)).unwrap();
    assert_eq!(results["rows"], 60);
    assert_eq!(results["check"]["methods"].as_array().unwrap().len(), 4);
    let columns = results["columns"].as_array().unwrap();
    let filled: u64 = columns.iter().map(|column| column["filled"].as_u64().unwrap()).sum();
    assert_eq!(results["filled"], filled);
    let pooled = results["pooled"].as_array().unwrap();
    assert_eq!(pooled.len(), 2);
    assert!(pooled[0]["mean"]["total"].as_f64().unwrap() > 0.0);
    let files = results["files"].as_array().unwrap();
    assert!(files.iter().all(|file| here.join(file.as_str().unwrap()).is_file()));

    let line = format!("impute patients.csv --hide 0.2 --mechanism mar --json {QUICK}");
    let study: serde_json::Value = serde_json::from_str(&succeed(here, &line)).unwrap();
    assert_eq!((&study["mechanism"], &study["share"]), (&"mar".into(), &0.2.into()));
    assert!(study["cells"].as_u64().unwrap() > 10);
    let said = succeed(here, &format!("impute patients.csv --hide 0.2 --mechanism mnar {QUICK}"));
    assert!(said.contains("20 % of a column (MNAR)") && said.contains("chained ridge"), "{said}");
    assert_eq!(std::fs::read_dir(here).unwrap().count(), 5, "a study writes nothing");
}

#[test]
fn nothing_is_overwritten_and_no_input_is_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let before = patients(here);
    let refused = |line: &str| fail(here, &format!("impute patients.csv {line} {QUICK}"));
    assert_eq!(
        refused("--out ./patients.csv --force"),
        "./patients.csv: is read; write to another file"
    );
    assert_eq!(refused("--out none/complete.csv"), "none: no such folder; make it first");
    assert_eq!(refused("--out ."), ".: expected the name of a table, got a folder");
    assert_eq!(
        refused("--out complete.csv.gz"),
        "complete.csv.gz: tables are written as text; leave .gz out"
    );
    assert_eq!(
        refused("--out complete.imputer"),
        "complete.imputer: expected another name, this is that of another output"
    );
    for taken in ["complete.csv", "complete.report.html", "complete.imputer"] {
        std::fs::write(here.join(taken), "mine").unwrap();
        assert_eq!(
            refused("--out complete.csv"),
            format!("{taken}: exists; give another --out, or --force to replace it")
        );
        assert_eq!(std::fs::read_to_string(here.join(taken)).unwrap(), "mine");
        std::fs::remove_file(here.join(taken)).unwrap();
    }
    std::fs::write(here.join("complete.csv"), "mine").unwrap();
    succeed(here, &format!("impute patients.csv --out complete.csv --force {QUICK}"));
    assert_ne!(std::fs::read_to_string(here.join("complete.csv")).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(here.join("patients.csv")).unwrap(), before);
}

#[test]
fn tables_that_cannot_be_filled_in_are_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let refused = |table: &str, options: &str| {
        std::fs::write(here.join("t.csv"), table).unwrap();
        let message =
            fail(here, &format!("impute t.csv --out complete.csv {options} --device cpu"));
        assert_eq!(std::fs::read_dir(here).unwrap().count(), 1, "{message}");
        message
    };
    assert_eq!(refused("a,b\n1,2\n3,?\n", ""), "rows: expected at least 10, got 2");
    let rows: String = (0..20).map(|i| format!("{i}.5,x{i}\n")).collect();
    assert_eq!(
        refused(&format!("a,b\n?,y\n{rows}"), ""),
        "columns: expected at least 2, so that one says something of another, got 1"
    );
    let rows: String = (0..20).map(|i| format!("{i}.5,{}\n", i % 3)).collect();
    let table = format!("a,b\n?,1\n{rows}");
    // Options of tables that say what is to be done instead.
    for option in ["--missing drop", "--unseen zero"] {
        let output = common::ae(here, &format!("impute t.csv --out complete.csv {option}"));
        assert!(text(&output.stderr).contains("unexpected argument"), "{option}");
    }
    assert_eq!(refused(&table, "--models 0"), "models: expected at least 1, got 0");
    assert!(
        refused(&table, "--ignore c").starts_with("t.csv: expected a column to ignore named `c`")
    );
    std::fs::write(here.join("t.csv"), &table).unwrap();
    for (share, got) in [("0", "0"), ("1.5", "1.5")] {
        assert_eq!(
            fail(here, &format!("impute t.csv --hide {share} --device cpu")),
            format!("share of hidden cells: expected a number in (0, 1), got {got}")
        );
    }
    assert!(fail(here, "impute none.csv --out complete.csv").starts_with("none.csv: "));
}

/// A text column with a text for each row is named and stays as it is.
#[test]
fn texts_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String = (0..40)
        .map(|i| match i % 8 {
            0 => format!("{i},,word {i}\n"),
            3 => format!("{i},{},\n", 2 * i),
            _ => format!("{i},{},word {i}\n", 2 * i),
        })
        .collect();
    std::fs::write(here.join("t.csv"), format!("a,b,remark\n{rows}")).unwrap();
    let output = common::ae(here, &format!("impute t.csv --out complete.csv {QUICK}"));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("note: `remark` ") && said.contains("5 missing cells stay empty"),
        "{said}"
    );
    let after = std::fs::read_to_string(here.join("complete.csv")).unwrap();
    assert_eq!(after.lines().filter(|line| line.ends_with(',')).count(), 5);
    assert!(after.contains("\n16,") && after.contains(",word 16\n"));
}
