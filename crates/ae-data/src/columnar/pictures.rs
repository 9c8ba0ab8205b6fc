//! Encoded images in a column of Hugging Face: a struct of `bytes` and `path`.

use std::path::{Path, PathBuf};

use arrow_schema::{DataType, Schema};

use super::ImageOptions;
use super::batches::Batches;
use super::layout::Layout;
use crate::{Result, Samples};

/// The index of the column of images, if there is one.
pub(super) fn column(schema: &Schema) -> Option<usize> {
    schema.fields().iter().position(|field| match field.data_type() {
        DataType::Struct(fields) => fields.iter().any(|field| {
            field.name() == "bytes"
                && matches!(field.data_type(), DataType::Binary | DataType::LargeBinary)
        }),
        _ => false,
    })
}

#[cfg(not(feature = "images"))]
pub(super) fn read(
    _: Batches,
    _: usize,
    _: Option<&str>,
    _: &ImageOptions,
    _: &Layout,
    path: &Path,
    _: usize,
) -> Result<(Samples, Option<Samples>)> {
    let expected = "columns of numbers (this program was built without images)";
    Err(crate::Error::malformed(path, expected, "encoded images"))
}

#[cfg(feature = "images")]
pub(super) fn read(
    mut batches: Batches,
    column: usize,
    label_column: Option<&str>,
    options: &ImageOptions,
    layout: &Layout,
    path: &Path,
    limit: usize,
) -> Result<(Samples, Option<Samples>)> {
    use crate::Error;
    use crate::classes::Classes;
    use crate::error::quote;
    use crate::images::Collected;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    let schema = batches.schema().clone();
    let class_names = super::rows::class_names(&schema);
    let label = label_of(&schema, column, label_column, &class_names, path)?;
    let names = label.and_then(|at| {
        class_names.iter().find(|(name, _)| name == schema.field(at).name()).map(|(_, names)| names)
    });
    let image_options = crate::images::ImageOptions {
        resize: options.resize,
        channels: options.channels,
        skip_broken: options.skip_broken,
    };
    let mut pixels = Collected::new(&image_options, path, limit)?;
    let (mut classes, mut row, mut broken) = (Classes::default(), 0usize, vec![]);
    let (mut in_training, mut unlabelled) = (0usize, 0usize);
    while let Some((file, batch)) = batches.next()? {
        let images = batch.column(column).as_struct();
        let bytes = images.column_by_name("bytes").cloned();
        for at in 0..batch.num_rows() {
            row += 1;
            let place: PathBuf = batches.file().join(format!("row {row}"));
            let image = bytes.as_ref().filter(|it| !images.is_null(at) && !it.is_null(at));
            let Some(image) = image else {
                let got = "a path alone or none; save the data set with its files embedded";
                return Err(Error::malformed(&place, "the bytes of an image", got));
            };
            let image = match image.data_type() {
                DataType::LargeBinary => image.as_binary::<i64>().value(at),
                _ => image.as_binary::<i32>().value(at),
            };
            let mut class = String::new();
            if let Some(label) = label {
                super::cells::write(batch.column(label), at, &mut class);
                if let (Some(names), Ok(index)) = (names, class.parse::<i64>()) {
                    let name = usize::try_from(index).ok().and_then(|index| names.get(index));
                    class = name.cloned().unwrap_or_default();
                }
                if class.is_empty() {
                    unlabelled += 1;
                    continue;
                }
            }
            match pixels.push(&place, image) {
                Ok(()) => {}
                Err(error @ Error::Malformed { .. }) if options.skip_broken => {
                    broken.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            }
            if label.is_some() {
                classes.push(&class);
            }
            in_training += usize::from(layout.in_training.is_none_or(|files| file < files));
        }
    }
    let mut notes = layout.notes.clone();
    notes.extend(pixels.notes());
    if unlabelled > 0 {
        notes.push(format!("{unlabelled} images without a label left out"));
    }
    if let Some(first) = broken.first() {
        notes.push(format!(
            "{} images left out that cannot be read, the first: {first}",
            broken.len()
        ));
    }
    let others =
        schema.fields().iter().enumerate().filter(|(at, _)| *at != column && Some(*at) != label);
    let others: Vec<String> = others.map(|(_, field)| quote(field.name())).collect();
    if !others.is_empty() {
        notes.push(format!("columns left out: {}", crate::error::list(&others, "and")));
    }
    for note in notes {
        tracing::warn!("{}: {note}", path.display());
    }
    let mut samples = pixels.finish()?;
    if samples.is_empty() {
        return Err(Error::malformed(path, "at least one image", "none"));
    }
    if label.is_some() {
        samples = samples.with_labels(classes.finish()?)?;
    }
    match layout.in_training {
        Some(_) => super::parted(samples, in_training, path),
        None => Ok((samples, None)),
    }
}

/// The column of the labels: the one that was asked for, or one with a usual name, or the only one of classes.
#[cfg(feature = "images")]
fn label_of(
    schema: &Schema,
    images: usize,
    asked: Option<&str>,
    classes: &[(String, Vec<String>)],
    path: &Path,
) -> Result<Option<usize>> {
    use crate::error::{list, quote};
    let at = |name: &str| schema.fields().iter().position(|field| field.name() == name);
    if let Some(asked) = asked {
        let found = at(asked).filter(|found| {
            *found != images && super::cells::kind(schema.field(*found).data_type()).is_some()
        });
        return found.map(Some).ok_or_else(|| {
            let names: Vec<String> =
                schema.fields().iter().take(20).map(|field| quote(field.name())).collect();
            let expected = format!("a label column named {}", quote(asked));
            crate::Error::malformed(path, expected, format!("the columns {}", list(&names, "and")))
        });
    }
    let known = ["label", "class", "target"].into_iter().find_map(|known| {
        schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(known))
    });
    let known = known.filter(|at| super::cells::kind(schema.field(*at).data_type()).is_some());
    Ok(known.or_else(|| match classes {
        [(only, _)] => at(only),
        _ => None,
    }))
}
