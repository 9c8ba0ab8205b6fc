//! From and to arrays of the crate `ndarray`.

use ndarray::Array2;

use crate::{Error, Result, Samples, Shape};

/// A row for each sample, a column for each feature.
///
/// ```
/// use ae_data::Samples;
/// use ndarray::{Array2, array};
/// let samples = Samples::try_from(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])?;
/// assert_eq!((samples.len(), samples.row(1)), (3, vec![3.0, 4.0]));
/// assert_eq!(Array2::from(&samples)[[2, 0]], 5.0);
/// # Ok::<(), ae_data::Error>(())
/// ```
impl TryFrom<Array2<f32>> for Samples {
    type Error = Error;

    fn try_from(array: Array2<f32>) -> Result<Self> {
        let width = array.ncols();
        // In the order of rows, whatever the order in memory.
        Self::from_floats(array.iter().copied().collect(), Shape::table(width))
    }
}

/// The features of each sample, preprocessed.
impl From<&Samples> for Array2<f32> {
    fn from(samples: &Samples) -> Self {
        let mut array = Self::zeros((samples.len(), samples.width()));
        for (row, mut out) in array.rows_mut().into_iter().enumerate() {
            out.iter_mut().zip(samples.row(row)).for_each(|(out, value)| *out = value);
        }
        array
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ShapeBuilder;

    #[test]
    fn an_array_is_read_by_rows_whatever_its_order_in_memory() {
        let array = ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let by_columns = vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        let turned = Array2::from_shape_vec((2, 3).f(), by_columns).unwrap();
        for array in [array.clone(), turned] {
            let samples = Samples::try_from(array.clone()).unwrap();
            assert_eq!(
                (samples.row(0), samples.row(1)),
                (vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0])
            );
            assert_eq!(Array2::from(&samples), array);
        }
        let refused = Samples::try_from(ndarray::array![[1.0, f32::NAN]]).unwrap_err();
        assert_eq!(refused.to_string(), "feature 1 of sample 0: expected a finite number, got NaN");
    }
}
