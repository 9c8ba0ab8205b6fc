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
    let expected = "false alarms in at most 5.00 % of normal rows on average (conformal, 60 calibration rows; 1.04 to \
                    11.53 % with 95 % of draws of them): threshold ";
    assert!(said.contains(expected), "{said}");
    for (method, least) in [("ours  ", 0.9), ("kNN   ", 0.9), ("PCA   ", 0.7), ("IForest", 0.9)] {
        let line = said.lines().find(|line| line.starts_with(method)).expect(method);
        assert!(line.contains(" of 50 flagged"), "{line}");
        let area = line.split_once("AUROC ").expect(line).1.split(',').next().unwrap();
        assert!(area.parse::<f64>().unwrap() > least, "{line}");
    }
    let scores = fs::read_to_string(here.join("first/scores.csv")).unwrap();
    assert!(
        scores.starts_with("sample,score,p,flagged,because,kNN_p,PCA_p,IForest_p,label\n0,"),
        "{scores}"
    );
    assert_eq!(scores.lines().count(), 51);
    let flagged = fs::read_to_string(here.join("first/flagged.csv")).unwrap();
    assert!(flagged.lines().filter(|line| line.ends_with(",1")).count() >= 9, "{flagged}");
    assert!(flagged.contains("width "), "{flagged}");
    let page = fs::read_to_string(here.join("first/report.html")).unwrap();
    assert!(page.contains("<figcaption>ROC</figcaption>"), "no ROC curve");
    assert!(page.contains("used neither for training nor for the threshold"), "{page}");

    // The saved detector gives the same scores, to the bit.
    let line =
        "detect first/normal.detector --data new.csv --out second --false-alarms 0.05 --device cpu";
    succeed(here, line);
    assert_eq!(fs::read_to_string(here.join("second/scores.csv")).unwrap(), scores);
    assert!(!here.join("second/normal.detector").exists());

    // A share, which the classical methods flag as well, and labels.
    let line = "detect first/normal.detector --data new.csv --contamination 0.1 --json --out third --device cpu";
    let value: serde_json::Value = serde_json::from_str(&succeed(here, line)).unwrap();
    assert_eq!(value["flagged"].as_array().unwrap().len(), 5);
    assert_eq!((&value["scored"], &value["left_out"]), (&50.into(), &0.into()));
    for method in value["methods"].as_array().unwrap() {
        assert_eq!(method["flagged"], 5, "{method}");
    }
    let line = "detect first/normal.detector --data new.csv --labels new.csv --recall 0.5 --out fourth --device cpu";
    let said = succeed(here, line);
    let expected = "chosen by 50 labelled rows, which are the scored ones, with precision 1.000 and recall 0.500 on these: threshold ";
    assert!(said.contains(expected), "{said}");
    let page = fs::read_to_string(here.join("fourth/report.html")).unwrap();
    assert!(page.contains("but these labels chose the threshold"), "{page}");
}

