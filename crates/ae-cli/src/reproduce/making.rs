//! Making the runs of an arm: what is done is not done again, what was begun goes on.

use std::path::Path;
use std::time::Instant;

use ae_data::DataSet;
use toml::{Table, Value};

use super::edition::{Step, Way};
use crate::args::NewRunArgs;
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::recipe::{DataRecipe, Maker, Recipe};
use crate::session::{Folder, open_data};
use crate::start;
use crate::{classify, finetune, train};

/// What a folder of an arm's runs says of them.
const WAY: &str = "arm.toml";

/// The data that was opened last: most arms have the same.
#[derive(Default)]
pub struct Opener {
    last: Option<(DataRecipe, DataSet)>,
}

impl Opener {
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
    pub fn check(&mut self, way: &Way, data_dir: Option<&Path>) -> Result<()> {
        let [first, rest @ ..] = &way.steps[..] else { return Ok(()) };
        let given = given(first, 0, data_dir);
        let (data, set) = self.open(&given)?;
        let training = &set.parts.training;
        check(first, rest, &given, data, training.shape(), training.len())
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
    if !matches!(first.command, Maker::Train | Maker::Pretrain) {
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
            Maker::Finetune => recipe.further(&step.given, data, from)?,
            Maker::Classify => recipe.headed(&step.given, from, samples)?,
            Maker::Train | Maker::Pretrain => {
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

fn given(step: &Step, seed: u64, data_dir: Option<&Path>) -> Table {
    let mut given = step.seeded(seed);
    if let (Some(folder), Some(Value::Table(data))) = (data_dir, given.get_mut("data")) {
        data.insert("data_dir".to_owned(), folder.to_string_lossy().into_owned().into());
    }
    given
}

/// Makes the runs of an arm in its folder, for a seed; the folders of its stages, or none if it was
/// stopped.
pub fn make(
    way: &Way,
    seed: u64,
    folder: &Path,
    data_dir: Option<&Path>,
    opened: &Opened,
    opener: &mut Opener,
) -> Result<Option<Vec<Folder>>> {
    claim(way, folder)?;
    let mut made: Vec<Folder> = Vec::new();
    for step in &way.steps {
        let own = Folder(folder.join(&step.name));
        let is_done = own.summary().is_file() && own.report().is_file();
        if !is_done && !run(step, &given(step, seed, data_dir), made.last(), &own, opened, opener)?
        {
            return Ok(None);
        }
        made.push(own);
    }
    Ok(Some(made))
}

/// Says in the folder which runs are made there; refuses one with runs of another recipe.
fn claim(way: &Way, folder: &Path) -> Result<()> {
    let path = folder.join(WAY);
    let now = way.to_toml();
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

/// Makes a run, or goes on with it; false if it was stopped.
fn run(
    step: &Step,
    given: &Table,
    from: Option<&Folder>,
    own: &Folder,
    opened: &Opened,
    opener: &mut Opener,
) -> Result<bool> {
    let is_begun = own.recipe().is_file();
    let args = NewRunArgs {
        out: (!is_begun).then(|| own.0.clone()),
        resume: is_begun.then(|| own.0.clone()),
        ..NewRunArgs::default()
    };
    let began = Instant::now();
    let expect_from = || {
        from.ok_or_else(|| {
            Error::usage(format!("stage {}: expected one before it, got none", step.name))
        })
    };
    Ok(match step.command {
        Maker::Train | Maker::Pretrain => {
            let (data, set) = opener.open(given)?;
            train::one(given, data, set, step.command, opened, &args, began)?.is_some()
        }
        Maker::Finetune => finetune::one(given, expect_from()?, opened, &args, began)?.is_some(),
        Maker::Classify => classify::one(given, expect_from()?, opened, &args, began)?.is_some(),
    })
}
