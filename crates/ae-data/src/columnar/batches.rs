//! The record batches of Parquet and Arrow files, one after another.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::quote;
use crate::{Error, Result};

/// The rows that are decoded of a Parquet file at a time; few, since images may be large.
const ROWS: usize = 256;

type Reader = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Batches of files of one schema.
pub(super) struct Batches {
    files: Vec<PathBuf>,
    /// The file that is read.
    at: usize,
    reader: Reader,
    schema: SchemaRef,
}

impl Batches {
    pub(super) fn open(files: &[PathBuf]) -> Result<Self> {
        let (schema, reader) = open(&files[0])?;
        Ok(Self { files: files.to_vec(), at: 0, reader, schema })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The path of the file that the last batch was in.
    pub(super) fn file(&self) -> &Path {
        &self.files[self.at]
    }

    /// The next batch and the index of its file.
    pub(super) fn next(&mut self) -> Result<Option<(usize, RecordBatch)>> {
        loop {
            let file = &self.files[self.at];
            // The readers are large, and some damaged files make them panic.
            let next =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.reader.next()));
            match next {
                Ok(Some(Ok(batch))) => return Ok(Some((self.at, batch))),
                Ok(Some(Err(error))) => return Err(damaged(file, &error.to_string())),
                Err(_) => return Err(damaged(file, "its reader failed")),
                Ok(None) if self.at + 1 == self.files.len() => return Ok(None),
                Ok(None) => {
                    self.at += 1;
                    let (schema, reader) = open(&self.files[self.at])?;
                    same_columns(&self.schema, &schema, &self.files[0], &self.files[self.at])?;
                    self.reader = reader;
                }
            }
        }
    }
}

fn same_columns(first: &Schema, other: &Schema, of: &Path, path: &Path) -> Result<()> {
    let described = |schema: &Schema| {
        let columns = schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", quote(field.name()), field.data_type()));
        columns.collect::<Vec<_>>()
    };
    let (wanted, got) = (described(first), described(other));
    if wanted == got {
        return Ok(());
    }
    let at = wanted.iter().zip(&got).position(|(one, other)| one != other);
    let at = at.unwrap_or(wanted.len().min(got.len()));
    let column = |all: &[String]| all.get(at).cloned().unwrap_or_else(|| "no column".into());
    let expected = format!("the columns of {}: {}", of.display(), column(&wanted));
    Err(Error::malformed_at(path, format!("column {at}"), expected, column(&got)))
}

fn damaged(path: &Path, reason: &str) -> Error {
    let got = format!("a damaged one or another file ({reason})");
    Error::malformed(path, "a whole Parquet or Arrow file", got)
}

fn open(path: &Path) -> Result<(SchemaRef, Reader)> {
    let metadata = path.metadata().map_err(Error::io(path))?;
    if !metadata.is_file() {
        return Err(Error::malformed(path, "a file", "a folder, a device or a pipe"));
    }
    let mut start = [0; 6];
    let mut file = File::open(path).map_err(Error::io(path))?;
    let read = file.read(&mut start).map_err(Error::io(path))?;
    let start = start[..read].to_owned();
    let opened = std::panic::catch_unwind(|| open_as(path, &start));
    opened.unwrap_or_else(|_| Err(damaged(path, "its reader failed")))
}

fn open_as(path: &Path, start: &[u8]) -> Result<(SchemaRef, Reader)> {
    let file = File::open(path).map_err(Error::io(path))?;
    let wrong = |error: &dyn std::fmt::Display| damaged(path, &error.to_string());
    if start.starts_with(b"PAR1") {
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| wrong(&error))?;
        let schema = builder.schema().clone();
        let reader = builder.with_batch_size(ROWS).build().map_err(|error| wrong(&error))?;
        return Ok((schema, Box::new(reader)));
    }
    if start.starts_with(b"FEA1") {
        let got = "Feather of version 1; write it again with a present pandas (`to_feather`)";
        return Err(Error::malformed(path, "Parquet or Arrow", got));
    }
    let file = BufReader::with_capacity(1 << 16, file);
    if start.starts_with(b"ARROW1") {
        let reader = FileReader::try_new(file, None).map_err(|error| wrong(&error))?;
        return Ok((reader.schema(), Box::new(reader)));
    }
    let reader = StreamReader::try_new(file, None).map_err(|error| wrong(&error))?;
    Ok((reader.schema(), Box::new(reader)))
}
