//! Runs the stages of arms: finished runs are reused, interrupted ones resume.

use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::Instant;

use ae_data::{DataSet, is_published};
use toml::{Table, Value};

use super::ReproduceOptions;
use super::arm::{Program, ResolvedArm, ResolvedStage};
use crate::{Error, Result};
use ae_device::Choice;
use ae_recipe::{Command, DataRecipe, Recipe};
use ae_run::RunDir;
use ae_run::files;
use ae_run::open_data;
use ae_run::{FinishedRun, Listener, RunOptions, SavedRun, Splits};

/// The file with the settings of the arm, in the folder of its runs.
const ARM: &str = "arm.toml";

/// Runs arms, one after the other.
pub struct Runner<'a> {
    pub choice: &'a Choice,
    pub data_dir: Option<&'a Path>,
    /// The Python that runs external programs.
    pub python: Option<&'a Path>,
    listener: &'a Arc<dyn Listener>,
    /// The data opened last, which most arms share.
    last: Option<(DataRecipe, DataSet)>,
    /// Finished runs, for arms that share their first stages.
    finished: Vec<CachedRun>,
}

/// A finished run.
struct CachedRun {
    arm: String,
    seed: u64,
    /// Its stage, and all before it.
    stages: Vec<ResolvedStage>,
    folder: RunDir,
}

/// How the run of an external program ended.
pub enum External {
    Done(Vec<StageRun>),
    /// There is no Python to run it.
    Skipped,
    Stopped,
}

/// The run of a stage.
pub struct StageRun {
    /// The name of the stage.
    pub name: String,
    pub folder: RunDir,
    /// The other arm whose run this is, if arms share it.
    pub shared_with: Option<String>,
}

impl<'a> Runner<'a> {
    pub fn new(choice: &'a Choice, options: &'a ReproduceOptions) -> Self {
        let (data_dir, python) = (options.data_dir.as_deref(), options.python.as_deref());
        let listener = &options.listener;
        Self { choice, data_dir, python, listener, last: None, finished: Vec::new() }
    }

    fn open(&mut self, overrides: &Table) -> Result<(DataRecipe, DataSet)> {
        let mut data = Recipe::data(overrides)?;
        data.make_paths_absolute();
        match &self.last {
            Some((known, set)) if *known == data => Ok((data, set.clone())),
            _ => {
                let set = open_data(&data, &**self.listener)?;
                self.last = Some((data.clone(), set.clone()));
                Ok((data, set))
            }
        }
    }

    /// Checks all stages of an arm, so that none fails after hours of training others.
    pub fn check(&mut self, arm: &ResolvedArm) -> Result<()> {
        if let Some(program) = &arm.program {
            return self.check_external(arm, program);
        }
        let [first, rest @ ..] = &arm.stages[..] else { return Ok(()) };
        let overrides = self.overrides(first, 0);
        let (data, set) = self.open(&overrides)?;
        let training = &set.splits.training;
        check(first, rest, &overrides, data, training.shape(), training.len())
    }

    fn overrides(&self, stage: &ResolvedStage, seed: u64) -> Table {
        let mut overrides = stage.with_seed(seed);
        if let Some(Value::Table(data)) = overrides.get_mut("data") {
            self.set_data_dir(data);
        }
        overrides
    }

    /// Adds `--data-dir` to published data.
    fn set_data_dir(&self, data: &mut Table) {
        let source = data.get("source").and_then(Value::as_str);
        if let (Some(folder), true) = (self.data_dir, source.is_some_and(is_published)) {
            data.insert("data_dir".to_owned(), folder.to_string_lossy().into_owned().into());
        }
    }

    /// Runs the program of an arm, unless that is done.
    pub fn run_external(
        &self,
        arm: &ResolvedArm,
        program: &Program,
        folder: &Path,
    ) -> Result<External> {
        let own = RunDir(folder.to_owned());
        let run = StageRun { name: program.name.clone(), folder: own.clone(), shared_with: None };
        if own.summary().is_file() {
            claim(arm, folder)?;
            return Ok(External::Done(vec![run]));
        }
        let Some(python) = self.python else { return Ok(External::Skipped) };
        claim(arm, folder)?;
        let (script, exported) = (folder.join(&program.name), folder.join("data"));
        let output = folder.join("made.json");
        files::write(&script, program.text)?;
        let data = Recipe::data(&self.data_of(program))?;
        Splits::new(open_data(&data, &**self.listener)?, &data, None)?.write_npy(&exported)?;
        if self.listener.is_stopping() {
            return Ok(External::Stopped);
        }
        let mut command = process::Command::new(python);
        command.arg(&script).arg(&exported).arg(&output).stdout(std::io::stderr());
        let status = command.status().map_err(Error::io(python))?;
        if self.listener.is_stopping() {
            return Ok(External::Stopped);
        }
        if !status.success() || !output.is_file() {
            return Err(Error::usage(format!(
                "{} ended with {status} and did not write {}; see its output above",
                script.display(),
                output.display()
            )));
        }
        std::fs::remove_dir_all(&exported).map_err(Error::io(&exported))?;
        std::fs::rename(&output, own.summary()).map_err(Error::io(&output))?;
        Ok(External::Done(vec![run]))
    }

    /// The data section of a program, as a recipe.
    fn data_of(&self, program: &Program) -> Table {
        let mut data = program.data.clone();
        self.set_data_dir(&mut data);
        Table::from_iter([("data".to_owned(), data.into())])
    }