/// The rows of a table, and those of them that `scores.csv` says are flagged.
fn scores(folder: &Path) -> (usize, Vec<usize>) {
    let text = fs::read_to_string(folder.join("scores.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let flagged = rows.iter().filter(|row| row[3] == "yes").map(|row| row[0].parse().unwrap());
    (rows.len(), flagged.collect())
}

/// Two detectors score the halves. Their scores are put on one scale, so that shares, labels and AUROC are of all
/// rows: 10 of 300 are anomalies, and a share of 0.1 flags 30 rows whatever half they are in.
#[test]
fn a_table_alone_is_scored_by_detectors_that_have_not_seen_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("all.csv"), 290, 10);
    let said =
        succeed(here, &format!("detect --data all.csv --trim 0.05 --contamination 0.1 {QUICK}"));
    assert!(said.contains("in each of two detectors"), "{said}");
    assert!(
        said.contains(
            "the 10 % of the scored rows with the largest scores are flagged: threshold of -ln p "
        ),
        "{said}"
    );
    for method in ["ours  30", "kNN   30", "PCA   30"] {
        assert!(said.contains(&format!("\n{method} of 300 flagged")), "{said}");
    }
    let (count, flagged) = scores(&here.join("all-anomalies"));
    assert_eq!((count, flagged.len()), (300, 30));
    assert!(flagged.iter().filter(|row| **row >= 290).count() >= 9, "{flagged:?}");

    // The labels of the scored rows choose one threshold for both halves.
    let line =
        format!("detect --data all.csv --labels all.csv --recall 0.8 --json --out two {QUICK}");
    let value: serde_json::Value = serde_json::from_str(&succeed(here, &line)).unwrap();
    assert_eq!(value["thresholds"].as_array().unwrap().len(), 1, "{value}");
    let note = value["note"].as_str().unwrap();
    assert!(
        note.contains("by 300 labelled rows, which are the scored ones")
            && note.contains("recall 0.800"),
        "{note}"
    );
    let (_, flagged) = scores(&here.join("two"));
    assert_eq!(flagged.iter().filter(|row| **row >= 290).count(), 8, "{flagged:?}");
    assert!(value["methods"][0]["auroc"].as_f64().unwrap() > 0.95, "{value}");

    // Those of other rows choose a threshold for each half.
    table(&here.join("known.csv"), 40, 10);
    let line = format!("detect --data all.csv --labels known.csv --json --out three {QUICK}");
    let value: serde_json::Value = serde_json::from_str(&succeed(here, &line)).unwrap();
    assert_eq!(value["thresholds"].as_array().unwrap().len(), 2, "{value}");
    assert!(
        value["note"].as_str().unwrap().contains("by 50 labelled rows, with precision"),
        "{value}"
    );
}

