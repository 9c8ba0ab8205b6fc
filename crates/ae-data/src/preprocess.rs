//! Preprocessing: one affine map per feature, fitted to the training set only.

mod quantiles;
mod statistics;

use crate::storage::FAR;
use crate::{Error, Result, Samples};
use statistics::{Statistics, quartiles};

/// How [`Preprocessing::fit`] chooses offset and scale.
///
/// | method | offset | scale | result |
/// |---|---|---|---|
/// | `None` | 0 | 1 | unchanged (pixels: \[0, 1\]) |
/// | `Scale` | 0 | largest absolute value of all features | in \[-1, 1\]; zero stays zero, ratios between features stay |
/// | `MinMax` | minimum | maximum - minimum | in \[0, 1\] |
/// | `Standardize` | mean | standard deviation (of the population) | mean 0, variance 1 |
/// | `Robust` | median | interquartile range (the standard deviation if that is 0) | the middle half of the values spans 1, whatever the outliers |
///
/// `MinMax`, `Standardize` and `Robust` have one offset and scale per column of a table, or per
/// channel of an image. A constant feature gets scale 1. The 0 and 1 of categories and booleans
/// stay unchanged. Missing values are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Leave features as they are.
    #[default]
    None,
    /// Divide everything by one number.
    Scale,
    /// Map the range of each feature to \[0, 1\].
    MinMax,
    /// Shift and scale each feature to mean 0 and variance 1.
    Standardize,
    /// Shift and scale each feature to median 0 and interquartile range 1.
    Robust,
}

/// A fitted map `y = (x - offset) / scale` and its inverse: each feature minus its offset, divided by
/// its scale. It is saved with the model that was trained on its output.
///
/// Fit it to the training set, then read all sets through it ([`Samples::with_preprocessing`]).
/// Values of the other sets may then lie outside the range of the training set; they are not
/// clipped.
///
/// ```
/// use ae_data::{Method, Preprocessing, Samples, Shape};
/// let training = Samples::from_floats(vec![1.0, 10.0, 3.0, 30.0], Shape::table(2))?;
/// let preprocessing = Preprocessing::fit(Method::MinMax, &training)?;
/// let test = Samples::from_floats(vec![2.0, 40.0], Shape::table(2))?;
/// assert_eq!(test.with_preprocessing(preprocessing)?.row(0), [0.5, 1.5]);
/// # Ok::<(), ae_data::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Preprocessing {
    method: Method,
    /// One offset and scale per group of `width / groups` adjacent features; empty for the identity.
    offset: Vec<f32>,
    scale: Vec<f32>,
    width: usize,
    /// The rounding errors of the offsets, if a group is [far](FAR) from zero: its offset is then
    /// subtracted in f64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rest: Vec<f64>,
    /// The values that replace missing ones; empty if none were missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fill: Vec<f64>,
}

impl Preprocessing {
    /// The identity.
    pub fn none() -> Self {
        Self::default()
    }

    /// Fits `method` in f64 to samples as they are stored, before any other preprocessing.
    ///
    /// # Errors
    /// If there are no samples to fit to, or they cannot be read.
    pub fn fit(method: Method, training: &Samples) -> Result<Self> {
        let mut fill = match training.may_be_missing() && training.try_missing()? > 0 {
            true => training.means()?,
            false => vec![],
        };
        fill.iter_mut().for_each(|mean| *mean = short(*mean));
        if method == Method::None {
            let width = if fill.is_empty() { 0 } else { training.width() };
            return Ok(Self { width, fill, ..Self::none() });
        }
        if training.is_empty() {
            return Err(Error::invalid("training set", "at least one sample", "none"));
        }
        let width = training.width();
        let groups = match method {
            Method::Scale => 1,
            _ => training.shape().groups(),
        };
        let mut pairs: Vec<(f64, f64)> = match method {
            Method::Robust => quartiles(training, groups)?,
            _ => Statistics::of(training, groups)?
                .iter()
                .map(|group| group.offset_and_scale(method, training.is_exact()))
                .collect(),
        };
        if let Some(table) = training.table().filter(|_| method != Method::Scale) {
            for (pair, is_indicator) in pairs.iter_mut().zip(table.schema.indicators()) {
                if is_indicator {
                    *pair = (0.0, 1.0);
                }
            }
        }
        let far = |(offset, scale): &(f64, f64)| {
            if offset.abs() > FAR * scale { short(offset - f64::from(*offset as f32)) } else { 0.0 }
        };
        let mut rest: Vec<f64> = pairs.iter().map(far).collect();
        if pairs.iter().all(|(offset, scale)| offset.abs() <= FAR * scale) {
            rest.clear();
        }
        let (offset, scale) =
            pairs.into_iter().map(|(offset, scale)| (offset as f32, scale as f32)).unzip();
        Ok(Self { method, offset, scale, width, rest, fill })
    }

