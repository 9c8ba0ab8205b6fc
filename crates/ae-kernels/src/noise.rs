//! Replacing random components, with the same random words on every device.

#[cfg(feature = "gpu")]
mod gpu;

use burn::tensor::{Bool, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// A stream of random words: ChaCha with 8 rounds (Bernstein 2008), from counter 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The key.
    pub key: [u8; 32],
    /// The number of the stream, of 2^64.
    pub stream: u64,
}

impl Words {
    /// The first words of the stream, on the host.
    pub fn take(&self, count: usize) -> Vec<u32> {
        let mut generator = ChaCha8Rng::from_seed(self.key);
        generator.set_stream(self.stream);
        let mut bytes = vec![0; count * size_of::<u32>()];
        generator.fill_bytes(&mut bytes);
        bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
    }
}

/// The components that were replaced, `[batch, features]`.
#[derive(Clone, Debug)]
pub struct Mask(Marks);

#[derive(Clone, Debug)]
enum Marks {
    Bool(Tensor<2, Bool>),
    /// 1 for replaced components, 0 for the rest. A kernel writes floats, since devices store a `bool` differently.
    #[cfg(feature = "gpu")]
    Float(Tensor<2>),
}

impl Mask {
    /// True for replaced components.
    pub fn into_bool(self) -> Tensor<2, Bool> {
        match self.0 {
            Marks::Bool(mask) => mask,
            #[cfg(feature = "gpu")]
            Marks::Float(marks) => marks.greater_elem(0.5),
        }
    }

    /// 1 for replaced components, 0 for the rest.
    pub fn into_float(self) -> Tensor<2> {
        match self.0 {
            Marks::Bool(mask) => mask.float(),
            #[cfg(feature = "gpu")]
            Marks::Float(marks) => marks,
        }
    }
}

impl From<Tensor<2, Bool>> for Mask {
    fn from(mask: Tensor<2, Bool>) -> Self {
        Self(Marks::Bool(mask))
    }
}

/// Replaces random components by 0 or 1. Each component has a random word, in row-major order: it becomes 1 if the word
/// is below `ones`, 0 if it is below `replaced`, and stays as it is otherwise. So a share of `replaced / 2^32` is
/// replaced. Returns the values and the mask of replaced components.
///
/// On a GPU the kernel computes the words itself, so none are sent to the device.
///
/// # Shapes
/// - input and values: `[batch, features]`
pub fn replace_at_random(
    input: Tensor<2>,
    words: &Words,
    replaced: u64,
    ones: u64,
) -> (Tensor<2>, Mask) {
    #[cfg(feature = "gpu")]
    if crate::target::Target::of(&input) == Some(crate::target::Target::Gpu) && !input.is_tracked()
    {
        let is_autodiff = input.is_autodiff();
        let [values, marks] = gpu::replace(input.without_autodiff(), words, replaced, ones);
        let values = if is_autodiff { values.autodiff() } else { values };
        return (values, Mask(Marks::Float(marks)));
    }
    plain(input, words, replaced, ones)
}

/// [`replace_at_random`] with words computed on the host.
pub fn plain(input: Tensor<2>, words: &Words, replaced: u64, ones: u64) -> (Tensor<2>, Mask) {
    let (shape, device) = (input.dims(), input.device());
    let words = words.take(shape[0] * shape[1]);
    let below = |limit: u64| -> Tensor<2, Bool> {
        let below: Vec<bool> = words.iter().map(|word| u64::from(*word) < limit).collect();
        Tensor::from_data(TensorData::new(below, shape), &device)
    };
    let mask = below(replaced);
    let mut values = input.mask_fill(mask.clone(), 0.0);
    if ones > 0 {
        values = values.mask_fill(below(ones), 1.0);
    }
    (values, mask.into())
}
