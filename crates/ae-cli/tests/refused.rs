//! Options without effect and impossible sizes are refused in a sentence, and leave no files.

mod common;

use common::{ae, fail, succeed};

const PCA: &str = "fine-tuning needs a model that is trained in steps, and PCA is not; train a linear model with \
                   ae train --model dense --hidden none --output identity, or put a head on the components with \
                   ae classify";

/// A command on one split, with sizes of the other.
#[test]
fn sizes_of_another_split() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    succeed(here, "train --samples 60,20 --model dense --code 2 --epochs 0 --device cpu --out run");
    succeed(here, "eval run --samples 60,10 --device cpu");
    // The libraries' warnings have the program's form.
    let warned = ae(here, "eval run --data-seed 1 --device cpu");
    let printed = String::from_utf8_lossy(&warned.stderr).into_owned();
    assert!(warned.status.success(), "{printed}");
    assert!(
        printed.lines().any(|line| line.starts_with("warning: the data is split")),
        "{printed}"
    );
    for (line, message) in [
        (
            "--train-samples 5",
            "--train-samples does not apply to the test set, which is selected; drop it",
        ),
        (
            "--split training --test-samples 5",
            "--test-samples does not apply to the training set, which is selected; drop it",
        ),
        (
            "--train-samples 5 --test-samples 6",
            "--train-samples and --test-samples apply to different splits, and this command uses one; drop that \
             of the other split",
        ),
    ] {
        let printed = fail(here, &format!("eval run --device cpu {line}"));
        assert!(printed.contains(message), "{printed}");
    }
}

#[test]
fn options_that_nothing_uses() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("headed.toml"), "[head]\nkind = 'softmax'\n").unwrap();
    std::fs::write(here.join("table.csv"), "a,b\n1,2\n3,4\n5,6\n7,8\n").unwrap();
    for (line, message) in [
        (
            "train --model dense --hidden none --activation tanh",
            "--activation needs hidden layers, and this model has none; drop it, or set --code-activation",
        ),
        (
            "train --channels 4 --code feature-map --activation tanh",
            "--activation needs hidden layers, and this model has none; drop it, or set --code-activation",
        ),
        ("train --kl 0 --kl-target 0.2", "--kl-target needs --kl above 0, got --kl 0; drop both"),
        (
            "train --curvature 0 --curvature-draws 2",
            "--curvature-draws needs --curvature above 0, got --curvature 0; drop both",
        ),
        (
            "train --contract 0 --jacobian probes:2",
            "--jacobian needs --contract or --curvature above 0, got 0; drop both",
        ),
        (
            "train --train-top-k 5:20:0",
            "epochs of a falling number of units: expected at least 1, got 0",
        ),
        (
            "train --recipe headed.toml",
            "headed.toml: expected the sections data, model, objective, schedule, got `head`",
        ),
        (
            "sweep --weights l1:0,0.1 --l1 0.3",
            "--l1 and --weights both set the weight of l1; drop one of them",
        ),
        (
            "sweep --weights kl:0,0.1 --kl 0.3",
            "--kl and --weights both set the weight of kl; drop one of them",
        ),
        (
            "sweep --weights weight-decay:0,0.1 --weight-decay 0.3",
            "--weight-decay and --weights both set the weight of weight-decay; drop one of them",
        ),
        ("sweep --codes 2,4,2", "sweep: expected each point of the grid once, got code-2 twice"),
        (
            "sweep --codes 2,4 --model dense --hidden none --activation tanh",
            "--activation needs hidden layers, and this model has none; drop it, or set --code-activation",
        ),
    ] {
        let line = format!("{line} --digits 100,20 --device cpu");
        assert_eq!(fail(here, &line), message, "ae {line}");
        assert!(!here.join("runs").exists(), "a refused run leaves no folder");
    }
    assert_eq!(
        fail(here, "data preview --data table.csv --out table.png"),
        "table.png: cannot draw tabular data (2 columns); drop --out"
    );
    // In a sweep an option is of use where one of the runs uses it.
    let sweep = "sweep --digits 60,20 --model dense --hidden 8 --weights kl:0,1 --kl-target 0.2";
    succeed(here, &format!("{sweep} --epochs 1 --device cpu --out S"));
}

