//! The program as a user meets it.

mod common;

use std::path::Path;

use common::{ae, fail, succeed, text};

const SMALL: &str = "--digits 400,80 --channels 4,8 --code 8 --epochs 2 --batch 32 --device cpu";

#[test]
fn a_run_from_training_to_report() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let said = succeed(here, &format!("train {SMALL} --corrupt masking:0.25 --l1 0.01"));
    assert!(said.contains("squared error per test sample"), "{said}");
    assert!(said.contains("report: runs/digits-conv-8/report.html"), "{said}");
    let run = here.join("runs/digits-conv-8");
    for file in [
        "recipe.toml",
        "model.safetensors",
        "model.json",
        "metrics.jsonl",
        "summary.json",
        "report.html",
        "figures/loss.svg",
        "figures/codes.svg",
        "figures/reconstructions.png",
        "figures/filters.png",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }

    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    for part in [
        "corrupted (masking 0.25)",
        "PCA, 8 components",
        "channels = [4, 8]",
        "prefers-color-scheme",
    ] {
        assert!(page.contains(part), "the page has no {part}");
    }
    // One file that opens offline: it asks for nothing, anywhere.
    for outside in ["src=\"http", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "the page has {outside}");
    }

    let measured = succeed(here, "eval runs/digits-conv-8 --device cpu");
    assert!(measured.contains("digits, test part: 80 samples"), "{measured}");
    let json = succeed(here, "eval runs/digits-conv-8 --device cpu --json --part validation");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["samples"], 40);

    succeed(here, "encode runs/digits-conv-8 --device cpu --out codes.csv");
    let codes = std::fs::read_to_string(here.join("codes.csv")).unwrap();
    assert!(codes.starts_with("code_0,code_1,") && codes.lines().count() == 81);
    succeed(here, "encode runs/digits-conv-8 --device cpu --out codes.npy");
    let said = succeed(here, "data preview --data codes.npy");
    assert!(said.contains("72 samples of 8 columns"), "{said}");

    succeed(here, "reconstruct runs/digits-conv-8 --device cpu --out sheet.png");
    assert!(std::fs::read(here.join("sheet.png")).unwrap().starts_with(b"\x89PNG"));
    succeed(here, "reconstruct runs/digits-conv-8 --device cpu --out rows.npy -n 5");

    std::fs::remove_file(run.join("report.html")).unwrap();
    succeed(here, "report runs/digits-conv-8 --device cpu");
    assert_eq!(std::fs::read_to_string(run.join("report.html")).unwrap(), page);
}

#[test]
fn the_same_command_gives_the_same_model_and_a_recipe_gives_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let weights = |run: &str| std::fs::read(here.join(run).join("model.safetensors")).unwrap();
    succeed(here, &format!("train {SMALL} --out a"));
    succeed(here, &format!("train {SMALL} --out b"));
    succeed(here, "train --recipe a/recipe.toml --device cpu --out c");
    succeed(here, &format!("train {SMALL} --seed 1 --out d"));
    assert!(weights("a") == weights("b") && weights("a") == weights("c"));
    assert!(weights("a") != weights("d"));
    // The recipe on other data: what it says of the digits is not said of these.
    write_pictures(&here.join("pictures"), 60);
    succeed(here, "train --recipe a/recipe.toml --data pictures --epochs 1 --device cpu --out e");
    std::fs::remove_file(here.join("pictures/0007.png")).unwrap();
    let changed = ae(here, "eval e --device cpu");
    assert!(changed.status.success());
    assert!(text(&changed.stderr).contains("may hold samples that it was trained on"));
    let said = fail(here, "report e --device cpu");
    assert!(said.starts_with("pictures: the data has changed since the run was trained"), "{said}");
    let toml = |run: &str| std::fs::read_to_string(here.join(run).join("recipe.toml")).unwrap();
    assert_eq!(toml("a"), toml("c"));
}

/// Pictures of a sun over a sea: two places, three colours.
fn write_pictures(folder: &Path, count: u32) {
    std::fs::create_dir_all(folder).unwrap();
    for i in 0..count {
        let part = |of: u32| f64::from(i * 7919 % of) / f64::from(of);
        let (sun, sea) =
            ([8.0 + 37.0 * part(101), 4.0 + 14.0 * part(103)], 20.0 + 12.0 * part(107));
        let picture = image::RgbImage::from_fn(53, 37, |x, y| {
            let (x, y) = (f64::from(x), f64::from(y));
            let is_sun = (x - sun[0]).hypot(y - sun[1]) < 6.0;
            let color = match (y > sea, is_sun) {
                (true, _) => [0.1, 0.3 * part(109), 0.5 + 0.4 * part(113)],
                (false, true) => [1.0, 0.6 + 0.4 * part(127), 0.2],
                (false, false) => [0.5 * part(131), 0.6, 0.7 + 0.3 * y / sea],
            };
            image::Rgb(color.map(|value| (255.0 * value) as u8))
        });
        picture.save(folder.join(format!("{i:04}.png"))).unwrap();
    }
}

