//! Whether rows as a whole score as the calibration rows do.

use super::Conformal;

/// Standard deviations from which a shift is no chance: 1 in 1000 sets of rows without one are as far off.
const CLEAR: f64 = 3.29;

/// The distance of the share from a half from which a shift matters. Rows of which a fifth are anomalies, and the
/// others normal, are at 0.1.
const LARGE: f64 = 0.15;

/// The comparison of some scores with those of the calibration rows, by the statistic of Mann and Whitney (1947).
///
/// The p-values of rows that are exchangeable with the calibration rows do not say whether rows are: they are small
/// for anomalies and for rows of another source alike. Anomalies are few, however, and move a few scores; rows of
/// another source move most. One test for all rows at once is one look, however many rows there are.
///
/// ```
/// use ae_apply::detect::Conformal;
/// let conformal = Conformal::new((0..100).map(f64::from).collect())?;
/// let same: Vec<f64> = (0..50).map(|row| 2.0 * f64::from(row)).collect();
/// let elsewhere: Vec<f64> = same.iter().map(|score| score + 60.0).collect();
/// assert!(!conformal.shift(&same).is_clear() && conformal.shift(&elsewhere).is_clear());
/// # Ok::<(), ae_apply::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The share of pairs of a row and a calibration row in which the row scores higher; ties count half.
    pub above: f64,
    /// Its distance from a half, in the standard deviation that it has where there is no shift,
    /// `sqrt((n + m + 1) / (12 n m))` for `n` and `m` rows.
    pub z: f64,
}

impl Conformal {
    /// Compares scores with those of the calibration rows. Without scores there is no shift.
    pub fn shift(&self, scores: &[f64]) -> Shift {
        let known = self.scores();
        let (n, m) = (known.len() as f64, scores.len() as f64);
        if scores.is_empty() {
            return Shift { above: 0.5, z: 0.0 };
        }
        let below = |score: &f64| {
            let less = known.partition_point(|other| other < score);
            let no_more = known.partition_point(|other| other <= score);
            (less + no_more) as f64 / 2.0
        };
        let above = scores.iter().map(below).sum::<f64>() / (n * m);
        Shift { above, z: (above - 0.5) / ((n + m + 1.0) / (12.0 * n * m)).sqrt() }
    }
}

impl Shift {
    /// Whether it is no chance, and too large for a few anomalies.
    pub fn is_clear(&self) -> bool {
        self.z.abs() >= CLEAR && (self.above - 0.5).abs() >= LARGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    /// Of 1, 2, 3, 4: 2.5 is above two, 4 above three and a half. 5.5 of 8 pairs; the deviation is sqrt(7 / 96).
    #[test]
    fn shift_by_hand() {
        let conformal = Conformal::new(vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let shift = conformal.shift(&[2.5, 4.0]);
        assert_eq!(shift.above, 5.5 / 8.0);
        assert!((shift.z - 0.1875 / (7.0f64 / 96.0).sqrt()).abs() < 1e-12, "{shift:?}");
        assert!(!conformal.shift(&[]).is_clear());
        // However far off, two rows are no proof.
        assert!(!Conformal::new(vec![0.0; 30]).unwrap().shift(&[9.0; 2]).is_clear());
    }

    /// 2,000 draws of 60 calibration rows and 40 others. Of those without a shift at most 1 in 1000 (expected 2, and
    /// 8 has a probability below 0.001) is told of; of those with a fifth of anomalies hardly one; where every row
    /// is moved by two deviations, all.
    #[test]
    fn shifts_are_told_from_anomalies() {
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        let mut normal = || (0..12).map(|_| generator.random_range(-0.5..0.5)).sum::<f64>();
        let mut told = [0; 3];
        for _ in 0..2000 {
            let conformal = Conformal::new((0..60).map(|_| normal()).collect()).unwrap();
            let same: Vec<f64> = (0..40).map(|_| normal()).collect();
            let mut few = same.clone();
            few[..8].iter_mut().for_each(|score| *score += 10.0);
            let all: Vec<f64> = same.iter().map(|score| score + 2.0).collect();
            for (told, scores) in told.iter_mut().zip([same, few, all]) {
                *told += usize::from(conformal.shift(&scores).is_clear());
            }
        }
        assert!(told[0] < 8 && told[1] < 200 && told[2] == 2000, "{told:?}");
    }
}
