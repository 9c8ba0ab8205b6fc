//! `ae index` and `ae search` on a folder of pictures: up to date, queries, duplicates, and every unsuitable input.

mod common;

use std::path::Path;

use common::{ae, fail, succeed, text};
use image::{Rgb, RgbImage};

const INDEX: &str = "index run --data photos --out photos.aex";

/// Pictures of waves, each another.
fn picture(seed: u32, side: u32) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| {
        let (x, y) = (f64::from(x) / f64::from(side), f64::from(y) / f64::from(side));
        let wave = |at: u32| {
            let turn = f64::from(seed * 7 + at * 3) * 0.7;
            let place = turn.cos() * x + turn.sin() * y;
            let phase = f64::from(seed * seed % 17 + at);
            (127.5 + 100.0 * (f64::from(3 + seed % 5) * place + phase).sin()) as u8
        };
        Rgb([wave(0), wave(1), wave(2)])
    })
}

/// A folder with 40 pictures and a run of PCA that was trained on them.
fn prepare(here: &Path) {
    std::fs::create_dir_all(here.join("photos")).unwrap();
    for seed in 0..40 {
        picture(seed, 32).save(here.join(format!("photos/{seed:02}.png"))).unwrap();
    }
    succeed(here, "train --model pca --data photos --code 8 --resize 16x16 --out run --device cpu");
}

#[test]
fn an_index_is_kept_up_to_date_and_searched() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    prepare(here);
    let said = succeed(here, INDEX);
    assert!(said.contains("40 images (0 kept, 40 coded, 0 gone), codes of 8 numbers"), "{said}");
    // One gone, one new in a subfolder, one broken, which is listed at the end.
    std::fs::remove_file(here.join("photos/05.png")).unwrap();
    std::fs::create_dir(here.join("photos/more")).unwrap();
    picture(77, 20).save(here.join("photos/more/new.png")).unwrap();
    std::fs::write(here.join("photos/broken.png"), "no picture").unwrap();
    let output = ae(here, INDEX);
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(out.contains("40 images (39 kept, 1 coded, 1 gone)"), "{out}");
    assert!(
        error.contains("not indexed: ") && error.contains("broken.png: expected a whole image"),
        "{error}"
    );
    assert!(
        error.contains("1 of 41 images cannot be read (above); the others are in the index"),
        "{error}"
    );
    std::fs::remove_file(here.join("photos/broken.png")).unwrap();
    assert!(succeed(here, INDEX).contains("(40 kept, 0 coded, 0 gone)"));

    // A query of another size finds its own picture first.
    picture(12, 90).save(here.join("query.png")).unwrap();
    let json = succeed(here, "search photos.aex query.png -k 3 --json");
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found[0]["neighbours"][0]["name"], "12.png", "{json}");
    assert_eq!(found[0]["neighbours"].as_array().unwrap().len(), 3);
    let said = succeed(here, "search photos.aex query.png --metric cosine --out found.csv");
    assert!(said.contains("12.png") && said.contains("found.html"), "{said}");
    let table = std::fs::read_to_string(here.join("found.csv")).unwrap();
    assert!(table.starts_with("query,rank,name,distance\nquery.png,1,12.png,"), "{table}");
    let page = std::fs::read_to_string(here.join("found.html")).unwrap();
    assert_eq!(page.matches("<figure").count(), 13, "the query and 12 neighbours");
}

#[test]
fn duplicates_are_found_by_a_threshold_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    prepare(here);
    let smaller = image::imageops::resize(&picture(3, 32), 16, 16, image::imageops::Triangle);
    smaller.save(here.join("photos/smaller.png")).unwrap();
    std::fs::copy(here.join("photos/20.png"), here.join("photos/copy.png")).unwrap();
    succeed(here, INDEX);
    let json = succeed(here, "search photos.aex --duplicates --json");
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        found["groups"],
        serde_json::json!([["03.png", "smaller.png"], ["20.png", "copy.png"]]),
        "{json}"
    );
    assert!(found["calibration"]["precision"].as_f64().unwrap() >= 0.99, "{json}");
    for alone in ["codes", "hashes"] {
        assert_eq!(found[alone]["recall"].as_array().unwrap().len(), 4, "{json}");
    }
    let pairs = found["pairs"].as_array().unwrap();
    let copy = pairs.iter().find(|pair| pair["first"] == "20.png").unwrap();
    assert_eq!((copy["distance"].as_f64(), copy["bits"].as_u64()), (Some(0.0), Some(0)));
    assert_eq!(pairs.len(), 2, "{json}");
    for name in ["duplicates.csv", "duplicates.html"] {
        let text = std::fs::read_to_string(here.join(name)).unwrap();
        assert!(text.contains("smaller.png"), "{text}");
    }
    // Nothing is overwritten without --force.
    let before = std::fs::read(here.join("duplicates.csv")).unwrap();
    let said = fail(here, "search photos.aex --duplicates");
    assert!(said.starts_with("duplicates.csv: exists; give another name, or --force"), "{said}");
    let said = fail(here, "search photos.aex photos/01.png --out duplicates.csv");
    assert!(said.starts_with("duplicates.csv: exists; "), "{said}");
    assert_eq!(std::fs::read(here.join("duplicates.csv")).unwrap(), before);
    let said = succeed(here, "search photos.aex --duplicates --force");
    assert!(said.contains("the same image: ") && said.contains("hashes alone"), "{said}");
}

