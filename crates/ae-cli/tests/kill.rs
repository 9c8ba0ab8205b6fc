//! A run that is killed at any moment and resumed ends with the very same weights.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn ae(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ae"));
    command.current_dir(folder).args(line.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

const RUN: &str = "train --digits 1500,100 --channels 8,16 --code 8 --epochs 4 --batch 16 \
                   --corrupt gaussian:0.3 --l1 0.01 --clip 50 --device cpu --checkpoint-steps 7";

/// Moments that no two tests runs share, so that in time all are tried; printed, so that a
/// failure can be repeated.
fn moments(whole: Duration) -> Vec<Duration> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut state = now.as_nanos() as u64 | 1;
    let mut next = || {
        // xorshift64 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    // Together less than one whole run, so that each life ends by force.
    (0..5).map(|_| whole.mul_f64(0.03 + 0.15 * next())).collect()
}

#[test]
fn killed_five_times_and_resumed_the_weights_are_bit_identical() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let began = Instant::now();
    assert!(ae(here, &format!("{RUN} --out whole")).status().unwrap().success());
    let moments = moments(began.elapsed());
    println!("killed after {moments:?} of {:?}", began.elapsed());

    let mut kills = 0;
    for moment in &moments {
        let resume = here.join("killed/recipe.toml").is_file();
        let line = match resume {
            true => "train --resume killed --device cpu --checkpoint-steps 7".to_owned(),
            false => {
                let _ = std::fs::remove_dir_all(here.join("killed"));
                format!("{RUN} --out killed")
            }
        };
        let mut child = ae(here, &line).spawn().unwrap();
        std::thread::sleep(*moment);
        // SIGKILL: nothing is finished, nothing flushed.
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert_eq!(kills, 5, "every life ended by force");
    let last = ae(here, "train --resume killed --device cpu").status().unwrap();
    assert!(last.success());

    let read = |path: &str| std::fs::read(here.join(path)).unwrap();
    assert!(read("whole/model.safetensors") == read("killed/model.safetensors"));
    // The same steps were logged, each once; only times differ.
    let epochs = |path: &str| -> Vec<serde_json::Value> {
        let text = String::from_utf8(read(path)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut epochs: Vec<serde_json::Value> =
            lines.filter(|event: &serde_json::Value| event["event"] == "epoch").collect();
        for epoch in &mut epochs {
            let report = epoch["report"].as_object_mut().unwrap();
            report.retain(|name, _| name != "seconds" && name != "samples_per_second");
        }
        epochs
    };
    assert_eq!(epochs("whole/metrics.jsonl"), epochs("killed/metrics.jsonl"));
}
