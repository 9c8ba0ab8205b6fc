//! What is taken where nobody says otherwise, and what goes over what.

use ae_data::{Method, Shape};
use ae_models::{Activation, ConvConfig, DenseConfig};
use ae_train::{Corruption, Rate, Reconstruction, Schedule};
use serde::Serialize;
use toml::{Table, Value};

use super::{ConvRecipe, DataRecipe, DenseRecipe, ModelRecipe, ObjectiveRecipe, Recipe};
use crate::error::{Error, Result};

impl Recipe {
    /// The data part of `given` over its defaults.
    pub fn data(given: &Table) -> Result<DataRecipe> {
        let defaults = DataRecipe {
            source: "digits".into(),
            data_dir: None,
            resize: None,
            label_column: None,
            labels: None,
            digits: None,
            test: None,
            validation: 0.1,
            preprocess: Method::None,
            seed: 0,
        };
        let mut data: DataRecipe = section("data", defaults, given)?;
        if data.source == "digits" {
            data.digits.get_or_insert(ae_data::DIGITS);
        }
        if !(data.validation > 0.0 && data.validation < 1.0) {
            return Err(Error::usage(format!(
                "validation part: expected a fraction above 0 and below 1, got {}",
                data.validation
            )));
        }
        Ok(data)
    }

    /// What was given over the defaults for `samples` training samples of a shape.
    pub fn complete(
        given: &Table,
        data: DataRecipe,
        shape: &Shape,
        samples: usize,
    ) -> Result<Self> {
        let is_image = matches!(shape, Shape::Image { .. });
        let mut data = data;
        let is_preprocess_given =
            given.get("data").and_then(|data| data.get("preprocess")).is_some();
        if !is_image && !is_preprocess_given {
            data.preprocess = Method::Standardize;
        }
        let kind = given.get("model").and_then(|model| model.get("kind"));
        let output = match data.preprocess {
            Method::None if is_image => Activation::Sigmoid,
            Method::MinMax => Activation::Sigmoid,
            _ => Activation::Identity,
        };
        let defaults = match kind.and_then(Value::as_str) {
            Some("dense") => ModelRecipe::dense(shape, output),
            Some("conv") => ModelRecipe::conv(shape, output),
            None if is_image => ModelRecipe::conv(shape, output),
            None => ModelRecipe::dense(shape, output),
            Some(other) => {
                let message = format!("model: expected `conv` or `dense`, got `{other}`");
                return Err(Error::usage(message));
            }
        };
        check_applies(&defaults, given)?;
        let model: ModelRecipe = section("model", defaults, given)?;
        let output = match &model {
            ModelRecipe::Conv(recipe) => recipe.output,
            ModelRecipe::Dense(recipe) => recipe.output,
        };
        let reconstruction = match is_image && output.is_probability() {
            true => Reconstruction::CrossEntropy,
            false => Reconstruction::SquaredError,
        };
        let objective = ObjectiveRecipe { reconstruction, corruption: Corruption::None, l1: 0.0 };
        Ok(Self {
            objective: section("objective", objective, given)?,
            schedule: schedule(&model, (samples as f64 * (1.0 - data.validation)) as usize, given)?,
            model,
            data,
        })
    }
}

/// Whether every value given for the model is one that a model of its kind has.
fn check_applies(defaults: &ModelRecipe, given: &Table) -> Result<()> {
    let known = Table::try_from(defaults).map_err(|error| Error::usage(error.to_string()))?;
    let Some(Value::Table(given)) = given.get("model") else { return Ok(()) };
    match given.keys().find(|key| !known.contains_key(*key)) {
        Some(key) => {
            let known: Vec<&str> = known.keys().map(String::as_str).collect();
            Err(Error::usage(format!(
                "model: `{key}` is not for a {} model, which has {}",
                defaults.kind(),
                known.join(", ")
            )))
        }
        None => Ok(()),
    }
}

/// Batches an epoch has at least, where a batch can be made small enough.
const BATCHES: usize = 100;
/// Steps a run has at least.
const STEPS: usize = 1000;

