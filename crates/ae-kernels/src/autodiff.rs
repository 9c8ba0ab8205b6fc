//! What the backward passes of operations have in common.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// What an operation with a weight keeps for its backward pass: the input if the weight needs a gradient, the weight
/// if the input does.
#[derive(Clone, Debug)]
pub(crate) struct Pass<B: Backend, F> {
    pub(crate) input: Option<FloatTensor<B>>,
    pub(crate) weight: Option<FloatTensor<B>>,
    pub(crate) output: FloatTensor<B>,
    pub(crate) form: F,
}

/// The gradients that are needed.
pub(crate) struct Gradients<B: Backend> {
    pub(crate) input: Option<FloatTensor<B>>,
    pub(crate) weight: Option<FloatTensor<B>>,
    pub(crate) bias: FloatTensor<B>,
}

/// Registers the gradient of each parent that needs one. (A macro, since Burn does not name the type of a parent.)
macro_rules! register {
    ($backend:ty, $gradients:expr, $parents:expr, $found:expr) => {
        for (node, gradient) in $parents.into_iter().zip($found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                $gradients.register::<$backend>(node.id, gradient);
            }
        }
    };
}

/// The forward pass of an operation of input, weight and bias, recorded with what its backward pass needs. (A
/// macro for the same reason.)
macro_rules! record {
    ($backward:expr, $strategy:ty, [$input:ident, $weight:ident, $bias:ident], $form:ident, $forward:expr) => {{
        let prepared =
            $backward.prepare::<$strategy>([$input.node(), $weight.node(), $bias.node()]);
        let wanted = [$weight.is_tracked(), $input.is_tracked()];
        let [input, weight, bias] = [$input, $weight, $bias].map(|tensor| tensor.into_primitive());
        let output = $forward(input.clone(), weight.clone(), bias, $form);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (input, weight) = (wanted[0].then_some(input), wanted[1].then_some(weight));
                prepared.finish(Pass { input, weight, output: output.clone(), form: $form }, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }};
}

/// Calls a function that is generic over the float type, with the type of a tensor.
#[cfg(feature = "flex")]
macro_rules! by_dtype {
    ($tensor:expr, $($function:tt)::+ ( $($argument:expr),* $(,)? )) => {
        match $tensor.dtype() {
            DType::F64 => $($function)::+::<f64>($($argument),*),
            _ => $($function)::+::<f32>($($argument),*),
        }
    };
}

#[cfg(feature = "flex")]
pub(crate) use by_dtype;
pub(crate) use {record, register};