#[test]
fn colour_pictures_of_odd_size_come_back_at_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_pictures(&here.join("pictures"), 300);
    let recipe = "--data pictures --channels 8,16 --code 16";
    let said = succeed(here, &format!("train {recipe} --device cpu --out run"));
    assert!(said.contains("squared error per test sample"), "{said}");
    let summary = std::fs::read_to_string(here.join("run/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let error = summary["test"]["squared_error"].as_f64().unwrap();
    let mean = summary["mean_error"].as_f64().unwrap();
    assert!(error <= mean / 2.0, "{error} beside {mean} of the mean picture");
    succeed(here, "reconstruct run --device cpu --out back.npy -n 4");
    let said = succeed(here, "data preview --data back.npy");
    assert!(said.contains("samples of 3x37x53"), "{said}");

    // Without other data a command is about the run's own, whatever else is said of it.
    let said = succeed(here, "eval run --data-seed 3 --device cpu");
    assert!(said.starts_with("pictures, test part: 30 samples"), "{said}");
    // Of other data all is taken, in the order of the files.
    let said = succeed(here, "encode run --data pictures --device cpu --out codes.csv");
    assert!(said.starts_with("300 codes"), "{said}");
    std::fs::create_dir(here.join("other")).unwrap();
    let red = image::RgbImage::from_pixel(53, 36, image::Rgb([200, 0, 0]));
    red.save(here.join("other/one.png")).unwrap();
    assert_eq!(
        fail(here, "eval run --data other --device cpu"),
        "other: expected samples of 3x37x53, as the model has, got 3x36x53"
    );
    assert_eq!(
        fail(here, "eval run --data digits --part all --device cpu"),
        "digits: expected samples of 3x37x53, as the model has, got 1x28x28"
    );
}

#[test]
fn a_table_is_learned_and_reported_by_column() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let row = |i: u32| {
        let (t, u) = (f64::from(i % 17), f64::from(i % 5));
        format!("{t},{},{u},{}\n", 100.0 * t + u, t - u)
    };
    let rows: String = (0..300).map(row).collect();
    std::fs::write(here.join("table.csv"), format!("t,<b>sum</b>,u,difference\n{rows}")).unwrap();
    let said = succeed(here, "train --data table.csv --epochs 20 --lr 0.01 --device cpu --out run");
    assert!(said.contains("squared error per test sample"), "{said}");
    let page = std::fs::read_to_string(here.join("run/report.html")).unwrap();
    assert!(page.contains("How well each column comes back"));
    assert!(page.contains("&lt;b&gt;sum") && !page.contains("<b>sum"), "names are escaped");
    succeed(here, "reconstruct run --device cpu --out back.csv");
    let back = std::fs::read_to_string(here.join("back.csv")).unwrap();
    assert!(back.starts_with("t,<b>sum</b>,u,difference\n") && back.lines().count() == 31);
    let turned: String = (0..40).map(|i| format!("{i},{},1,2\n", 100 * i)).collect();
    std::fs::write(here.join("turned.csv"), format!("u,<b>sum</b>,t,difference\n{turned}"))
        .unwrap();
    assert_eq!(
        fail(here, "eval run --data turned.csv --device cpu"),
        "turned.csv: expected the columns in the order of the run, t, <b>sum</b>, u, difference; \
         got u, <b>sum</b>, t, difference"
    );
    assert_eq!(
        fail(here, "reconstruct run --device cpu --out back.png"),
        "back.png: expected .csv or .npy, since 4 columns is no image"
    );
}

#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
const NO_GPU_99: &str = "--device gpu:99: expected a number below <gpus>, as `ae devices` shows";
#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
const NO_VOODOO2: &str =
    "--device Voodoo2: no device has that in its name; `ae devices` lists what there is";
#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
const NO_GPU_99: &str = "--device gpu:99: this program is built for the CPU only; for a GPU as well: cargo run --release \
     --features gpu, or cargo install --path crates/ae-cli --features gpu";
#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
const NO_VOODOO2: &str = "--device Voodoo2: this program is built for the CPU only; for a GPU as well: cargo run --release \
     --features gpu, or cargo install --path crates/ae-cli --features gpu";

