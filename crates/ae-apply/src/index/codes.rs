//! Codes on the host, a row each.

use ae_data::Samples;

use crate::{Error, Result};

/// Codes on the host: rows of `width` finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    values: Vec<f32>,
    width: usize,
}

impl Codes {
    /// Codes from their numbers, row after row.
    ///
    /// # Errors
    /// If the width is 0, the values are no whole rows, or one is not finite.
    pub fn new(values: Vec<f32>, width: usize) -> Result<Self> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let got = format!("{} numbers in rows of {width}", values.len());
            return Err(Error::setting("codes", "whole rows of at least one number", got));
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                let what = format!("{} in code {}", values[at], at / width);
                Err(Error::setting("codes", "finite numbers", what))
            }
            None => Ok(Self { values, width }),
        }
    }

    /// The rows of samples as they are, such as pixels, or codes of
    /// [`encode_dataset`](ae_train::encode_dataset).
    ///
    /// # Errors
    /// If a value is not finite.
    pub fn from_samples(samples: &Samples) -> Result<Self> {
        Self::new(Vec::<Vec<f32>>::from(samples).concat(), samples.width())
    }

    /// The number of codes.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The numbers of a code.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One code.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len).
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// The rows, one after the other.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The codes with these indices, in this order.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    pub fn subset(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|row| self.row(*row).iter().copied()).collect();
        Self { values, width: self.width }
    }

    /// Adds the rows of others of the same width.
    ///
    /// # Errors
    /// If the widths differ.
    pub fn extend(&mut self, others: &Self) -> Result<()> {
        if self.width != others.width {
            let expected = format!("{} numbers", self.width);
            return Err(Error::setting("width of a code", expected, others.width));
        }
        self.values.extend_from_slice(&others.values);
        Ok(())
    }

    /// The mean of every number, summed in f64; 0 without codes.
    pub fn mean(&self) -> Vec<f32> {
        let mut sums = vec![0.0f64; self.width];
        for row in self.rows() {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        sums.iter().map(|sum| (sum / self.len().max(1) as f64) as f32).collect()
    }

    /// The codes minus `center`.
    ///
    /// # Panics
    /// If `center` has another width.
    pub fn centered(&self, center: &[f32]) -> Self {
        assert_eq!(center.len(), self.width, "a center as wide as a code");
        let values = self.rows().flat_map(|row| row.iter().zip(center).map(|(a, b)| a - b));
        Self { values: values.collect(), width: self.width }
    }

    /// The codes, each divided by its length. A code of length 0 stays 0.
    pub fn normalized(&self) -> Self {
        let mut values = self.values.clone();
        for row in values.chunks_exact_mut(self.width) {
            let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
            }
        }
        Self { values, width: self.width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_center_and_length_by_hand() {
        let codes = Codes::new(vec![3.0, 4.0, 1.0, 0.0], 2).unwrap();
        assert_eq!(codes.mean(), [2.0, 2.0]);
        assert_eq!(codes.centered(&[1.0, 1.0]).values(), [2.0, 3.0, 0.0, -1.0]);
        assert_eq!(codes.normalized().values(), [0.6, 0.8, 1.0, 0.0]);
        assert_eq!(Codes::new(vec![0.0; 2], 2).unwrap().normalized().values(), [0.0, 0.0]);
        assert_eq!(codes.subset(&[1, 1]).values(), [1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn malformed_codes_are_refused() {
        let message = |values, width| Codes::new(values, width).unwrap_err().to_string();
        assert_eq!(
            message(vec![1.0; 3], 2),
            "codes: expected whole rows of at least one number, got 3 numbers in rows of 2"
        );
        assert_eq!(
            message(vec![1.0, f32::NAN], 1),
            "codes: expected finite numbers, got NaN in code 1"
        );
        let mut codes = Codes::new(vec![1.0], 1).unwrap();
        let wide = Codes::new(vec![1.0; 2], 2).unwrap();
        let message = codes.extend(&wide).unwrap_err().to_string();
        assert_eq!(message, "width of a code: expected 1 numbers, got 2");
    }
}
