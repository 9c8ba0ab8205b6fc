//! Default settings, which depend on the data.

use ae_data::table::TableOptions;
use ae_data::{Method, Shape};
use ae_models::{Activation, ConvConfig, DenseConfig};
use ae_train::{JacobianMethod, PENALTIES, PenaltyKind, Reconstruction, Schedule};
use toml::{Table, Value};

use super::deformation;
use super::linear_path::{LinearPath, decide};
use super::merge::section;
use super::model::{Code, ConvRecipe, DenseRecipe, ModelRecipe, PcaRecipe};
use super::objective::{ObjectiveRecipe, ObjectiveSettings};
use super::validate::{check_model, check_pca, check_terms};
use super::{Command, DataRecipe, MeasureRecipe, Recipe, table};
use crate::error::{Error, Result};

impl Recipe {
    /// The data section: `overrides` over the defaults.
    pub fn data(overrides: &Table) -> Result<DataRecipe> {
        let defaults = DataRecipe {
            source: "digits".into(),
            data_dir: None,
            resize: None,
            channels: None,
            skip_broken: false,
            table: TableOptions::default(),
            label_column: None,
            labels: None,
            training_samples: None,
            test_samples: None,
            digits: None,
            normal: None,
            test: None,
            validation: 0.1,
            preprocess: Method::None,
            seed: 0,
            resident_limit: None,
        };
        let mut data: DataRecipe = section("data", defaults, overrides)?;
        data.limit_by(overrides);
        data.migrate();
        if let Some((training, test)) = ae_data::default_counts(&data.source) {
            data.training_samples.get_or_insert(training);
            data.test_samples.get_or_insert(test);
        }
        if !(0.0..1.0).contains(&data.validation) {
            return Err(Error::usage(format!(
                "--validation: expected a fraction below 1, or 0 for none, got {}",
                data.validation
            )));
        }
        Ok(data)
    }

    /// The whole recipe: `overrides` over the defaults for `samples` training samples of a shape.
    pub fn complete(
        overrides: &Table,
        data: DataRecipe,
        shape: &Shape,
        samples: usize,
        command: Command,
    ) -> Result<Self> {
        let overrides = &deformation::of_data(overrides, shape, command)?;
        let is_image = matches!(shape, Shape::Image { .. });
        let mut data = data;
        let is_given = |section: &str, key: &str| {
            overrides.get(section).and_then(|section| section.get(key)).is_some()
        };
        if !is_image && !is_given("data", "preprocess") {
            data.preprocess = Method::Standardize;
        }
        let output = match data.preprocess {
            Method::None if is_image => Activation::Sigmoid,
            Method::MinMax => Activation::Sigmoid,
            _ => Activation::Identity,
        };
        let kind = overrides.get("model").and_then(|model| model.get("kind"));
        let mut defaults = match (kind.and_then(Value::as_str), command) {
            (Some("dense"), _) | (None, Command::Pretrain) => ModelRecipe::dense(shape, output),
            (Some("conv"), _) => ModelRecipe::conv(shape, output),
            (Some("pca"), _) => ModelRecipe::pca(shape),
            (None, _) if is_image && !is_tiny(shape) => ModelRecipe::conv(shape, output),
            (None, _) => ModelRecipe::dense(shape, output),
            (Some(other), _) => {
                let message = format!("model: expected `conv`, `dense` or `pca`, got `{other}`");
                return Err(Error::usage(message));
            }
        };
        check_model(&defaults, overrides)?;
        if let (ModelRecipe::Dense(recipe), Command::Pretrain) = (&mut defaults, command) {
            // The codes that upper layers reconstruct are in [0, 1] then, like the data.
            recipe.activation = Activation::Sigmoid;
        }
        let is_table = !is_image && command == Command::Train;
        if let (ModelRecipe::Dense(recipe), true) = (&mut defaults, is_table) {
            (recipe.activation, recipe.hidden) = (Activation::Silu, vec![table::width(shape)]);
        }
        let is_sigmoid =
            |kind: &&PenaltyKind| kind.needs_sigmoid && is_given("objective", kind.key);
        if PENALTIES.iter().any(is_sigmoid)
            && let Some(activation) = defaults.code_activation_mut()
        {
            *activation = Activation::Sigmoid;
        }
        let mut model: ModelRecipe = section("model", defaults, overrides)?;
        let samples = (samples as f64 * (1.0 - data.validation)) as usize;
        let (objective, schedule) = match &model {
            ModelRecipe::Pca(_) => {
                check_pca(overrides, command)?;
                (None, None)
            }
            _ => {
                let pace = match is_table {
                    true => table::PACE,
                    false => Pace { peak: model.rate(), ..Pace::default() },
                };
                let schedule = schedule(pace, samples, overrides)?;
                let objective = objective(&model, shape, &schedule, command, overrides)?;
                (Some(objective), Some(schedule))
            }
        };
        let train_top_k = objective.as_ref().and_then(|objective| objective.train_top_k.as_ref());
        if let (Some(k), Ok(architecture)) = (train_top_k.map(|it| it.k), model.architecture(shape))
            && let Some(top_k) = model.top_k_mut()
        {
            top_k.get_or_insert(k.saturating_mul(2).min(architecture.code_size()));
        }
        decide(&mut model, &objective.clone().unwrap_or_default(), shape, command)?;
        let measure = measure(overrides)?;
        data.resident_limit = schedule.as_ref().map(|it| it.resident_limit);
        Ok(Self { command, from: None, data, model, objective, schedule, head: None, measure })
    }
}

