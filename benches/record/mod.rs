//! Where measurements go: each section into `benches/results/`, all of them into `benches/RESULTS.md`.
//!
//! A benchmark that records says `mod record;` and calls [`record()`].

#![allow(dead_code, reason = "each benchmark takes of it what it needs")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// In the order in which they appear.
const SECTIONS: [&str; 17] = [
    "peers",
    "peers-avx2",
    "gpu",
    "gpu-f16",
    "gpu-bf16",
    "scale",
    "streaming",
    "larger",
    "endurance-flex",
    "endurance-ndarray",
    "endurance-wgpu",
    "sweep",
    "start",
    "defaults",
    "anomalies",
    "impute",
    "transfer",
];

/// Replaces a section (its name one of [`SECTIONS`], its body Markdown) and puts all together anew.
pub fn record(section: &str, title: &str, body: &str) -> io::Result<()> {
    assert!(SECTIONS.contains(&section), "section: expected one of {SECTIONS:?}, got {section}");
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let results = benches.join("results");
    fs::create_dir_all(&results)?;
    let text = format!("## {title}\n\n{}\n\n{}\n", provenance(), body.trim());
    write(&results.join(format!("{section}.md")), &text)?;

    let mut whole = header(results.join("gpu.md").exists());
    for section in SECTIONS {
        match fs::read_to_string(results.join(format!("{section}.md"))) {
            Ok(text) => whole.extend(["\n", &text]),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    write(&benches.join("RESULTS.md"), &whole)
}

/// So that the file is there whole or as it was.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// When, of what and on what a section was measured, with the instruction set of the kernels: machines may differ from
/// one to the next.
fn provenance() -> String {
    let isa = ae_kernels::isa().unwrap_or(UNKNOWN);
    format!("Measured on {}, commit {}, {} ({isa}).", date(), commit(), processor())
}

fn header(has_gpu: bool) -> String {
    let mut text = format!(
        "# Results\n\nWritten by the benchmarks themselves (`benches/README.md` has the commands), no \
         number by hand. In brackets behind a section's processor is the instruction set of the kernels; sections \
         without one are older than these brackets. The machine of the section written last:\n\n| | |\n|---|---|\n\
         | processor | {} |\n| caches | {} |\n| memory | {} |\n| system | {} |\n| compiler | {} |\n\
         | allocator | mimalloc 2, as in the program `ae`, where a section says nothing else |\n\
         | date | {} |\n| commit | {} |\n",
        processor(),
        caches().join(", "),
        memory(),
        system(),
        answer("rustc", &["--version"]),
        date(),
        commit(),
    );
    if !has_gpu {
        text.push_str("\nNone of it on a GPU: what was seen on one is in `benches/README.md`.\n");
    }
    text
}

/// What a program prints in the root of the repository.
fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()
        .filter(|output| output.status.success());
    output.map_or(UNKNOWN.to_owned(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

const UNKNOWN: &str = "unknown";

fn date() -> String {
    answer("date", &["-u", "+%Y-%m-%d"])
}

/// With a mark where anything but results differs from it; where there is no Git, what the build was told
/// (`AE_COMMIT`).
fn commit() -> String {
    let commit = answer("git", &["rev-parse", "--short=12", "HEAD"]);
    if commit == UNKNOWN {
        return option_env!("AE_COMMIT").unwrap_or(UNKNOWN).to_owned();
    }
    let but_results = [":!benches/results", ":!benches/RESULTS.md"];
    let status = ["status", "--porcelain", "--", "."];
    match answer("git", &[&status[..], &but_results].concat()).as_str() {
        "" | UNKNOWN => commit,
        _ => format!("{commit} with changes"),
    }
}

/// Its model where the system tells, and the cores that are ours.
pub fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = entry("/proc/cpuinfo", "model name", ':');
    let model = model.unwrap_or_else(|| answer("sysctl", &["-n", "machdep.cpu.brand_string"]));
    format!("{model}, {cores} core{}", if cores == 1 { "" } else { "s" })
}

/// `L1d 48K`, ...: of the first core.
fn caches() -> Vec<String> {
    let cache = |index: usize| {
        let of = |what: &str| {
            let file = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}");
            fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
        };
        let kind = match of("type")?.as_str() {
            "Data" => "d",
            "Instruction" => "i",
            _ => "",
        };
        Some(format!("L{}{kind} {}", of("level")?, of("size")?))
    };
    let known: Vec<String> = (0..).map_while(cache).collect();
    if known.is_empty() { vec![UNKNOWN.to_owned()] } else { known }
}

fn memory() -> String {
    let kibibytes = entry("/proc/meminfo", "MemTotal", ':');
    let kibibytes = kibibytes.and_then(|text| text.trim_end_matches(" kB").parse::<f64>().ok());
    kibibytes.map_or(UNKNOWN.to_owned(), |kibibytes| format!("{:.0} GiB", kibibytes / 1048576.0))
}

fn system() -> String {
    let name = entry("/etc/os-release", "PRETTY_NAME", '=');
    let name = name.unwrap_or_else(|| std::env::consts::OS.to_owned());
    format!(
        "{}, {}, kernel {}",
        name.trim_matches('"'),
        std::env::consts::ARCH,
        answer("uname", &["-r"])
    )
}

/// The value of a name in a file of lines `name`, separator, value.
fn entry(file: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let values = text.lines().filter_map(|line| line.split_once(separator));
    let value = values.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    value.map(str::to_owned).next()
}

/// The most memory this process has had at once, in bytes, where the system tells.
pub fn peak_memory() -> Option<u64> {
    status("VmHWM")
}

/// The memory this process has now, in bytes, where the system tells.
pub fn resident_memory() -> Option<u64> {
    status("VmRSS")
}

fn status(name: &str) -> Option<u64> {
    let kibibytes = entry("/proc/self/status", name, ':')?;
    Some(1024 * kibibytes.trim_end_matches(" kB").parse::<u64>().ok()?)
}
