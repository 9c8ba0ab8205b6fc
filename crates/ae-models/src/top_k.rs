//! k-sparse codes: all but the largest units are zero.

use burn::tensor::{Bool, Tensor};

use crate::{Error, Result};

/// Zeroes all but the `k` largest units of every code (Makhzani & Frey 2013, arXiv 1312.5663):
/// largest by value, not by magnitude. Units that equal the smallest kept one are kept too. The
/// gradient reaches only the kept units.
///
/// # Shapes
/// - code and output: `[batch, code]`
pub fn top_k(code: Tensor<2>, k: usize) -> Tensor<2> {
    let dropped = dropped_units(code.clone(), k);
    match dropped {
        Some(dropped) => code.mask_fill(dropped, 0.0),
        None => code,
    }
}

/// A mask of the units that are not among the `k` largest; `None` if all are.
pub(crate) fn dropped_units(code: Tensor<2>, k: usize) -> Option<Tensor<2, Bool>> {
    let [_, units] = code.dims();
    if k >= units {
        return None;
    }
    let code = code.without_autodiff();
    let last = code.clone().topk(k, 1).narrow(1, k - 1, 1);
    Some(code.lower(last))
}

/// Checks that a code of `units` units has `k` to keep.
pub(crate) fn check_top_k(k: Option<usize>, units: usize) -> Result<()> {
    match k {
        Some(k) if k == 0 || k > units => {
            Err(Error::config("units kept", format!("1 to {units}, the units of the code"), k))
        }
        _ => Ok(()),
    }
}

/// [`top_k`], or the whole code if there is no `k`.
pub(crate) fn apply_top_k(code: Tensor<2>, k: Option<usize>) -> Tensor<2> {
    match k {
        Some(k) => top_k(code, k),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// By value: of (3, -5, 1, 2) the two largest are 3 and 2. Ties stay.
    #[test]
    fn top_k_by_hand() {
        let codes = [[3.0, -5.0, 1.0, 2.0], [0.0, 0.0, 0.0, -1.0]];
        let code = Tensor::from_floats(codes, &Device::flex());
        let largest = top_k(code.clone(), 2).into_data();
        let expected = [[3.0f32, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]];
        largest.assert_eq(&TensorData::from(expected), true);
        top_k(code.clone(), 4).into_data().assert_eq(&code.into_data(), true);
    }

    #[test]
    fn gradient_reaches_only_kept_units() {
        let device = Device::flex().autodiff();
        let code = Tensor::<2>::from_floats([[3.0, -5.0, 1.0, 2.0]], &device).require_grad();
        let gradient = code.grad(&top_k(code.clone(), 2).square().sum().backward());
        let expected = TensorData::from([[6.0f32, 0.0, 0.0, 4.0]]);
        gradient.unwrap().into_data().assert_eq(&expected, true);
    }
}
