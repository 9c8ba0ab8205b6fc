//! Every kind of objective, model and command, end to end.

mod common;

use std::path::Path;

use common::{ae, fail, succeed, text};

const DIGITS: &str = "--digits 300,60 --batch 32 --epochs 2 --device cpu";

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap()
}

fn assert_page_has(folder: &Path, run: &str, parts: &[&str]) {
    let page = read(folder, &format!("{run}/report.html"));
    for part in parts {
        assert!(page.contains(part), "the page of {run} has no {part}");
    }
}

/// All terms at once: each is logged and written to the recipe, which trains the same model again.
#[test]
fn every_term_round_trips_through_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let line = "--channels 4,8 --code 8 --tied --corrupt salt-and-pepper:0.2 --corruption-weights 1:0.5 \
                --l1 0.01 --kl 1 --kl-target 0.1 --kl-decay 0.9 --train-top-k 2:6 --contract 0.01 \
                --curvature 0.01 --curvature-noise 0.2 --curvature-draws 2 --jacobian probes:2 --weight-decay 1e-4 \
                --dropout 0.1";
    succeed(here, &format!("train {DIGITS} {line} --out a"));
    let recipe = read(here, "a/recipe.toml");
    for part in [
        "command = \"train\"",
        "tied = true",
        "kept = 4",
        "code_activation = \"sigmoid\"",
        "emphasis = [1.0, 0.5]",
        "[objective.kl]\nweight = 1.0\ntarget = 0.1\ndecay = 0.9",
        "[objective.k_sparse]\nepochs = 1\nfrom = 6\nunits = 2",
        "[objective.curvature]\nweight = 0.01\nnoise = 0.2\ndraws = 2",
        "probes = 2",
        "weight_decay = 0.0001\n",
        "dropout = 0.1\n",
    ] {
        assert!(recipe.contains(part), "{part} is not in\n{recipe}");
    }
    let metrics = read(here, "a/metrics.jsonl");
    for term in ["cross-entropy", "l1", "kl-sparsity", "contraction", "curvature", "weight-decay"] {
        assert!(metrics.contains(&format!("\"{term}\"")), "{term}");
    }
    assert_page_has(
        here,
        "a",
        &["corrupted (salt-and-pepper 0.2)", "1 times the KL divergence", "lifetime sparseness"],
    );
    assert!(here.join("a/figures/jacobian.svg").is_file());
    assert!(here.join("a/figures/activity.svg").is_file());
    let printed = succeed(here, "eval a --device cpu");
    for part in ["mean activation ", "lifetime sparseness", "squared Jacobian norm"] {
        assert!(printed.contains(part), "{printed}");
    }

    succeed(here, "train --recipe a/recipe.toml --device cpu --out b");
    assert_eq!(recipe, read(here, "b/recipe.toml"));
    let weights = |run: &str| std::fs::read(here.join(run).join("model.safetensors")).unwrap();
    assert!(weights("a") == weights("b"));
}

/// For `train`, `pretrain` and `finetune`.
#[test]
fn half_precision_round_trips_and_carries_over_to_fine_tuning() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let dense = "--digits 64,16 --batch 16 --code 4 --epochs 1 --device cpu";
    let weights = |run: &str| std::fs::read(here.join(run).join("model.safetensors")).unwrap();
    succeed(here, &format!("train {dense} --model dense --hidden 8 --out full"));
    succeed(here, &format!("train {dense} --model dense --hidden 8 --precision f16 --out half"));
    assert!(read(here, "half/recipe.toml").contains("precision = \"f16\""));
    assert!(weights("half") != weights("full"));
    succeed(here, "train --recipe half/recipe.toml --device cpu --out again");
    assert!(weights("half") == weights("again"));

    succeed(here, &format!("pretrain {dense} --hidden 8 --precision bf16 --out layers"));
    assert!(read(here, "layers/recipe.toml").contains("precision = \"bf16\""));
    let line = "finetune layers --head softmax --epochs 1 --device cpu";
    succeed(here, &format!("{line} --out inherited"));
    assert!(read(here, "inherited/recipe.toml").contains("precision = \"bf16\""));
    succeed(here, &format!("{line} --precision full --out whole"));
    assert!(weights("inherited") != weights("whole"));
}

