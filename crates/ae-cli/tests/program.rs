//! The program end to end, as a user runs it.

mod common;

use std::path::Path;

use common::{ae, fail, succeed, text};

const SMALL: &str = "--digits 400,80 --channels 4,8 --code 8 --epochs 2 --batch 32 --device cpu";

#[test]
fn a_run_from_training_to_report() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let printed = succeed(here, &format!("train {SMALL} --corrupt masking:0.25 --l1 0.01"));
    assert!(printed.contains("squared error per test sample"), "{printed}");
    assert!(printed.contains("report: runs/digits-conv-8/report.html"), "{printed}");
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
    // One file that opens offline: it loads nothing.
    for outside in ["src=\"http", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "the page has {outside}");
    }

    let measured = succeed(here, "eval runs/digits-conv-8 --device cpu");
    assert!(measured.contains("digits, test set: 80 samples"), "{measured}");
    let json = succeed(here, "eval runs/digits-conv-8 --device cpu --json --split validation");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["samples"], 40);

    succeed(here, "encode runs/digits-conv-8 --device cpu --out codes.csv");
    let codes = std::fs::read_to_string(here.join("codes.csv")).unwrap();
    assert!(codes.starts_with("sample,code_0,code_1,") && codes.lines().count() == 81);
    succeed(here, "encode runs/digits-conv-8 --device cpu --out codes.npy");
    let printed = succeed(here, "data preview --data codes.npy");
    assert!(printed.contains("72 samples of 8 columns"), "{printed}");

    succeed(here, "reconstruct runs/digits-conv-8 --device cpu --out sheet.png");
    assert!(std::fs::read(here.join("sheet.png")).unwrap().starts_with(b"\x89PNG"));
    succeed(here, "reconstruct runs/digits-conv-8 --device cpu --out rows.npy -n 5");

    std::fs::remove_file(run.join("report.html")).unwrap();
    succeed(here, "report runs/digits-conv-8 --device cpu");
    assert_eq!(std::fs::read_to_string(run.join("report.html")).unwrap(), page);
}

#[test]
fn the_same_command_or_recipe_gives_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let weights = |run: &str| std::fs::read(here.join(run).join("model.safetensors")).unwrap();
    succeed(here, &format!("train {SMALL} --out a"));
    succeed(here, &format!("train {SMALL} --out b"));
    succeed(here, "train --recipe a/recipe.toml --device cpu --out c");
    succeed(here, &format!("train {SMALL} --seed 1 --out d"));
    assert!(weights("a") == weights("b") && weights("a") == weights("c"));
    assert!(weights("a") != weights("d"));
    // On other data the recipe's data settings do not apply.
    write_pictures(&here.join("pictures"), 60);
    succeed(here, "train --recipe a/recipe.toml --data pictures --epochs 1 --device cpu --out e");
    std::fs::remove_file(here.join("pictures/0007.png")).unwrap();
    let changed = ae(here, "eval e --device cpu");
    assert!(changed.status.success());
    assert!(text(&changed.stderr).contains("may contain training samples"));
    let printed = fail(here, "report e --device cpu");
    assert!(
        printed.starts_with("pictures: the data has changed since the run was trained"),
        "{printed}"
    );
    let toml = |run: &str| std::fs::read_to_string(here.join(run).join("recipe.toml")).unwrap();
    assert_eq!(toml("a"), toml("c"));
}

