//! Search by code beside its classical rivals: precision@10 of 32 floats, mAP of 64 bits, the time of exact
//! queries, and duplicates of photographs beside a perceptual hash.
//!
//!     cargo bench --bench search -- MNIST_FOLDER PHOTOS_FOLDER... [--training N] [--queries N] [--seeds N] [--epochs N]
//!         [--deform PIXELS] [--validation]
//!
//! The autoencoders of digits see deformed images (`--deform 0`: masked ones) and reconstruct them as they were.
//! The gallery is the training set, a query is a test image (with `--validation`: the last training images, which are
//! then left out of the gallery; choose by these alone). The models never see a query or a label.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ae_apply::index::{
    Calibration, Codes, DuplicateFinder, Edit, Edited, Gallery, Hashed, Itq, Metric,
    PerceptualHash, average_precision, medians, nearest, precision_at,
};
use autoencoders::burn::tensor::Device;
use autoencoders::data::{DataDirs, Options, Samples, images, open};
use autoencoders::models::{Dense, DenseConfig, Pca};
use autoencoders::train::{Corruption, Objective, Reconstruction, Training, encode_dataset};
use image::RgbImage;
use image::imageops::crop_imm;
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Settings {
    folders: Vec<PathBuf>,
    training: usize,
    queries: usize,
    seeds: u64,
    epochs: usize,
    deform: f64,
    validation: bool,
}

fn settings() -> Result<Settings> {
    let mut settings = Settings {
        folders: vec![],
        training: 60_000,
        queries: 10_000,
        seeds: 3,
        epochs: 20,
        deform: 2.0,
        validation: false,
    };
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word}: expected a number"));
        match &*word {
            "--training" => settings.training = value()?.parse()?,
            "--queries" => settings.queries = value()?.parse()?,
            "--seeds" => settings.seeds = value()?.parse()?,
            "--epochs" => settings.epochs = value()?.parse()?,
            "--deform" => settings.deform = value()?.parse()?,
            "--validation" => settings.validation = true,
            _ => settings.folders.push(word.into()),
        }
    }
    Ok(settings)
}

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    let settings = settings()?;
    let Some((mnist, photos)) = settings.folders.split_first() else {
        return Err("expected the folder of MNIST, then folders of photographs".into());
    };
    digits(mnist, &settings)?;
    match photos.is_empty() {
        true => Ok(()),
        false => photographs(photos, &settings),
    }
}

fn digits(folder: &Path, settings: &Settings) -> Result<()> {
    let dirs = DataDirs { data_dir: Some(folder.to_owned()), cache_dir: None, download: false };
    let splits = open("mnist", &Options { dirs, ..Options::default() }, &mut |_| ())?.splits;
    let (gallery, queries) = match settings.validation {
        false => (splits.training.take(settings.training), splits.test.take(settings.queries)),
        true => {
            let all = splits.training;
            let from = all.len() - settings.queries;
            let rows: Vec<usize> = (from..all.len()).collect();
            (all.take(settings.training.min(from)), all.subset(&rows))
        }
    };
    println!("MNIST: {} codes, {} queries", gallery.len(), queries.len());
    let set = Set::new(&gallery, &queries)?;
    let device = Device::flex();
    set.precision("784 pixels", &Codes::from_samples(&gallery)?, &Codes::from_samples(&queries)?)?;
    let values = Codes::from_samples(&gallery)?;
    let pca = Pca::fit(values.values(), 784, 64, &device)?;
    let of = |model: &Pca| -> Result<[Codes; 2]> {
        let code = |part: &Samples| {
            Codes::from_samples(&encode_dataset(model, part.clone(), 512)?).map_err(Into::into)
        };
        let [one, other]: [Result<Codes>; 2] = [code(&gallery), code(&queries)];
        Ok([one?, other?])
    };
    let small = Pca::fit(values.values(), 784, 32, &device)?;
    let [codes, asked] = of(&small)?;
    set.precision("PCA, 32 floats", &codes, &asked)?;
    let [codes, asked] = of(&pca)?;
    set.ranking("PCA, ITQ, 64 bits", &codes, &asked, 0)?;
    for seed in 0..settings.seeds {
        for width in [32, 64] {
            let model = DenseConfig::new([784, 512, 256, width]).init(seed, &device)?;
            let corruption = match settings.deform {
                0.0 => Corruption::masking(0.25)?,
                pixels => Corruption::deform(pixels, [1, 28, 28])?,
            };
            let objective: Objective<Dense> =
                Objective::new(Reconstruction::CrossEntropy).corrupt(corruption);
            let start = Instant::now();
            let fitted = Training::new(model, &objective)
                .epochs(settings.epochs)
                .seed(seed)
                .fit(gallery.clone())?;
            println!("trained with {corruption} in {:.0} s", start.elapsed().as_secs_f64());
            let [codes, asked] = [&gallery, &queries].map(|part| -> Result<Codes> {
                Ok(Codes::from_samples(&encode_dataset(&fitted.model, part.clone(), 512)?)?)
            });
            let (codes, asked) = (codes?, asked?);
            match width {
                32 => {
                    set.precision(&format!("autoencoder, 32 floats, seed {seed}"), &codes, &asked)?
                }
                _ => {
                    set.ranking(
                        &format!("autoencoder, ITQ, 64 bits, seed {seed}"),
                        &codes,
                        &asked,
                        seed,
                    )?;
                    let thresholds = medians(&codes);
                    let [codes, asked] = [codes, asked].map(|it| Hashed::new(it, &thresholds));
                    set.mean_precision(
                        &format!("autoencoder, medians, 64 bits, seed {seed}"),
                        &codes?,
                        &asked?,
                    );
                }
            }
        }
    }
    Ok(())
}

