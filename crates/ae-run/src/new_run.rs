//! A run about to train, new or resumed: its folder, observers and checkpoints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use std::sync::Arc;

use ae_data::{Shape, fingerprint};
use ae_device::{Choice, NamedDevice, TrialJob};
use ae_models::Metadata;
use ae_recipe::{Command, Recipe, read_table};
use ae_train::{Checkpoints, Observer};
use burn::tensor::Device;
use toml::Table;

use crate::files;
use crate::listener::StopOnRequest;
use crate::metrics_log::MetricsLog;
use crate::run::{CLASSES, COLUMNS, SCHEMA, TRAINING_SET, class_names};
use crate::{Error, FolderLock, Listener, Result, RunDir, Splits, lock};

/// Where a run is written, and who receives its progress.
#[derive(Clone)]
pub struct RunOptions {
    /// The folder to create; `None`: one in `runs/`, named after data and model.
    pub out: Option<PathBuf>,
    /// The run to resume, in its folder.
    pub resume: Option<PathBuf>,
    /// The time between checkpoints; `None`: [that of the library](Checkpoints).
    pub checkpoint_every: Option<Duration>,
    /// Steps between additional checkpoints.
    pub checkpoint_steps: Option<u64>,
    /// Receives its progress.
    pub listener: Arc<dyn Listener>,
}

impl Default for RunOptions {
    fn default() -> Self {
        let listener = Arc::new(());
        Self { out: None, resume: None, checkpoint_every: None, checkpoint_steps: None, listener }
    }
}

/// A run about to train, new or resumed.
pub(crate) struct NewRun {
    pub(crate) folder: RunDir,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) listener: Arc<dyn Listener>,
    started: Instant,
    command: Command,
    is_resumed: bool,
    _lock: FolderLock,
}

impl NewRun {
    /// Creates the folder of a run, and writes the recipe there; or takes the folder of the run to resume.
    pub(crate) fn new(
        options: &RunOptions,
        recipe: &Recipe,
        name: &str,
        device: &NamedDevice,
        started: Instant,
    ) -> Result<Self> {
        let folder = folder(options, recipe.command, name)?;
        let lock = FolderLock::new(&folder.0)?;
        files::write(&folder.recipe(), &recipe.to_toml()?)?;
        let threads = threads(&device.handle).map(|count| format!("{count} threads\n"));
        let text = format!("{}\n{}", device.name, threads.unwrap_or_default());
        files::write(&folder.device(), &text)?;
        let mut checkpoints = Checkpoints::new(folder.checkpoints());
        checkpoints.every_steps = options.checkpoint_steps;
        checkpoints.every = options.checkpoint_every.or(checkpoints.every);
        let is_resumed = options.resume.is_some();
        let (command, listener) = (recipe.command, options.listener.clone());
        Ok(Self { folder, checkpoints, started, listener, command, is_resumed, _lock: lock })
    }

    pub(crate) fn observers(&self, epochs: usize) -> Vec<Box<dyn Observer>> {
        let mut observers: Vec<Box<dyn Observer>> = vec![
            Box::new(StopOnRequest::new(self.listener.clone())),
            Box::new(MetricsLog::new(self.folder.metrics())),
        ];
        observers.extend(self.listener.observer(epochs));
        observers
    }