/// Pictures of a sun over the sea, with random positions and colours.
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
fn colour_pictures_of_odd_size_are_reconstructed_at_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_pictures(&here.join("pictures"), 300);
    let recipe = "--data pictures --channels 8,16 --code 16";
    let printed = succeed(here, &format!("train {recipe} --device cpu --out run"));
    assert!(printed.contains("squared error per test sample"), "{printed}");
    let summary = std::fs::read_to_string(here.join("run/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let error = summary["test"]["squared_error"].as_f64().unwrap();
    let mean = summary["mean_error"].as_f64().unwrap();
    assert!(error <= mean / 2.0, "{error}, that of the mean picture {mean}");
    succeed(here, "reconstruct run --device cpu --out back.npy -n 4");
    let printed = succeed(here, "data preview --data back.npy");
    assert!(printed.contains("samples of 3x37x53"), "{printed}");

    // Without --data a command uses the data of the run, also with other data options.
    let printed = succeed(here, "eval run --data-seed 3 --device cpu");
    assert!(printed.starts_with("pictures, test set: 30 samples"), "{printed}");
    // Of other data all samples are used, in the order of the files.
    let printed = succeed(here, "encode run --data pictures --device cpu --out codes.csv");
    assert!(printed.starts_with("300 codes"), "{printed}");
    std::fs::create_dir(here.join("other")).unwrap();
    let red = image::RgbImage::from_pixel(53, 36, image::Rgb([200, 0, 0]));
    red.save(here.join("other/one.png")).unwrap();
    assert_eq!(
        fail(here, "eval run --data other --device cpu"),
        "other: expected samples of 3x37x53, as the model was trained on, got 3x36x53"
    );
    assert_eq!(
        fail(here, "eval run --data digits --split all --device cpu"),
        "digits: expected samples of 3x37x53, as the model was trained on, got 1x28x28"
    );
}

#[test]
fn a_table_is_trained_and_reported_by_column() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let row = |i: u32| {
        let (t, u) = (f64::from(i % 17), f64::from(i % 5));
        format!("{t},{},{u},{}\n", 100.0 * t + u, t - u)
    };
    let rows: String = (0..300).map(row).collect();
    std::fs::write(here.join("table.csv"), format!("t,<b>sum</b>,u,difference\n{rows}")).unwrap();
    let printed =
        succeed(here, "train --data table.csv --epochs 20 --lr 0.01 --device cpu --out run");
    assert!(printed.contains("squared error per test sample"), "{printed}");
    let page = std::fs::read_to_string(here.join("run/report.html")).unwrap();
    assert!(page.contains("Error of each column"));
    assert!(page.contains("&lt;b&gt;sum") && !page.contains("<b>sum"), "names are escaped");
    succeed(here, "reconstruct run --device cpu --out back.csv");
    let back = std::fs::read_to_string(here.join("back.csv")).unwrap();
    assert!(back.starts_with("sample,t,<b>sum</b>,u,difference\n") && back.lines().count() == 31);
    let turned: String = (0..40).map(|i| format!("{i},{},1,2\n", 100 * i)).collect();
    std::fs::write(here.join("turned.csv"), format!("u,<b>sum</b>,t,difference\n{turned}"))
        .unwrap();
    let said = succeed(here, "eval run --data turned.csv --device cpu");
    assert!(said.starts_with("turned.csv, all samples: 40 samples"), "{said}");
    assert_eq!(
        fail(here, "reconstruct run --device cpu --out back.png"),
        "back.png: cannot write tabular data (4 columns) as PNG; use .csv or .npy"
    );
}

#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
const NO_GPU_99: &str = "--device gpu:99: expected a number below <gpus>, see `ae devices`";
#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
const NO_VOODOO2: &str = "--device Voodoo2: no device name contains it; see `ae devices`";
#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
const NO_GPU_99: &str = "--device gpu:99: this program is built for the CPU only; build it with GPU support: cargo run --release \
     --features gpu, or cargo install --path crates/ae-cli --features gpu";
#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
const NO_VOODOO2: &str = "--device Voodoo2: this program is built for the CPU only; build it with GPU support: cargo run --release \
     --features gpu, or cargo install --path crates/ae-cli --features gpu";

