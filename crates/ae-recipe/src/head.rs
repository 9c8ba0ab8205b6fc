//! The head section of a recipe.

use ae_train::{HeadLoss, Supervised};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::option::{Parse, RecipeOption, group, option};

/// The head of a classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadRecipe {
    /// Its kind.
    pub kind: HeadKind,
    /// The weight of half its squared weights.
    pub weight_decay: f64,
    /// Numbers of labels for the label-efficiency curve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_counts: Vec<usize>,
}

/// The kind of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// Logistic regression.
    #[default]
    Softmax,
    /// A linear support vector machine, with the squared hinge loss.
    Svm,
}

impl HeadKind {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Svm => "svm",
        }
    }
}

impl HeadRecipe {
    /// The loss of training with it.
    ///
    /// # Errors
    /// If the weight decay is negative.
    pub fn supervised(&self) -> Result<Supervised> {
        let loss = match self.kind {
            HeadKind::Softmax => HeadLoss::Softmax,
            HeadKind::Svm => HeadLoss::SquaredHinge,
        };
        Ok(Supervised::new(loss, self.weight_decay)?)
    }
}

/// The options of the section.
pub(crate) fn options() -> Vec<RecipeOption> {
    group(
        "Head",
        vec![
            option(
                "head",
                "KIND",
                &["head", "kind"],
                Parse::Text,
                "Train a classifier with this head on the code: softmax (logistic \
                 regression) or svm (squared hinge)",
            ),
            option(
                "head-decay",
                "WEIGHT",
                &["head", "weight_decay"],
                Parse::Number,
                "Weight decay of the head: the weight of half its squared weights [default: \
                 softmax 0, svm 0.001]",
            ),
        ],
    )
}

/// The option of the label-efficiency curve.
pub(crate) fn counts_option() -> RecipeOption {
    RecipeOption {
        requires: Some("head"),
        ..option(
            "label-counts",
            "N,N,..",
            &["head", "label_counts"],
            Parse::Counts,
            "Also train on only this many labels, from the pretrained encoder and from \
                 scratch, and plot both",
        )
    }
}
