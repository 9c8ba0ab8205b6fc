//! The table on the terminal, and the files.

use std::fmt::Write as _;

use ae_apply::transfer::{Candidate, Domains, Method, Transfer};
use ae_data::write::quoted;
use ae_run::files;
use serde_json::json;

use super::Args;
use super::sources::Sources;
use crate::{Error, Result};

pub fn write(
    args: &Args,
    sources: &Sources,
    domains: &Domains,
    results: &[Transfer],
) -> Result<()> {
    let (rows, targets, features) = domains.sizes();
    let scored = sources.scored();
    let scored_name = if sources.test.is_some() { "test" } else { "target" };
    let methods: Vec<_> = results
        .iter()
        .map(|it| {
            let chosen = it.chosen();
            json!({
                "method": it.method, "source_accuracy": chosen.source_accuracy,
                "target_accuracy": chosen.target_accuracy, "chosen": chosen,
                "by_target_labels": it.by_target_labels.map(|at| it.candidates[at]),
                "candidates": it.candidates, "seconds": it.seconds,
            })
        })
        .collect();
    let value = json!({
        "source": args.source, "target": args.target, "test": args.test, "classes": domains.classes(),
        "source_samples": rows, "target_samples": targets, "scored": scored_name,
        "scored_samples": scored.len(), "features": features, "methods": methods,
    });
    let mut written = Vec::new();
    if let (Some(out), Some(last)) = (&args.out, results.last()) {
        std::fs::create_dir_all(out).map_err(Error::io(out))?;
        let mut text = "row,predicted,probability\n".to_owned();
        let predictions = last.predictions.classes.iter().zip(&last.predictions.probabilities);
        for (row, (class, probability)) in predictions.enumerate() {
            // Writing to a string does not fail.
            let name = quoted(&last.classes[*class as usize]);
            let _ = writeln!(text, "{},{name},{probability:.6}", scored.place(row));
        }
        for (name, text) in [("predictions.csv", text), ("transfer.json", format!("{value:#}\n"))] {
            let path = out.join(name);
            files::write(&path, &text)?;
            written.push(path);
        }
    }
    if args.json {
        println!("{value:#}");
        return Ok(());
    }
    println!(
        "{rows} samples of the source, {targets} of the target, {features} features, {} classes; {} samples \
         classified ({scored_name}).\n",
        domains.classes().len(),
        scored.len()
    );
    println!(
        "{:<8} {:>16} {:>10}  {:<38} {:>8}",
        "method", "source, held out", scored_name, "chosen", "seconds"
    );
    for it in results {
        let chosen = it.chosen();
        println!(
            "{:<8} {:>16} {:>10}  {:<38} {:>8.1}",
            it.method.name(),
            percent(Some(chosen.source_accuracy)),
            percent(chosen.target_accuracy),
            settings(chosen),
            it.seconds
        );
    }
    if results[0].chosen().target_accuracy.is_none() {
        println!(
            "\nThe samples to classify have no labels, so how good this is there is not known."
        );
    }
    for it in results.iter().filter(|it| it.method == Method::Msda) {
        let Some(at) = it.by_target_labels else { continue };
        let best = &it.candidates[at];
        println!(
            "\nChosen by the labels of the target, which a real target does not have, msda would have {} ({}).",
            percent(best.target_accuracy),
            settings(best)
        );
    }
    written.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.2} %", 100.0 * share))
}

fn settings(candidate: &Candidate) -> String {
    let stack = match (candidate.corruption, candidate.layers) {
        (Some(corruption), Some(layers)) => format!("corruption {corruption}, layers {layers}, "),
        _ => String::new(),
    };
    format!("{stack}cost {}", candidate.cost)
}
