//! The sets that this crate makes out of nothing.

use crate::{Error, Options, Parts, Result, Samples, convex, curves, digits, rectangles};

/// A set that is made, any number of samples of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generated {
    Digits,
    Rectangles,
    Convex,
    Curves,
}

const MOST: usize = 1_000_000;

impl Generated {
    pub(crate) const ALL: [Self; 4] = [Self::Digits, Self::Rectangles, Self::Convex, Self::Curves];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Rectangles => "rectangles",
            Self::Convex => "convex",
            Self::Curves => "curves",
        }
    }

    pub(crate) fn what(self) -> &'static str {
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

    /// How many there are to train and to test on where nobody says otherwise.
    pub(crate) fn counts(self) -> (usize, usize) {
        match self {
            Self::Digits => (20_000, 2_000),
            Self::Rectangles => (1_200, 50_000),
            Self::Convex => (8_000, 50_000),
            Self::Curves => (20_000, 10_000),
        }
    }

    pub(crate) fn draw(self, options: &Options) -> Result<Parts> {
        let (training, test) = options.counts(self.counts());
        for (part, count) in [("training", training), ("test", test)] {
            if !(1..=MOST).contains(&count) {
                let what = format!("{part} samples of {}", self.name());
                return Err(Error::invalid(what, format!("1 to {MOST}"), count.to_string()));
            }
        }
        // The test part depends on the seed alone, not on how many there are to train on.
        let test_seed = options.seed ^ u64::from_be_bytes(*b"the test");
        Ok(Parts {
            training: self.generate(training, options.seed),
            test: self.generate(test, test_seed),
        })
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
