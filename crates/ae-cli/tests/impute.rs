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
        "complete.csv: nothing to fill in, as no cell of the columns in use is missing; `--hide 0.1` instead \
         of `--out` hides some known cells and shows how well they would be filled in"
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
        said.contains("`town`: 1 cell has a category that was not learned; it stays as it is"),
        "{said}"
    );
    assert!(
        said.contains(
            "`more` is not among the columns that were learned: its 1 missing cell stays empty"
        ),
        "{said}"
    );
    let after = std::fs::read_to_string(here.join("new-complete.csv")).unwrap();
    let rows = cells(&after);
    assert_eq!(rows[0], cells(new)[0]);
    assert!(rows[1][0] == "ill" && rows[1][2] == "x" && rows[1][3] == "160,50");
    assert!(["\"Bad, Ems\"", "Köln", "Ulm"].contains(&rows[1][1].as_str()), "{after}");
    assert!(rows[1][5].parse::<u32>().is_ok());
    // The figures are not those of this table.
    let results = text(&output.stdout);
    assert!(
        results.starts_with("5 cells filled in by complete.imputer. On ")
            && results.contains(" cells of the table it was fitted to that were held back:"),
        "{results}"
    );
    let page = std::fs::read_to_string(here.join("new-complete.report.html")).unwrap();
    assert!(
        page.contains(
            "They are cells of the table that complete.imputer was fitted to, not of this one."
        ),
        "{page}"
    );
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
    assert_eq!((&results["model"], &results["check_of"]), (&().into(), &"this table".into()));
    let methods = results["check"]["methods"].as_array().unwrap();
    let names: Vec<&str> = methods.iter().map(|it| it["method"].as_str().unwrap()).collect();
    assert_eq!(names, ["autoencoder", "mean/mode", "kNN", "chained ridge"]);
    // Every seventh cell of 60 x 4 is missing, and a tenth of the others was held back.
    let held_back = results["check"]["cells"].as_u64().unwrap();
    assert!((10..45).contains(&held_back), "{held_back}");
    for method in methods {
        let [nrmse, pfc] = ["nrmse", "pfc"].map(|key| method[key].as_f64().unwrap());
        assert!(nrmse > 0.0 && nrmse < 3.0 && (0.0..=1.0).contains(&pfc), "{method}");
    }
    let columns = results["columns"].as_array().unwrap();
    let filled: u64 = columns.iter().map(|column| column["filled"].as_u64().unwrap()).sum();
    assert_eq!(results["filled"], filled);
    let pooled = results["pooled"].as_array().unwrap();
    assert_eq!(pooled.len(), 2);
    for pooled in pooled {
        let of = |key: &str| pooled["mean"][key].as_f64().unwrap();
        let total = of("within") + 4.0 / 3.0 * of("between");
        assert!((of("total") - total).abs() < 1e-9 * total && of("within") > 0.0, "{pooled}");
        // At most the 59 of the mean of a complete column.
        assert!(of("degrees") < 59.0 && of("missing_information") > of("missing_variance"));
        let [low, high] = [0, 1].map(|at| pooled["interval"][at].as_f64().unwrap());
        assert!(low < of("estimate") && of("estimate") < high, "{pooled}");
    }
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
    std::fs::create_dir(here.join("complete.draws")).unwrap();
    for taken in
        ["complete.csv", "complete.report.html", "complete.imputer", "complete.draws/2.csv"]
    {
        std::fs::write(here.join(taken), "mine").unwrap();
        // A device that is not there is not even looked for.
        assert_eq!(
            fail(here, "impute patients.csv --out complete.csv --draws 2 --device none"),
            format!("{taken}: exists; give another name, or --force to replace it")
        );
        assert_eq!(std::fs::read_to_string(here.join(taken)).unwrap(), "mine");
        std::fs::remove_file(here.join(taken)).unwrap();
        std::fs::create_dir(here.join(taken)).unwrap();
        let message = match taken {
            "complete.csv" => "complete.csv: expected the name of a table, got a folder".to_owned(),
            _ => format!("{taken}: is a folder; give another name"),
        };
        assert_eq!(refused("--out complete.csv --draws 2 --force"), message);
        std::fs::remove_dir(here.join(taken)).unwrap();
    }
    std::fs::remove_dir(here.join("complete.draws")).unwrap();
    std::fs::write(here.join("complete.draws"), "mine").unwrap();
    assert_eq!(
        refused("--out complete.csv --draws 2 --force"),
        "complete.draws: expected a folder, got a file; give another --out"
    );
    std::fs::remove_file(here.join("complete.draws")).unwrap();
    assert_eq!(refused("--out complete.csv --draws 1001"), "--draws: expected 0 to 1000, got 1001");
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
    assert_eq!(refused("a,b\n1,2\n3,?\n", ""), "t.csv: rows: expected at least 10, got 2");
    let rows: String = (0..20).map(|i| format!("{i}.5,x{i}\n")).collect();
    assert_eq!(
        refused(&format!("a,b\n?,y\n{rows}"), ""),
        "t.csv: columns: expected at least 2, to predict one from another, got 1"
    );
    let rows: String = (0..20).map(|i| format!("{i}.5,{}\n", i % 3)).collect();
    let table = format!("a,b\n?,1\n{rows}");
    // Options of tables that say what is to be done instead.
    for option in ["--missing drop", "--unseen zero"] {
        let output = common::ae(here, &format!("impute t.csv --out complete.csv {option}"));
        assert!(text(&output.stderr).contains("unexpected argument"), "{option}");
    }
    assert_eq!(refused(&table, "--models 0"), "models: expected 1 to 1000, got 0");
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

