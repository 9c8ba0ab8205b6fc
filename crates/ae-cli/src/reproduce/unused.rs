//! Rejects options of `ae reproduce` that have no effect.

use std::path::Path;

use ae_data::is_published;
use toml::{Table, Value};

use super::plan::Plan;
use crate::args::ReproduceArgs;
use crate::error::{Error, Result};

/// Checks that the options go together.
pub fn check(args: &ReproduceArgs) -> Result<()> {
    let given = [
        ("--data-dir", args.data_dir.is_some()),
        ("--python", args.python.is_some()),
        ("--device", args.device.device.is_some()),
        ("--quick", args.quick),
        ("--seeds", args.seeds.is_some()),
        ("--epochs", args.epochs.is_some()),
        ("--write", args.write.is_some()),
        ("--results", args.results.is_some()),
        ("--out", args.out.is_some()),
    ];
    let all = given.map(|(option, _)| option);
    // The folder of the runs holds the records only where neither of these does.
    let has_records = args.results.is_some() || Path::new("recipes").is_dir();
    let (with, unused): (_, &[&str]) = match (args.list, args.table, args.epochs) {
        (true, ..) => ("--list", &all),
        (_, true, _) if has_records => {
            ("--table", &["--data-dir", "--python", "--device", "--out"])
        }
        (_, true, _) => ("--table", &["--data-dir", "--python", "--device"]),
        (.., Some(_)) => ("--epochs, which records nothing", &["--results"]),
        _ => ("", &[]),
    };
    if let Some((option, _)) = given.iter().find(|(it, is_given)| *is_given && unused.contains(it))
    {
        return Err(Error::usage(format!("{option} does not apply to {with}; drop it")));
    }
    match args.write.is_some() && !args.table {
        true => Err(Error::usage("--write needs --table; add it, or drop --write")),
        false => Ok(()),
    }
}

/// Checks that at least one of the plans uses the options.
pub fn check_plans(args: &ReproduceArgs, plans: &[Plan]) -> Result<()> {
    let arms = || plans.iter().flat_map(|plan| &plan.arms);
    let is_of_published = |data: Option<&Table>| {
        data.and_then(|data| data.get("source")?.as_str()).is_some_and(is_published)
    };
    let has_published = arms().any(|arm| match (&arm.program, arm.stages.first()) {
        (Some(program), _) => is_of_published(Some(&program.data)),
        (None, first) => {
            let data = first.and_then(|stage| stage.overrides.get("data"));
            is_of_published(data.and_then(Value::as_table))
        }
    });
    if args.data_dir.is_some() && !has_published {
        return Err(Error::usage("--data-dir needs an experiment on published data; drop it"));
    }
    if args.python.is_some() && arms().all(|arm| arm.program.is_none()) {
        return Err(Error::usage(
            "--python needs an experiment with a baseline in Python; drop it",
        ));
    }
    Ok(())
}
