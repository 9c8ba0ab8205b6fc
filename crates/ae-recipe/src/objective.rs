//! The objective section of a recipe.

use ae_models::{Decoder, Model};
use ae_train::{
    Corruption, JacobianMethod, Objective, Reconstruction, SMOOTH, SPARSE, TopKSchedule,
};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use toml::{Table, Value};

use super::is_zero;
use crate::Result;
use crate::option::{Parse, RecipeOption, group, option};
use crate::parse;
use crate::penalty::{PenaltyRecipe, penalty_options, take_penalties};

/// The objective section of a recipe. In a file, the penalties are keys of the section, by the names of
/// [`PENALTIES`](ae_train::PENALTIES); one with weight 0 is no term of the objective.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectiveRecipe {
    /// All but the penalties.
    pub settings: ObjectiveSettings,
    /// The penalties that are given, in the order in which they are added.
    pub penalties: Vec<PenaltyRecipe>,
}

/// The objective section of a recipe without its penalties.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveSettings {
    /// The loss of the reconstruction.
    #[serde(default)]
    pub reconstruction: Reconstruction,
    /// The corruption of the input.
    #[serde(default)]
    pub corruption: Corruption,
    /// Weights of the loss on corrupted and on other features.
    #[serde(rename = "emphasis", default, skip_serializing_if = "Option::is_none")]
    pub corruption_weights: Option<[f64; 2]>,
    /// Probability with which hidden units are zeroed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropout: f64,
    /// How penalties compute the norm of a Jacobian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jacobian: Option<JacobianMethod>,
    /// Top-k training.
    #[serde(rename = "k_sparse", default, skip_serializing_if = "Option::is_none")]
    pub train_top_k: Option<TopKRecipe>,
}

impl std::ops::Deref for ObjectiveRecipe {
    type Target = ObjectiveSettings;

    fn deref(&self) -> &ObjectiveSettings {
        &self.settings
    }
}

impl std::ops::DerefMut for ObjectiveRecipe {
    fn deref_mut(&mut self) -> &mut ObjectiveSettings {
        &mut self.settings
    }
}

impl Serialize for ObjectiveRecipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = Table::try_from(&self.settings).map_err(ser::Error::custom)?;
        let mut section = serializer.serialize_map(None)?;
        for (key, value) in &settings {
            section.serialize_entry(key, value)?;
        }
        for penalty in &self.penalties {
            section.serialize_entry(penalty.kind.key, penalty)?;
        }
        section.end()
    }
}

impl<'de> Deserialize<'de> for ObjectiveRecipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut section = Table::deserialize(deserializer)?;
        let penalties = take_penalties(&mut section).map_err(de::Error::custom)?;
        let settings = Value::Table(section).try_into();
        let settings =
            settings.map_err(|error: toml::de::Error| de::Error::custom(error.message()))?;
        Ok(Self { settings, penalties })
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

impl ObjectiveRecipe {
    /// The objective for a model.
    ///
    /// # Errors
    /// If a setting is out of its range.
    pub fn objective(&self) -> Result<Objective<Model>> {
        self.with(self.reconstruction, self.train_top_k.as_ref())
    }

    /// The objective of a layer of a stack. Sigmoid outputs get the cross-entropy loss, unless squared error was
    /// chosen for one. Top-k applies only to the topmost code, that of the model.
    ///
    /// # Errors
    /// If a setting is out of its range.
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
        for penalty in &self.penalties {
            // Also with weight 0: its settings have to be valid.
            let value = penalty.build(self.jacobian.unwrap_or_default())?;
            if penalty.weight != 0.0 {
                objective = objective.penalize(penalty.weight, value)?;
            }
        }
        Ok(objective)
    }

    /// The penalty with this key, if it is given.
    pub fn penalty(&self, key: &str) -> Option<&PenaltyRecipe> {
        self.penalties.iter().find(|penalty| penalty.kind.key == key)
    }

    /// The penalties that are not off.
    pub fn active_penalties(&self) -> impl Iterator<Item = &PenaltyRecipe> {
        self.penalties.iter().filter(|penalty| penalty.weight != 0.0)
    }
}

impl TopKRecipe {
    fn value(&self) -> ae_train::Result<TopKSchedule> {
        let from = self.from.unwrap_or(self.k);
        TopKSchedule::annealed(from, self.k, self.epochs.unwrap_or(0))
    }
}

/// The options of the section.
pub(crate) fn options() -> Vec<RecipeOption> {
    let top_k = option(
        "train-top-k",
        "K[:FROM[:EPOCHS]]",
        &["objective", "k_sparse"],
        Parse::By(parse::top_k),
        "Keep only the K largest units of each code in training; starts with FROM \
                 units, falling to K over EPOCHS [default: all; EPOCHS half of --epochs]",
    )
    .old(&["k-sparse"]);
    let jacobian = option(
        "jacobian",
        "HOW",
        &["objective", "jacobian"],
        Parse::By(parse::jacobian),
        "How to compute the Jacobian norm of --contract and --curvature: exact, or \
                 probes:N, an estimate from N random projections [default: exact for an \
                 encoder with one layer, else probes:1]",
    )
    .old(&["contract-by"]);
    [
        group(
            "Objective",
            vec![
                option(
                    "loss",
                    "LOSS",
                    &["objective", "reconstruction"],
                    Parse::Text,
                    "Reconstruction loss: squared-error or cross-entropy [default: \
                 cross-entropy for images with a sigmoid output, else squared-error]",
                )
                .short('l'),
                option(
                    "corrupt",
                    "NOISE",
                    &["objective", "corruption"],
                    Parse::By(parse::corruption),
                    "Corrupt the inputs; the model reconstructs the clean ones (denoising): \
                 none, masking:P, salt-and-pepper:P, gaussian:S, or deform:PIXELS, which bends images \
                 [default: none]",
                ),
                option(
                    "corruption-weights",
                    "A:B",
                    &["objective", "emphasis"],
                    Parse::By(parse::corruption_weights),
                    "Weights of the loss on corrupted and on other features, such as 1:0.5, for \
                 masking or salt-and-pepper [default: 1:1]",
                )
                .old(&["emphasis"]),
                option(
                    "dropout",
                    "P",
                    &["objective", "dropout"],
                    Parse::Number,
                    "Dropout probability of hidden units and code units [default: 0]",
                ),
            ],
        ),
        penalty_options(SPARSE),
        group(SPARSE, vec![top_k]),
        penalty_options(SMOOTH),
        group(SMOOTH, vec![jacobian]),
    ]
    .concat()
}
