//! Which part of the data each number of a run is of. Training, validation and test part are so unlike each
//! other that a number tells its part.

mod common;

use std::path::Path;

use ae_data::{Samples, Shape, idx, split};
use ae_models::{Autoencoder, Model, load};
use burn::tensor::{Device, Tensor, TensorData};
use common::succeed;
use serde_json::Value;

/// Images of 4x4 pixels.
const PIXELS: usize = 16;
/// Of 80 images to train on a quarter is held out.
const TRAINING: usize = 80;
const TEST: usize = 20;
const PARTS: &str = "--validation 0.25 --data-seed 0 --device cpu";

/// Whether each of the images to train on is held out for the validation.
fn held_out() -> Vec<bool> {
    let numbers = (0..TRAINING).map(|number| number as f32).collect();
    let numbers = Samples::from_floats(numbers, Shape::table(1)).unwrap();
    let (_, held_out) = split(&numbers, 0.25, 0).unwrap();
    let rows: Vec<usize> = (0..held_out.len()).map(|row| held_out.row(row)[0] as usize).collect();
    (0..TRAINING).map(|number| rows.contains(&number)).collect()
}

/// A folder of IDX files: images to train on and to test on, each with its class.
fn write(folder: &Path, training: &[([u8; PIXELS], u8)], test: &[([u8; PIXELS], u8)]) {
    std::fs::create_dir(folder).unwrap();
    for (part, rows) in [("train", training), ("t10k", test)] {
        let pixels = rows.iter().flat_map(|(pixels, _)| *pixels).collect();
        let images = Samples::from_bytes(pixels, Shape::image(1, 4, 4)).unwrap();
        let classes: Vec<u8> = rows.iter().map(|(_, class)| *class).collect();
        idx::write_images(&folder.join(format!("{part}-images-idx3-ubyte")), &images).unwrap();
        idx::write_labels(&folder.join(format!("{part}-labels-idx1-ubyte")), &classes).unwrap();
    }
}

fn summary(folder: &Path, run: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(run).join("summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn assert_near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found / expected - 1.0).abs() < 1e-4, "{found}, expected {expected}");
}

/// A grey of 100 with an amount of stripes, and of halves: the two are orthogonal.
fn striped(stripes: i32, halves: i32) -> [u8; PIXELS] {
    std::array::from_fn(|place| {
        let stripe = if place % 2 == 0 { stripes } else { -stripes };
        let half = if place < PIXELS / 2 { halves } else { -halves };
        (100 + stripe + half) as u8
    })
}

type Rows = Vec<[f64; PIXELS]>;

fn error(rows: &Rows, of: impl Fn(&[f64; PIXELS]) -> Vec<f64>) -> f64 {
    let squares = |row: &[f64; PIXELS]| -> f64 {
        row.iter().zip(of(row)).map(|(x, y)| (x - y).powi(2)).sum()
    };
    rows.iter().map(squares).sum::<f64>() / rows.len() as f64
}

/// Training images lie on a line, so one component has them all; those of validation lie 30 of 255 off it
/// in each of 16 pixels, those of the test 60.
#[test]
fn every_error_is_that_of_its_part() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut rows = [Rows::new(), Rows::new(), Rows::new()];
    let mut add = |part: usize, pixels: [u8; PIXELS]| {
        rows[part].push(pixels.map(|pixel| f64::from(pixel) / 255.0));
        (pixels, 0)
    };
    let stripes = |number: usize| (number * 7 % 41) as i32 - 20;
    let training: Vec<_> = held_out()
        .into_iter()
        .enumerate()
        .map(|(number, is_held_out)| match is_held_out {
            false => add(0, striped(stripes(number), 0)),
            true => add(1, striped(stripes(number), 30)),
        })
        .collect();
    let test: Vec<_> = (0..TEST).map(|number| add(2, striped(stripes(number), 60))).collect();
    write(&here.join("set"), &training, &test);
    let [training, validation, test] = &rows;
    let mean: Vec<f64> = (0..PIXELS)
        .map(|place| training.iter().map(|row| row[place]).sum::<f64>() / training.len() as f64)
        .collect();
    let [nearer, farther] = [30.0f64, 60.0].map(|off| PIXELS as f64 * (off / 255.0).powi(2));

    succeed(here, &format!("train --data set --model pca --code 1 {PARTS} --out pca"));
    let pca = summary(here, "pca");
    assert_eq!(pca["samples"], serde_json::json!([60, 20, 20]));
    assert_near(&pca["test"]["squared_error"], farther);
    assert_near(&pca["pca"]["squared_error"], farther);
    assert_near(&pca["mean_error"], error(test, |_| mean.clone()));
    let eval = |run: &str, part: &str| -> Value {
        let json = succeed(here, &format!("eval {run} --split {part} --json --device cpu"));
        serde_json::from_str(&json).unwrap()
    };
    assert_near(&eval("pca", "validation")["squared_error"], nearer);
    assert!(eval("pca", "training")["squared_error"].as_f64().unwrap() < 1e-9);

    // All of an image is masked: the error of what is noisy is that of black ones.
    let line = "train --data set --model dense --hidden none --code 1 --epochs 1 --batch 10 --lr 0.01 \
                --corrupt masking:1 --linear-path off";
    succeed(here, &format!("{line} {PARTS} --out dense"));
    let (model, metadata) =
        load::<Model>(&here.join("dense/model.safetensors"), &Device::flex()).unwrap();
    let answer = |row: &[f64; PIXELS]| -> Vec<f64> {
        let row = TensorData::new(row.map(|x| x as f32).to_vec(), [1, PIXELS]);
        let answer = model.reconstruct(Tensor::from_data(row, &Device::flex()));
        answer.into_data().iter::<f64>().collect()
    };
    let dense = summary(here, "dense");
    assert_near(&dense["test"]["squared_error"], error(test, answer));
    assert_near(&dense["pca"]["squared_error"], farther);
    assert_near(&dense["mean_error"], error(test, |_| mean.clone()));
    assert_near(&dense["denoising"]["corrupted_error"], error(test, |_| vec![0.0; PIXELS]));
    // Of the weights that were kept: those of the first epoch, or the initial ones.
    let kept = match metadata.provenance["epoch"].as_str() {
        "0" => &dense["initial"]["evaluation"],
        _ => &dense["epochs"][0]["validation"]["evaluation"],
    };
    assert_near(&kept["squared_error"], error(validation, answer));
    for (part, rows) in [("training", training), ("validation", validation), ("test", test)] {
        assert_near(&eval("dense", part)["squared_error"], error(rows, answer));
    }
}

