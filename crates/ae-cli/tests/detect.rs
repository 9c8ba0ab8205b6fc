//! `ae detect`: its files, and what it says of input that does not suit it.

mod common;

use std::fs;
use std::path::Path;

use common::{fail, succeed};

/// Rows whose second column follows from the first; the last ones, labelled 1, do not follow it.
fn table(path: &Path, normal: usize, odd: usize) {
    let mut text = "length,width,height,label\n".to_owned();
    for row in 0..normal + odd {
        let is_odd = row >= normal;
        let x = (row as f64 * 0.734).sin();
        let noise = 0.05 * (row as f64 * 12.9).sin();
        let width = if is_odd { -x - 4.0 } else { x * x + noise };
        text += &format!("{x},{width},{},{}\n", x - noise, u8::from(is_odd));
    }
    fs::write(path, text).unwrap();
}

const QUICK: &str = "--steps 300 --device cpu";

#[test]
fn a_detector_is_trained_saved_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("normal.csv"), 300, 0);
    table(&here.join("new.csv"), 40, 10);
    let line =
        format!("detect --data normal.csv --score new.csv --out first --false-alarms 0.05 {QUICK}");
    let said = succeed(here, &line);
    assert!(
        said.contains(
            "false alarms in at most 5.00 % of normal rows (conformal, 60 calibration rows"
        ),
        "{said}"
    );
    assert!(said.contains("ours") && said.contains("kNN") && said.contains("PCA"), "{said}");
    let scores = fs::read_to_string(here.join("first/scores.csv")).unwrap();
    assert!(scores.starts_with("sample,score,p,flagged,because,kNN_p,PCA_p,label\n0,"), "{scores}");
    assert_eq!(scores.lines().count(), 51);
    let flagged = fs::read_to_string(here.join("first/flagged.csv")).unwrap();
    assert!(flagged.lines().filter(|line| line.ends_with(",1")).count() >= 9, "{flagged}");
    assert!(flagged.contains("width "), "{flagged}");
    let page = fs::read_to_string(here.join("first/report.html")).unwrap();
    assert!(page.contains("ROC") && page.contains("threshold"), "no charts");

    // The saved detector gives the same scores, to the bit.
    let line =
        "detect first/normal.detector --data new.csv --out second --false-alarms 0.05 --device cpu";
    succeed(here, line);
    assert_eq!(fs::read_to_string(here.join("second/scores.csv")).unwrap(), scores);
    assert!(!here.join("second/normal.detector").exists());

    // A share, and labels.
    let line = "detect first/normal.detector --data new.csv --contamination 0.1 --json --out third --device cpu";
    let value: serde_json::Value = serde_json::from_str(&succeed(here, line)).unwrap();
    assert_eq!(value["flagged"].as_array().unwrap().len(), 5);
    let line = "detect first/normal.detector --data new.csv --labels new.csv --recall 0.5 --out fourth --device cpu";
    assert!(
        succeed(here, line)
            .contains("by 50 labelled rows, of which it has precision 1.000 and recall 0.500")
    );
}

#[test]
fn a_table_alone_is_scored_by_detectors_that_have_not_seen_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("all.csv"), 290, 10);
    let said =
        succeed(here, &format!("detect --data all.csv --trim 0.05 --contamination 0.03 {QUICK}"));
    assert!(said.contains("in each of two detectors"), "{said}");
    let scores = fs::read_to_string(here.join("all-anomalies/scores.csv")).unwrap();
    assert_eq!(scores.lines().count(), 301);
    let flagged = fs::read_to_string(here.join("all-anomalies/flagged.csv")).unwrap();
    assert!(flagged.lines().filter(|line| line.ends_with(",1")).count() >= 7, "{flagged}");
}

/// Each is one sentence, and nothing is written.
#[test]
fn unsuitable_input_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("normal.csv"), 100, 0);
    table(&here.join("few.csv"), 9, 0);
    let text = fs::read_to_string(here.join("normal.csv")).unwrap();
    fs::write(here.join("holes.csv"), format!("{text}1.5,,2,0\n")).unwrap();
    fs::write(here.join("other.csv"), text.replace("width", "breadth")).unwrap();
    fs::write(here.join("constant.csv"), "a,b\n".to_owned() + &"1.5,2.5\n".repeat(60)).unwrap();
    fs::write(here.join("broken.detector"), "not a detector").unwrap();
    let line = format!("detect --data normal.csv --out good {QUICK}");
    succeed(here, &line);
    let refused = |line: &str| {
        let message = fail(here, &format!("detect {line} --device cpu --out out"));
        assert!(!here.join("out").exists(), "{line} wrote");
        message
    };
    for (line, expected) in [
        (
            "--data few.csv",
            "9 rows are too few to train on, to scale by and to calibrate on; expected at least 20",
        ),
        (
            "--data normal.csv --score normal.csv --steps 20 --false-alarms 0.01",
            "1 false alarm in 100 needs 99 normal rows to calibrate on, got 20; the smallest possible rate is 1 in \
             21 (0.04762); ask for it, give more normal rows, or take --tail",
        ),
        (
            "--data normal.csv --score normal.csv --steps 20 --tail",
            "tail: expected at least 300 calibration rows, 30 of them in the tail, got 20 rows; give more normal rows",
        ),
        (
            "--data holes.csv",
            "1 of the cells are missing (the first is `width` of row 100), and anomaly detection needs all; fill \
             them with `ae impute`",
        ),
    ] {
        assert_eq!(refused(line), expected, "{line}");
    }
    for (line, expected) in [
        ("--data constant.csv", "no column varies"),
        ("good/normal.detector --data other.csv", "width"),
        ("broken.detector --data normal.csv", "<here>/broken.detector"),
        ("absent.detector --data normal.csv", "absent.detector"),
        (
            "--data normal.csv --contamination 2",
            "contamination: expected a share above 0 and below 1, got 2",
        ),
        ("--data normal.csv --trim 0.7", "trim: expected a share from 0, below 0.5, got 0.7"),
        (
            "--data normal.csv --false-alarms 0 --steps 20",
            "rate of false alarms: expected a number above 0",
        ),
        ("good/normal.detector --data normal.csv --labels normal.csv", "labels"),
        (
            "good/normal.detector --data normal.csv --anomaly broken",
            "--anomaly: expected one of the labels (0), got broken",
        ),
    ] {
        let message = refused(line);
        assert!(
            message.replace("<here>/", "").contains(&expected.replace("<here>/", "")),
            "{line}: {message}"
        );
    }
    let used = fail(here, &format!("detect --data few.csv --out good {QUICK}"));
    assert_eq!(used, "good: the folder has files already; give another one with --out, or --force");
    let line = format!("detect --data normal.csv --out . --force {QUICK}");
    assert!(fail(here, &line).contains("it is in the folder . that the results go to"));
}
