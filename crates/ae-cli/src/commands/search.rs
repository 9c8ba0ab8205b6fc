//! `ae search`.

mod duplicates;

use std::path::{Path, PathBuf};

use ae_apply::index::{Codes, Index, Metric, Neighbour};
use ae_data::images;
use ae_data::write::quoted;
use ae_report::search::{Tile, page, small};
use ae_run::{SplitName, files};
use image::{DynamicImage, RgbImage};
use toml::Table;

use super::coder::Coder;
use super::{Examples, counted, print_json};
use crate::args::DeviceArgs;
use crate::console::Console;
use crate::outputs::check_file;
use crate::{Error, Result};

/// Find what is most like a query in an index, or all duplicates in it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Index that `ae index` wrote
    #[arg(value_name = "INDEX")]
    index: PathBuf,
    /// Images to search for; in an index of rows, tables or arrays whose rows are searched for
    #[arg(value_name = "QUERY", required_unless_present = "duplicates")]
    queries: Vec<PathBuf>,
    /// Neighbours of each query, at most 1000
    #[arg(short = 'k', long, value_name = "N", default_value_t = 12)]
    count: usize,
    /// euclidean, or cosine: by the angle between the codes [default: euclidean]
    #[arg(long, value_name = "METRIC")]
    metric: Option<Metric>,
    /// Find groups of images that are the same but for compression, size, brightness or cropped margins
    #[arg(long, conflicts_with_all = ["queries", "metric", "count"])]
    duplicates: bool,
    /// Table to write; a page with pictures gets the same name with .html [default, of duplicates:
    /// duplicates.csv]
    #[arg(short, long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Folder of the run whose model made the index [default: where it was then]
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "search",
    [
        "ae search photos.aex holiday.jpg",
        "ae search photos.aex holiday.jpg house.png -k 5 --out found.csv    # and found.html",
        "ae search photos.aex --duplicates --out pairs.csv",
    ],
)];

/// Neighbours of a query at most.
const MOST: usize = 1000;

/// A query and what was found.
#[derive(serde::Serialize)]
struct Found<'a> {
    query: String,
    neighbours: Vec<Named<'a>>,
}

#[derive(serde::Serialize)]
struct Named<'a> {
    name: &'a str,
    distance: f32,
}

impl Args {
    pub fn run(&self) -> Result<()> {
        if self.count == 0 || self.count > MOST {
            return Err(Error::usage(format!("-k: expected 1 to {MOST}, got {}", self.count)));
        }
        let index = Index::load(&self.index)?;
        if index.entries().is_empty() {
            return Err(Error::usage(format!(
                "{}: expected an index with at least one entry, got an empty one; index a folder with images",
                self.index.display()
            )));
        }
        if let Some(out) = &self.out {
            self.check_out(out, &index)?;
        }
        match self.duplicates {
            true => duplicates::run(self, &index),
            false => self.neighbours(&index),
        }
    }

    /// Refuses to write over the index, a query or an indexed file, and over any file without --force.
    fn check_out(&self, out: &Path, index: &Index) -> Result<()> {
        if out.extension().is_none_or(|end| end != "csv") {
            return Err(Error::usage(format!(
                "--out: expected a name that ends in .csv, got {}",
                out.display()
            )));
        }
        let data = Path::new(&index.origin().data);
        let inputs = self.queries.iter().map(PathBuf::as_path).chain([data, &*self.index]);
        let inputs: Vec<&Path> = inputs.collect();
        let page = index.origin().image.map(|_| out.with_extension("html"));
        for path in std::iter::once(out).chain(page.as_deref()) {
            check_file(path, self.force, inputs.iter().copied())?;
        }
        Ok(())
    }

    fn coder(&self, index: &Index) -> Result<Coder> {
        Coder::of_index(&self.index, index, self.run.as_deref(), &self.device)
    }

