//! Cells as the features of a model: standardised numbers and one-hot blocks, with marks of what is known.

use std::ops::Range;

use ae_data::Source;
use serde::{Deserialize, Serialize};

use super::{Cells, Column};

/// The largest absolute value of a standardised number: a cell farther out counts as this far.
const FARTHEST: f64 = 8.0;

/// How the columns of a table become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    /// Offset and scale of each column; 0 and 1 for categories.
    pub scaling: Vec<[f64; 2]>,
    /// The features of each column.
    pub features: Vec<Range<usize>>,
    /// Whether each column has categories.
    pub categories: Vec<bool>,
}

impl Layout {
    /// The layout of cells: mean and standard deviation of the known ones.
    pub(crate) fn of(cells: &Cells) -> Self {
        let mut end = 0;
        let features = cells.columns().iter().map(|column| {
            let start = end;
            end += column.features();
            start..end
        });
        let features = features.collect();
        let scaling = (0..cells.width()).map(|at| scaling(cells, at)).collect();
        let categories = cells.columns().iter().map(|it| it.categories().is_some()).collect();
        Self { scaling, features, categories }
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        self.features.last().map_or(0, |range| range.end)
    }

    /// Rows as features, with 0 and a mark of 0 where a cell is missing.
    pub(crate) fn encode(&self, cells: &Cells) -> Rows {
        let d = self.width();
        let mut values = vec![0.0f32; cells.len() * 2 * d];
        for (row, out) in cells.rows().zip(values.chunks_exact_mut(2 * d)) {
            let (out, known) = out.split_at_mut(d);
            for (at, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                let range = self.features[at].clone();
                known[range.clone()].fill(1.0);
                match cells.columns()[at].categories() {
                    None => out[range.start] = self.standardize(at, *value) as f32,
                    Some(_) => out[range.start + *value as usize] = 1.0,
                }
            }
        }
        Rows { values, width: 2 * d }
    }

    /// The blocks of features of categories.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let columns = self.features.iter().zip(&self.categories);
        columns.filter(|(_, is_category)| **is_category).map(|(range, _)| range.clone())
    }

    /// A number as a feature.
    pub(crate) fn standardize(&self, column: usize, value: f64) -> f64 {
        let [offset, scale] = self.scaling[column];
        ((value - offset) / scale).clamp(-FARTHEST, FARTHEST)
    }

    /// A feature as a number.
    pub(crate) fn invert(&self, column: usize, feature: f64) -> f64 {
        let [offset, scale] = self.scaling[column];
        feature * scale + offset
    }

    /// Whether it is one of these columns, with usable numbers; a file may have anything.
    pub(crate) fn fits(&self, columns: &[Column]) -> bool {
        let mut end = 0;
        self.scaling.len() == columns.len()
            && self.features.len() == columns.len()
            && self.categories.len() == columns.len()
            && columns.iter().all(|column| column.features() > 0)
            && self
                .categories
                .iter()
                .zip(columns)
                .all(|(its, column)| *its == column.categories().is_some())
            && self.features.iter().zip(columns).all(|(range, column)| {
                let start = std::mem::replace(&mut end, range.end);
                range.start == start && range.end.checked_sub(start) == Some(column.features())
            })
            && self.scaling.iter().flatten().all(|number| number.is_finite())
            && self.scaling.iter().all(|[_, scale]| *scale > 0.0)
    }
}

fn scaling(cells: &Cells, column: usize) -> [f64; 2] {
    if cells.columns()[column].categories().is_some() {
        return [0.0, 1.0];
    }
    let known: Vec<f64> = cells.column(column).filter(|value| !value.is_nan()).collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / n;
    let deviation = (known.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n).sqrt();
    let varies = deviation > 1e-12 * mean.abs() && deviation.is_normal();
    [mean, if varies { deviation } else { 1.0 }]
}

/// Rows of features and marks, `2 d` numbers each.
#[derive(Clone)]
pub(crate) struct Rows {
    values: Vec<f32>,
    width: usize,
}

impl Rows {
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Source for Rows {
    fn len(&self) -> usize {
        self.values.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, rows: &[usize], out: &mut [f32]) -> ae_data::Result<()> {
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(self.width)) {
            out.copy_from_slice(self.row(*row));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::Kind;

    /// 1 and 3: mean 2, deviation 1. A category in the second of three places.
    #[test]
    fn features_by_hand() {
        let categories = ["x", "y", "z"].map(String::from).into();
        let columns = vec![
            Column { name: "n".into(), kind: Kind::Number { integer: false } },
            Column { name: "c".into(), kind: Kind::Category { categories } },
        ];
        let cells = Cells::new(columns, vec![1.0, 1.0, 3.0, f64::NAN]).unwrap();
        let layout = Layout::of(&cells);
        assert_eq!(layout.scaling[0], [2.0, 1.0]);
        let rows = layout.encode(&cells);
        assert_eq!(rows.row(0), [-1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(rows.row(1), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(layout.invert(0, 1.0), 3.0);
        assert!(layout.fits(cells.columns()) && !layout.fits(&cells.columns()[..1]));
    }

    #[test]
    fn a_constant_column_is_not_scaled() {
        let cells = crate::impute::cells::tests::numbers(1, &[5.0, 5.0, f64::NAN]);
        assert_eq!(Layout::of(&cells).scaling, [[5.0, 1.0]]);
    }
}
