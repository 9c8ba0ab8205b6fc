//! `ae transfer`: its table, its files, and what it says of data that does not suit it.

mod common;

use std::fs;
use std::path::Path;

use common::{fail, succeed};

/// Reviews of two classes: words 0 and 1 tell the class in all domains, two words from `first` in one domain only, and
/// the others are noise.
fn reviews(path: &Path, rows: usize, first: usize, speed: f64, has_labels: bool) {
    let mut text = String::new();
    for row in 0..rows {
        let class = row % 2;
        let draw =
            |word: usize| (((row * 31 + word * 17) as f64 * speed).sin() * 1e4).rem_euclid(1.0);
        text += match (has_labels, class) {
            (false, _) => "0.5",
            (true, 0) => "-1",
            (true, _) => "1",
        };
        for word in 0..12 {
            let likely = match word {
                0 | 1 => {
                    if word == class {
                        0.6
                    } else {
                        0.1
                    }
                }
                _ if word == first + class => 0.8,
                _ if (2..6).contains(&word) => 0.05,
                _ => 0.3,
            };
            if draw(word) < likely {
                text += &format!(" {word}:1");
            }
        }
        // All files have the last column.
        text += if row == 0 { " 12:1\n" } else { "\n" };
    }
    fs::write(path, text).unwrap();
}

fn domains(here: &Path) {
    reviews(&here.join("books.svmlight"), 200, 2, 0.731, true);
    reviews(&here.join("tools.svmlight"), 200, 4, 0.917, true);
    reviews(&here.join("unlabelled.svmlight"), 150, 4, 1.113, false);
}

#[test]
fn a_table_compares_the_methods_and_a_file_has_the_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    domains(here);
    let line = "transfer --source books.svmlight --target unlabelled.svmlight --test tools.svmlight --layers 1,2 \
                --corruption 0.3 --out out";
    let said = succeed(here, line);
    for expected in [
        "200 samples of the source, 150 of the target, 13 features, 2 classes; 200 samples classified (test).",
        "method   source, held out       test  chosen",
        "\nnone ",
        "\ncoral ",
        "\nmsda ",
        "corruption 0.3, layers ",
        "Chosen by the labels of the target, which a real target does not have, msda would have ",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let predictions = fs::read_to_string(here.join("out/predictions.csv")).unwrap();
    assert!(predictions.starts_with("row,predicted,probability\n0,"), "{predictions}");
    assert_eq!(predictions.lines().count(), 201);
    let right = predictions.lines().skip(1).enumerate().filter(|(row, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        let probability: f64 = cells[2].parse().unwrap();
        assert!((0.5..=1.0).contains(&probability), "{line}");
        cells[0] == row.to_string() && cells[1] == ["-1", "1"][row % 2]
    });
    let right = right.count() as f64 / 200.0;
    let saved: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(here.join("out/transfer.json")).unwrap()).unwrap();
    let msda = &saved["methods"][2];
    assert_eq!(msda["method"], "msda");
    assert_eq!(msda["target_accuracy"].as_f64(), Some(right), "{said}");
    assert!(right > 0.7, "{said}");
    assert_eq!(msda["candidates"].as_array().unwrap().len(), 2);

    // A folder with files is not written to, unless it is said.
    let refused = fail(here, line);
    assert_eq!(
        refused,
        "out: the folder has files already; give another one with --out, or --force"
    );
    let printed = succeed(
        here,
        &format!("{line} --force --method none --json")
            .replace("--layers 1,2 --corruption 0.3", ""),
    );
    let value: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(value["methods"].as_array().unwrap().len(), 1);
    assert_eq!(fs::read_to_string(here.join("out/predictions.csv")).unwrap().lines().count(), 201);
}

/// Labels of what is classified are measured by, and change nothing else.
#[test]
fn labels_of_the_target_choose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    domains(here);
    let text = fs::read_to_string(here.join("tools.svmlight")).unwrap();
    let wrong: String = text
        .lines()
        .map(|line| match line.strip_prefix('-') {
            Some(rest) => format!("{rest}\n"),
            None => format!("-{line}\n"),
        })
        .collect();
    fs::write(here.join("wrong.svmlight"), wrong).unwrap();
    let predictions = |target: &str| {
        let line = format!(
            "transfer --source books.svmlight --target {target}.svmlight --method msda --layers 3 --out {target}"
        );
        let said = succeed(here, &line);
        (fs::read_to_string(here.join(target).join("predictions.csv")).unwrap(), said)
    };
    let ((right, said), (wrong, other)) = (predictions("tools"), predictions("wrong"));
    assert_eq!(right, wrong);
    assert_ne!(said, other);
}

#[test]
fn images_of_two_sizes_are_brought_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let line = "transfer --source digits:1,3 --target digits:1,3 --samples 120 --method coral --resize 12x12";
    let said = succeed(here, line);
    assert!(
        said.contains("120 samples of the source, 120 of the target, 144 features, 2 classes"),
        "{said}"
    );
}

/// Each is one sentence, and nothing is written.
#[test]
fn unsuitable_input_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    domains(here);
    fs::write(here.join("a.csv"), "x,y,label\n1,2,u\n3,4,v\n1,1,u\n2,2,v\n").unwrap();
    fs::write(here.join("one.csv"), "x,y,label\n1,2,u\n3,4,u\n").unwrap();
    fs::write(here.join("none.csv"), "x,y\n1,2\n3,4\n").unwrap();
    fs::write(here.join("other.csv"), "x,y,label\n1,2,u\n3,4,w\n").unwrap();
    for (line, expected) in [
        (
            "--source none.csv --target a.csv",
            "the source has no labels, and a classifier needs them; name their column with --label-column, or exchange \
             source and target",
        ),
        (
            "--source one.csv --target a.csv",
            "the source has the one class `u`, and a classifier needs at least two",
        ),
        (
            "--source a.csv --target other.csv",
            "the samples to predict have classes that the source has not (w; the source has u, v); name the same classes \
             in both, or leave the labels out",
        ),
        ("--source a.csv --target digits", "the target has 784 features"),
        (
            "--source digits:1,3 --target digits:1,3 --samples 40 --label-column y",
            "--label-column needs a table or an array with the labels; drop it",
        ),
        (
            "--source digits:1,x --target digits",
            "class: expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, got `x`",
        ),
        (
            "--source a.csv --target none.csv --method none --layers 2",
            "--layers needs --method msda; drop it",
        ),
        (
            "--source a.csv --target none.csv --corruption 1",
            "corruption: expected a number from 0 to below 1, got 1",
        ),
        ("--source a.csv --target none.csv --layers 0", "layers: expected 1 to 10, got 0"),
        (
            "--source a.csv --target none.csv --resize 4x4",
            "--resize: expected images to resize, got 2 columns",
        ),
    ] {
        let message = fail(here, &format!("transfer {line} --out out"));
        assert!(message.contains(expected), "{line}\n{message}");
        assert!(!here.join("out").exists(), "{line} wrote");
    }
    // Nothing is written over an input.
    fs::create_dir(here.join("used")).unwrap();
    fs::copy(here.join("a.csv"), here.join("used/predictions.csv")).unwrap();
    let line = "transfer --source used/predictions.csv --target none.csv --out used";
    assert!(fail(here, line).contains("the folder has files already"));
    let message = fail(here, &format!("{line} --force"));
    assert!(message.contains("used/predictions.csv: it is in the folder used that"), "{message}");
    let message = fail(here, "transfer --source a.csv --target none.csv --force");
    assert_eq!(message, "--force needs --out: without it nothing is written");
}
