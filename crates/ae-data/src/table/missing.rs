//! What stands for a cell that is not there.

/// Texts that stand for a missing cell, beside the empty one.
const MISSING: [&str; 17] = [
    "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "null", "NULL", "Null", "None", "?", "-",
    "#N/A", "#NA", "<NA>", "NaT",
];

/// Those that nobody calls a class by: `-`, `None` and their like may be one.
const MISSING_LABEL: [&str; 9] = ["?", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "<NA>"];

/// Whether a cell is missing: it is empty, or `NA`, `N/A`, `NaN`, `null`, `None`, `?`, `-`, `#N/A`
/// or their like.
pub fn is_missing(cell: &str) -> bool {
    cell.is_empty() || MISSING.contains(&cell)
}

/// Whether a label is missing: it is empty, or what no class is called.
pub(super) fn is_missing_label(cell: &str) -> bool {
    cell.is_empty() || MISSING_LABEL.contains(&cell)
}
