//! The report of an imputation.

use ae_apply::impute::{Cells, Errors, Imputer, LEVEL, Pooled};
use maud::{Markup, html};

use crate::page::document;

/// The most rows of the map of missing cells, evenly spaced.
const MAP_ROWS: usize = 160;

/// The most points of a picture.
const POINTS: usize = 400;

/// The level of the intervals of pooled means.
pub const POOLED_LEVEL: f64 = 0.95;

/// A measure of an imputation's errors.
type Measure = fn(&Errors) -> Option<f64>;

/// The measures of imputations by their names: NRMSE, RMSE of values scaled to \[0, 1\], and the share of wrong
/// categories.
pub const MEASURES: [(&str, Measure); 3] = [
    ("NRMSE, numbers", |errors| errors.nrmse),
    ("RMSE, scaled to [0, 1]", |errors| errors.rmse01),
    ("wrong categories", |errors| errors.pfc),
];

/// An imputation of a table.
pub struct Imputation<'a> {
    /// The name of the table.
    pub name: &'a str,
    /// Its cells before.
    pub cells: &'a Cells,
    /// What filled them in.
    pub imputer: &'a Imputer,
    /// The name of the imputer, if it was fitted to another table.
    pub model: Option<&'a str>,
    /// The number of cells that were filled in, for each column.
    pub filled: &'a [usize],
    /// Columns of numbers, and their means pooled over draws.
    pub pooled: &'a [(usize, Pooled)],
    /// A number of a column as text.
    pub show: &'a dyn Fn(usize, f64) -> String,
    /// What a reader has to know.
    pub notes: &'a [String],
}

/// The report of an imputation as HTML.
pub fn imputation_page(results: &Imputation<'_>) -> String {
    let Imputation { name, cells, imputer, .. } = results;
    let check = imputer.check();
    let filled: usize = results.filled.iter().sum();
    let share = 100.0 * filled as f64 / (cells.len() * cells.width()) as f64;
    let lead = html! {
        (filled) " missing cells of " (cells.len()) " rows and " (cells.width()) " columns (" (format!("{share:.1}"))
        " %) were filled in" @if let Some(model) = results.model { " by " (model) } ". "
        (check.cells) " known cells " @if results.model.is_some() { "of the table that it was fitted to " }
        "had been held back, to see how well."
    };
    let body = html! {
        (quality(results))
        (map(cells))
        (columns(results))
        @if !results.pooled.is_empty() { (pooled(results)) }
        @if !results.notes.is_empty() {
            section {
                h2 { "Notes" }
                ul { @for note in results.notes { li { (note) } } }
            }
        }
    };
    let program = concat!("ae ", env!("CARGO_PKG_VERSION"));
    document(&format!("{name}, filled in"), &lead, &body, program).into_string()
}

/// The errors beside those of simpler methods.
fn quality(results: &Imputation<'_>) -> Markup {
    let check = results.imputer.check();
    let methods = &check.methods;
    html! {
        section {
            h2 { "How good it is" }
            p.note {
                "Errors on the cells that were held back, which no method saw. "
                @if let Some(model) = results.model {
                    "They are cells of the table that " (model) " was fitted to, not of this one. "
                }
                "NRMSE is the root of the mean "
                "squared error in units of the column's deviation: 1 is what the mean gives, 0 is exact."
            }
            @for (name, measure) in MEASURES {
                @let values: Vec<Option<f64>> = methods.iter().map(measure).collect();
                @let most = values.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
                @if values.iter().any(Option::is_some) {
                    h3 { (name) }
                    div.bars {
                        @for (at, (errors, value)) in methods.iter().zip(&values).enumerate() {
                            @if let Some(value) = value {
                                span.name { (errors.method) }
                                div.bar {
                                    div class=[(at == 0).then_some("ours")]
                                        style=(format!("width:{:.1}%", 100.0 * value / most)) {}
                                }
                                span.value { (format!("{value:.4}")) }
                            }
                        }
                    }
                }
            }
            @if let Some(coverage) = check.coverage {
                p.note style="margin-top:14px" {
                    (format!("{:.1} %", 100.0 * coverage)) " of the numbers are in their 90 % intervals, "
                    "each made from the errors of the other cells that were held back. For cells that are "
                    "missing because of their own value, errors can be larger."
                }
            }
        }
    }
}

