//! The data sets that this crate generates.

use crate::{Error, Result, Samples, Splits, convex, curves, digits, rectangles};

/// A generated data set, of any number of samples.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synthetic {
    Digits,
    Rectangles,
    Convex,
    Curves,
}

const MAX_SAMPLES: usize = 1_000_000;

impl Synthetic {
    pub(crate) const ALL: [Self; 4] = [Self::Digits, Self::Rectangles, Self::Convex, Self::Curves];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Rectangles => "rectangles",
            Self::Convex => "convex",
            Self::Curves => "curves",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Digits => "handwritten-looking digits, 28x28, drawn by this program",
            Self::Rectangles => {
                "outlines of rectangles, tall or wide, 28x28, regenerated, not the published files \
                 (Larochelle et al. 2007)"
            }
            Self::Convex => {
                "white regions, convex or not, 28x28, regenerated, not the published files \
                 (Larochelle et al. 2007)"
            }
            Self::Curves => {
                "curves through three points, 28x28, regenerated, not the published files (Hinton & \
                 Salakhutdinov 2006)"
            }
        }
    }

    /// The default numbers of training and test samples.
    pub(crate) fn counts(self) -> (usize, usize) {
        match self {
            Self::Digits => (20_000, 2_000),
            Self::Rectangles => (1_200, 50_000),
            Self::Convex => (8_000, 50_000),
            Self::Curves => (20_000, 10_000),
        }
    }

    /// Generates this many training and test samples.
    pub(crate) fn splits(self, (training, test): (usize, usize), seed: u64) -> Result<Splits> {
        for (set, count) in [("training", training), ("test", test)] {
            if !(1..=MAX_SAMPLES).contains(&count) {
                let what = format!("{set} samples of {}", self.name());
                return Err(Error::invalid(what, format!("1 to {MAX_SAMPLES}"), count.to_string()));
            }
        }
        // The test set depends on the seed alone, not on the number of training samples.
        let test_seed = seed ^ u64::from_be_bytes(*b"the test");
        Ok(Splits { training: self.generate(training, seed), test: self.generate(test, test_seed) })
    }

    fn generate(self, count: usize, seed: u64) -> Samples {
        match self {
            Self::Digits => digits::generate(count, seed),
            Self::Rectangles => rectangles::generate(count, seed),
            Self::Convex => convex::generate(count, seed),
            Self::Curves => curves::generate(count, seed),
        }
    }
}
