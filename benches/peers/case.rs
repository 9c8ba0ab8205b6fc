//! The nets that are compared, and how much arithmetic a step of each is.

use autoencoders::models::{Activation, Architecture, ConvConfig, DenseConfig, Model};
use autoencoders::train::{Contraction, Corruption, Objective, Reconstruction};

use crate::Result;

/// A net and what it is trained for; `cases.py` has the same.
pub struct Case {
    pub name: &'static str,
    pub architecture: Architecture,
    masking: f64,
    contraction: f64,
}

pub fn all() -> Vec<Case> {
    let case = |name, architecture| Case { name, architecture, masking: 0.0, contraction: 0.0 };
    let deep =
        DenseConfig { output: Activation::Identity, ..DenseConfig::new([784, 1000, 500, 250, 30]) };
    let tied = Architecture::Dense(DenseConfig {
        code_activation: Activation::Sigmoid,
        tied: true,
        ..DenseConfig::new([784, 500])
    });
    let maps =
        ConvConfig { output: Activation::Identity, ..ConvConfig::maps([1, 28, 28], [32, 64]) };
    let conv_deep = ConvConfig {
        channels: vec![32, 64, 128],
        output: Activation::Identity,
        ..ConvConfig::new([3, 32, 32], 128)
    };
    vec![
        case("dense-deep", Architecture::Dense(deep)),
        Case { masking: 0.25, ..case("dense-tied", tied.clone()) },
        Case { contraction: 0.1, ..case("contractive", tied) },
        case("conv", Architecture::Conv(maps)),
        case("conv-deep", Architecture::Conv(conv_deep)),
    ]
}

impl Case {
    pub fn named(name: &str) -> Result<Self> {
        let unknown = || format!("--cases: expected some of those that --help lists, got {name}");
        Ok(all().into_iter().find(|case| case.name == name).ok_or_else(unknown)?)
    }

    pub fn is_convolutional(&self) -> bool {
        matches!(self.architecture, Architecture::Conv(_))
    }

    /// As it is trained.
    pub fn objective(&self) -> Result<Objective<Model>> {
        let objective = self.objective_without_noise()?;
        match self.masking {
            0.0 => Ok(objective),
            share => Ok(objective.corrupt(Corruption::masking(share)?)),
        }
    }

    /// Of which two programs can compute the same numbers.
    pub fn objective_without_noise(&self) -> Result<Objective<Model>> {
        let is_probability = match &self.architecture {
            Architecture::Dense(config) => config.output.is_probability(),
            _ => false,
        };
        let objective = Objective::new(match is_probability {
            true => Reconstruction::CrossEntropy,
            false => Reconstruction::SquaredError,
        });
        match self.contraction {
            0.0 => Ok(objective),
            weight => Ok(objective.penalize(weight, Contraction::exact())?),
        }
    }

    /// Floating-point operations of a step for each sample: two for a multiply-add, and those of a
    /// layer three times, forward, for the gradient of its weights, and for the gradient of its input,
    /// but that the first layer's input needs no gradient. What is done element by element (activations,
    /// losses, noise, biases, the optimiser, the contraction's closed form) is not counted.
    pub fn operations(&self) -> f64 {
        let layers = match &self.architecture {
            Architecture::Dense(config) => dense(&config.widths),
            Architecture::Conv(config) => convolutional(config),
            _ => Vec::new(),
        };
        let once: usize = layers.iter().sum();
        2.0 * (3 * once - layers[0]) as f64
    }
}

/// Multiply-adds of each layer, from the input to the code and back.
fn dense(widths: &[usize]) -> Vec<usize> {
    let there: Vec<usize> = widths.windows(2).map(|pair| pair[0] * pair[1]).collect();
    there.iter().chain(there.iter().rev()).copied().collect()
}

/// A convolution multiplies its whole kernel at each place of its output (the border's zeros count), a
/// transposed one at each place of its input, which is the same number.
fn convolutional(config: &ConvConfig) -> Vec<usize> {
    let [mut from, mut height, mut width] = config.input;
    let mut there = Vec::new();
    for to in &config.channels {
        (height, width) = (height.div_ceil(2), width.div_ceil(2));
        there.push(height * width * config.kernel.pow(2) * from * to);
        from = *to;
    }
    there.extend(config.code.map(|code| from * height * width * code));
    there.iter().chain(there.iter().rev()).copied().collect()
}

/// Of a product of square matrices.
pub fn operations_of_product(side: usize) -> f64 {
    2.0 * (side as f64).powi(3)
}

/// The counts above against some done by hand; a benchmark has no tests, so every run begins with it.
pub fn check_by_hand() -> Result<()> {
    for (name, expected) in [
        // Two layers of 784 * 500 = 392,000: 2 * (3 * 784,000 - 392,000).
        ("dense-tied", 3_920_000.0),
        // 14 * 14 * 9 * 1 * 32 = 56,448 and 7 * 7 * 9 * 32 * 64 = 903,168, there and back:
        // 2 * (3 * 1,919,232 - 56,448).
        ("conv", 11_402_496.0),
    ] {
        let counted = Case::named(name)?.operations();
        if counted != expected {
            return Err(format!("{name}: expected {expected} operations, counted {counted}").into());
        }
    }
    Ok(())
}
