//! A measure over seeds: its mean and its spread.

/// A measure over seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(pub Vec<f64>);

impl Values {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation of the sample; of one nothing is known.
    pub fn spread(&self) -> Option<f64> {
        let (n, mean) = (self.0.len(), self.mean());
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        (n > 1).then(|| (squares / (n - 1) as f64).sqrt())
    }

    /// `2.74 ± 0.03`
    pub fn in_text(&self, places: usize) -> String {
        match self.spread() {
            Some(spread) => format!("{:.places$} ± {spread:.places$}", self.mean()),
            None => format!("{:.places$}", self.mean()),
        }
    }
}

/// The spread of two measures together: the root of the mean of their variances.
pub fn pooled(a: &Values, b: &Values) -> f64 {
    let squares: Vec<f64> =
        [a, b].into_iter().filter_map(Values::spread).map(|spread| spread * spread).collect();
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
    fn means_and_spreads_by_hand() {
        let values = Values(vec![1.0, 2.0, 6.0]);
        assert_eq!(values.mean(), 3.0);
        assert!((values.spread().unwrap() - 7f64.sqrt()).abs() < 1e-12);
        assert_eq!(values.in_text(2), "3.00 ± 2.65");
        assert!((pooled(&values, &Values(vec![0.0, 2.0])) - 4.5f64.sqrt()).abs() < 1e-12);
        let single = Values(vec![1.5]);
        assert_eq!((single.spread(), single.in_text(1).as_str()), (None, "1.5"));
        assert_eq!(pooled(&single, &single), 0.0);
    }
}
