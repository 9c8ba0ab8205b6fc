//! Writes samples and codes as CSV and NumPy files.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::table::Schema;
use crate::{Error, Result, Samples, Shape, Source};

/// Writes rows, one for each of the first samples, as .csv (with the place of the sample in its source,
/// its file if it is one, and its label) or .npy.
///
/// # Errors
/// If the path has another ending, or cannot be written.
pub fn write_rows(path: &Path, rows: &[Vec<f32>], shape: &Shape, samples: &Samples) -> Result<()> {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let bytes = match end.as_deref() {
        Some("csv") => {
            let columns = match shape {
                Shape::Table { columns } => columns.clone(),
                image => {
                    (0..image.features()).map(|feature| format!("feature_{feature}")).collect()
                }
            };
            let cells = |row: &Vec<f32>| row.iter().map(f32::to_string).collect();
            csv(&columns, rows.iter().map(cells), samples).into_bytes()
        }
        Some("npy") => npy(rows, shape),
        end => {
            return Err(Error::malformed(
                path,
                "a file that ends in .csv or .npy (reconstructed images: or .png)",
                end.map_or("no ending".to_owned(), |end| format!(".{end}")),
            ));
        }
    };
    write_atomically(path, &bytes)
}

/// The numbers that are read at a time.
const AT_ONCE: usize = 1 << 18;

/// Writes samples as `NAME.npy` and their classes, if they have any, as integers to `NAME-labels.npy`.
/// Removes files of these names that an earlier export left. Returns the files that it wrote.
///
/// # Errors
/// If a file cannot be written or removed, or the samples cannot be read.
pub fn write_npy(folder: &Path, name: &str, samples: Option<&Samples>) -> Result<Vec<PathBuf>> {
    let [values, classes] =
        ["", "-labels"].map(|suffix| folder.join(format!("{name}{suffix}.npy")));
    let labels = samples.and_then(Samples::labels);
    let mut written = Vec::new();
    match samples {
        None => remove(&values)?,
        Some(samples) => {
            ae_files::write_atomically(&values, |file| {
                file.write_all(&npy_header("<f4", &npy_shape(samples.len(), samples.shape())))?;
                let at_once = (AT_ONCE / samples.width()).max(1);
                for first in (0..samples.len()).step_by(at_once) {
                    let rows: Vec<usize> = (first..samples.len().min(first + at_once)).collect();
                    let mut values = vec![0.0; rows.len() * samples.width()];
                    samples.read(&rows, &mut values).map_err(std::io::Error::other)?;
                    let bytes: Vec<u8> = values.iter().flat_map(|it| it.to_le_bytes()).collect();
                    file.write_all(&bytes)?;
                }
                Ok(())
            })
            .map_err(Error::io(&values))?;
            written.push(values);
        }
    }
    match labels {
        None => remove(&classes)?,
        Some(labels) => {
            let mut bytes = npy_header("<u4", &format!("({},)", labels.classes().len()));
            bytes.extend(labels.classes().iter().flat_map(|class| class.to_le_bytes()));
            write_atomically(&classes, &bytes)?;
            written.push(classes);
        }
    }
    Ok(written)
}

fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    ae_files::write_atomically(path, |file| file.write_all(bytes)).map_err(Error::io(path))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

/// Writes rows of the features of a table as .csv, in the columns that the table had.
///
/// # Errors
/// If the file cannot be written.
pub fn write_table(
    path: &Path,
    rows: &[Vec<f32>],
    schema: &Schema,
    samples: &Samples,
) -> Result<()> {
    let columns: Vec<String> = schema.column_names().into_iter().map(str::to_owned).collect();
    let preprocessing = samples.preprocessing();
    let cells = rows.iter().map(|row| schema.cells(&preprocessing.invert_exact(row)));
    write_cells(path, &columns, cells, samples)
}

/// Writes cells, a row for each of the first samples, as .csv, as [`write_rows`] does.
///
/// # Errors
/// If the file cannot be written.
pub fn write_cells(
    path: &Path,
    columns: &[String],
    rows: impl Iterator<Item = Vec<String>>,
    samples: &Samples,
) -> Result<()> {
    write_atomically(path, csv(columns, rows, samples).as_bytes())
}

