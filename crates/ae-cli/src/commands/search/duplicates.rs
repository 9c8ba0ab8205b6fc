//! `ae search --duplicates`.

use std::path::{Path, PathBuf};

use ae_apply::index::{
    Calibration, Codes, DuplicateFinder, Edit, Edited, Groups, Index, Pair, PerceptualHash,
};
use ae_data::images;
use ae_report::search::{Tile, page};
use ae_run::files;

use super::{Args, PROGRAM, print_json, quoted, tile};
use crate::commands::coder::Coder;
use crate::{Error, Result, interrupt};

/// Differing bits of the perceptual hash up to which two images count as known copies while the threshold is chosen:
/// fewer than the usual 10, at which other images are among them.
const KNOWN: u32 = 6;

/// Groups on the page at most, and pictures of a group.
const SHOWN: [usize; 2] = [200, 24];

#[derive(serde::Serialize)]
struct Answer<'a> {
    calibration: &'a Calibration,
    groups: Vec<Vec<&'a str>>,
    pairs: Vec<(&'a str, &'a str, f32)>,
}

pub fn run(args: &Args, index: &Index) -> Result<()> {
    let Some(shape) = index.origin().image else {
        return Err(Error::usage(format!(
            "{}: --duplicates needs an index of a folder of images, whose edits say what a duplicate is; this one is \
             of rows",
            args.index.display()
        )));
    };
    let coder = args.coder(index)?;
    let edited = edit(index, &coder, shape)?;
    let entries = index.entries();
    let hash = |row: usize| entries[row].hash.map(PerceptualHash);
    let differing = |a: usize, b: usize| hash(a).zip(hash(b)).map(|(a, b)| a.distance(b));
    let is_known = |a: usize, b: usize| {
        entries[a].digest == entries[b].digest || differing(a, b).is_some_and(|it| it <= KNOWN)
    };
    let finder = DuplicateFinder::calibrate(index.codes(), &edited, &is_known, &coder.device)?;
    let pairs = finder.pairs(index.codes(), &coder.device)?;
    let groups = Groups::of(entries.len(), pairs.iter().map(|pair| pair.rows));
    let also = pairs.iter().filter(|pair| {
        differing(pair.rows[0], pair.rows[1]).is_some_and(|it| it <= PerceptualHash::USUAL)
    });
    let rival = format!(
        "{} of these pairs have perceptual hashes of at most {} differing bits as well",
        also.count(),
        PerceptualHash::USUAL
    );
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("duplicates.csv"));
    files::write(&out, &csv(index, &pairs, &groups))?;
    let html = write_page(&out, index, finder.calibration(), &pairs, &groups, &rival)?;
    if args.json {
        let name = |row: usize| &*entries[row].name;
        let groups = groups.0.iter().map(|group| group.iter().map(|row| name(*row)).collect());
        return print_json(&Answer {
            calibration: finder.calibration(),
            groups: groups.collect(),
            pairs: pairs
                .iter()
                .map(|it| (name(it.rows[0]), name(it.rows[1]), it.distance))
                .collect(),
        });
    }
    for (name, value) in facts(finder.calibration()) {
        println!("{name}: {value}");
    }
    println!("{} groups, {} pairs; {rival}", groups.0.len(), pairs.len());
    println!("{}\n{}", out.display(), html.display());
    Ok(())
}

/// Edits images that are spread evenly over the index. Those that are gone or broken are passed over.
fn edit(index: &Index, coder: &Coder, shape: [usize; 3]) -> Result<Vec<Edited>> {
    let count = index.entries().len();
    let step = count.div_ceil(DuplicateFinder::EDITED).max(1);
    let none = || Codes::new(vec![], index.codes().width());
    let mut edited = Vec::new();
    for edit in Edit::ALL {
        edited.push(Edited { edit, rows: vec![], codes: none()? });
    }
    interrupt::is_requested();
    for row in (0..count).step_by(step) {
        if interrupt::is_requested() {
            return Err(Error::usage("stopped; nothing was written"));
        }
        let path = Path::new(&index.origin().data).join(&index.entries()[row].name);
        let Ok(image) = images::read(&path) else { continue };
        // What is cut off differs from image to image, and is the same in each run.
        let draw = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        for it in &mut edited {
            let copy = it.edit.apply(&image, draw)?;
            it.codes.extend(&coder.images(&[copy], shape)?)?;
            it.rows.push(row);
        }
    }
    Ok(edited)
}

/// What a calibration says, in words.
fn facts(calibration: &Calibration) -> Vec<(String, String)> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut facts = vec![
        ("threshold".to_owned(), format!("{:.4}", calibration.threshold)),
        (
            "estimated precision".to_owned(),
            format!(
                "{} (from {} edited images)",
                percent(calibration.precision),
                calibration.trials
            ),
        ),
    ];
    let recall = calibration.recall.iter();
    facts.extend(
        recall.map(|(edit, recall)| (format!("estimated recall, {edit}"), percent(*recall))),
    );
    facts
}

fn csv(index: &Index, pairs: &[Pair], groups: &Groups) -> String {
    let group =
        |row: usize| groups.0.iter().position(|group| group.contains(&row)).unwrap_or(0) + 1;
    let mut text = "group,first,second,distance\n".to_owned();
    for pair in pairs {
        let [first, second] = pair.rows.map(|row| quoted(&index.entries()[row].name));
        text += &format!("{},{first},{second},{}\n", group(pair.rows[0]), pair.distance);
    }
    text
}

fn write_page(
    out: &Path,
    index: &Index,
    calibration: &Calibration,
    pairs: &[Pair],
    groups: &Groups,
    rival: &str,
) -> Result<PathBuf> {
    let row = |(at, group): (usize, &Vec<usize>)| {
        let nearest = |row: usize| {
            let of_it = pairs.iter().find(|pair| pair.rows.contains(&row));
            of_it.map_or(String::new(), |pair| format!("distance {:.4}", pair.distance))
        };
        let tiles = group.iter().take(SHOWN[1]);
        let tiles: Vec<Tile> =
            tiles.map(|row| tile(index, &index.entries()[*row].name, nearest(*row))).collect();
        (format!("Group {}: {} images", at + 1, group.len()), tiles)
    };
    let rows: Vec<_> = groups.0.iter().enumerate().take(SHOWN[0]).map(row).collect();
    let lead = format!(
        "{} groups of duplicates among {} images; {rival}",
        groups.0.len(),
        index.entries().len()
    );
    let path = out.with_extension("html");
    files::write(&path, &page("Duplicates", &lead, &facts(calibration), &rows, PROGRAM)?)?;
    Ok(path)
}
