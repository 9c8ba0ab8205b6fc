//! Rubin's rules: one estimate from several imputations, with the uncertainty between them.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// An estimate pooled over imputations (Rubin 1987, chapter 3).
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
    /// Degrees of freedom, `(M - 1) (1 + W / ((1 + 1/M) B))^2`; infinite if the imputations agree.
    #[serde(with = "finite")]
    pub degrees: f64,
    /// The fraction of information that is missing, `(1 + 1/M) B / T`.
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
    /// If there are fewer than two imputations, or not as many variances.
    pub fn of(estimates: &[f64], variances: &[f64]) -> Result<Self> {
        let m = estimates.len() as f64;
        if estimates.len() < 2 {
            return Err(Error::setting("imputations to pool", "at least 2", estimates.len()));
        }
        if variances.len() != estimates.len() {
            let expected = format!("{}, one per estimate", estimates.len());
            return Err(Error::setting("variances", expected, variances.len()));
        }
        let estimate = estimates.iter().sum::<f64>() / m;
        let within = variances.iter().sum::<f64>() / m;
        let between = estimates.iter().map(|it| (it - estimate).powi(2)).sum::<f64>() / (m - 1.0);
        let added = (1.0 + 1.0 / m) * between;
        let total = within + added;
        let degrees = match added > 0.0 {
            true => (m - 1.0) * (1.0 + within / added).powi(2),
            false => f64::INFINITY,
        };
        let missing_information = if total > 0.0 { added / total } else { 0.0 };
        Ok(Self { estimate, within, between, total, degrees, missing_information })
    }

    /// The interval that has the true value with a probability of `level`: `Q +- t sqrt(T)`, with the
    /// quantile `t` of Student's distribution.
    pub fn interval(&self, level: f64) -> [f64; 2] {
        let half = student_quantile(0.5 + level / 2.0, self.degrees) * self.total.sqrt();
        [self.estimate - half, self.estimate + half]
    }
}

/// The quantile of Student's distribution above one half, by bisection; that of the normal distribution
/// for very many degrees of freedom.
fn student_quantile(p: f64, degrees: f64) -> f64 {
    let degrees = degrees.min(1e7);
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        let tail = 0.5 * incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + middle * middle));
        if 1.0 - tail < p { low = middle } else { high = middle }
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

/// The logarithm of the gamma function above 0: Stirling's series, after shifting the argument above 10.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5))
        - 1.0 / (1680.0 * x.powi(7));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
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
    /// degrees 2 (1 + 2 / (4/3))^2 = 2 * 6.25 = 12.5; missing information (4/3) / (10/3) = 0.4.
    /// t(0.975; 12.5) = 2.16929, times sqrt(10/3) = 1.825742: 3.96056.
    #[test]
    fn pooled_by_hand() {
        let pooled = Pooled::of(&[1.0, 2.0, 3.0], &[2.0; 3]).unwrap();
        assert!((pooled.degrees - 12.5).abs() < 1e-9);
        assert!((pooled.missing_information - 0.4).abs() < 1e-12);
        let [low, high] = pooled.interval(0.95);
        assert!((high - 2.0 - 3.960_56).abs() < 2e-4 && (low + high - 4.0).abs() < 1e-9, "{high}");
    }

    /// From tables: t(0.975) is 12.7062 for 1, 2.2281 for 10 and 1.9600 for infinitely many degrees.
    #[test]
    fn quantiles_of_students_distribution() {
        for (degrees, expected) in [(1.0, 12.7062), (10.0, 2.2281), (f64::INFINITY, 1.9600)] {
            let found = student_quantile(0.975, degrees);
            assert!((found - expected).abs() < 1e-4, "{degrees}: {found}");
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
    }
}
