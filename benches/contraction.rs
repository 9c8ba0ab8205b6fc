//! What a step with a contractive penalty costs beside one without: forward and backward, dense encoders
//! with sigmoids, a batch of 128 on the CPU. All variants take turns, and what is printed are ratios.
//!
//!     cargo bench --bench contraction

use std::time::Instant;

use autoencoders::burn::module::Module;
use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::models::{Activation, Architecture, DenseConfig, Model};
use autoencoders::train::{Contraction, NoiseKey, Objective, Phase, Reconstruction};

const ROUNDS: usize = 7;
const BATCH: usize = 128;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plain = || Objective::<Model>::new(Reconstruction::CrossEntropy);
    println!(
        "{:<28}{:>12}{:>10}{:>10}{:>10}",
        "encoder", "plain, ms", "exact", "1 probe", "4 probes"
    );
    for widths in [
        vec![784, 1000],
        vec![784, 250, 30],
        vec![784, 1000, 500, 250, 30],
        vec![784, 500, 500],
        vec![784, 1000, 1000, 1000],
    ] {
        let objectives = [
            plain(),
            plain().penalize(0.1, Contraction::exact())?,
            plain().penalize(0.1, Contraction::probes(1)?)?,
            plain().penalize(0.1, Contraction::probes(4)?)?,
        ];
        let config = DenseConfig {
            activation: Activation::Sigmoid,
            code_activation: Activation::Sigmoid,
            ..DenseConfig::new(widths.clone())
        };
        let model = Architecture::Dense(config).init(0, &Device::flex())?.train();
        let input = Tensor::<2>::ones([BATCH, 784], &Device::flex()) * 0.3;
        let mut seconds = vec![Vec::new(); objectives.len()];
        for round in 0..=ROUNDS {
            for (objective, seconds) in objectives.iter().zip(&mut seconds) {
                let key = NoiseKey { seed: 0, phase: Phase::Train(0), step: round as u32 };
                let began = Instant::now();
                let pass = objective.pass(&model, input.clone().autodiff(), key);
                let gradients = objective.losses(&pass).total().backward();
                std::hint::black_box(&gradients);
                // The first round warms up.
                if round > 0 {
                    seconds.push(began.elapsed().as_secs_f64());
                }
            }
        }
        let medians: Vec<f64> = seconds
            .into_iter()
            .map(|mut seconds| {
                seconds.sort_by(f64::total_cmp);
                seconds[ROUNDS / 2]
            })
            .collect();
        let name = widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        print!("{name:<28}{:>12.1}", 1000.0 * medians[0]);
        for median in &medians[1..] {
            print!("{:>9.1}x", median / medians[0]);
        }
        println!();
    }
    Ok(())
}