#[test]
fn errors_are_one_line_that_says_what_to_do() {
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
            "model: `channels` does not apply to a dense model, which has activation, code, \
             code_activation, hidden, kept, kind, linear_path, output, tied",
        ),
        ("train --code 0", "code: expected a number above 0, got 0"),
        ("train --kernel 4", "kernel: expected an odd number from 3, got 4"),
        (
            "train --data table.csv --model conv",
            "a convolutional model needs images, but the data is a table of 2 columns; use --model \
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
        ("train --validation 1", "--validation: expected a fraction below 1, or 0 for none, got 1"),
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
            "full: expected a new or empty folder, got one with files; to resume the run in it: ae \
             train --resume full",
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
        let mut printed = fail(here, &line);
        if let Some((before, after)) = printed.split_once("a number below ")
            && line.contains("gpu:99")
        {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            printed = format!("{before}a number below <gpus>{rest}");
        }
        assert_eq!(printed, message, "ae {line}");
        assert!(!here.join("runs").exists(), "a rejected run leaves no folder");
    }
}

/// Two finished runs and one that was stopped, which has a recipe and no results.
#[test]
fn runs_are_listed_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let said = fail(here, "runs");
    assert!(said.starts_with("runs: "), "{said}");
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", i * i % 11, 60 - i)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,c\n{rows}")).unwrap();
    let train = "train --data table.csv --device cpu --epochs 2 --threads 1";
    succeed(here, &format!("{train} --code 1 --out runs/b"));
    succeed(here, &format!("{train} --code 2 --lr 0.01 --out runs/more/a"));
    std::fs::create_dir(here.join("runs/c")).unwrap();
    std::fs::copy(here.join("runs/b/recipe.toml"), here.join("runs/c/recipe.toml")).unwrap();
    std::fs::create_dir(here.join("runs/d")).unwrap();
    std::fs::write(here.join("runs/d/recipe.toml"), "nonsense").unwrap();

    let output = ae(here, "runs");
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    let names: Vec<&str> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["run", "runs/b", "runs/c", "runs/more/a"]);
    assert!(out.lines().nth(2).unwrap().ends_with("stopped"), "{out}");
    assert!(error.starts_with("warning: ") && error.contains("runs/d/recipe.toml"), "{error}");

    let json = succeed(here, "runs --sort code --json");
    let records: serde_json::Value = serde_json::from_str(&json).unwrap();
    let codes: Vec<_> = (0..3).map(|at| records[at]["code"].as_u64()).collect();
    assert_eq!(codes, [Some(1), Some(2), None]);
    let summary = std::fs::read_to_string(here.join("runs/b/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(records[0]["squared_error"], summary["test"]["squared_error"]);
    assert_eq!(records[0]["pca"], summary["pca"]["squared_error"]);
    assert!(fail(here, "runs --data mnist").contains("drop --data or --model"));

    let said = succeed(here, "compare runs/b runs/more/a");
    let line = |name: &str| -> Vec<String> {
        let line = said.lines().find(|line| line.starts_with(name));
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(line("model.code"), ["model.code", "1", "2"]);
    assert_eq!(line("schedule.rate.peak").last().unwrap(), "0.01");
    assert!(line("schedule.epochs").is_empty(), "the same in both: {said}");
    assert!(line("PCA").len() == 3 && line("state") == ["state", "finished", "finished"]);
    assert!(succeed(here, "compare runs/b runs/more/a --all").contains("schedule.epochs"));
    let said = fail(here, "compare runs/b table.csv");
    assert!(said.starts_with("table.csv: expected the folder of a run"), "{said}");
}

/// What `check` says is what `train` then does.
#[test]
fn a_check_says_what_a_training_does_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", i * i % 11, 60 - i)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,c\n{rows}")).unwrap();
    let settings = "--data table.csv --device cpu --epochs 3 --code 2";
    let plan = succeed(here, &format!("check {settings} --json"));
    let said = succeed(here, &format!("check {settings}"));
    assert_eq!(std::fs::read_dir(here).unwrap().count(), 1, "only the table");
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    succeed(here, &format!("train {settings} --out run"));
    let recipe = std::fs::read_to_string(here.join("run/recipe.toml")).unwrap();
    assert!(said.ends_with(&format!("{recipe}\n")), "{said}\n{recipe}");
    let summary = std::fs::read_to_string(here.join("run/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    for key in ["samples", "features", "code", "parameters"] {
        assert_eq!(plan[key], summary[key], "{key}");
    }
    let last = summary["epochs"].as_array().unwrap().last().unwrap();
    assert_eq!(plan["steps"], last["done"]);
    for (line, part) in [
        ("check --data gone.csv", "gone.csv"),
        ("check --data table.csv --out run", "drop --out, --resume and"),
        ("check --data table.csv --checkpoint-steps 5", "drop --out, --resume and"),
        ("check --data table.csv --channels 4", "`channels` does not apply to a dense model"),
    ] {
        let said = fail(here, line);
        assert!(said.contains(part), "{line}: {said}");
    }
}

