//! Dropout on hidden layers.

use ae_models::{Layered, keep_largest};
use burn::tensor::{Tensor, TensorData};
use rand::Rng;

use crate::{Error, Moment, Probability, Result};

/// Dropout: each hidden unit, the code's included, is zero with probability `p` at each training
/// step, and the others are multiplied by `1 / (1 - p)` (Srivastava et al. 2014, JMLR 15:1929).
///
/// Inputs are not dropped: that is masking noise ([`Corruption`](crate::Corruption)), which does not
/// rescale. In validation and in use nothing is dropped.
pub(crate) struct Dropout<M> {
    p: Probability,
    encode: Through<M>,
    decode: Through<M>,
}

type Through<M> = fn(&M, Tensor<2>, &mut dyn FnMut(Tensor<2>) -> Tensor<2>) -> Tensor<2>;

impl<M: Layered> Dropout<M> {
    pub(crate) fn new(p: f64) -> Result<Self> {
        if p == 1.0 {
            return Err(Error::setting("dropout", "a number in [0, 1)", p));
        }
        let (encode, decode) = (M::encode_through, M::decode_logits_through);
        Ok(Self { p: Probability::new(p)?, encode, decode })
    }
}

impl<M> Dropout<M> {
    pub(crate) fn probability(&self) -> f64 {
        self.p.value()
    }

    /// The code, whole, of which `k` units are to be kept if any are to be dropped; and the logits.
    pub(crate) fn pass(
        &self,
        model: &M,
        input: Tensor<2>,
        kept: Option<usize>,
        moment: Moment,
    ) -> [Tensor<2>; 2] {
        let mut generator = moment.generator("dropout");
        let (p, threshold) = (self.p.value(), self.p.threshold());
        let mut between = |hidden: Tensor<2>| {
            let shape = hidden.dims();
            let dropped: Vec<bool> = (0..shape[0] * shape[1])
                .map(|_| u64::from(generator.next_u32()) < threshold)
                .collect();
            let device = hidden.device();
            let dropped = Tensor::from_data(TensorData::new(dropped, shape), &device);
            hidden.mask_fill(dropped, 0.0) * (1.0 / (1.0 - p))
        };
        let all = (self.encode)(model, input, &mut between);
        let code = match kept {
            Some(k) => keep_largest(all, k),
            None => all,
        };
        let dropped = between(code.clone());
        [code, (self.decode)(model, dropped, &mut between)]
    }
}
