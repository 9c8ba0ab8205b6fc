//! Sparsity by the ratio of two norms.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::penalty_kind::SPARSE;
use crate::{Pass, Penalty, PenaltyKind};

/// `||h||_1 / ||h||_2`, averaged over the batch: from 1 for a code with one active unit to `sqrt(n)` for `n` units of
/// the same size. It is the varying part of Hoyer's sparseness, `(sqrt(n) - ||h||_1 / ||h||_2) / (sqrt(n) - 1)`
/// (Hoyer 2004, JMLR 5:1457). Unlike [`L1`](crate::L1) it does not change with the scale of the code, so it cannot be
/// reduced by making the code small.
///
/// No unit. Usual weights are between 0.1 and 10 with a loss that is summed over pixels.
#[derive(Clone, Copy, Debug)]
pub struct Hoyer;

impl Hoyer {
    /// How recipes and command lines offer it.
    pub const KIND: PenaltyKind = PenaltyKind {
        key: "hoyer",
        option: "hoyer",
        what: "the L1 norm of the code over its L2 norm",
        note: " (Hoyer sparseness)",
        group: SPARSE,
        settings: &[],
        is_number: true,
        needs_sigmoid: false,
        uses_jacobian: false,
        build: |_| Ok(Box::new(Hoyer)),
    };
}

/// Added to the square of the L2 norm, so that a code of zeros has the value 0 and a finite gradient.
const EDGE: f64 = 1e-12;

impl<M: Autoencoder> Penalty<M> for Hoyer {
    fn name(&self) -> &str {
        "hoyer"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let sums = pass.code.clone().abs().sum_dim(1);
        let lengths = (pass.code.clone().square().sum_dim(1) + EDGE).sqrt();
        (sums / lengths).mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{model, pass};
    use burn::tensor::Device;

    fn value(codes: [[f32; 2]; 2]) -> f64 {
        let code = Tensor::from_floats(codes, &Device::flex());
        Hoyer.value(&pass(&model(2), code)).into_scalar()
    }

    /// Codes (3, -4) and (0, 2): (7 / 5 + 2 / 2) / 2 = 1.2, at any scale; 0 for codes of zeros.
    #[test]
    fn hoyer_by_hand() {
        assert!((value([[3.0, -4.0], [0.0, 2.0]]) - 1.2).abs() < 1e-6);
        assert!((value([[0.3, -0.4], [0.0, 20.0]]) - 1.2).abs() < 1e-6);
        assert_eq!(value([[0.0, 0.0], [0.0, 0.0]]), 0.0);
    }
}
