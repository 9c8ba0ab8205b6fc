//! Rubin's rules: one estimate from several imputations, with the uncertainty between them.

use serde::{Deserialize, Serialize};

use crate::gamma::ln_gamma;
use crate::{Error, Result};

/// An estimate pooled over imputations (Rubin 1987, "Multiple Imputation for Nonresponse in Surveys", chapter 3;
/// the symbols are those of van Buuren, "Flexible Imputation of Missing Data", section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// `Q = mean Q_m`
    pub estimate: f64,
    /// Variance within imputations, `W = mean U_m`.
    pub within: f64,
    /// Variance between imputations, `B = var Q_m`.
    pub between: f64,
    /// `T = W + (1 + 1/M) B`
    pub total: f64,
    /// Degrees of freedom: `nu = (M - 1) / lambda^2`, infinite if the imputations agree, or those of
    /// [`with_complete_degrees`](Self::with_complete_degrees).
    #[serde(with = "finite")]
    pub degrees: f64,
    /// The proportion of the variance that is due to missing cells, `lambda = (1 + 1/M) B / T`.
    pub missing_variance: f64,
    /// The fraction of missing information, `gamma = (r + 2 / (nu + 3)) / (1 + r)` with the increase in variance
    /// `r = (1 + 1/M) B / W`; 0 if the imputations agree. It is above `lambda`, and near it where `nu` is
    /// large.
    pub missing_information: f64,
}

impl Pooled {
    /// Pools the estimates of imputations and their variances (squared standard errors).
    ///
    /// ```
    /// use ae_apply::impute::Pooled;
    /// let pooled = Pooled::of(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0])?;
    /// // W = 2, B = 1, T = 2 + 4/3.
    /// assert_eq!((pooled.estimate, pooled.within, pooled.between), (2.0, 2.0, 1.0));
    /// assert!((pooled.total - 10.0 / 3.0).abs() < 1e-12);
    /// # Ok::<(), ae_apply::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are fewer than two imputations, not as many variances, an estimate is not finite, or a variance
    /// is negative or not finite.
    pub fn of(estimates: &[f64], variances: &[f64]) -> Result<Self> {
        let m = estimates.len() as f64;
        if estimates.len() < 2 {
            return Err(Error::setting("imputations to pool", "at least 2", estimates.len()));
        }
        if variances.len() != estimates.len() {
            let expected = format!("{}, one per estimate", estimates.len());
            return Err(Error::setting("variances", expected, variances.len()));
        }
        if let Some(odd) = estimates.iter().find(|it| !it.is_finite()) {
            return Err(Error::setting("estimates", "finite numbers", odd));
        }
        if let Some(odd) = variances.iter().find(|it| !(it.is_finite() && **it >= 0.0)) {
            return Err(Error::setting("variances", "numbers from 0", odd));
        }
        let estimate = estimates.iter().sum::<f64>() / m;
        let within = variances.iter().sum::<f64>() / m;
        let between = estimates.iter().map(|it| (it - estimate).powi(2)).sum::<f64>() / (m - 1.0);
        let added = (1.0 + 1.0 / m) * between;
        let total = within + added;
        let missing_variance = if added > 0.0 { added / total } else { 0.0 };
        let degrees = (m - 1.0) / missing_variance.powi(2);
        let missing_information = missing_information(missing_variance, degrees);
        Ok(Self {
            estimate,
            within,
            between,
            total,
            degrees,
            missing_variance,
            missing_information,
        })
    }

    /// The same with the degrees of freedom of small samples: `nu nu_obs / (nu + nu_obs)` with
    /// `nu_obs = (c + 1) / (c + 3) c (1 - lambda)`, where `c` are those of the estimate from a complete table,
    /// `n - 1` of a mean of `n` rows (Barnard & Rubin 1999, doi 10.1093/biomet/86.4.948). They are never more
    /// than `c`. Where all the variance is between imputations, they stay `nu`.
    ///
    /// # Errors
    /// If the degrees of freedom are not above 0.
    pub fn with_complete_degrees(self, complete: f64) -> Result<Self> {
        if complete.is_nan() || complete <= 0.0 {
            return Err(Error::setting("degrees of freedom", "a number above 0", complete));
        }
        // With lambda = 1, where no variance is within imputations, nu_obs would be 0.
        if complete.is_infinite() || self.missing_variance >= 1.0 {
            return Ok(self);
        }
        let observed =
            (complete + 1.0) / (complete + 3.0) * complete * (1.0 - self.missing_variance);
        let degrees = match self.degrees.is_finite() {
            true => self.degrees * observed / (self.degrees + observed),
            false => observed,
        };
        let missing_information = missing_information(self.missing_variance, degrees);
        Ok(Self { degrees, missing_information, ..self })
    }

    /// The interval that has the true value with a probability of `level`: `Q +- t sqrt(T)`, with the
    /// quantile `t` of Student's distribution.
    pub fn interval(&self, level: f64) -> [f64; 2] {
        let half = student_quantile(0.5 + level / 2.0, self.degrees) * self.total.sqrt();
        [self.estimate - half, self.estimate + half]
    }
}

/// `(r + 2 / (nu + 3)) / (1 + r)`, where `1 + r = 1 / (1 - lambda)`, so `r / (1 + r) = lambda`.
fn missing_information(lambda: f64, degrees: f64) -> f64 {
    match lambda > 0.0 {
        true => lambda + (1.0 - lambda) * 2.0 / (degrees + 3.0),
        false => 0.0,
    }
}