/// A mark for every missing cell.
fn map(cells: &Cells) -> Markup {
    let step = cells.len().div_ceil(MAP_ROWS).max(1);
    let rows: Vec<usize> = (0..cells.len()).step_by(step).collect();
    let (width, height) = (cells.width(), rows.len());
    let (across, down) = (960.0 / width as f64, (420.0 / height as f64).min(12.0));
    let tall = down * height as f64;
    // Names of more columns would overlap. They lean over the right edge.
    let (named, beside) = if width <= 45 { (104.0, 72.0) } else { (0.0, 0.0) };
    html! {
        section {
            h2 { "What was missing" }
            p.note {
                "A column for each column of the table in use, from the left; "
                @if step > 1 { "one row in " (step) } @else { "all rows" }
                " from the top. Coloured cells were missing."
            }
            svg viewBox=(format!("0 {:.1} {:.1} {:.1}", -named, 960.0 + beside, tall + named)) role="img" aria-label="map of missing cells" {
                rect width="960" height=(format!("{tall:.1}")) fill="var(--code)" {}
                @for column in 0..width {
                    g {
                        title { (cells.columns()[column].name) }
                        @if named > 0.0 {
                            @let middle = (column as f64 + 0.5) * across;
                            text transform=(format!("translate({:.1} -6) rotate(-55)", middle))
                                font-size="11" fill="var(--quiet)" {
                                (shortened(&cells.columns()[column].name))
                            }
                        }
                        @for (start, end) in runs(cells, &rows, column) {
                            rect x=(format!("{:.2}", column as f64 * across + 0.5))
                                y=(format!("{:.2}", start as f64 * down))
                                width=(format!("{:.2}", (across - 1.0).max(0.5)))
                                height=(format!("{:.2}", (end - start) as f64 * down))
                                fill="var(--accent)" {}
                        }
                    }
                }
            }
        }
    }
}

/// A name of at most 18 characters.
fn shortened(name: &str) -> String {
    match name.chars().count() {
        0..=18 => name.to_owned(),
        _ => name.chars().take(17).chain(['…']).collect(),
    }
}

/// Runs of missing cells among rows.
fn runs(cells: &Cells, rows: &[usize], column: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = vec![];
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| cells.at(**row, column).is_nan()) {
        let _ = row;
        match runs.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    runs
}

/// For each column its errors, and true against imputed numbers.
fn columns(results: &Imputation<'_>) -> Markup {
    let imputer = results.imputer;
    let methods = &imputer.check().methods;
    html! {
        section {
            h2 { "Column by column" }
            p.note {
                "NRMSE of numbers and share of wrong categories on cells that were held back"
                @if results.model.is_some() { " from the table that the imputer was fitted to" }
                "; below, the true "
                "number of each such cell over the one that was filled in, with the band of 90 % intervals."
            }
            div.scroll {
                table {
                    tr {
                        th { "column" } th { "filled in" }
                        @for errors in methods { th { (errors.method) } }
                    }
                    @for (column, name) in names(imputer).enumerate() {
                        tr {
                            td { (name) }
                            td.num { (results.filled[column]) }
                            @for errors in methods {
                                td.num {
                                    @match errors.columns.get(column).copied().flatten() {
                                        Some(value) => (format!("{value:.3}")),
                                        None => "-",
                                    }
                                }
                            }
                        }
                    }
                }
            }
            div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:18px;margin-top:18px" {
                @for (column, name) in names(imputer).enumerate() {
                    @if imputer.held_back(column).len() > 1 && results.filled[column] > 0 {
                        figure {
                            @let (low, high) = true_span(imputer, column);
                            figcaption { (name) ": true from " ((results.show)(column, low)) " up to "
                                ((results.show)(column, high)) }
                            (scatter(results, column))
                        }
                    }
                }
            }
        }
    }
}

/// The least and the largest of a column's numbers that were held back.
fn true_span(imputer: &Imputer, column: usize) -> (f64, f64) {
    let values = imputer.held_back(column).map(|(_, value)| value);
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)))
}

