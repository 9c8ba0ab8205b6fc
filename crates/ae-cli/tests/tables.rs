//! Tables as people have them: trained on with `--data` alone, and used on other files of the kind.

mod common;

use std::fs;
use std::path::Path;

use common::{ae, fail, succeed, text};

/// Numbers, categories, gaps, a number for each row and a class; `begin` shifts what is written.
fn people(begin: usize, count: usize) -> String {
    let mut table = "id,age,job,income,married,class\n".to_owned();
    for row in begin..begin + count {
        let job = ["cook", "nurse", "smith"][row % 3];
        let income = match row % 11 {
            0 => "?".to_owned(),
            rest => format!("{}", 1000 * (row % 3) + 10 * rest),
        };
        let married = ["no", "yes"][row / 2 % 2];
        let class = ["low", "high"][usize::from(row % 3 == 2)];
        table += &format!("{row},{},{job},{income},{married},{class}\n", 20 + row % 7);
    }
    table
}

fn said_when_training(here: &Path, options: &str) -> String {
    let line = format!("train {options} --epochs 2 --device cpu");
    let output = ae(here, &line);
    assert!(output.status.success(), "ae {line}\n{}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn a_mixed_table_with_gaps_trains_with_data_alone_and_its_model_reads_other_tables() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("people.csv"), people(0, 220)).unwrap();
    let said = said_when_training(here, "--data people.csv --out run");
    assert!(
        said.contains(
            "6 columns: 2 numeric, 1 categorical, 1 boolean, `id` left out (one for each row), label \
             `class` (2 classes); 20 cells missing; names in the first row"
        ),
        "{said}"
    );

    // Rows can be joined with those of the file, and come back in its columns.
    succeed(here, "encode run --data people.csv --device cpu --out codes.csv");
    let codes = fs::read_to_string(here.join("codes.csv")).unwrap();
    let last = codes.lines().last().unwrap();
    assert!(codes.starts_with("sample,code_0,") && codes.lines().count() == 221);
    assert!(last.starts_with("219,") && last.ends_with(",low"), "{last}");
    succeed(here, "encode run --device cpu --out test.csv");
    let test = fs::read_to_string(here.join("test.csv")).unwrap();
    let places: Vec<&str> = test.lines().skip(1).map(|l| l.split(',').next().unwrap()).collect();
    assert!(places.len() == 22 && places != (0..22).map(|i| i.to_string()).collect::<Vec<_>>());
    for place in places {
        let line = |text: &str| {
            text.lines().find(|l| l.starts_with(&format!("{place},"))).map(str::to_owned)
        };
        let label = |line: Option<String>| line.unwrap().rsplit(',').next().unwrap().to_owned();
        assert_eq!(label(line(&test)), label(line(&codes)), "row {place}");
    }
    succeed(here, "reconstruct run --data people.csv --device cpu --out back.csv");
    let back = fs::read_to_string(here.join("back.csv")).unwrap();
    assert!(back.starts_with("sample,age,job,income,married,label\n"), "{back}");
    let jobs = back.lines().skip(1).map(|line| line.split(',').nth(2).unwrap());
    assert!(jobs.clone().count() == 220);
    assert!(jobs.into_iter().all(|job| ["cook", "nurse", "smith"].contains(&job)));

    // Columns are found by name: in another order, beside others, without the label.
    fs::write(
        here.join("new.csv"),
        "income,married,shoe,job,age\n1010,no,43,nurse,25\nNA,yes,38,cook,22\n",
    )
    .unwrap();
    let said = succeed(here, "encode run --data new.csv --device cpu --out new-codes.csv");
    assert!(said.starts_with("2 codes"), "{said}");
    fs::write(here.join("less.csv"), "income,work,job\n1010,x,nurse\n").unwrap();
    assert_eq!(
        fail(here, "eval run --data less.csv --device cpu"),
        "less.csv: expected the columns of the model, with `age` and `married`, got `work` instead"
    );
    fs::write(here.join("unseen.csv"), "age,job,income,married\n30,pilot,1,no\n").unwrap();
    let refused = fail(here, "eval run --data unseen.csv --device cpu");
    assert!(refused.contains("`pilot`"), "{refused}");
    let said = succeed(here, "eval run --data unseen.csv --unseen zero --device cpu");
    assert!(said.starts_with("unseen.csv, all samples: 1 samples"), "{said}");
}

#[test]
fn options_overrule_what_is_found_and_stand_in_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String =
        (0..60).map(|row| format!("{};{},5;-999;{}\n", row % 4, row, row % 2)).collect();
    fs::write(here.join("table.csv"), format!("kind;value;gap;class\n{rows}")).unwrap();
    let said = said_when_training(
        here,
        "--data table.csv --categorical kind --ignore gap --label-column class --out a",
    );
    assert!(
        said.contains(
            "4 columns: 1 numeric, 1 categorical, `gap` left out (as asked), label `class`"
        ),
        "{said}"
    );
    let recipe = fs::read_to_string(here.join("a/recipe.toml")).unwrap();
    assert!(
        recipe.contains("[data.table]\n") && recipe.contains("categorical = [\"kind\"]"),
        "{recipe}"
    );
    let again = said_when_training(here, "--recipe a/recipe.toml --out b");
    assert!(again.contains("1 categorical, `gap` left out"), "{again}");
    let weights = |run: &str| fs::read(here.join(run).join("model.safetensors")).unwrap();
    assert!(weights("a") == weights("b"));

    // What stood for a gap in training does so in other files.
    let said =
        said_when_training(here, "--data table.csv --missing-as -999 --ignore class --out c");
    assert!(said.contains("`gap` left out (empty)"), "{said}");
    fs::write(here.join("other.csv"), "kind;value\n1;-999\n").unwrap();
    let measured = ae(here, "eval c --data other.csv --device cpu");
    assert!(measured.status.success(), "{}", text(&measured.stderr));

    for (options, message) in [
        (
            "--data digits --samples 20,10 --categorical kind",
            "table: expected a table to use it on, got generated images (`digits`)",
        ),
        (
            "--data table.csv --color grey",
            "channels: expected a folder of images to use it on, got a table (`table.csv`)",
        ),
    ] {
        let refused = fail(here, &format!("train {options} --epochs 0 --device cpu"));
        assert!(refused.starts_with(message.split(", got").next().unwrap()), "{refused}");
    }
    let refused = fail(here, "train --data table.csv --categorical colour --device cpu");
    assert!(refused.contains("`colour`") && refused.contains("`kind`, `value`"), "{refused}");
    let refused = fail(here, "train --data table.csv --missing refuse --missing-as 3 --device cpu");
    assert!(refused.contains("15 cells are missing, 15 in `kind`"), "{refused}");
}

