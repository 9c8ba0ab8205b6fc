//! A training: a model and its objective before, a trained model after.

use ae_data::Samples;
use ae_models::{Decoder, Encoder, Model};
use ae_recipe::{Command, ModelRecipe, ObjectiveRecipe, Recipe};
use ae_train::{
    Data, End, EpochReport, Layerwise, Objective, Observer, Reconstruction, Schedule, Training,
    Validation,
};
use burn::tensor::Device;

use crate::new_run::NewRun;
use crate::splits::source;
use crate::{Error, Result, Splits};

/// A trained model, and how it was trained.
pub(crate) struct Outcome {
    pub model: Model,
    /// The objective, in a line.
    pub objective: String,
    /// Of the model as it began, on the validation part; none of layers.
    pub initial: Option<Validation>,
    pub epochs: Vec<EpochReport>,
    /// Epochs of each layer, where training went layer by layer.
    pub layers: Vec<Vec<EpochReport>>,
    /// The best epoch, whose weights the model has; one for each layer.
    pub best: Option<String>,
}

/// An initialized model and its objective, checked against each other.
pub(crate) enum TrainJob {
    Whole(Box<Model>, Box<Objective<Model>>),
    Layers(ae_models::Stack<Model>, Box<ObjectiveRecipe>),
    Pca { components: usize },
}

impl TrainJob {
    /// A model with random weights, drawn from the seed of the schedule.
    pub fn new(recipe: &Recipe, training: &Samples, device: &Device) -> Result<Self> {
        let architecture = recipe.model.architecture(training.shape())?;
        if let ModelRecipe::Pca(pca) = &recipe.model {
            let max = training.width().min(training.len());
            if pca.code == 0 || pca.code > max {
                return Err(Error::usage(format!(
                    "--code: expected 1 to {max} (the smaller of features and training samples), got {}",
                    pca.code
                )));
            }
            return Ok(Self::Pca { components: pca.code });
        }
        let architecture = match recipe.command {
            Command::Pretrain => {
                architecture.check()?;
                architecture.stacked()
            }
            _ => architecture,
        };
        let mut model = architecture.init(recipe.schedule().seed, device)?;
        if recipe.begins_as_pca() {
            let (pca, _) = ae_train::fit_pca(training, model.code_size(), device)?;
            model = model.with_linear_path(&pca)?;
        }
        Self::from_model(model, recipe)
    }

    /// A model with its present weights.
    pub fn from_model(model: Model, recipe: &Recipe) -> Result<Self> {
        recipe.schedule().check()?;
        let objective = recipe.objective();
        if let (Command::Pretrain, Model::Stack(stack)) = (recipe.command, &model) {
            if recipe.data.is_masked() {
                return Err(Error::usage(
                    "--missing masked: a layer is trained on the codes of the one below, which have no missing \
                     cells; take --missing mean, or `ae train`",
                ));
            }
            for (index, layer) in stack.layers().iter().enumerate() {
                layer_objective(&objective, stack.layers(), index)?.check(layer)?;
            }
            return Ok(Self::Layers(stack.clone(), Box::new(objective)));
        }
        let objective = objective.objective()?;
        let objective = if recipe.data.is_masked() { objective.of_known() } else { objective };
        objective.check(&model)?;
        Ok(Self::Whole(Box::new(model), Box::new(objective)))
    }

    /// Trains by a schedule and drops the result; of layers only the first, the widest. PCA has no steps.
    pub fn run_trial(
        self,
        samples: Samples,
        schedule: &Schedule,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let data = |is_masked| Data { training: source(&samples, is_masked), validation: None };
        match self {
            Self::Whole(model, objective) => {
                Training::new(*model, &*objective)
                    .schedule(schedule)
                    .observe(observer)
                    .fit(data(objective.is_of_known()))?;
            }
            Self::Layers(stack, objective) => {
                let objective = layer_objective(&objective, stack.layers(), 0)?;
                Training::new(stack.layers()[0].clone(), &objective)
                    .schedule(schedule)
                    .observe(observer)
                    .fit(data(false))?;
            }
            Self::Pca { .. } => {}
        }
        Ok(())
    }

