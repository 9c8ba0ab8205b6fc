//! Runs the program in a folder.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::path::Path;
use std::process::{Command, Output};

pub fn ae(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ae"));
    command.current_dir(folder).args(line.split_whitespace());
    // Isolated from the user's cache and GPU.
    command.env("XDG_CACHE_HOME", folder).env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command.output().expect("the program starts")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn succeed(folder: &Path, line: &str) -> String {
    let output = ae(folder, line);
    assert!(output.status.success(), "ae {line}\n{}", text(&output.stderr));
    text(&output.stdout)
}

/// The error message of a command that has to fail with exit code 1.
pub fn fail(folder: &Path, line: &str) -> String {
    let output = ae(folder, line);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "ae {line}\n{message}");
    let last = message.lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("error: "), "ae {line}\n{message}");
    last["error: ".len()..].replace(&folder.display().to_string(), "<here>")
}
