//! Runs that begin as PCA.

mod common;

use std::path::Path;

use common::{ae, fail, succeed, text};

/// A table of six columns that three numbers decide, not quite linearly.
fn write_table(folder: &Path) {
    let row = |i: usize| {
        let of = |step: usize, modulus: usize| ((i * step) % modulus) as f64 / modulus as f64;
        let (a, b, c) = (of(37, 101), of(53, 97), of(71, 89));
        format!("{a},{b},{c},{},{},{}\n", a + b * c, b - a * a, c + a * b)
    };
    let rows: String = (0..300).map(row).collect();
    std::fs::write(folder.join("table.csv"), format!("u,v,w,x,y,z\n{rows}")).unwrap();
}

fn json(folder: &Path, file: &str) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

fn model_section(folder: &Path, run: &str) -> toml::Table {
    let text = std::fs::read_to_string(folder.join(run).join("recipe.toml")).unwrap();
    text.parse::<toml::Table>().unwrap()["model"].as_table().unwrap().clone()
}

#[test]
fn training_of_a_table_starts_as_pca() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_table(here);
    let output = ae(here, "train --data table.csv --device cpu --out a");
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("linear path from 3 principal components"), "{said}");
    assert_eq!(model_section(here, "a")["linear_path"].as_str(), Some("on"));
    assert_eq!(json(here, "a/model.json")["architecture"]["linear_path"], 3);

    // It begins with the error of PCA on the validation part, and ends below it.
    succeed(here, "train --data table.csv --device cpu --model pca --out pca");
    let measured = succeed(here, "eval pca --part validation --json --device cpu");
    let pca: serde_json::Value = serde_json::from_str(&measured).unwrap();
    let error = |value: &serde_json::Value| value["squared_error"].as_f64().unwrap();
    let summary = json(here, "a/summary.json");
    let initial = error(&summary["initial"]["evaluation"]);
    assert!((initial / error(&pca) - 1.0).abs() < 1e-5, "{initial} {}", error(&pca));
    assert!(error(&summary["test"]) < 0.5 * error(&summary["pca"]), "{summary}");
    assert!(summary.get("beaten").is_none());
    let page = std::fs::read_to_string(here.join("a/report.html")).unwrap();
    assert!(page.contains("times less than PCA with the same code size"));

    // A recipe makes it again; from one that says nothing of a path there is none.
    let weights = |run: &str| std::fs::read(here.join(run).join("model.safetensors")).unwrap();
    succeed(here, "train --recipe a/recipe.toml --device cpu --out b");
    assert!(weights("a") == weights("b"));
    let recipe = std::fs::read_to_string(here.join("a/recipe.toml")).unwrap();
    std::fs::write(here.join("old.toml"), recipe.replace("linear_path = \"on\"\n", "")).unwrap();
    succeed(here, "train --recipe old.toml --epochs 1 --device cpu --out old");
    assert_eq!(model_section(here, "old")["linear_path"].as_str(), Some("off"));
    assert!(json(here, "old/model.json")["architecture"].get("linear_path").is_none());
    succeed(here, "finetune a --epochs 1 --device cpu --out further");
    assert_eq!(json(here, "further/model.json")["architecture"]["linear_path"], 3);
}

/// At a rate that throws everything away the run is the PCA it began as, and says so; without a path PCA does better.
#[test]
fn a_better_baseline_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_table(here);
    let line = "train --data table.csv --device cpu --epochs 2 --lr 30 --warm-up 0 --code 3";
    succeed(here, &format!("{line} --out on"));
    let summary = json(here, "on/summary.json");
    let error = |of: &str| summary[of]["squared_error"].as_f64().unwrap();
    assert!((error("test") / error("pca") - 1.0).abs() < 1e-5, "{summary}");
    let page = std::fs::read_to_string(here.join("on/report.html")).unwrap();
    assert!(page.contains("none of 2: the initial weights are the best"));
    assert!(page.contains("the same as PCA with the same code size"));

    let said =
        succeed(here, "train --data table.csv --device cpu --epochs 1 --linear-path off --out off");
    assert!(said.contains("PCA with 3 components does better: "), "{said}");
    assert!(said.contains("or begin as PCA (--linear-path on)"), "{said}");
    let page = std::fs::read_to_string(here.join("off/report.html")).unwrap();
    assert!(page.contains("PCA with 3 components does better: "));
}

#[test]
fn training_of_images_starts_as_pca() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let line = "train --digits 200,40 --channels 4,8 --code 6 --epochs 1 --batch 32 --device cpu";
    for (options, run) in [("", "conv"), ("--model dense --hidden 20", "dense")] {
        let line = match run {
            "dense" => line.replace("--channels 4,8 ", ""),
            _ => line.to_owned(),
        };
        succeed(here, &format!("{line} {options} --linear-path on --out {run}"));
        let summary = json(here, &format!("{run}/summary.json"));
        let error = |of: &str| summary[of]["squared_error"].as_f64().unwrap();
        assert!(error("test") < 1.05 * error("pca"), "{run}: {summary}");
    }
}

#[test]
fn linear_paths_that_make_no_sense_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_table(here);
    let message = |options: &str| {
        fail(here, &format!("train --data table.csv --device cpu --linear-path on {options}"))
    };
    assert!(message("--tied").contains("expected weights that are not tied"));
    assert!(message("--code-activation relu").contains("expected a code without an activation"));
    assert!(message("--train-top-k 2").contains("got one that keeps 3"));
    assert!(message("--output tanh").contains("expected an output of identity or sigmoid"));
    assert!(message("--model pca").contains("`linear_path` does not apply to a pca model"));
    let pretrain = fail(here, "pretrain --data table.csv --device cpu --linear-path on");
    assert!(pretrain.contains("pretraining trains one layer after the other"), "{pretrain}");
    let maps = fail(here, "train --digits 60,20 --code maps --linear-path on --device cpu");
    assert!(maps.contains("expected a code of units"), "{maps}");
    // What is left to the program is left out there.
    for options in ["--tied", "--code-activation relu", "--train-top-k 2", "--kl 1", "--code 6"] {
        succeed(
            here,
            &format!("train --data table.csv --epochs 1 --device cpu {options} --out it"),
        );
        assert_eq!(model_section(here, "it")["linear_path"].as_str(), Some("off"), "{options}");
        std::fs::remove_dir_all(here.join("it")).unwrap();
    }
}
