//! Making the runs of an arm: what is done is not done again, what was begun goes on.

use std::path::Path;
use std::process;
use std::time::Instant;

use ae_data::{DataSet, is_published};
use toml::{Table, Value};

use super::way::{Program, Step, Way};
use crate::args::{NewRunArgs, ReproduceArgs};
use crate::data::export;
use crate::device::Choice;
use crate::error::{Error, Result};
use crate::observers::Interrupt;
use crate::recipe::{DataRecipe, Maker as Command, Recipe};
use crate::session::{Folder, open_data};
use crate::start;
use crate::{classify, finetune, train};

/// What a folder of an arm's runs says of them.
const WAY: &str = "arm.toml";

/// Makes the runs of arms, one after the other.
pub struct Maker<'a> {
    pub choice: &'a Choice,
    pub data_dir: Option<&'a Path>,
    /// To run other programs by.
    pub python: Option<&'a Path>,
    /// The data that was opened last: most arms have the same.
    last: Option<(DataRecipe, DataSet)>,
    /// What was made: arms that begin alike share what they begin with.
    made: Vec<Made>,
}

/// A run that was made.
struct Made {
    arm: String,
    seed: u64,
    /// It, and all before it.
    steps: Vec<Step>,
    folder: Folder,
}

/// What came of an arm that another program makes.
pub enum Outside {
    Made(Vec<Run>),
    /// There is no Python to run it by.
    Left,
    Stopped,
}

/// A run of an arm, made for it or for another one before.
pub struct Run {
    /// Of its stage.
    pub name: String,
    pub folder: Folder,
    /// The arm that it was made for, if that is another.
    pub of: Option<String>,
}

impl<'a> Maker<'a> {
    pub fn new(choice: &'a Choice, args: &'a ReproduceArgs) -> Self {
        let (data_dir, python) = (args.data_dir.as_deref(), args.python.as_deref());
        Self { choice, data_dir, python, last: None, made: Vec::new() }
    }

    fn open(&mut self, given: &Table) -> Result<(DataRecipe, DataSet)> {
        let mut data = Recipe::data(given)?;
        data.make_paths_absolute();
        match &self.last {
            Some((known, set)) if *known == data => Ok((data, set.clone())),
            _ => {
                let set = open_data(&data)?;
                self.last = Some((data.clone(), set.clone()));
                Ok((data, set))
            }
        }
    }

    /// Whether all stages of an arm can be made: the last shall not be refused after hours on the others.
    pub fn check(&mut self, way: &Way) -> Result<()> {
        if let Some(program) = &way.program {
            return self.check_outside(way, program);
        }
        let [first, rest @ ..] = &way.steps[..] else { return Ok(()) };
        let given = self.given(first, 0);
        let (data, set) = self.open(&given)?;
        let training = &set.parts.training;
        check(first, rest, &given, data, training.shape(), training.len())
    }

    fn given(&self, step: &Step, seed: u64) -> Table {
        let mut given = step.seeded(seed);
        if let Some(Value::Table(data)) = given.get_mut("data") {
            self.find(data);
        }
        given
    }

    /// Says where published data lies, of data that is.
    fn find(&self, data: &mut Table) {
        let source = data.get("source").and_then(Value::as_str);
        if let (Some(folder), true) = (self.data_dir, source.is_some_and(is_published)) {
            data.insert("data_dir".to_owned(), folder.to_string_lossy().into_owned().into());
        }
    }

    /// What a program of an arm makes of its data.
    pub fn outside(&self, way: &Way, program: &Program, folder: &Path) -> Result<Outside> {
        let own = Folder(folder.to_owned());
        let run = Run { name: program.name.clone(), folder: own.clone(), of: None };
        if own.summary().is_file() {
            claim(way, folder)?;
            return Ok(Outside::Made(vec![run]));
        }
        let Some(python) = self.python else { return Ok(Outside::Left) };
        claim(way, folder)?;
        let (script, exported) = (folder.join(&program.name), folder.join("data"));
        let made = folder.join("made.json");
        let interrupt = Interrupt::new();
        start::write(&script, program.text)?;
        export(&Recipe::data(&self.data_of(program))?, &exported)?;
        let mut command = process::Command::new(python);
        command.arg(&script).arg(&exported).arg(&made).stdout(std::io::stderr());
        let status = command.status().map_err(Error::io(python))?;
        if interrupt.is_asked() {
            return Ok(Outside::Stopped);
        }
        if !status.success() || !made.is_file() {
            return Err(Error::usage(format!(
                "{}: expected it to write {}, which it did not, and ended with {status}; what it said stands above",
                script.display(),
                made.display()
            )));
        }
        std::fs::remove_dir_all(&exported).map_err(Error::io(&exported))?;
        std::fs::rename(&made, own.summary()).map_err(Error::io(&made))?;
        Ok(Outside::Made(vec![run]))
    }

    /// The data of a program, as a recipe has it.
    fn data_of(&self, program: &Program) -> Table {
        let mut data = program.data.clone();
        self.find(&mut data);
        Table::from_iter([("data".to_owned(), data.into())])
    }

