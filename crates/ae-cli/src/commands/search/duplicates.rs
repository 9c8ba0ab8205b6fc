//! `ae search --duplicates`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ae_apply::index::{
    Calibration, Codes, DuplicateFinder, Edit, Edited, Gallery, Groups, Index, Means, Pair,
    PerceptualHash,
};
use ae_data::images;
use ae_data::write::quoted;
use ae_report::search::{Tile, page};
use ae_run::files;

use super::{Args, PROGRAM, print_json, tile};
use crate::commands::coder::Coder;
use crate::commands::counted;
use crate::{Error, Result, interrupt};

/// Differing bits of the perceptual hash up to which two images count as known copies while the thresholds are chosen:
/// fewer than the usual 10, at which other images are among them.
const KNOWN: u32 = 6;

/// Groups on the page at most, and pictures of a group.
const SHOWN: [usize; 2] = [200, 24];

#[derive(serde::Serialize)]
struct Answer<'a> {
    calibration: &'a Calibration,
    /// With codes alone, and with hashes alone.
    codes: Option<&'a Calibration>,
    hashes: Option<&'a Calibration>,
    groups: Vec<Vec<&'a str>>,
    pairs: Vec<NamedPair<'a>>,
}

#[derive(serde::Serialize)]
struct NamedPair<'a> {
    first: &'a str,
    second: &'a str,
    distance: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u32>,
}

pub fn run(args: &Args, index: &Index) -> Result<()> {
    let Some(shape) = index.origin().image else {
        return Err(Error::usage(format!(
            "{}: --duplicates needs an index of a folder of images, whose edits say what a duplicate is; this one is \
             of rows",
            args.index.display()
        )));
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("duplicates.csv"));
    args.check_out(&out, index)?;
    let coder = args.coder(index)?;
    let entries = index.entries();
    let hashes: Option<Vec<PerceptualHash>> =
        entries.iter().map(|entry| entry.hash.map(PerceptualHash)).collect();
    let gallery = match &hashes {
        Some(hashes) => Gallery::new(index.codes(), hashes)?,
        None => Gallery::of_codes(index.codes()),
    };
    let edited = edit(index, &coder, shape, hashes.is_some())?;
    let is_known = |a: usize, b: usize| {
        let hashes = gallery.hashes();
        entries[a].digest == entries[b].digest
            || hashes.is_some_and(|all| all[a].distance(all[b]) <= KNOWN)
    };
    let finder = DuplicateFinder::calibrate(gallery, &edited, &is_known, &coder.device)?;
    let pairs = finder.pairs(gallery, &coder.device)?;
    let groups = Groups::of(entries.len(), pairs.iter().map(|pair| pair.rows));
    files::write(&out, &csv(index, &pairs, &groups))?;
    let html = write_page(&out, index, &finder, &pairs, &groups)?;
    if args.json {
        let name = |row: usize| &*entries[row].name;
        let of = |means| finder.alone().iter().find(|it| it.0 == means).map(|it| &it.1);
        let groups = groups.0.iter().map(|group| group.iter().map(|row| name(*row)).collect());
        let pairs = pairs.iter().map(|pair| {
            let [first, second] = pair.rows.map(name);
            NamedPair { first, second, distance: pair.apart.distance, bits: pair.apart.bits }
        });
        return print_json(&Answer {
            calibration: finder.calibration(),
            codes: of(Means::Codes),
            hashes: of(Means::Hashes),
            groups: groups.collect(),
            pairs: pairs.collect(),
        });
    }
    for (name, value) in facts(&finder) {
        println!("{name}: {value}");
    }
    println!("{}, {}", counted(groups.0.len(), "group"), counted(pairs.len(), "pair"));
    println!("{}\n{}", out.display(), html.display());
    Ok(())
}

/// Edits images that are spread evenly over the index. Those that are gone or broken are passed over.
fn edit(index: &Index, coder: &Coder, shape: [usize; 3], has_hashes: bool) -> Result<Vec<Edited>> {
    let count = index.entries().len();
    let step = count.div_ceil(DuplicateFinder::EDITED).max(1);
    let none = || Codes::new(vec![], index.codes().width());
    let mut edited = Vec::new();
    for edit in Edit::ALL {
        edited.push(Edited {
            edit,
            rows: vec![],
            codes: none()?,
            hashes: has_hashes.then(Vec::new),
        });
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
            if let Some(hashes) = &mut it.hashes {
                hashes.push(PerceptualHash::of(&copy));
            }
            it.codes.extend(&coder.images(&[copy], shape)?)?;
            it.rows.push(row);
        }
    }
    Ok(edited)
}

