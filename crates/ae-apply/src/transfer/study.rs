//! Candidates, the choice among them, and what the chosen one predicts.

use std::time::Instant;

use burn::tensor::Tensor;
use chacha20::ChaCha8Rng;
use rand::{SeedableRng, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use super::features::{Features, Training, Validated, deal, largest};
use super::logistic::Logistic;
use super::{Domains, MarginalizedDenoiser, Method, Settings, coral};
use crate::Result;

/// Features and a cost that were tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The probability of corruption, of msda.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corruption: Option<f64>,
    /// The layers, of msda.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub layers: Option<usize>,
    /// The cost of errors that cross-validation on the source chose.
    pub cost: f64,
    /// The accuracy of cross-validation on the source, in \[0, 1\].
    pub source_accuracy: f64,
    /// The loss of cross-validation on the source, in nats per sample.
    pub source_loss: f64,
    /// The accuracy on the samples that are predicted, if they have labels: no choice depends on it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target_accuracy: Option<f64>,
}

/// The predicted class of each sample, and its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Indices of [`Transfer::classes`].
    pub classes: Vec<u32>,
    /// In \[0, 1\].
    pub probabilities: Vec<f64>,
}

/// A classifier that was transferred.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// How.
    pub method: Method,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// What was tried, in this order.
    pub candidates: Vec<Candidate>,
    /// The index of the chosen one.
    pub chosen: usize,
    /// The index of the one that the labels of the target would choose, if there are labels: what papers report that
    /// choose so, and what nobody can have who has no labels.
    pub by_target_labels: Option<usize>,
    /// What the chosen one predicts.
    pub predictions: Predictions,
    /// How long it took.
    pub seconds: f64,
}

impl Transfer {
    /// Tries the candidates of the method, chooses one without labels of the target, and predicts.
    ///
    /// # Errors
    /// If a setting is out of its range, or the method refuses the samples.
    pub fn fit(settings: &Settings, domains: &Domains) -> Result<Self> {
        Self::fit_observed(settings, domains, &mut |_| ())
    }

