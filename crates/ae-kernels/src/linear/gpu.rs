//! Products of a linear map and of its gradients on a GPU.

use burn::backend::TensorMetadata;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::kernel::{Form, Linear, LinearBackward};
use crate::Activation;
use crate::autodiff::{Gradients, Pass};
use crate::gpu::{Contraction, Side, Sums};

/// `W` indexed by (column of the output, step of the sum).
fn weight_side(weight: CubeTensor, transposed: bool) -> Side {
    Side::matrix(weight, if transposed { 0 } else { 1 })
}

/// The gradient of the input, from the output and its gradient.
pub(super) fn of_input(
    weight: CubeTensor,
    gradient: CubeTensor,
    output: CubeTensor,
    form: Form,
) -> CubeTensor {
    let [rows, columns] = gradient.shape().dims();
    let features = weight.shape()[usize::from(form.transposed)];
    let left = Side::matrix(gradient, 0).sloped(output, form.activation);
    // Indexed by (feature, column): the weight's other axis.
    let right = weight_side(weight, !form.transposed);
    Contraction { left, right, rows, columns: features, steps: columns }
        .matrix(None, Activation::Identity)
}

impl Linear for CubeBackend {
    fn linear(input: CubeTensor, weight: CubeTensor, bias: CubeTensor, form: Form) -> CubeTensor {
        let [rows, steps] = input.shape().dims();
        let columns = weight.shape()[usize::from(!form.transposed)];
        let left = Side::matrix(input, 0);
        let right = weight_side(weight, form.transposed);
        let bias = into_contiguous(bias);
        Contraction { left, right, rows, columns, steps }.matrix(Some(bias), form.activation)
    }
}

impl LinearBackward for CubeBackend {
    fn linear_backward(pass: Pass<Self, Form>, gradient: CubeTensor) -> Gradients<Self> {
        let Form { transposed, activation } = pass.form;
        let (gradient, output) = (into_contiguous(gradient), pass.output);
        let [rows, columns] = gradient.shape().dims();
        let sloped = |side: Side| side.sloped(output.clone(), activation);
        let input =
            pass.weight.map(|weight| of_input(weight, gradient.clone(), output.clone(), pass.form));
        let found = pass.input.map(|input| {
            let features = input.shape()[1];
            let of_gradient = sloped(Side::matrix(gradient.clone(), 1));
            let of_input = Side::matrix(input, 1);
            let ([left, right], [height, width], sums) = match transposed {
                true => ([of_gradient, of_input], [columns, features], Sums::Left),
                false => ([of_input, of_gradient], [features, columns], Sums::Right),
            };
            Contraction { left, right, rows: height, columns: width, steps: rows }.with_sums(sums)
        });
        let (weight, bias) = match found {
            Some([weight, bias]) => (Some(weight), bias),
            None => (
                None,
                crate::gpu::row_sums(crate::gpu::activation_backward(gradient, output, activation)),
            ),
        };
        Gradients { input, weight, bias }
    }
}
