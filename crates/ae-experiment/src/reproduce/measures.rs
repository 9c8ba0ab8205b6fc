//! Measures of arms over seeds, from the records.

use super::plan::Plan;
use super::record::Record;
use super::seed_stats::SeedStats;
use crate::{Error, Result};

/// The records of a plan.
pub struct Measures<'a> {
    pub plan: &'a Plan,
    pub records: &'a [&'a Record],
}

impl Measures<'_> {
    /// A measure by seed, averaged over the variants of an arm. Only seeds that all variants have count;
    /// `None` if there is none.
    pub fn over_seeds(
        &self,
        arm: &str,
        stage: Option<&String>,
        measure: &str,
    ) -> Result<Option<SeedStats>> {
        let variants = self.plan.variants_of(arm);
        let mut seeds: Vec<u64> = self.records.iter().map(|record| record.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut values = Vec::new();
        for seed in seeds {
            let recorded = |name: &str| {
                let is_it = |it: &&&Record| it.seed == seed && it.arm == name;
                self.records.iter().find(is_it)
            };
            let found: Vec<_> = variants.iter().filter_map(|arm| recorded(&arm.name)).collect();
            if found.len() < variants.len() {
                continue;
            }
            let all = found.iter().map(|record| measured(record, stage, measure));
            let all = all.collect::<Result<Vec<f64>>>()?;
            values.push(all.iter().sum::<f64>() / all.len() as f64);
        }
        Ok((!values.is_empty()).then_some(SeedStats(values)))
    }
}

fn measured(record: &Record, stage: Option<&String>, measure: &str) -> Result<f64> {
    let found = match stage {
        Some(name) => record.stages.iter().find(|it| it.name == *name),
        None => record.stages.last(),
    };
    let Some(found) = found else {
        return Err(Error::usage(format!(
            "arm {}: its record has no stage `{}`",
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
