//! The experiments that the program brings along.

use std::path::Path;

use super::experiment::Experiment;
use crate::error::{Error, Result};

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each, in the order in which they are listed.
        const RECIPES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../recipes/", $name, ".toml")))),*];
    };
}

recipes![
    "pca-mnist",
    "linear-pca",
    "keras-dense",
    "keras-sparse",
    "keras-deep",
    "keras-conv",
    "keras-denoising",
    "deep-autoencoder",
    "sdae-mnist",
    "cae-mnist",
    "k-sparse-mnist",
    "ufldl-stacked",
];

/// All of them.
pub fn all() -> Result<Vec<Experiment>> {
    RECIPES.iter().map(|(name, text)| Experiment::parse(name, text)).collect()
}

/// The one of that name, or in a file of one's own.
pub fn find(name: &str) -> Result<Experiment> {
    if let Some((name, text)) = RECIPES.iter().find(|(known, _)| *known == name) {
        return Experiment::parse(name, text);
    }
    let path = Path::new(name);
    if path.extension().is_some_and(|end| end == "toml") {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        return Experiment::parse(&name, &text);
    }
    let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
    Err(Error::usage(format!(
        "reproduce: expected one of {}, or a file that ends in .toml, got `{name}`",
        names.join(", ")
    )))
}
