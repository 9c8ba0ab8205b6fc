//! Whether what was measured keeps to what is expected.

use super::edition::Edition;
use super::expected::{Expected, Other, Published};
use super::record::Record;
use crate::error::{Error, Result};

/// A measure over seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(pub Vec<f64>);

impl Values {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation of the sample; of one nothing is known.
    pub fn spread(&self) -> Option<f64> {
        let (n, mean) = (self.0.len(), self.mean());
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        (n > 1).then(|| (squares / (n - 1) as f64).sqrt())
    }

    /// `2.74 ± 0.03`
    pub fn in_text(&self, places: usize) -> String {
        match self.spread() {
            Some(spread) => format!("{:.places$} ± {spread:.places$}", self.mean()),
            None => format!("{:.places$}", self.mean()),
        }
    }
}

/// The spread of two measures together: the root of the mean of their variances.
fn pooled(a: &Values, b: &Values) -> f64 {
    let squares: Vec<f64> =
        [a, b].into_iter().filter_map(Values::spread).map(|spread| spread * spread).collect();
    if squares.is_empty() {
        0.0
    } else {
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Better than what was published.
    Beaten,
    Met,
    Missed,
    /// There is no bar.
    Shown,
    /// Nothing is recorded yet.
    Open,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Beaten => "beaten",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Shown => "shown",
            Self::Open => "not yet run",
        }
    }
}

/// A result that is expected, and what came of it.
pub struct Judged<'a> {
    pub expected: &'a Expected,
    /// None: no seed is done.
    pub values: Option<Values>,
    pub verdict: Verdict,
    /// Its bars in words, each with what it says.
    pub bars: Vec<(bool, String)>,
}

/// Every result of an edition, by the records of its seeds.
pub fn judge<'a>(edition: &'a Edition, records: &[&Record]) -> Result<Vec<Judged<'a>>> {
    let judge = Judge { edition, records };
    edition.results.iter().map(|expected| judge.one(expected)).collect()
}

struct Judge<'a> {
    edition: &'a Edition,
    records: &'a [&'a Record],
}

impl Judge<'_> {
    fn one<'b>(&self, expected: &'b Expected) -> Result<Judged<'b>> {
        let values =
            self.values(expected, &expected.arm, expected.stage.as_ref(), &expected.measure)?;
        let Some(values) = values else {
            let verdict = Verdict::Open;
            return Ok(Judged { expected, values: None, verdict, bars: Vec::new() });
        };
        let Some(bars) = self.bars(expected, &values)? else {
            let verdict = Verdict::Open;
            return Ok(Judged { expected, values: Some(values), verdict, bars: Vec::new() });
        };
        let verdict = match bars.iter().all(|(is_kept, _)| *is_kept) {
            _ if bars.is_empty() => Verdict::Shown,
            false => Verdict::Missed,
            true if expected.is_better(values.mean()) => Verdict::Beaten,
            true => Verdict::Met,
        };
        Ok(Judged { expected, values: Some(values), verdict, bars })
    }

    /// Each bar in words, and whether it is kept; none if another arm is needed that is not done.
    fn bars(&self, expected: &Expected, values: &Values) -> Result<Option<Vec<(bool, String)>>> {
        let (bar, mean, places) = (&expected.bar, values.mean(), expected.places);
        let mut bars = Vec::new();
        if let Some(most) = bar.at_most {
            bars.push((mean <= most, format!("at most {most}")));
        }
        if let Some(least) = bar.at_least {
            bars.push((mean >= least, format!("at least {least}")));
        }
        if let (Some(places), Some(published)) = (bar.equal_places, expected.published()) {
            let is_equal = format!("{mean:.places$}") == format!("{published:.places$}");
            bars.push((is_equal, format!("equal to {places} places")));
        }
        if let (true, Some(published)) = (bar.error_rate, expected.published()) {
            let Some(samples) = self.samples(expected)? else { return Ok(None) };
            let share = published / expected.scale();
            let half = 1.96 * (share * (1.0 - share) / samples).sqrt() * expected.scale();
            let most = published + half;
            let text = format!("at most {published:.places$} + {half:.places$}");
            bars.push((mean <= most, text));
        }
        for (others, is_below) in [(&bar.below, true), (&bar.above, false)] {
            for other in others {
                let Some(its) = self.other(expected, other)? else { return Ok(None) };
                let limit = other.factor * its.mean();
                let is_kept = if is_below { mean < limit } else { mean > limit };
                bars.push((is_kept, compared(expected, other, values, &its, is_below)));
            }
        }
        for arm in &bar.ranks_below {
            let its = self.values(expected, arm, expected.stage.as_ref(), &expected.measure)?;
            let Some(its) = its else { return Ok(None) };
            let spread = pooled(values, &its);
            let gap = self.published(expected, arm)? - expected.published().unwrap_or(f64::NAN);
            let text = format!("below {arm}, {}", its.in_text(places));
            bars.push(match gap > spread {
                true => (mean < its.mean(), text),
                false => {
                    (true, format!("{text}: not judged, the spread being larger than the gap"))
                }
            });
        }
        Ok(Some(bars))
    }

    fn other(&self, expected: &Expected, other: &Other) -> Result<Option<Values>> {
        let measure = other.measure.as_ref().unwrap_or(&expected.measure);
        let stage = other.stage.as_ref().or(expected.stage.as_ref());
        self.values(expected, &other.arm, stage, measure)
    }

    /// What was published of the same measure of another arm.
    fn published(&self, expected: &Expected, arm: &str) -> Result<f64> {
        let is_it = |it: &&Expected| {
            it.arm == arm && it.measure == expected.measure && it.stage == expected.stage
        };
        let published = self.edition.results.iter().find(is_it).and_then(Expected::published);
        published.ok_or_else(|| {
            Error::usage(format!(
                "result `{}`: ranks_below: expected a published value of {arm} too, got none",
                expected.name
            ))
        })
    }

    /// Test samples.
    fn samples(&self, expected: &Expected) -> Result<Option<f64>> {
        let it = Expected { unit: String::new(), ..expected.clone() };
        let values = self.values(&it, &it.arm, it.stage.as_ref(), "test.samples")?;
        Ok(values.map(|values| values.mean()))
    }

    /// A measure by seed, averaged over the arms of a family: of the seeds that all of them have.
    fn values(
        &self,
        expected: &Expected,
        arm: &str,
        stage: Option<&String>,
        measure: &str,
    ) -> Result<Option<Values>> {
        let family = self.edition.family(arm);
        let mut seeds: Vec<u64> = self.records.iter().map(|record| record.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut values = Vec::new();
        for seed in seeds {
            let its: Vec<&&Record> = family
                .iter()
                .filter_map(|way| {
                    self.records.iter().find(|it| it.seed == seed && it.arm == way.name)
                })
                .collect();
            if its.len() < family.len() {
                continue;
            }
            let all = its.iter().map(|record| measured(record, stage, measure));
            let all = all.collect::<Result<Vec<f64>>>()?;
            values.push(expected.scale() * all.iter().sum::<f64>() / all.len() as f64);
        }
        Ok((!values.is_empty()).then_some(Values(values)))
    }
}