/// Every message, as prose.
#[test]
fn what_cannot_be_is_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("table.csv"), "a,b\n1,2\n3,4\n5,6\n7,8\n").unwrap();
    std::fs::write(here.join("recipe.toml"), "[schedule]\nepochs = 'many'\n").unwrap();
    std::fs::write(here.join("other.toml"), "epochs = 3\n").unwrap();
    std::fs::create_dir(here.join("full")).unwrap();
    std::fs::write(here.join("full/file"), "").unwrap();
    for (line, message) in [
        (
            "train --model dense --channels 8",
            "model: `channels` is not for a dense model, which has activation, code, \
             code_activation, hidden, kept, kind, output, tied",
        ),
        ("train --code 0", "code: expected a number above 0, got 0"),
        ("train --kernel 4", "kernel: expected an odd number from 3, got 4"),
        (
            "train --data table.csv --model conv",
            "a convolutional model needs images, and this is a table of 2 columns: take --model \
             dense",
        ),
        (
            "train --data table.csv --loss cross-entropy",
            "cross-entropy: expected a model with a sigmoid output, got one with identity; give \
             the model a sigmoid output, or take squared error",
        ),
        (
            "train --data table.csv --loss cross-entropy --output sigmoid",
            "feature 0 of sample 0: expected a number in [0, 1], as cross-entropy needs, got \
             -1; bring features there with min-max preprocessing, or take squared error",
        ),
        ("train --batch 0", "batch size: expected at least 1, got 0"),
        ("train --lr -1", "learning rate: expected a number above 0, got -1"),
        ("train --clip 0", "gradient norm to clip at: expected a number above 0, got 0"),
        ("train --l1 -2", "penalty weight: expected a number from 0, got -2"),
        (
            "train --validation 1",
            "validation part: expected a fraction below 1, or 0 for none, got 1",
        ),
        (
            "train --corrupt masking:2",
            "[objective] probability: expected a number in [0, 1], got 2",
        ),
        (
            "train --loss hinge",
            "[objective] unknown variant `hinge`, expected `squared-error` or `cross-entropy`",
        ),
        ("train --recipe recipe.toml", "[schedule] invalid type: string \"many\", expected usize"),
        (
            "train --recipe other.toml",
            "other.toml: expected the sections data, model, objective, schedule, got `epochs`",
        ),
        ("train --recipe none.toml", "none.toml: No such file or directory (os error 2)"),
        (
            "train --out full",
            "full: expected a new or empty folder, got one with files; to go on with the run in \
             it: ae train --resume full",
        ),
        ("train --resume full", "full: expected the folder of a run, got one without recipe.toml"),
        ("eval full", "full: expected the folder of a run, got one without recipe.toml"),
        ("train --checkpoint-minutes 0", "--checkpoint-minutes: expected a number above 0, got 0"),
        ("train --device gpu:99", NO_GPU_99),
        ("train --device Voodoo2", NO_VOODOO2),
    ] {
        let line = match line.contains("--device") || line.starts_with("eval") {
            true => line.to_owned(),
            false => format!("{line} --device cpu"),
        };
        let mut said = fail(here, &line);
        if let Some((before, after)) = said.split_once("a number below ")
            && line.contains("gpu:99")
        {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            said = format!("{before}a number below <gpus>{rest}");
        }
        assert_eq!(said, message, "ae {line}");
        assert!(!here.join("runs").exists(), "a refused run leaves no folder");
    }
}

#[test]
fn devices_and_data_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let devices = succeed(folder.path(), "devices");
    let lines: Vec<&str> = devices.lines().collect();
    assert!(lines[0].starts_with("cpu    "), "{devices}");
    assert!(lines[lines.len() - 2].starts_with("built for "), "{devices}");
    assert!(lines[lines.len() - 1].starts_with("--device auto t"), "{devices}");
    let is_for_cpu = !cfg!(any(feature = "wgpu", feature = "cuda", feature = "rocm"));
    assert_eq!(lines[lines.len() - 2] == "built for the CPU", is_for_cpu, "{devices}");
    let data = succeed(folder.path(), "data list");
    for name in ["digits", "mnist", "fashion-mnist", "kmnist", "emnist-letters", "cifar10"] {
        assert!(data.contains(name), "{data}");
    }
    let said = succeed(folder.path(), "data fetch digits");
    assert_eq!(said, "digits: 20,000 samples to train on, 2,000 to test\n");
    let said = fail(folder.path(), "data fetch photos");
    assert!(
        said.starts_with("data set: expected one of digits, rectangles, convex, curves, mnist, "),
        "{said}"
    );
    let said = succeed(folder.path(), "data preview --digits 50,10 --out sheet.png");
    assert!(said.contains("training part: 50 samples of 1x28x28"), "{said}");
    assert!(folder.path().join("sheet.png").is_file());

    let said = succeed(folder.path(), "data export --digits 50,10 --validation 0.2 --out arrays");
    assert!(
        said.contains("40 samples of 1x28x28 to train on, 10 to validate, 10 to test"),
        "{said}"
    );
    assert!(said.ends_with("arrays/test.npy\narrays/test-labels.npy\n"), "{said}");
    let back = "data preview --data arrays/validation.npy --labels arrays/validation-labels.npy";
    assert!(succeed(folder.path(), back).contains("of 1x28x28"));
    // What an export has no part for is not left of another.
    succeed(folder.path(), "data export --digits 50,10 --out arrays");
    assert!(!folder.path().join("arrays/validation.npy").exists());
}
