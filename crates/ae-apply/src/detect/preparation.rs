//! From rows of a file to the numbers that a detector sees.

use ae_data::{Method, Preprocessing, Samples};

use crate::{Error, Result};

/// Standard deviations up to which a value is unchanged.
const LINEAR: f32 = 5.0;

/// Standardisation, then a squeeze of what is far out.
///
/// `x = (raw - mean) / deviation`, then `x` where `|x| <= 5`, else `sign(x) 5 (1 + ln(|x| / 5))`: a value 1000
/// deviations out would otherwise decide every distance and every gradient. The order of values stays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preparation(pub(crate) Preprocessing);

impl Preparation {
    pub(crate) fn fit(training: &Samples) -> Result<Self> {
        Ok(Self(Preprocessing::fit(Method::Standardize, training)?))
    }

    /// All rows, one after another.
    pub(crate) fn rows(&self, samples: &Samples) -> Result<Vec<f32>> {
        let samples = samples.clone().with_preprocessing(self.0.clone())?;
        let mut rows = Vec::with_capacity(samples.len() * samples.width());
        for row in 0..samples.len() {
            rows.extend(samples.try_row(row)?);
        }
        rows.iter_mut().for_each(|value| *value = squeeze(*value));
        match rows.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                let (row, feature) = (at / samples.width(), at % samples.width());
                let what = format!("feature {feature} of row {row}");
                Err(Error::Unsuitable(format!("{what}: expected a number in the range of f32")))
            }
            None => Ok(rows),
        }
    }
}

/// What is beyond [`LINEAR`] grows as its logarithm.
pub(crate) fn squeeze(value: f32) -> f32 {
    match value.abs() <= LINEAR {
        true => value,
        false => value.signum() * LINEAR * (1.0 + (value.abs() / LINEAR).ln()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::Shape;

    /// 5 e is one more 5, and the order stays.
    #[test]
    fn squeeze_by_hand() {
        assert_eq!([0.0, -2.5, 5.0, -5.0].map(squeeze), [0.0, -2.5, 5.0, -5.0]);
        assert!((squeeze(5.0 * 1f32.exp()) - 10.0).abs() < 1e-5);
        assert!((squeeze(-5.0 * 1f32.exp()) + 10.0).abs() < 1e-5);
        assert!(squeeze(1e30) < squeeze(1e31) && squeeze(5.001) > 5.0);
    }

    /// A column of 1 and 3 has mean 2 and deviation 1; a constant column only loses its mean.
    #[test]
    fn rows_by_hand() {
        let samples =
            |values: &[f32]| Samples::from_floats(values.to_vec(), Shape::table(2)).unwrap();
        let preparation = Preparation::fit(&samples(&[1.0, 7.0, 3.0, 7.0])).unwrap();
        assert_eq!(preparation.rows(&samples(&[4.0, 7.5])).unwrap(), [2.0, 0.5]);
    }
}
