//! What came of experiments, for the terminal and as Markdown.

use super::edition::Edition;
use super::expected::{Bars, Published};
use super::experiment::Experiment;
use super::judge::{Judged, Verdict};
use super::record::Record;
use super::values::Values;
use crate::observers::duration;

/// What is known of an experiment.
pub struct Known<'a> {
    pub experiment: &'a Experiment,
    pub edition: &'a Edition,
    pub judged: Vec<Judged<'a>>,
    /// Those that count.
    pub records: Vec<&'a Record>,
    /// How many are of an older recipe.
    pub stale: usize,
}

/// `43.64 (checked)`
fn published(it: &Judged<'_>) -> String {
    match &it.expected.published {
        Some(Published::One(printed)) => {
            format!("{}{} ({})", printed.text, unit(it), it.expected.status.name())
        }
        _ => "-".to_owned(),
    }
}

fn unit(it: &Judged<'_>) -> String {
    match it.expected.unit.as_str() {
        "" => String::new(),
        unit => format!(" {unit}"),
    }
}

fn ours(it: &Judged<'_>) -> String {
    let values = it.values.as_ref();
    values.map_or("-".to_owned(), |values| values.in_text(it.expected.places) + &unit(it))
}

fn seeds(values: Option<&Values>, wanted: u64) -> String {
    match values.map_or(0, |values| values.0.len()) as u64 {
        done if done < wanted => format!("{done} of {wanted}"),
        done => done.to_string(),
    }
}

/// `missed: at most 3.00`
fn verdict(it: &Judged<'_>) -> String {
    let is_missed = it.verdict == Verdict::Missed;
    let bars: Vec<&str> = it
        .bars
        .iter()
        .filter(|(is_kept, _)| !(is_missed && *is_kept))
        .map(|(_, text)| text.as_str())
        .collect();
    match bars.is_empty() {
        true => it.verdict.name().to_owned(),
        false => format!("{}: {}", it.verdict.name(), bars.join("; ")),
    }
}

impl Known<'_> {
    fn rows(&self) -> Vec<[String; 5]> {
        let row = |it: &Judged<'_>| {
            [
                it.expected.name.clone(),
                published(it),
                ours(it),
                seeds(it.values.as_ref(), self.edition.seeds_of(&it.expected.arm)),
                verdict(it),
            ]
        };
        self.judged.iter().map(row).collect()
    }

    /// As it is printed when its runs are done.
    pub fn in_text(&self) -> String {
        let heads = ["result", "published", "ours", "seeds", "bar"].map(str::to_owned);
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
            false => format!("{} in all, on {}.", duration(seconds), devices.join("; ")),
        }
    }

    /// As a section of the page of all.
    pub fn in_markdown(&self) -> String {
        let it = self.experiment;
        let mut text = format!("## {}\n\n{}\n\n{}\n\n", it.title, it.paper, it.about.trim());
        text += "| result | published | ours | seeds | verdict |\n|---|---|---|---|---|\n";
        for (it, mut row) in self.judged.iter().zip(self.rows()) {
            if let Some(page) = &it.expected.page {
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
            text += &format!("Made {days} by {}.\n", programs.join(", "));
        }
        text += &format!("\nSearched on validation data: {}\n", it.searched.trim());
        if self.stale > 0 {
            text += &format!(
                "\n{} recorded of an older recipe left out.\n",
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

/// How many results of each experiment came out how, of those that have a bar.
fn overview(all: &[Known<'_>]) -> String {
    let verdicts = [Verdict::Beaten, Verdict::Met, Verdict::Missed, Verdict::Open];
    let heads = verdicts.map(Verdict::name).join(" | ");
    let mut text = format!("\n| | {heads} |\n|---|---|---|---|---|\n");
    let mut sums = [0; 4];
    for known in all {
        let has_bar = |it: &&Judged<'_>| it.expected.bar != Bars::default();
        let counts = verdicts.map(|verdict| {
            known.judged.iter().filter(has_bar).filter(|it| it.verdict == verdict).count()
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
pub fn page(all: &[Known<'_>]) -> String {
    let mut text = "# Results\n\n\
        Published results, made again by this program. This page is written by `ae reproduce --table \
        --write RESULTS.md` from `recipes/results.jsonl`, to which every finished seed adds a line; no \
        number in it is typed. `recipes/` has each experiment with the reasons for its numbers.\n\n\
        Ours is the mean over seeds ± the standard deviation of the sample. *Checked* values were \
        computed again or read in several places, *quoted* ones read in a text that quotes the paper, \
        *recalled* ones are from memory of it. Met: every bar is kept; beaten: the mean is better than what \
        was published besides. The bar of an error rate is what was published and half the width of the \
        95 % interval of a share of so many test samples; on data that is harder or easier than what \
        was published it is the published ratio to another method's error, with no allowance. Times are from start to end, of runs that \
        may have shared the processor with others.\n"
        .to_owned();
    text += &overview(all);
    for known in all {
        text += "\n";
        text += &known.in_markdown();
    }
    text
}
