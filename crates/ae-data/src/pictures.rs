//! Generated grey pictures of one size, each from a random stream of its own.

use crate::rng::Rng;
use crate::{Labels, Samples, Shape};

/// Pixels along each side.
pub(crate) const SIDE: usize = 28;

/// Pixels in a picture.
pub(crate) const PIXELS: usize = SIDE * SIDE;

/// The pixels of `count` black pictures.
///
/// # Panics
/// If they need more than `isize::MAX` bytes.
pub(crate) fn black(count: usize) -> Vec<u8> {
    let bytes = count.checked_mul(PIXELS).filter(|bytes| isize::try_from(*bytes).is_ok());
    vec![0; bytes.expect("fewer than isize::MAX bytes of pictures")]
}

/// The pixels of `count` pictures, and what `render` returned for each. It is given the random stream
/// of the picture's number and a black picture.
pub(crate) fn render_all<T>(
    count: usize,
    seed: u64,
    mut render: impl FnMut(&mut Rng, &mut [u8]) -> T,
) -> (Vec<u8>, Vec<T>) {
    let mut pixels = black(count);
    let fields = pixels.chunks_exact_mut(PIXELS).zip(0..);
    let results = fields.map(|(field, at)| render(&mut Rng::stream(seed, at), field)).collect();
    (pixels, results)
}

/// Samples from the pixels of pictures.
pub(crate) fn samples(pixels: Vec<u8>) -> Samples {
    Samples::from_bytes(pixels, Shape::image(1, SIDE, SIDE)).expect("whole pictures")
}

/// Samples from the pixels of pictures, with their classes and the names of the classes.
pub(crate) fn labelled(pixels: Vec<u8>, classes: Vec<u32>, names: &[&str]) -> Samples {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let labels = Labels::new(classes, names).expect("a name for each class");
    samples(pixels).with_labels(labels).expect("a class for each picture")
}
