//! CIFAR-10 in its binary version (Krizhevsky 2009): records of a label and 3 x 32 x 32 pixels.

use std::path::{Path, PathBuf};

use crate::{Error, Labels, Result, Samples, Shape, file_reader::FileReader};

/// Bytes of a record: the label, then 1024 red, 1024 green and 1024 blue pixels.
const RECORD: usize = 1 + 3 * 32 * 32;
const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads a folder of CIFAR-10 batches: any of `data_batch_<n>.bin` in the order of `n` as the
/// training set, and `test_batch.bin`, if present, as the test set. The class names are those in
/// `batches.meta.txt`, or the published ones if that file is missing.
///
/// # Shapes
/// Images of `[3, 32, 32]`.
///
/// # Errors
/// If there is no training batch, or a file does not consist of whole records with labels below 10.
pub fn read_folder(folder: &Path) -> Result<(Samples, Option<Samples>)> {
    let batches = training_batches(folder)?;
    if batches.is_empty() {
        return Err(Error::malformed(
            folder,
            "data_batch_1.bin or another batch to train on",
            "none",
        ));
    }
    let names = class_names(&folder.join("batches.meta.txt"))?;
    let test = folder.join("test_batch.bin");
    let test = if test.is_file() { Some(read(&[test], &names)?) } else { None };
    Ok((read(&batches, &names)?, test))
}

/// Whether [`read_folder`] can read this folder, by the names of its files.
pub(crate) fn is_in(folder: &Path) -> bool {
    folder.join("test_batch.bin").is_file()
        || training_batches(folder).is_ok_and(|batches| !batches.is_empty())
}

fn training_batches(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut batches = vec![];
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let name = entry.map_err(Error::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| {
            name.strip_prefix("data_batch_")?.strip_suffix(".bin")?.parse::<u32>().ok()
        });
        batches.extend(number.map(|number| (number, folder.join(name))));
    }
    batches.sort();
    Ok(batches.into_iter().map(|(_, path)| path).collect())
}

fn read(batches: &[PathBuf], names: &[String]) -> Result<Samples> {
    let (mut classes, mut pixels) = (vec![], vec![]);
    for path in batches {
        let bytes = FileReader::open(path)?.up_to(u64::MAX)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
            let expected = format!("a multiple of {RECORD} bytes (a label and 3x32x32 pixels)");
            return Err(Error::malformed(path, expected, bytes.len().to_string()));
        }
        for (at, record) in bytes.chunks_exact(RECORD).enumerate() {
            if usize::from(record[0]) >= CLASSES.len() {
                return Err(Error::malformed_at(
                    path,
                    format!("record {}", at + 1),
                    "a label from 0 to 9",
                    record[0].to_string(),
                ));
            }
            classes.push(u32::from(record[0]));
            pixels.extend_from_slice(&record[1..]);
        }
    }
    Samples::from_bytes(pixels, Shape::image(3, 32, 32))?
        .with_labels(Labels::new(classes, names.to_vec())?)
}

fn class_names(path: &Path) -> Result<Vec<String>> {
    if !path.is_file() {
        return Ok(CLASSES.map(str::to_owned).to_vec());
    }
    let text = FileReader::open(path)?.up_to(1 << 16)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<_> = lines.map(str::to_owned).collect();
    if names.len() != CLASSES.len() {
        let expected = "the names of 10 classes, one on each line";
        return Err(Error::malformed(path, expected, names.len().to_string()));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(labels: &[u8]) -> Vec<u8> {
        labels
            .iter()
            .flat_map(|label| [&[*label][..], &[label * 20; RECORD - 1]].concat())
            .collect()
    }

    #[test]
    fn batches_are_read_in_numerical_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("data_batch_10.bin", &records(&[3]));
        write("data_batch_2.bin", &records(&[1, 2]));
        write("data_batch_x.bin", b"not one");
        let (training, test) = read_folder(folder.path()).unwrap();
        assert!(test.is_none());
        let labels = training.labels().unwrap();
        assert_eq!((labels.classes(), &*labels.names()[3]), (&[1, 2, 3][..], "cat"));
        assert_eq!(training.shape(), &Shape::image(3, 32, 32));
        assert_eq!(training.row(2)[3071], 60.0 / 255.0);

        write("test_batch.bin", &records(&[9]));
        write("batches.meta.txt", b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
        let (training, test) = read_folder(folder.path()).unwrap();
        assert_eq!(test.unwrap().labels().unwrap().classes(), [9]);
        assert_eq!(training.labels().unwrap().names()[3], "d");

        write("batches.meta.txt", b"a\nb\n");
        let error = read_folder(folder.path()).unwrap_err().to_string();
        let expected =
            "batches.meta.txt: expected the names of 10 classes, one on each line, got 2";
        assert!(error.ends_with(expected), "{error}");
    }
}
