//! The commands, a file each: its arguments, what it does, and the examples of its help.

mod check;
mod classify;
mod coder;
mod compare;
mod completions;
mod data;
mod detect;
mod devices;
mod encode;
mod eval;
mod finetune;
mod impute;
mod index;
mod interpolate;
mod latent;
mod man;
mod pretrain;
mod reconstruct;
mod report;
mod reproduce;
mod runs;
mod score;
mod search;
mod sweep;
pub mod train;
mod transfer;

use ae_data::Samples;
use ae_run::{SavedRun, batches, to_rows};
use burn::tensor::{Device, Tensor};
use clap::Subcommand;

use crate::{Error, Result};

/// Three command lines for a command and each of its subcommands, by the command's path; a comment may follow.
type Examples = &'static [(&'static str, [&'static str; 3])];

macro_rules! commands {
    ($($(#[$attribute:meta])* $name:ident => $module:ident),* $(,)?) => {
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $($(#[$attribute])* $name(Box<$module::Args>)),*
        }

        impl Command {
            pub fn run(&self) -> Result<()> {
                match self {
                    $(Self::$name(args) => args.run()),*
                }
            }
        }

        const EXAMPLES: &[Examples] = &[FIRST, $($module::EXAMPLES),*];
    };
}

// In the order of the help.
commands! {
    Train => train,
    Check => check,
    Pretrain => pretrain,
    Finetune => finetune,
    Classify => classify,
    Sweep => sweep,
    Reproduce => reproduce,
    Eval => eval,
    Encode => encode,
    Reconstruct => reconstruct,
    Score => score,
    Latent => latent,
    #[command(hide = true)]
    Interpolate => interpolate,
    Report => report,
    Runs => runs,
    Compare => compare,
    Detect => detect,
    Impute => impute,
    Index => index,
    Search => search,
    Transfer => transfer,
    Devices => devices,
    Data => data,
    Completions => completions,
    Man => man,
}

/// Those of the program itself.
const FIRST: Examples = &[(
    "",
    [
        "ae                                               # train on generated digits",
        "ae train --data photos/ --resize 64x64           # a folder of images",
        "ae reconstruct runs/digits-conv-32 --out sheet.png",
    ],
)];

/// The examples of a command as text, such as `Examples:` and three indented lines.
pub fn examples(path: &str) -> String {
    let found = EXAMPLES.iter().copied().flatten().find(|(known, _)| *known == path);
    found.map_or(String::new(), |(_, lines)| format!("Examples:\n  {}", lines.join("\n  ")))
}

/// Adds the examples to the help of a command and of its subcommands.
pub fn add_examples(command: clap::Command, path: &str) -> clap::Command {
    let names = command.get_subcommands().map(|it| it.get_name().to_owned());
    let names: Vec<String> = names.collect();
    let command = command.after_help(examples(path));
    names.iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |it| add_examples(it, path.trim_start()))
    })
}

pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Error::usage(format!("evaluation: {error}")))?;
    println!("{json}");
    Ok(())
}

/// `1 pair`, `2 pairs`
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Rows of cells in columns as wide as their widest cell.
fn aligned(rows: &[impl AsRef<[String]>]) -> String {
    let length = |cell: &String| cell.chars().count();
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.as_ref().get(at)).map(length).max().unwrap_or(0))
        .collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(|row| line(row.as_ref())).collect()
}

/// Applies a map to the first `count` samples, a batch at a time.
fn map(
    run: &SavedRun,
    samples: &Samples,
    device: &Device,
    map: impl Fn(Tensor<2>) -> Tensor<2>,
    count: usize,
) -> Result<Vec<Vec<f32>>> {
    let data = batches(samples, &run.recipe, device)?;
    let batch = run.recipe.schedule().batch;
    let mut rows = Vec::with_capacity(count);
    for start in (0..count).step_by(batch) {
        let indices: Vec<usize> = (start..count.min(start + batch)).collect();
        rows.extend(to_rows(map(data.select(&indices)?)));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Cli;

    /// The paths of a command and all below it.
    fn paths(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for below in command.get_subcommands() {
            paths(below, format!("{path} {}", below.get_name()).trim_start(), found);
        }
    }

    #[test]
    fn every_command_has_examples_and_all_examples_have_a_command() {
        let mut all = Vec::new();
        paths(&Cli::command(), "", &mut all);
        all.sort();
        let mut known: Vec<&str> =
            EXAMPLES.iter().copied().flatten().map(|(path, _)| *path).collect();
        known.sort_unstable();
        assert_eq!(all, known);
    }

    #[test]
    fn every_help_ends_with_its_examples() {
        let mut all = Vec::new();
        paths(&Cli::command(), "", &mut all);
        for path in all {
            let mut cli = Cli::commands();
            let mut command = &mut cli;
            for name in path.split_whitespace() {
                command = command.find_subcommand_mut(name).unwrap();
            }
            let help = command.render_long_help().to_string();
            assert!(help.trim_end().ends_with(&examples(&path)), "{help}");
            assert!(command.render_help().to_string().contains(&examples(&path)), "{path}");
        }
    }

    #[test]
    fn every_example_parses() {
        for (path, lines) in EXAMPLES.iter().copied().flatten() {
            for line in lines {
                let line = line.split(['#', '>']).next().unwrap_or_default();
                let parsed = Cli::try_parse_from(line.split_whitespace());
                assert!(parsed.is_ok(), "{path}: {line}: {:?}", parsed.err());
            }
        }
    }
}