    /// The method it was fitted by.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Maps a row in place.
    ///
    /// # Panics
    /// If it was fitted to rows of another width.
    pub fn apply(&self, row: &mut [f32]) {
        self.each(row, |value, offset, scale| (value - offset) / scale);
    }

    /// Maps a row in f64 to the f32 that a model sees.
    ///
    /// # Panics
    /// If it was fitted to rows of another width, or `out` and `row` differ in length.
    pub fn apply_exact(&self, row: &[f64], out: &mut [f32]) {
        assert_eq!(row.len(), out.len(), "an output as long as the row");
        for (out, value) in out.iter_mut().zip(row) {
            *out = *value as f32;
        }
        self.apply(out);
        self.each_far(|at, offset, scale| out[at] = ((row[at] - offset) / scale) as f32);
    }

    /// Maps a row back to its original units.
    ///
    /// # Panics
    /// If it was fitted to rows of another width.
    pub fn invert(&self, row: &mut [f32]) {
        self.each(row, |value, offset, scale| value * scale + offset);
    }

    /// Maps a row back to its original units in f64, which keeps the variation of columns far from
    /// zero, such as times.
    ///
    /// # Panics
    /// If it was fitted to rows of another width.
    pub fn invert_exact(&self, row: &[f32]) -> Vec<f64> {
        let mut plain = row.to_vec();
        self.invert(&mut plain);
        let mut out: Vec<f64> = plain.into_iter().map(f64::from).collect();
        self.each_far(|at, offset, scale| out[at] = f64::from(row[at]) * scale + offset);
        out
    }