/// Draws of an earlier run are never left among those of another one without a word.
#[test]
fn draws_of_two_runs_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    patients(here);
    succeed(here, &format!("impute patients.csv --out complete.csv --draws 4 {QUICK}"));
    let draws = || {
        let entries = std::fs::read_dir(here.join("complete.draws")).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(draws(), ["1.csv", "2.csv", "3.csv", "4.csv"]);
    let first = std::fs::read(here.join("complete.draws/1.csv")).unwrap();
    for file in ["complete.csv", "complete.imputer", "complete.report.html"] {
        std::fs::remove_file(here.join(file)).unwrap();
    }
    // Without draws, or with as many as exist or more, those of the earlier run are in the way.
    for (count, stale) in [(0, "1.csv"), (2, "1.csv"), (4, "1.csv"), (5, "1.csv")] {
        let line = format!("impute patients.csv --out complete.csv --draws {count} {QUICK}");
        let message = fail(here, &line);
        assert!(message.starts_with(&format!("complete.draws/{stale}: ")), "{message}");
    }
    for name in ["1.csv", "2.csv"] {
        std::fs::remove_file(here.join("complete.draws").join(name)).unwrap();
    }
    assert_eq!(
        fail(here, &format!("impute patients.csv --out complete.csv --draws 2 {QUICK}")),
        "complete.draws/3.csv: is a draw of an earlier run and would be left among those of this one; give \
         another --out, or --force to remove it"
    );
    std::fs::write(here.join("complete.draws/readme.txt"), "mine").unwrap();
    let line = format!("impute patients.csv --out complete.csv --draws 2 --seed 9 --force {QUICK}");
    let said = text(&common::ae(here, &line).stderr);
    assert!(
        said.contains(
            "note: complete.draws/3.csv and 1 further draws of an earlier run were removed"
        ) && said
            .contains("note: complete.draws/readme.txt was there before and is not of this run"),
        "{said}"
    );
    assert_eq!(draws(), ["1.csv", "2.csv", "readme.txt"]);
    assert_ne!(std::fs::read(here.join("complete.draws/1.csv")).unwrap(), first);

    // An input is never removed.
    std::fs::copy(here.join("patients.csv"), here.join("complete.draws/7.csv")).unwrap();
    assert_eq!(
        fail(here, &format!("impute complete.draws/7.csv --out complete.csv --force {QUICK}")),
        "complete.draws/7.csv: is read; write to another file"
    );

    // An imputer of an earlier run beside a table of another.
    std::fs::copy(here.join("complete.imputer"), here.join("other.imputer")).unwrap();
    let line = "impute patients.csv --model other.imputer --out complete.csv --force --device cpu";
    let said = text(&common::ae(here, line).stderr);
    assert!(
        said.contains(
            "note: complete.imputer is of an earlier run; complete.csv was filled in by other.imputer"
        ),
        "{said}"
    );
    assert_eq!(draws(), ["readme.txt"]);
}

/// With a model, an option is used or refused.
#[test]
fn options_beside_a_model_are_used_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    patients(here);
    succeed(here, &format!("impute patients.csv --out complete.csv {QUICK}"));
    for role in
        ["--ignore class", "--id id", "--categorical age", "--numeric age", "--month-first true"]
    {
        let line = format!("impute patients.csv --model complete.imputer --out new.csv {role}");
        let option = role.split(' ').next().unwrap();
        assert_eq!(
            fail(here, &line),
            format!(
                "{option}: the columns of a table that --model fills in are those of the model; leave \
                 {option} out, or fit another imputer without --model"
            )
        );
    }
    assert_eq!(
        fail(here, "impute patients.csv --model complete.imputer --out new.csv --seed 1"),
        "--seed: nothing is random with --model but draws; give --draws N as well, or leave --seed out"
    );
    let draws = |out: &str, more: &str| {
        succeed(
            here,
            &format!(
                "impute patients.csv --model complete.imputer --out {out}.csv --draws 1 --device cpu {more}"
            ),
        );
        let read = |name: String| std::fs::read(here.join(name)).unwrap();
        (read(format!("{out}.csv")), read(format!("{out}.draws/1.csv")))
    };
    let (usual, again, other) = (draws("a", ""), draws("b", "--seed 0"), draws("c", "--seed 1"));
    assert!(usual == again && usual.0 == other.0 && usual.1 != other.1);

    // How a table is written is not what its columns are: these options are used.
    let table = "class|town|size|smoker|age\nill|none|160.50|yes|30\n".replace("none", "-999");
    std::fs::write(here.join("other.csv"), table).unwrap();
    let line = "impute other.csv --model complete.imputer --out other-complete.csv --device cpu \
                --separator | --decimal point --header yes --missing-as -999";
    succeed(here, line);
    let after = std::fs::read_to_string(here.join("other-complete.csv")).unwrap();
    assert!(
        after.starts_with("class|town|size|smoker|age\nill|") && !after.contains("-999"),
        "{after}"
    );
}