    /// Whether a program can be run, and has what it needs.
    fn check_outside(&mut self, way: &Way, program: &Program) -> Result<()> {
        let given = self.data_of(program);
        let (recipe, set) = self.open(&given)?;
        if recipe.validation == 0.0 || set.parts.training.labels().is_none() {
            return Err(Error::usage(format!(
                "arm {}: expected classes and a validation part, which {} needs",
                way.name, program.name
            )));
        }
        let Some(python) = self.python else { return Ok(()) };
        let asked = process::Command::new(python).args(["-c", "import sklearn"]).output();
        match asked.map_err(Error::io(python))?.status.success() {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "--python: expected a Python that has scikit-learn, got {}, where `import sklearn` fails",
                python.display()
            ))),
        }
    }

    /// Makes the runs of an arm in its folder, for a seed; none if it was stopped.
    pub fn make(&mut self, way: &Way, seed: u64, folder: &Path) -> Result<Option<Vec<Run>>> {
        claim(way, folder)?;
        let mut runs: Vec<Run> = Vec::new();
        for (index, step) in way.steps.iter().enumerate() {
            let steps = &way.steps[..=index];
            if let Some(made) = self.made.iter().find(|it| it.seed == seed && it.steps == steps) {
                let (name, of) = (step.name.clone(), Some(made.arm.clone()));
                runs.push(Run { name, folder: made.folder.clone(), of });
                continue;
            }
            let own = Folder(folder.join(&step.name));
            let is_done = own.summary().is_file() && own.report().is_file();
            let from = runs.last().map(|run| &run.folder);
            if !is_done && !self.run(step, seed, from, &own)? {
                return Ok(None);
            }
            let (arm, steps) = (way.name.clone(), steps.to_vec());
            self.made.push(Made { arm, seed, steps, folder: own.clone() });
            runs.push(Run { name: step.name.clone(), folder: own, of: None });
        }
        Ok(Some(runs))
    }

    /// Makes a run, or goes on with it; false if it was stopped.
    fn run(&mut self, step: &Step, seed: u64, from: Option<&Folder>, own: &Folder) -> Result<bool> {
        let is_begun = own.recipe().is_file();
        let args = NewRunArgs {
            out: (!is_begun).then(|| own.0.clone()),
            resume: is_begun.then(|| own.0.clone()),
            ..NewRunArgs::default()
        };
        let (given, choice, began) = (self.given(step, seed), self.choice, Instant::now());
        let from = || {
            from.ok_or_else(|| {
                Error::usage(format!("stage {}: expected one before it, got none", step.name))
            })
        };
        Ok(match step.command {
            Command::Train | Command::Pretrain => {
                let (data, set) = self.open(&given)?;
                train::one(&given, data, set, step.command, choice, &args, began)?.is_some()
            }
            Command::Finetune => finetune::one(&given, from()?, choice, &args, began)?.is_some(),
            Command::Classify => {
                classify::one(&given, from()?, &choice.for_now(), &args, began)?.is_some()
            }
        })
    }
}

/// Whether stages can be made of samples like these.
pub fn check(
    first: &Step,
    rest: &[Step],
    given: &Table,
    data: DataRecipe,
    shape: &ae_data::Shape,
    samples: usize,
) -> Result<()> {
    if !matches!(first.command, Command::Train | Command::Pretrain) {
        return Err(Error::usage(format!(
            "stage {}: expected train or pretrain as the first, got {}",
            first.name,
            first.command.name()
        )));
    }
    let mut recipe = Recipe::complete(given, data, shape, samples, first.command)?;
    let check = |recipe: &Recipe| -> Result<()> {
        recipe.model.architecture(shape)?.check()?;
        if recipe.objective.is_some() {
            recipe.objective().objective()?;
        }
        Ok(recipe.schedule().check()?)
    };
    check(&recipe)?;
    for step in rest {
        let (data, from) = (recipe.data.clone(), Default::default());
        recipe = match step.command {
            Command::Finetune => recipe.further(&step.given, data, from)?,
            Command::Classify => recipe.headed(&step.given, from, samples)?,
            Command::Train | Command::Pretrain => {
                return Err(Error::usage(format!(
                    "stage {}: expected finetune or classify after the first, got {}",
                    step.name,
                    step.command.name()
                )));
            }
        };
        check(&recipe)?;
    }
    Ok(())
}

/// Says in the folder which runs are made there; refuses one with runs of another recipe.
fn claim(way: &Way, folder: &Path) -> Result<()> {
    let path = folder.join(WAY);
    let now = way.to_toml().to_string();
    match std::fs::read_to_string(&path) {
        Ok(then) if then == now => Ok(()),
        Ok(_) => Err(Error::usage(format!(
            "{}: expected runs of the recipe as it is now, got those of another, as {WAY} there tells; \
             take the folder away, or name another with --out",
            folder.display()
        ))),
        Err(_) => {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
            start::write(&path, &now)
        }
    }
}