/// A file that exists is replaced only by force; one that is read, not even then.
#[test]
fn results_replace_only_what_they_may() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", i * i % 11, 60 - i)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,c\n{rows}")).unwrap();
    write_pictures(&here.join("pictures"), 40);
    succeed(here, "train --data table.csv --epochs 2 --code 2 --device cpu --out run");
    succeed(here, "train --data pictures --epochs 1 --code 4 --device cpu --out sea");
    let table = std::fs::read(here.join("table.csv")).unwrap();
    let model = std::fs::read(here.join("run/model.safetensors")).unwrap();
    for command in ["encode run", "reconstruct run", "latent traverse run", "score run"] {
        succeed(here, &format!("{command} --device cpu --out out.csv"));
        let first = std::fs::read(here.join("out.csv")).unwrap();
        let said = fail(here, &format!("{command} --device cpu --out out.csv"));
        assert_eq!(said, "out.csv: exists; give another name, or --force to replace it");
        succeed(here, &format!("{command} --device cpu --out out.csv --force"));
        assert_eq!(std::fs::read(here.join("out.csv")).unwrap(), first);
        std::fs::remove_file(here.join("out.csv")).unwrap();
        let said = fail(here, &format!("{command} --device cpu --out table.csv --force"));
        assert_eq!(said, "table.csv: is read; write to another file");
        std::fs::copy(here.join("table.csv"), here.join("new.csv")).unwrap();
        let said =
            fail(here, &format!("{command} --data new.csv --device cpu --out new.csv --force"));
        assert_eq!(said, "new.csv: is read; write to another file");
    }
    let said = fail(here, "encode run --device cpu --out run/model.safetensors --force");
    assert!(said.ends_with("is read; write to another file"), "{said}");
    let said = fail(here, "reconstruct sea --device cpu --out pictures/0001.png --force");
    assert!(said.ends_with("which is read; write to another folder"), "{said}");
    let said = fail(here, "reconstruct sea --device cpu --out pictures --force");
    assert!(said.contains("is read"), "{said}");
    assert_eq!(std::fs::read(here.join("table.csv")).unwrap(), table);
    assert_eq!(std::fs::read(here.join("run/model.safetensors")).unwrap(), model);

    // A picture of each image, named after its file.
    for class in ["day", "night"] {
        write_pictures(&here.join("classes").join(class), 3);
    }
    let printed = succeed(here, "reconstruct sea --data classes --device cpu --out back/");
    assert_eq!(printed, "6 reconstructions in back/\n");
    for name in ["day/0001.png", "night/0002.png"] {
        let found = image::open(here.join("back").join(name)).unwrap();
        assert_eq!((found.width(), found.height()), (53, 37), "{name}");
    }
    assert!(fail(here, "reconstruct sea --device cpu --out back").contains("--force"));
    let one = "reconstruct sea --data pictures/0001.png --device cpu --out one/";
    assert_eq!(succeed(here, one), "1 reconstructions in one/\n");
}

