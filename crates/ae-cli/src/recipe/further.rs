//! Recipes that start from another run's.

use std::path::PathBuf;

use toml::Table;

use super::applies::{check_supervised, check_terms};
use super::defaults::{fill, measure, schedule};
use super::merge::section;
use super::{DataRecipe, HeadKind, HeadRecipe, Maker, Recipe};
use crate::error::{Error, Result};

impl Recipe {
    /// The recipe of a run whose model is trained further, from the folder `from`: what was given over
    /// what was.
    pub fn further(self, given: &Table, data: DataRecipe, from: PathBuf) -> Result<Self> {
        let (mut objective, mut schedule) = (self.objective(), self.schedule());
        let head = given.get("head").map(|_| HeadRecipe::complete(given, &data)).transpose()?;
        let objective = match &head {
            Some(_) => {
                check_supervised(given)?;
                schedule.rate.peak = schedule.rate.peak.min(LABELLED_RATE);
                None
            }
            None => {
                check_terms(&objective, given)?;
                if self.command == Maker::Pretrain {
                    // It was chosen for layers.
                    objective.jacobian = None;
                }
                let mut objective = section("objective", objective, given)?;
                fill(&mut objective, self.model.layers(), &schedule);
                Some(objective)
            }
        };
        Ok(Self {
            command: Maker::Finetune,
            from: Some(from),
            data,
            model: self.model,
            objective,
            schedule: Some(section("schedule", schedule, given)?),
            measure: measure(given)?.or(self.measure).filter(|_| head.is_none()),
            head,
        })
    }

    /// The recipe of a head on the codes of a run, from the folder `from`, for so many samples.
    pub fn headed(self, given: &Table, from: PathBuf, samples: usize) -> Result<Self> {
        Ok(Self {
            command: Maker::Classify,
            from: Some(from),
            objective: None,
            schedule: Some(schedule(HEAD_RATE, samples, given)?),
            head: Some(HeadRecipe::complete(given, &self.data)?),
            measure: None,
            ..self
        })
    }
}

/// Learning rates of a whole classifier, where its autoencoder had not a lower one, and of a head alone.
const LABELLED_RATE: f64 = 1e-3;
const HEAD_RATE: f64 = 1e-2;

impl HeadRecipe {
    fn complete(given: &Table, data: &DataRecipe) -> Result<Self> {
        if let Some(class) = data.normal {
            return Err(Error::usage(format!(
                "head: expected samples of several classes to train on, got those of one alone (--normal {class}, \
                 as the run has it); train the autoencoder without --normal"
            )));
        }
        let is_svm = given.get("head").and_then(|head| head.get("kind")?.as_str()) == Some("svm");
        let (kind, weight_decay) = match is_svm {
            true => (HeadKind::Svm, 1e-3),
            false => (HeadKind::Softmax, 0.0),
        };
        section("head", Self { kind, weight_decay, label_counts: Vec::new() }, given)
    }
}
