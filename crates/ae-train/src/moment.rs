//! Randomness as a function of where training stands, not of what ran before.

use ae_kernels::Words;
use chacha20::ChaCha8Rng;
use rand::{SeedableRng, seq::SliceRandom};

/// A point of a run. Everything random in training is drawn from a generator made of the
/// moment, so a resumed run continues exactly, two runs in one process do not disturb each
/// other, and the same noise falls on every back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The run's seed.
    pub seed: u64,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Step within the epoch, from 0.
    pub step: u32,
}

impl Moment {
    /// The beginning of a validation, whenever it takes place: the same noise at every epoch.
    pub fn validation(seed: u64) -> Self {
        Self { seed, epoch: u32::MAX, step: 0 }
    }

    /// Whether this is a validation and no training step.
    pub fn is_validation(self) -> bool {
        self.epoch == u32::MAX
    }

    /// A generator of its own for each moment and `purpose` (the name of what it is for).
    pub fn generator(self, purpose: &str) -> ChaCha8Rng {
        let Words { key, stream } = self.words(purpose);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        generator
    }

    /// The words of that generator, for a device that computes them itself.
    pub fn words(self, purpose: &str) -> Words {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&hash(purpose).to_le_bytes());
        Words { key, stream: u64::from(self.epoch) << 32 | u64::from(self.step) }
    }

    /// The order in which an epoch visits `count` samples.
    pub(crate) fn order(self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut self.generator("order"));
        order
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn each_moment_and_purpose_has_its_own_numbers_and_always_the_same() {
        let base = Moment { seed: 1, epoch: 2, step: 3 };
        let draw = |moment: Moment, purpose| moment.generator(purpose).next_u64();
        assert_eq!(draw(base, "a"), draw(base, "a"));
        for other in [
            Moment { seed: 2, ..base },
            Moment { epoch: 3, ..base },
            Moment { step: 2, ..base },
            Moment { epoch: 3, step: 2, ..base },
        ] {
            assert_ne!(draw(base, "a"), draw(other, "a"));
        }
        assert_ne!(draw(base, "a"), draw(base, "b"));
    }

    #[test]
    fn an_order_visits_all() {
        let mut order = Moment { seed: 0, epoch: 0, step: 0 }.order(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
