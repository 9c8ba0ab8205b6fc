//! The texts that mean a missing cell.

/// Texts that mean a missing cell, apart from the empty one.
const MISSING: [&str; 17] = [
    "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "null", "NULL", "Null", "None", "?", "-",
    "#N/A", "#NA", "<NA>", "NaT",
];

/// Texts that mean a missing label. `-`, `None` and others may be the name of a class.
const MISSING_LABEL: [&str; 9] = ["?", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "<NA>"];

/// Whether a cell is missing: it is empty or `NA`, `N/A`, `NaN`, `null`, `None`, `?`, `-`, `#N/A` or
/// similar.
pub fn is_missing(cell: &str) -> bool {
    cell.is_empty() || MISSING.contains(&cell)
}

/// Whether a label is missing: it is empty or a text that is no name of a class.
pub(super) fn is_missing_label(cell: &str) -> bool {
    cell.is_empty() || MISSING_LABEL.contains(&cell)
}