/// A file to score needs no labels. Where the column of `--label-column` is absent, no other column is taken for it.
#[test]
fn the_label_column_may_be_absent_where_no_labels_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("labelled.csv"), 100, 5);
    let text = fs::read_to_string(here.join("labelled.csv")).unwrap();
    fs::write(here.join("kind.csv"), text.replace("label", "kind")).unwrap();
    let without = |line: &str| line.rsplit_once(',').unwrap().0.to_owned() + "\n";
    fs::write(here.join("bare.csv"), text.lines().map(without).collect::<String>()).unwrap();
    // Another column whose name means labels.
    fs::write(here.join("class.csv"), text.replace("label", "class")).unwrap();
    let output = |line: &str| {
        let quick = if line.contains(".detector") { "--device cpu" } else { QUICK };
        let output = common::ae(here, &format!("detect {line} --json {quick}"));
        assert!(output.status.success(), "{line}: {}", common::text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let value = output("--data kind.csv --score bare.csv --label-column kind --out a");
    assert_eq!(
        (&value["scored"], &value["methods"][0]["auroc"]),
        (&105.into(), &serde_json::Value::Null)
    );
    let value = output("--data kind.csv --score class.csv --label-column kind --out b");
    assert_eq!(
        (&value["scored"], &value["methods"][0]["auroc"]),
        (&105.into(), &serde_json::Value::Null)
    );
    assert!(!fs::read_to_string(here.join("b/scores.csv")).unwrap().starts_with("sample,label"));
    let header = fs::read_to_string(here.join("b/scores.csv")).unwrap();
    assert_eq!(
        header.lines().next().unwrap(),
        "sample,score,p,flagged,because,kNN_p,PCA_p,IForest_p"
    );
    let value = output("--data bare.csv --score kind.csv --label-column kind --out c");
    assert!(value["methods"][0]["auroc"].as_f64().is_some(), "{value}");
    let value = output("a/kind.detector --data kind.csv --out d");
    assert!(
        value["methods"][0]["auroc"].as_f64().is_some(),
        "the column is known to the detector: {value}"
    );
    let value = output("a/kind.detector --data bare.csv --out f");
    assert_eq!(value["scored"], 105);
    for (line, expected) in [
        (
            "--data bare.csv --label-column kind",
            "bare.csv: expected a label column named `kind`, got the columns `length`, `width`, `height`",
        ),
        (
            "--data class.csv --score kind.csv --label-column kind",
            "--label-column: class.csv has no column `kind`, and its column `class` would be read as labels instead \
             of `kind`; rename it",
        ),
    ] {
        assert_eq!(fail(here, &format!("detect {line} --out e {QUICK}")), expected);
    }
}

/// Rows that are not scored are counted: those without a label, and the training set of a source with a test set.
#[test]
fn rows_left_out_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("normal.csv"), 100, 0);
    table(&here.join("new.csv"), 40, 10);
    let text = fs::read_to_string(here.join("new.csv")).unwrap();
    fs::write(here.join("new.csv"), text + "0.1,0.2,0.3,\n0.1,0.2,0.3,NA\n").unwrap();
    let line = format!("detect --data normal.csv --score new.csv --json --out one {QUICK}");
    let value: serde_json::Value = serde_json::from_str(&succeed(here, &line)).unwrap();
    assert_eq!((&value["scored"], &value["left_out"]), (&50.into(), &2.into()));
    assert_eq!(value["notes"][0], "2 rows of new.csv are left out: they have no label");
    let page = fs::read_to_string(here.join("one/report.html")).unwrap();
    assert!(page.contains("2 rows of new.csv are left out"), "{page}");

    // A folder of IDX files, with 60 training images and 25 test images of 2 x 3 pixels.
    let idx = here.join("idx");
    fs::create_dir(&idx).unwrap();
    for (name, count) in [("train", 60u8), ("t10k", 25)] {
        let images = [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 3];
        let pixels =
            (0..u32::from(count) * 6).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
        let images: Vec<u8> = images.into_iter().chain(pixels).collect();
        fs::write(idx.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        let labels = [0, 0, 8, 1, 0, 0, 0, count].into_iter().chain((0..count).map(|row| row % 2));
        fs::write(idx.join(format!("{name}-labels-idx1-ubyte")), labels.collect::<Vec<_>>())
            .unwrap();
    }
    let line = format!("detect --data idx --json --out two {QUICK}");
    let value: serde_json::Value = serde_json::from_str(&succeed(here, &line)).unwrap();
    assert_eq!((&value["scored"], &value["left_out"]), (&25.into(), &0.into()), "{value}");
    assert_eq!(
        value["notes"][0],
        "idx: trained on its 60 training samples; its 25 test samples are scored"
    );
    let line = "detect two/idx.detector --data idx --json --out three --device cpu";
    let value: serde_json::Value = serde_json::from_str(&succeed(here, line)).unwrap();
    assert_eq!((&value["scored"], &value["left_out"]), (&25.into(), &60.into()), "{value}");
}

