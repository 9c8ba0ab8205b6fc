//! Exact k nearest neighbours, by comparing every pair of rows.

use rayon::prelude::*;

use crate::{Error, Result};

/// Reference rows that are compared at a time: with some dozens of features they stay in the cache.
const BLOCK: usize = 512;

/// Rows to find neighbours among.
///
/// ```
/// use ae_apply::Neighbours;
/// // Points 0, 1 and 5 on a line: the two nearest to 2 are 1 and 2 away.
/// let points = Neighbours::new(&[0.0, 1.0, 5.0], 1)?;
/// assert_eq!(points.mean_distances(&[2.0], 2), [1.5]);
/// # Ok::<(), ae_apply::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// In blocks of rows, each with its features one after another.
    blocks: Vec<Vec<f32>>,
    count: usize,
    width: usize,
}

/// Checks that values are whole rows of `width` features, at least one.
pub(crate) fn check_rows(rows: &[f32], width: usize) -> Result<()> {
    if width == 0 || rows.is_empty() || !rows.len().is_multiple_of(width) {
        let expected = format!("whole rows of {width} features, at least one");
        return Err(Error::setting("rows", expected, format!("{} values", rows.len())));
    }
    Ok(())
}

impl Neighbours {
    /// Rows of `width` features each.
    ///
    /// # Errors
    /// If there is no row, or the values are no whole rows.
    pub fn new(rows: &[f32], width: usize) -> Result<Self> {
        check_rows(rows, width)?;
        let blocks = rows.chunks(BLOCK * width).map(|block| transposed(block, width)).collect();
        Ok(Self { blocks, count: rows.len() / width, width })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none, which [`new`](Self::new) refuses.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The mean of the Euclidean distances from each query to the `k` rows nearest to it, or to all if
    /// there are fewer.
    ///
    /// # Panics
    /// If the queries are no whole rows.
    pub fn mean_distances(&self, queries: &[f32], k: usize) -> Vec<f64> {
        self.each(queries, |nearest, _| mean(nearest.smallest(k, None)))
    }

    /// The same for some of the rows themselves, of which the first is row `first`, each without itself. Copies of
    /// a row are neighbours of it.
    ///
    /// # Panics
    /// If these are no whole rows, or more than there are from there.
    pub fn mean_distances_of_rows(&self, rows: &[f32], first: usize, k: usize) -> Vec<f64> {
        assert!(first + rows.len() / self.width <= self.count, "some of the {} rows", self.count);
        self.each(rows, |nearest, row| mean(nearest.smallest(k, Some(first + row))))
    }

    fn each(&self, queries: &[f32], of: impl Fn(&mut Distances, usize) -> f64 + Sync) -> Vec<f64> {
        assert!(queries.len().is_multiple_of(self.width), "queries of {} features", self.width);
        let start = || Distances { squares: vec![0.0; self.count] };
        let queries = queries.par_chunks_exact(self.width).enumerate();
        let distances = queries.map_init(start, |distances, (row, query)| {
            distances.fill(self, query);
            of(distances, row)
        });
        distances.collect()
    }
}

/// Squared distances from a query to all rows.
struct Distances {
    squares: Vec<f32>,
}

impl Distances {
    /// Sums of squared differences: the formula by products would lose the distances of near copies.
    fn fill(&mut self, rows: &Neighbours, query: &[f32]) {
        for (block, squares) in rows.blocks.iter().zip(self.squares.chunks_mut(BLOCK)) {
            squares.fill(0.0);
            for (feature, value) in block.chunks_exact(squares.len()).zip(query) {
                for (square, reference) in squares.iter_mut().zip(feature) {
                    let difference = reference - value;
                    *square += difference * difference;
                }
            }
        }
    }

    fn smallest(&mut self, k: usize, without: Option<usize>) -> &[f32] {
        if let Some(row) = without {
            self.squares[row] = f32::INFINITY;
        }
        let count = self.squares.len() - usize::from(without.is_some());
        let k = k.min(count);
        if k > 0 && k < self.squares.len() {
            self.squares.select_nth_unstable_by(k - 1, f32::total_cmp);
        }
        &self.squares[..k]
    }
}

fn mean(squares: &[f32]) -> f64 {
    let sum: f64 = squares.iter().map(|square| f64::from(*square).sqrt()).sum();
    sum / squares.len().max(1) as f64
}

/// Row-major to feature-major.
fn transposed(rows: &[f32], width: usize) -> Vec<f32> {
    let features = (0..width).map(|feature| rows.iter().skip(feature).step_by(width));
    features.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (0, 0), (3, 4), (6, 8): 5 and 10 from the first, 5 and 5 from the second.
    #[test]
    fn distances_by_hand() {
        let rows = [0.0, 0.0, 3.0, 4.0, 6.0, 8.0];
        let points = Neighbours::new(&rows, 2).unwrap();
        assert_eq!(points.mean_distances_of_rows(&rows, 0, 2), [7.5, 5.0, 7.5]);
        assert_eq!(points.mean_distances_of_rows(&rows, 0, 1), [5.0, 5.0, 5.0]);
        assert_eq!(points.mean_distances_of_rows(&rows[2..], 1, 2), [5.0, 7.5]);
        assert_eq!(points.mean_distances(&rows, 1), [0.0, 0.0, 0.0]);
        // Fewer rows than neighbours: all of them.
        assert_eq!(points.mean_distances(&[0.0, 0.0], 9), [5.0]);
        assert_eq!(points.mean_distances_of_rows(&rows, 0, 9), [7.5, 5.0, 7.5]);
    }

    #[test]
    fn no_rows_and_torn_rows_are_refused() {
        let error = Neighbours::new(&[1.0, 2.0, 3.0], 2).unwrap_err().to_string();
        assert_eq!(error, "rows: expected whole rows of 2 features, at least one, got 3 values");
        assert!(Neighbours::new(&[], 2).is_err());
        assert!(Neighbours::new(&[1.0], 0).is_err());
    }

    proptest! {
        /// Across blocks, the same as by sorting all distances.
        #[test]
        fn agrees_with_sorting(count in 1usize..1200, k in 1usize..8, seed in 0u32..1000) {
            let value = |at: usize| ((at as f32 + seed as f32) * 1.618).sin();
            let rows: Vec<f32> = (0..count * 3).map(value).collect();
            let query = [0.3, -0.2, 0.9];
            let mut all: Vec<f32> = rows
                .chunks_exact(3)
                .map(|row| row.iter().zip(&query).map(|(a, b)| (a - b) * (a - b)).sum())
                .collect();
            all.sort_by(f32::total_cmp);
            let expected = mean(&all[..k.min(count)]);
            let got = Neighbours::new(&rows, 3).unwrap().mean_distances(&query, k)[0];
            prop_assert!((got - expected).abs() < 1e-6, "{} {}", got, expected);
        }
    }
}
