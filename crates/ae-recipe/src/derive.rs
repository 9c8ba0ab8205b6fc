//! Recipes derived from that of another run.

use std::path::PathBuf;

use toml::Table;

use super::defaults::{Pace, fill_in, measure, schedule};
use super::deformation;
use super::merge::section;
use super::validate::{check_supervised, check_terms};
use super::{Command, DataRecipe, HeadKind, HeadRecipe, ModelRecipe, Recipe};
use crate::error::{Error, Result};

impl Recipe {
    /// The recipe of fine-tuning the run in the folder `from`: `overrides` over its own recipe.
    pub fn for_finetuning(
        self,
        overrides: &Table,
        data: DataRecipe,
        from: PathBuf,
    ) -> Result<Self> {
        if let ModelRecipe::Pca(_) = self.model {
            return Err(Error::usage(format!(
                "{}: fine-tuning needs a model that is trained in steps, and PCA is not; train a linear \
                 model with ae train --model dense --hidden none --output identity, or put a head on the \
                 components with ae classify",
                from.display()
            )));
        }
        let overrides = &deformation::of_run(overrides, self.test_corruption())?;
        let (mut objective, mut schedule) = (self.objective(), self.schedule());
        let head =
            overrides.get("head").map(|_| HeadRecipe::complete(overrides, &data)).transpose()?;
        let objective = match &head {
            Some(_) => {
                check_supervised(overrides)?;
                schedule.rate.peak = schedule.rate.peak.min(LABELLED_RATE);
                None
            }
            None => {
                check_terms(&objective, overrides)?;
                if self.command == Command::Pretrain {
                    // The default was chosen for single layers.
                    objective.jacobian = None;
                }
                let mut objective = section("objective", objective, overrides)?;
                fill_in(&mut objective, self.model.layers(), &schedule);
                Some(objective)
            }
        };
        Ok(Self {
            command: Command::Finetune,
            from: Some(from),
            data,
            model: self.model,
            objective,
            schedule: Some(section("schedule", schedule, overrides)?),
            measure: measure(overrides)?.or(self.measure).filter(|_| head.is_none()),
            head,
        })
    }

    /// The recipe of a head on the codes of the run in the folder `from`, for `samples` samples.
    pub fn with_head(self, overrides: &Table, from: PathBuf, samples: usize) -> Result<Self> {
        Ok(Self {
            command: Command::Classify,
            from: Some(from),
            objective: None,
            schedule: Some(schedule(
                Pace { peak: HEAD_RATE, ..Pace::default() },
                samples,
                overrides,
            )?),
            head: Some(HeadRecipe::complete(overrides, &self.data)?),
            measure: None,
            ..self
        })
    }
}

/// The highest default learning rate of a whole classifier.
const LABELLED_RATE: f64 = 1e-3;
/// The default learning rate of a head.
const HEAD_RATE: f64 = 1e-2;

impl HeadRecipe {
    fn complete(overrides: &Table, data: &DataRecipe) -> Result<Self> {
        if let Some(class) = &data.normal {
            return Err(Error::usage(format!(
                "a head needs training samples of several classes, but the run was trained on one (--one-class \
                 {class}); train the autoencoder without --one-class"
            )));
        }
        let is_svm =
            overrides.get("head").and_then(|head| head.get("kind")?.as_str()) == Some("svm");
        let (kind, weight_decay) = match is_svm {
            true => (HeadKind::Svm, 1e-3),
            false => (HeadKind::Softmax, 0.0),
        };
        section("head", Self { kind, weight_decay, label_counts: Vec::new() }, overrides)
    }
}