/// Each is one sentence, comes before the training (of more steps than there is time for), and nothing is written.
#[test]
fn unsuitable_input_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("normal.csv"), 100, 0);
    table(&here.join("more.csv"), 100, 0);
    table(&here.join("new.csv"), 30, 10);
    table(&here.join("few.csv"), 9, 0);
    table(&here.join("some.csv"), 30, 0);
    let text = fs::read_to_string(here.join("normal.csv")).unwrap();
    fs::write(here.join("holes.csv"), format!("{text}1.5,,2,0\n")).unwrap();
    fs::write(here.join("other.csv"), text.replace("width", "breadth")).unwrap();
    fs::write(here.join("constant.csv"), "a,b\n".to_owned() + &"1.5,2.5\n".repeat(60)).unwrap();
    let bare: String =
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    fs::write(here.join("bare.csv"), bare).unwrap();
    let signs = text.replace(",label", ",class").replace(",0\n", ",-1\n");
    fs::write(here.join("signs.csv"), signs + "1,2,3,1\n").unwrap();
    fs::write(here.join("broken.detector"), "not a detector").unwrap();
    let line = format!("detect --data normal.csv --out good {QUICK}");
    succeed(here, &line);
    let refused = |line: &str| {
        let trains = if line.contains(".detector") || line.contains("--steps") {
            ""
        } else {
            "--steps 1000000000"
        };
        let message = fail(here, &format!("detect {line} {trains} --device cpu --out out"));
        assert!(!here.join("out").exists(), "{line} wrote");
        message
    };
    let columns = "expected the columns of the model, with `width`, got `breadth` instead";
    for (line, expected) in [
        (
            "--data few.csv",
            "9 rows are too few to train on, to scale by and to calibrate on; expected at least 20",
        ),
        (
            "--data some.csv",
            "half of the rows, by which the other half is scored: 15 rows are too few to train on, to scale by and to \
             calibrate on; expected at least 20; or score other rows with --score",
        ),
        (
            "--data normal.csv --score more.csv --false-alarms 0.01",
            "1 false alarm in 100 needs 99 normal rows to calibrate on, got 20; the smallest possible rate is 1 in \
             21 (0.04762); ask for it, give more normal rows, or take --tail",
        ),
        (
            "--data normal.csv --false-alarms 0.06",
            "1 false alarm in 17 needs 16 normal rows to calibrate on, got 10; the smallest possible rate is 1 in \
             11 (0.09091); ask for it, give more normal rows, or take --tail",
        ),
        (
            "--data normal.csv --score more.csv --tail",
            "tail: expected at least 300 calibration rows, 30 of them in the tail, got 20 rows; give more normal rows",
        ),
        (
            "--data holes.csv",
            "1 cell is missing (the first is `width` of row 100), and anomaly detection needs all; fill them with \
             `ae impute`",
        ),
        (
            "--data normal.csv --score holes.csv",
            "1 cell is missing (the first is `width` of row 100), and anomaly detection needs all; fill them with \
             `ae impute`",
        ),
        (
            "--data normal.csv --score normal.csv",
            "--score: normal.csv is what the detector is trained on, and scores of such rows are too small; leave \
             --score out, and each half of the rows is scored by a detector of the other half",
        ),
        (
            "--data new.csv --score more.csv --labels new.csv",
            "--labels: new.csv is what the detector is trained on, and scores of such rows are too small; give other \
             labelled rows, or leave --score out to choose by rows that each half of the data scores of the other",
        ),
        ("--data normal.csv --score other.csv", &format!("other.csv: {columns}")),
        ("--data normal.csv --labels other.csv", &format!("other.csv: {columns}")),
        ("good/normal.detector --data other.csv", &format!("other.csv: {columns}")),
        (
            "--data normal.csv --score more.csv --by residual",
            "score residual: expected at most 500 features, and more than 5 scale rows for each of them, got 3 \
             features, 15 scale rows; take another score",
        ),
        (
            "good/normal.detector --data normal.csv --by residual",
            "score: expected one of all, error, latent, neighbours, joint, masked, rows, which this detector has, got \
             residual",
        ),
        (
            "--data normal.csv --contamination 2",
            "contamination: expected a share above 0 and below 1, got 2",
        ),
        ("--data normal.csv --trim 0.7", "trim: expected a share from 0, below 0.5, got 0.7"),
        ("--data normal.csv --steps 0", "steps: expected at least 1, got 0"),
        (
            "--data normal.csv --labels new.csv --recall 0",
            "recall: expected a number above 0 and at most 1, got 0",
        ),
        (
            "--data normal.csv --false-alarms 0",
            "rate of false alarms: expected a number above 0 and below 1, got 0",
        ),
        (
            "good/normal.detector --data more.csv --labels normal.csv",
            "--labels: expected normal rows and anomalies in normal.csv, got 100 normal rows and 0 anomalies",
        ),
        (
            "--data normal.csv --labels bare.csv",
            "--labels: expected samples with labels, got none in bare.csv; name their column with --label-column",
        ),
        (
            "--data normal.csv --labels signs.csv",
            "--labels: signs.csv: its labels do not say what an anomaly is (-1, 1); name that of the anomalies with \
             --anomaly",
        ),
        (
            "good/normal.detector --data normal.csv --anomaly broken",
            "--anomaly: expected one of the labels (0), got broken",
        ),
        (
            "--data normal.csv --labels new.csv --anomaly broken",
            "--anomaly: expected one of the labels (0, 1), got broken",
        ),
        (
            "--data bare.csv --anomaly 1",
            "--anomaly: needs labels, and what is scored has none; name their column with --label-column",
        ),
        (
            "--data normal.csv --resize 8x8",
            "resize: expected a folder of images to use it on, got a table (`normal.csv`)",
        ),
    ] {
        assert_eq!(refused(line), expected, "{line}");
    }
    let broken = refused("broken.detector --data normal.csv");
    assert!(broken.starts_with("broken.detector: expected a safetensors file"), "{broken}");
    let absent = refused("absent.detector --data normal.csv");
    assert!(absent.starts_with("absent.detector: No such file"), "{absent}");
    // What only the training rows that were drawn show.
    let constant = fail(here, &format!("detect --data constant.csv --out out {QUICK}"));
    assert!(constant.starts_with("no column varies in the training rows"), "{constant}");
    assert!(!here.join("out").exists());
    let used = fail(here, &format!("detect --data few.csv --out good {QUICK}"));
    assert_eq!(used, "good: the folder has files already; give another one with --out, or --force");
    let line = format!("detect --data normal.csv --out . --force {QUICK}");
    let expected =
        "normal.csv: it is in the folder . that the results go to; give another one with --out";
    assert_eq!(fail(here, &line), expected);
    // A folder that cannot be made.
    let line = "detect --data normal.csv --out normal.csv/out --steps 1000000000 --device cpu";
    assert!(fail(here, line).starts_with("normal.csv/out: "), "{}", fail(here, line));
}

