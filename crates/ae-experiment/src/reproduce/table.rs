//! Results of experiments, for the terminal and as Markdown.

use super::experiment::Experiment;
use super::plan::Plan;
use super::record::Record;
use super::seed_stats::SeedStats;
use super::target::{Criteria, Published};
use super::verdict::{Assessment, Verdict};
use ae_train::format::duration;

/// The recorded results of an experiment.
pub struct ExperimentResults<'a> {
    pub experiment: &'a Experiment,
    pub plan: &'a Plan,
    pub assessments: Vec<Assessment<'a>>,
    /// The records of the present recipe.
    pub records: Vec<&'a Record>,
    /// The number of records of older recipes.
    pub stale: usize,
}

/// `43.64 (checked)`
fn published(it: &Assessment<'_>) -> String {
    match &it.target.published {
        Some(Published::One(printed)) => {
            format!("{}{} ({})", printed.text, unit(it), it.target.status.name())
        }
        _ => "-".to_owned(),
    }
}

fn unit(it: &Assessment<'_>) -> String {
    match it.target.unit.as_str() {
        "" => String::new(),
        unit => format!(" {unit}"),
    }
}

fn ours(it: &Assessment<'_>) -> String {
    let stats = it.stats.as_ref();
    stats.map_or("-".to_owned(), |stats| stats.to_text(it.target.places) + &unit(it))
}

fn seeds(stats: Option<&SeedStats>, planned: u64) -> String {
    match stats.map_or(0, |stats| stats.0.len()) as u64 {
        done if done < planned => format!("{done} of {planned}"),
        done => done.to_string(),
    }
}

/// `missed: at most 3.00`
fn verdict(it: &Assessment<'_>) -> String {
    let is_missed = it.verdict == Verdict::Missed;
    let checks: Vec<&str> = it
        .checks
        .iter()
        .filter(|(is_met, _)| !(is_missed && *is_met))
        .map(|(_, text)| text.as_str())
        .collect();
    match checks.is_empty() {
        true => it.verdict.name().to_owned(),
        false => format!("{}: {}", it.verdict.name(), checks.join("; ")),
    }
}

impl ExperimentResults<'_> {
    fn rows(&self) -> Vec<[String; 5]> {
        let row = |it: &Assessment<'_>| {
            [
                it.target.name.clone() + &self.subset(it),
                published(it),
                ours(it),
                seeds(it.stats.as_ref(), self.plan.seeds_of(&it.target.arm)),
                verdict(it),
            ]
        };
        self.assessments.iter().map(row).collect()
    }

    /// The number of test samples behind a measure, unless it is all of them.
    fn subset(&self, it: &Assessment<'_>) -> String {
        let record = self.records.iter().rfind(|record| record.arm == it.target.arm);
        let stages = record.map_or(&[][..], |record| &record.stages);
        let stage = match &it.target.stage {
            Some(name) => stages.iter().find(|stage| stage.name == *name),
            None => stages.last(),
        };
        let (Some(stage), Some((group, _))) = (stage, it.target.measure.rsplit_once('.')) else {
            return String::new();
        };
        let samples = |group: &str| stage.measures.get(&format!("{group}.samples"));
        match (samples(group), samples("test")) {
            (Some(some), Some(all)) if some < all => {
                format!(" (the first {some} of {all} test samples)")
            }
            _ => String::new(),
        }
    }

    /// The table that is printed after the runs.
    pub fn to_text(&self) -> String {
        let heads = ["result", "published", "ours", "seeds", "verdict"].map(str::to_owned);
        let rows = [vec![heads], self.rows()].concat();
        let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let wide: Vec<usize> = (0..5).map(|column| wide(column).unwrap_or(0)).collect();
        let mut text = format!("{}\n{}\n\n", self.experiment.title, self.experiment.paper);
        for [name, published, ours, seeds, verdict] in &rows {
            text += &format!(
                "{name:<0$}  {published:>1$}  {ours:>2$}  {seeds:>3$}  {verdict}\n",
                wide[0], wide[1], wide[2], wide[3]
            );
        }
        text += &format!("\n{}\n", self.times());
        text
    }

    fn times(&self) -> String {
        let seconds: f64 = self.records.iter().map(|record| record.seconds).sum();
        let mut devices: Vec<&str> = self.records.iter().map(|it| it.device.as_str()).collect();
        devices.sort_unstable();
        devices.dedup();
        match self.records.is_empty() {
            true => "Not yet run.".to_owned(),
            false => format!("{} in total, on {}.", duration(seconds), devices.join("; ")),
        }
    }

    /// A section of [`page`].
    pub fn to_markdown(&self) -> String {
        let it = self.experiment;
        let mut text = format!("## {}\n\n{}\n\n{}\n\n", it.title, it.paper, it.about.trim());
        text += "| result | published | ours | seeds | verdict |\n|---|---|---|---|---|\n";
        for (it, mut row) in self.assessments.iter().zip(self.rows()) {
            if let Some(page) = &it.target.page {
                row[1] += &format!(", {page}");
            }
            let cells = row.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            text += &format!("| {} |\n", cells.join(" | "));
        }
        text += &format!("\n`ae reproduce {}`: {}\n", it.called, self.times());
        if let (Some(first), Some(last)) = (
            self.records.iter().map(|record| &record.date).min(),
            self.records.iter().map(|record| &record.date).max(),
        ) {
            let day = |date: &str| date.get(..10).unwrap_or(date).to_owned();
            let mut programs: Vec<String> =
                self.records.iter().map(|it| it.program_in_text()).collect();
            programs.sort_unstable();
            programs.dedup();
            let (first, last) = (day(first), day(last));
            let days = if first == last { first } else { format!("{first} to {last}") };
            text += &format!("Trained {days} with {}.\n", programs.join(", "));
        }
        text += &format!("\nTuned on validation data: {}\n", it.searched.trim());
        if self.stale > 0 {
            text += &format!(
                "\n{} of an older recipe not shown.\n",
                match self.stale {
                    1 => "One seed".to_owned(),
                    n => format!("{n} seeds"),
                }
            );
        }
        if let Some(missed) = &it.missed {
            text += &format!("\n{}\n", missed.trim());
        }
        text
    }
}

