//! The sizes of both sides of a convolution.

/// The sizes of the large side (the input of a convolution) and of the small side (its output).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) batch: usize,
    /// Channels, height, width of the large side.
    pub(crate) large: [usize; 3],
    /// Channels, height, width of the small side.
    pub(crate) small: [usize; 3],
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
}

/// The direction of a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Direction {
    /// As a convolution: large to small.
    Down,
    /// As its transpose: small to large.
    Up,
}

impl Direction {
    /// The sizes of the input and the output of a pass.
    pub(super) fn ends(self, geometry: &Geometry) -> [[usize; 3]; 2] {
        match self {
            Self::Down => [geometry.large, geometry.small],
            Self::Up => [geometry.small, geometry.large],
        }
    }

    pub(super) fn back(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }
}

pub(crate) fn pixels([_, height, width]: [usize; 3]) -> usize {
    height * width
}

pub(crate) fn size([channels, height, width]: [usize; 3]) -> usize {
    channels * height * width
}

impl Geometry {
    pub(crate) fn filters(&self) -> usize {
        self.small[0]
    }

    /// Numbers in a row of the kernel: its columns, channels of the large side.
    pub(crate) fn row(&self) -> usize {
        self.kernel * self.large[0]
    }

    /// Numbers in a patch: rows and columns of the kernel, channels of the large side.
    pub(crate) fn patch(&self) -> usize {
        self.kernel * self.row()
    }
}