fn csv(columns: &[String], rows: impl Iterator<Item = Vec<String>>, samples: &Samples) -> String {
    let labels = samples.labels();
    let has_names = !samples.is_empty() && samples.name(0).is_some();
    let line = |place: &str, name: Option<&str>, cells: &[String], label: Option<&str>| {
        let cells = cells.iter().map(String::as_str);
        let all = std::iter::once(place).chain(name).chain(cells).chain(label);
        all.map(quoted).collect::<Vec<_>>().join(",") + "\n"
    };
    let mut text = line("sample", has_names.then_some("file"), columns, labels.map(|_| "label"));
    for (index, cells) in rows.enumerate() {
        let label = labels.map(|labels| &*labels.names()[labels.classes()[index] as usize]);
        text += &line(&samples.place(index).to_string(), samples.name(index), &cells, label);
    }
    text
}

/// A CSV cell, quoted if necessary.
pub fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    }
}

/// NumPy's format: f32, row-major.
fn npy(rows: &[Vec<f32>], shape: &Shape) -> Vec<u8> {
    let mut bytes = npy_header("<f4", &npy_shape(rows.len(), shape));
    bytes.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// `(n, channels, height, width)` for images, `(n, columns)` for tables.
fn npy_shape(n: usize, shape: &Shape) -> String {
    match shape {
        Shape::Image { channels, height, width } => format!("({n}, {channels}, {height}, {width})"),
        Shape::Table { columns } => format!("({n}, {})", columns.len()),
    }
}

/// The header of NumPy's format, version 1.
fn npy_header(element: &str, shape: &str) -> Vec<u8> {
    let header = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': {shape}, }}");
    // The data start at a multiple of 64 bytes, after 10 bytes of preamble and a newline.
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = padded - 1).as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Labels;

    #[test]
    fn npy_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.npy");
        let rows = vec![vec![1.0, 2.5, -3.0], vec![0.0, 1e-8, 4.0]];
        for shape in [Shape::table(3), Shape::image(3, 1, 1), Shape::image(1, 1, 3)] {
            std::fs::write(&path, npy(&rows, &shape)).unwrap();
            let samples = crate::npy::read(&path, None).unwrap();
            assert_eq!(samples.shape().to_string(), shape.to_string());
            assert_eq!((samples.row(0), samples.row(1)), (rows[0].clone(), rows[1].clone()));
        }
    }

    #[test]
    fn exported_samples_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let samples = crate::digits::generate(8, 3);
        write_npy(folder.path(), "it", Some(&samples)).unwrap();
        let at = |name: &str| folder.path().join(name);
        let read = crate::npy::read(&at("it.npy"), Some(&at("it-labels.npy"))).unwrap();
        assert_eq!(read.shape().to_string(), samples.shape().to_string());
        assert_eq!(read.row(5), samples.row(5));
        let classes = |samples: &Samples| -> Vec<String> {
            let labels = samples.labels().unwrap();
            labels.classes().iter().map(|it| labels.names()[*it as usize].clone()).collect()
        };
        assert_eq!(classes(&read), classes(&samples));
        // An export without these samples removes the files.
        assert!(write_npy(folder.path(), "it", None).unwrap().is_empty());
        assert!(!at("it.npy").exists() && !at("it-labels.npy").exists());
    }

    #[test]
    fn csv_cells_are_quoted_if_necessary() {
        let labels = Labels::new(vec![1, 0, 1], vec!["a".into(), "b, \"c\"".into()]).unwrap();
        let samples = Samples::from_floats(vec![0.0; 3], Shape::table(1)).unwrap();
        let samples = samples.with_labels(labels).unwrap().subset(&[2, 1]);
        let rows = [["1", "0.5"], ["-2", "0.000000001"]];
        let rows = rows.into_iter().map(|row| row.map(str::to_owned).into());
        let text = csv(&["x".to_owned(), "y,z".to_owned()], rows, &samples);
        assert_eq!(text, "sample,x,\"y,z\",label\n2,1,0.5,\"b, \"\"c\"\"\"\n1,-2,0.000000001,a\n");
    }
}
