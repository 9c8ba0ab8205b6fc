//! `ae encode`.

use std::path::PathBuf;

use ae_data::Shape;
use ae_data::write::write_rows;
use ae_models::Encoder;

use super::{Examples, map};
use crate::Result;
use crate::args::RunArgs;

/// Write the codes of samples to a CSV or NumPy file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// File to write: .csv (with labels) or .npy
    #[arg(short, long, value_name = "FILE", default_value = "codes.csv")]
    out: PathBuf,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "encode",
    [
        "ae encode runs/digits-conv-32 --out codes.npy",
        "ae encode runs/digits-conv-32 --split training --out training.csv",
        "ae encode runs/table-dense-3 --data table.csv    # all rows, in order",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        self.run.check_out(&self.out, self.force)?;
        let (run, selection, device) = self.run.open()?;
        let samples = &selection.samples;
        let encoder = run.model.encoder();
        let codes =
            map(&run, samples, &device.handle, |input| encoder.encode(input), samples.len())?;
        let columns = (0..encoder.code_size()).map(|unit| format!("code_{unit}")).collect();
        let shape = Shape::Table { columns };
        write_rows(&self.out, &codes, &shape, samples)?;
        println!(
            "{} codes of {} numbers ({}): {}",
            codes.len(),
            encoder.code_size(),
            selection.title(),
            self.out.display()
        );
        Ok(())
    }
}
