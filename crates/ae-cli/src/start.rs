//! A run that begins, or goes on: its folder, who watches it, and what its model's file will say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ae_data::{Shape, fingerprint};
use ae_models::About;
use ae_train::{Checkpoints, Observer};
use toml::Table;

use crate::args::NewRunArgs;
use crate::device::{Choice, Opened, Training};
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::observers::{Interrupt, Terminal, Warnings};
use crate::recipe::{Maker, Recipe, read_table};
use crate::run::{CLASSES, COLUMNS, TRAINING_PART, class_names};
use crate::session::{Folder, Prepared};
use crate::voice::Voice;

/// A run that began.
pub struct Start {
    pub folder: Folder,
    /// Of training.
    pub checkpoints: Checkpoints,
    pub began: Instant,
    pub voice: Voice,
    maker: Maker,
    is_resumed: bool,
}

impl Start {
    /// Makes the folder of a run, named after `name` unless the user has one in mind, and writes the
    /// recipe there; or takes that of the run that goes on.
    pub fn new(
        args: &NewRunArgs,
        recipe: &Recipe,
        name: &str,
        opened: &Opened,
        began: Instant,
    ) -> Result<Self> {
        let every = checkpoint_interval(args)?;
        let folder = folder(args, recipe.command, name)?;
        write(&folder.recipe(), &recipe.to_toml()?)?;
        write(&folder.device(), &format!("{}\n", opened.name))?;
        let mut checkpoints = Checkpoints::new(folder.checkpoints());
        checkpoints.every_steps = args.checkpoint_steps;
        checkpoints.every = every.or(checkpoints.every);
        let is_resumed = args.resume.is_some();
        let voice = args.voice.clone();
        Ok(Self { folder, checkpoints, began, voice, maker: recipe.command, is_resumed })
    }

    pub fn observers(&self, epochs: usize) -> Vec<Box<dyn Observer>> {
        vec![
            Box::new(Interrupt::new()),
            Box::new(Metrics::new(self.folder.metrics())),
            match &self.voice {
                Voice::Alone => Box::new(Terminal::new(epochs)),
                among => Box::new(Warnings(among.clone())),
            },
        ]
    }

    /// Takes the folder of a run away again that was refused before its first step: data is only seen
    /// not to suit the objective once it is read.
    pub fn discard_unless_started(&self) {
        if self.is_resumed || self.folder.metrics().exists() {
            return;
        }
        // A folder that holds anything else is not removed, and stays.
        let _ = std::fs::remove_file(self.folder.recipe());
        let _ = std::fs::remove_file(self.folder.device());
        if let Ok(layers) = std::fs::read_dir(self.folder.checkpoints()) {
            for layer in layers.flatten() {
                let _ = std::fs::remove_dir(layer.path());
            }
        }
        let _ = std::fs::remove_dir(self.folder.checkpoints());
        let _ = std::fs::remove_dir(&self.folder.0);
        if let Some(parent) = self.folder.0.parent().filter(|parent| parent.ends_with("runs")) {
            let _ = std::fs::remove_dir(parent);
        }
    }

    pub fn say_stopped(&self, done: u64) {
        self.voice.say(format_args!(
            "stopped after step {done}; go on with: ae {} --resume {}",
            self.maker.name(),
            self.folder.0.display()
        ));
    }

    /// Seconds since it began, if it went in one go.
    pub fn seconds(&self) -> Option<f64> {
        (!self.is_resumed).then(|| self.began.elapsed().as_secs_f64())
    }
}

/// The device of a run: one that goes on stays where it was, since another device rounds otherwise.
pub fn device(
    choice: &Choice,
    args: &NewRunArgs,
    training: impl FnOnce() -> Option<Training>,
) -> Result<Opened> {
    let before = args.resume.as_ref().and_then(|run| {
        let name = std::fs::read_to_string(Folder(run.clone()).device()).ok()?;
        choice.by_name(name.trim_end())
    });
    match before {
        Some(opened) => {
            let kind = if ae_kernels::uses_workers(&opened.device) { "CPU" } else { "GPU" };
            args.voice.say(format_args!("{kind}: {}, where the run began", opened.name));
            Ok(opened)
        }
        None => choice.decide(training),
    }
}

