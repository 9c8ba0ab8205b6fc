//! Whether what was measured keeps to what is expected.

use super::edition::Edition;
use super::expected::{Expected, Other, Published};
use super::measures::Measures;
use super::record::Record;
use super::values::{Values, pooled};
use crate::error::{Error, Result};

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
    let judge = Judge { edition, measures: Measures { edition, records } };
    edition.results.iter().map(|expected| judge.one(expected)).collect()
}

struct Judge<'a> {
    edition: &'a Edition,
    measures: Measures<'a>,
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
            let bars = vec![(true, "what it is held against".to_owned())];
            return Ok(Judged { expected, values: Some(values), verdict: Verdict::Open, bars });
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
        if let Some(arm) = &bar.ratio_to {
            let its = self.values(expected, arm, expected.stage.as_ref(), &expected.measure)?;
            let Some(its) = its else { return Ok(None) };
            let published = expected.published().unwrap_or(f64::NAN);
            let ratio = published / self.published(expected, arm)?;
            let text = format!("at most {ratio:.3} times {arm}, {}", its.in_text(places));
            bars.push((mean <= ratio * its.mean(), text));
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

    /// A measure in the unit in which it is shown.
    fn values(
        &self,
        expected: &Expected,
        arm: &str,
        stage: Option<&String>,
        measure: &str,
    ) -> Result<Option<Values>> {
        let values = self.measures.of(arm, stage, measure)?;
        Ok(values.map(|Values(values)| {
            Values(values.into_iter().map(|value| expected.scale() * value).collect())
        }))
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
                "result `{}`: expected a published value of {arm} too, which it is held against, got none",
                expected.name
            ))
        })
    }

    /// Test samples.
    fn samples(&self, expected: &Expected) -> Result<Option<f64>> {
        let values = self.measures.of(&expected.arm, expected.stage.as_ref(), "test.samples")?;
        Ok(values.map(|values| values.mean()))
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

impl Expected {
    /// What a measure is multiplied by.
    fn scale(&self) -> f64 {
        if self.unit == "%" { 100.0 } else { 1.0 }
    }

    /// What was published, if one value was.
    pub fn published(&self) -> Option<f64> {
        match &self.published {
            Some(Published::One(printed)) => Some(printed.value),
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
            // Of other data, what was published is no value to be better than.
            _ if bar.equal_places.is_some() || bar.ratio_to.is_some() => false,
            _ if is_low_good => mean < published,
            _ => mean > published,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::experiment::Experiment;
    use crate::reproduce::record::StageRecord;

    /// Arms a, b-1 and b-2 with one stage; `result` is the only one that is expected.
    fn edition(result: &str) -> Edition {
        let text = format!(
            "title = 't'\npaper = 'p'\nabout = 'a'\nsearched = 's'\nminutes = 1
            [[arm]]\nname = 'a'\n[[arm.stage]]\ncommand = 'train'
            [[arm]]\nname = 'b'\nvary = {{ 'model.code' = [1, 2] }}
            [[arm.stage]]\ncommand = 'train'
            {result}
            [[quick.result]]\nname = 'q'\narm = 'a'\nmeasure = 'm'"
        );
        Experiment::parse("it", &text).unwrap().edition(false, None).unwrap()
    }

    fn record(arm: &str, seed: u64, value: f64) -> Record {
        let measures = [("m", value), ("test.samples", 10_000.0)];
        let measures = measures.map(|(name, value)| (name.to_owned(), value)).into();
        Record {
            experiment: "it".into(),
            quick: false,
            arm: arm.into(),
            seed,
            recipe: String::new(),
            stages: vec![StageRecord { name: "train".into(), of: None, seconds: 1.0, measures }],
            seconds: 1.0,
            device: String::new(),
            processor: String::new(),
            program: String::new(),
            commit: None,
            date: String::new(),
        }
    }

    fn verdict(result: &str, records: &[Record]) -> (Verdict, String) {
        let result = format!("[[result]]\nname = 'r'\nmeasure = 'm'\n{result}");
        let edition = edition(&result);
        let records: Vec<&Record> = records.iter().collect();
        let judged = judge(&edition, &records).unwrap();
        let bars: Vec<&str> = judged[0].bars.iter().map(|(_, text)| text.as_str()).collect();
        (judged[0].verdict, bars.join("; "))
    }

    /// Published 1.28 % of 10,000: half the interval is 1.96 sqrt(0.0128 * 0.9872 / 10000) = 0.220 points.
    #[test]
    fn an_error_rate_is_met_within_the_interval_and_beaten_below_what_was_published() {
        let judged = |wrong: f64| {
            let result = "arm = 'a'\nunit = '%'\npublished = '1.28'\nbar.error_rate = true";
            verdict(result, &[record("a", 0, wrong)])
        };
        assert_eq!(judged(0.0127).0, Verdict::Beaten);
        assert_eq!(judged(0.0128).0, Verdict::Met);
        assert_eq!(judged(0.01499).0, Verdict::Met);
        assert_eq!(judged(0.01501), (Verdict::Missed, "at most 1.28 + 0.22".into()));
    }

    #[test]
    fn bounds_are_for_the_mean() {
        let seeds = [record("a", 0, 2.0), record("a", 1, 4.0)];
        for (bar, expected) in [
            ("bar.at_most = 3.0", Verdict::Met),
            ("bar.at_most = 2.99", Verdict::Missed),
            ("bar.at_least = 3.0", Verdict::Met),
            ("bar.at_least = 3.01", Verdict::Missed),
            ("bar.at_most = 3.0\npublished = '3.1'", Verdict::Beaten),
            ("bar.at_least = 2.0\npublished = '2.9'", Verdict::Beaten),
            ("bar.at_least = 2.0\npublished = '3.1'", Verdict::Met),
            ("published = '9.0'", Verdict::Shown),
            ("published = '3.004'\nbar.equal_places = 2", Verdict::Met),
            ("published = '3.006'\nbar.equal_places = 2", Verdict::Missed),
        ] {
            assert_eq!(verdict(&format!("arm = 'a'\n{bar}"), &seeds).0, expected, "{bar}");
        }
        assert_eq!(verdict("arm = 'a'\nbar.at_most = 3.0", &[]).0, Verdict::Open);
    }

    /// Of b the mean of both its arms counts, of the seeds that both have: (1 + 3) / 2 = 2.
    #[test]
    fn an_arm_is_held_against_another() {
        let records = [record("a", 0, 1.5), record("b-1", 0, 1.0), record("b-2", 0, 3.0)];
        let judged = |bar: &str| verdict(&format!("arm = 'a'\n{bar}"), &records);
        assert_eq!(judged("bar.below = [{ arm = 'b' }]"), (Verdict::Met, "below b, 2.00".into()));
        assert_eq!(
            judged("bar.below = [{ arm = 'b', factor = 0.75 }]"),
            (Verdict::Missed, "below 0.75 times b, 2.00".into())
        );
        assert_eq!(judged("bar.above = [{ arm = 'b-1' }]").0, Verdict::Met);
        // A seed that one arm lacks.
        let partial = [&records[..], &[record("b-1", 1, 9.0)]].concat();
        assert_eq!(verdict("arm = 'b'\nbar.at_most = 2.0", &partial).0, Verdict::Met);
        assert_eq!(
            verdict("arm = 'a'\nbar.below = [{ arm = 'b' }]", &records[..2]).0,
            Verdict::Open
        );
    }

    /// Published 1.5 of 2, so at most 0.75 of 4.
    #[test]
    fn a_ratio_is_that_of_what_was_published() {
        let judged = |value: f64| {
            let result = "arm = 'a'\npublished = '1.5'\nbar.ratio_to = 'b-1'
                [[result]]\nname = 's'\nmeasure = 'm'\narm = 'b-1'\npublished = '2.0'";
            verdict(result, &[record("a", 0, value), record("b-1", 0, 4.0)])
        };
        assert_eq!(judged(3.0), (Verdict::Met, "at most 0.750 times b-1, 4.00".into()));
        assert_eq!(judged(1.4).0, Verdict::Met);
        assert_eq!(judged(3.01).0, Verdict::Missed);
    }

    /// Published 1 and 2, spreads of sqrt(2) and 0: pooled 1, no less than the gap of 1.
    #[test]
    fn an_order_counts_where_its_gap_exceeds_the_spread() {
        let result = |published: f64| {
            format!(
                "arm = 'a'\npublished = '1.0'\nbar.ranks_below = ['b-1']
                [[result]]\nname = 's'\nmeasure = 'm'\narm = 'b-1'\npublished = '{published}'"
            )
        };
        let records = [
            record("a", 0, 3.0),
            record("a", 1, 5.0),
            record("b-1", 0, 3.0),
            record("b-1", 1, 3.0),
        ];
        let (judged, text) = verdict(&result(2.0), &records);
        assert_eq!(judged, Verdict::Met, "{text}");
        assert!(text.contains("not judged"), "{text}");
        assert_eq!(verdict(&result(2.1), &records).0, Verdict::Missed);
    }

    #[test]
    fn a_measure_that_is_none_is_named() {
        let edition = edition("[[result]]\nname = 'r'\narm = 'a'\nmeasure = 'n'");
        let record = record("a", 0, 1.0);
        let error = judge(&edition, &[&record]).err().unwrap().to_string();
        assert_eq!(
            error,
            "arm a, stage train: expected one of the measures m, test.samples, got `n`"
        );
    }
}
