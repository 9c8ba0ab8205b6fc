//! Adam on the CPU: one pass, in place.

use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;

use super::Adam;
use crate::float::{Float, vectorized};

/// Numbers that a thread updates at a time.
const CHUNK: usize = 1 << 14;

pub(super) fn update<const D: usize>(
    state: [Tensor<D>; 3],
    gradient: Tensor<D>,
    step: &Adam,
) -> [Tensor<D>; 3] {
    let device = state[0].device();
    // A buffer without another owner is taken and returned without a copy.
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

fn pass<T: Float>(state: &mut [TensorData; 3], gradient: &TensorData, step: &Adam) {
    let [parameter, first, second] = state;
    let slice = |data| TensorData::as_mut_slice::<T>(data).expect("one type for all");
    let (parameter, first, second) = (slice(parameter), slice(first), slice(second));
    let gradient = gradient.as_slice::<T>().expect("one type for all");
    let [keep, rate, epsilon] = step.factors().map(T::from_f64);
    let [beta_1, beta_2] = [step.beta_1, step.beta_2].map(|beta| T::from_f64(beta.into()));
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
                        *p = *p * keep - *m * rate / (v.sqrt() + epsilon);
                    }
                },
            );
        });
}
