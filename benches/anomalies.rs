//! Anomaly detection on the tables of ADBench (Han et al. 2022, arXiv 2206.09426), by the protocol of DTE (Livernoche
//! et al. 2024, arXiv 2305.18593): the detector with its defaults beside kNN, PCA and an isolation forest, with every seed, and how often
//! fresh normal rows are flagged.
//!
//!     cargo bench --bench anomalies -- FOLDER [--seeds 5] [--sets 6_cardio,14_glass] [--unsupervised [--trim 0.3]] [--all-scores]
//!
//!     cargo bench --bench anomalies -- --record SEMI UNSUPERVISED    # what both runs printed, into RESULTS.md
//!
//! `FOLDER` has the `NUMBER_name.npz` files of ADBench, `adbench/datasets/Classical`. It prints a table in
//! Markdown.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ae_apply::detect::{Detector, DetectorSettings, Rival, RivalKind, ScoreKind};
use autoencoders::burn::tensor::Device;
use autoencoders::data::{
    self as ae_data, Method, Options, Preprocessing, Samples, open_unsplit, subsample,
};
use autoencoders::train::{average_precision, roc_auc};

/// Training rows at most, drawn at random: ADBench's limit for whole sets.
const MOST_ROWS: usize = 10_000;

/// Neighbours of kNN in the published table.
const NEIGHBOURS: usize = 5;

/// The share that is trimmed without labels.
const TRIM: f64 = 0.3;

mod record;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Settings {
    folder: PathBuf,
    seeds: std::ops::Range<u64>,
    sets: Option<Vec<String>>,
    unsupervised: bool,
    trim: f64,
    all_scores: bool,
    detector: DetectorSettings,
}

/// Training rows, and test rows with what is an anomaly.
struct Split {
    training: Samples,
    test: Samples,
    is_anomaly: Vec<bool>,
}

/// What one method did on one split.
struct Outcome {
    name: String,
    auroc: f64,
    precision: f64,
}

/// How many of the fresh normal rows were flagged at a rate, and whether that is in the interval.
struct Alarms {
    rate: f64,
    flagged: usize,
    fresh: usize,
    inside: bool,
}

/// A random half of the normal rows; the other half and all anomalies.
fn semi_supervised(samples: &Samples, labels: &[bool], seed: u64) -> Result<Split> {
    let normal: Vec<usize> = (0..labels.len()).filter(|row| !labels[*row]).collect();
    let (training, held_out) = ae_data::split_rows(normal.len(), 0.5, seed)?;
    let training: Vec<usize> = training.into_iter().map(|row| normal[row]).collect();
    let mut test: Vec<usize> = held_out.into_iter().map(|row| normal[row]).collect();
    test.extend((0..labels.len()).filter(|row| labels[*row]));
    Ok(Split {
        training: samples.subset(&training),
        is_anomaly: test.iter().map(|row| labels[*row]).collect(),
        test: samples.subset(&test),
    })
}

/// A bootstrap of all rows; all rows.
fn unsupervised(samples: &Samples, labels: &[bool], seed: u64) -> Split {
    use rand::{RngExt, SeedableRng};
    let mut generator = chacha20::ChaCha8Rng::seed_from_u64(seed);
    let count = samples.len();
    let rows: Vec<usize> = (0..count).map(|_| generator.random_range(0..count)).collect();
    Split { training: samples.subset(&rows), test: samples.clone(), is_anomaly: labels.to_vec() }
}

fn outcome(name: impl Into<String>, scores: &[f64], is_anomaly: &[bool]) -> Result<Outcome> {
    // Ranks, so that no two different scores become one f32.
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut ranks = vec![0.0f32; scores.len()];
    let mut rank = 0.0;
    for pair in 0..order.len() {
        if pair > 0 && scores[order[pair]] > scores[order[pair - 1]] {
            rank += 1.0;
        }
        ranks[order[pair]] = rank;
    }
    let auroc = roc_auc(&ranks, is_anomaly).ok_or("expected normal rows and anomalies")?;
    let precision = average_precision(&ranks, is_anomaly).ok_or("expected anomalies")?;
    Ok(Outcome { name: name.into(), auroc, precision })
}

/// The rivals get all training rows, standardised, as in the published table.
fn rivals(split: &Split) -> Result<Vec<Outcome>> {
    let fitted = Preprocessing::fit(Method::Standardize, &split.training)?;
    let rows = |samples: &Samples| -> Result<Vec<f32>> {
        let samples = samples.clone().with_preprocessing(fitted.clone())?;
        Ok((0..samples.len()).flat_map(|row| samples.row(row)).collect())
    };
    let (training, test) = (rows(&split.training)?, rows(&split.test)?);
    let width = split.training.width();
    let of_kind = |kind: RivalKind| {
        let rival =
            Rival::fit(kind, &training, &training[..width], width, NEIGHBOURS, &Device::flex())?;
        outcome(kind.name(), &rival.score(&test), &split.is_anomaly)
    };
    RivalKind::KINDS.into_iter().map(of_kind).collect()
}