struct Set {
    gallery: Vec<u32>,
    queries: Vec<u32>,
}

impl Set {
    fn new(gallery: &Samples, queries: &Samples) -> Result<Self> {
        let classes =
            |part: &Samples| part.labels().map(|it| it.classes().to_vec()).ok_or("no labels");
        Ok(Self { gallery: classes(gallery)?, queries: classes(queries)? })
    }

    fn precision(&self, name: &str, codes: &Codes, queries: &Codes) -> Result<()> {
        let start = Instant::now();
        let found = nearest(queries, codes, 10, Metric::Euclidean, &Device::flex())?;
        let seconds = start.elapsed().as_secs_f64();
        let of_class = |(query, found): (usize, &Vec<ae_apply::index::Neighbour>)| {
            precision_at(10, found.iter().map(|it| self.gallery[it.row] == self.queries[query]))
        };
        let sum: f64 = found.iter().enumerate().map(of_class).sum();
        println!("{name}: precision@10 {:.4}, {seconds:.2} s", sum / found.len() as f64);
        Ok(())
    }

    fn ranking(&self, name: &str, codes: &Codes, queries: &Codes, seed: u64) -> Result<()> {
        let itq = Itq::fit(codes, Itq::ITERATIONS, seed)?;
        let [codes, queries] = [codes, queries].map(|it| -> Result<Hashed> {
            let rotated = itq.apply(it)?;
            let zero = vec![0.0; rotated.width()];
            Ok(Hashed::new(rotated, &zero)?)
        });
        self.mean_precision(name, &codes?, &queries?);
        Ok(())
    }

    fn mean_precision(&self, name: &str, codes: &Hashed, queries: &Hashed) {
        let of = |query: usize| {
            let ranking = queries.rank(query, codes);
            average_precision(
                ranking.into_iter().map(|row| self.gallery[row] == self.queries[query]),
            )
        };
        let all: Vec<f64> = (0..self.queries.len()).into_par_iter().filter_map(of).collect();
        println!("{name}: mAP {:.4}", all.iter().sum::<f64>() / all.len() as f64);
    }
}

/// The side of the tiles that photographs are cut into: whole ones are too few to measure a precision of 0.99.
const TILE: u32 = 192;

/// What the model sees of an image.
const INPUT: [usize; 3] = [3, 32, 32];

