//! Measures of arms, from the records of their seeds.

use super::edition::Edition;
use super::record::Record;
use super::values::Values;
use crate::error::{Error, Result};

/// What is recorded of an edition.
pub struct Measures<'a> {
    pub edition: &'a Edition,
    pub records: &'a [&'a Record],
}

impl Measures<'_> {
    /// A measure by seed, averaged over the arms of a family: of the seeds that all of them have; none if
    /// there is no such seed.
    pub fn of(&self, arm: &str, stage: Option<&String>, measure: &str) -> Result<Option<Values>> {
        let family = self.edition.family(arm);
        let mut seeds: Vec<u64> = self.records.iter().map(|record| record.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut values = Vec::new();
        for seed in seeds {
            let recorded = |name: &str| {
                let is_it = |it: &&&Record| it.seed == seed && it.arm == name;
                self.records.iter().find(is_it)
            };
            let its: Vec<_> = family.iter().filter_map(|way| recorded(&way.name)).collect();
            if its.len() < family.len() {
                continue;
            }
            let all = its.iter().map(|record| measured(record, stage, measure));
            let all = all.collect::<Result<Vec<f64>>>()?;
            values.push(all.iter().sum::<f64>() / all.len() as f64);
        }
        Ok((!values.is_empty()).then_some(Values(values)))
    }
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
