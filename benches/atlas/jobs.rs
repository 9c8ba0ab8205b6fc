//! What is timed in every variant: the passes of the layers of the nets that are compared, the largest first.

use ae_kernels::atlas::{Direction, Layer, Sizes};

use crate::checks::Kernel;

/// A pass of a layer.
#[derive(Clone, Copy)]
pub struct Job {
    /// The net and the layer in it.
    pub name: &'static str,
    pub layer: Layer,
    pub direction: Direction,
}

/// The batch of the coarse grid, and those of its best variants.
pub fn batches(is_toy: bool) -> (usize, &'static [usize]) {
    if is_toy { (8, &[4, 16]) } else { (1024, &[128, 8192]) }
}

const ALL: [Direction; 3] = [Direction::Forward, Direction::Input, Direction::Weight];
/// No step asks for the gradient of a net's input.
const OF_FIRST: [Direction; 2] = [Direction::Forward, Direction::Weight];

pub fn jobs(is_toy: bool) -> Vec<Job> {
    let sizes = |channels, side, filters| Sizes { channels, side, filters, kernel: 3, stride: 2 };
    let (inner, outer) = (sizes(32, 14, 64), sizes(1, 28, 32));
    let layers: Vec<(&str, Layer, &[Direction])> = match is_toy {
        true => vec![
            ("conv conv1", Layer::Convolution(sizes(1, 8, 4)), &OF_FIRST),
            ("conv convT1", Layer::Transposed(sizes(4, 4, 6)), &ALL),
            ("dense 40-24", Layer::Linear([40, 24]), &ALL),
        ],
        false => vec![
            ("conv conv2", Layer::Convolution(inner), &ALL),
            ("conv convT1", Layer::Transposed(inner), &ALL),
            ("dense 784-1000", Layer::Linear([784, 1000]), &OF_FIRST),
            ("dense 1000-784", Layer::Linear([1000, 784]), &ALL),
            ("conv conv1", Layer::Convolution(outer), &OF_FIRST),
            ("conv convT2", Layer::Transposed(outer), &ALL),
            ("dense 1000-500", Layer::Linear([1000, 500]), &ALL),
            ("dense 500-1000", Layer::Linear([500, 1000]), &ALL),
            ("dense 500-250", Layer::Linear([500, 250]), &ALL),
            ("dense 250-500", Layer::Linear([250, 500]), &ALL),
            ("conv code 3136-32", Layer::Linear([3136, 32]), &ALL),
            ("conv code 32-3136", Layer::Linear([32, 3136]), &ALL),
            ("dense 250-30", Layer::Linear([250, 30]), &ALL),
            ("dense 30-250", Layer::Linear([30, 250]), &ALL),
        ],
    };
    let jobs = layers.into_iter().flat_map(|(name, layer, directions)| {
        directions.iter().map(move |direction| Job { name, layer, direction: *direction })
    });
    jobs.collect()
}

impl Job {
    /// The check that its kernel has passed.
    pub fn kernel(&self) -> Kernel {
        match self.layer {
            Layer::Linear(_) => Kernel::Linear,
            Layer::Convolution(_) => Kernel::Convolution,
            Layer::Transposed(_) => Kernel::Transposed,
        }
    }

    pub fn pass(&self) -> &'static str {
        match self.direction {
            Direction::Forward => "forward",
            Direction::Input => "input gradient",
            Direction::Weight => "weight gradient",
        }
    }
}