fn photographs(folders: &[PathBuf], settings: &Settings) -> Result<()> {
    let mut tiles = Vec::new();
    for path in folders
        .iter()
        .map(|it| images::list(it))
        .collect::<std::result::Result<Vec<_>, _>>()?
        .concat()
    {
        let photo = images::read(&path)?;
        for (x, y) in
            (0..photo.height() / TILE).flat_map(|y| (0..photo.width() / TILE).map(move |x| (x, y)))
        {
            tiles.push(crop_imm(&photo, x * TILE, y * TILE, TILE, TILE).to_image());
        }
    }
    let samples = images::to_samples(&tiles, INPUT)?;
    println!("photographs: {} tiles of {TILE}x{TILE}", tiles.len());
    let device = Device::flex();
    let pca = Pca::fit(Codes::from_samples(&samples)?.values(), samples.width(), 64, &device)?;
    let code = |images: &[RgbImage]| -> Result<Codes> {
        let samples = images::to_samples(images, INPUT)?;
        Ok(Codes::from_samples(&encode_dataset(&pca, samples, 256)?)?)
    };
    find("PCA, 64 floats", &tiles, &code)?;
    for seed in 0..settings.seeds {
        let model = DenseConfig::new([samples.width(), 256, 64]).init(seed, &device)?;
        let model = model.with_linear_path(&pca)?;
        let objective: Objective<Dense> =
            Objective::new(Reconstruction::SquaredError).corrupt(Corruption::masking(0.25)?);
        let fitted = Training::new(model, &objective).seed(seed).fit(samples.clone())?;
        let code = |images: &[RgbImage]| -> Result<Codes> {
            let samples = images::to_samples(images, INPUT)?;
            Ok(Codes::from_samples(&encode_dataset(&fitted.model, samples, 256)?)?)
        };
        find(&format!("autoencoder, 64 floats, seed {seed}"), &tiles, &code)?;
    }
    hashes(&tiles)
}

/// Every second tile chooses the threshold, the others measure it.
fn edits(tiles: &[RgbImage], first: usize, edit: Edit) -> Result<(Vec<usize>, Vec<RgbImage>)> {
    let rows: Vec<usize> = (first..tiles.len()).step_by(2).collect();
    let draw = |row: usize| (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let images = rows.iter().map(|row| edit.apply(&tiles[*row], draw(*row)));
    let images = images.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok((rows, images))
}

fn find(name: &str, tiles: &[RgbImage], code: &dyn Fn(&[RgbImage]) -> Result<Codes>) -> Result<()> {
    let (codes, hashes) = (code(tiles)?, hash(tiles));
    let gallery = Gallery::new(&codes, &hashes)?;
    let edited = |first: usize| -> Result<Vec<Edited>> {
        let one = |edit: Edit| {
            let (rows, images) = edits(tiles, first, edit)?;
            Ok(Edited { edit, rows, codes: code(&images)?, hashes: Some(hash(&images)) })
        };
        Edit::ALL.into_iter().map(one).collect()
    };
    let never = |_: usize, _: usize| false;
    let device = Device::flex();
    let [choosing, fresh] = [edited(0)?, edited(1)?];
    let finder = DuplicateFinder::calibrate(gallery, &choosing, &never, &device)?;
    print(&format!("{name} and hashes, estimated"), finder.calibration());
    for (means, calibration) in finder.alone() {
        print(&format!("{name}, {means:?} alone, estimated"), calibration);
    }
    let measured = finder.measure(gallery, &fresh, &never, &device)?;
    print(&format!("{name} and hashes, fresh"), &measured);
    let of_codes = Gallery::of_codes(&codes);
    let finder = DuplicateFinder::calibrate(of_codes, &choosing, &never, &device)?;
    print(&format!("{name}, fresh"), &finder.measure(of_codes, &fresh, &never, &device)?);
    Ok(())
}

fn hash(images: &[RgbImage]) -> Vec<PerceptualHash> {
    images.iter().map(PerceptualHash::of).collect()
}

fn print(name: &str, it: &Calibration) {
    let recall: Vec<String> =
        it.recall.iter().map(|(edit, recall)| format!("{edit} {recall:.3}")).collect();
    println!("{name}: precision {:.4}; recall: {}", it.precision, recall.join(", "));
}

fn hashes(tiles: &[RgbImage]) -> Result<()> {
    let gallery: Vec<PerceptualHash> = tiles.iter().map(PerceptualHash::of).collect();
    let (mut right, mut wrong, mut recall) = (0, 0, Vec::new());
    for edit in Edit::ALL {
        let (rows, images) = edits(tiles, 1, edit)?;
        let mut found = 0;
        for (row, image) in rows.iter().zip(&images) {
            let hash = PerceptualHash::of(image);
            let near = |at: &usize| hash.distance(gallery[*at]) <= PerceptualHash::USUAL;
            let own = near(row);
            found += usize::from(own);
            wrong += (0..gallery.len()).filter(near).count() - usize::from(own);
        }
        right += found;
        recall.push(format!("{edit} {:.3}", found as f64 / rows.len() as f64));
    }
    let precision = f64::from(right as u32) / f64::from((right + wrong).max(1) as u32);
    println!(
        "perceptual hash at {}, fresh: precision {precision:.4}; recall: {}",
        PerceptualHash::USUAL,
        recall.join(", ")
    );
    Ok(())
}