/// Additional measurements, if any are given.
pub(super) fn measure(overrides: &Table) -> Result<Option<MeasureRecipe>> {
    let is_given = overrides.contains_key("measure");
    is_given.then(|| section("measure", MeasureRecipe::default(), overrides)).transpose()
}

fn objective(
    model: &ModelRecipe,
    shape: &Shape,
    schedule: &Schedule,
    command: Command,
    overrides: &Table,
) -> Result<ObjectiveRecipe> {
    // Cross-entropy is for values near 0 and 1. On photographs it chooses another epoch than squared error would: 2,000
    // of CIFAR-10 ended with 1.002 times the error of PCA, by squared error with 0.991.
    let is_grey = matches!(shape, Shape::Image { channels: 1, .. });
    let reconstruction = match is_grey && model.output().is_probability() {
        true => Reconstruction::CrossEntropy,
        false => Reconstruction::SquaredError,
    };
    let settings = ObjectiveSettings { reconstruction, ..ObjectiveSettings::default() };
    let defaults = ObjectiveRecipe { settings, penalties: Vec::new() };
    check_terms(&defaults, overrides)?;
    let mut objective = section("objective", defaults, overrides)?;
    let layers = if command == Command::Pretrain { 1 } else { model.layers() };
    fill_in(&mut objective, layers, schedule);
    Ok(objective)
}

/// Fills in defaults that depend on the model and the schedule.
pub(super) fn fill_in(objective: &mut ObjectiveRecipe, layers: usize, schedule: &Schedule) {
    if objective.penalties.iter().any(|penalty| penalty.kind.uses_jacobian) {
        objective.jacobian.get_or_insert(match layers {
            1 => JacobianMethod::Exact,
            _ => JacobianMethod::Probes(1),
        });
    }
    if let Some(top_k) = &mut objective.train_top_k
        && top_k.from.is_some()
    {
        top_k.epochs.get_or_insert(schedule.epochs.div_ceil(2).max(1));
    }
}

/// The schedule [of the library](Schedule::for_samples) for this number of samples, with the pace and the overrides.
pub(super) fn schedule(pace: Pace, samples: usize, overrides: &Table) -> Result<Schedule> {
    let default = |batch| {
        let mut schedule = Schedule::for_batches(samples, batch);
        schedule.epochs =
            schedule.epochs.max(pace.epochs((samples / schedule.batch.max(1)).max(1)));
        schedule.rate.peak = pace.peak;
        schedule.clip = pace.clip.filter(|_| !is_complete(overrides));
        schedule
    };
    // The default number of epochs depends on the batch size, and the warm-up on both, which may be given.
    let chosen = section("schedule", default(None), overrides)?;
    let defaults = default(Some(chosen.batch));
    let chosen = section("schedule", defaults.clone(), overrides)?;
    let mut rate = defaults.rate;
    rate.warm_up = Schedule::warm_up(samples, chosen.batch, chosen.epochs);
    section("schedule", Schedule { rate, ..defaults }, overrides)
}

