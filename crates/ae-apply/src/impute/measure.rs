//! How good an imputation is, on cells that were hidden on purpose.

use serde::{Deserialize, Serialize};

use super::Cells;

/// The errors of an imputation on hidden cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// The method.
    pub method: String,
    /// Of each column, in order: the root of the mean squared error divided by the deviation of the column
    /// (NRMSE) of numbers, the share of wrong categories (PFC). `None` if no cell of it was hidden.
    pub columns: Vec<Option<f64>>,
    /// `sqrt(mean((x - x')^2 / var(x)))` over the hidden cells of all columns of numbers that vary, if there
    /// are any. 1 is what the mean gives.
    pub nrmse: Option<f64>,
    /// The same with the squared range of the column instead of the variance: the error of values that
    /// were scaled to \[0, 1\] (RMSE in Yoon et al. 2018, arXiv 1806.02920).
    pub rmse01: Option<f64>,
    /// The share of wrong categories over the hidden cells of all columns of categories, if there are any.
    pub pfc: Option<f64>,
}

impl Errors {
    /// Compares imputed cells with the true ones where they were hidden. Variance and range of a column are
    /// those of all its known cells in `truth`.
    ///
    /// # Panics
    /// If the tables have other shapes.
    pub fn of(method: &str, truth: &Cells, imputed: &Cells, hidden: &[bool]) -> Self {
        let width = truth.width();
        assert!(imputed.width() == width && imputed.len() == truth.len());
        assert_eq!(hidden.len(), truth.len() * width, "a mark for every cell");
        let mut columns = vec![None; width];
        let (mut squares, mut scaled, mut numbers) = (0.0, 0.0, 0usize);
        let (mut wrong, mut categories) = (0usize, 0usize);
        for (column, error) in columns.iter_mut().enumerate() {
            let pairs: Vec<(f64, f64)> = (0..truth.len())
                .filter(|row| hidden[row * width + column])
                .map(|row| (truth.at(row, column), imputed.at(row, column)))
                .filter(|(value, _)| !value.is_nan())
                .collect();
            let n = pairs.len() as f64;
            if pairs.is_empty() {
                continue;
            }
            if truth.columns()[column].categories().is_some() {
                let count = pairs.iter().filter(|(value, guess)| value != guess).count();
                *error = Some(count as f64 / n);
                wrong += count;
                categories += pairs.len();
                continue;
            }
            let Some([variance, range]) = spread(truth, column) else { continue };
            let sum: f64 = pairs.iter().map(|(value, guess)| (value - guess).powi(2)).sum();
            *error = Some((sum / n / variance).sqrt());
            squares += sum / variance;
            scaled += sum / (range * range);
            numbers += pairs.len();
        }
        let root = |sum: f64| (numbers > 0).then(|| (sum / numbers as f64).sqrt());
        Self {
            method: method.to_owned(),
            columns,
            nrmse: root(squares),
            rmse01: root(scaled),
            pfc: (categories > 0).then(|| wrong as f64 / categories as f64),
        }
    }
}

/// Variance and range of a column's known cells, if they vary.
fn spread(cells: &Cells, column: usize) -> Option<[f64; 2]> {
    let known: Vec<f64> = cells.column(column).filter(|value| !value.is_nan()).collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / n;
    let variance = known.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n;
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (variance > 0.0 && high > low).then_some([variance, high - low])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::{Column, Kind};

    /// Numbers 0, 2, 4: variance 8/3, range 4. 0 is guessed as 1 and 4 as 2: squares 1 + 4.
    /// NRMSE sqrt(5/2 / (8/3)) = 0.968246, scaled sqrt(5/2 / 16) = 0.395285. Of two categories one is wrong.
    #[test]
    fn errors_by_hand() {
        let categories = ["x", "y"].map(String::from).into();
        let columns = vec![
            Column { name: "n".into(), kind: Kind::Number { integer: false } },
            Column { name: "c".into(), kind: Kind::Category { categories } },
        ];
        let truth = Cells::new(columns.clone(), vec![0.0, 1.0, 2.0, 1.0, 4.0, 0.0]).unwrap();
        let guess = Cells::new(columns, vec![1.0, 0.0, 9.0, 1.0, 2.0, 0.0]).unwrap();
        let hidden = [true, true, false, true, true, false];
        let errors = Errors::of("ours", &truth, &guess, &hidden);
        assert!((errors.nrmse.unwrap() - 0.968_246).abs() < 1e-6);
        assert!((errors.rmse01.unwrap() - 0.395_285).abs() < 1e-6);
        assert_eq!(errors.pfc, Some(0.5));
        assert_eq!(errors.columns[1], Some(0.5));
        let none = Errors::of("ours", &truth, &guess, &[false; 6]);
        assert_eq!((none.nrmse, none.pfc, none.columns), (None, None, vec![None; 2]));
    }
}