#[test]
fn one_class_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("people.csv"), people(0, 220)).unwrap();
    let said = said_when_training(here, "--data people.csv --one-class low --out run");
    assert!(said.contains("class low against the rest"), "{said}");
}

/// A column that is missing wherever it would be large: with `masked` the cells that stand in for it are neither learned nor
/// measured, in the loss, `eval`, `score` and for PCA alike.
#[test]
fn missing_cells_are_left_out_of_losses_and_errors() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let row = |i: usize| {
        let x = i % 20;
        let b = if x > 9 { String::new() } else { (10 * x).to_string() };
        format!("{x},{b},{}\n", 3 * x + i % 2)
    };
    fs::write(here.join("t.csv"), format!("a,b,c\n{}", (0..400).map(row).collect::<String>()))
        .unwrap();
    let json = |line: &str| -> serde_json::Value {
        serde_json::from_str(&succeed(here, line)).unwrap_or_else(|error| panic!("{line}: {error}"))
    };
    let train = "train --data t.csv --code 1 --epochs 30 --device cpu --json";
    let masked = json(&format!("{train} --missing masked --out masked"));
    let mean = json(&format!("{train} --out mean"));
    let error =
        |run: &serde_json::Value, at: &str| run["summary"].pointer(at).unwrap().as_f64().unwrap();
    for at in ["/test/squared_error", "/pca/squared_error"] {
        assert!(error(&masked, at) < error(&mean, at), "{at}");
    }
    // What stands in is the mean.
    let [masked_mean, filled_mean] = [&masked, &mean].map(|it| error(it, "/mean_error"));
    assert!((masked_mean - filled_mean).abs() < 1e-9 * filled_mean);
    // Of one dimension, when the stand-ins are left out.
    assert!(error(&masked, "/test/squared_error") < 0.2 * error(&masked, "/pca/squared_error"));
    let measured = json("eval masked --device cpu --json");
    assert_eq!(measured["squared_error"], masked["summary"]["test"]["squared_error"]);
    let of_known = json("eval mean --missing masked --device cpu --json");
    let filled = json("eval mean --device cpu --json");
    assert!(of_known["squared_error"].as_f64() < filled["squared_error"].as_f64());
    let scores = json("score masked --device cpu --json");
    let scores = scores["samples"].as_array().unwrap();
    let sum: f64 = scores.iter().map(|it| it["squared_error"].as_f64().unwrap()).sum();
    let expected = error(&masked, "/test/squared_error");
    assert!(
        (sum / scores.len() as f64 - expected).abs() < 1e-4 * expected.max(1e-3),
        "{sum} {expected}"
    );
    for score in scores.iter().filter(|it| it["sample"].as_u64().unwrap() % 20 > 9) {
        let named = score["contributes_most"].as_array().unwrap();
        assert!(named.iter().all(|it| it["name"] != "b"), "{score}");
    }
    // A run that is resumed or trained further goes on in the same way.
    let recipe = fs::read_to_string(here.join("masked/recipe.toml")).unwrap();
    assert!(recipe.contains("missing = \"masked\""), "{recipe}");
    succeed(here, "finetune masked --epochs 2 --device cpu --out more");
    let said = fail(here, "pretrain --data t.csv --missing masked --device cpu");
    assert!(said.contains("take --missing mean"), "{said}");
}
