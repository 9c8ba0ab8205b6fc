//! A target: a measure, its published value, and criteria for a reproduced one.

use serde::Deserialize;

/// A `[[result]]` of an experiment file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What it measures, in words.
    pub name: String,
    /// `%` for a share that is shown and compared in percent.
    #[serde(default)]
    pub unit: String,
    /// An arm; for one that varies a value, the mean over its variants.
    pub arm: String,
    /// A stage of the arm; by default the last.
    #[serde(default)]
    pub stage: Option<String>,
    /// A path into the stage's `summary.json`.
    pub measure: String,
    #[serde(default)]
    pub published: Option<Published>,
    /// How reliable the published value is.
    #[serde(default)]
    pub status: Status,
    /// Page, table or section of the paper.
    #[serde(default)]
    pub page: Option<String>,
    /// Decimal places to show.
    #[serde(default = "two")]
    pub places: usize,
    #[serde(default, rename = "bar")]
    pub criteria: Criteria,
}

/// A published value, or one for each variant of an arm.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "a number such as \"1.40\", or a list of numbers for an arm that varies"
)]
pub enum Published {
    One(Printed),
    Each(Vec<Printed>),
}

/// A number as it was printed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Printed {
    pub value: f64,
    pub text: String,
}

impl TryFrom<String> for Printed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Self { value, text }),
            _ => Err(format!("expected a number such as \"1.40\", got `{text}`")),
        }
    }
}

/// How reliable a published value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Computed again, or found verbatim in more than one place.
    Checked,
    /// Found in a text that quotes the paper.
    #[default]
    Quoted,
    /// From memory of the paper.
    Recalled,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Quoted => "quoted",
            Self::Recalled => "recalled",
        }
    }
}

/// Criteria for the mean over seeds; without any it is only shown.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    #[serde(default)]
    pub at_most: Option<f64>,
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Equal to the published value, to this many decimal places.
    #[serde(default)]
    pub equal_places: Option<usize>,
    /// An error rate: at most the published value plus half the width of its 95 % confidence interval, given
    /// the number of test samples.
    #[serde(default)]
    pub error_rate: bool,
    #[serde(default)]
    pub below: Vec<Other>,
    #[serde(default)]
    pub above: Vec<Other>,
    /// For data that is easier or harder than the paper's: at most the published ratio to the value of this arm.
    #[serde(default)]
    pub ratio_to: Option<String>,
    /// Arms whose published value is higher. Ours must be higher too, if the published difference exceeds the
    /// standard deviation over seeds.
    #[serde(default)]
    pub ranks_below: Vec<String>,
}

/// The mean of a measure of another arm, times a factor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    pub arm: String,
    /// By default the same.
    #[serde(default)]
    pub stage: Option<String>,
    /// By default the same.
    #[serde(default)]
    pub measure: Option<String>,
    #[serde(default = "same")]
    pub factor: f64,
}

fn two() -> usize {
    2
}

fn same() -> f64 {
    1.0
}
