//! A run that is killed at any moment and resumed ends with the same weights, bit for bit.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::Rng;

fn ae(folder: &Path, line: &str) -> Command {
    let mut command = common::command(folder, line);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

const RUN: &str = "train --digits 1500,100 --channels 8,16 --code 8 --epochs 4 --batch 16 \
                   --corrupt gaussian:0.3 --l1 0.01 --clip 50 --device cpu --checkpoint-steps 3";
/// 1350 samples in batches of 16, four times.
const STEPS: u64 = 336;

/// The step of the newest checkpoint.
fn newest(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder.join("checkpoints")) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let steps = names
        .filter_map(|name| name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok());
    steps.max().unwrap_or(0)
}

/// Waits until the run has a checkpoint at `steps`, looks `times` more, then kills it with SIGKILL. False if it
/// had ended before.
fn kill_after(child: &mut Child, folder: &Path, steps: u64, times: usize) -> bool {
    while newest(folder) < steps && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = (0..times).map(|_| newest(folder)).max();
    let is_alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    is_alive
}

fn read(folder: &Path, path: &str) -> Vec<u8> {
    std::fs::read(folder.join(path)).unwrap()
}

/// The logged epochs, without times, which differ from run to run.
fn epochs(metrics: Vec<u8>) -> Vec<serde_json::Value> {
    let text = String::from_utf8(metrics).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut epochs: Vec<serde_json::Value> =
        lines.filter(|event: &serde_json::Value| event["event"] == "epoch").collect();
    for epoch in &mut epochs {
        let report = epoch["report"].as_object_mut().unwrap();
        report.retain(|name, _| name != "seconds" && name != "samples_per_second");
    }
    epochs
}

/// Killed once in each fifth of the run, and once more after the last step, while model and report are written.
#[test]
fn killed_and_resumed_the_weights_are_bit_identical() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert!(ae(here, &format!("{RUN} --out whole")).status().unwrap().success());

    let mut rng = Rng::new();
    let killed = here.join("killed");
    let mut kills = Vec::new();
    for life in 0..6 {
        let target = match life {
            5 => STEPS,
            fifth => ((fifth as f64 + 0.1 + 0.7 * rng.next()) * STEPS as f64 / 5.0) as u64,
        };
        // On a busy machine the previous life may have run past its target.
        let target = target.max(newest(&killed) + 4).min(STEPS);
        let line = match life {
            0 => format!("{RUN} --out killed"),
            _ => "train --resume killed --device cpu --checkpoint-steps 3".to_owned(),
        };
        let times = (1000.0 * rng.next()) as usize;
        let mut child = ae(here, &line).spawn().unwrap();
        let is_killed = kill_after(&mut child, &killed, target, times);
        assert!(is_killed || life == 5, "life {life} ended by itself before step {target}");
        kills.push((target, newest(&killed)));
    }
    println!("(wanted, newest checkpoint) at each kill: {kills:?}");
    for (life, pair) in kills.windows(2).enumerate() {
        let made_progress = pair[0].1 < pair[1].1 || pair[1].1 == STEPS;
        assert!(0 < pair[0].1 && made_progress, "life {life} made no progress: {kills:?}");
    }
    assert!(ae(here, "train --resume killed --device cpu").status().unwrap().success());

    assert!(read(here, "whole/model.safetensors") == read(here, "killed/model.safetensors"));
    assert_eq!(
        epochs(read(here, "whole/metrics.jsonl")),
        epochs(read(here, "killed/metrics.jsonl"))
    );
    let left = std::fs::read_dir(killed.join("checkpoints")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
}

/// Waits until the run in `folder` has a checkpoint at `steps`.
#[cfg(unix)]
fn wait_for(child: &mut Child, folder: &Path, steps: u64) {
    while newest(folder) < steps {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A signal finishes the step, saves a checkpoint, and has its exit code; the message says how to resume. The same signal
/// at once after it changes nothing.
#[cfg(unix)]
#[test]
fn interrupted_and_resumed_the_weights_are_bit_identical() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert!(ae(here, &format!("{RUN} --out whole")).status().unwrap().success());
    let mut line = format!("{RUN} --out it's");
    let mut errors: Vec<f64> = Vec::new();
    for (name, code, steps) in [("-INT", 130, 30), ("-TERM", 143, 110), ("-HUP", 129, 200)] {
        let mut child = ae(here, &line).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&mut child, &here.join("it's"), steps);
        signal(&child, name);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(printed.contains(r"to resume: ae train --resume 'it'\''s'"), "{printed}");
        assert!(!here.join("it's/model.safetensors").exists());
        // Its best weights so far can be used.
        let output = common::ae(here, "eval it's --json --device cpu");
        let said = common::text(&output.stderr);
        assert!(said.contains("it's is not finished: the best weights up to step "), "{said}");
        let evaluation: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = evaluation["squared_error"].as_f64().unwrap();
        assert!(errors.last().is_none_or(|before| error < *before), "{error}, before {errors:?}");
        errors.push(error);
        assert!(common::fail(here, "report it's --device cpu").contains("`ae eval` measures"));
        line = "train --resume it's --device cpu --checkpoint-steps 3".to_owned();
    }
    assert!(ae(here, &line).status().unwrap().success());
    assert!(read(here, "whole/model.safetensors") == read(here, "it's/model.safetensors"));
}

/// A program that `nohup` started goes on after its terminal is closed, and so does one whose outputs are closed.
#[cfg(unix)]
#[test]
fn a_hangup_that_is_ignored_and_closed_outputs_end_no_training() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let program = env!("CARGO_BIN_EXE_ae");
    let mut child = Command::new("sh")
        .current_dir(here)
        .env("XDG_CACHE_HOME", here)
        .args(["-c", &format!("trap '' HUP; exec {program} {RUN} --out run")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&mut child, &here.join("run"), 30);
    signal(&child, "-HUP");
    drop((child.stdout.take(), child.stderr.take()));
    assert!(child.wait().unwrap().success());
    assert!(here.join("run/report.html").exists());
}

/// A closed pipe is no error of verbs that print.
#[test]
fn a_closed_pipe_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["devices", "--help", "data --help"] {
        let mut command = common::command(folder.path(), line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "ae {line}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "ae {line}");
    }
}

/// The lock of a run that is killed ends with it: the other tests resume such runs.
#[test]
fn a_run_that_is_being_written_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut child = ae(here, &format!("{RUN} --out run")).spawn().unwrap();
    while newest(&here.join("run")) < 30 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
    let said = common::fail(here, "train --resume run --device cpu");
    let is_writing = format!("run: process {} is writing this run; ", child.id());
    assert!(said.starts_with(&is_writing) && child.try_wait().unwrap().is_none(), "{said}");
    assert!(child.wait().unwrap().success());
}
