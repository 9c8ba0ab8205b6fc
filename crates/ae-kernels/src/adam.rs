//! One step of Adam for one parameter.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use burn::tensor::Tensor;

/// The constants of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the mean of gradients, in [0, 1).
    pub beta_1: f32,
    /// Decay of the mean of squared gradients, in [0, 1).
    pub beta_2: f32,
    /// Added to the root of the mean of squared gradients.
    pub epsilon: f32,
    /// Decoupled weight decay (AdamW): each step first multiplies the parameter by `1 - weight_decay rate`. 0: none.
    pub weight_decay: f32,
    /// The learning rate.
    pub rate: f64,
    /// Number of this step, from 1.
    pub time: usize,
}

impl Adam {
    /// `1 - weight_decay rate`, `rate sqrt(1 - beta_2^t) / (1 - beta_1^t)` and
    /// `epsilon sqrt(1 - beta_2^t)`: both bias corrections in one factor each.
    fn factors(&self) -> [f64; 3] {
        let time = i32::try_from(self.time).unwrap_or(i32::MAX);
        let [first, second] =
            [self.beta_1, self.beta_2].map(|beta| 1.0 - f64::from(beta).powi(time));
        let keep = 1.0 - f64::from(self.weight_decay) * self.rate;
        [keep, self.rate * second.sqrt() / first, f64::from(self.epsilon) * second.sqrt()]
    }
}

/// `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`,
/// `p = (1 - weight_decay rate) p - rate m' / (sqrt(v') + epsilon)` with `m' = m / (1 - beta_1^t)` and
/// `v' = v / (1 - beta_2^t)` (Kingma & Ba 2015, arXiv 1412.6980; weight decay: Loshchilov & Hutter 2019,
/// arXiv 1711.05101).
///
/// The parameter moves against the mean of its gradients, divided by the root of the mean of their squares.
///
/// Takes and returns the parameter and its moments `[p, m, v]`. A tensor that has no other owner is updated in
/// place.
pub fn adam<const D: usize>(
    state: [Tensor<D>; 3],
    gradient: Tensor<D>,
    step: &Adam,
) -> [Tensor<D>; 3] {
    AdamQueue::default().push(state, gradient, step)
}

/// Collects the updates of several parameters. On a GPU several updates are one launch: the tensors that
/// [`push`](Self::push) returns may be read after [`finish`](Self::finish), or once the queue is dropped.
#[derive(Default)]
pub struct AdamQueue {
    #[cfg(feature = "gpu")]
    pending: Vec<(Adam, gpu::Slot)>,
}

impl AdamQueue {
    /// As [`adam`], which is a queue with one parameter.
    pub fn push<const D: usize>(
        &mut self,
        state: [Tensor<D>; 3],
        gradient: Tensor<D>,
        step: &Adam,
    ) -> [Tensor<D>; 3] {
        #[cfg(any(feature = "flex", feature = "gpu"))]
        match crate::target::Target::of(&state[0]) {
            #[cfg(feature = "flex")]
            Some(crate::target::Target::Cpu) => return cpu::update(state, gradient, step),
            #[cfg(feature = "gpu")]
            Some(crate::target::Target::Gpu) if gpu::fits(&state[0]) => {
                let slot = gpu::slot(state, gradient);
                self.pending.push((*step, slot.clone()));
                let [p, m, v, _] = slot;
                return [p, m, v].map(crate::gpu::from_primitive);
            }
            _ => {}
        }
        plain(state, gradient, step)
    }

    /// Launches the updates that are still pending.
    pub fn finish(&mut self) {
        #[cfg(feature = "gpu")]
        for alike in std::mem::take(&mut self.pending).chunk_by(|(one, _), (next, _)| one == next) {
            let slots: Vec<_> = alike.iter().map(|(_, slot)| slot.clone()).collect();
            gpu::step(&slots, &alike[0].0);
        }
    }
}

impl Drop for AdamQueue {
    fn drop(&mut self) {
        self.finish();
    }
}

/// [`adam`] composed of Burn's operations.
pub fn plain<const D: usize>(
    [parameter, first, second]: [Tensor<D>; 3],
    gradient: Tensor<D>,
    step: &Adam,
) -> [Tensor<D>; 3] {
    let [keep, rate, epsilon] = step.factors();
    let (beta_1, beta_2) = (f64::from(step.beta_1), f64::from(step.beta_2));
    let first = first * beta_1 + gradient.clone() * (1.0 - beta_1);
    let second = second * beta_2 + gradient.square() * (1.0 - beta_2);
    let parameter = if keep == 1.0 { parameter } else { parameter * keep };
    let parameter = parameter - first.clone() * rate / (second.clone().sqrt() + epsilon);
    [parameter, first, second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    type Update = fn([Tensor<1>; 3], Tensor<1>, &Adam) -> [Tensor<1>; 3];

    /// After each of two steps on one parameter: by the kernel and by the plain formulation.
    fn after(first: f64, gradients: [f64; 2], step: Adam) -> [[f64; 2]; 2] {
        let one = |value: f64| Tensor::<1>::from_floats([value as f32], &Device::flex());
        [adam as Update, plain].map(|update| {
            let mut state = [one(first), one(0.0), one(0.0)];
            let mut time = 0;
            gradients.map(|gradient| {
                time += 1;
                state = update(state.clone(), one(gradient), &Adam { time, ..step });
                state[0].clone().into_scalar()
            })
        })
    }

    fn assert_near(found: [[f64; 2]; 2], expected: [f64; 2]) {
        for found in found {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-6, "{found} {expected}");
            }
        }
    }

    const STEP: Adam =
        Adam { beta_1: 0.9, beta_2: 0.99, epsilon: 0.5, weight_decay: 0.0, rate: 0.1, time: 0 };

    /// Both corrections make means of the first step's gradient: m' = 0.5, v' = 0.25, so that it goes
    /// 0.1 0.5 / (0.5 + 0.5) = 0.05 down from 1. Then, of a gradient of -1:
    /// m = 0.9 0.05 - 0.1 = -0.055, m' = -0.055 / 0.19 = -0.289474;
    /// v = 0.99 0.0025 + 0.01 = 0.012475, v' = 0.012475 / 0.0199 = 0.626884, sqrt(v') = 0.791760;
    /// up by 0.1 0.289474 / 1.291760 = 0.022409.
    #[test]
    fn two_steps_by_hand_with_an_epsilon_that_shows() {
        assert_near(after(1.0, [0.5, -1.0], STEP), [0.95, 0.972_409]);
    }

    /// Without a gradient a parameter loses 0.2 0.1 = 2 % of itself: 1, 0.98, 0.9604. With one, that goes
    /// first: 0.98 - 0.05.
    #[test]
    fn weight_decay_by_hand() {
        let step = Adam { weight_decay: 0.2, ..STEP };
        assert_near(after(1.0, [0.0, 0.0], step), [0.98, 0.9604]);
        let [[first, _], _] = after(1.0, [0.5, 0.0], step);
        assert!((first - 0.93).abs() < 2e-6, "{first}");
    }
}
