//! `ae reproduce`: interrupted, resumed, recorded and assessed.

mod common;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{Rng, ae, command, fail, succeed, text};

/// An experiment with two arms that share their first stage; each takes a few seconds.
const OWN: &str = "
title = 'Of our own'
paper = 'none'
about = 'A test.'
searched = 'nothing'
minutes = 1
data = { source = 'digits', training_samples = 1000, test_samples = 200 }
[common.pretrain]
model = { hidden = [32], code = 16 }
schedule = { epochs = 6, batch = 16, rate = { peak = 1e-2 } }
[common.finetune]
head.kind = 'softmax'
schedule = { epochs = 8, batch = 16, rate = { peak = 5e-3 } }
[[arm]]
name = 'head'
stage = [{ command = 'pretrain' }, { command = 'classify', head.kind = 'softmax' }]
[[arm]]
name = 'whole'
stage = [{ command = 'pretrain' }, { command = 'finetune' }]
[[result]]
name = 'wrong | of the test set'
unit = '%'
arm = 'whole'
measure = 'error'
published = '12.50'
status = 'recalled'
bar.at_most = 40.0
[quick]
seeds = 2
[[quick.result]]
name = 'wrong'
unit = '%'
arm = 'whole'
measure = 'error'
bar.at_most = 40.0
bar.below = [{ arm = 'head', factor = 2.0 }]
";

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap_or_default()
}

/// The records, without times and dates.
fn records(folder: &Path, path: &str) -> Vec<serde_json::Value> {
    let text = read(folder, path);
    let mut records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for record in &mut records {
        for name in ["seconds", "date"] {
            assert!(record.as_object_mut().unwrap().remove(name).is_some());
        }
        for stage in record["stages"].as_array_mut().unwrap() {
            stage.as_object_mut().unwrap().remove("seconds");
            stage["measures"].as_object_mut().unwrap().remove("seconds");
        }
    }
    records
}

/// The files in a folder and those below, without checkpoints, which replace each other.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: std::fs::DirEntry| match entry.path() {
        path if path.ends_with("checkpoints") => 0,
        path if path.is_dir() => files(&path),
        path => usize::from(!path.file_name().unwrap().to_string_lossy().starts_with(".tmp")),
    };
    entries.flatten().map(count).sum()
}

/// Killed again and again, at arbitrary moments, it gets the same results and records none of them twice.
#[test]
fn killed_and_resumed_it_records_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("own.toml"), OWN).unwrap();
    let line = "reproduce own.toml --quick --device cpu";
    succeed(here, &format!("{line} --out whole --results whole.jsonl"));
    let whole = records(here, "whole.jsonl");
    assert_eq!(whole.len(), 4, "two arms, two seeds");
    let arms: Vec<_> = whole.iter().map(|it| (it["arm"].clone(), it["seed"].clone())).collect();
    assert_eq!(arms[1], ("whole".into(), 0.into()));
    assert_eq!(whole[1]["stages"][0]["of"], "head", "the shared first stage is trained once");
    assert!(!here.join("whole/own-quick/whole-seed0/pretrain").exists());

    // Once in each fifth of the files that it writes.
    let (all, mut rng, mut kills) = (files(&here.join("whole")), Rng::new(), 0);
    for fifth in 0..5 {
        let wanted = ((f64::from(fifth) + rng.next()) / 5.0 * all as f64) as usize;
        let line = format!("{line} --out killed --results killed.jsonl");
        let mut command = command(here, &line);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_running = |child: &mut Child| child.try_wait().unwrap().is_none();
        while files(&here.join("killed")) < wanted && is_running(&mut child) {
            std::thread::sleep(Duration::from_millis(1));
        }
        kills += u32::from(is_running(&mut child));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills >= 4, "it ended before it was killed");
    succeed(here, &format!("{line} --out killed --results killed.jsonl"));
    assert_eq!(records(here, "killed.jsonl"), whole, "after {kills} kills");

    // Nothing is trained or recorded again.
    let again = ae(here, &format!("{line} --out killed --results killed.jsonl"));
    assert!(again.status.success() && !text(&again.stderr).contains("epoch"));
    assert_eq!(records(here, "killed.jsonl").len(), 4);
}

/// An external program gets the data, and its results are recorded. Here it is not Python, but a shell script
/// that counts the bytes of its data.
#[cfg(unix)]
#[test]
fn an_external_program_runs_an_arm() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let program = "[[arm]]\nname = 'svm'\nprogram = 'svm_rbf.py'\n[[arm]]\nname = 'head'";
    let result = "[[result]]\nname = 'bytes'\narm = 'svm'\nmeasure = 'test.bytes'
        bar.at_least = 128.0\n[quick]";
    let recipe = OWN.replace("[[arm]]\nname = 'head'", program).replace("[quick]", result);
    let recipe = recipe.replace("at_most = 40.0", "at_most = 100.0");
    let recipe =
        recipe.replace("samples = 1000, test_samples = 200", "samples = 60, test_samples = 20");
    std::fs::write(here.join("own.toml"), recipe).unwrap();
    let script = "#!/bin/sh\nif [ $1 = -c ]; then exit 0; fi
        grep -q 'scikit-learn' $1 && ls $2/training.npy $2/validation-labels.npy && echo '{ \"program\": \"sh\",
        \"test\": { \"bytes\":' $(wc -c < $2/test.npy) '}, \"seconds\": 1 }' > $3";
    std::fs::write(here.join("python"), script).unwrap();
    std::fs::set_permissions(here.join("python"), PermissionsExt::from_mode(0o755)).unwrap();

    let line = "reproduce own.toml --seeds 2 --device cpu";
    let printed = succeed(here, line);
    assert!(printed.contains("not yet run"), "{printed}");
    let printed = succeed(here, &format!("{line} --python ./python"));
    // Twenty images of 784 numbers of four bytes, after a header.
    assert!(printed.contains("62848.00"), "{printed}");
    let recorded = records(here, "runs/reproduce/results.jsonl");
    let svm: Vec<_> = recorded.iter().filter(|it| it["arm"] == "svm").collect();
    assert_eq!((svm.len(), &svm[0]["program"]), (1, &"sh".into()));
    assert!(!here.join("runs/reproduce/own/svm-seed0/data").exists());
    // A finished arm is reused, also without Python.
    let again = ae(here, &format!("{line} --results other.jsonl"));
    assert!(text(&again.stdout).contains("62848.00"), "{}", text(&again.stdout));
    assert!(text(&again.stderr).contains("run 5 of 5: runs/reproduce/own/whole-seed1"));
    assert_eq!(records(here, "other.jsonl").len(), 5);
    // Without Python, recorded results are shown.
    let elsewhere = "--out new --results runs/reproduce/results.jsonl";
    let printed = succeed(here, &format!("{line} {elsewhere}"));
    assert!(printed.contains("62848.00"), "{printed}");
    let refused = fail(here, &format!("{line} --out newer --python false"));
    assert!(
        refused.contains("`import sklearn` fails in false; give a Python with scikit-learn"),
        "{refused}"
    );
    assert!(!here.join("newer").exists(), "before anything is trained");
}