/// The schedule for `samples` samples where nobody says otherwise: a small data set is given smaller
/// batches and more epochs, for some dozens of steps teach nothing.
fn schedule(model: &ModelRecipe, samples: usize, given: &Table) -> Result<Schedule> {
    let peak = match model {
        ModelRecipe::Conv(_) => 5e-3,
        ModelRecipe::Dense(_) => 1e-3,
    };
    let usual = Schedule::default();
    let mut batch = usual.batch;
    while batch > 16 && samples / batch < BATCHES {
        batch /= 2;
    }
    let defaults =
        Schedule { batch, rate: Rate { peak, warm_up: 0.5, ..Rate::default() }, ..usual };
    // How many epochs depends on the batch that is taken in the end.
    let taken = section("schedule", defaults.clone(), given)?;
    let steps = (samples / taken.batch.max(1)).max(1);
    let epochs = defaults.epochs.max(STEPS.div_ceil(steps));
    section("schedule", Schedule { epochs, ..defaults }, given)
}

/// A section: what was given over the defaults. What the section does not know is an error.
fn section<T>(name: &str, defaults: T, given: &Table) -> Result<T>
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let broken = |error: &dyn std::fmt::Display| Error::usage(format!("[{name}] {error}"));
    let mut merged = Table::try_from(defaults).map_err(|error| broken(&error))?;
    match given.get(name) {
        Some(Value::Table(given)) => merge(&mut merged, given),
        Some(other) => {
            let message = format!("[{name}] expected a section, got {}", other.type_str());
            return Err(Error::usage(message));
        }
        None => {}
    }
    merged.try_into().map_err(|error: toml::de::Error| broken(&error.message()))
}

/// Values that are one of several, each with values of its own.
const CHOICES: [&str; 3] = ["corruption", "norm", "decay"];

/// Puts `over` over `base`: sections merge, unless they are a choice or say another kind.
pub fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(over))
                if !CHOICES.contains(&key.as_str())
                    && over.get("kind").is_none_or(|kind| base.get("kind") == Some(kind)) =>
            {
                merge(base, over);
            }
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

impl ModelRecipe {
    fn conv(shape: &Shape, output: Activation) -> Self {
        let input = match *shape {
            Shape::Image { channels, height, width } => [channels, height, width],
            Shape::Table { .. } => [1, 1, 1],
        };
        let config = ConvConfig::new(input, CODE);
        Self::Conv(ConvRecipe {
            code: CODE,
            channels: config.channels,
            kernel: config.kernel,
            hidden: config.hidden,
            down: config.down,
            up: config.up,
            norm: config.norm,
            activation: config.activation,
            code_activation: config.code_activation,
            output,
        })
    }

    /// For images Hinton & Salakhutdinov's chain; for tables widths that fit their columns.
    fn dense(shape: &Shape, output: Activation) -> Self {
        let (hidden, code) = match shape {
            Shape::Image { .. } => (vec![1000, 500, 250], 30),
            Shape::Table { columns } => {
                let columns = columns.len();
                (vec![(4 * columns).clamp(8, 512)], columns.div_ceil(2).clamp(1, CODE))
            }
        };
        let config = DenseConfig::new([shape.features(), code]);
        Self::Dense(DenseRecipe {
            code,
            hidden,
            tied: config.tied,
            activation: config.activation,
            code_activation: config.code_activation,
            output,
        })
    }
}

