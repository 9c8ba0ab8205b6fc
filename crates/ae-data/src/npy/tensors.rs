//! The arrays of safetensors files: one, or the shards in a folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::header::{Array, Dtype};
use crate::disk::DiskFile;
use crate::error::{list, quote};
use crate::file_reader::FileReader;
use crate::{Error, Result};

/// The longest header, which is that of the format.
const MAX_HEADER: u64 = 100_000_000;

/// A part of an array: a file, the place of its bytes and their number.
pub(super) type Part = (Arc<DiskFile>, u64, u64);

/// An array by its name, with its header and its parts in the order of its rows.
pub(super) struct Tensor {
    pub name: String,
    pub header: Result<Array>,
    pub parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

/// Whether a path is that of a safetensors file.
pub(crate) fn is_file(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("safetensors"))
}

/// Whether a folder has safetensors files.
pub(crate) fn are_in(folder: &Path) -> bool {
    files(folder).is_ok_and(|files| !files.is_empty())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_file(&path) && !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The arrays of a file, or of the shards in a folder: an array that several shards have is that of all
/// their rows, in the order of the shards.
pub(super) fn read(path: &Path) -> Result<Vec<Tensor>> {
    let files = if path.is_dir() { shards(path)? } else { vec![path.to_owned()] };
    let (mut tensors, mut places): (Vec<Tensor>, HashMap<String, usize>) = Default::default();
    for file in &files {
        for (name, header, part) in of_file(file)? {
            let Some(place) = places.get(&name) else {
                places.insert(name.clone(), tensors.len());
                tensors.push(Tensor { name, header, parts: vec![part] });
                continue;
            };
            let first = &mut tensors[*place];
            if let (Ok(all), Ok(rows)) = (&mut first.header, &header) {
                let expected = format!("rows like those of the shards before, {}", all.described());
                if !all.append(rows) {
                    let place = format!("array {}", quote(&name));
                    return Err(Error::malformed_at(file, place, expected, rows.described()));
                }
            } else if header.is_err() {
                first.header = header;
            }
            first.parts.push(part);
        }
    }
    Ok(tensors)
}

/// The reader of an array.
pub(super) fn reader(parts: &[Part], at: &Path) -> FileReader<'static> {
    match parts {
        [(file, start, length)] => {
            FileReader::part(at, file.clone(), *start, *length, Parts::of(parts))
        }
        _ => {
            let size = parts.iter().map(|(_, _, length)| length).sum();
            FileReader::joined(at, size, Parts::of(parts))
        }
    }
}

/// Reads parts of files one after another.
struct Parts(Vec<Part>);

impl Parts {
    fn of(parts: &[Part]) -> Self {
        Self(parts.iter().rev().cloned().collect())
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some((file, at, left)) = self.0.last_mut() {
            let count = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            if count == 0 && *left == 0 {
                self.0.pop();
                continue;
            }
            file.read_at(&mut buffer[..count], *at).map_err(std::io::Error::other)?;
            *at += count as u64;
            *left -= count as u64;
            return Ok(count);
        }
        Ok(0)
    }
}

/// The files of a folder. Names such as `data-00001-of-00003.safetensors` tell how many there are.
fn shards(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = files(folder)?;
    let mut sets: BTreeMap<(String, usize), BTreeSet<usize>> = BTreeMap::new();
    for file in &files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = stem.rsplit_once("-of-").and_then(|(start, count)| {
            let (name, number) = start.rsplit_once('-')?;
            Some((name.to_owned(), number.parse::<usize>().ok()?, count.parse::<usize>().ok()?))
        });
        match numbered {
            Some((name, number, count)) => {
                sets.entry((name, count)).or_default().insert(number);
            }
            None if files.len() == 1 => {}
            None => {
                let expected = "one safetensors file, or shards such as \
                                data-00001-of-00002.safetensors";
                let names = files.iter().filter_map(|file| file.file_name());
                let names: Vec<_> =
                    names.take(5).map(|name| quote(&name.to_string_lossy())).collect();
                let got = format!("{}; give one of them", list(&names, "and"));
                return Err(Error::malformed(folder, expected, got));
            }
        }
    }
    for ((name, count), numbers) in &sets {
        // Most count from 1, some from 0.
        let first = usize::from(!numbers.contains(&0));
        if let Some(absent) = (first..first + count).find(|number| !numbers.contains(number)) {
            let expected = format!("{count} shards of {}", quote(name));
            return Err(Error::malformed(folder, expected, format!("none of number {absent}")));
        }
    }
    check_index(folder, &files)?;
    Ok(files)
}

