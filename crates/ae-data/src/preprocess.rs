//! Preprocessing: one affine map per feature, fitted on the training part only.

use crate::{Error, Result, Samples};

/// How [`Preprocessing::fit`] chooses its numbers.
///
/// | method | offset | scale | afterwards |
/// |---|---|---|---|
/// | `None` | 0 | 1 | as they came (pixels: \[0, 1\]) |
/// | `Scale` | 0 | largest absolute value of all features | in \[-1, 1\], zero stays zero, proportions between features stay |
/// | `MinMax` | minimum | maximum - minimum | in \[0, 1\] |
/// | `Standardize` | mean | standard deviation (of the population) | mean 0, variance 1 |
///
/// `MinMax` and `Standardize` take one pair of numbers per column of a table and one per
/// channel of an image. A feature that never changes gets scale 1.
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
    /// Bring each feature to mean 0 and variance 1.
    Standardize,
}

/// A fitted map `y = (x - offset) / scale` and its inverse; saved with the model that was
/// trained on its output.
///
/// Fit it on the training part, then read every part through it
/// ([`Samples::with_preprocessing`]): values of other parts may then fall outside the range
/// that the training part was brought to, and are left there.
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
    /// One pair per group of `width / groups` neighbouring features; none: the identity.
    offset: Vec<f32>,
    scale: Vec<f32>,
    width: usize,
}

impl Preprocessing {
    /// The identity.
    pub fn none() -> Self {
        Self::default()
    }

    /// Fits `method` to samples as stored (through no other preprocessing), in f64.
    ///
    /// # Errors
    /// If there are no samples to fit to.
    pub fn fit(method: Method, training: &Samples) -> Result<Self> {
        if method == Method::None {
            return Ok(Self::none());
        }
        if training.is_empty() {
            return Err(Error::invalid("training part", "at least one sample", "none"));
        }
        let width = training.width();
        let groups = match method {
            Method::Scale => 1,
            _ => training.shape().groups(),
        };
        let mut statistics = vec![Statistics::default(); groups];
        let mut row = vec![0.0f32; width];
        for index in 0..training.len() {
            training.copy_raw_row(index, &mut row);
            for (values, statistics) in row.chunks_exact(width / groups).zip(&mut statistics) {
                values.iter().for_each(|value| statistics.add(f64::from(*value)));
            }
        }
        let pairs = statistics.iter().map(|group| group.offset_and_scale(method));
        let (offset, scale) = pairs.map(|(offset, scale)| (offset as f32, scale as f32)).unzip();
        Ok(Self { method, offset, scale, width })
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

    /// Maps a row back to the units it came in.
    ///
    /// # Panics
    /// If it was fitted to rows of another width.
    pub fn invert(&self, row: &mut [f32]) {
        self.each(row, |value, offset, scale| value * scale + offset);
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

    /// Whether it fits rows of `width` features and is well formed (it may come from a file).
    pub(crate) fn check(&self, width: usize) -> Result<()> {
        let groups = self.offset.len();
        if groups == 0 && self.scale.is_empty() {
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

/// Running mean and variance (Welford 1962), minimum and maximum.
#[derive(Clone)]
struct Statistics {
    count: f64,
    mean: f64,
    squares: f64,
    minimum: f64,
    maximum: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
            minimum: f64::INFINITY,
            maximum: f64::NEG_INFINITY,
        }
    }
}

impl Statistics {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
    }

    fn offset_and_scale(&self, method: Method) -> (f64, f64) {
        let (offset, scale) = match method {
            Method::None => (0.0, 1.0),
            Method::Scale => (0.0, self.maximum.abs().max(self.minimum.abs())),
            Method::MinMax => (self.minimum, self.maximum - self.minimum),
            Method::Standardize => (self.mean, (self.squares / self.count).sqrt()),
        };
        // A spread that is rounding error of the mean is no spread.
        let constant = scale <= self.mean.abs() * 1e-7 || (scale as f32) < f32::MIN_POSITIVE;
        (offset, if constant { 1.0 } else { scale })
    }
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
    fn scale_divides_all_by_one_number_and_min_max_each_by_its_own() {
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
    fn images_are_mapped_channel_by_channel() {
        let samples =
            Samples::from_bytes(vec![0, 51, 102, 255, 0, 255], Shape::image(3, 1, 2)).unwrap();
        let fitted = Preprocessing::fit(Method::MinMax, &samples).unwrap();
        let samples = samples.with_preprocessing(fitted).unwrap();
        assert_eq!(samples.row(0), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn another_number_of_features_or_a_broken_file_is_refused() {
        let fitted = Preprocessing::fit(Method::MinMax, &table(&[1.0, 2.0], 2)).unwrap();
        let error = table(&[1.0, 2.0, 3.0], 3).with_preprocessing(fitted).unwrap_err();
        assert_eq!(
            error.to_string(),
            "preprocessing: expected one fitted to 3 features, got one fitted to 2"
        );
        // Two pixels are as good as two columns: only their number counts.
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
            method in prop::sample::select(vec![Method::Scale, Method::MinMax, Method::Standardize]),
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
