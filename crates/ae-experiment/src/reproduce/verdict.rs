//! Compares measured results with their targets.

use super::measures::Measures;
use super::plan::Plan;
use super::record::Record;
use super::seed_stats::{SeedStats, pooled_std_dev};
use super::target::{Other, Published, Target};
use crate::{Error, Result};

/// How a result compares with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every criterion holds, and the mean is better than the published value.
    Beaten,
    /// Every criterion holds.
    Met,
    Missed,
    /// The target has no criteria.
    Shown,
    /// No seed is recorded yet.
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

/// A target, and how the recorded results compare with it.
pub struct Assessment<'a> {
    pub target: &'a Target,
    /// `None` if no seed is recorded.
    pub stats: Option<SeedStats>,
    pub verdict: Verdict,
    /// Whether each criterion holds, and the criterion in words.
    pub checks: Vec<(bool, String)>,
}

/// Assesses every target of a plan by the records of its seeds.
pub fn assess<'a>(plan: &'a Plan, records: &[&Record]) -> Result<Vec<Assessment<'a>>> {
    let assessor = Assessor { plan, measures: Measures { plan, records } };
    plan.targets.iter().map(|target| assessor.assess(target)).collect()
}

struct Assessor<'a> {
    plan: &'a Plan,
    measures: Measures<'a>,
}

impl Assessor<'_> {
    fn assess<'b>(&self, target: &'b Target) -> Result<Assessment<'b>> {
        let stats = self.stats(target, &target.arm, target.stage.as_ref(), &target.measure)?;
        let Some(stats) = stats else {
            let verdict = Verdict::Open;
            return Ok(Assessment { target, stats: None, verdict, checks: Vec::new() });
        };
        let Some(checks) = self.checks(target, &stats)? else {
            let checks = vec![(true, "the arm to compare with".to_owned())];
            return Ok(Assessment { target, stats: Some(stats), verdict: Verdict::Open, checks });
        };
        let verdict = match checks.iter().all(|(is_met, _)| *is_met) {
            _ if checks.is_empty() => Verdict::Shown,
            false => Verdict::Missed,
            true if target.is_better(stats.mean()) => Verdict::Beaten,
            true => Verdict::Met,
        };
        Ok(Assessment { target, stats: Some(stats), verdict, checks })
    }

    /// Checks each criterion; `None` if it needs another arm that has no record.
    fn checks(&self, target: &Target, stats: &SeedStats) -> Result<Option<Vec<(bool, String)>>> {
        let (criteria, mean, places) = (&target.criteria, stats.mean(), target.places);
        let mut checks = Vec::new();
        if let Some(most) = criteria.at_most {
            checks.push((mean <= most, format!("at most {most}")));
        }
        if let Some(least) = criteria.at_least {
            checks.push((mean >= least, format!("at least {least}")));
        }
        if let (Some(places), Some(published)) = (criteria.equal_places, target.published()) {
            let is_equal = format!("{mean:.places$}") == format!("{published:.places$}");
            checks.push((is_equal, format!("equal to {places} places")));
        }
        if let (true, Some(published)) = (criteria.error_rate, target.published()) {
            let Some(samples) = self.samples(target)? else { return Ok(None) };
            let share = published / target.scale();
            let half = 1.96 * (share * (1.0 - share) / samples).sqrt() * target.scale();
            let most = published + half;
            let text = format!("at most {published:.places$} + {half:.places$}");
            checks.push((mean <= most, text));
        }
        for (others, is_below) in [(&criteria.below, true), (&criteria.above, false)] {
            for other in others {
                let Some(other_stats) = self.other_stats(target, other)? else { return Ok(None) };
                let limit = other.factor * other_stats.mean();
                let is_met = if is_below { mean < limit } else { mean > limit };
                checks.push((is_met, comparison(target, other, stats, &other_stats, is_below)));
            }
        }
        if let Some(arm) = &criteria.ratio_to {
            let other_stats = self.stats(target, arm, target.stage.as_ref(), &target.measure)?;
            let Some(other_stats) = other_stats else { return Ok(None) };
            let published = target.published().unwrap_or(f64::NAN);
            let ratio = published / self.published(target, arm)?;
            let text = format!("at most {ratio:.3} times {arm}, {}", other_stats.to_text(places));
            checks.push((mean <= ratio * other_stats.mean(), text));
        }
        for arm in &criteria.ranks_below {
            let other_stats = self.stats(target, arm, target.stage.as_ref(), &target.measure)?;
            let Some(other_stats) = other_stats else { return Ok(None) };
            let std_dev = pooled_std_dev(stats, &other_stats);
            let gap = self.published(target, arm)? - target.published().unwrap_or(f64::NAN);
            let text = format!("below {arm}, {}", other_stats.to_text(places));
            checks.push(match gap > std_dev {
                true => (mean < other_stats.mean(), text),
                false => {
                    (true, format!("{text}: not checked, since the published gap is within the standard deviation"))
                }
            });
        }
        Ok(Some(checks))
    }

    /// A measure over seeds, in the unit of the target.
    fn stats(
        &self,
        target: &Target,
        arm: &str,
        stage: Option<&String>,
        measure: &str,
    ) -> Result<Option<SeedStats>> {
        let stats = self.measures.over_seeds(arm, stage, measure)?;
        Ok(stats.map(|SeedStats(values)| {
            SeedStats(values.into_iter().map(|value| target.scale() * value).collect())
        }))
    }

    fn other_stats(&self, target: &Target, other: &Other) -> Result<Option<SeedStats>> {
        let measure = other.measure.as_ref().unwrap_or(&target.measure);
        let stage = other.stage.as_ref().or(target.stage.as_ref());
        self.stats(target, &other.arm, stage, measure)
    }

    /// The published value of the same measure of another arm.
    fn published(&self, target: &Target, arm: &str) -> Result<f64> {
        let is_it = |it: &&Target| {
            it.arm == arm && it.measure == target.measure && it.stage == target.stage
        };
        let published = self.plan.targets.iter().find(is_it).and_then(Target::published);
        published.ok_or_else(|| {
            Error::usage(format!(
                "result `{}`: needs a published value of {arm} to compare with",
                target.name
            ))
        })
    }

    /// The number of test samples.
    fn samples(&self, target: &Target) -> Result<Option<f64>> {
        let stats = self.measures.over_seeds(&target.arm, target.stage.as_ref(), "test.samples")?;
        Ok(stats.map(|stats| stats.mean()))
    }
}

