//! Weight decay as a penalty.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::penalty_kind::SMOOTH;
use crate::{Pass, Penalty, PenaltyKind};

/// `sum W^2` over all weights of a model: the sum of the squares of matrices and kernels, without biases
/// and gains of normalisations. A tied weight counts once.
///
/// Its gradient passes through the optimiser, so with Adam it is not the weight decay of AdamW. With equal
/// penalties on both matrices of a linear autoencoder, the left singular vectors of the decoder are the
/// principal directions (Kunin et al. 2019, arXiv 1901.08168). Usual weights are between 1e-6 and 1e-2.
#[derive(Clone, Copy, Debug)]
pub struct WeightDecay;

impl WeightDecay {
    /// How recipes and command lines offer it.
    pub const KIND: PenaltyKind = PenaltyKind {
        key: "weight_decay",
        option: "weight-decay",
        what: "the sum of squared weights",
        note: ", as a term of the loss; the decay of adam-w is separate",
        group: SMOOTH,
        settings: &[],
        is_number: true,
        needs_sigmoid: false,
        uses_jacobian: false,
        build: |_| Ok(Box::new(WeightDecay)),
    };
}

impl<M: Module> Penalty<M> for WeightDecay {
    fn name(&self) -> &str {
        "weight-decay"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let mut squares = Squares { sum: None };
        pass.model.visit(&mut squares);
        squares.sum.unwrap_or_else(|| Tensor::zeros([1], &pass.input.device()))
    }
}

struct Squares {
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D < 2 {
            return;
        }
        let square = param.val().square().sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + square,
            None => square,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{model, pass};
    use ae_models::tensors;
    use burn::tensor::{Device, TensorData};

    /// Weights (1, 2) and (-2, 0.5), biases 7: 1 + 4 + 4 + 0.25 = 9.25.
    #[test]
    fn weights_by_hand() {
        let weights = [
            ("encoder.layers.0.weight", TensorData::from([[1.0f32, 2.0]])),
            ("encoder.layers.0.bias", TensorData::from([7.0f32])),
            ("decoder.layers.0.weight", TensorData::from([[-2.0f32], [0.5]])),
            ("decoder.layers.0.bias", TensorData::from([7.0f32, 7.0])),
        ];
        let weights = weights.map(|(name, data)| (name.to_owned(), data)).into();
        let model = tensors::replace(model(1), weights).unwrap();
        let code = Tensor::zeros([1, 1], &Device::flex());
        let value: f32 = WeightDecay.value(&pass(&model, code)).into_scalar();
        assert_eq!(value, 9.25);
    }
}
