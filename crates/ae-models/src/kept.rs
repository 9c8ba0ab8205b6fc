//! k-sparse codes: all but the largest units are zero.

use burn::tensor::{Bool, Tensor};

use crate::{Error, Result};

/// Zeroes all but the `k` largest units of every code (Makhzani & Frey 2013, arXiv 1312.5663):
/// largest by value, not by size. Units that equal the last one kept are kept too. The gradient
/// reaches the units that are kept, and no others.
///
/// # Shapes
/// - code and output: `[batch, code]`
pub fn keep_largest(code: Tensor<2>, k: usize) -> Tensor<2> {
    let dropped = dropped(code.clone(), k);
    match dropped {
        Some(dropped) => code.mask_fill(dropped, 0.0),
        None => code,
    }
}

/// Which units are not among the `k` largest; `None` if all are.
pub(crate) fn dropped(code: Tensor<2>, k: usize) -> Option<Tensor<2, Bool>> {
    let [_, units] = code.dims();
    if k >= units {
        return None;
    }
    let code = code.without_autodiff();
    let last = code.clone().topk(k, 1).narrow(1, k - 1, 1);
    Some(code.lower(last))
}

/// Whether so many units of a code can be kept.
pub(crate) fn check_kept(kept: Option<usize>, units: usize) -> Result<()> {
    match kept {
        Some(k) if k == 0 || k > units => {
            Err(Error::config("kept", format!("1 to {units}, the units of the code"), k))
        }
        _ => Ok(()),
    }
}

/// What an encoder that keeps `kept` units makes of the code before.
pub(crate) fn keep(code: Tensor<2>, kept: Option<usize>) -> Tensor<2> {
    match kept {
        Some(k) => keep_largest(code, k),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// By value: of (3, -5, 1, 2) the two largest are 3 and 2. Ties stay.
    #[test]
    fn the_largest_by_hand() {
        let codes = [[3.0, -5.0, 1.0, 2.0], [0.0, 0.0, 0.0, -1.0]];
        let code = Tensor::from_floats(codes, &Device::flex());
        let kept = keep_largest(code.clone(), 2).into_data();
        let expected = [[3.0f32, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]];
        kept.assert_eq(&TensorData::from(expected), true);
        keep_largest(code.clone(), 4).into_data().assert_eq(&code.into_data(), true);
    }

    #[test]
    fn the_gradient_reaches_the_kept() {
        let device = Device::flex().autodiff();
        let code = Tensor::<2>::from_floats([[3.0, -5.0, 1.0, 2.0]], &device).require_grad();
        let gradient = code.grad(&keep_largest(code.clone(), 2).square().sum().backward());
        let expected = TensorData::from([[6.0f32, 0.0, 0.0, 4.0]]);
        gradient.unwrap().into_data().assert_eq(&expected, true);
    }
}