/// `below 0.4 times pca, 2.00`
fn comparison(
    target: &Target,
    other: &Other,
    stats: &SeedStats,
    other_stats: &SeedStats,
    is_below: bool,
) -> String {
    let places = target.places;
    let mut text = if is_below { "below ".to_owned() } else { "above ".to_owned() };
    if other.factor != 1.0 {
        text += &format!("{} times ", other.factor);
    }
    if let Some(measure) = &other.measure {
        text += &format!("{measure} of ");
    }
    text += &format!("{}, {}", other.arm, other_stats.to_text(places));
    if stats.0.len() > 1 {
        text += &format!(" (pooled sd {:.places$})", pooled_std_dev(stats, other_stats));
    }
    text
}

impl Target {
    /// The factor from a measure to the unit of the target.
    fn scale(&self) -> f64 {
        if self.unit == "%" { 100.0 } else { 1.0 }
    }

    /// The published value, if there is one.
    pub fn published(&self) -> Option<f64> {
        match &self.published {
            Some(Published::One(printed)) => Some(printed.value),
            _ => None,
        }
    }

    /// Whether a mean is better than the published value, in the direction of the criteria.
    fn is_better(&self, mean: f64) -> bool {
        let Some(published) = self.published() else { return false };
        let criteria = &self.criteria;
        let is_low_good = criteria.at_most.is_some()
            || criteria.error_rate
            || !criteria.below.is_empty()
            || !criteria.ranks_below.is_empty();
        match criteria {
            // The published value is of other data, so it cannot be beaten.
            _ if criteria.equal_places.is_some() || criteria.ratio_to.is_some() => false,
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

    /// Arms a, b-1 and b-2 with one stage each, and the targets in `result`.
    fn plan(result: &str) -> Plan {
        let text = format!(
            "title = 't'\npaper = 'p'\nabout = 'a'\nsearched = 's'\nminutes = 1
            [[arm]]\nname = 'a'\n[[arm.stage]]\ncommand = 'train'
            [[arm]]\nname = 'b'\nvary = {{ 'model.code' = [1, 2] }}
            [[arm.stage]]\ncommand = 'train'
            {result}
            [[quick.result]]\nname = 'q'\narm = 'a'\nmeasure = 'm'"
        );
        Experiment::parse("it", &text).unwrap().plan(false, None).unwrap()
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
            stages: vec![StageRecord {
                name: "train".into(),
                shared_with: None,
                seconds: 1.0,
                measures,
            }],
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
        let plan = plan(&result);
        let records: Vec<&Record> = records.iter().collect();
        let assessments = assess(&plan, &records).unwrap();
        let checks = assessments[0].checks.iter().map(|(_, text)| text.as_str());
        (assessments[0].verdict, checks.collect::<Vec<_>>().join("; "))
    }

    /// Published 1.28 % of 10,000: half the interval is 1.96 sqrt(0.0128 * 0.9872 / 10000) = 0.220 points.
    #[test]
    fn error_rate_is_met_within_the_interval_and_beaten_below_the_published_value() {
        let assessed = |wrong: f64| {
            let result = "arm = 'a'\nunit = '%'\npublished = '1.28'\nbar.error_rate = true";
            verdict(result, &[record("a", 0, wrong)])
        };
        assert_eq!(assessed(0.0127).0, Verdict::Beaten);
        assert_eq!(assessed(0.0128).0, Verdict::Met);
        assert_eq!(assessed(0.01499).0, Verdict::Met);
        assert_eq!(assessed(0.01501), (Verdict::Missed, "at most 1.28 + 0.22".into()));
    }

    #[test]
    fn bounds_apply_to_the_mean() {
        let seeds = [record("a", 0, 2.0), record("a", 1, 4.0)];
        for (criterion, expected) in [
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
            assert_eq!(
                verdict(&format!("arm = 'a'\n{criterion}"), &seeds).0,
                expected,
                "{criterion}"
            );
        }
        assert_eq!(verdict("arm = 'a'\nbar.at_most = 3.0", &[]).0, Verdict::Open);
    }

    /// b is the mean over both variants, for seeds that both have: (1 + 3) / 2 = 2.
    #[test]
    fn an_arm_is_compared_with_another() {
        let records = [record("a", 0, 1.5), record("b-1", 0, 1.0), record("b-2", 0, 3.0)];
        let assessed = |criterion: &str| verdict(&format!("arm = 'a'\n{criterion}"), &records);
        assert_eq!(assessed("bar.below = [{ arm = 'b' }]"), (Verdict::Met, "below b, 2.00".into()));
        assert_eq!(
            assessed("bar.below = [{ arm = 'b', factor = 0.75 }]"),
            (Verdict::Missed, "below 0.75 times b, 2.00".into())
        );
        assert_eq!(assessed("bar.above = [{ arm = 'b-1' }]").0, Verdict::Met);
        // A seed that one variant lacks.
        let partial = [&records[..], &[record("b-1", 1, 9.0)]].concat();
        assert_eq!(verdict("arm = 'b'\nbar.at_most = 2.0", &partial).0, Verdict::Met);
        assert_eq!(
            verdict("arm = 'a'\nbar.below = [{ arm = 'b' }]", &records[..2]).0,
            Verdict::Open
        );
    }

    /// Published 1.5 to 2, so at most 0.75 of 4.
    #[test]
    fn ratio_to_is_the_published_ratio() {
        let assessed = |value: f64| {
            let result = "arm = 'a'\npublished = '1.5'\nbar.ratio_to = 'b-1'
                [[result]]\nname = 's'\nmeasure = 'm'\narm = 'b-1'\npublished = '2.0'";
            verdict(result, &[record("a", 0, value), record("b-1", 0, 4.0)])
        };
        assert_eq!(assessed(3.0), (Verdict::Met, "at most 0.750 times b-1, 4.00".into()));
        assert_eq!(assessed(1.4).0, Verdict::Met);
        assert_eq!(assessed(3.01).0, Verdict::Missed);
    }

    /// Published 1 and 2, standard deviations sqrt(2) and 0: pooled 1, which the gap of 1 does not exceed.
    #[test]
    fn a_rank_is_checked_if_the_published_gap_exceeds_the_standard_deviation() {
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
        let (met, text) = verdict(&result(2.0), &records);
        assert_eq!(met, Verdict::Met, "{text}");
        assert!(text.contains("not checked"), "{text}");
        assert_eq!(verdict(&result(2.1), &records).0, Verdict::Missed);
    }

    #[test]
    fn an_unknown_measure_is_named_with_the_known_ones() {
        let plan = plan("[[result]]\nname = 'r'\narm = 'a'\nmeasure = 'n'");
        let record = record("a", 0, 1.0);
        let error = assess(&plan, &[&record]).err().unwrap().to_string();
        assert_eq!(
            error,
            "arm a, stage train: expected one of the measures m, test.samples, got `n`"
        );
    }
}