    /// Checks that a program can run and that its data has what it needs.
    fn check_external(&mut self, arm: &ResolvedArm, program: &Program) -> Result<()> {
        let overrides = self.data_of(program);
        let (recipe, set) = self.open(&overrides)?;
        if recipe.validation == 0.0 || set.splits.training.labels().is_none() {
            return Err(Error::usage(format!(
                "arm {}: {} needs data with labels and a validation set",
                arm.name, program.name
            )));
        }
        let Some(python) = self.python else { return Ok(()) };
        let import = process::Command::new(python).args(["-c", "import sklearn"]).output();
        match import.map_err(Error::io(python))?.status.success() {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "--python: `import sklearn` fails in {}; give a Python with scikit-learn",
                python.display()
            ))),
        }
    }

    /// Runs the stages of an arm in its folder, for a seed; `None` if it was stopped.
    pub fn run(
        &mut self,
        arm: &ResolvedArm,
        seed: u64,
        folder: &Path,
    ) -> Result<Option<Vec<StageRun>>> {
        claim(arm, folder)?;
        let mut runs: Vec<StageRun> = Vec::new();
        for (index, stage) in arm.stages.iter().enumerate() {
            let stages = &arm.stages[..=index];
            if let Some(cached) =
                self.finished.iter().find(|it| it.seed == seed && it.stages == stages)
            {
                let (name, shared_with) = (stage.name.clone(), Some(cached.arm.clone()));
                runs.push(StageRun { name, folder: cached.folder.clone(), shared_with });
                continue;
            }
            let own = RunDir(folder.join(&stage.name));
            let is_done = own.summary().is_file() && own.report().is_file();
            let from = runs.last().map(|run| &run.folder);
            if !is_done && !self.run_stage(stage, seed, from, &own)? {
                return Ok(None);
            }
            let (arm, stages) = (arm.name.clone(), stages.to_vec());
            self.finished.push(CachedRun { arm, seed, stages, folder: own.clone() });
            runs.push(StageRun { name: stage.name.clone(), folder: own, shared_with: None });
        }
        Ok(Some(runs))
    }

    /// Starts or resumes the run of a stage; false if it was stopped.
    fn run_stage(
        &mut self,
        stage: &ResolvedStage,
        seed: u64,
        from: Option<&RunDir>,
        own: &RunDir,
    ) -> Result<bool> {
        let is_begun = own.recipe().is_file();
        let options = RunOptions {
            out: (!is_begun).then(|| own.0.clone()),
            resume: is_begun.then(|| own.0.clone()),
            listener: self.listener.clone(),
            ..RunOptions::default()
        };
        let (overrides, choice, started) =
            (self.overrides(stage, seed), self.choice, Instant::now());
        let from = || {
            from.ok_or_else(|| {
                Error::usage(format!(
                    "stage {}: needs a stage before it, whose model it starts from",
                    stage.name
                ))
            })
        };
        Ok(match stage.command {
            Command::Train | Command::Pretrain => {
                let (data, set) = self.open(&overrides)?;
                let command = stage.command;
                let trained =
                    ae_run::train(&overrides, data, set, command, choice, &options, started)?;
                trained.as_ref().map(ae_report::write_autoencoder).transpose()?.is_some()
            }
            Command::Finetune => {
                let run = SavedRun::load(from()?, &choice.provisional().handle)?;
                let recipe = ae_run::derive_recipe(&run, &overrides)?;
                let is_own_data = !overrides.contains_key("data");
                let trained =
                    ae_run::finetune(recipe, run, is_own_data, &options, choice, started)?;
                trained.as_ref().map(ae_report::write).transpose()?.is_some()
            }
            Command::Classify => {
                let device = choice.provisional();
                let run = SavedRun::load(from()?, &device.handle)?;
                let head = ae_run::train_head(&run, &overrides, &options, &device, started)?;
                let trained = head.map(|head| FinishedRun::Classifier(Box::new(head)));
                trained.as_ref().map(ae_report::write).transpose()?.is_some()
            }
        })
    }
}

/// Checks the recipes of all stages for samples of a shape.
pub fn check(
    first: &ResolvedStage,
    rest: &[ResolvedStage],
    overrides: &Table,
    data: DataRecipe,
    shape: &ae_data::Shape,
    samples: usize,
) -> Result<()> {
    if !matches!(first.command, Command::Train | Command::Pretrain) {
        return Err(Error::usage(format!(
            "stage {}: the first stage must be train or pretrain, got {}",
            first.name,
            first.command.name()
        )));
    }
    let mut recipe = Recipe::complete(overrides, data, shape, samples, first.command)?;
    let check = |recipe: &Recipe| -> Result<()> {
        recipe.model.architecture(shape)?.check()?;
        if recipe.objective.is_some() {
            recipe.objective().objective()?;
        }
        Ok(recipe.schedule().check()?)
    };
    check(&recipe)?;
    for stage in rest {
        let (data, from) = (recipe.data.clone(), Default::default());
        recipe = match stage.command {
            Command::Finetune => recipe.for_finetuning(&stage.overrides, data, from)?,
            Command::Classify => recipe.with_head(&stage.overrides, from, samples)?,
            Command::Train | Command::Pretrain => {
                return Err(Error::usage(format!(
                    "stage {}: stages after the first must be finetune or classify, got {}",
                    stage.name,
                    stage.command.name()
                )));
            }
        };
        check(&recipe)?;
    }
    Ok(())
}

/// Writes the settings of the arm into the folder; a folder with other settings is an error.
fn claim(arm: &ResolvedArm, folder: &Path) -> Result<()> {
    let path = folder.join(ARM);
    let now = arm.to_toml().to_string();
    match std::fs::read_to_string(&path) {
        Ok(saved) if saved == now => Ok(()),
        Ok(_) => Err(Error::usage(format!(
            "{}: the folder has runs of an older recipe (see its {ARM}); remove it, or choose another with \
             --out",
            folder.display()
        ))),
        Err(_) => {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
            Ok(files::write(&path, &now)?)
        }
    }
}
