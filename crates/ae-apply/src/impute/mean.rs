//! Mean and mode: the imputation that every other one has to beat.

use super::Cells;

/// Fills every missing number with the mean of its column in `known`, and every missing category with the
/// most frequent one (the first of those). A column without a known cell is filled with 0.
pub(crate) fn impute(known: &Cells, cells: &Cells) -> Cells {
    let mut filled = cells.clone();
    for column in 0..cells.width() {
        let fill = center(known, column);
        for row in 0..cells.len() {
            if cells.at(row, column).is_nan() {
                filled.set(row, column, fill);
            }
        }
    }
    filled
}

/// The mean of a column's known cells, or their mode.
pub(crate) fn center(cells: &Cells, column: usize) -> f64 {
    let known = cells.column(column).filter(|value| !value.is_nan());
    match cells.columns()[column].categories() {
        None => {
            let (sum, count) = known.fold((0.0, 0usize), |(sum, count), it| (sum + it, count + 1));
            sum / count.max(1) as f64
        }
        Some(count) => {
            let mut counts = vec![0usize; count];
            known.for_each(|category| counts[category as usize] += 1);
            let most = counts.iter().max().copied().unwrap_or(0);
            counts.iter().position(|it| *it == most).unwrap_or(0) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::{Column, Kind};

    /// Numbers 1, 3 and none: 2. Categories 1, 1, 0 and none: 1.
    #[test]
    fn mean_and_mode_by_hand() {
        let category = Kind::Category { categories: ["x", "y"].map(String::from).into() };
        let columns = vec![
            Column { name: "n".into(), kind: Kind::Number { integer: false } },
            Column { name: "c".into(), kind: category },
        ];
        let nan = f64::NAN;
        let cells = Cells::new(columns, vec![1.0, 1.0, 3.0, nan, nan, 1.0, nan, 0.0]).unwrap();
        let filled = impute(&cells, &cells);
        assert_eq!(filled.values(), [1.0, 1.0, 3.0, 1.0, 2.0, 1.0, 2.0, 0.0]);
    }
}
