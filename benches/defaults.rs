//! The program with its defaults, beside PCA with the same code, on tables, digits and photographs.
//!
//!     cargo bench --bench defaults -- DATA_FOLDER [--program FILE] [--seeds N] [--only PART] [--record]
//!
//! Each run is `ae train --data ... --code ...` with `--seed`, `--device cpu` and `--out`, and nothing else. The test
//! split is that of the program.
//! DATA_FOLDER has these, and what is not there is left out and named:
//!
//! | folder | |
//! |---|---|
//! | `uci/NAME.csv` | complete tables |
//! | `adbench/N_NAME.npz` | tables of ADBench (Han et al. 2022) |
//! | `mnist`, `cifar10-sample` | as `--data` takes them |
//! | `photos-cc0`, `kodak`, `textures` | photographs, of which tiles are cut here |

#[path = "record/mod.rs"]
mod record;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use autoencoders::data::images;
use image::imageops::{FilterType, crop_imm, resize};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Name and code: half as many units as columns.
const UCI: [(&str, usize); 10] = [
    ("abalone", 4),
    ("banknote", 2),
    ("breast-cancer", 5),
    ("concrete", 4),
    ("digits-8x8", 16),
    ("german", 10),
    ("letter", 8),
    ("spam", 28),
    ("winequality-red", 6),
    ("winequality-white", 6),
];
const ADBENCH: [(&str, usize); 4] =
    [("20_letter", 16), ("26_optdigits", 32), ("28_pendigits", 8), ("30_satellite", 18)];

/// Name, folder, side of the tiles that are cut, side that they are made to, code.
type Photographs = (&'static str, &'static str, u32, u32, usize);
const PHOTOGRAPHS: [Photographs; 5] = [
    ("photographs, crops of 128", "photos-cc0", 128, 128, 64),
    ("photographs, crops of 128 at 32x32", "photos-cc0", 128, 32, 64),
    ("photographs, crops of 64", "photos-cc0", 64, 64, 64),
    ("Kodak, crops of 64", "kodak", 64, 64, 64),
    ("textures, crops of 32", "textures", 32, 32, 32),
];

struct Settings {
    data: PathBuf,
    program: PathBuf,
    seeds: u64,
    only: String,
    record: bool,
}

fn settings() -> Result<Settings> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/ae");
    let mut settings =
        Settings { data: PathBuf::new(), program, seeds: 3, only: String::new(), record: false };
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word}: expected a value"));
        match &*word {
            "--program" => settings.program = value()?.into(),
            "--seeds" => settings.seeds = value()?.parse()?,
            "--only" => settings.only = value()?,
            "--record" => settings.record = true,
            _ => settings.data = word.into(),
        }
    }
    if settings.data.as_os_str().is_empty() {
        return Err("expected the folder with the data".into());
    }
    settings.data = std::path::absolute(&settings.data)?;
    settings.program = std::path::absolute(&settings.program)?;
    Ok(settings)
}

#[derive(PartialEq, Clone, Copy)]
enum Kind {
    Table,
    Picture,
}

/// A data set as the program takes it.
struct Set {
    name: String,
    kind: Kind,
    source: String,
    code: usize,
}

/// A line of the table.
struct Line {
    set: Set,
    ours: Vec<f64>,
    pca: f64,
    mean: f64,
    seconds: f64,
}

impl Line {
    fn ratio(&self) -> f64 {
        self.ours.iter().sum::<f64>() / self.ours.len() as f64 / self.pca
    }

    fn spread(&self) -> f64 {
        let mean = self.ours.iter().sum::<f64>() / self.ours.len() as f64;
        let squares: f64 = self.ours.iter().map(|it| (it - mean).powi(2)).sum();
        (squares / (self.ours.len().max(2) - 1) as f64).sqrt() / self.pca
    }
}

fn main() -> Result<()> {
    let settings = settings()?;
    let folder = std::env::temp_dir().join(format!("defaults-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for set in sets(&settings, &folder, &mut missing)? {
        let line = measure(set, &settings, &folder)?;
        println!("{}", text(&line));
        lines.push(line);
    }
    std::fs::remove_dir_all(&folder)?;
    let body = body(&lines, &settings, &missing);
    println!("\n{body}");
    if settings.record {
        record::record("defaults", "Defaults beside PCA", &body)?;
    }
    Ok(())
}

fn sets(settings: &Settings, folder: &Path, missing: &mut Vec<String>) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    let mut add = |name: &str, kind, source: PathBuf, code| {
        let source = source.display().to_string();
        sets.push(Set { name: name.to_owned(), kind, source, code });
    };
    let is_wanted = |name: &str| name.contains(&settings.only);
    for (name, code) in UCI.into_iter().filter(|it| is_wanted(it.0)) {
        let ends = [".csv", ".csv.gz"].map(|end| settings.data.join(format!("uci/{name}{end}")));
        let kind = if name.starts_with("digits") { Kind::Picture } else { Kind::Table };
        match ends.into_iter().find(|path| path.exists()) {
            Some(path) => add(name, kind, path, code),
            None => missing.push(name.to_owned()),
        }
    }
    for (name, code) in ADBENCH.into_iter().filter(|it| is_wanted(it.0)) {
        let path = settings.data.join(format!("adbench/{name}.npz"));
        match path.exists() {
            true => add(name, Kind::Table, path, code),
            false => missing.push(name.to_owned()),
        }
    }
    let generated = [("digits", 32), ("curves", 8), ("rectangles", 16)];
    for (name, code) in generated.into_iter().filter(|it| is_wanted(it.0)) {
        add(name, Kind::Picture, name.into(), code);
    }
    let folders = [("mnist", 32), ("cifar10-sample", 32)];
    for (name, code) in folders.into_iter().filter(|it| is_wanted(it.0)) {
        match settings.data.join(name).exists() {
            true => add(name, Kind::Picture, settings.data.join(name), code),
            false => missing.push(name.to_owned()),
        }
    }
    for (name, from, tile, side, code) in PHOTOGRAPHS.into_iter().filter(|it| is_wanted(it.0)) {
        let from = settings.data.join(from);
        match from.exists() {
            true => {
                let to = folder.join(name.replace([' ', ','], "-"));
                cut(&from, tile, side, &to)?;
                add(name, Kind::Picture, to, code);
            }
            false => missing.push(name.to_owned()),
        }
    }
    Ok(sets)
}

