//! Random numbers from basic arithmetic alone, so that every machine draws the same.

use chacha20::ChaCha8Rng;
use rand::{Rng as _, SeedableRng};

/// The random numbers of one picture.
pub(crate) struct Rng(pub ChaCha8Rng);

impl Rng {
    /// The stream with this number. A picture's random numbers do not depend on the pictures before it.
    pub fn stream(seed: u64, number: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(number);
        Self(generator)
    }

    /// Uniform in \[0, 1).
    pub fn uniform(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform among the integers from 0 to `count - 1`, each with probability within 2^-32 of `1 / count`.
    pub fn below(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// Nearly normal: the sum of four uniform numbers, so never beyond 3.5 standard deviations.
    pub fn normal(&mut self, mean: f32, deviation: f32) -> f32 {
        let bits = self.0.next_u64();
        let sum: u64 = (0..4).map(|lane| (bits >> (16 * lane)) & 0xffff).sum();
        let normal = (sum as f32 / 65536.0 - 2.0) * 1.732_050_8; // variance 4/12, so times sqrt(3)
        mean + deviation * normal
    }

    /// A vector of uniform direction with integer coordinates: a random point of the ring from
    /// `RADIUS / 8` to [`RADIUS`](Self::RADIUS). Cosines would differ between machines.
    pub fn direction(&mut self) -> (i32, i32) {
        loop {
            let bits = self.0.next_u32();
            let [x, y] = [bits >> 16, bits & 0xffff].map(|half| half as i32 - 0x8000);
            let square = i64::from(x).pow(2) + i64::from(y).pow(2);
            if (Self::RADIUS.pow(2) / 64..=Self::RADIUS.pow(2)).contains(&square) {
                return (x, y);
            }
        }
    }

    pub const RADIUS: i64 = 0x7fff;

    /// The number of trials up to the first success of probability `p`: geometric, from 1, with mean
    /// `1 / p`.
    pub fn geometric(&mut self, p: f32) -> usize {
        let mut trials = 1;
        while self.uniform() >= p {
            trials += 1;
        }
        trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_and_geometric_have_their_means() {
        let mut rng = Rng::stream(1, 0);
        let values: Vec<f32> = (0..20_000).map(|_| rng.normal(3.0, 2.0)).collect();
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!((mean - 3.0).abs() < 0.06 && (variance - 4.0).abs() < 0.2, "{mean} {variance}");
        assert!((0..20_000).all(|_| (0.0..1.0).contains(&rng.uniform())));
        let trials: Vec<usize> = (0..20_000).map(|_| rng.geometric(0.2)).collect();
        let mean = trials.iter().sum::<usize>() as f32 / 20_000.0;
        assert!((mean - 5.0).abs() < 0.15 && trials.iter().min() == Some(&1), "{mean}");
    }

    #[test]
    fn integers_and_directions_are_uniform() {
        let mut rng = Rng::stream(2, 0);
        let (mut numbers, mut octants) = ([0; 7], [0; 8]);
        for _ in 0..14_000 {
            numbers[rng.below(7)] += 1;
            let (x, y) = rng.direction();
            let octant = [x > 0, y > 0, x.abs() > y.abs()].map(usize::from);
            octants[octant[0] + 2 * octant[1] + 4 * octant[2]] += 1;
        }
        // Five standard deviations of counts of 2,000 and 1,750.
        assert!(
            numbers.iter().all(|count| (2000 - 207..2000 + 207).contains(count)),
            "{numbers:?}"
        );
        assert!(
            octants.iter().all(|count| (1750 - 196..1750 + 196).contains(count)),
            "{octants:?}"
        );
    }
}