/// What of a schedule depends on the model and the kind of data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Peak learning rate.
    pub(super) peak: f64,
    /// Minimum number of steps, in at most `most` epochs.
    pub(super) steps: usize,
    /// Maximum number of epochs for these steps, unless they are under [`MIN_STEPS`].
    pub(super) most: usize,
    /// Maximum norm of all gradients.
    pub(super) clip: Option<f64>,
}

/// Minimum number of steps of a run.
const MIN_STEPS: usize = 1000;

impl Default for Pace {
    fn default() -> Self {
        Self { peak: 1e-3, steps: MIN_STEPS, most: MIN_STEPS, clip: None }
    }
}

impl Pace {
    /// The minimum number of epochs of `steps` steps each.
    fn epochs(self, steps: usize) -> usize {
        self.steps.div_ceil(steps).min(self.most).max(MIN_STEPS.div_ceil(steps))
    }
}

/// Whether the schedule was written by a run. Then a setting that it lacks is off, and has no default.
fn is_complete(overrides: &Table) -> bool {
    let keys = ["epochs", "batch", "optimizer", "rate", "seed", "resident_limit"];
    overrides
        .get("schedule")
        .is_some_and(|schedule| keys.into_iter().all(|key| schedule.get(key).is_some()))
}

/// Whether images are too small to be halved twice, as convolutional models do by default.
fn is_tiny(shape: &Shape) -> bool {
    matches!(*shape, Shape::Image { height, width, .. } if height.max(width) < 3)
}

impl ModelRecipe {
    fn conv(shape: &Shape, output: Activation) -> Self {
        let input = match *shape {
            Shape::Image { channels, height, width } => [channels, height, width],
            Shape::Table { .. } => [1, 1, 1],
        };
        let config = ConvConfig::new(input, CODE);
        Self::Conv(ConvRecipe {
            code: Code::Units(CODE),
            channels: config.channels,
            kernel: config.kernel,
            hidden: config.hidden,
            down: config.down,
            up: config.up,
            norm: config.norm,
            activation: config.activation,
            code_activation: config.code_activation,
            output,
            tied: config.tied,
            top_k: None,
            linear_path: LinearPath::Auto,
        })
    }

    fn pca(shape: &Shape) -> Self {
        let Self::Dense(DenseRecipe { code, .. }) = Self::dense(shape, Activation::Identity) else {
            unreachable!("a dense model is one")
        };
        Self::Pca(PcaRecipe { code })
    }

    /// The default learning rate.
    fn rate(&self) -> f64 {
        match self {
            Self::Conv(_) => ConvConfig::LEARNING_RATE,
            Self::Dense(_) | Self::Pca(_) => DenseConfig::LEARNING_RATE,
        }
    }

    /// Widths of Hinton & Salakhutdinov (2006) for images; for tables widths that fit the number of columns.
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
            top_k: None,
            linear_path: LinearPath::Auto,
        })
    }
}