    /// As [`fit`](Self::fit), and calls `observer` with each candidate that was tried.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_observed(
        settings: &Settings,
        domains: &Domains,
        observer: &mut dyn FnMut(&Candidate),
    ) -> Result<Self> {
        settings.check()?;
        let began = Instant::now();
        let mut study = Study::new(settings, domains, observer);
        match settings.method {
            Method::None => study.plain(&domains.source)?,
            Method::Coral => study.plain(&coral(&domains.source, &domains.target)?)?,
            Method::Msda => study.stacks()?,
        }
        let by = |score: fn(&Candidate) -> f64| {
            let mut best = 0;
            for (at, candidate) in study.candidates.iter().enumerate() {
                if score(candidate) > score(&study.candidates[best]) {
                    best = at;
                }
            }
            best
        };
        let by_target_labels =
            domains.truth.as_ref().map(|_| by(|it| it.target_accuracy.unwrap_or(0.0)));
        let chosen = by(choice);
        Ok(Self {
            method: settings.method,
            classes: domains.classes.clone(),
            chosen,
            by_target_labels,
            predictions: study.predictions.swap_remove(chosen),
            candidates: study.candidates,
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// The chosen candidate.
    pub fn chosen(&self) -> &Candidate {
        &self.candidates[self.chosen]
    }
}

/// What the choice goes by: the larger, the better. The loss says more than the accuracy, of which two candidates
/// differ by a few of 2,000 reviews.
fn choice(candidate: &Candidate) -> f64 {
    -candidate.source_loss
}

struct Study<'a> {
    settings: &'a Settings,
    domains: &'a Domains,
    observer: &'a mut dyn FnMut(&Candidate),
    fold_of: Vec<usize>,
    candidates: Vec<Candidate>,
    predictions: Vec<Predictions>,
}

impl<'a> Study<'a> {
    fn new(
        settings: &'a Settings,
        domains: &'a Domains,
        observer: &'a mut dyn FnMut(&Candidate),
    ) -> Self {
        let mut order: Vec<usize> = (0..domains.labels.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(settings.seed));
        let fold_of = deal(&domains.labels, &order, settings.folds);
        Self { settings, domains, observer, fold_of, candidates: vec![], predictions: vec![] }
    }

    /// Features of the source, and those of the target as they are.
    fn plain(&mut self, source: &Tensor<2>) -> Result<()> {
        let features = Features::new(source, self.domains.scored())?;
        self.candidate(&features, None)
    }

    /// Each number of layers of each corruption.
    fn stacks(&mut self) -> Result<()> {
        let Domains { source, target, test, .. } = self.domains;
        let first = Features::new(source, self.domains.scored())?;
        let sources = source.dims()[0];
        for corruption in &self.settings.corruptions {
            let mut features = first.clone();
            let mut both = Tensor::cat(vec![source.clone(), target.clone()], 0);
            let mut test = test.clone();
            let most = self.settings.layers.last().copied().unwrap_or(0);
            for layer in 1..=most {
                let denoiser = MarginalizedDenoiser::fit(&both, *corruption)?;
                both = denoiser.encode(both);
                test = test.map(|test| denoiser.encode(test));
                let [rows, width] = both.dims();
                let source = both.clone().slice([0..sources, 0..width]);
                let scored = match &test {
                    Some(test) => test.clone(),
                    None => both.clone().slice([sources..rows, 0..width]),
                };
                features.add(&source, &scored)?;
                if self.settings.layers.contains(&layer) {
                    self.candidate(&features, Some((*corruption, layer)))?;
                }
            }
        }
        Ok(())
    }

    fn candidate(&mut self, features: &Features, stack: Option<(f64, usize)>) -> Result<()> {
        let (labels, count) = (&self.domains.labels, self.domains.classes.len());
        let training = features.training(&self.domains.source)?;
        let best = self.best_cost(&training);
        let fit = Logistic::fit(&training.rows, labels, count, best.cost, None);
        let probabilities = features.predict(&training, &fit)?;
        let predictions = predictions(&probabilities, count);
        let share = |predicted: &[u32], truth: &[u32]| {
            let right = predicted.iter().zip(truth).filter(|(a, b)| a == b).count();
            right as f64 / truth.len().max(1) as f64
        };
        let candidate = Candidate {
            corruption: stack.map(|(corruption, _)| corruption),
            layers: stack.map(|(_, layers)| layers),
            cost: best.cost,
            source_accuracy: best.accuracy,
            source_loss: best.loss,
            target_accuracy: self.domains.truth.as_ref().map(|it| share(&predictions.classes, it)),
        };
        (self.observer)(&candidate);
        self.candidates.push(candidate);
        self.predictions.push(predictions);
        Ok(())
    }

    /// The smallest cost whose loss on held out rows of the source is within one standard error of the least (Breiman et
    /// al. 1984, "Classification and regression trees", section 3.4.3): the source cannot tell them apart, and the
    /// smaller one follows the source less closely.
    fn best_cost(&self, training: &Training) -> Validated {
        let (labels, count) = (&self.domains.labels, self.domains.classes.len());
        let Settings { costs, folds, .. } = self.settings;
        let all = training.validate(labels, count, costs, &self.fold_of, *folds);
        let mut best = all[0];
        for it in &all {
            if it.loss < best.loss {
                best = *it;
            }
        }
        let bound = best.loss + best.error;
        all.into_iter().find(|it| it.loss <= bound).unwrap_or(best)
    }
}

/// The most probable class of each row, and how probable it is.
fn predictions(probabilities: &[f64], count: usize) -> Predictions {
    let rows = probabilities.chunks_exact(count).map(|row| {
        let class = largest(row);
        (class as u32, row[class])
    });
    let (classes, probabilities) = rows.unzip();
    Predictions { classes, probabilities }
}