#[test]
fn old_recipes_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let old = "[data]\nsource = 'digits'\ndigits = [100, 20]\nvalidation = 0.1\n\
               preprocess = 'none'\nseed = 0\n\
               [model]\nkind = 'dense'\ncode = 4\nhidden = [8]\ntied = false\nactivation = 'relu'\n\
               code_activation = 'identity'\noutput = 'sigmoid'\n\
               [objective]\nreconstruction = 'cross-entropy'\ncorruption = 'none'\nl1 = 0.0\n\
               [schedule]\nepochs = 1\nbatch = 32\n";
    std::fs::write(here.join("old.toml"), old).unwrap();
    succeed(here, "train --recipe old.toml --device cpu --out run");
    assert!(read(here, "run/recipe.toml").contains("reconstruction = \"cross-entropy\""));
}

#[test]
fn pca_and_feature_map_codes_train_like_other_models() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let printed = succeed(here, "train --digits 300,60 --model pca --code 5 --device cpu");
    assert!(printed.contains("report: runs/digits-pca-5/report.html"), "{printed}");
    assert_page_has(
        here,
        "runs/digits-pca-5",
        &["PCA of digits", "Principal components, by variance"],
    );
    let recipe = read(here, "runs/digits-pca-5/recipe.toml");
    assert!(!recipe.contains("[schedule") && !recipe.contains("[objective"), "{recipe}");
    succeed(here, "train --recipe runs/digits-pca-5/recipe.toml --device cpu --out again");
    succeed(here, "eval runs/digits-pca-5 --device cpu");
    succeed(here, "reconstruct runs/digits-pca-5 --device cpu --out sheet.png");

    succeed(here, &format!("train {DIGITS} --channels 2,2 --code feature-map"));
    assert!(here.join("runs/digits-conv-maps/report.html").is_file());
    assert!(read(here, "runs/digits-conv-maps/recipe.toml").contains("code = \"maps\""));
}