/// Of a column that is noise, the error is largest where the noise is.
#[test]
fn scores_say_which_column_contributes_most() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let kind = |i: u32| if i.is_multiple_of(3) { "red" } else { "blue" };
    let row = |i: u32| format!("{i},{},{},{}\n", 2 * i, kind(i), 3 * i);
    let rows: String = (0..120).map(row).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,colour,c\n{rows}")).unwrap();
    succeed(here, "train --data table.csv --code 2 --epochs 30 --device cpu --out run");
    std::fs::write(
        here.join("new.csv"),
        "a,b,colour,c\n6,12,red,18\n60,9000,red,180\n7,14,blue,21\n",
    )
    .unwrap();
    let said = succeed(here, "score run --data new.csv --device cpu --out scores.csv -n 1");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("new.csv, all samples: 3 samples"), "{said}");
    assert!(lines[1].starts_with("sample 1 ") && lines[1].contains(" b "), "{said}");
    let table = std::fs::read_to_string(here.join("scores.csv")).unwrap();
    assert!(table.starts_with("sample,squared_error,contributes_most\n0,"), "{table}");
    assert!(table.lines().nth(2).unwrap().contains(",b "), "{table}");
    let json = succeed(here, "score run --data new.csv --device cpu --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["samples"][1]["contributes_most"][0]["name"], "b");
    assert_eq!(json["samples"].as_array().unwrap().len(), 3);
    assert_eq!(json["split"], "all");
}

/// Anomalies and noise are measured on the terminal, by `eval`, by `score` and in the report, all alike.
#[test]
fn anomalies_and_denoising_are_said_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let train = format!("train {SMALL} --one-class 3 --corrupt masking:0.25 --out run");
    let said = succeed(here, &train);
    let anomalies = said.lines().find(|line| line.starts_with("anomalies by the squared error"));
    let anomalies = anomalies.unwrap_or_else(|| panic!("{said}")).to_owned();
    assert!(anomalies.contains("AUROC 0.") && anomalies.contains("average precision 0."));
    assert!(said.contains("denoising: squared error per test sample"), "{said}");
    let page = std::fs::read_to_string(here.join("run/report.html")).unwrap();
    assert!(page.contains(&anomalies["anomalies by the squared error: ".len()..]));
    assert!(page.contains("Denoising"));
    assert!(succeed(here, "score run --device cpu").contains(&anomalies));
    let json: serde_json::Value =
        serde_json::from_str(&succeed(here, "eval run --device cpu --json")).unwrap();
    let summary = std::fs::read_to_string(here.join("run/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(json["anomaly"], summary["anomaly"]);
    assert_eq!(json["denoising"], summary["denoising"]);
    let said = succeed(here, "eval run --device cpu");
    assert!(said.contains("average precision  ") && said.contains("  denoised  "), "{said}");
}

/// `--set` is any value of a recipe; `--strict` fails where nothing was learned, and leaves the run.
#[test]
fn values_are_set_and_failures_are_strict() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let set = "--set schedule.batch=16 --set model.activation=tanh --set data.validation=0.2";
    let json = succeed(here, &format!("train {SMALL} {set} --json --out run"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["run"], "run");
    let summary = std::fs::read_to_string(here.join("run/summary.json")).unwrap();
    assert_eq!(json["summary"], serde_json::from_str::<serde_json::Value>(&summary).unwrap());
    let recipe = std::fs::read_to_string(here.join("run/recipe.toml")).unwrap();
    for part in ["batch = 16", "activation = \"tanh\"", "validation = 0.2"] {
        assert!(recipe.contains(part), "{part}: {recipe}");
    }
    for (set, part) in [
        ("batch=16", "expected a value of data, model,"),
        ("schedule.batches=16", "unknown field `batches`"),
        ("schedule.batch", "such as schedule.batch=64"),
        ("schedule.batch=many", "invalid type: string \"many\""),
    ] {
        let said = ae(here, &format!("train {SMALL} --set {set} --out no"));
        let said = text(&said.stderr);
        assert!(said.contains(part), "{set}: {said}");
        assert!(!here.join("no").exists());
    }
    let bad = "train --digits 100,20 --model dense --code 1 --hidden 4 --epochs 1 --lr 1e-9 --linear-path off";
    let said = ae(here, &format!("{bad} --strict --device cpu --out bad"));
    assert!(!said.status.success());
    assert!(text(&said.stderr).contains("error: --strict: squared error"));
    assert!(here.join("bad/report.html").is_file());
    succeed(here, &format!("{bad} --device cpu --out lax"));
}

#[test]
fn manual_pages_are_written() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "man pages");
    for (page, part) in
        [("ae.1", "reconstruct"), ("ae-train.1", "corrupt"), ("ae-latent-path.1", "RUN")]
    {
        let page = std::fs::read_to_string(folder.path().join("pages").join(page)).unwrap();
        assert!(page.starts_with(".ie") && page.contains(part), "{page}");
    }
}