const CODE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(overrides: &str, shape: &Shape) -> Result<Recipe> {
        let overrides: Table = overrides.parse().unwrap();
        let data = Recipe::data(&overrides)?;
        Recipe::complete(&overrides, data, shape, 60_000, Command::Train)
    }

    #[test]
    fn recipe_round_trip() {
        for (overrides, shape) in [
            ("", Shape::image(1, 28, 28)),
            ("[model]\nkind = 'dense'\ntied = true", Shape::image(1, 28, 28)),
            (
                "[model]\nnorm = { group = 8 }\n[objective]\ncorruption = { masking = 0.25 }",
                Shape::image(3, 32, 32),
            ),
            ("[model]\nkind = 'pca'\ncode = 3", Shape::image(1, 28, 28)),
            ("[measure]\ncorruption = { gaussian = 0.5 }", Shape::image(1, 28, 28)),
            ("[objective]\ncorruption = { deform = 2 }", Shape::image(3, 32, 32)),
            ("[model]\ncode = 'maps'\ntied = true", Shape::image(1, 28, 28)),
            (
                "[objective]\nl1 = 0.1\nkl = { weight = 3.0, decay = 0.9 }\nemphasis = [1.0, 0.5]\n\
                 corruption = { masking = 0.25 }\nk_sparse = { units = 5, from = 20 }\n\
                 contraction = { weight = 0.1 }\ncurvature = { weight = 0.1, draws = 2 }\n\
                 jacobian = { probes = 2 }\nweight_decay = 1e-4\ndropout = 0.2",
                Shape::image(1, 28, 28),
            ),
            (
                "[schedule]\nclip = 1.0\noptimizer = { kind = 'sgd', momentum = 0.9, nesterov = true }",
                Shape::table(5),
            ),
        ] {
            let recipe = complete(overrides, &shape).unwrap();
            let text = recipe.to_toml().unwrap();
            let mut read = toml::from_str::<Recipe>(&text).unwrap();
            // Set from the schedule by whoever reads the file.
            read.data.resident_limit = recipe.data.resident_limit;
            assert_eq!(read, recipe, "{text}");
            let again = complete(&text, &shape).unwrap();
            assert_eq!(again, recipe, "{text}");
        }
    }

    #[test]
    fn data_has_the_given_or_the_published_size() {
        let counts = |overrides: &str| {
            let data = Recipe::data(&format!("[data]\n{overrides}").parse().unwrap()).unwrap();
            let text = toml::to_string(&data).unwrap();
            assert!(!text.contains("digits ="), "{text}");
            assert_eq!(toml::from_str::<DataRecipe>(&text).unwrap(), data);
            (data.training_samples, data.test_samples)
        };
        assert_eq!(counts(""), (Some(20_000), Some(2_000)));
        assert_eq!(counts("source = 'convex'"), (Some(8_000), Some(50_000)));
        assert_eq!(counts("source = 'mnist-rot'\ntest_samples = 9"), (Some(12_000), Some(9)));
        assert_eq!(counts("source = 'mnist'\ntraining_samples = 100"), (Some(100), None));
        // An older recipe, and an option over it.
        assert_eq!(counts("digits = [300, 60]"), (Some(300), Some(60)));
        assert_eq!(counts("digits = [300, 60]\ntraining_samples = 7"), (Some(7), Some(60)));
    }

    #[test]
    fn defaults_depend_on_the_data() {
        let images = complete("", &Shape::image(1, 28, 28)).unwrap();
        assert_eq!(images.model.kind(), "conv");
        for (height, width, kind) in
            [(1, 1, "dense"), (1, 2, "dense"), (2, 2, "dense"), (1, 3, "conv")]
        {
            let shape = Shape::image(1, height, width);
            let recipe = complete("", &shape).unwrap();
            assert_eq!(recipe.model.kind(), kind, "{shape}");
            assert!(recipe.model.architecture(&shape).is_ok(), "{shape}");
        }
        assert_eq!(images.objective().reconstruction, Reconstruction::CrossEntropy);
        let table = complete("", &Shape::table(6)).unwrap();
        assert_eq!((table.model.kind(), table.model.code().as_str()), ("dense", "3"));
        assert_eq!(table.data.preprocess, Method::Standardize);
        assert_eq!(table.objective().reconstruction, Reconstruction::SquaredError);
    }

    #[test]
    fn tables_get_more_steps_and_clipped_gradients() {
        let plan = |samples: usize, overrides: &str, command| {
            let overrides: Table = overrides.parse().unwrap();
            let data = Recipe::data(&overrides).unwrap();
            let recipe = Recipe::complete(&overrides, data, &Shape::table(6), samples, command);
            let recipe = recipe.unwrap();
            let schedule = recipe.schedule();
            (schedule.epochs, schedule.rate.warm_up, schedule.clip, recipe)
        };
        let (epochs, warm_up, clip, recipe) = plan(2_000, "", Command::Train);
        assert_eq!((epochs, warm_up, clip), (45, 0.5, Some(2.0))); // 1800 / 16 = 112 steps
        let ModelRecipe::Dense(model) = &recipe.model else { panic!("a dense model") };
        assert_eq!((&model.hidden[..], model.activation), (&[128][..], Activation::Silu));
        assert_eq!(model.linear_path, LinearPath::On);
        let of = |samples| {
            let (epochs, warm_up, ..) = plan(samples, "", Command::Train);
            (epochs, warm_up)
        };
        assert_eq!(of(200_000), (10, 0.5));
        assert_eq!(of(100), (300, 4.0)); // 5 steps
        assert_eq!(of(20), (1000, 20.0)); // 1 step
        let few = plan(20, "[schedule]\nepochs = 30", Command::Train);
        assert_eq!(few.1, 3.0);
        // What a run without clipping wrote has none again.
        let text = recipe.to_toml().unwrap().replace("clip = 2.0\n", "");
        assert_eq!(plan(2_000, &text, Command::Train).2, None);
        let (_, _, clip, recipe) = plan(2_000, "", Command::Pretrain);
        assert_eq!((clip, recipe.model.linear_path()), (None, LinearPath::Off));
    }

    #[test]
    fn a_linear_path_where_it_helps() {
        let path = |overrides: &str, shape: &Shape| {
            complete(overrides, shape).unwrap().model.linear_path()
        };
        let (image, table) = (Shape::image(1, 28, 28), Shape::table(6));
        for (overrides, shape) in [
            ("", &image),
            ("", &table),
            ("[model]\nkind = 'dense'", &image),
            ("[objective]\ncorruption = { masking = 0.25 }\ndropout = 0.2", &image),
            ("[model]\nlinear_path = 'on'\n[objective]\nl1 = 0.1", &image),
        ] {
            assert_eq!(path(overrides, shape), LinearPath::On, "{overrides}");
        }
        for (overrides, shape) in [
            ("[model]\nlinear_path = 'off'", &image),
            ("[model]\ncode = 'maps'", &image),
            ("[model]\ntied = true", &image),
            ("[model]\ncode = 6", &table),
            ("[model]\nhidden = []\nactivation = 'identity'", &table),
            ("[objective]\nl1 = 0.1", &table),
            ("[objective]\nkl = { weight = 1.0 }", &table),
            ("[objective]\nk_sparse = { units = 2 }", &table),
            ("[model]\nkind = 'pca'", &table),
        ] {
            assert_eq!(path(overrides, shape), LinearPath::Off, "{overrides}");
        }
    }

    #[test]
    fn small_data_sets_get_small_batches_and_many_epochs() {
        let plan = |samples: usize, overrides: &str| {
            let overrides: Table = overrides.parse().unwrap();
            let data = Recipe::data(&overrides).unwrap();
            let shape = Shape::image(1, 28, 28);
            let recipe = Recipe::complete(&overrides, data, &shape, samples, Command::Train);
            let schedule = recipe.unwrap().schedule();
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
    fn settings_that_do_not_apply_are_rejected() {
        let message = |overrides: &str| {
            complete(overrides, &Shape::image(1, 28, 28)).unwrap_err().to_string()
        };
        assert_eq!(
            message("[model]\nkind = 'dense'\nchannels = [8]"),
            "model: `channels` does not apply to a dense model, which has activation, code, \
             code_activation, hidden, kept, kind, linear_path, output, tied"
        );
        assert!(message("[schedule]\nepoch = 3").contains("unknown field `epoch`"));
        assert_eq!(
            message("[model]\nkind = 'rnn'"),
            "model: expected `conv`, `dense` or `pca`, got `rnn`"
        );
        assert!(
            message("[objective]\ncorruption = { masking = 1.5 }")
                .contains("probability: expected a number in [0, 1], got 1.5")
        );
        let deformed = complete("[objective]\ncorruption = { deform = 2 }", &Shape::table(3));
        assert_eq!(
            deformed.unwrap_err().to_string(),
            "deform: needs images, but the data is a table of 3 columns; use masking or gaussian"
        );
        let conv = complete("[model]\nkind = 'conv'", &Shape::table(3)).unwrap();
        assert_eq!(
            conv.model.architecture(&Shape::table(3)).unwrap_err().to_string(),
            "a convolutional model needs images, but the data is a table of 3 columns; use --model dense"
        );
    }
}
