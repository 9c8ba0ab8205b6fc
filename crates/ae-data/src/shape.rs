//! The shape of a sample: pixels or columns.

/// What the `d` features of a sample are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Pixels, channel by channel, each row by row (`[channels, height, width]`).
    Image {
        /// 1 for grey, 3 for red, green, blue.
        channels: usize,
        /// Rows of pixels.
        height: usize,
        /// Pixels in a row.
        width: usize,
    },
    /// Columns of a table, by name.
    Table {
        /// One name per feature.
        columns: Vec<String>,
    },
}

impl Shape {
    /// The shape of an image: channels, height, width.
    pub fn image(channels: usize, height: usize, width: usize) -> Self {
        Self::Image { channels, height, width }
    }

    /// A table with columns named `0`, `1`, ...
    pub fn table(columns: usize) -> Self {
        Self::Table { columns: (0..columns).map(|column| column.to_string()).collect() }
    }

    /// Features of one sample, `d`.
    pub fn features(&self) -> usize {
        match self {
            Self::Image { channels, height, width } => channels * height * width,
            Self::Table { columns } => columns.len(),
        }
    }

    /// The number of groups of features with a common offset and scale in
    /// [`Preprocessing`](crate::Preprocessing): channels of an image, columns of a table.
    pub(crate) fn groups(&self) -> usize {
        match self {
            Self::Image { channels, .. } => *channels,
            Self::Table { columns } => columns.len(),
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image { channels, height, width } => write!(f, "{channels}x{height}x{width}"),
            Self::Table { columns } => write!(f, "{} columns", columns.len()),
        }
    }
}