/// Checks that the files of an index are there.
fn check_index(folder: &Path, files: &[PathBuf]) -> Result<()> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let path = folder.join("model.safetensors.index.json");
    if !path.is_file() {
        return Ok(());
    }
    let bytes = FileReader::open(&path)?.up_to(MAX_HEADER)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| {
        Error::malformed(&path, "an index of safetensors files", format!("another text ({error})"))
    })?;
    let is_there = |name: &String| files.iter().any(|file| file.ends_with(name));
    match index.weight_map.values().find(|name| !is_there(name)) {
        Some(absent) => {
            Err(Error::malformed(folder, format!("the file {}", quote(absent)), "none"))
        }
        None => Ok(()),
    }
}

/// The arrays of one file, in the order of their bytes.
fn of_file(path: &Path) -> Result<Vec<(String, Result<Array>, Part)>> {
    let mut input = FileReader::open(path)?;
    let wrong = |got: &str| Error::malformed(path, "a safetensors file", got);
    let length = input.up_to(8)?;
    let Ok(length) = <[u8; 8]>::try_from(length) else {
        return Err(wrong("a file that is cut short"));
    };
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err(wrong("another file, or one with a header of more than 100 MB"));
    }
    let text = input.up_to(length)?;
    if (text.len() as u64) < length {
        return Err(wrong("another file, or one that is cut short in its header"));
    }
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text)
        .map_err(|error| wrong(&format!("another file or a damaged header ({error})")))?;
    let start = 8 + length;
    let file = File::open(path).map_err(Error::io(path))?;
    let size = file.metadata().map_err(Error::io(path))?.len();
    let file = Arc::new(DiskFile::new(file, path));
    let mut arrays = vec![];
    for (name, entry) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let place = format!("array {}", quote(&name));
        let entry: Entry = serde_json::from_value(entry).map_err(|error| {
            let expected = "dtype, shape and data_offsets";
            Error::malformed_at(path, &*place, expected, format!("others ({error})"))
        })?;
        let [first, end] = entry.data_offsets;
        let there = size.saturating_sub(start);
        if first > end || end > there {
            let expected = format!("data_offsets within the {there} bytes of the file");
            let got = format!("{first} to {end}: the file is cut short or damaged");
            return Err(Error::malformed_at(path, &*place, expected, got));
        }
        let array = array(&entry, path, &place);
        if let Ok(array) = &array
            && !array.shape.contains(&0)
            && array.length(path)? != end - first
        {
            let expected = format!("{} bytes for {}", array.length(path)?, array.described());
            return Err(Error::malformed_at(path, &*place, expected, (end - first).to_string()));
        }
        arrays.push((first, name, array, (file.clone(), start + first, end - first)));
    }
    arrays.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    Ok(arrays.into_iter().map(|(_, name, array, part)| (name, array, part)).collect())
}

fn array(entry: &Entry, path: &Path, place: &str) -> Result<Array> {
    let (dtype, size) = match &*entry.dtype {
        "BOOL" => (Dtype::Bool, 1),
        "U8" => (Dtype::Unsigned, 1),
        "U16" => (Dtype::Unsigned, 2),
        "U32" => (Dtype::Unsigned, 4),
        "U64" => (Dtype::Unsigned, 8),
        "I8" => (Dtype::Signed, 1),
        "I16" => (Dtype::Signed, 2),
        "I32" => (Dtype::Signed, 4),
        "I64" => (Dtype::Signed, 8),
        "F16" => (Dtype::Float, 2),
        "BF16" => (Dtype::Brain, 2),
        "F32" => (Dtype::Float, 4),
        "F64" => (Dtype::Float, 8),
        other => {
            let expected = "elements of type F16, BF16, F32, F64, I8 to I64, U8 to U64 or BOOL";
            return Err(Error::malformed_at(path, place, expected, quote(other)));
        }
    };
    Ok(Array::little_endian(dtype, size, entry.shape.clone()))
}
