//! The penalties that recipes and command lines offer, one declaration each.

use ae_models::Model;

use crate::{Contraction, Curvature, Error, Hoyer, KlSparsity, L1, Penalty, Result, WeightDecay};

/// A penalty that recipes and command lines offer by name: `PENALTIES` has a row for each.
pub struct PenaltyKind {
    /// Its key in a recipe, such as `weight_decay`.
    pub key: &'static str,
    /// The option of its weight on a command line, such as `weight-decay`.
    pub option: &'static str,
    /// What it penalises, such as `the L1 norm of the code`.
    pub what: &'static str,
    /// More of its help: what it needs, or what it is not.
    pub note: &'static str,
    /// The group of its options in a help text.
    pub group: &'static str,
    /// Its settings other than the weight.
    pub settings: &'static [PenaltySetting],
    /// Whether a recipe has its weight as a number, and not in a section.
    pub is_number: bool,
    /// Whether it needs a code in (0, 1).
    pub needs_sigmoid: bool,
    /// Whether it depends on a [`JacobianMethod`].
    pub uses_jacobian: bool,
    /// Makes it from its settings.
    pub build: fn(&PenaltySettings<'_>) -> Result<Box<dyn Penalty<Model>>>,
}

impl std::fmt::Debug for PenaltyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PenaltyKind").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A setting of a penalty: a number.
#[derive(Debug)]
pub struct PenaltySetting {
    /// Its key in a recipe.
    pub key: &'static str,
    /// Its option on a command line: that of the penalty, and the key.
    pub option: &'static str,
    /// What the value is called in a help text.
    pub value: &'static str,
    /// Its help.
    pub help: &'static str,
    /// Its default; `None`: as if it were absent.
    pub default: Option<f64>,
    /// Whether it is a whole number.
    pub is_count: bool,
}

/// How the norm of a Jacobian is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JacobianMethod {
    /// Multiplied out.
    #[default]
    Exact,
    /// Estimated from this number of random directions.
    Probes(usize),
}

/// The settings to build a penalty with.
pub struct PenaltySettings<'a> {
    /// The values that are given, by their keys.
    pub given: &'a dyn Fn(&str) -> Option<f64>,
    /// How the norm of a Jacobian is computed.
    pub jacobian: JacobianMethod,
}

impl PenaltySettings<'_> {
    /// The value of a setting, if it is given.
    pub fn get(&self, setting: &PenaltySetting) -> Option<f64> {
        (self.given)(setting.key).or(setting.default)
    }

    /// The value of a setting with a default.
    ///
    /// # Errors
    /// If it has none, and is not given.
    pub fn number(&self, setting: &'static PenaltySetting) -> Result<f64> {
        self.get(setting).ok_or_else(|| Error::setting(setting.key, "a number", "none"))
    }
}

/// The penalties that recipes and command lines offer, in the order in which they are added.
pub const PENALTIES: [&PenaltyKind; 6] = [
    &L1::KIND,
    &Hoyer::KIND,
    &KlSparsity::KIND,
    &Contraction::KIND,
    &Curvature::KIND,
    &WeightDecay::KIND,
];

/// The group of penalties that make codes sparse.
pub const SPARSE: &str = "Objective, sparse codes";
/// The group of penalties that make encoders smooth and weights small.
pub const SMOOTH: &str = "Objective, smooth encoders and small weights";