#[test]
fn shells_complete_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeed(folder.path(), &format!("completions {shell}"));
        assert!(script.contains("reconstruct") && script.contains("code-activation"), "{shell}");
    }
}

#[test]
fn devices_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let devices = succeed(folder.path(), "devices");
    let lines: Vec<&str> = devices.lines().collect();
    assert!(lines[0].starts_with("cpu    "), "{devices}");
    assert!(lines[lines.len() - 2].starts_with("built for "), "{devices}");
    let auto = lines[lines.len() - 1];
    let is_cpu = auto == "--device auto uses the cpu";
    let is_trial = auto.starts_with("--device auto trains on the fastest of cpu, ");
    assert!(is_cpu || is_trial, "{devices}");
    let is_for_cpu = !cfg!(any(feature = "wgpu", feature = "cuda", feature = "rocm"));
    assert_eq!(lines[lines.len() - 2] == "built for the CPU", is_for_cpu, "{devices}");
}

#[test]
fn data_is_listed_and_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let data = succeed(folder.path(), "data list");
    for name in ["digits", "mnist", "fashion-mnist", "kmnist", "emnist-letters", "cifar10"] {
        assert!(data.contains(name), "{data}");
    }
    let printed = succeed(folder.path(), "data fetch digits");
    assert_eq!(printed, "digits: 20,000 samples to train on, 2,000 to test\n");
    let printed = fail(folder.path(), "data fetch photos");
    assert!(
        printed
            .starts_with("data set: expected one of digits, rectangles, convex, curves, mnist, "),
        "{printed}"
    );
}

#[test]
fn data_is_previewed_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeed(folder.path(), "data preview --digits 50,10 --out sheet.png");
    assert!(printed.contains("training set: 50 samples of 1x28x28"), "{printed}");
    assert!(folder.path().join("sheet.png").is_file());

    let printed =
        succeed(folder.path(), "data export --digits 50,10 --validation 0.2 --out arrays");
    assert!(
        printed.contains("40 samples of 1x28x28 to train on, 10 to validate, 10 to test"),
        "{printed}"
    );
    assert!(printed.ends_with("arrays/test.npy\narrays/test-labels.npy\n"), "{printed}");
    let back = "data preview --data arrays/validation.npy --labels arrays/validation-labels.npy";
    assert!(succeed(folder.path(), back).contains("of 1x28x28"));
    let printed = fail(folder.path(), "data export --digits 50,10 --out arrays");
    assert!(printed.contains("--force"), "{printed}");
    let json = succeed(folder.path(), "data preview --digits 50,10 --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["splits"][1]["samples"], 10);
    let drawn = folder.path().join("preview.png");
    std::fs::remove_file(&drawn).unwrap();
    succeed(folder.path(), "data preview --digits 50,10 --json");
    assert!(!drawn.exists());
    // An export removes files of an earlier one that it does not write.
    succeed(folder.path(), "data export --digits 50,10 --out arrays --force");
    assert!(!folder.path().join("arrays/validation.npy").exists());
}
