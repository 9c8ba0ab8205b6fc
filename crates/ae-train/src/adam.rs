//! Adam and AdamW as optimisers of Burn, with the kernels of ae-kernels.

use std::sync::{Arc, Mutex, PoisonError};

use ae_kernels::AdamQueue;
use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

/// The constants of Adam, with decoupled weight decay. The state has the names and meanings of Burn's own
/// Adam.
#[derive(Clone)]
pub(crate) struct Adam {
    pub(crate) beta_1: f32,
    pub(crate) beta_2: f32,
    pub(crate) epsilon: f32,
    pub(crate) weight_decay: f32,
    /// Collects the updates of a step, which are launched together.
    pub(crate) queue: Queue,
}

pub(crate) type Queue = Arc<Mutex<AdamQueue>>;

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let AdaptiveMomentumState { time, moment_1, moment_2, .. } = match state {
            Some(state) => state.momentum,
            None => AdaptiveMomentumState::new(0, parameter.zeros_like(), parameter.zeros_like()),
        };
        let Self { beta_1, beta_2, epsilon, weight_decay, .. } = *self;
        let time = time + 1;
        let step = ae_kernels::Adam { beta_1, beta_2, epsilon, weight_decay, rate, time };
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let [parameter, moment_1, moment_2] =
            queue.push([parameter, moment_1, moment_2], gradient, &step);
        let momentum = AdaptiveMomentumState::new(time, moment_1, moment_2);
        (parameter, Some(AdamState::new(momentum)))
    }

    fn to_device<const D: usize>(mut state: AdamState<D>, device: &Device) -> AdamState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}