impl Record {
    fn program_in_text(&self) -> String {
        match &self.commit {
            Some(commit) => format!("{} ({commit})", self.program),
            None => self.program.clone(),
        }
    }
}

/// The number of results with each verdict, by experiment, of those that have criteria.
fn overview(all: &[ExperimentResults<'_>]) -> String {
    let verdicts = [Verdict::Beaten, Verdict::Met, Verdict::Missed, Verdict::Open];
    let heads = verdicts.map(Verdict::name).join(" | ");
    let mut text = format!("\n| | {heads} |\n|---|---|---|---|---|\n");
    let mut sums = [0; 4];
    for known in all {
        let has_criteria = |it: &&Assessment<'_>| it.target.criteria != Criteria::default();
        let counts = verdicts.map(|verdict| {
            known.assessments.iter().filter(has_criteria).filter(|it| it.verdict == verdict).count()
        });
        text += &format!("| {} | {} |\n", known.experiment.title, counts.map(shown).join(" | "));
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    text + &format!("| all | {} |\n", sums.map(shown).join(" | "))
}

fn shown(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

/// The page of all experiments.
pub fn page(all: &[ExperimentResults<'_>]) -> String {
    let mut text = "# Results\n\n\
        Published results, reproduced by this program. `ae reproduce --table --write RESULTS.md` writes \
        this page from `recipes/results.jsonl`, to which every finished seed adds a line; no number in it \
        is typed by hand. `crates/ae-experiment/recipes/` has each experiment, with the reasons for its settings.\n\n\
        *Ours* is the mean over seeds ± the sample standard deviation. *Checked* values were computed \
        again or read in several places, *quoted* values come from a text that quotes the paper, \
        *recalled* values from memory of it. *Met*: every criterion holds; *beaten*: the mean is also \
        better than the published value. An error rate may exceed the published one by half the width of \
        its 95 % confidence interval, given the number of test samples. On data that is harder or easier \
        than the published data, the criterion is the published ratio to another method's error, without \
        allowance. Times are wall-clock times of runs that may have shared the processor.\n"
        .to_owned();
    text += &overview(all);
    for known in all {
        text += "\n";
        text += &known.to_markdown();
    }
    text
}