/// The quantile of Student's distribution above one half, by bisection; that of the normal distribution
/// for very many degrees of freedom.
fn student_quantile(p: f64, degrees: f64) -> f64 {
    let degrees = degrees.min(1e7);
    let is_below = |t: f64| {
        let tail = 0.5 * incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t));
        1.0 - tail < p
    };
    let (mut low, mut high) = (0.0, 1.0);
    while is_below(high) && high < 1e150 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if is_below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front = a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    // Lentz's algorithm.
    let (mut c, mut d) = (1.0, 1.0 - (a + b) * x / (a + 1.0));
    d = 1.0 / if d.abs() < 1e-300 { 1e-300 } else { d };
    let mut fraction = d;
    for i in 1..2000 {
        let m = f64::from(i);
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 + numerator * d;
            d = 1.0 / if d.abs() < 1e-300 { 1e-300 } else { d };
            c = 1.0 + numerator / c;
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front.exp() * fraction / a
}

/// Infinity as null, which JSON has.
mod finite {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match value.is_finite() {
            true => serializer.serialize_some(value),
            false => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Estimates 1, 2, 3 with variances 2: W = 2, B = 1, (1 + 1/3) B = 4/3, T = 10/3;
    /// lambda = (4/3) / (10/3) = 0.4, degrees 2 / 0.16 = 12.5, r = (4/3) / 2 = 2/3;
    /// missing information (2/3 + 2 / 15.5) / (5/3) = 0.477419.
    /// t(0.975; 12.5) = 2.16929, times sqrt(10/3) = 1.825742: 3.96056.
    #[test]
    fn pooled_by_hand() {
        let pooled = Pooled::of(&[1.0, 2.0, 3.0], &[2.0; 3]).unwrap();
        assert!((pooled.degrees - 12.5).abs() < 1e-9);
        assert!((pooled.missing_variance - 0.4).abs() < 1e-12);
        assert!((pooled.missing_information - 0.477_419).abs() < 1e-6);
        let [low, high] = pooled.interval(0.95);
        assert!((high - 2.0 - 3.960_56).abs() < 2e-4 && (low + high - 4.0).abs() < 1e-9, "{high}");
    }

    /// The same from 10 rows, c = 9: nu_obs = 10/12 * 9 * 0.6 = 4.5, degrees 12.5 * 4.5 / 17 = 3.308824,
    /// missing information (2/3 + 2 / 6.308824) / (5/3) = 0.590210.
    #[test]
    fn degrees_of_small_samples_by_hand() {
        let pooled = Pooled::of(&[1.0, 2.0, 3.0], &[2.0; 3]).unwrap();
        let small = pooled.with_complete_degrees(9.0).unwrap();
        assert!((small.degrees - 3.308_824).abs() < 1e-6);
        assert!((small.missing_information - 0.590_210).abs() < 1e-6);
        assert_eq!((small.total, small.missing_variance), (pooled.total, pooled.missing_variance));
        assert_eq!(pooled.with_complete_degrees(f64::INFINITY).unwrap(), pooled);
        // Nothing is missing: 10/12 * 9 of the 9 degrees are left.
        let agree = Pooled::of(&[2.0; 3], &[1.0; 3]).unwrap().with_complete_degrees(9.0).unwrap();
        assert!((agree.degrees - 7.5).abs() < 1e-12 && agree.missing_information == 0.0);
        assert_eq!(
            pooled.with_complete_degrees(0.0).unwrap_err().to_string(),
            "degrees of freedom: expected a number above 0, got 0"
        );
    }

    /// From tables: t(0.975) is 12.7062 for 1, 4.3027 for 2, 2.2281 for 10 and 1.9600 for infinitely many degrees.
    #[test]
    fn quantiles_of_students_distribution() {
        for (degrees, expected) in
            [(1.0, 12.7062), (2.0, 4.3027), (10.0, 2.2281), (f64::INFINITY, 1.9600)]
        {
            let found = student_quantile(0.975, degrees);
            assert!((found - expected).abs() < 1e-4, "{degrees}: {found}");
            assert!(student_quantile(0.975, 0.2) > 1e5);
        }
    }

    #[test]
    fn imputations_that_agree_add_no_uncertainty() {
        let pooled = Pooled::of(&[2.0, 2.0], &[1.0, 1.0]).unwrap();
        assert_eq!((pooled.total, pooled.missing_information), (1.0, 0.0));
        assert_eq!(pooled.degrees, f64::INFINITY);
        let text = serde_json::to_string(&pooled).unwrap();
        assert_eq!(serde_json::from_str::<Pooled>(&text).unwrap(), pooled);
        let message = |q: &[f64], u: &[f64]| Pooled::of(q, u).unwrap_err().to_string();
        assert_eq!(message(&[1.0], &[1.0]), "imputations to pool: expected at least 2, got 1");
        assert_eq!(message(&[1.0, 2.0], &[]), "variances: expected 2, one per estimate, got 0");
        assert_eq!(
            message(&[1.0, f64::NAN], &[1.0; 2]),
            "estimates: expected finite numbers, got NaN"
        );
        assert_eq!(message(&[1.0; 2], &[1.0, -1.0]), "variances: expected numbers from 0, got -1");
        // Estimates without a variance that differ: all of it is between them.
        let pooled = Pooled::of(&[1.0, 2.0], &[0.0; 2]).unwrap();
        assert_eq!((pooled.missing_variance, pooled.missing_information), (1.0, 1.0));
    }
}