    fn neighbours(&self, index: &Index) -> Result<()> {
        let coder = self.coder(index)?;
        let (names, codes, pictures) = match index.origin().image {
            Some(shape) => self.image_queries(&coder, shape)?,
            None => self.row_queries(&coder)?,
        };
        let metric = self.metric.unwrap_or_default();
        let found = index.search(&codes, self.count, metric, &coder.device)?;
        let name =
            |it: &Neighbour| Named { name: &index.entries()[it.row].name, distance: it.distance };
        let found: Vec<Found<'_>> = names
            .into_iter()
            .zip(&found)
            .map(|(query, found)| Found { query, neighbours: found.iter().map(name).collect() })
            .collect();
        let mut written = Vec::new();
        if let Some(out) = &self.out {
            files::write(out, &csv(&found))?;
            written.push(out.clone());
            if index.origin().image.is_some() {
                written.push(self.write_page(out, index, &found, &pictures, metric)?);
            }
        }
        if self.json {
            return print_json(&found);
        }
        for it in &found {
            println!("{}", it.query);
            for neighbour in &it.neighbours {
                println!("  {:>10.4}  {}", neighbour.distance, neighbour.name);
            }
        }
        written.iter().for_each(|path| println!("{}", path.display()));
        Ok(())
    }

    fn image_queries(
        &self,
        coder: &Coder,
        shape: [usize; 3],
    ) -> Result<(Vec<String>, Codes, Vec<RgbImage>)> {
        let read = |path: &PathBuf| images::read(path);
        let pictures = self.queries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let names = self.queries.iter().map(|path| path.display().to_string()).collect();
        Ok((names, coder.images(&pictures, shape)?, pictures))
    }

    fn row_queries(&self, coder: &Coder) -> Result<(Vec<String>, Codes, Vec<RgbImage>)> {
        let (mut names, mut codes) = (Vec::new(), Codes::new(vec![], coder.code_size())?);
        for path in &self.queries {
            let source = path.display().to_string();
            let section = Table::from_iter([("source".to_owned(), source.clone().into())]);
            let all = Some(SplitName::All);
            let samples = coder.run.samples(&section, all, &*Console::single())?.samples;
            codes.extend(&coder.samples(&samples)?)?;
            names.extend(
                (0..samples.len()).map(|row| format!("{source} row {}", samples.place(row))),
            );
        }
        Ok((names, codes, vec![]))
    }

    fn write_page(
        &self,
        out: &Path,
        index: &Index,
        found: &[Found<'_>],
        pictures: &[RgbImage],
        metric: Metric,
    ) -> Result<PathBuf> {
        let row = |(found, picture): (&Found<'_>, &RgbImage)| {
            let query = Tile {
                picture: Some(thumbnail(picture.clone())),
                name: found.query.clone(),
                note: "the query".to_owned(),
            };
            let others = found
                .neighbours
                .iter()
                .map(|it| tile(index, it.name, format!("distance {:.4}", it.distance)));
            (found.query.clone(), std::iter::once(query).chain(others).collect())
        };
        let rows: Vec<(String, Vec<Tile>)> = found.iter().zip(pictures).map(row).collect();
        let lead = format!(
            "{} in {}, by the {metric} distance of codes of {} numbers",
            counted(index.entries().len(), "image"),
            self.index.display(),
            index.codes().width()
        );
        let path = out.with_extension("html");
        files::write(&path, &page("Search", &lead, &[], &rows, PROGRAM)?)?;
        Ok(path)
    }
}

const PROGRAM: &str = concat!("ae ", env!("CARGO_PKG_VERSION"));

fn thumbnail(image: RgbImage) -> image::RgbaImage {
    small(&DynamicImage::ImageRgb8(image).into_rgba8())
}

/// The picture of an indexed file, if it is still there.
fn tile(index: &Index, name: &str, note: String) -> Tile {
    let picture = images::read(&Path::new(&index.origin().data).join(name)).ok().map(thumbnail);
    Tile { picture, name: name.to_owned(), note }
}

fn csv(found: &[Found<'_>]) -> String {
    let mut text = "query,rank,name,distance\n".to_owned();
    for it in found {
        for (rank, neighbour) in it.neighbours.iter().enumerate() {
            let (query, name) = (quoted(&it.query), quoted(neighbour.name));
            text += &format!("{query},{},{name},{}\n", rank + 1, neighbour.distance);
        }
    }
    text
}