#[test]
fn options_of_reproduce_that_nothing_uses() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let no_data = "--data-dir needs an experiment on published data; drop it";
    let no_python = "--python needs an experiment with a baseline in Python; drop it";
    for (line, message) in [
        ("keras-dense --quick --write f.md", "--write needs --table; add it, or drop --write"),
        ("keras-dense --quick --data-dir /nowhere", no_data),
        ("keras-dense --quick --python /nowhere", no_python),
        ("keras-dense --python /nowhere", no_python),
        ("--list --data-dir /nowhere", "--data-dir does not apply to --list; drop it"),
        ("--list --quick", "--quick does not apply to --list; drop it"),
        ("--list --device cpu", "--device does not apply to --list; drop it"),
        ("--table --python /nowhere", "--python does not apply to --table; drop it"),
        ("--table --data-dir /nowhere", "--data-dir does not apply to --table; drop it"),
        ("--table --results r.jsonl --out runs", "--out does not apply to --table; drop it"),
        (
            "keras-dense --quick --epochs 1 --results r.jsonl",
            "--results does not apply to --epochs, which records nothing; drop it",
        ),
    ] {
        assert_eq!(fail(here, &format!("reproduce {line}")), message, "ae reproduce {line}");
        assert!(!here.join("runs").exists());
    }
}

#[test]
fn what_a_run_is_not_for() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    succeed(here, "train --digits 100,20 --model pca --code 4 --device cpu --out P");
    for line in ["finetune P --lr 0.5 --loss squared-error", "finetune P --head softmax"] {
        assert_eq!(fail(here, &format!("{line} --device cpu --out F")), format!("<here>/P: {PCA}"));
        assert!(!here.join("F").exists());
    }
    for (line, message) in [
        (
            "eval P --train-samples 50",
            "--train-samples does not apply to the test set, which is selected; drop it",
        ),
        (
            "eval P --split training --test-samples 5",
            "--test-samples does not apply to the training set, which is selected; drop it",
        ),
    ] {
        assert_eq!(fail(here, &format!("{line} --device cpu")), message, "ae {line}");
    }
}

/// Sizes that no machine has memory for.
#[test]
fn sizes_beyond_all_memory() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (line, remedy) in [
        ("--contract 1 --jacobian probes:100000000", "use fewer probes (--jacobian probes:N)"),
        (
            "--curvature 1 --jacobian exact --curvature-draws 1000000000000",
            "use fewer draws (--curvature-draws) or probes (--jacobian probes:N)",
        ),
    ] {
        for command in ["train", "pretrain"] {
            let said = fail(here, &format!("{command} --samples 100,10 {line} --device cpu"));
            assert!(said.starts_with("this training needs at least "), "{said}");
            assert!(said.ends_with(remedy), "{said}");
            assert!(!here.join("runs").exists(), "a refused run leaves no folder");
        }
    }
    let said = fail(here, "train --samples 100,10 --model dense --hidden 100000000 --device cpu");
    assert!(said.starts_with("parameters: expected at most 2147483648, got "), "{said}");
    let said = fail(here, "train --samples 100,10 --epochs 99999999999 --device cpu");
    assert_eq!(said, "epochs: expected a number below 4294967295, got 99999999999");
    assert!(!here.join("runs").exists());
}

/// A recipe that was changed while its run was interrupted would say of the whole run what half of it was.
#[test]
fn a_run_of_a_changed_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let line = "train --digits 60,20 --model dense --hidden 8 --code 4 --epochs 2 --batch 18 --kl 1 --kl-target 0.1 \
                --curvature 0.1 --contract 0.1 --jacobian probes:1 --checkpoint-steps 2 --device cpu --out run";
    succeed(here, line);
    std::fs::remove_file(here.join("run/model.safetensors")).unwrap();
    let recipe = std::fs::read_to_string(here.join("run/recipe.toml")).unwrap();
    for (before, after, place) in [
        ("target = 0.1", "target = 0.4", "penalties.kl-sparsity.settings.target 0.4, got 0.1"),
        ("noise = 0.1", "noise = 5.0", "penalties.curvature.settings.deviation 5.0, got 0.1"),
        ("probes = 1", "probes = 3", "penalties.contraction.settings.norm.probes 3, got 1"),
        ("batch = 18", "batch = 9", "schedule.batch 9, got 18"),
    ] {
        assert!(recipe.contains(before), "{recipe}");
        std::fs::write(here.join("run/recipe.toml"), recipe.replace(before, after)).unwrap();
        let said = fail(here, "train --resume run --device cpu");
        assert!(
            said.contains("expected a checkpoint of this run") && said.ends_with(place),
            "{said}"
        );
    }
    let streamed = recipe.replace("resident_limit = 1073741824", "resident_limit = 0");
    assert_ne!(streamed, recipe);
    std::fs::write(here.join("run/recipe.toml"), streamed).unwrap();
    succeed(here, "train --resume run --checkpoint-steps 1 --device cpu");
}
