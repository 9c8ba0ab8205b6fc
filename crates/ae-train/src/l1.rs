//! Sparsity by the sum of absolute values.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::penalty_kind::SPARSE;
use crate::reconstruction::per_sample;
use crate::{Pass, Penalty, PenaltyKind};

/// `sum_j |h_j|`, averaged over the batch: the sum of the absolute values of the code, which drives units
/// to 0.
///
/// Units: those of the code. Usual weights are between 1e-4 and 1e-1 with a squared error that is summed
/// over pixels.
#[derive(Clone, Copy, Debug)]
pub struct L1;

impl L1 {
    /// How recipes and command lines offer it.
    pub const KIND: PenaltyKind = PenaltyKind {
        key: "l1",
        option: "l1",
        what: "the L1 norm of the code",
        note: "",
        group: SPARSE,
        settings: &[],
        is_number: true,
        needs_sigmoid: false,
        uses_jacobian: false,
        build: |_| Ok(Box::new(L1)),
    };
}

impl<M: Autoencoder> Penalty<M> for L1 {
    fn name(&self) -> &str {
        "l1"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let [batch, _] = pass.code.dims();
        per_sample(pass.code.clone().abs().sum(), batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{model, pass};
    use burn::tensor::{Device, TensorData};

    /// Codes (1, -2) and (0, 3): (3 + 3) / 2 = 3.
    #[test]
    fn l1_by_hand() {
        let code = Tensor::from_floats([[1.0, -2.0], [0.0, 3.0]], &Device::flex());
        let value = L1.value(&pass(&model(2), code));
        value.into_data().assert_eq(&TensorData::from([3.0f32]), true);
    }
}
