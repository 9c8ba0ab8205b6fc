//! The header of a file of weights: what the weights mean.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Architecture, Component, HeadConfig};

/// Further entries of a header, which this crate does not interpret.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Metadata {
    /// How inputs were preprocessed, so that other inputs can be preprocessed in the same way.
    #[serde(default)]
    pub preprocessing: Value,
    /// Where the model comes from: program, data, seed, results.
    #[serde(default)]
    pub provenance: BTreeMap<String, String>,
}

/// The header of a file of weights, as JSON.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Header {
    /// The version of this format.
    pub format: u32,
    /// The component that the file has.
    // Files have always said `part`.
    #[serde(rename = "part")]
    pub component: Component,
    /// The architecture of the autoencoder; for a classifier, that of its encoder.
    pub architecture: Architecture,
    /// The configuration of a classifier's head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadConfig>,
    /// Further entries.
    #[serde(flatten)]
    pub metadata: Metadata,
}
