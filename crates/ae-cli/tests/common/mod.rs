//! Runs the program in a folder.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::path::Path;
use std::process::{Command, Output};

pub fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ae"));
    command.current_dir(folder).args(line.split_whitespace());
    // Isolated from the user's cache and GPU.
    command.env("XDG_CACHE_HOME", folder).env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command
}

pub fn ae(folder: &Path, line: &str) -> Output {
    command(folder, line).output().expect("the program starts")
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

/// Random numbers, different in each run of a test, so that over time all moments are tried. A failure is
/// replayed with the printed `AE_TEST_SEED`.
pub struct Rng(u64);

impl Rng {
    pub fn new() -> Self {
        let seed = match std::env::var("AE_TEST_SEED") {
            Ok(seed) => seed.parse().expect("AE_TEST_SEED: a number"),
            Err(_) => {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                now.expect("a clock").as_nanos() as u64
            }
        };
        println!("AE_TEST_SEED={seed}");
        Self(seed | 1)
    }

    /// In [0, 1), by xorshift64 (Marsaglia 2003).
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
