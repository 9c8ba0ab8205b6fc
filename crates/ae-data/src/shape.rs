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

    /// The names of the features: columns, or places of pixels from 0, such as `row 13 column 4` and, of colours,
    /// `row 13 column 4 green`.
    pub fn feature_names(&self) -> Vec<String> {
        let (channels, height, width) = match self {
            Self::Image { channels, height, width } => (*channels, *height, *width),
            Self::Table { columns } => return columns.clone(),
        };
        let color = |channel: usize| match channels {
            3 => [" red", " green", " blue"][channel].to_owned(),
            1 => String::new(),
            _ => format!(" channel {channel}"),
        };
        let names = (0..channels * height * width).map(|at| {
            let (channel, row, column) = (at / (height * width), at / width % height, at % width);
            format!("row {row} column {column}{}", color(channel))
        });
        names.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 rows of 3 columns: the fifth pixel is in the second row; with colours the next plane is green.
    #[test]
    fn pixels_are_named_by_their_place() {
        let grey = Shape::image(1, 2, 3).feature_names();
        assert_eq!((grey.len(), &*grey[4]), (6, "row 1 column 1"));
        let color = Shape::image(3, 2, 3).feature_names();
        assert_eq!(
            (color.len(), &*color[6], &*color[17]),
            (18, "row 0 column 0 green", "row 1 column 2 blue")
        );
        assert_eq!(Shape::table(2).feature_names(), ["0", "1"]);
    }
}
