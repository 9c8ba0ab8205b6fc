//! What a contraction asks for, before its tile is chosen.

/// How the sum of a contraction may be split.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It may be split.
    Whole,
    /// It may not be split: the phases of a transposed convolution.
    Phases,
    /// It is always split, and a second kernel adds its parts: the gradient of a convolution's weight.
    Parts,
}

/// A contraction to launch: `layers` outputs of `rows x columns` numbers, each a sum of `sum` terms.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Request {
    /// How its sum may be split.
    pub kind: Kind,
    /// Rows, columns and terms of the sum.
    pub shape: [usize; 3],
    /// The number of outputs.
    pub layers: usize,
    /// The fewest terms of the sum that are worth a workgroup.
    pub steps: usize,
}
