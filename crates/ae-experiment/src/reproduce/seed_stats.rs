//! Mean and standard deviation over seeds.

/// The values of a measure, one per seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedStats(pub Vec<f64>);

impl SeedStats {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The sample standard deviation; `None` for a single value.
    pub fn std_dev(&self) -> Option<f64> {
        let (n, mean) = (self.0.len(), self.mean());
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        (n > 1).then(|| (squares / (n - 1) as f64).sqrt())
    }

    /// `2.74 ± 0.03`
    pub fn to_text(&self, places: usize) -> String {
        match self.std_dev() {
            Some(std_dev) => format!("{:.places$} ± {std_dev:.places$}", self.mean()),
            None => format!("{:.places$}", self.mean()),
        }
    }
}

/// The pooled standard deviation: the root of the mean variance.
pub fn pooled_std_dev(a: &SeedStats, b: &SeedStats) -> f64 {
    let squares: Vec<f64> =
        [a, b].into_iter().filter_map(SeedStats::std_dev).map(|it| it * it).collect();
    if squares.is_empty() {
        0.0
    } else {
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 2, 6: mean 3, squares 4 + 1 + 9 = 14, over 2: 7. With 0, 2 of variance 2: (7 + 2) / 2.
    #[test]
    fn mean_and_standard_deviation_by_hand() {
        let stats = SeedStats(vec![1.0, 2.0, 6.0]);
        assert_eq!(stats.mean(), 3.0);
        assert!((stats.std_dev().unwrap() - 7f64.sqrt()).abs() < 1e-12);
        assert_eq!(stats.to_text(2), "3.00 ± 2.65");
        assert!((pooled_std_dev(&stats, &SeedStats(vec![0.0, 2.0])) - 4.5f64.sqrt()).abs() < 1e-12);
        let single = SeedStats(vec![1.5]);
        assert_eq!((single.std_dev(), single.to_text(1).as_str()), (None, "1.5"));
        assert_eq!(pooled_std_dev(&single, &single), 0.0);
    }
}
