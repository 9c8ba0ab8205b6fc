//! The gamma function.

/// The logarithm of the gamma function above 0, to 14 digits: by Lanczos' approximation (`g = 7`, 9 terms) from 1/2,
/// and below by `gamma(x) = gamma(x + 1) / x`.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let terms = TERMS.iter().enumerate().map(|(at, term)| term / (x + at as f64 + 1.0));
    let sum = 0.999_999_999_999_809_9 + terms.sum::<f64>();
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `gamma(5) = 24`, `gamma(1/2) = sqrt(pi)`, `gamma(1/4) = 3.625609908221908`, and `gamma(1000)` as a product.
    #[test]
    fn known_values() {
        let factorial: f64 = (1..1000).map(|k| f64::from(k).ln()).sum();
        for (x, expected) in [
            (5.0, 24f64.ln()),
            (0.5, 0.5 * std::f64::consts::PI.ln()),
            (0.25, 3.625_609_908_221_908f64.ln()),
            (1000.0, factorial),
        ] {
            let found = ln_gamma(x);
            assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{x}: {found}");
        }
    }
}
