//! Parquet and Arrow: files, folders of shards, and data sets of Hugging Face that were saved to a disk.

mod batches;
mod cells;
mod layout;
mod pictures;
mod rows;

use std::path::Path;

use crate::table::{self, TableOptions};
use crate::{Error, Result, Samples};
use batches::Batches;
use layout::Layout;
pub(crate) use rows::ColumnRows;

pub(crate) use cells::Kind;
pub(crate) use layout::are_in;
pub(crate) use rows::Declared;

/// Reads training samples, and test samples if there are any. Columns are those of a table
/// ([`table::read_with`]), with the types that the file has for them: a number is never a text. A column of lists
/// of one length is a column for each element, and one of encoded images makes samples of images. Of a data set
/// with validation and test rows the former are part of the training set.
pub(crate) fn read_within(
    path: &Path,
    label_column: Option<&str>,
    options: &TableOptions,
    images: &ImageOptions,
    limit: usize,
) -> Result<(Samples, Option<Samples>)> {
    let layout = Layout::of(path)?;
    let batches = Batches::open(&layout.files)?;
    if let Some(column) = pictures::column(batches.schema()) {
        return pictures::read(batches, column, label_column, images, &layout, path, limit);
    }
    let mut rows = ColumnRows::new(batches, layout.in_training)?;
    let samples = table::read_columns(&mut rows, label_column, options, path, limit)?;
    for note in layout.notes {
        tracing::warn!("{}: {note}", path.display());
    }
    let Some(first) = layout.in_training.map(|_| rows.in_training()) else {
        return Ok((samples, None));
    };
    parted(samples, first, path)
}

/// The training samples, of which the source has `first`, and the rest.
fn parted(samples: Samples, first: usize, path: &Path) -> Result<(Samples, Option<Samples>)> {
    let (training, test): (Vec<u32>, Vec<u32>) =
        (0..samples.len() as u32).partition(|row| samples.place(*row as usize) < first);
    if training.is_empty() || test.is_empty() {
        let expected = "rows in the training and in the test set";
        return Err(Error::malformed(path, expected, "none in one of them"));
    }
    Ok((samples.selected(training), Some(samples.selected(test))))
}

/// How encoded images are read.
#[derive(Clone, Copy, Default)]
pub(crate) struct ImageOptions {
    pub resize: Option<(usize, usize)>,
    pub channels: Option<usize>,
    pub skip_broken: bool,
}
