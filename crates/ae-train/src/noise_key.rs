//! The key of every random draw in training: seed, phase and step, never what ran before.

use ae_kernels::Words;
use chacha20::ChaCha8Rng;
use rand::{SeedableRng, seq::SliceRandom};

/// What random numbers in training depend on. Every generator is made from such a key, so a
/// resumed run continues exactly, two runs in one process do not disturb each other, and every
/// back end sees the same noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseKey {
    /// The run's seed.
    pub seed: u64,
    /// An epoch of training, or validation.
    pub phase: Phase,
    /// Step within the phase, from 0.
    pub step: u32,
}

/// Whether a batch is trained on or validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Training, in this epoch, from 0.
    Train(u32),
    /// Validation, which has the same noise after every epoch.
    Validation,
}

impl Phase {
    /// The phase as a number. Validation has one that no epoch reaches.
    fn number(self) -> u32 {
        match self {
            Self::Train(epoch) => epoch,
            Self::Validation => u32::MAX,
        }
    }
}

impl NoiseKey {
    /// The key of the first batch of a validation.
    pub fn validation(seed: u64) -> Self {
        Self { seed, phase: Phase::Validation, step: 0 }
    }

    /// Whether this is the key of a validation batch.
    pub fn is_validation(self) -> bool {
        self.phase == Phase::Validation
    }

    /// The generator for this key and a `purpose`, the name of what the numbers are for. Another
    /// key or purpose gives independent numbers.
    pub fn generator(self, purpose: &str) -> ChaCha8Rng {
        let Words { key, stream } = self.words(purpose);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        generator
    }

    /// The key and stream of [`generator`](Self::generator), for a device that runs ChaCha8 itself.
    pub fn words(self, purpose: &str) -> Words {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&ae_data::fnv1a(purpose.bytes().map(u64::from)).to_le_bytes());
        Words { key, stream: u64::from(self.phase.number()) << 32 | u64::from(self.step) }
    }

    /// The order in which an epoch visits `count` samples.
    pub(crate) fn order(self, count: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count).collect();
        order.shuffle(&mut self.generator("order"));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn numbers_depend_on_key_and_purpose_alone() {
        let base = NoiseKey { seed: 1, phase: Phase::Train(2), step: 3 };
        let draw = |key: NoiseKey, purpose| key.generator(purpose).next_u64();
        assert_eq!(draw(base, "a"), draw(base, "a"));
        for other in [
            NoiseKey { seed: 2, ..base },
            NoiseKey { phase: Phase::Train(3), ..base },
            NoiseKey { step: 2, ..base },
            NoiseKey { phase: Phase::Train(3), step: 2, ..base },
        ] {
            assert_ne!(draw(base, "a"), draw(other, "a"));
        }
        assert_ne!(draw(base, "a"), draw(base, "b"));
    }

    #[test]
    fn order_is_a_permutation() {
        let mut order = NoiseKey { seed: 0, phase: Phase::Train(0), step: 0 }.order(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
