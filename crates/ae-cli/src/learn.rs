//! From a model and a recipe to what it learned.

use std::sync::Arc;

use ae_data::{Samples, Source};
use ae_models::{Decoder, Model};
use ae_train::{
    Data, End, EpochReport, Objective, Observer, Reconstruction, Schedule, fit,
    fit_with_checkpoints, pretrain_with_checkpoints,
};
use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::recipe::{Maker, ModelRecipe, ObjectiveRecipe, Recipe};
use crate::session::Prepared;
use crate::start::Start;
use crate::summary;

/// A model that has learned, and how.
pub struct Learned {
    pub model: Model,
    /// What was wanted of it, in a line.
    pub objective: String,
    pub epochs: Vec<EpochReport>,
    /// Of each layer, of one that was trained layer by layer.
    pub layers: Vec<Vec<EpochReport>>,
    /// The epoch that was kept; of layers one each.
    pub best: Option<String>,
}

/// A model that begins, checked against what is wanted of it.
pub enum Beginner {
    Whole(Box<Model>, Box<Objective<Model>>),
    Layers(ae_models::Stack<Model>, Box<ObjectiveRecipe>),
    Pca { components: usize },
}

impl Beginner {
    /// With weights drawn from the seed.
    pub fn new(recipe: &Recipe, training: &Samples, device: &Device) -> Result<Self> {
        let architecture = recipe.model.architecture(training.shape())?;
        if let ModelRecipe::Pca(pca) = &recipe.model {
            let most = training.width().min(training.len());
            if pca.code == 0 || pca.code > most {
                return Err(Error::usage(format!(
                    "code: expected 1 to {most}, as the features and the training samples allow, got {}",
                    pca.code
                )));
            }
            return Ok(Self::Pca { components: pca.code });
        }
        let architecture = match recipe.command {
            Maker::Pretrain => {
                architecture.check()?;
                architecture.stacked()
            }
            _ => architecture,
        };
        Self::with(architecture.init(recipe.schedule().seed, device)?, recipe)
    }

    /// With the weights that a model has.
    pub fn with(model: Model, recipe: &Recipe) -> Result<Self> {
        recipe.schedule().check()?;
        let objective = recipe.objective();
        if let (Maker::Pretrain, Model::Stack(stack)) = (recipe.command, &model) {
            for (index, layer) in stack.layers().iter().enumerate() {
                of_layer(&objective, stack.layers(), index)?.check(layer)?;
            }
            return Ok(Self::Layers(stack.clone(), Box::new(objective)));
        }
        let objective = objective.objective()?;
        objective.check(&model)?;
        Ok(Self::Whole(Box::new(model), Box::new(objective)))
    }

    /// Takes steps by a schedule, and forgets what it learned; of layers the first one learns, the widest.
    pub fn take_steps(
        self,
        samples: Samples,
        schedule: &Schedule,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let data = Data { training: Arc::new(samples), validation: None };
        match self {
            Self::Whole(model, objective) => {
                fit(*model, &objective, &data, schedule, observer)?;
            }
            Self::Layers(stack, objective) => {
                let objective = of_layer(&objective, stack.layers(), 0)?;
                fit(stack.layers()[0].clone(), &objective, &data, schedule, observer)?;
            }
            Self::Pca { .. } => {}
        }
        Ok(())
    }

    /// Trains it; none if it was stopped.
    pub fn learn(
        self,
        recipe: &Recipe,
        data: &Prepared,
        start: &Start,
        device: &Device,
    ) -> Result<Option<Learned>> {
        let schedule = recipe.schedule();
        let parts = Data {
            training: Arc::new(data.training.clone()),
            validation: data.validation.clone().map(|part| Arc::new(part) as Arc<dyn Source>),
        };
        let mut observers = start.observers(schedule.epochs);
        match &self {
            Self::Whole(model, _) => start.voice.say(model),
            Self::Layers(stack, _) => start.voice.say(stack),
            Self::Pca { .. } => {}
        }
        match self {
            Self::Pca { components } => {
                let (pca, _) = summary::fit_pca(&data.training, components, device)?;
                let model = Model::Pca(pca);
                start.voice.say(&model);
                let objective = "variance kept".to_owned();
                let (epochs, layers) = (Vec::new(), Vec::new());
                Ok(Some(Learned { model, objective, epochs, layers, best: None }))
            }
            Self::Whole(model, objective) => {
                let fitted = fit_with_checkpoints(
                    *model,
                    &objective,
                    &parts,
                    &schedule,
                    &start.checkpoints,
                    &mut observers,
                )
                .inspect_err(|_| start.discard_unless_started())?;
                match fitted.end {
                    End::Stopped => {
                        start.say_stopped(fitted.done);
                        return Ok(None);
                    }
                    End::Patience => {
                        start.voice.say("no better validation loss any more: training ends here");
                    }
                    End::Complete => {}
                }
                Ok(Some(Learned {
                    model: fitted.model,
                    objective: objective.to_string(),
                    epochs: fitted.epochs,
                    layers: Vec::new(),
                    best: fitted.best.map(|best| best.to_string()),
                }))
            }
            Self::Layers(stack, objective) => {
                let all = stack.layers().to_vec();
                let text = of_layer(&objective, &all, 0)?.to_string();
                let of_layer = |index: usize, _: &Model| {
                    of_layer(&objective, &all, index).map_err(|error| match error {
                        Error::Train(error) => error,
                        other => ae_train::Error::Objective(other.to_string()),
                    })
                };
                let pretrained = pretrain_with_checkpoints(
                    stack,
                    &of_layer,
                    &parts,
                    &schedule,
                    &start.checkpoints,
                    &mut observers,
                )
                .inspect_err(|_| start.discard_unless_started())?;
                if pretrained.end == End::Stopped {
                    let last = pretrained.layers.last().and_then(|epochs| epochs.last());
                    start.say_stopped(last.map_or(0, |epoch| epoch.done));
                    return Ok(None);
                }
                let best: Vec<String> = pretrained.layers.iter().map(|it| best_of(it)).collect();
                Ok(Some(Learned {
                    model: Model::Stack(pretrained.stack),
                    objective: format!("{text}; layer by layer"),
                    epochs: Vec::new(),
                    layers: pretrained.layers,
                    best: Some(best.join(", ")),
                }))
            }
        }
    }
}

fn of_layer(
    objective: &ObjectiveRecipe,
    layers: &[Model],
    index: usize,
) -> Result<Objective<Model>> {
    let is_squared_chosen = objective.reconstruction == Reconstruction::SquaredError
        && layers[0].output().is_probability();
    objective.of_layer(index, layers.len(), is_squared_chosen, &layers[index])
}

/// The epoch with the best validation.
fn best_of(epochs: &[EpochReport]) -> String {
    let mut best: Option<&EpochReport> = None;
    for epoch in epochs {
        let is_better = match (best.and_then(|best| best.validation.as_ref()), &epoch.validation) {
            (Some(best), Some(validation)) => validation.is_better_than(best),
            _ => best.is_none(),
        };
        if is_better {
            best = Some(epoch);
        }
    }
    best.map_or("last".to_owned(), |best| best.epoch.to_string())
}