/// True against imputed numbers of a column.
fn scatter(results: &Imputation<'_>, column: usize) -> Markup {
    let imputer = results.imputer;
    let all: Vec<(f64, f64)> = imputer.held_back(column).collect();
    let step = all.len().div_ceil(POINTS).max(1);
    let points: Vec<(f64, f64)> = all.iter().copied().step_by(step).collect();
    let span = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        (low, if high > low { high } else { low + 1.0 })
    };
    let ((left, right), (low, high)) = (span(&|it| it.0), span(&|it| it.1));
    let x = |value: f64| 6.0 + 188.0 * (value - left) / (right - left);
    let y = |value: f64| 150.0 - 144.0 * ((value - low) / (high - low)).clamp(0.0, 1.0);
    let places = (0..=30).map(|at| left + (right - left) * f64::from(at) / 30.0);
    let band: Vec<(f64, [f64; 2])> =
        places.filter_map(|at| Some((at, imputer.interval_at(column, at, LEVEL)?))).collect();
    let lower = band.iter().map(|(at, [low, _])| format!("{:.1},{:.1}", x(*at), y(*low)));
    let upper = band.iter().rev().map(|(at, [_, high])| format!("{:.1},{:.1}", x(*at), y(*high)));
    let outline: Vec<String> = lower.chain(upper).collect();
    let (from, to) = (left.max(low), right.min(high));
    html! {
        svg viewBox="0 0 200 172" role="img" aria-label="true over imputed numbers" {
            rect x="0.5" y="0.5" width="199" height="155" fill="none" stroke="var(--line)" {}
            @if !outline.is_empty() {
                polygon points=(outline.join(" ")) fill="var(--accent)" opacity="0.16" {}
            }
            @if from < to {
                line x1=(format!("{:.1}", x(from))) y1=(format!("{:.1}", y(from)))
                    x2=(format!("{:.1}", x(to))) y2=(format!("{:.1}", y(to)))
                    stroke="var(--axis)" stroke-dasharray="3 3" {}
            }
            @for (imputed, value) in &points {
                circle cx=(format!("{:.1}", x(*imputed))) cy=(format!("{:.1}", y(*value))) r="1.7"
                    fill="var(--accent)" opacity="0.7" {}
            }
            text x="4" y="168" font-size="10" fill="var(--quiet)" { ((results.show)(column, left)) }
            text x="100" y="168" font-size="10" text-anchor="middle" fill="var(--quiet)" { "imputed" }
            text x="196" y="168" font-size="10" text-anchor="end" fill="var(--quiet)" { ((results.show)(column, right)) }
        }
    }
}

/// Means pooled by Rubin's rules.
fn pooled(results: &Imputation<'_>) -> Markup {
    html! {
        section {
            h2 { "Means, with what is unknown" }
            p.note {
                "Means of the columns that were filled in, pooled over the draws by Rubin's rules. The interval has "
                "the uncertainty of a sample and that of the missing cells (Rubin 1987, with the degrees of freedom "
                "of Barnard and Rubin 1999). The fraction of missing information says how much of what the complete "
                "column would say about its mean is lost by the missing cells."
            }
            div.scroll {
                table {
                    tr {
                        th { "column" } th { "mean" } th { (format!("{:.0} % interval", 100.0 * POOLED_LEVEL)) }
                        th { "fraction of missing information" }
                    }
                    @for (column, pooled) in results.pooled {
                        @let [low, high] = pooled.interval(POOLED_LEVEL);
                        tr {
                            td { (results.imputer.columns()[*column].name) }
                            td.num { ((results.show)(*column, pooled.estimate)) }
                            td.num { ((results.show)(*column, low)) " to " ((results.show)(*column, high)) }
                            td.num { (format!("{:.1} %", 100.0 * pooled.missing_information)) }
                        }
                    }
                }
            }
        }
    }
}

fn names(imputer: &Imputer) -> impl Iterator<Item = &str> {
    imputer.columns().iter().map(|column| column.name.as_str())
}

/// A number with four digits that count.
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size => (3 - size.log10().floor() as i32).clamp(0, 8) as usize,
    };
    format!("{value:.digits$}")
}
