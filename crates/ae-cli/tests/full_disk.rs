//! A checkpoint that a disk has no room for: the run ends with an error, keeps the checkpoints before, and is
//! resumed once there is room.
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::succeed;

const LINE: &str = "train --samples 64,20 --model dense --hidden none --code 100 --batch 16 --device cpu \
                    --checkpoint-steps 10 --out run";

/// The checkpoints of a run, without the weights that it began with.
fn checkpoints(run: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(run.join("checkpoints")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("step-")).collect();
    names.sort();
    names
}

/// The limit to the size of files, at which the system refuses to write more as on a full disk, is 1.5 or 3 MB:
/// the unit differs between shells. A checkpoint takes 4 MB, the weights alone 1.
#[test]
fn checkpoint_without_room_ends_the_run_and_keeps_those_before() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut training = Command::new(env!("CARGO_BIN_EXE_ae"));
    training.args(LINE.split(' ')).args(["--epochs", "30"]).current_dir(here);
    let mut training = training.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while checkpoints(&here.join("run")).is_empty() && training.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    training.kill().unwrap();
    training.wait().unwrap();
    let before = checkpoints(&here.join("run"));
    assert!(!before.is_empty());

    // Without the trap the system ends the program.
    let script = "trap '' XFSZ; ulimit -f 3000; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_ae"), "train", "--resume", "run"]);
    let output = limited.args(["--checkpoint-steps", "10"]).current_dir(here).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.contains("checkpoints/step-"), "{said}");
    assert!(error.contains("no room for it on the disk ("), "{said}");
    assert_eq!(checkpoints(&here.join("run")), before, "{said}");
    let left = std::fs::read_dir(here.join("run/checkpoints")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.starts_with(".tmp")).count(), 0);

    succeed(here, "train --resume run");
}
