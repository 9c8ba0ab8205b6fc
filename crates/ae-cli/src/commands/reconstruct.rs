//! `ae reconstruct`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ae_data::Samples;
use ae_data::write::{write_rows, write_table};
use ae_models::Autoencoder;
use ae_report::pictures::{self, Painter};
use ae_run::batches;

use super::{Examples, map};
use crate::args::RunArgs;
use crate::outputs::check_folder;
use crate::{Error, Result};

/// Write the reconstructions of samples to a picture, CSV or NumPy file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// File to write: .csv or .npy; of images also .png with inputs above reconstructions, or a folder, such as out/,
    /// with a .png of each reconstruction
    #[arg(short, long, value_name = "FILE|FOLDER", default_value = "reconstructions.npy")]
    out: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Number of samples, from the first [default: all; in one .png 16]
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<usize>,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "reconstruct",
    [
        "ae reconstruct runs/digits-conv-32 --out sheet.png",
        "ae reconstruct runs/photos-conv-32 --data noisy/ --out denoised/    # a .png of each",
        "ae reconstruct runs/table-dense-3 --data new.csv --out reconstructions.csv",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let is_folder = self.out.extension().is_none() || self.out.is_dir();
        match is_folder {
            true => {
                let inputs = self.run.inputs()?;
                check_folder(&self.out, self.force, inputs.iter().map(PathBuf::as_path))?;
            }
            false => self.run.check_out(&self.out, self.force)?,
        }
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
        if is_picture || is_folder {
            let Some(painter) = Painter::new(samples.shape(), samples.preprocessing()) else {
                return Err(Error::usage(format!(
                    "{}: cannot write tabular data ({}) as PNG; use .csv or .npy",
                    self.out.display(),
                    samples.shape()
                )));
            };
            if is_folder {
                let rows =
                    map(&run, samples, &device.handle, |input| model.reconstruct(input), count)?;
                write_pictures(&self.out, &painter, &rows, samples)?;
                println!("{count} reconstructions in {}", self.out.display());
                return Ok(());
            }
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

/// Writes a .png of each row, named after the file of its sample, or after its place in the source.
fn write_pictures(
    folder: &Path,
    painter: &Painter<'_>,
    rows: &[Vec<f32>],
    samples: &Samples,
) -> Result<()> {
    let stem = |row: usize| match samples.name(row) {
        Some(name) => PathBuf::from(name).with_extension(""),
        None => PathBuf::from(format!("{:06}", samples.place(row))),
    };
    let mut of_stem: HashMap<PathBuf, usize> = HashMap::new();
    (0..rows.len()).for_each(|row| *of_stem.entry(stem(row)).or_default() += 1);
    for (row, values) in rows.iter().enumerate() {
        let name = match samples.name(row) {
            // `a.jpg` beside `a.png`
            Some(name) if of_stem[&stem(row)] > 1 => PathBuf::from(format!("{name}.png")),
            _ => stem(row).with_added_extension("png"),
        };
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        pictures::write_png(&path, &painter.picture(values))?;
    }
    Ok(())
}