fn measure(split: &Split, settings: &Settings, seed: u64) -> Result<(Vec<Outcome>, Vec<Alarms>)> {
    let trim = if settings.unsupervised { settings.trim } else { 0.0 };
    let chosen = DetectorSettings { seed, trim, ..settings.detector.clone() };
    let detector = Detector::fit(&chosen, &split.training, &Device::flex())?;
    let scores = detector.score(&split.test)?;
    let mut outcomes = vec![outcome("ours", &scores.score, &split.is_anomaly)?];
    outcomes.extend(rivals(split)?);
    if settings.all_scores {
        // A covariance of errors is not there for every set.
        let left_out = [ScoreKind::All, ScoreKind::Residual];
        for (kind, scores) in scores.kinds.iter().filter(|(kind, _)| !left_out.contains(kind)) {
            outcomes.push(outcome(kind.name(), scores, &split.is_anomaly)?);
        }
    }
    let calibration = detector.calibration(ScoreKind::All)?;
    let fresh: Vec<f64> = scores
        .score
        .iter()
        .zip(&split.is_anomaly)
        .filter(|(_, is_anomaly)| !**is_anomaly)
        .map(|(score, _)| *score)
        .collect();
    let of_rate = |rate: f64| {
        let threshold = calibration.threshold(rate).ok()?;
        let flagged = fresh.iter().filter(|score| **score > threshold.score).count();
        let [low, high] = threshold.alarms(fresh.len());
        let inside = (low..=high).contains(&flagged);
        Some(Alarms { rate, flagged, fresh: fresh.len(), inside })
    };
    Ok((outcomes, [0.05, 0.01].into_iter().filter_map(of_rate).collect()))
}

fn read(path: &Path) -> Result<(Samples, Vec<bool>)> {
    let samples =
        open_unsplit(&path.display().to_string(), &Options::default(), &mut |_| ())?.samples;
    let labels = samples.labels().ok_or("expected labels `y`")?;
    let is_anomaly = labels.classes().iter().map(|class| labels.names()[*class as usize] == "1");
    let is_anomaly = is_anomaly.collect();
    Ok((samples, is_anomaly))
}

fn number(path: &Path) -> usize {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('_').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn settings() -> Result<Settings> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut settings = Settings {
        folder: arguments.next().ok_or("expected the folder of ADBench's .npz files")?.into(),
        seeds: 0..5,
        sets: None,
        unsupervised: false,
        trim: TRIM,
        all_scores: false,
        detector: DetectorSettings::default(),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("expected a value behind {argument}"));
        match argument.as_str() {
            "--seeds" => settings.seeds = 0..value()?.parse()?,
            "--first-seed" => {
                let first = value()?.parse()?;
                settings.seeds = first..first + settings.seeds.end;
            }
            "--sets" => settings.sets = Some(value()?.split(',').map(str::to_owned).collect()),
            "--steps" => settings.detector.steps = value()?.parse()?,
            "--hidden" => settings.detector.hidden = value()?.parse()?,
            "--code" => settings.detector.code = value()?.parse()?,
            "--scale" => settings.detector.scale = value()?.parse()?,
            "--neighbours" => settings.detector.neighbours = value()?.parse()?,
            "--trim" => settings.trim = value()?.parse()?,
            "--unsupervised" => settings.unsupervised = true,
            "--all-scores" => settings.all_scores = true,
            _ => return Err(format!("unknown option {argument}").into()),
        }
    }
    Ok(settings)
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