/// Cuts the photographs of a folder into tiles without overlap, and writes them in this size.
fn cut(from: &Path, tile: u32, side: u32, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for (number, path) in images::list(from)?.iter().enumerate() {
        let photo = images::read(path)?;
        for (x, y) in
            (0..photo.height() / tile).flat_map(|y| (0..photo.width() / tile).map(move |x| (x, y)))
        {
            let cut = crop_imm(&photo, x * tile, y * tile, tile, tile).to_image();
            let cut = resize(&cut, side, side, FilterType::Triangle);
            cut.save(to.join(format!("{number:02}-{y:02}-{x:02}.png")))?;
        }
    }
    Ok(())
}

fn measure(set: Set, settings: &Settings, folder: &Path) -> Result<Line> {
    let mut line = Line { set, ours: vec![], pca: f64::NAN, mean: f64::NAN, seconds: 0.0 };
    for seed in 0..settings.seeds {
        let out = folder.join("run");
        let start = Instant::now();
        let status = Command::new(&settings.program)
            .args(["train", "--device", "cpu", "--data", &line.set.source])
            .args(["--code", &line.set.code.to_string(), "--seed", &seed.to_string()])
            .arg("--out")
            .arg(&out)
            .current_dir(folder)
            .output()?;
        if !status.status.success() {
            let said = String::from_utf8_lossy(&status.stderr).into_owned();
            return Err(format!("{}: {said}", line.set.name).into());
        }
        line.seconds = line.seconds.max(start.elapsed().as_secs_f64());
        let summary = std::fs::read_to_string(out.join("summary.json"))?;
        let summary: serde_json::Value = serde_json::from_str(&summary)?;
        let number = |value: &serde_json::Value| value.as_f64().ok_or("summary: no number");
        line.ours.push(number(&summary["test"]["squared_error"])?);
        line.pca = number(&summary["pca"]["squared_error"])?;
        line.mean = number(&summary["mean_error"])?;
        std::fs::remove_dir_all(&out)?;
    }
    Ok(line)
}

fn text(line: &Line) -> String {
    let ours = line.ours.iter().sum::<f64>() / line.ours.len() as f64;
    format!(
        "| {} | {} | {ours:.4} | {:.4} | {:.4} | {:.3} | {:.3} | {:.0} |",
        line.set.name,
        line.set.code,
        line.pca,
        line.mean,
        line.ratio(),
        line.spread(),
        line.seconds,
    )
}

fn body(lines: &[Line], settings: &Settings, missing: &[String]) -> String {
    let mut body = format!(
        "`ae train --data ... --code ...` without another option, {} seeds, each set as the program splits it. Squared \
         error per test sample: ours (the mean of the seeds), PCA with the same code, and the mean of the training set. \
         The ratio is ours over PCA's, its spread the standard deviation over the seeds. Seconds: the longest run, with \
         data, PCA and report.\n\n| data | code | ours | PCA | mean | ratio | spread | s |\n|---|---|---|---|---|---|---|---|\n",
        settings.seeds
    );
    lines.iter().for_each(|line| body += &format!("{}\n", text(line)));
    let below = |kind: Kind, bound: f64| {
        let of_kind = lines.iter().filter(|line| line.set.kind == kind);
        let below = of_kind.clone().filter(|line| line.ratio() <= bound).count();
        format!("{below} of {}", of_kind.count())
    };
    let worst = lines.iter().map(Line::ratio).fold(0.0, f64::max);
    let _ = write!(
        body,
        "\nTables at most 0.60 of PCA's error: {}. Pictures at most 0.90: {}. The largest ratio: {worst:.3}.\n",
        below(Kind::Table, 0.6),
        below(Kind::Picture, 0.9),
    );
    if !missing.is_empty() {
        let _ =
            write!(body, "\nNot measured, since the data was not there: {}.\n", missing.join(", "));
    }
    body
}