fn compared(
    expected: &Expected,
    other: &Other,
    values: &Values,
    its: &Values,
    is_below: bool,
) -> String {
    let places = expected.places;
    let mut text = if is_below { "below ".to_owned() } else { "above ".to_owned() };
    if other.factor != 1.0 {
        text += &format!("{} times ", other.factor);
    }
    if let Some(measure) = &other.measure {
        text += &format!("{measure} of ");
    }
    text += &format!("{}, {}", other.arm, its.in_text(places));
    if values.0.len() > 1 {
        text += &format!(" (pooled spread {:.places$})", pooled(values, its));
    }
    text
}

fn measured(record: &Record, stage: Option<&String>, measure: &str) -> Result<f64> {
    let found = match stage {
        Some(name) => record.stages.iter().find(|it| it.name == *name),
        None => record.stages.last(),
    };
    let Some(found) = found else {
        return Err(Error::usage(format!(
            "arm {}: expected a stage `{}`, which its record has not",
            record.arm,
            stage.map_or("", String::as_str)
        )));
    };
    found.measures.get(measure).copied().ok_or_else(|| {
        let known: Vec<&str> = found.measures.keys().map(String::as_str).collect();
        Error::usage(format!(
            "arm {}, stage {}: expected one of the measures {}, got `{measure}`",
            record.arm,
            found.name,
            known.join(", ")
        ))
    })
}

impl Expected {
    /// What a measure is multiplied by.
    fn scale(&self) -> f64 {
        if self.unit == "%" { 100.0 } else { 1.0 }
    }

    pub fn published(&self) -> Option<f64> {
        match self.published {
            Some(Published::One(value)) => Some(value),
            _ => None,
        }
    }

    /// Whether it is better than what was published, in the direction that its bars say.
    fn is_better(&self, mean: f64) -> bool {
        let Some(published) = self.published() else { return false };
        let bar = &self.bar;
        let is_low_good = bar.at_most.is_some()
            || bar.error_rate
            || !bar.below.is_empty()
            || !bar.ranks_below.is_empty();
        match bar {
            _ if bar.equal_places.is_some() => false,
            _ if is_low_good => mean < published,
            _ => mean > published,
        }
    }
}
