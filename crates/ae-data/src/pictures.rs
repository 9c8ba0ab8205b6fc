//! Pictures that are made, not read: grey, of one size, each with a stream of chance of its own.

use crate::chance::Chance;
use crate::{Labels, Samples, Shape};

/// Pixels along each side.
pub(crate) const SIDE: usize = 28;

/// Pixels in a picture.
pub(crate) const PIXELS: usize = SIDE * SIDE;

/// The pixels of `count` black pictures.
///
/// # Panics
/// If they are more than a program can have.
pub(crate) fn black(count: usize) -> Vec<u8> {
    let bytes = count.checked_mul(PIXELS).filter(|bytes| isize::try_from(*bytes).is_ok());
    vec![0; bytes.expect("no memory holds so many pictures")]
}

/// The pixels of `count` pictures, and what `draw` said of each: it is given a black picture and
/// the stream of the picture's number.
pub(crate) fn drawn<T>(
    count: usize,
    seed: u64,
    mut draw: impl FnMut(&mut Chance, &mut [u8]) -> T,
) -> (Vec<u8>, Vec<T>) {
    let mut pixels = black(count);
    let fields = pixels.chunks_exact_mut(PIXELS).zip(0..);
    let said = fields.map(|(field, at)| draw(&mut Chance::stream(seed, at), field)).collect();
    (pixels, said)
}

/// Whole pictures as samples.
pub(crate) fn samples(pixels: Vec<u8>) -> Samples {
    Samples::from_bytes(pixels, Shape::image(1, SIDE, SIDE)).expect("whole pictures")
}

/// Whole pictures as samples with a class each, of those that have names.
pub(crate) fn labelled(pixels: Vec<u8>, classes: Vec<u32>, names: &[&str]) -> Samples {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let labels = Labels::new(classes, names).expect("classes that have names");
    samples(pixels).with_labels(labels).expect("a class for each picture")
}