/// Ctrl-C is not a failure, and the message says how to resume.
#[cfg(unix)]
#[test]
fn interrupted_it_says_how_to_resume() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("own.toml"), OWN).unwrap();
    let mut command = command(here, "reproduce own.toml --quick --device cpu");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let metrics = "runs/reproduce/own-quick/head-seed0/pretrain/metrics.jsonl";
    while read(here, metrics).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
    let status = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{printed}");
    assert!(printed.contains("stopped; repeat the command to resume"), "{printed}");
    assert!(succeed(here, "reproduce own.toml --quick --device cpu").contains("met: at most 40"));
    assert!(!here.join("runs/reproduce/results.jsonl").exists(), "--quick records nothing");
}

#[test]
fn records_become_tables() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("own.toml"), OWN).unwrap();
    let printed = succeed(here, "reproduce own.toml --seeds 2 --device cpu");
    assert!(printed.contains("recorded in runs/reproduce/results.jsonl"), "{printed}");
    assert!(printed.contains("12.50 % (recalled)"), "{printed}");
    let page = succeed(here, "reproduce own.toml --table");
    for part in [
        "# Results",
        "| Of our own |  | 1 |  |  |\n| all |  | 1 |  |  |",
        "## Of our own",
        "| wrong \\| of the test set | 12.50 % (recalled) |",
        "| 2 of 3 |",
        "`ae reproduce own.toml`",
    ] {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
    // One more seed.
    succeed(here, "reproduce own.toml --device cpu");
    assert_eq!(records(here, "runs/reproduce/results.jsonl").len(), 6);
    succeed(here, "reproduce own.toml --table --write R.md");
    assert!(read(here, "R.md").contains("| 3 |"));

    // Another recipe: its runs and records are not mixed with the old ones.
    std::fs::write(here.join("own.toml"), OWN.replace("epochs = 8", "epochs = 2")).unwrap();
    let refused = fail(here, "reproduce own.toml --device cpu");
    assert!(refused.contains("the folder has runs of an older recipe"), "{refused}");
    let page = succeed(here, "reproduce own.toml --table");
    assert!(page.contains("3 seeds of an older recipe not shown"), "{page}");

    // The page of the built-in experiments has each of them.
    let (page, list) = (succeed(here, "reproduce --table"), succeed(here, "reproduce --list"));
    assert!(page.contains("`ae reproduce pca-mnist`: Not yet run."), "{page}");
    assert!(list.contains("pca-mnist") && list.contains("on two cores"), "{list}");
}

/// Otherwise a target would not depend on training.
#[test]
fn every_quick_version_misses_a_target_untrained() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ae-experiment/recipes");
    let mut count = 0;
    for entry in std::fs::read_dir(recipes).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".toml") else { continue };
        let printed = fail(here, &format!("reproduce {name} --quick --epochs 0 --device cpu"));
        let is_missed = printed.contains(&format!("missed a target: {name} "));
        // PCA is not trained.
        let is_computed = printed.contains("this experiment has no epochs");
        assert!(is_missed || is_computed, "{name}: {printed}");
        count += usize::from(is_missed);
    }
    assert!(count > 10, "{count}");
}

#[test]
fn without_training_a_target_is_missed_and_the_program_fails() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ended = ae(here, "reproduce keras-dense --quick --epochs 0 --device cpu");
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stdout).contains("missed: below 0.4 times mean_error of dense"));
    let printed = text(&ended.stderr);
    assert!(printed.contains("error: missed a target: keras-dense (details above)"));
    assert!(here.join("runs/reproduce/keras-dense-quick-epochs-0").is_dir());
    succeed(here, "reproduce keras-dense --quick --device cpu");
    for (line, message) in [
        (
            "reproduce pca-mnist --quick --epochs 0",
            "pca-mnist.toml: --epochs: this experiment has no epochs; drop the option",
        ),
        ("reproduce nothing.toml", "nothing.toml: No such file or directory (os error 2)"),
    ] {
        assert_eq!(fail(here, &format!("{line} --device cpu")), message, "ae {line}");
    }
    let unknown = fail(here, "reproduce pca");
    assert!(unknown.starts_with("reproduce: expected one of pca-mnist, "), "{unknown}");
}
