//! Chance, from basic arithmetic only, so that every machine draws the same.

use chacha20::ChaCha8Rng;
use rand::Rng;

/// Random numbers for one digit.
pub(super) struct Chance(pub ChaCha8Rng);

impl Chance {
    /// Uniform in \[0, 1).
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Nearly normal, as the sum of four uniforms is, but never beyond 3.5 deviations.
    pub fn around(&mut self, mean: f32, deviation: f32) -> f32 {
        let bits = self.0.next_u64();
        let sum: u64 = (0..4).map(|lane| (bits >> (16 * lane)) & 0xffff).sum();
        let normal = (sum as f32 / 65536.0 - 2.0) * 1.732_050_8; // variance 4/12, so times sqrt(3)
        mean + deviation * normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn moments_are_as_asked() {
        let mut chance = Chance(ChaCha8Rng::seed_from_u64(1));
        let values: Vec<f32> = (0..20_000).map(|_| chance.around(3.0, 2.0)).collect();
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!((mean - 3.0).abs() < 0.06 && (variance - 4.0).abs() < 0.2, "{mean} {variance}");
        assert!((0..20_000).all(|_| (0.0..1.0).contains(&chance.unit())));
    }
}
