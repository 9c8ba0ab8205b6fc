//! The objective section of a recipe.

use ae_models::{Decoder, Model};
use ae_train::{
    Contraction, Corruption, Curvature, KlSparsity, L1, Objective, Reconstruction, TopKSchedule,
    WeightDecay,
};
use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::error::Result;

/// A term with weight 0 is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveRecipe {
    /// The loss of the reconstruction.
    pub reconstruction: Reconstruction,
    /// The corruption of the input.
    pub corruption: Corruption,
    /// Weights of the loss on corrupted and on other features.
    #[serde(rename = "emphasis", default, skip_serializing_if = "Option::is_none")]
    pub corruption_weights: Option<[f64; 2]>,
    /// Weight of the L1 norm of the code.
    pub l1: f64,
    /// Weight of the sum of all squared weights.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight_decay: f64,
    /// Probability with which hidden units are zeroed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropout: f64,
    /// How contraction and curvature compute the Jacobian norm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jacobian: Option<JacobianRecipe>,
    /// Kullback-Leibler sparsity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kl: Option<KlRecipe>,
    /// Top-k training.
    #[serde(rename = "k_sparse", default, skip_serializing_if = "Option::is_none")]
    pub train_top_k: Option<TopKRecipe>,
    /// The contractive penalty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contraction: Option<ContractionRecipe>,
    /// The curvature penalty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curvature: Option<CurvatureRecipe>,
}

/// [`KlSparsity`] with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlRecipe {
    /// The weight of the term.
    pub weight: f64,
    /// The target mean activation of a unit.
    #[serde(default = "KlRecipe::target")]
    pub target: f64,
    /// Decay of the running mean; `None`: the mean of each batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
}

impl KlRecipe {
    fn target() -> f64 {
        0.05
    }
}

/// Units of a code that are not set to 0 in training: the number falls from `from` to `k` over `epochs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopKRecipe {
    /// Units at the end.
    #[serde(rename = "units")]
    pub k: usize,
    /// Units at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<usize>,
    /// Epochs of the fall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
}

/// [`Contraction`] with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractionRecipe {
    /// The weight of the term.
    pub weight: f64,
}

/// [`Curvature`] with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvatureRecipe {
    /// The weight of the term.
    pub weight: f64,
    /// Standard deviation of the noise.
    #[serde(default = "CurvatureRecipe::noise")]
    pub noise: f64,
    /// Draws of the noise.
    #[serde(default = "CurvatureRecipe::draws")]
    pub draws: usize,
}

impl CurvatureRecipe {
    fn noise() -> f64 {
        0.1
    }

    fn draws() -> usize {
        1
    }
}

/// How the norm of a Jacobian is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JacobianRecipe {
    /// Multiplied out.
    Exact,
    /// Estimated by so many random directions.
    Probes(usize),
}

impl ObjectiveRecipe {
    /// The objective for a model.
    pub fn objective(&self) -> Result<Objective<Model>> {
        self.with(self.reconstruction, self.train_top_k.as_ref())
    }

    /// The objective of a layer of a stack. Sigmoid outputs get the cross-entropy loss, unless squared error was
    /// chosen for one. Top-k applies only to the topmost code, that of the model.
    pub fn layer_objective(
        &self,
        index: usize,
        layers: usize,
        is_squared_chosen: bool,
        layer: &Model,
    ) -> Result<Objective<Model>> {
        let reconstruction = match layer.output().is_probability() && !is_squared_chosen {
            _ if index == 0 => self.reconstruction,
            true => Reconstruction::CrossEntropy,
            false => Reconstruction::SquaredError,
        };
        let is_top = index + 1 == layers;
        self.with(reconstruction, self.train_top_k.as_ref().filter(|_| is_top))
    }

    fn with(
        &self,
        reconstruction: Reconstruction,
        top_k: Option<&TopKRecipe>,
    ) -> Result<Objective<Model>> {
        let mut objective = Objective::new(reconstruction).corrupt(self.corruption);
        if let Some([corrupted, rest]) = self.corruption_weights {
            objective = objective.emphasize(corrupted, rest)?;
        }
        if let Some(top_k) = top_k {
            objective = objective.train_top_k(top_k.value()?);
        }
        if self.dropout != 0.0 {
            objective = objective.dropout(self.dropout)?;
        }
        if self.l1 != 0.0 {
            objective = objective.penalize(self.l1, L1)?;
        }
        if let Some(KlRecipe { weight, target, decay }) = self.kl {
            let sparsity = match decay {
                Some(decay) => KlSparsity::running(target, decay)?,
                None => KlSparsity::toward(target)?,
            };
            if weight != 0.0 {
                objective = objective.penalize(weight, sparsity)?;
            }
        }
        let jacobian = self.jacobian.unwrap_or(JacobianRecipe::Exact);
        if let Some(ContractionRecipe { weight }) = self.contraction {
            let contraction = match jacobian {
                JacobianRecipe::Exact => Contraction::exact(),
                JacobianRecipe::Probes(count) => Contraction::probes(count)?,
            };
            if weight != 0.0 {
                objective = objective.penalize(weight, contraction)?;
            }
        }
        if let Some(CurvatureRecipe { weight, noise, draws }) = self.curvature {
            let curvature = match jacobian {
                JacobianRecipe::Exact => Curvature::exact(noise, draws)?,
                JacobianRecipe::Probes(count) => Curvature::probes(noise, draws, count)?,
            };
            if weight != 0.0 {
                objective = objective.penalize(weight, curvature)?;
            }
        }
        if self.weight_decay != 0.0 {
            objective = objective.penalize(self.weight_decay, WeightDecay)?;
        }
        Ok(objective)
    }

    /// The penalties with their weights, in words.
    pub fn penalties(&self) -> Vec<(f64, &'static str)> {
        let weight = |weight: Option<f64>| weight.unwrap_or(0.0);
        let all = [
            (self.l1, "the L1 norm of the code"),
            (weight(self.kl.as_ref().map(|it| it.weight)), "the divergence of mean activations"),
            (
                weight(self.contraction.as_ref().map(|it| it.weight)),
                "the squared norm of the Jacobian",
            ),
            (
                weight(self.curvature.as_ref().map(|it| it.weight)),
                "the squared change of the Jacobian",
            ),
            (self.weight_decay, "the sum of squared weights"),
        ];
        all.into_iter().filter(|(weight, _)| *weight != 0.0).collect()
    }
}

impl TopKRecipe {
    fn value(&self) -> ae_train::Result<TopKSchedule> {
        let from = self.from.unwrap_or(self.k);
        TopKSchedule::annealed(from, self.k, self.epochs.unwrap_or(0))
    }
}
