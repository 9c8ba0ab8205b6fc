//! One step of Adam for one parameter.

use burn::tensor::Tensor;

/// The constants of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the mean of gradients, in [0, 1).
    pub beta_1: f32,
    /// Decay of the mean of their squares, in [0, 1).
    pub beta_2: f32,
    /// Added to the root of the latter.
    pub epsilon: f32,
    /// Share of the parameter that is lost first, times the rate (AdamW); 0: none.
    pub weight_decay: f32,
    /// The learning rate.
    pub rate: f64,
    /// Number of this step, from 1.
    pub time: usize,
}

impl Adam {
    /// `1 - weight_decay rate`, `rate sqrt(1 - beta_2^t) / (1 - beta_1^t)` and
    /// `epsilon sqrt(1 - beta_2^t)`: the two corrections of bias in one factor each.
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
/// Takes and gives parameter and moments `[p, m, v]`. Where a tensor is held by nobody else, it is
/// written in place.
pub fn adam<const D: usize>(
    state: [Tensor<D>; 3],
    gradient: Tensor<D>,
    step: &Adam,
) -> [Tensor<D>; 3] {
    #[cfg(feature = "flex")]
    if crate::is_ours(&state[0]) {
        return kernel::update(state, gradient, step);
    }
    plain(state, gradient, step)
}

/// As [`adam`], in Burn's operations.
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

#[cfg(feature = "flex")]
mod kernel {
    use burn::tensor::{DType, Tensor, TensorData};
    use rayon::prelude::*;

    use super::Adam;
    use crate::number::{Number, vectorized};

    /// Numbers that a thread updates at a time.
    const CHUNK: usize = 1 << 14;

    pub(super) fn update<const D: usize>(
        state: [Tensor<D>; 3],
        gradient: Tensor<D>,
        step: &Adam,
    ) -> [Tensor<D>; 3] {
        let device = state[0].device();
        // A buffer that nobody else holds is handed over, and back, as it is.
        let mut state = state.map(Tensor::into_data);
        let gradient = gradient.into_data();
        match gradient.dtype() {
            DType::F64 => pass::<f64>(&mut state, &gradient, step),
            _ => pass::<f32>(&mut state, &gradient, step),
        }
        state.map(|data| {
            let dtype = data.dtype();
            Tensor::from_data(data, (&device, dtype))
        })
    }

    fn pass<T: Number>(state: &mut [TensorData; 3], gradient: &TensorData, step: &Adam) {
        let [parameter, first, second] = state;
        let slice = |data| TensorData::as_mut_slice::<T>(data).expect("one type for all");
        let (parameter, first, second) = (slice(parameter), slice(first), slice(second));
        let gradient = gradient.as_slice::<T>().expect("one type for all");
        let [keep, rate, epsilon] = step.factors().map(T::of);
        let [beta_1, beta_2] = [step.beta_1, step.beta_2].map(|beta| T::of(beta.into()));
        let [rest_1, rest_2] = [T::ONE - beta_1, T::ONE - beta_2];
        parameter
            .par_chunks_mut(CHUNK)
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(((parameter, first), second), gradient)| {
                vectorized(
                    #[inline(always)]
                    || {
                        let moments = first.iter_mut().zip(second);
                        for ((p, (m, v)), g) in parameter.iter_mut().zip(moments).zip(gradient) {
                            *m = *m * beta_1 + *g * rest_1;
                            *v = *v * beta_2 + *g * *g * rest_2;
                            *p = *p * keep - *m * rate / (v.root() + epsilon);
                        }
                    },
                );
            });
    }
}
