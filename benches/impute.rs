//! Imputation of tables with cells hidden on purpose, beside other methods.
//!
//! `cargo bench --bench impute -- FOLDER [--tables a,b] [--mechanisms mcar,mar,mnar] [--share 0.2] [--seed 1] [--tilt 0]
//! [--python PYTHON] [--rivals IterativeImputer,KNNImputer,missForest]` prints a line of JSON for each method on each
//! table of the folder: its error, its seconds, and of ours the coverage of 90 % intervals. With `--python`, a Python
//! that has scikit-learn, its imputers fill in the same cells (`impute/rivals.py`). `--record LINES` makes the section
//! of the results from such lines, which may come from several runs.

mod record;
#[path = "impute/section.rs"]
mod section;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use ae_apply::impute::{Cells, Mechanism, Settings, Study};
use autoencoders::burn::tensor::Device;
use autoencoders::data::table::{self, TableOptions};

type Failure = Box<dyn std::error::Error>;

/// The tables, and the columns of which are categories though they are numbers.
const TABLES: [(&str, &[&str]); 11] = [
    ("abalone.csv", &[]),
    ("auto-imports.csv", &[]),
    ("banknote.csv", &["class"]),
    ("breast-cancer.csv", &["benign"]),
    ("concrete.csv", &[]),
    ("digits-8x8.csv.gz", &[]),
    ("german.csv", &["class"]),
    ("letter.csv", &[]),
    ("spam.csv", &[]),
    ("winequality-red.csv", &[]),
    ("winequality-white.csv", &[]),
];

fn main() -> Result<(), Failure> {
    // Cargo passes --bench.
    let given: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let option = |name: &str| {
        let at = given.iter().position(|it| it == name)?;
        given.get(at + 1).cloned()
    };
    if let Some(lines) = option("--record") {
        return record_lines(&std::fs::read_to_string(lines)?);
    }
    let folder = given.first().map(PathBuf::from).ok_or("the folder of the tables is missing")?;
    let share: f64 = option("--share").map_or(Ok(0.2), |it| it.parse())?;
    let seed: u64 = option("--seed").map_or(Ok(1), |it| it.parse())?;
    let mechanisms = option("--mechanisms").unwrap_or_else(|| "mcar,mar,mnar".into());
    let mnar_tilt: f64 = option("--tilt").map_or(Ok(0.0), |it| it.parse())?;
    let wanted = option("--tables");
    let python = option("--python");
    let rivals = option("--rivals").unwrap_or_else(|| "IterativeImputer,KNNImputer".into());
    for (file, categorical) in TABLES {
        let name = file.split('.').next().unwrap_or(file);
        let is_wanted = |list: &String| list.split(',').any(|it| it == name);
        if wanted.as_ref().is_some_and(|list| !is_wanted(list)) {
            continue;
        }
        let truth = read(&folder.join(file), categorical)?;
        for mechanism in mechanisms.split(',') {
            let kind: Mechanism = serde_json::from_value(mechanism.into())?;
            // The mechanism's own: nothing in the data tells it.
            let tilt = if kind == Mechanism::Mnar { mnar_tilt } else { 0.0 };
            let named =
                if tilt == 0.0 { mechanism.into() } else { format!("{mechanism}, tilt {tilt}") };
            let settings = Settings { seed, tilt, ..Settings::default() };
            if !given.iter().any(|it| it == "--rivals-only") {
                let began = Instant::now();
                let study = Study::of(&settings, &truth, kind, share, &Device::flex(), &mut ())?;
                let seconds = began.elapsed().as_secs_f64();
                for errors in &study.methods {
                    let ours = errors.method == "autoencoder";
                    println!(
                        "{}",
                        serde_json::json!({
                            "table": name, "mechanism": named, "method": errors.method,
                            "nrmse": errors.nrmse, "rmse01": errors.rmse01, "pfc": errors.pfc,
                            "seconds": ours.then_some(seconds),
                            "coverage": ours.then_some(study.coverage),
                            "draws_coverage": ours.then_some(study.draws_coverage),
                        })
                    );
                }
            }
            if let Some(python) = &python {
                let hidden = Study::hidden(&truth, kind, share, seed)?;
                let place = Path::new("target/impute").join(format!("{name}-{mechanism}"));
                write(&place, &truth, &hidden)?;
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/impute/rivals.py");
                let output = Command::new(python).arg(script).arg(&place).arg(&rivals).output()?;
                for line in String::from_utf8(output.stdout)?.lines() {
                    let mut line: serde_json::Value = serde_json::from_str(line)?;
                    line["table"] = name.into();
                    line["mechanism"] = mechanism.into();
                    println!("{line}");
                }
                eprint!("{}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
    Ok(())
}

fn read(path: &Path, categorical: &[&str]) -> Result<Cells, Failure> {
    let mut options = TableOptions::default();
    let names = table::read_with(path, None, &options)?;
    let columns = names.table().map(|info| info.schema.columns.clone()).unwrap_or_default();
    let is_there = |name: &&&str| columns.iter().any(|column| column.name == **name);
    options.categorical = categorical.iter().filter(is_there).map(|it| it.to_string()).collect();
    Ok(Cells::of(&table::read_with(path, None, &options)?)?)
}

/// Writes cells and hidden cells for other programs.
fn write(folder: &Path, cells: &Cells, hidden: &[bool]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let (mut values, mut marks) = (String::new(), String::new());
    for (row, hidden) in cells.rows().zip(hidden.chunks_exact(cells.width())) {
        let end = |at: usize| if at + 1 == cells.width() { '\n' } else { ',' };
        for (at, (value, hidden)) in row.iter().zip(hidden).enumerate() {
            let _ = write!(values, "{value}{}", end(at));
            let _ = write!(marks, "{}{}", u8::from(*hidden), end(at));
        }
    }
    let kinds: Vec<String> =
        cells.columns().iter().map(|column| column.categories().unwrap_or(0).to_string()).collect();
    std::fs::write(folder.join("cells.csv"), values)?;
    std::fs::write(folder.join("hidden.csv"), marks)?;
    std::fs::write(folder.join("kinds.csv"), kinds.join(","))?;
    Ok(())
}

fn record_lines(lines: &str) -> Result<(), Failure> {
    let lines: Vec<serde_json::Value> =
        lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let tables: Vec<&str> = TABLES.iter().filter_map(|(file, _)| file.split('.').next()).collect();
    let body = section::section(&lines, &tables);
    record::record("impute", "Imputation of missing values", &body)?;
    Ok(())
}