/// The section of the results, from what runs with and without `--unsupervised` printed.
fn record_runs(semi: &str, unsupervised: &str) -> Result<()> {
    let part = |title: &str, printed: &str| -> Result<String> {
        let printed = std::fs::read_to_string(printed)?;
        let lines = |start: char| printed.lines().filter(move |line| line.starts_with(start));
        let all = lines('|').chain([""]).chain(lines('-')).collect::<Vec<_>>().join("\n");
        Ok(format!("### {title}\n\n{all}\n\n"))
    };
    let body = format!(
        "AUROC in percent of our detector with its defaults and of classical methods, mean and standard deviation over \
         seeds, on the tables of ADBench; `benches/anomalies.md` says how, and what was chosen by which of them.\n\n{}{}",
        part("Trained on normal rows", semi)?,
        part("Trained on all rows, three tenths trimmed", unsupervised)?
    );
    record::record("anomalies", "Anomaly detection", &body)?;
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [option, semi, unsupervised] = &words[..]
        && option == "--record"
    {
        return record_runs(semi, unsupervised);
    }
    let settings = settings()?;
    let start = Instant::now();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&settings.folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "npz"))
        .filter(|path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            settings.sets.as_ref().is_none_or(|sets| sets.contains(&stem))
        })
        .collect();
    files.sort_by_key(|path| number(path));
    // [seed][method]: the AUROC of each set.
    let mut all: Vec<Vec<Vec<f64>>> = vec![];
    let (mut all_precisions, mut names): (Vec<Vec<f64>>, Vec<String>) = (vec![], vec![]);
    // For each rate: runs, runs inside the interval, flagged, fresh.
    let mut alarms = [(0.05, [0usize; 4], vec![]), (0.01, [0usize; 4], vec![])];
    for path in &files {
        let (samples, labels) = read(path)?;
        let mut of_set: Vec<Vec<f64>> = vec![];
        let mut rates: Vec<Vec<f64>> = vec![vec![]; 2];
        for (at, seed) in settings.seeds.clone().enumerate() {
            let mut split = match settings.unsupervised {
                true => unsupervised(&samples, &labels, seed),
                false => semi_supervised(&samples, &labels, seed)?,
            };
            if split.training.len() > MOST_ROWS {
                split.training = subsample(&split.training, MOST_ROWS, seed)?;
            }
            let (outcomes, of_rates) = measure(&split, &settings, seed)
                .map_err(|error| format!("{}, seed {seed}: {error}", path.display()))?;
            if names.is_empty() {
                names = outcomes.iter().map(|outcome| outcome.name.clone()).collect();
                let columns = names.iter().map(|name| format!(" {name} |")).collect::<String>();
                println!(
                    "| set | training rows | features |{columns} false alarms at 5 % | at 1 % |"
                );
                println!("|---|--:|--:|{}--:|--:|", "--:|".repeat(names.len()));
            }
            all.resize(settings.seeds.clone().count(), vec![vec![]; names.len()]);
            all_precisions.resize(names.len(), vec![]);
            of_set.resize(names.len(), vec![]);
            for (method, outcome) in outcomes.iter().enumerate() {
                all[at][method].push(100.0 * outcome.auroc);
                of_set[method].push(100.0 * outcome.auroc);
                all_precisions[method].push(100.0 * outcome.precision);
            }
            for of_rate in of_rates {
                for (place, (rate, counts, per_set)) in alarms.iter_mut().enumerate() {
                    if *rate == of_rate.rate {
                        counts[0] += 1;
                        counts[1] += usize::from(of_rate.inside);
                        counts[2] += of_rate.flagged;
                        counts[3] += of_rate.fresh;
                        per_set.push((number(path), of_rate.inside));
                        rates[place].push(100.0 * of_rate.flagged as f64 / of_rate.fresh as f64);
                    }
                }
            }
            if at == 0 {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                print!("| {name} | {} | {} |", split.training.len(), samples.width());
            }
        }
        for values in &of_set {
            let (mean, deviation) = moments(values);
            print!(" {mean:.1} ± {deviation:.1} |");
        }
        for values in rates {
            match values.is_empty() {
                true => print!(" - |"),
                false => print!(" {:.1} |", moments(&values).0),
            }
        }
        println!();
    }
    print!("| **mean** | | |");
    for method in 0..names.len() {
        let of_seeds: Vec<f64> = all.iter().map(|seed| moments(&seed[method]).0).collect();
        let (mean, deviation) = moments(&of_seeds);
        print!(" **{mean:.1} ± {deviation:.1}** |");
    }
    println!(" | |");
    print!("| average precision | | |");
    all_precisions.iter().for_each(|values| print!(" {:.1} |", moments(values).0));
    println!(" | |\n");
    for (rate, [runs, inside, flagged, fresh], per_set) in &alarms {
        let mut sets: Vec<usize> = per_set.iter().map(|(set, _)| *set).collect();
        sets.dedup();
        println!(
            "- At {} %: {} sets have the rows, {runs} runs; {inside} runs ({:.0} %) within the interval that has 95 % \
             of draws; {flagged} of {fresh} normal test rows flagged, {:.2} %.",
            100.0 * rate,
            sets.len(),
            100.0 * *inside as f64 / (*runs).max(1) as f64,
            100.0 * *flagged as f64 / (*fresh).max(1) as f64,
        );
    }
    println!("- {:.0} s in all.", start.elapsed().as_secs_f64());
    Ok(())
}
