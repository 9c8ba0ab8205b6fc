//! How convolutional stages halve and double the size of their maps.

/// How an encoder stage halves height and width of its map. Odd sizes round up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Downsample {
    /// A convolution with stride 2.
    #[default]
    Stride,
    /// A convolution with stride 1, then the maximum of each 2x2 square.
    MaxPool,
}

/// How a decoder stage doubles height and width of its map, back to the size in the encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upsample {
    /// A transposed convolution with stride 2.
    #[default]
    Transposed,
    /// Nearest-neighbour upsampling, then a convolution with stride 1. It has no checkerboard
    /// artefacts (Odena et al. 2016, doi 10.23915/distill.00003), but takes more arithmetic.
    #[serde(rename = "upsample")]
    Nearest,
}
