//! `ae index`.

use std::path::{Path, PathBuf};

use ae_apply::index::{Codes, Entry, Index, Origin};
use ae_run::SplitName;
use toml::Table;

use super::coder::{Coder, files, read};
use super::{Examples, counted};
use crate::args::DeviceArgs;
use crate::console::Console;
use crate::{Error, Result, interrupt};

/// Write an index of images or rows by their codes, to search in; or bring one up to date
///
/// An index that exists gets the files that are new or have changed, and loses those that are gone.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// A folder of images, with all folders in it; or a table, an array or a data set by name, whose rows are
    /// encoded again each time
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// Index to write or to bring up to date, a file that ends in .aex
    #[arg(short, long, value_name = "FILE.aex")]
    out: PathBuf,
    /// training, validation, test or all; not for a folder of images [default: all]
    #[arg(long, value_name = "SPLIT")]
    split: Option<SplitName>,
    /// Replace an existing index, even one of another model or other data
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "index",
    [
        "ae index runs/photos-conv-32 --data photos/ --out photos.aex",
        "ae index runs/photos-conv-32 --data photos/ --out photos.aex    # again: only what is new",
        "ae index runs/table-dense-3 --data table.csv --out table.aex",
    ],
)];

/// Images that are decoded before they are coded.
const AT_ONCE: usize = 64;

impl Args {
    pub fn run(&self) -> Result<()> {
        if self.out.extension().is_none_or(|end| end != "aex") {
            return Err(Error::usage(format!(
                "--out: expected a name that ends in .aex, got {}",
                self.out.display()
            )));
        }
        let coder = Coder::open(&self.run, &self.device)?;
        let (present, refused) = match self.data.is_dir() {
            true => files(&self.data)?,
            false => Default::default(),
        };
        match present.is_empty() {
            true => self.rows(&coder),
            false => self.images(&coder, &present, refused),
        }
    }

    fn origin(&self, coder: &Coder, data: String, image: Option<[usize; 3]>) -> Origin {
        let run = std::path::absolute(&self.run).unwrap_or_else(|_| self.run.clone());
        Origin { run: run.display().to_string(), model: coder.digest.clone(), data, image }
    }

    /// The index that is there, if it is to be brought up to date.
    fn existing(&self, coder: &Coder, data: &str) -> Result<Option<Index>> {
        if self.force || !self.out.exists() {
            return Ok(None);
        }
        let index = Index::load(&self.out)?;
        coder.check(&self.out, &index)?;
        if index.origin().data != data {
            return Err(Error::usage(format!(
                "{}: expected an index of {data}, got one of {}; choose another --out, or --force to replace it",
                self.out.display(),
                index.origin().data
            )));
        }
        Ok(Some(index))
    }

    fn images(&self, coder: &Coder, present: &[Entry], mut broken: Vec<String>) -> Result<()> {
        if self.split.is_some() {
            return Err(Error::usage(
                "--split does not apply to a folder of images, all of which are indexed; drop it",
            ));
        }
        let folder = self.data.canonicalize().map_err(Error::io(&self.data))?;
        let data = folder.display().to_string();
        let existing = self.existing(coder, &data)?;
        let mut shape = existing.as_ref().and_then(|index| index.origin().image);
        let mut index = match existing {
            Some(index) => index,
            None => {
                let none = Codes::new(vec![], coder.code_size())?;
                Index::new(self.origin(coder, data, None), vec![], none)?
            }
        };
        let changes = index.keep_unchanged(present);
        let total = changes.to_code.len();
        let (mut done, mut stopped) = (0, false);
        let (mut added, mut codes) = (Vec::new(), Codes::new(vec![], coder.code_size())?);
        interrupt::is_requested();
        for places in changes.to_code.chunks(AT_ONCE) {
            if interrupt::is_requested() {
                stopped = true;
                break;
            }
            let (mut entries, mut pictures) = (Vec::new(), Vec::new());
            for entry in places.iter().map(|place| &present[*place]) {
                match read(&folder.join(&entry.name), entry) {
                    Ok((entry, image)) => {
                        entries.push(entry);
                        pictures.push(image);
                    }
                    Err(error) => broken.push(error.to_string()),
                }
            }
            if let Some(first) = pictures.first() {
                let shape = match shape {
                    Some(shape) => shape,
                    None => *shape.insert(coder.shape(first)?),
                };
                codes.extend(&coder.images(&pictures, shape)?)?;
                added.extend(entries);
            }
            done += places.len();
            if total > AT_ONCE {
                eprint!("\r{done} of {total} images coded");
            }
        }
        if total > AT_ONCE {
            eprintln!();
        }
        let coded = added.len();
        index.extend(added, &codes)?;
        if index.entries().is_empty() && stopped {
            return Err(Error::usage("stopped before an image was coded; nothing was written"));
        }
        if index.entries().is_empty() {
            let first =
                broken.first().map_or(String::new(), |first| format!("; the first: {first}"));
            return Err(Error::usage(format!(
                "{}: expected at least one image that can be read, got {} that cannot{first}",
                self.data.display(),
                broken.len()
            )));
        }
        let origin = Origin { image: shape, ..index.origin().clone() };
        let index = index.with_origin(origin);
        index.save(&self.out)?;
        println!(
            "{} ({} kept, {} coded, {} gone), codes of {} numbers: {}",
            counted(index.entries().len(), "image"),
            changes.kept,
            coded,
            changes.gone,
            index.codes().width(),
            self.out.display()
        );
        broken.iter().for_each(|error| eprintln!("not indexed: {error}"));
        if stopped {
            return Err(Error::usage(format!(
                "stopped with {} of {total} images left; the same command goes on from there",
                total - done
            )));
        }
        match broken.len() {
            0 => Ok(()),
            count => Err(Error::usage(format!(
                "{count} of {} images cannot be read (above); the others are in the index",
                index.entries().len() + count
            ))),
        }
    }

    fn rows(&self, coder: &Coder) -> Result<()> {
        let source = self.data.display().to_string();
        let section = Table::from_iter([("source".to_owned(), source.clone().into())]);
        let split = self.split.or(Some(SplitName::All));
        let selection = coder.run.samples(&section, split, &*Console::single())?;
        let path: &Path = &self.data;
        let data = path.canonicalize().map_or(source, |path| path.display().to_string());
        self.existing(coder, &data)?;
        let codes = coder.samples(&selection.samples)?;
        let name = |row: usize| match selection.samples.name(row) {
            Some(name) => name.to_owned(),
            None => format!("row {}", selection.samples.place(row)),
        };
        let entries = (0..codes.len()).map(|row| Entry { name: name(row), ..Entry::default() });
        let index = Index::new(self.origin(coder, data, None), entries.collect(), codes)?;
        index.save(&self.out)?;
        println!(
            "{} ({}), codes of {} numbers: {}",
            counted(index.entries().len(), "row"),
            selection.title(),
            index.codes().width(),
            self.out.display()
        );
        Ok(())
    }
}