/// Columns of which hardly anything is known, tables without a complete row, and dates.
#[test]
fn odd_tables_are_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let fill = |table: &str| {
        std::fs::write(here.join("t.csv"), table).unwrap();
        let output =
            common::ae(here, &format!("impute t.csv --out complete.csv --draws 2 --force {QUICK}"));
        assert!(output.status.success(), "{}", text(&output.stderr));
        (std::fs::read_to_string(here.join("complete.csv")).unwrap(), text(&output.stdout))
    };
    let rows = |cell: &dyn Fn(usize) -> String| -> String {
        (0..40).map(|row| format!("{row},{}\n", cell(row))).collect()
    };
    // One known cell, all known cells equal, one category.
    for (name, value) in [("one", "5.25"), ("equal", "7"), ("word", "red")] {
        let known = |row: usize| if name == "one" { row == 4 } else { row % 3 == 1 };
        let cell = |row| if known(row) { value.to_owned() } else { String::new() };
        let (after, said) = fill(&format!("a,b\n{}", rows(&cell)));
        assert_eq!(after, format!("a,b\n{}", rows(&|_| value.to_owned())), "{name}");
        // Of the words all that were held back are right; of numbers without a deviation there is no error.
        let wrong = said.lines().find(|line| line.contains("wrong categories"));
        let errors: Option<Vec<&str>> = wrong.map(|line| line.split_whitespace().skip(2).collect());
        assert_eq!(errors, (name == "word").then(|| vec!["0.0000"; 4]), "{said}");
    }
    let (_, said) = fill(&format!("a,b\n{}", "3,7\n3,\n".repeat(20)));
    assert!(
        said.starts_with(
            "20 cells filled in. No figures of how good that is: too few cells are known to hold some back, or \
             no column varies\n"
        ),
        "{said}"
    );
    // No complete row.
    let holes: String =
        (0..40).map(|i| if i % 2 == 0 { format!("{i},\n") } else { format!(",{i}\n") }).collect();
    let (after, _) = fill(&format!("a,b\n{holes}"));
    assert!(after.lines().all(|line| line.split(',').all(|cell| !cell.is_empty())), "{after}");

    // Dates are written as those of their column are.
    let day = |row: usize| match row % 5 {
        0 => String::new(),
        _ => format!("{:02}.{:02}.2024", 1 + row % 28, 1 + row % 12),
    };
    let (after, said) = fill(&format!("a,day\n{}", rows(&day)));
    for line in after.lines().skip(1) {
        let (_, day) = line.split_once(',').unwrap();
        assert!(day.len() == 10 && day.ends_with(".2024"), "{after}");
    }
    let mean = said.lines().find(|line| line.starts_with("  day ")).unwrap();
    assert!(mean.contains(".2024 to ") && mean.contains(".2024  "), "{said}");
    let page = std::fs::read_to_string(here.join("complete.report.html")).unwrap();
    let cell = page.split("<td class=\"num\">").find(|it| it.contains(".2024 to "));
    assert!(cell.is_some(), "the pooled mean of dates");
}

/// Names of files that are not UTF-8.
#[cfg(unix)]
#[test]
fn names_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    patients(here);
    let name = |bytes: &[u8]| here.join(std::ffi::OsStr::from_bytes(bytes));
    std::fs::rename(here.join("patients.csv"), name(b"pat\xff.csv")).unwrap();
    let output = common::command(here, &format!("impute --json --draws 2 {QUICK}"))
        .arg(name(b"pat\xff.csv"))
        .arg("--out")
        .arg(name(b"out\xfe.t\xfdt"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["files"].as_array().unwrap().len(), 5);
    for bytes in [
        &b"out\xfe.t\xfdt"[..],
        b"out\xfe.imputer",
        b"out\xfe.report.html",
        b"out\xfe.draws/1.t\xfdt",
        b"out\xfe.draws/2.t\xfdt",
    ] {
        assert!(name(bytes).is_file(), "{}", bytes.escape_ascii());
    }
}
