//! What is expected of an experiment: a measure, what was published of it, and how near is near enough.

use serde::Deserialize;

/// A result as a recipe tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// In words.
    pub name: String,
    /// `%`: the measure is a share, shown and compared in percent.
    #[serde(default)]
    pub unit: String,
    /// An arm; of one that varies, the mean over its values.
    pub arm: String,
    /// Of the arm; else its last.
    #[serde(default)]
    pub stage: Option<String>,
    /// A path into the stage's `summary.json`.
    pub measure: String,
    #[serde(default)]
    pub published: Option<Published>,
    /// How well the published value is known.
    #[serde(default)]
    pub status: Status,
    /// Page, table or section of the paper.
    #[serde(default)]
    pub page: Option<String>,
    /// Places after the point that are shown.
    #[serde(default = "two")]
    pub places: usize,
    #[serde(default)]
    pub bar: Bars,
}

/// Published values: one, or, for an arm that varies, one for each of its values.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "a number such as \"1.40\", or for an arm that varies a list of them"
)]
pub enum Published {
    One(Printed),
    Each(Vec<Printed>),
}

/// A number with the digits it was printed with.
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

/// How a published value is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Computed again, or read verbatim in more than one place.
    Checked,
    /// Read in a text that quotes the paper.
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

/// What the mean over seeds must keep to; nothing: it is shown.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bars {
    #[serde(default)]
    pub at_most: Option<f64>,
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Equal to what was published, to so many places after the point.
    #[serde(default)]
    pub equal_places: Option<usize>,
    /// A share of test samples that are wrong: at most what was published and half the width of the 95 %
    /// interval of a share of so many samples.
    #[serde(default)]
    pub error_rate: bool,
    #[serde(default)]
    pub below: Vec<Other>,
    #[serde(default)]
    pub above: Vec<Other>,
    /// An arm that was published too, of data that is not as hard as that of the paper: at most the published
    /// share of its value.
    #[serde(default)]
    pub ratio_to: Option<String>,
    /// Arms that were published to have a higher value, and whose value must be higher wherever the
    /// published difference is more than the spread over seeds.
    #[serde(default)]
    pub ranks_below: Vec<String>,
}

/// The mean of a measure of another arm, times a factor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    pub arm: String,
    /// Else the same.
    #[serde(default)]
    pub stage: Option<String>,
    /// Else the same.
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
