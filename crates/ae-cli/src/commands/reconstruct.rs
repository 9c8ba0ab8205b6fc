//! `ae reconstruct`.

use std::path::PathBuf;

use ae_data::write::{write_rows, write_table};
use ae_models::Autoencoder;
use ae_report::pictures::{self, Painter};
use ae_run::batches;

use super::{Examples, map};
use crate::args::RunArgs;
use crate::{Error, Result};

/// Write the reconstructions of samples to a picture, CSV or NumPy file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// File to write: .csv or .npy, or .png with inputs above reconstructions (images only)
    #[arg(short, long, value_name = "FILE", default_value = "reconstructions.npy")]
    out: PathBuf,
    /// Number of samples, from the first [default: all; in a .png 16]
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<usize>,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "reconstruct",
    [
        "ae reconstruct runs/digits-conv-32 --out sheet.png",
        "ae reconstruct runs/digits-conv-32 --out sheet.png -n 32",
        "ae reconstruct runs/table-dense-3 --data new.csv --out reconstructions.csv",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let (run, selection, device) = self.run.open()?;
        let model = run.autoencoder("reconstruction")?;
        let samples = &selection.samples;
        let is_picture = self.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
        let usual = if is_picture { samples.len().min(16) } else { samples.len() };
        let count = self.count.unwrap_or(usual);
        if count == 0 || count > samples.len() {
            return Err(Error::usage(format!(
                "--count: expected 1 to {}, the size of {}, got {count}",
                samples.len(),
                selection.title()
            )));
        }
        if is_picture {
            let Some(painter) = Painter::new(samples.shape(), samples.preprocessing()) else {
                return Err(Error::usage(format!(
                    "{}: cannot write tabular data ({}) as PNG; use .csv or .npy",
                    self.out.display(),
                    samples.shape()
                )));
            };
            let input = batches(samples, &run.recipe, &device.handle)?
                .select(&(0..count).collect::<Vec<_>>())?;
            let grid = painter.grid(&[input.clone(), model.reconstruct(input)]);
            pictures::write_png(&self.out, &grid)?;
        } else {
            let mut rows =
                map(&run, samples, &device.handle, |input| model.reconstruct(input), count)?;
            let is_csv = self.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
            match samples.table() {
                Some(table) if is_csv => write_table(&self.out, &rows, &table.schema, samples)?,
                _ => {
                    rows.iter_mut().for_each(|row| samples.preprocessing().invert(row));
                    write_rows(&self.out, &rows, samples.shape(), samples)?;
                }
            }
        }
        println!("{count} reconstructions: {}", self.out.display());
        Ok(())
    }
}