const CODE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(given: &str, shape: &Shape) -> Result<Recipe> {
        let given: Table = given.parse().unwrap();
        let data = Recipe::data(&given)?;
        Recipe::complete(&given, data, shape, 60_000)
    }

    #[test]
    fn a_recipe_is_read_back_as_it_was_written() {
        for (given, shape) in [
            ("", Shape::image(1, 28, 28)),
            ("[model]\nkind = 'dense'\ntied = true", Shape::image(1, 28, 28)),
            (
                "[model]\nnorm = { group = 8 }\n[objective]\ncorruption = { masking = 0.25 }",
                Shape::image(3, 32, 32),
            ),
            (
                "[schedule]\nclip = 1.0\noptimizer = { kind = 'sgd', momentum = 0.9, nesterov = true }",
                Shape::table(5),
            ),
        ] {
            let recipe = complete(given, &shape).unwrap();
            let text = recipe.to_toml().unwrap();
            assert_eq!(toml::from_str::<Recipe>(&text).unwrap(), recipe, "{text}");
            let again = complete(&text, &shape).unwrap();
            assert_eq!(again, recipe, "{text}");
        }
    }

    #[test]
    fn what_is_given_goes_over_what_was() {
        let merged = |base: &str, over: &str| {
            let mut base: Table = base.parse().unwrap();
            merge(&mut base, &over.parse().unwrap());
            base
        };
        for (base, over, expected) in [
            ("[model]\ncode = 8", "[model]\ntied = true", "[model]\ncode = 8\ntied = true"),
            (
                "[objective]\ncorruption = { masking = 0.25 }",
                "[objective]\ncorruption = { gaussian = 0.3 }",
                "[objective]\ncorruption = { gaussian = 0.3 }",
            ),
            (
                "[model]\nkind = 'conv'\nchannels = [8]",
                "[model]\nkind = 'dense'",
                "[model]\nkind = 'dense'",
            ),
            (
                "[schedule.optimizer]\nkind = 'adam'\nbeta_1 = 0.9",
                "[schedule.optimizer]\nbeta_1 = 0.8",
                "[schedule.optimizer]\nkind = 'adam'\nbeta_1 = 0.8",
            ),
        ] {
            assert_eq!(merged(base, over), expected.parse().unwrap());
        }
    }

    #[test]
    fn defaults_follow_the_data() {
        let images = complete("", &Shape::image(1, 28, 28)).unwrap();
        assert_eq!(images.model.kind(), "conv");
        assert_eq!(images.objective.reconstruction, Reconstruction::CrossEntropy);
        let table = complete("", &Shape::table(6)).unwrap();
        assert_eq!((table.model.kind(), table.model.code()), ("dense", 3));
        assert_eq!(table.data.preprocess, Method::Standardize);
        assert_eq!(table.objective.reconstruction, Reconstruction::SquaredError);
    }

    #[test]
    fn small_data_sets_get_small_batches_and_many_epochs() {
        let plan = |samples: usize, given: &str| {
            let given: Table = given.parse().unwrap();
            let data = Recipe::data(&given).unwrap();
            let recipe = Recipe::complete(&given, data, &Shape::image(1, 28, 28), samples);
            let schedule = recipe.unwrap().schedule;
            (schedule.batch, schedule.epochs)
        };
        assert_eq!(plan(60_000, ""), (128, 10));
        assert_eq!(plan(20_000, ""), (128, 10));
        assert_eq!(plan(5_000, ""), (32, 10)); // 4500 / 32 = 140 steps
        assert_eq!(plan(600, ""), (16, 31)); // 540 / 16 = 33 steps
        assert_eq!(plan(600, "[schedule]\nbatch = 60"), (60, 112)); // 9 steps
        assert_eq!(plan(600, "[schedule]\nepochs = 5"), (16, 5));
        assert_eq!(plan(1, ""), (16, 1000));
    }

    #[test]
    fn what_does_not_apply_is_refused() {
        let message =
            |given: &str| complete(given, &Shape::image(1, 28, 28)).unwrap_err().to_string();
        assert_eq!(
            message("[model]\nkind = 'dense'\nchannels = [8]"),
            "model: `channels` is not for a dense model, which has activation, code, \
             code_activation, hidden, kind, output, tied"
        );
        assert!(message("[schedule]\nepoch = 3").contains("unknown field `epoch`"));
        assert_eq!(
            message("[model]\nkind = 'rnn'"),
            "model: expected `conv` or `dense`, got `rnn`"
        );
        assert!(
            message("[objective]\ncorruption = { masking = 1.5 }")
                .contains("probability: expected a number in [0, 1], got 1.5")
        );
        let conv = complete("[model]\nkind = 'conv'", &Shape::table(3)).unwrap();
        assert_eq!(
            conv.model.architecture(&Shape::table(3)).unwrap_err().to_string(),
            "a convolutional model needs images, and this is a table of 3 columns: take --model dense"
        );
    }
}
