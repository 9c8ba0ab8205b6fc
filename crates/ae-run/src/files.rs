//! Text and JSON files, each written completely or not at all.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Writes a text.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, text: &str) -> Result<()> {
    Ok(ae_models::tensors::write_atomically(path, text.as_bytes())?)
}

/// Writes bytes.
///
/// # Errors
/// If the file cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(ae_models::tensors::write_atomically(path, bytes)?)
}

/// Writes a value as JSON.
///
/// # Errors
/// If the file cannot be written.
pub fn write_json(path: &Path, value: &(impl Serialize + ?Sized)) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
    write(path, &text)
}

/// Reads a value from JSON.
///
/// # Errors
/// If the file cannot be read or is malformed.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}
