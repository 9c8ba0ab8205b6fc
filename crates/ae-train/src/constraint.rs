//! Constraints on parameters, which hold after every step.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use serde_json::{Value, json};

use crate::{Error, NoiseKey, Result};

/// A change of the model after every update: projections such as unit-norm decoders or non-negative weights. Its
/// random numbers, if any, come from the key of the step.
pub trait Constraint<M>: Send + Sync {
    /// Its name in logs.
    fn name(&self) -> &str;

    /// The model that satisfies it. Parameters stay parameters: their values change.
    fn apply(&self, model: M, key: NoiseKey) -> M;

    /// Everything that determines its result, except for its name. A checkpoint of other settings is refused.
    fn settings(&self) -> Value {
        Value::Null
    }
}

/// `||w_j|| <= c` for the incoming weights `w_j` of every unit `j` of a dense layer: longer ones are scaled to the
/// length `c` (Srivastava et al. 2014, JMLR 15:1929, section 5.1, where it is used with
/// [dropout](crate::Objective::dropout)).
///
/// | parameter | range | usual | meaning |
/// |---|---|---|---|
/// | `c` | above 0 | 3 to 4 | the largest Euclidean norm |
///
/// Kernels of convolutions and biases are left as they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxNorm {
    limit: f64,
}

impl MaxNorm {
    /// A limit of the norm.
    ///
    /// # Errors
    /// If it is not a number above 0.
    pub fn new(limit: f64) -> Result<Self> {
        match limit.is_finite() && limit > 0.0 {
            true => Ok(Self { limit }),
            false => Err(Error::setting("max-norm", "a number above 0", limit)),
        }
    }
}

impl<M: Module> Constraint<M> for MaxNorm {
    fn name(&self) -> &str {
        "max-norm"
    }

    fn apply(&self, model: M, _: NoiseKey) -> M {
        model.map(&mut Projection { limit: self.limit })
    }

    fn settings(&self) -> Value {
        json!({ "limit": self.limit })
    }
}

struct Projection {
    limit: f64,
}

impl ModuleMapper for Projection {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 2 {
            return param;
        }
        let (id, value, mapper) = param.consume();
        let is_trained = value.is_require_grad();
        let weight = value.inner(); // [in, out]
        let norms = weight.clone().square().sum_dim(0).sqrt();
        let weight = weight * (norms.clamp_min(self.limit).recip() * self.limit);
        let value = Tensor::<D>::from_inner(weight).set_require_grad(is_trained);
        Param::from_mapped_value(id, value, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;
    use ae_models::{Activation, DenseConfig, tensors};
    use burn::tensor::{Device, TensorData};

    /// Columns (3, 4) and (0, 1) have the norms 5 and 1: the first is scaled by 2 / 5, the second stays.
    #[test]
    fn max_norm_by_hand() {
        let device = Device::flex().autodiff();
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([2, 2]) };
        let model = config.init(0, &device).unwrap();
        struct Set;
        impl ModuleMapper for Set {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let (id, value, mapper) = param.consume();
                let device = value.device();
                let numbers = if D == 2 { vec![3.0f32, 0.0, 4.0, 1.0] } else { vec![7.0; 2] };
                let data = TensorData::new(numbers, value.shape());
                Param::from_mapped_value(
                    id,
                    Tensor::from_data(data, &device).require_grad(),
                    mapper,
                )
            }
        }
        let key = NoiseKey { seed: 0, phase: Phase::Train(0), step: 0 };
        let model = MaxNorm::new(2.0).unwrap().apply(model.map(&mut Set), key);
        for (name, data) in tensors::collect(&model) {
            let found: Vec<f32> = data.iter().collect();
            let expected = match name.contains("bias") {
                true => vec![7.0, 7.0],
                // As PyTorch has it, [out, in].
                false => vec![1.2, 1.6, 0.0, 1.0],
            };
            let is_near = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(is_near, "{name}: {found:?}");
        }
        assert!(MaxNorm::new(0.0).is_err() && MaxNorm::new(f64::NAN).is_err());
    }
}