    /// Whether rows must be read in f64.
    pub(crate) fn is_exact(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The values that replace missing ones, if known.
    pub(crate) fn fill(&self) -> Option<&[f64]> {
        (!self.fill.is_empty()).then_some(&self.fill)
    }

    fn each(&self, row: &mut [f32], map: impl Fn(f32, f32, f32) -> f32) {
        if self.offset.is_empty() {
            return;
        }
        assert_eq!(row.len(), self.width, "preprocessing of {} features", self.width);
        let groups = row.chunks_exact_mut(self.width / self.offset.len());
        for (values, (offset, scale)) in groups.zip(self.offset.iter().zip(&self.scale)) {
            values.iter_mut().for_each(|value| *value = map(*value, *offset, *scale));
        }
    }

    /// Calls `map` with each feature far from zero, its offset and its scale.
    fn each_far(&self, mut map: impl FnMut(usize, f64, f64)) {
        if self.rest.is_empty() {
            return;
        }
        let neighbours = self.width / self.offset.len();
        for (group, rest) in self.rest.iter().enumerate() {
            let offset = f64::from(self.offset[group]) + rest;
            let scale = f64::from(self.scale[group]);
            if offset.abs() > FAR * scale {
                (group * neighbours..(group + 1) * neighbours)
                    .for_each(|at| map(at, offset, scale));
            }
        }
    }

    /// Checks that it is well formed, since it may come from a file, and fits rows of `width` features.
    pub(crate) fn check(&self, width: usize) -> Result<()> {
        let groups = self.offset.len();
        if groups == 0 && self.scale.is_empty() && self.fill.is_empty() && self.rest.is_empty() {
            return Ok(());
        }
        if self.width != width {
            return Err(Error::invalid(
                "preprocessing",
                format!("one fitted to {width} features"),
                format!("one fitted to {}", self.width),
            ));
        }
        let usable = |scale: &f32| scale.is_finite() && *scale != 0.0;
        let numbers = self.rest.iter().chain(&self.fill);
        if !(self.fill.is_empty() || self.fill.len() == width)
            || !(self.rest.is_empty() || self.rest.len() == groups)
            || !numbers.copied().all(f64::is_finite)
        {
            let expected =
                "a finite number for each feature that may be missing or is far from zero";
            return Err(Error::invalid("preprocessing", expected, "others"));
        }
        if groups == 0 && self.scale.is_empty() {
            return Ok(());
        }
        if groups == 0
            || self.scale.len() != groups
            || !width.is_multiple_of(groups)
            || !self.scale.iter().all(usable)
            || !self.offset.iter().all(|offset| offset.is_finite())
        {
            return Err(Error::invalid(
                "preprocessing",
                "a finite offset and a finite scale other than 0 per group of features",
                format!("offsets {:?}, scales {:?}", self.offset, self.scale),
            ));
        }
        Ok(())
    }
}

/// A number rounded to 15 digits, which every JSON reader reads exactly.
fn short(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;

    fn table(values: &[f32], columns: usize) -> Samples {
        Samples::from_floats(values.to_vec(), Shape::table(columns)).unwrap()
    }

    /// Columns (1, 3, 5) and (7, 7, 7): mean 3, variance (4 + 0 + 4) / 3 = 8/3; the constant
    /// column only loses its mean.
    #[test]
    fn standardize_by_hand() {
        let samples = table(&[1.0, 7.0, 3.0, 7.0, 5.0, 7.0], 2);
        let fitted = Preprocessing::fit(Method::Standardize, &samples).unwrap();
        let samples = samples.with_preprocessing(fitted).unwrap();
        let deviation = (8.0f32 / 3.0).sqrt();
        assert_eq!(samples.row(0), [-2.0 / deviation, 0.0]);
        assert_eq!(samples.row(1), [0.0, 0.0]);
    }

    #[test]
    fn scale_has_one_factor_and_min_max_one_per_feature() {
        let samples = table(&[-4.0, 1.0, 2.0, 2.0], 2);
        let through = |method| {
            let fitted = Preprocessing::fit(method, &samples).unwrap();
            samples.clone().with_preprocessing(fitted).unwrap()
        };
        assert_eq!(through(Method::Scale).row(0), [-1.0, 0.25]);
        assert_eq!(through(Method::MinMax).row(0), [0.0, 0.0]);
        assert_eq!(through(Method::MinMax).row(1), [1.0, 1.0]);
        assert_eq!(through(Method::None).row(1), [2.0, 2.0]);
    }

    #[test]
    fn images_are_scaled_per_channel() {
        let samples =
            Samples::from_bytes(vec![0, 51, 102, 255, 0, 255], Shape::image(3, 1, 2)).unwrap();
        let fitted = Preprocessing::fit(Method::MinMax, &samples).unwrap();
        let samples = samples.with_preprocessing(fitted).unwrap();
        assert_eq!(samples.row(0), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn wrong_widths_and_broken_files_are_refused() {
        let fitted = Preprocessing::fit(Method::MinMax, &table(&[1.0, 2.0], 2)).unwrap();
        let error = table(&[1.0, 2.0, 3.0], 3).with_preprocessing(fitted).unwrap_err();
        assert_eq!(
            error.to_string(),
            "preprocessing: expected one fitted to 3 features, got one fitted to 2"
        );
        // Only the number of features counts, not whether they are pixels or columns.
        let fitted = Preprocessing::fit(Method::MinMax, &table(&[1.0, 2.0], 2)).unwrap();
        let pixels = Samples::from_bytes(vec![0, 255], Shape::image(1, 1, 2)).unwrap();
        assert!(pixels.with_preprocessing(fitted).is_ok());
        let broken: Preprocessing =
            serde_json::from_str(r#"{"method":"scale","offset":[0.0],"scale":[0.0],"width":3}"#)
                .unwrap();
        assert!(table(&[1.0, 2.0, 3.0], 3).with_preprocessing(broken).is_err());
    }

    proptest! {
        #[test]
        fn invert_undoes_apply(
            values in prop::collection::vec(-1e3f32..1e3, 12),
            method in prop::sample::select(vec![
                Method::Scale, Method::MinMax, Method::Standardize, Method::Robust,
            ]),
        ) {
            let samples = table(&values, 3);
            let fitted = Preprocessing::fit(method, &samples).unwrap();
            let again: Preprocessing =
                serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
            prop_assert_eq!(&again, &fitted);
            let mut row = samples.row(2);
            fitted.apply(&mut row);
            fitted.invert(&mut row);
            for (value, original) in row.iter().zip(samples.row(2)) {
                prop_assert!((value - original).abs() <= 1e-3, "{} {}", value, original);
            }
        }
    }
}
