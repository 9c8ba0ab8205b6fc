//! Dropout on hidden layers.

use ae_models::Layered;
use burn::tensor::{Tensor, TensorData};
use rand::Rng;

use crate::{Error, NoiseKey, Probability, Result};

/// Dropout: in each training step each hidden unit, also of the code, is 0 with probability `p`, and the
/// others are multiplied by `1 / (1 - p)` (Srivastava et al. 2014, JMLR 15:1929).
///
/// Inputs are not dropped; masking noise ([`Corruption`](crate::Corruption)) does that, without
/// rescaling. Validation and the trained model have no dropout.
pub(crate) struct Dropout<M> {
    p: Probability,
    encode: HookedForward<M>,
    decode: HookedForward<M>,
}

type HookedForward<M> = fn(&M, Tensor<2>, &mut dyn FnMut(Tensor<2>) -> Tensor<2>) -> Tensor<2>;

impl<M: Layered> Dropout<M> {
    pub(crate) fn new(p: f64) -> Result<Self> {
        if p == 1.0 {
            return Err(Error::setting("dropout", "a number in [0, 1)", p));
        }
        let (encode, decode) = (M::encode_with_hook, M::decode_logits_with_hook);
        Ok(Self { p: Probability::new(p)?, encode, decode })
    }
}

impl<M> Dropout<M> {
    pub(crate) fn probability(&self) -> f64 {
        self.p.value()
    }

    /// The code before dropout, transformed, and the logits after dropout.
    pub(crate) fn pass(
        &self,
        model: &M,
        input: Tensor<2>,
        transform: &dyn Fn(Tensor<2>) -> Tensor<2>,
        key: NoiseKey,
    ) -> [Tensor<2>; 2] {
        let mut generator = key.generator("dropout");
        let (p, threshold) = (self.p.value(), self.p.threshold());
        let mut hook = |hidden: Tensor<2>| {
            let shape = hidden.dims();
            let dropped: Vec<bool> = (0..shape[0] * shape[1])
                .map(|_| u64::from(generator.next_u32()) < threshold)
                .collect();
            let device = hidden.device();
            let dropped = Tensor::from_data(TensorData::new(dropped, shape), &device);
            hidden.mask_fill(dropped, 0.0) * (1.0 / (1.0 - p))
        };
        let all = (self.encode)(model, input, &mut hook);
        let code = transform(all);
        let dropped = hook(code.clone());
        [code, (self.decode)(model, dropped, &mut hook)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;
    use ae_models::{Dense, DenseConfig};
    use burn::tensor::Device;

    #[test]
    fn no_two_epochs_and_no_two_steps_have_the_same_masks() {
        let device = Device::flex();
        let model = DenseConfig::new([2, 64]).init(0, &device).unwrap();
        let dropout = Dropout::<Dense>::new(0.5).unwrap();
        let logits = |epoch, step| {
            let input = Tensor::from_floats([[0.4, 0.9]], &device);
            let [_, logits] = dropout.pass(
                &model,
                input,
                &|code| code,
                NoiseKey { seed: 1, phase: Phase::Train(epoch), step },
            );
            logits.into_data()
        };
        assert_eq!(logits(1, 2), logits(1, 2));
        let [first, epoch, step] = [logits(1, 2), logits(2, 2), logits(1, 3)];
        assert!(first != epoch && first != step && epoch != step);
    }
}