/// A name that is no text stands in no index; the other images do.
#[cfg(target_os = "linux")]
#[test]
fn images_whose_names_are_no_text_are_listed() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    prepare(here);
    let name = std::ffi::OsStr::from_bytes(b"photos/\xff.png");
    std::fs::copy(here.join("photos/01.png"), here.join(name)).unwrap();
    let output = ae(here, INDEX);
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(out.contains("40 images (0 kept, 40 coded, 0 gone)"), "{out}");
    assert!(error.contains(".png: expected a name in UTF-8; rename it"), "{error}");
    assert!(error.contains("1 of 41 images cannot be read (above)"), "{error}");
}

#[test]
fn rows_are_searched() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: String = (0..30).map(|i| format!("{},{},{}\n", i, i * i % 7, 30 - i)).collect();
    std::fs::write(here.join("table.csv"), format!("a,b,c\n{rows}")).unwrap();
    std::fs::write(here.join("query.csv"), "a,b,c\n4,2,26\n").unwrap();
    succeed(here, "train --model pca --data table.csv --code 2 --out run --device cpu");
    succeed(here, "index run --data table.csv --out table.aex");
    let json = succeed(here, "search table.aex query.csv -k 1 --json");
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found[0]["neighbours"][0]["name"], "row 4", "{json}");
    let said = fail(here, "search table.aex --duplicates");
    assert!(said.contains("--duplicates needs an index of a folder of images"), "{said}");
}

#[test]
fn unsuitable_inputs_are_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    prepare(here);
    succeed(here, INDEX);
    let before = std::fs::read(here.join("photos.aex")).unwrap();
    // Another model.
    succeed(
        here,
        "train --model pca --data photos --code 3 --resize 16x16 --out other --device cpu",
    );
    for line in [
        "search photos.aex photos/01.png --run other",
        "index other --data photos --out photos.aex",
    ] {
        let said = fail(here, line);
        assert!(
            said.starts_with("photos.aex: expected an index of the model in other, got one of another model (run <here>/run")
                && said.ends_with("--force`"),
            "{said}"
        );
    }
    // Other data, no image, a name that could be an image's, an output that is read.
    std::fs::create_dir(here.join("empty")).unwrap();
    std::fs::create_dir(here.join("others")).unwrap();
    picture(1, 9).save(here.join("others/1.png")).unwrap();
    std::fs::write(here.join("bad.aex"), "no index").unwrap();
    std::fs::write(here.join("photos/broken.csv"), "").unwrap();
    for (line, start) in [
        (
            "index run --data others --out photos.aex",
            "photos.aex: expected an index of <here>/others, got one of <here>/photos",
        ),
        ("index run --data empty --out new.aex", "empty: "),
        ("index run --data gone --out new.aex", "data set: expected "),
        (
            "index run --data photos --out photos/01.png",
            "--out: expected a name that ends in .aex, got photos/01.png",
        ),
        (
            "index run --data photos --out bad.aex",
            "bad.aex: expected an index, as `ae index` writes it, got",
        ),
        (
            "index run --data photos --out new.aex --split test",
            "--split does not apply to a folder of images",
        ),
        ("index empty --data photos --out new.aex", "empty: expected the folder of a run"),
        (
            "search bad.aex photos/01.png",
            "bad.aex: expected an index, as `ae index` writes it, got",
        ),
        ("search gone.aex photos/01.png", "gone.aex: "),
        ("search photos.aex gone.png", "gone.png: "),
        ("search photos.aex bad.aex", "bad.aex: expected a whole image"),
        ("search photos.aex photos/01.png -k 0", "-k: expected 1 to 1000, got 0"),
        (
            "search photos.aex photos/01.png --out photos/01.png",
            "--out: expected a name that ends in .csv",
        ),
        (
            "search photos.aex photos/broken.csv --out photos/broken.csv",
            "photos/broken.csv: is read; write to another file",
        ),
    ] {
        let said = fail(here, line);
        assert!(said.starts_with(start), "ae {line}\n{said}");
    }
    assert!(!here.join("new.aex").exists() && !here.join("duplicates.csv").exists());
    assert_eq!(std::fs::read(here.join("photos.aex")).unwrap(), before);
    let said = succeed(here, "index other --data photos --out photos.aex --force");
    assert!(said.contains("codes of 3 numbers"), "{said}");
}