/// The thresholds, and precision and recall of both means and of each alone.
fn facts(finder: &DuplicateFinder) -> Vec<(String, String)> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let calibration = finder.calibration();
    let thresholds = calibration.thresholds;
    let distance = thresholds.distance.map(|it| format!("codes at most {it:.4} apart"));
    let bits = thresholds.bits.map(|it| format!("hashes that differ in at most {it} of 64 bits"));
    let same: Vec<String> = distance.into_iter().chain(bits).collect();
    let alone = |value: &dyn Fn(&Calibration) -> Option<f64>| -> String {
        let of_each = finder.alone().iter().filter_map(|(means, it)| {
            let name = match means {
                Means::Codes => "codes alone",
                Means::Hashes => "hashes alone",
                Means::Both => "both",
            };
            value(it).map(|value| format!("{name} {}", percent(value)))
        });
        let of_each: Vec<String> = of_each.collect();
        if of_each.is_empty() { String::new() } else { format!(" ({})", of_each.join(", ")) }
    };
    let mut facts = vec![
        ("the same image".to_owned(), same.join(", or ")),
        (
            "estimated precision".to_owned(),
            format!("{}{}", percent(calibration.precision), alone(&|it| Some(it.precision))),
        ),
    ];
    for (edit, recall) in &calibration.recall {
        let of_it = |it: &Calibration| it.recall.iter().find(|it| it.0 == *edit).map(|it| it.1);
        facts.push((
            format!("estimated recall, {edit}"),
            format!("{}{}", percent(*recall), alone(&of_it)),
        ));
    }
    facts.push((
        "estimated from".to_owned(),
        format!(
            "{} edited copies, each left out when its thresholds were chosen",
            calibration.trials
        ),
    ));
    facts
}

fn csv(index: &Index, pairs: &[Pair], groups: &Groups) -> String {
    let group: HashMap<usize, usize> = (1..)
        .zip(&groups.0)
        .flat_map(|(number, group)| group.iter().map(move |row| (*row, number)))
        .collect();
    let mut text = "group,first,second,distance,bits\n".to_owned();
    for pair in pairs {
        let [first, second] = pair.rows.map(|row| quoted(&index.entries()[row].name));
        let bits = pair.apart.bits.map_or(String::new(), |bits| bits.to_string());
        let distance = pair.apart.distance;
        text += &format!("{},{first},{second},{distance},{bits}\n", group[&pair.rows[0]]);
    }
    text
}

fn write_page(
    out: &Path,
    index: &Index,
    finder: &DuplicateFinder,
    pairs: &[Pair],
    groups: &Groups,
) -> Result<PathBuf> {
    let row = |(at, group): (usize, &Vec<usize>)| {
        let nearest = |row: usize| {
            let of_it = pairs.iter().find(|pair| pair.rows.contains(&row));
            of_it.map_or(String::new(), |pair| {
                let bits = pair
                    .apart
                    .bits
                    .map_or(String::new(), |bits| format!(", {}", counted(bits as usize, "bit")));
                format!("distance {:.4}{bits}", pair.apart.distance)
            })
        };
        let tiles = group.iter().take(SHOWN[1]);
        let tiles: Vec<Tile> =
            tiles.map(|row| tile(index, &index.entries()[*row].name, nearest(*row))).collect();
        (format!("Group {}: {} images", at + 1, group.len()), tiles)
    };
    let rows: Vec<_> = groups.0.iter().enumerate().take(SHOWN[0]).map(row).collect();
    let lead = format!(
        "{} of duplicates among {}",
        counted(groups.0.len(), "group"),
        counted(index.entries().len(), "image")
    );
    let path = out.with_extension("html");
    files::write(&path, &page("Duplicates", &lead, &facts(finder), &rows, PROGRAM)?)?;
    Ok(path)
}
