//! Samples as tensors, and back.

use std::sync::Arc;

use ae_data::{Samples, Shape, Source};
use burn::tensor::{Device, Tensor, TensorData};

use crate::{Error, Result};

/// All rows of a source as one tensor `[rows, features]` on a device.
///
/// ```
/// use ae_data::digits;
/// use ae_train::{from_tensor, to_tensor};
/// use burn::tensor::Device;
///
/// let digits = digits::generate(20, 0);
/// let tensor = to_tensor(&digits, &Device::flex())?;
/// assert_eq!(tensor.dims(), [20, 784]);
/// let back = from_tensor(tensor, digits.shape().clone())?;
/// assert_eq!(back.row(7), digits.row(7));
/// # Ok::<(), ae_train::Error>(())
/// ```
///
/// # Errors
/// If rows cannot be read.
pub fn to_tensor(samples: impl Into<Arc<dyn Source>>, device: &Device) -> Result<Tensor<2>> {
    let samples = samples.into();
    let (rows, width) = (samples.len(), samples.width());
    let mut values = vec![0.0; rows * width];
    samples.read(&(0..rows).collect::<Vec<_>>(), &mut values)?;
    Ok(Tensor::from_data(TensorData::new(values, [rows, width]), device))
}

/// The rows of a tensor `[rows, features]` as samples of a shape.
///
/// # Errors
/// If the shape has another number of features than the tensor has columns, or a value is not finite.
pub fn from_tensor(tensor: Tensor<2>, shape: Shape) -> Result<Samples> {
    let width = tensor.dims()[1];
    if width != shape.features() {
        let expected = shape.features();
        let message = format!("tensor: expected {expected} columns, as {shape} has, got {width}");
        return Err(Error::Objective(message));
    }
    Ok(Samples::from_floats(tensor.into_data().iter::<f32>().collect(), shape)?)
}