#[test]
fn from_pretrained_layers_to_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let line = "pretrain --digits 300,60 --batch 16 --hidden 24 --code 8 --epochs 3 --corrupt \
                masking:0.25 --lr 0.01 --device cpu --checkpoint-steps 5";
    succeed(here, &format!("{line} --out P"));
    let description = read(here, "P/model.json");
    assert!(description.contains("\"kind\": \"stack\""), "{description}");
    assert!(read(here, "P/recipe.toml").contains("command = \"pretrain\""));
    assert!(read(here, "P/metrics.jsonl").contains("\"layer\":2"));
    assert_page_has(here, "P", &["Training of each layer", "Layer 2", "ae pretrain --recipe"]);
    assert!(here.join("P/figures/loss-layer-2.svg").is_file());
    assert!(here.join("P/figures/filters.png").is_file());
    let page = read(here, "P/report.html");
    succeed(here, "report P --device cpu");
    assert_eq!(page, read(here, "P/report.html"));

    // The state of a run that was killed in its second layer.
    let other = here.join("Q");
    succeed(here, &format!("{line} --out Q"));
    std::fs::remove_file(other.join("model.safetensors")).unwrap();
    let layer = other.join("checkpoints/layer-2");
    let mut steps: Vec<_> =
        std::fs::read_dir(&layer).unwrap().map(|entry| entry.unwrap().path()).collect();
    steps.sort();
    assert!(steps.len() > 1);
    std::fs::remove_file(steps.pop().unwrap()).unwrap();
    assert!(fail(here, "eval Q --device cpu").contains("resume it with `ae pretrain --resume Q`"));
    succeed(here, "pretrain --resume Q --device cpu");
    let weights = |run: &str| std::fs::read(here.join(run).join("model.safetensors")).unwrap();
    assert!(weights("P") == weights("Q"));

    let printed = succeed(here, "finetune P --epochs 2 --l1 0.001 --device cpu");
    assert!(printed.contains("report: runs/digits-dense-8-finetuned/report.html"), "{printed}");
    assert!(read(here, "runs/digits-dense-8-finetuned/recipe.toml").contains("l1 = 0.001"));

    let printed = succeed(
        here,
        "finetune P --head softmax --label-counts 50,100 --epochs 6 --device cpu --out F",
    );
    assert!(printed.contains("test accuracy "), "{printed}");
    let summary: serde_json::Value = serde_json::from_str(&read(here, "F/summary.json")).unwrap();
    assert_eq!(summary["curve"].as_array().unwrap().len(), 2);
    assert_page_has(here, "F", &["Confusion matrix", "Label efficiency", "trained together"]);
    assert!(here.join("F/figures/labels.svg").is_file());
    let page = read(here, "F/report.html");
    succeed(here, "report F --device cpu");
    assert_eq!(page, read(here, "F/report.html"));
    // Every step is done, so that only the result is written again.
    std::fs::remove_file(here.join("F/model.safetensors")).unwrap();
    succeed(here, "finetune --resume F --device cpu");
    let again: serde_json::Value = serde_json::from_str(&read(here, "F/summary.json")).unwrap();
    assert_eq!(summary["test"], again["test"]);

    let printed = succeed(here, "classify P --head svm --device cpu --out C --predictions p.csv");
    assert!(
        printed.contains("digits, test set: 60 samples") && printed.contains("accuracy  "),
        "{printed}"
    );
    let predictions = read(here, "p.csv");
    assert!(
        predictions.starts_with("sample,predicted,label\n") && predictions.lines().count() == 61
    );
    assert_page_has(here, "C", &["with fixed weights", "squared-hinge"]);
    // The encoder is unchanged.
    succeed(here, "encode P --device cpu --out own.csv");
    succeed(here, "encode C --device cpu --out its.csv");
    assert_eq!(read(here, "own.csv"), read(here, "its.csv"));
    let printed = succeed(here, "classify C --split training --device cpu");
    assert!(printed.contains("digits, training set: 270 samples"), "{printed}");
    let json = succeed(here, "eval C --json --device cpu");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["samples"], 60);

    for (line, message) in [
        (
            "classify C --epochs 3",
            "C: the run is already a classifier, so options of training do not apply; drop them, or use \
             the run it was trained from",
        ),
        (
            "finetune C",
            "C: fine-tuning needs an autoencoder, but this run is a classifier; use the run it was \
             trained from",
        ),
        (
            "reconstruct C",
            "C: reconstruction needs an autoencoder, but this run is a classifier; use the run it was \
             trained from",
        ),
        (
            "finetune P --head svm --l1 2",
            "objective: `l1` does not apply to training with a head; drop it, or drop --head",
        ),
        (
            "finetune P --head-decay 0.1",
            "--head-decay needs a head; add --head softmax or --head svm, or drop it",
        ),
        (
            "finetune P --head softmax --label-counts 300",
            "--label-counts: expected numbers from 1 to 269, fewer than there are training samples, got \
             300",
        ),
        ("finetune P --head tree", "[head] unknown variant `tree`, expected `softmax` or `svm`"),
        ("finetune P --kl-target 0.2", "--kl-target needs --kl; add --kl WEIGHT, or drop it"),
        (
            "finetune P --kl 1",
            "kl-sparsity: expected a code in (0, 1), which a mean activation of 0.05 \
             needs, got identity; give the code a sigmoid activation, or take the L1 penalty",
        ),
        ("classify P --predictions p.txt", "p.txt: expected a .csv file"),
        (
            "train --resume P",
            "P/recipe.toml: expected a recipe of `ae train`, got one of `ae pretrain`",
        ),
    ] {
        assert_eq!(fail(here, &format!("{line} --device cpu")), message, "ae {line}");
    }
}