    /// The model before the first step; none of layers, which are models one after the other, and of PCA.
    pub fn initial(&self) -> Option<&Model> {
        match self {
            Self::Whole(model, _) => Some(model),
            Self::Layers(..) | Self::Pca { .. } => None,
        }
    }

    /// Trains the model; `None` if it was stopped.
    pub fn run(
        self,
        recipe: &Recipe,
        splits: &Splits,
        new_run: &NewRun,
        device: &Device,
    ) -> Result<Option<Outcome>> {
        let schedule = recipe.schedule();
        let is_masked = recipe.data.is_masked();
        let data = Data {
            training: source(&splits.training, is_masked),
            validation: splits.validation.as_ref().map(|it| source(it, is_masked)),
        };
        let mut observers = new_run.observers(schedule.epochs);
        match &self {
            Self::Whole(model, _) => new_run.listener.progress(model),
            Self::Layers(stack, _) => new_run.listener.progress(stack),
            Self::Pca { .. } => {}
        }
        match self {
            Self::Pca { components } => {
                let (pca, _) = ae_train::fit_pca(&splits.training, components, device)?;
                let model = Model::Pca(pca);
                new_run.listener.progress(&model);
                let objective = "variance explained".to_owned();
                let (epochs, layers) = (Vec::new(), Vec::new());
                Ok(Some(Outcome { model, objective, initial: None, epochs, layers, best: None }))
            }
            Self::Whole(model, objective) => {
                let fitted = Training::new(*model, &*objective)
                    .schedule(&schedule)
                    .checkpoints(new_run.checkpoints.clone())
                    .observe(&mut observers)
                    .fit(&data)
                    .inspect_err(|_| new_run.remove_if_unused())?;
                match fitted.end {
                    End::Stopped => {
                        new_run.report_stop(fitted.done);
                        return Ok(None);
                    }
                    End::Patience => {
                        new_run
                            .listener
                            .progress(&"stopping early: the validation loss no longer improves");
                    }
                    End::Complete => {}
                }
                Ok(Some(Outcome {
                    model: fitted.model,
                    objective: objective.to_string(),
                    initial: fitted.initial,
                    epochs: fitted.epochs,
                    layers: Vec::new(),
                    best: fitted.best.map(|best| best.to_string()),
                }))
            }
            Self::Layers(stack, objective) => {
                let all = stack.layers().to_vec();
                let text = layer_objective(&objective, &all, 0)?.to_string();
                let objective_of = |index: usize, _: &Model| {
                    layer_objective(&objective, &all, index).map_err(Error::into_train)
                };
                let pretrained = Training::new(stack, &Layerwise(&objective_of))
                    .schedule(&schedule)
                    .checkpoints(new_run.checkpoints.clone())
                    .observe(&mut observers)
                    .fit(&data)
                    .inspect_err(|_| new_run.remove_if_unused())?;
                if pretrained.end == End::Stopped {
                    let last = pretrained.layers.last().and_then(|epochs| epochs.last());
                    new_run.report_stop(last.map_or(0, |epoch| epoch.done));
                    return Ok(None);
                }
                let text_of =
                    |best: &Option<usize>| best.map_or("last".into(), |it| it.to_string());
                let best: Vec<String> = pretrained.best.iter().map(text_of).collect();
                Ok(Some(Outcome {
                    model: Model::Stack(pretrained.stack),
                    objective: format!("{text}; layer by layer"),
                    initial: None,
                    epochs: Vec::new(),
                    layers: pretrained.layers,
                    best: Some(best.join(", ")),
                }))
            }
        }
    }
}

fn layer_objective(
    objective: &ObjectiveRecipe,
    layers: &[Model],
    index: usize,
) -> Result<Objective<Model>> {
    let is_squared_chosen = objective.reconstruction == Reconstruction::SquaredError
        && layers[0].output().is_probability();
    Ok(objective.layer_objective(index, layers.len(), is_squared_chosen, &layers[index])?)
}