/// Rows that all come from elsewhere are told of; a few anomalies among normal rows are not.
#[test]
fn rows_from_elsewhere_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(&here.join("normal.csv"), 300, 0);
    table(&here.join("new.csv"), 40, 8);
    table(&here.join("odd.csv"), 0, 20);
    succeed(here, &format!("detect --data normal.csv --out good {QUICK}"));
    let output = |data: &str, out: &str| {
        let line =
            format!("detect good/normal.detector --data {data} --json --out {out} --device cpu");
        let output = common::ae(here, &line);
        assert!(output.status.success(), "{}", common::text(&output.stderr));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (common::text(&output.stderr), value["notes"].clone())
    };
    let (said, notes) = output("odd.csv", "a");
    let expected = "in 100 % of pairs of a scored row and a calibration row the scored one has the larger score";
    assert!(said.contains(&format!("warning: {expected}")), "{said}");
    assert!(
        notes.as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains(expected)),
        "{notes}"
    );
    let (said, notes) = output("new.csv", "b");
    assert!(!said.contains("of pairs") && notes == serde_json::json!([]), "{said} {notes}");
}

/// Twenty grey images of a slope, and one with a bright square: its heat is there, and the pixels are named.
#[test]
fn images_show_where_they_are_unusual() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir_all(here.join("normal")).unwrap();
    std::fs::create_dir_all(here.join("new")).unwrap();
    let slope = |seed: u32| {
        image::GrayImage::from_fn(8, 8, |x, y| {
            image::Luma([(10 * x + 8 * y + (seed * 7 + x * y * seed) % 23) as u8])
        })
    };
    for seed in 0..120 {
        slope(seed).save(here.join(format!("normal/{seed:03}.png"))).unwrap();
    }
    let mut odd = slope(3);
    for (x, y) in [(5, 1), (6, 1), (5, 2), (6, 2)] {
        odd.put_pixel(x, y, image::Luma([255]));
    }
    odd.save(here.join("new/odd.png")).unwrap();
    slope(4).save(here.join("new/same.png")).unwrap();
    let line =
        "detect --data normal --score new --steps 300 --false-alarms 0.1 --out out --device cpu";
    let said = succeed(here, line);
    let worst = said.lines().find(|line| line.contains("because of")).unwrap();
    assert!(worst.contains("odd.png"), "{said}");
    let named = ["row 1 column 5", "row 1 column 6", "row 2 column 5", "row 2 column 6"];
    assert!(named.iter().any(|pixel| worst.contains(pixel)), "{said}");
    let page = std::fs::read_to_string(here.join("out/report.html")).unwrap();
    assert_eq!(page.matches("<img").count(), 2, "a picture for each scored image");
}