#[test]
fn latent_commands_write_pictures_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    succeed(here, &format!("train {DIGITS} --model dense --hidden 16 --code 4 --out run"));
    for (line, first, size) in [
        ("path", "row 1: sample ", (13 * 30 - 2, 8 * 30 - 2)),
        ("path --pairs 0:5 --steps 3", "row 1: sample 0 (", (5 * 30 - 2, 2 * 30 - 2)),
        ("path --classes 3:8,1:7", "row 1: sample ", (13 * 30 - 2, 4 * 30 - 2)),
        (
            "traverse --unit 0,3 --sample 2 --steps 5",
            "row 1: unit 0 of sample 2 (",
            (5 * 30 - 2, 2 * 30 - 2),
        ),
        ("means", "row 1: mean codes of 0, 1, 2", (10 * 30 - 2, 30 - 2)),
        ("neighbors --count 4 --sample 7", "row 1: sample 7 (", (5 * 30 - 2, 30 - 2)),
    ] {
        let line = line.replacen(' ', " run ", 1);
        let line = if line.contains(" run") { line } else { format!("{line} run") };
        let printed = succeed(here, &format!("latent {line} --device cpu --out it.png --force"));
        assert!(printed.starts_with(first) && printed.ends_with("it.png\n"), "{line}: {printed}");
        let picture = image::open(here.join("it.png")).unwrap();
        assert_eq!((picture.width(), picture.height()), size, "{line}");
    }
    for (line, message) in [
        (
            "path run --pairs 0:60",
            "sample 60 is out of range: digits, test set has 60 samples (0 to 59)",
        ),
        (
            "path run --pairs a:b",
            "--pairs: expected indices of samples, such as 0:5, got `a`; for classes use --classes",
        ),
        ("traverse run --unit 4", "--unit 4 is out of range: the code has 4 units (0 to 3)"),
        ("path run --steps 1", "--steps: expected at least 2 (both ends), got 1"),
        (
            "neighbors run --count 60",
            "number of neighbors: expected 1 to 59, as digits, test set has 60 samples, got 60",
        ),
        ("path run --out it.gif", "it.gif: expected a .csv file, or .png for images"),
    ] {
        let line = format!("latent {line} --device cpu");
        assert_eq!(fail(here, &line), message, "ae {line}");
    }

    // The command line of earlier versions.
    for (old, new) in [
        ("interpolate run --pairs 0:5", "latent path run --pairs 0:5"),
        (
            "interpolate run --unit 0,3 --part training",
            "latent traverse run --unit 0,3 --split training",
        ),
        ("interpolate run --class-means", "latent means run"),
        ("interpolate run --nearest 4", "latent neighbors run --count 4"),
    ] {
        let written = |line: &str| {
            let printed = succeed(here, &format!("{line} --device cpu --out it.png --force"));
            (printed, std::fs::read(here.join("it.png")).unwrap())
        };
        assert!(written(old) == written(new), "{old}");
    }
    assert_eq!(
        fail(here, "interpolate run --sample 3 --device cpu"),
        "--sample needs --unit or --nearest; to choose the ends of paths use --pairs"
    );

    // A table is written as one.
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", i * i, 7 * i % 11)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,c\n{rows}")).unwrap();
    succeed(here, "train --data table.csv --epochs 1 --device cpu --out table");
    succeed(here, "interpolate table --steps 3 --device cpu");
    let text = read(here, "interpolation.csv");
    succeed(here, "latent path table --steps 3 --device cpu");
    assert_eq!(text, read(here, "latent.csv"));
    assert!(text.starts_with("row,place,a,b,c\n1,0,"), "{text}");
    assert!(
        fail(here, "latent means table --device cpu --force").contains("class means need labels")
    );
    assert!(fail(here, "classify table --device cpu").contains("--label-column"));
}