    /// Removes the folder of a run that failed before its first step, such as on data that does not suit
    /// the objective.
    pub(crate) fn remove_if_unused(&self) {
        if self.is_resumed || self.folder.metrics().exists() {
            return;
        }
        // A folder that holds anything else is not removed.
        let _ = std::fs::remove_file(self.folder.recipe());
        let _ = std::fs::remove_file(self.folder.device());
        let _ = std::fs::remove_file(self.folder.0.join(lock::FILE));
        self.remove_initial_model();
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

    pub(crate) fn remove_initial_model(&self) {
        let path = self.folder.initial_model();
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_file(path.with_extension("json"));
    }

    pub(crate) fn report_stop(&self, done: u64) {
        self.listener.progress(&format_args!(
            "stopped after step {done}; to resume: ae {} --resume {}",
            self.command.name(),
            ae_files::quoted(&self.folder.0)
        ));
    }

    /// Seconds since the start; `None` for a resumed run.
    pub(crate) fn seconds(&self) -> Option<f64> {
        (!self.is_resumed).then(|| self.started.elapsed().as_secs_f64())
    }
}

/// The threads of a device; `None` of a GPU.
pub(crate) fn threads(device: &Device) -> Option<usize> {
    ae_kernels::uses_threads(device).then(ae_kernels::num_threads)
}

/// The device of a run. A resumed run stays on its device: another one rounds differently. So does another number of
/// threads, which is said.
///
/// # Errors
/// If the device cannot be opened.
pub fn choose_device(
    choice: &Choice,
    options: &RunOptions,
    trial_job: impl FnOnce() -> Option<TrialJob>,
) -> Result<NamedDevice> {
    let previous = options.resume.as_ref().and_then(|run| {
        let text = std::fs::read_to_string(RunDir(run.clone()).device()).ok()?;
        let mut lines = text.lines();
        let device = choice.by_name(lines.next()?)?;
        let line = lines.next().and_then(|line| line.strip_suffix(" threads"));
        let before: Option<usize> = line.and_then(|count| count.parse().ok());
        Some((device, before))
    });
    if let Some((device, before)) = previous {
        let now = threads(&device.handle);
        if let (Some(before), Some(now)) = (before, now)
            && before != now
        {
            options.listener.notice(&format_args!(
                "warning: the run started with {before} threads and goes on with {now}, so its last digits may \
                 differ from those of a run without a stop; --threads {before} avoids that"
            ));
        }
        let kind = if ae_kernels::uses_threads(&device.handle) { "CPU" } else { "GPU" };
        let line = format_args!("{kind}: {}, where the run started", device.name);
        options.listener.progress(&line);
        return Ok(device);
    }
    let (device, line) = choice.decide(trial_job)?;
    if let Some(line) = line {
        options.listener.notice(&line);
    }
    Ok(device)
}

/// The values that go over the defaults: the recipe of the run to resume, or options over a recipe file.
///
/// # Errors
/// If the recipe cannot be read, or there are options for a run to resume.
pub fn recipe_overrides(
    options: Table,
    recipe: Option<&PathBuf>,
    resume: Option<&PathBuf>,
    command: Command,
) -> Result<Table> {
    if let Some(run) = resume {
        if !options.is_empty() || recipe.is_some() {
            return Err(Error::usage(
                "--resume uses the saved recipe; only --device and --checkpoint-* may be given with it",
            ));
        }
        let mut table = read_table(&RunDir::existing(run)?.recipe(), command)?;
        if matches!(command, Command::Train | Command::Pretrain) {
            ae_recipe::off_unless_given(&mut table);
        }
        return Ok(table);
    }
    let is_from_file = recipe.is_some();
    let mut table = match recipe {
        Some(path) => read_table(path, command)?,
        None => Table::new(),
    };
    if let (Some(toml::Value::Table(base)), Some(data)) =
        (table.get_mut("data"), options.get("data"))
        && data.get("source").is_some()
    {
        // The other values describe the recipe's data, not this.
        base.retain(|key, _| ["validation", "preprocess", "seed"].contains(&key));
    }
    ae_recipe::merge(&mut table, &options);
    if is_from_file && matches!(command, Command::Train | Command::Pretrain) {
        ae_recipe::off_unless_given(&mut table);
    }
    Ok(table)
}

/// The provenance and preprocessing to save with a model.
pub(crate) fn about(
    data: &Splits,
    recipe: &Recipe,
    objective: String,
    best: Option<String>,
) -> Result<Metadata> {
    let mut provenance = BTreeMap::from([
        ("program".to_owned(), format!("ae {}", env!("CARGO_PKG_VERSION"))),
        ("data".to_owned(), data.name.clone()),
        (TRAINING_SET.to_owned(), fingerprint(&data.training)?),
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
    if let Some(table) = data.training.table() {
        let schema = serde_json::to_string(&table.schema)
            .map_err(|error| Error::usage(format!("columns: {error}")))?;
        provenance.insert(SCHEMA.to_owned(), schema);
    }
    if let (Some(_), Some(labels)) = (&recipe.head, data.training.labels()) {
        provenance.insert(CLASSES.to_owned(), class_names(labels).join("\n"));
    }
    let preprocessing = serde_json::to_value(data.training.preprocessing())
        .map_err(|error| Error::usage(format!("preprocessing: {error}")))?;
    Ok(Metadata { preprocessing, provenance })
}

fn folder(options: &RunOptions, command: Command, name: &str) -> Result<RunDir> {
    match (&options.resume, &options.out) {
        (Some(run), _) => Ok(RunDir(run.clone())),
        (None, Some(out)) => {
            // The training of a head cannot be resumed.
            let can_resume = command != Command::Classify;
            create_folder(
                out,
                can_resume.then(|| format!("ae {} --resume", command.name())).as_deref(),
            )
        }
        (None, None) => create_numbered_folder(name),
    }
}

/// Whether a file is a temporary one or a lock, left by a program that was killed while writing.
fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".tmp") || name == lock::FILE)
}

/// Creates the folder that the user names; it may exist if it is empty. `resume` is the command that resumes
/// a run in it.
///
/// # Errors
/// If it has files, or cannot be created.
pub fn create_folder(out: &Path, resume: Option<&str>) -> Result<RunDir> {
    let has_files = std::fs::read_dir(out).is_ok_and(|mut entries| {
        entries.any(|entry| entry.map_or(true, |entry| !is_unfinished(&entry.file_name())))
    });
    if !has_files {
        std::fs::create_dir_all(out).map_err(Error::io(out))?;
        return Ok(RunDir(out.to_owned()));
    }
    let hint = match resume {
        Some(resume) => format!("to resume the run in it: {resume} {}", ae_files::quoted(out)),
        None => "choose another".to_owned(),
    };
    let out = out.display();
    Err(Error::usage(format!("{out}: expected a new or empty folder, got one with files; {hint}")))
}

/// Creates a folder in `runs/`, with a number after its name if that is taken.
///
/// # Errors
/// If it cannot be created.
pub fn create_numbered_folder(name: &str) -> Result<RunDir> {
    let is_plain = |c: &char| c.is_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(is_plain).collect();
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).map_err(Error::io(runs))?;
    for number in 1.. {
        let path = match number {
            1 => runs.join(&name),
            _ => runs.join(format!("{name}-{number}")),
        };
        // Of two programs that begin at once, one makes the folder, and the other takes the next number.
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(RunDir(path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io(&path)(error)),
        }
    }
    unreachable!("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary file of a killed program does not count; anything else does.
    #[test]
    fn a_folder_with_only_a_temporary_file_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".tmpAb12"), "half a rec").unwrap();
        std::fs::write(folder.path().join(".lock"), "17").unwrap();
        assert!(create_folder(folder.path(), None).is_ok());
        std::fs::write(folder.path().join("recipe.toml"), "").unwrap();
        let refused = create_folder(folder.path(), None).err().unwrap().to_string();
        assert!(refused.contains("expected a new or empty folder"), "{refused}");
    }
}