/// Of 60 images to learn from four are brighter on one side, and of class 1: the first steps learn that all is
/// of class 0, later ones tell them apart. Of the validation part half are of each class, so a late epoch
/// is its best one. The test calls all of them class 0: it has no errors in the beginning and half of them
/// wrong in the end. Nothing may be chosen by it, and it is what is reported.
#[test]
fn the_test_part_chooses_no_epoch_of_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let image = |class: u8| -> [u8; PIXELS] {
        std::array::from_fn(|place| if class == 1 && place >= PIXELS / 2 { 153 } else { 102 })
    };
    let mut counts = [0; 2];
    let training: Vec<_> = held_out()
        .into_iter()
        .map(|is_held_out| {
            let count = &mut counts[usize::from(is_held_out)];
            *count += 1;
            let class = u8::from(if is_held_out { *count % 2 == 0 } else { *count % 15 == 0 });
            (image(class), class)
        })
        .collect();
    let test: Vec<_> = (0..TEST).map(|number| (image((number % 2) as u8), 0)).collect();
    write(&here.join("set"), &training, &test);
    succeed(
        here,
        &format!(
            "train --data set --model dense --hidden none --code 4 --epochs 0 {PARTS} --out run"
        ),
    );

    let line = "--head softmax --epochs 200 --batch 16 --warm-up 0 --decay constant --device cpu";
    succeed(here, &format!("finetune run {line} --lr 0.01 --label-counts 50 --out tuned"));
    succeed(here, &format!("classify run {line} --lr 0.1 --out headed"));
    for run in ["tuned", "headed"] {
        let summary = summary(here, run);
        assert_eq!(summary["samples"], serde_json::json!([60, 20, 20]));
        let epochs = summary["epochs"].as_array().unwrap();
        let right: Vec<_> = epochs
            .iter()
            .map(|epoch| epoch["validation"]["classification"]["correct"].as_u64().unwrap())
            .collect();
        assert!(right[0] == 10 && right.contains(&20), "{run}: {right:?}");
        assert_eq!(summary["test"]["correct"], 10, "{run}");
        assert_eq!(summary["error"], 0.5, "{run}");
    }
    let few = &summary(here, "tuned")["curve"][0];
    assert_eq!(few["labels"], 50);
    assert_eq!(few["from_run"], 0.5, "{few}");
    assert_eq!(few["from_random"], 0.5, "{few}");
}

/// What a grid says of its data is of the folder that it began in.
#[test]
fn a_sweep_goes_on_from_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String = (0..40).map(|i| format!("{i},{}\n", i % 7)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b\n{rows}")).unwrap();
    succeed(here, "sweep --data table.csv --codes 1,2 --epochs 1 --device cpu --out S");
    std::fs::remove_file(here.join("S/code-2/report.html")).unwrap();
    std::fs::create_dir(here.join("elsewhere")).unwrap();
    let line = format!("sweep --resume {} --device cpu", here.join("S").display());
    succeed(&here.join("elsewhere"), &line);
    assert!(here.join("S/code-2/report.html").is_file());
}