#[test]
fn a_sweep_trains_every_point_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String = (0..200).map(|i| format!("{i},{},{}\n", 3 * i, i % 7)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,c\n{rows}")).unwrap();
    let line =
        "sweep --data table.csv --codes 1,2 --weights l1:0,0.1 --epochs 2 --device cpu --out S";
    let printed = succeed(here, line);
    assert!(
        printed.contains("code-2-l1-0.1") && printed.contains("report: S/report.html"),
        "{printed}"
    );
    let csv = read(here, "S/summary.csv");
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(csv.contains("code-1-l1-0,\"l1 0\",1,"), "{csv}");
    assert_page_has(here, "S", &["Error by code size", "PCA", "Runs"]);
    for run in ["code-1-l1-0", "code-2-l1-0.1"] {
        assert!(here.join("S").join(run).join("report.html").is_file(), "{run}");
    }
    // One run is not finished; the others stay as they are.
    std::fs::remove_file(here.join("S/code-2-l1-0/report.html")).unwrap();
    let resumed = ae(here, "sweep --resume S --device cpu");
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_eq!(text(&resumed.stderr).matches("already done").count(), 3);
    let errors = |csv: &str| -> Vec<String> {
        let cells = csv.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(","));
        cells.collect()
    };
    assert_eq!(errors(&csv), errors(&read(here, "S/summary.csv")));

    for (line, message) in [
        ("sweep", "sweep needs a grid; add --codes 2,4,8,16,32, --corruptions or --weights"),
        (
            "sweep --data table.csv --codes 1,2 --channels 3",
            "model: `channels` does not apply to a dense model, which has activation, code, code_activation, \
             hidden, kept, kind, linear_path, output, tied",
        ),
        (
            "sweep --resume S --codes 3",
            "--resume uses the saved grid; only --device and --checkpoint-* may be given with it",
        ),
        (
            "sweep --codes 2 --out S",
            "S: expected a new or empty folder, got one with files; to resume the run in it: ae sweep \
             --resume S",
        ),
    ] {
        assert_eq!(fail(here, &format!("{line} --device cpu")), message, "ae {line}");
    }
    assert!(!here.join("runs").exists());
}

#[test]
fn options_that_do_not_apply_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    succeed(here, "train --digits 100,20 --one-class 3 --epochs 0 --out threes --device cpu");
    for line in ["classify threes", "finetune threes --head softmax"] {
        assert_eq!(
            fail(here, &format!("{line} --device cpu")),
            "a head needs training samples of several classes, but the run was trained on one (--one-class \
             3); train the autoencoder without --one-class"
        );
    }
    for (line, message) in [
        (
            "train --model pca --epochs 3",
            "schedule: `epochs` does not apply to PCA, which is not trained in steps; drop it",
        ),
        (
            "train --model pca --l1 1",
            "objective: `l1` does not apply to PCA, which is not trained in steps; drop it",
        ),
        (
            "train --model pca --hidden 9",
            "model: `hidden` does not apply to a pca model, which has code, kind",
        ),
        (
            "train --model pca --checkpoint-steps 9",
            "--checkpoint-minutes and --checkpoint-steps do not apply to PCA, which is not trained in \
             steps; drop them",
        ),
        (
            "train --model pca --code 200",
            "--code: expected 1 to 90 (the smaller of features and training samples), got 200",
        ),
        (
            "pretrain --model pca",
            "pretrain needs a model with several layers; fit PCA with ae train --model pca",
        ),
        (
            "train --model dense --code feature-map",
            "--code: expected a number of units, as a dense model has, got `feature-map`, which needs a \
             conv model",
        ),
        (
            "train --corruption-weights 1:0",
            "emphasis: needs masking or salt-and-pepper noise, got none; corrupt the input with one of \
             them",
        ),
        ("train --kl-target 0.1", "--kl-target needs --kl; add --kl WEIGHT, or drop it"),
        (
            "train --curvature-noise 0.1",
            "--curvature-noise needs --curvature; add --curvature WEIGHT, or drop it",
        ),
        (
            "train --jacobian exact",
            "--jacobian needs --contract or --curvature; add --contract WEIGHT or --curvature WEIGHT, or \
             drop it",
        ),
        (
            "train --kl 1 --code-activation tanh",
            "kl-sparsity: expected a code in (0, 1), which a mean activation of 0.05 needs, got tanh; \
             give the code a sigmoid activation, or take the L1 penalty",
        ),
        ("train --kl 1 --kl-target 2", "target activation: expected a number in (0, 1), got 2"),
        ("train --train-top-k 64", "k-sparse: expected at most 32, the units of the code, got 64"),
        (
            "train --train-top-k 8 --top-k 4",
            "k-sparse: expected a model that keeps 8 to 32 units of its code, got one that keeps 4; \
             set `top_k` in its configuration",
        ),
        ("train --dropout 1", "dropout: expected a number in [0, 1), got 1"),
        ("train --contract 1 --jacobian probes:0", "probes: expected at least 1, got 0"),
    ] {
        let line = format!("{line} --digits 100,20 --device cpu");
        assert_eq!(fail(here, &line), message, "ae {line}");
        assert!(!here.join("runs").exists(), "a rejected run leaves no folder");
    }
}