/// What the user gave: of a run that goes on its recipe, else options over a recipe's file.
pub fn given(
    options: Table,
    recipe: Option<&PathBuf>,
    resume: Option<&PathBuf>,
    maker: Maker,
) -> Result<Table> {
    if let Some(run) = resume {
        if !options.is_empty() || recipe.is_some() {
            return Err(Error::usage(
                "--resume goes on with the recipe of the run: expected no option but --device and \
                 those of checkpoints, got others",
            ));
        }
        return read_table(&Folder::existing(run)?.recipe(), maker);
    }
    let mut table = match recipe {
        Some(path) => read_table(path, maker)?,
        None => Table::new(),
    };
    if let (Some(toml::Value::Table(base)), Some(given)) =
        (table.get_mut("data"), options.get("data"))
        && given.get("source").is_some()
    {
        // What was said of the other data is not said of this.
        base.retain(|key, _| ["validation", "preprocess", "seed"].contains(&key));
    }
    crate::recipe::merge(&mut table, &options);
    Ok(table)
}

/// Where a model comes from, as its file tells.
pub fn about(
    data: &Prepared,
    recipe: &Recipe,
    objective: String,
    best: Option<String>,
) -> Result<About> {
    let mut provenance = BTreeMap::from([
        ("program".to_owned(), format!("ae {}", env!("CARGO_PKG_VERSION"))),
        ("data".to_owned(), data.name.clone()),
        (TRAINING_PART.to_owned(), fingerprint(&data.training)?),
        ("objective".to_owned(), objective),
        ("seed".to_owned(), recipe.schedule().seed.to_string()),
        ("epoch".to_owned(), best.unwrap_or_else(|| "last".to_owned())),
    ]);
    if let Some(from) = &recipe.from {
        provenance.insert("from".to_owned(), from.display().to_string());
    }
    if let Shape::Table { columns } = data.training.shape() {
        provenance.insert(COLUMNS.to_owned(), columns.join("\n"));
    }
    if let (Some(_), Some(labels)) = (&recipe.head, data.training.labels()) {
        provenance.insert(CLASSES.to_owned(), class_names(labels).join("\n"));
    }
    let preprocessing = serde_json::to_value(data.training.preprocessing())
        .map_err(|error| Error::usage(format!("preprocessing: {error}")))?;
    Ok(About { preprocessing, provenance })
}

fn folder(args: &NewRunArgs, maker: Maker, name: &str) -> Result<Folder> {
    match (&args.resume, &args.out) {
        (Some(run), _) => Ok(Folder(run.clone())),
        (None, Some(out)) => {
            // A head is trained in one go.
            let can_go_on = maker != Maker::Classify;
            new_folder(out, can_go_on.then(|| format!("ae {} --resume", maker.name())).as_deref())
        }
        (None, None) => named_folder(name),
    }
}

/// Whether a file is what a program that was killed left of one that is written whole or not at all.
fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".tmp"))
}

/// A folder that the user names: new, or empty. `again` is what goes on with one that is not.
pub fn new_folder(out: &Path, again: Option<&str>) -> Result<Folder> {
    let is_taken = std::fs::read_dir(out).is_ok_and(|mut entries| {
        entries.any(|entry| entry.map_or(true, |entry| !is_unfinished(&entry.file_name())))
    });
    if !is_taken {
        return make(out.to_owned());
    }
    let out = out.display();
    let hint = match again {
        Some(again) => format!("to go on with the run in it: {again} {out}"),
        None => "name another".to_owned(),
    };
    Err(Error::usage(format!("{out}: expected a new or empty folder, got one with files; {hint}")))
}

/// A new folder among the runs.
pub fn named_folder(name: &str) -> Result<Folder> {
    let is_plain = |c: &char| c.is_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(is_plain).collect();
    let path = |number: usize| match number {
        1 => PathBuf::from("runs").join(&name),
        _ => PathBuf::from("runs").join(format!("{name}-{number}")),
    };
    let number = (1..).find(|number| !path(*number).exists()).unwrap_or(1);
    make(path(number))
}

fn make(path: PathBuf) -> Result<Folder> {
    std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
    Ok(Folder(path))
}

fn checkpoint_interval(args: &NewRunArgs) -> Result<Option<Duration>> {
    let Some(minutes) = args.checkpoint_minutes else { return Ok(None) };
    match Duration::try_from_secs_f64(60.0 * minutes) {
        Ok(every) if !every.is_zero() => Ok(Some(every)),
        _ => Err(Error::usage(format!(
            "--checkpoint-minutes: expected a number above 0, got {minutes}"
        ))),
    }
}

pub fn write(path: &Path, text: &str) -> Result<()> {
    Ok(ae_models::tensors::write_atomically(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a killed program left of a file that it wrote is no run; anything else is.
    #[test]
    fn a_folder_that_holds_an_unfinished_file_alone_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".tmpAb12"), "half a rec").unwrap();
        assert!(new_folder(folder.path(), None).is_ok());
        std::fs::write(folder.path().join("recipe.toml"), "").unwrap();
        let refused = new_folder(folder.path(), None).err().unwrap().to_string();
        assert!(refused.contains("expected a new or empty folder"), "{refused}");
    }
}
