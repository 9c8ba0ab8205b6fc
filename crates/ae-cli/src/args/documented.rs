//! Checks every command in the documents: those of `ae` with its own parser, those of cargo against the workspace.

mod cargo;

use std::fs;
use std::path::{Path, PathBuf};

use ae_data::Shape;
use clap::Parser;
use clap::error::ErrorKind;

use super::{Cli, TrainArgs};
use crate::commands::Command;
use ae_recipe::{self as recipe, Recipe};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn paths_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// All documents but the change log, which also names options of older versions.
fn documents() -> Vec<PathBuf> {
    let names =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "RESULTS.md", "benches/README.md"];
    let own = names.into_iter().map(|name| root().join(name));
    let crates = paths_in("crates").into_iter().map(|folder| folder.join("README.md"));
    own.chain(crates).chain(paths_in("docs/src")).filter(|path| path.is_file()).collect()
}

/// Lines of shell blocks, without comments, and code spans.
fn code(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut prose, mut block) = (Vec::new(), String::new(), None);
    let text = text.replace("\\\n", " ");
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(language), None) => block = Some(language),
            (None, Some("sh")) => {
                lines.push(line.split(" #").next().unwrap_or_default().to_owned())
            }
            (None, Some(_)) => {}
            (None, None) => prose += &format!("{line} "),
        }
    }
    lines.retain(|line| !line.trim().is_empty() && !line.starts_with('#'));
    (lines, prose.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

/// The words of a command, without variables of the environment before it and files behind it.
fn words(line: &str) -> Vec<&str> {
    let is_variable = |word: &&str| word.contains('=') && !word.starts_with('-');
    let words = line.split_whitespace().skip_while(is_variable);
    words.take_while(|word| *word != ">").collect()
}

/// Checks a command line of `ae`. Names that its help does not show are errors; a span of prose may leave out
/// arguments.
fn check_ae(words: &[&str], is_span: bool) -> Result<(), String> {
    let mut command = Cli::commands();
    if let Err(error) = command.try_get_matches_from_mut(words) {
        let is_part = match error.kind() {
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => true,
            // The last option, without its value.
            ErrorKind::InvalidValue => error.to_string().contains("but none was supplied"),
            _ => false,
        };
        let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if !(is_help || is_part && is_span) {
            return Err(error.to_string().lines().next().unwrap_or_default().to_owned());
        }
    }
    command.build();
    let mut command = &command;
    for word in &words[1..] {
        let visible = command.get_subcommands().find(|it| it.get_name() == *word);
        match visible {
            Some(inner) if inner.is_hide_set() => return Err(format!("`{word}` is an old name")),
            Some(inner) => command = inner,
            None if command.find_subcommand(word).is_some() => {
                return Err(format!("`{word}` is an old name"));
            }
            None => {}
        }
    }
    let long = |word: &str| Some(word.strip_prefix("--")?.split('=').next()?.to_owned());
    match words.iter().filter_map(|word| long(word)).find(|name| !is_shown(command, name)) {
        Some(name) => Err(format!("`--{name}` is an old name or unknown")),
        None => Ok(()),
    }
}

/// Checks that the options of `ae train` and `ae pretrain` make a valid recipe, for a table or for images.
fn check_recipe(words: &[&str]) -> Result<(), String> {
    let (args, command): (TrainArgs, _) = match Cli::try_parse_from(words).map(|it| it.command) {
        Ok(Some(Command::Train(args))) => (args.train, recipe::Command::Train),
        Ok(Some(Command::Pretrain(args))) => (args.train, recipe::Command::Pretrain),
        _ => return Ok(()),
    };
    let overrides = args.settings.recipe();
    let data = Recipe::data(&overrides).map_err(|error| error.to_string())?;
    let is_table = [".csv", ".npy"].iter().any(|end| data.source.ends_with(end));
    let shape = if is_table { Shape::table(20) } else { Shape::image(1, 28, 28) };
    match Recipe::complete(&overrides, data, &shape, 1000, command) {
        Ok(recipe) => recipe.model.architecture(&shape).map(|_| ()).map_err(|it| it.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the help of a command shows an option.
fn is_shown(command: &clap::Command, name: &str) -> bool {
    command.get_arguments().filter(|arg| !arg.is_hide_set()).any(|arg| {
        arg.get_long() == Some(name)
            || arg.get_visible_aliases().unwrap_or_default().contains(&name)
    })
}

fn check(line: &str, is_span: bool) -> Result<(), String> {
    let words = words(line);
    match words.first() {
        Some(&"ae") => check_ae(&words, is_span).and_then(|()| check_recipe(&words)),
        Some(&"cargo") if words.len() > 1 => cargo::check(&words),
        Some(path) if !is_span && path.contains('/') => match root().join(path).is_file() {
            true => Ok(()),
            false => Err(format!("{path}: no such file")),
        },
        Some(&"git" | &"apt") => Ok(()),
        Some(other) if !is_span => Err(format!("expected ae, cargo or a script, got {other}")),
        _ => Ok(()),
    }
}

/// The page of the commands has each that the help shows.
#[test]
fn the_page_of_commands_has_each() {
    let page = fs::read_to_string(root().join("docs/src/commands.md")).unwrap();
    let table =
        page.lines().filter(|line| line.starts_with("| [`ae ")).collect::<Vec<_>>().join("\n");
    let cli = Cli::commands();
    for command in cli.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
        let name = command.get_name();
        assert!(table.contains(&format!("`ae {name}`")), "{name}");
    }
}

#[test]
fn documented_commands_are_valid() {
    let (mut problems, mut count) = (String::new(), 0);
    for path in documents() {
        let (lines, spans) = code(&fs::read_to_string(&path).unwrap());
        let path = path.strip_prefix(root()).unwrap();
        // Here a span that begins with an option means one of this program.
        let is_guide = path.starts_with("docs") || path.starts_with("crates/ae-cli");
        let checked = lines.iter().map(|line| (line, check(line, false)));
        let checked = checked.chain(spans.iter().map(|span| {
            let is_option = is_guide && span.starts_with("--");
            (span, if is_option { check_option(span) } else { check(span, true) })
        }));
        for (line, result) in checked {
            count += 1;
            if let Err(problem) = result {
                problems += &format!("{}: {line}\n    {}\n", path.display(), problem.trim());
            }
        }
    }
    assert!(count > 500, "{count}");
    assert!(problems.is_empty(), "\n{problems}");
}

/// Checks a span such as `--corrupt masking:0.25`: some command must accept it. Of `--seeds N` only the name is
/// checked.
fn check_option(span: &str) -> Result<(), String> {
    let words: Vec<&str> = span.split_whitespace().collect();
    let is_placeholder = |word: &&str| word.starts_with(char::is_uppercase);
    let names = words.iter().filter_map(|word| word.strip_prefix("--"));
    let mut commands = Cli::commands();
    commands.build();
    let nested = commands.get_subcommands().flat_map(|it| {
        it.get_subcommands().map(|inner| (vec!["ae", it.get_name(), inner.get_name()], inner))
    });
    let own = commands.get_subcommands().map(|it| (vec!["ae", it.get_name()], it));
    let mut last = Err("no command has this option".to_owned());
    for (start, command) in own.chain(nested) {
        if !names.clone().all(|name| is_shown(command, name)) {
            continue;
        }
        last = match words.len() == 1 || words.iter().any(is_placeholder) {
            true => Ok(()),
            false => check_ae(&[&start[..], &words[..]].concat(), true),
        };
        if last.is_ok() {
            break;
        }
    }
    last
}

#[test]
fn invalid_commands_are_reported() {
    for (line, problem) in [
        ("ae train --epoch 3", "unexpected argument '--epoch'"),
        ("ae train --k-sparse 3", "an old name"),
        ("ae sweep --codes few", "--codes"),
        ("ae train --model vae", "got `vae`"),
        ("ae train --data table.csv --channels 8", "`channels`"),
        ("ae encode", "required"),
        ("cargo run --release -- trian", "unrecognized subcommand"),
        ("cargo test --test absent", "not in this workspace"),
        ("cargo bench --bench peers --features warp", "not in this workspace"),
        ("benches/absent.sh", "no such file"),
        ("aetrain", "got aetrain"),
    ] {
        let error = check(line, false).unwrap_err();
        assert!(error.contains(problem), "{line}: {error}");
    }
    assert_eq!(check("AE_MAX_ISA=avx2 ae train --code 8", false), Ok(()));
    assert_eq!(check("ae classify", true), Ok(()));
    assert!(check_option("--corrupt masking:2x").is_err());
    assert!(check_option("--contracts").is_err());
}
