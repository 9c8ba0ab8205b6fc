//! `ae transfer`.

mod outputs;
mod sources;

use std::path::{Path, PathBuf};

use ae_apply::transfer::{Candidate, Method, Settings, Transfer};
use burn::tensor::Device;

use super::Examples;
use crate::outputs::check_folder;
use crate::{Error, Result};
use sources::Sources;

/// Classify samples without labels by labelled samples of another kind
///
/// A linear classifier of the source is used on the target, with features that both have in common. No label of the
/// target is used to train or to choose; if there are some, they measure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Labelled samples; with a colon and names, of these classes alone, such as mnist:1,3
    #[arg(long, value_name = "DATA[:CLASS,...]")]
    source: String,
    /// Samples of the kind to classify; their labels are not used to learn or to choose
    #[arg(long, value_name = "DATA[:CLASS,...]")]
    target: String,
    /// Samples of the target's kind to classify [default: the test set of the target, or the target itself]
    #[arg(long, value_name = "DATA[:CLASS,...]")]
    test: Option<String>,
    /// none, coral or msda [default: all of them, and the predictions of msda]
    #[arg(long, value_name = "METHOD")]
    method: Option<Method>,
    /// Numbers of layers that msda tries [default: 5]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    layers: Option<Vec<usize>>,
    /// Probabilities of corruption that msda tries [default: 0.5]
    #[arg(long, value_name = "P,...", value_delimiter = ',')]
    corruption: Option<Vec<f64>>,
    /// Column of a table with the labels [default: label, class or target]
    #[arg(long, value_name = "NAME|INDEX")]
    label_column: Option<String>,
    /// Scale all images to one size
    #[arg(long, value_name = "WxH", value_parser = ae_recipe::parse::pixels)]
    resize: Option<(usize, usize)>,
    /// Use at most this number of samples of each set, drawn by the seed
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Folder with your own copies of published data sets
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Seed of all that is drawn [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder for predictions.csv and transfer.json
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Write into a folder that has files already
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "transfer",
    [
        "ae transfer --source books.svmlight --target kitchen.svmlight --out kitchen-labels",
        "ae transfer --source mnist --target usps/ --resize 16x16 --samples 5000",
        "ae transfer --source mnist:1,3 --target mnist:1,3 --test new.npy --method msda",
    ],
)];

fn rising(mut layers: Vec<usize>) -> Vec<usize> {
    layers.sort_unstable();
    layers.dedup();
    layers
}

impl Args {
    pub fn run(&self) -> Result<()> {
        let methods = self.methods()?;
        if let Some(out) = &self.out {
            self.check_out(out)?;
        } else if self.force {
            return Err(Error::usage("--force needs --out: without it nothing is written"));
        }
        let settings = self.settings(methods[0]);
        settings.check()?;
        let sources = Sources::open(self)?;
        // The inverses are computed on the CPU in any case.
        let domains = sources.domains(&Device::flex())?;
        let mut results = Vec::new();
        for method in methods {
            let mut show = |it: &Candidate| {
                if let (Some(corruption), Some(layers)) = (it.corruption, it.layers) {
                    eprintln!(
                        "msda, corruption {corruption}, {layers} layers: {:.2} % on held out samples of the source",
                        100.0 * it.source_accuracy
                    );
                }
            };
            results.push(Transfer::fit_observed(&self.settings(method), &domains, &mut show)?);
        }
        outputs::write(self, &sources, &domains, &results)
    }

    /// The last one predicts.
    fn methods(&self) -> Result<Vec<Method>> {
        let methods = self.method.map_or_else(|| Method::ALL.to_vec(), |method| vec![method]);
        let has_layers = methods.contains(&Method::Msda);
        for (option, given) in
            [("--layers", self.layers.is_some()), ("--corruption", self.corruption.is_some())]
        {
            if given && !has_layers {
                return Err(Error::usage(format!("{option} needs --method msda; drop it")));
            }
        }
        Ok(methods)
    }

    fn settings(&self, method: Method) -> Settings {
        let usual = Settings::default();
        Settings {
            method,
            layers: rising(self.layers.clone().unwrap_or(usual.layers)),
            corruptions: self.corruption.clone().unwrap_or(usual.corruptions),
            seed: self.seed.unwrap_or(usual.seed),
            ..usual
        }
    }

    fn check_out(&self, out: &Path) -> Result<()> {
        let named = [Some(&self.source), Some(&self.target), self.test.as_ref()];
        let sources = named.into_iter().flatten().map(|it| Path::new(sources::classes_of(it).0));
        check_folder(out, self.force, sources)
    }
}
