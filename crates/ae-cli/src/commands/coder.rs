//! The codes of images and of rows, by the model of a run.

use std::path::Path;
use std::time::UNIX_EPOCH;

use ae_apply::index::{Codes, Entry, Index, PerceptualHash};
use ae_data::{Samples, images};
use ae_models::{Architecture, Encoder};
use ae_run::SavedRun;
use burn::tensor::Device;
use image::RgbImage;

use super::map;
use crate::args::{DeviceArgs, open_run};
use crate::{Error, Result};

/// The model of a run, to code with.
pub struct Coder {
    pub run: SavedRun,
    pub device: Device,
    /// The digest of the model's file.
    pub digest: String,
}

impl Coder {
    pub fn open(run: &Path, device: &DeviceArgs) -> Result<Self> {
        let (run, device) = open_run(run, device)?;
        let path = run.folder.model();
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        Ok(Self { digest: Entry::digest_of(&bytes), device: device.handle, run })
    }

    /// The coder of the run that made an index, or of `run` if that has the same model.
    pub fn of_index(
        path: &Path,
        index: &Index,
        run: Option<&Path>,
        device: &DeviceArgs,
    ) -> Result<Self> {
        let origin = index.origin();
        let coder = Self::open(run.unwrap_or(Path::new(&origin.run)), device)?;
        coder.check(path, index)?;
        Ok(coder)
    }

    /// Refuses an index of another model, whose codes mean something else.
    pub fn check(&self, path: &Path, index: &Index) -> Result<()> {
        match self.digest == index.origin().model {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "{}: expected an index of the model in {}, got one of another model (run {} as it was then); index \
                 again with `ae index {} --data {} --out {} --force`",
                path.display(),
                self.run.folder.0.display(),
                index.origin().run,
                ae_files::quoted(&self.run.folder.0),
                ae_files::quoted(Path::new(&index.origin().data)),
                ae_files::quoted(path),
            ))),
        }
    }

    /// Channels, height and width that the model reads images with, if `first` is one of them.
    pub fn shape(&self, first: &RgbImage) -> Result<[usize; 3]> {
        fn input(architecture: &Architecture) -> Option<[usize; 3]> {
            match architecture {
                Architecture::Conv(config) => Some(config.input),
                Architecture::Stack { layers } => layers.first().and_then(input),
                Architecture::Dense(_) | Architecture::Pca(_) => None,
            }
        }
        let architecture = self.run.model.architecture();
        if let Some(input) = input(&architecture) {
            return Ok(input);
        }
        let of_files = || (first.width() as usize, first.height() as usize);
        let (width, height) = self.run.recipe.data.resize.unwrap_or_else(of_files);
        let features = architecture.features();
        match [1, 3].into_iter().find(|channels| channels * width * height == features) {
            Some(channels) => Ok([channels, height, width]),
            None => Err(Error::usage(format!(
                "{}: expected images of {features} numbers, as its model was trained on, got {width}x{height} pixels; \
                 index the kind of images that the run was trained on",
                self.run.folder.0.display()
            ))),
        }
    }

    pub fn code_size(&self) -> usize {
        self.run.model.encoder().code_size()
    }

    pub fn images(&self, images: &[RgbImage], shape: [usize; 3]) -> Result<Codes> {
        self.samples(&images::to_samples(images, shape)?)
    }

    pub fn samples(&self, samples: &Samples) -> Result<Codes> {
        let samples = samples.clone().with_preprocessing(self.run.preprocessing.clone())?;
        let encoder = self.run.model.encoder();
        let rows =
            map(&self.run, &samples, &self.device, |input| encoder.encode(input), samples.len())?;
        Ok(Codes::new(rows.concat(), encoder.code_size())?)
    }
}

/// The image files of a folder, with their sizes and times but without digests; and of each that cannot be named in an
/// index, why.
pub fn files(folder: &Path) -> Result<(Vec<Entry>, Vec<String>)> {
    let (mut entries, mut refused) = (Vec::new(), Vec::new());
    for path in images::list(folder)? {
        let Some(name) = path.strip_prefix(folder).unwrap_or(&path).to_str() else {
            refused.push(format!("{}: expected a name in UTF-8; rename it", path.display()));
            continue;
        };
        let about = std::fs::metadata(&path).map_err(Error::io(&path))?;
        let modified = about.modified().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |it| it.as_nanos() as u64);
        let (name, size) = (name.to_owned(), about.len());
        entries.push(Entry { name, size, modified, ..Entry::default() });
    }
    Ok((entries, refused))
}

/// Reads an image, and completes its entry.
pub fn read(path: &Path, entry: &Entry) -> Result<(Entry, RgbImage)> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let image = images::read(path)?;
    let hash = Some(PerceptualHash::of(&image).0);
    Ok((Entry { digest: Entry::digest_of(&bytes), hash, ..entry.clone() }, image))
}
