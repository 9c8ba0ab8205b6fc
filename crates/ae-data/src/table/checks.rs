//! Checks of missing cells and of numbers of categories, and notes on what was left out.

use std::path::Path;

use super::cells::Cells;
use super::columns::Plan;
use super::header::First;
use super::info::listed;
use super::rows::RowSource;
use super::{Missing, Role, RowLabels, Schema, TableOptions};
use crate::error::{list, quote};
use crate::{Error, Result};

/// The most columns with missing cells that a message lists.
const LISTED_COLUMNS: usize = 8;

/// Checks that columns have no more categories than allowed, and boolean columns only booleans.
pub(super) fn words(cells: &Cells, plan: &Plan, options: &TableOptions, path: &Path) -> Result<()> {
    for (slot, words) in &cells.words {
        let at = cells.kept[*slot];
        let place = || format!("column {}", quote(&plan.names[at]));
        if words.too_many && plan.specified[at] {
            return Err(Error::malformed_at(path, place(), "at most 4096 categories", "more"));
        }
        let known = plan.matching.as_ref().map(|matching| matching.features[*slot].0);
        let role = known.and_then(|known| Some(&options.schema.as_ref()?.columns[known].role));
        if role == Some(&Role::Boolean)
            && !words.order.is_empty()
            && !super::features::are_booleans(words)
        {
            let got = listed(&words.order.iter().map(String::as_str).collect::<Vec<_>>());
            return Err(Error::malformed_at(path, place(), "words for no and yes", got));
        }
    }
    Ok(())
}

/// The number of missing cells for each column of features or labels that has any. It is an error if
/// missing cells are refused.
pub(super) fn missing(
    cells: &Cells,
    labels: &RowLabels,
    schema: &Schema,
    plan: &Plan,
    options: &TableOptions,
    path: &Path,
    unit: &str,
) -> Result<Vec<(String, usize)>> {
    let is_feature = |at: usize| match plan.matching {
        Some(_) => true,
        None => schema.columns[at].role.features() > 0,
    };
    // By their index in the file: the count, and the line and text of the first.
    let mut found: Vec<(usize, usize, u64, &str)> = cells
        .missing
        .iter()
        .map(|(slot, (count, line, cell))| (cells.kept[*slot], *count, *line, cell.as_str()))
        .filter(|(at, ..)| is_feature(*at))
        .collect();
    if let (Some(at), Some((line, cell))) = (plan.label(), &labels.first) {
        found.push((at, labels.missing.len(), *line, cell));
    }
    found.sort_unstable();
    let name = |at: usize| plan.names[at].as_str();
    let first = found.iter().min_by_key(|(at, _, line, _)| (*line, *at));
    let (Missing::Refuse, Some((at, _, line, cell))) = (options.missing, first) else {
        return Ok(found.iter().map(|(at, count, ..)| (name(*at).to_owned(), *count)).collect());
    };
    let place = format!("{unit} {line}, column {}", quote(name(*at)));
    let got = if cell.is_empty() { "an empty cell".to_owned() } else { quote(cell) };
    let all: usize = found.iter().map(|(_, count, ..)| count).sum();
    let mut most = found.clone();
    most.sort_by_key(|(at, count, ..)| (std::cmp::Reverse(*count), *at));
    let mut shown: Vec<String> = most
        .iter()
        .take(LISTED_COLUMNS)
        .map(|(at, count, ..)| format!("{count} in {}", quote(name(*at))))
        .collect();
    if most.len() > LISTED_COLUMNS {
        shown.push(format!("others in {} more columns", most.len() - LISTED_COLUMNS));
    }
    let are =
        if all == 1 { "1 cell is missing".to_owned() } else { format!("{all} cells are missing") };
    let advice = format!(
        "{are}, {}: set `missing` to drop to leave out such rows or to mean to fill them, or list \
         columns in `ignore`",
        list(&shown, "and")
    );
    Err(Error::malformed_at(path, place, "a value", got).advise(&advice))
}

/// `1 row`, `2 rows`.
pub(super) fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// What was done that is not obvious from the file. These notes are also logged as warnings.
pub(super) fn notes(cells: &Cells, rows: &dyn RowSource, plan: &Plan, empty: u64) -> Vec<String> {
    let mut notes = vec![];
    if empty > 0 {
        notes.push(format!("{} left out", counted(empty, "row") + " of empty cells"));
    }
    notes.extend(rows.notes());
    let mut rounded: Vec<_> = cells.rounded.iter().collect();
    rounded.sort_unstable();
    for (slot, count) in rounded {
        let column = quote(&plan.names[cells.kept[*slot]]);
        notes.push(format!(
            "{} of {column} rounded, because they are above 2^53",
            counted(*count as u64, "integer")
        ));
    }
    if plan.units {
        notes.push("the second row left out, because it has units".to_owned());
    }
    if plan.first == First::CountingRow {
        notes.push(
            "the first row counts up but is read as a sample; set `header` to yes if it has the names"
                .to_owned(),
        );
    }
    if let Some(extra) =
        plan.matching.as_ref().map(|matching| &matching.extra).filter(|extra| !extra.is_empty())
    {
        let names: Vec<&str> = extra.iter().map(String::as_str).collect();
        notes.push(format!(
            "{} left out: the model does not know {}",
            listed(&names),
            if extra.len() == 1 { "it" } else { "them" }
        ));
    }
    notes
}
