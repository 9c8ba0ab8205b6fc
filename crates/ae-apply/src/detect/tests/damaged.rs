//! Damaged and crafted files of detectors: each is an error that names the file, and none a panic or an
//! allocation of a size that only the file claims.

use std::path::Path;

use ae_models::tensors::{self, Tensors};
use burn::tensor::TensorData;
use serde_json::{Value, json};

use super::*;

/// A detector of a table with a category, in a file.
fn saved(folder: &Path) -> (std::path::PathBuf, Samples) {
    let mut text = "length,width,height,colour\n".to_owned();
    for row in 0..200 {
        let x = (row as f32 * 0.7).sin();
        let colour = ["red", "blue", "green"][row % 3];
        text += &format!("{x},{},{},{colour}\n", x * x, (row as f32).cos());
    }
    let table = folder.join("table.csv");
    std::fs::write(&table, text).unwrap();
    let samples = ae_data::table::read(&table, None).unwrap();
    let settings = DetectorSettings { steps: 5, hidden: 4, code: 2, scale: 0.3, ..quick() };
    let path = folder.join("x.detector");
    Detector::fit(&settings, &samples, &Device::flex()).unwrap().save(&path).unwrap();
    (path, samples)
}

/// Loads, and scores by every kind if that succeeds.
fn load_and_score(path: &Path, samples: &Samples) -> Result<()> {
    let detector = Detector::load(path, &Device::flex())?;
    // What is loaded has every kind of score, or says in a sentence why a row has none.
    for (kind, _) in detector.calibration.clone() {
        if let Err(error) = detector.score_by(kind, &samples.take(3)) {
            assert!(matches!(error, Error::Unsuitable(_)), "{kind}: {error}");
        }
    }
    RivalKind::KINDS.iter().try_for_each(|kind| detector.rival(*kind).map(|_| ()))
}

fn refused(path: &Path, samples: &Samples, what: &str) {
    let error = load_and_score(path, samples).expect_err(what).to_string();
    assert!(error.contains("x.detector"), "{what}: {error}");
}

/// Every number, text, list and object in a header.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| places(item, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

/// Cut anywhere, or with any byte changed, a file is an error or a detector, never a panic.
#[test]
fn bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, samples) = saved(folder.path());
    let bytes = std::fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(bytes.len() / 60) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        refused(&path, &samples, &format!("cut to {length}"));
    }
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    let mut errors = 0;
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        // Most in the header, which is at the beginning.
        let end = if generator.random() { bytes.len() } else { 4000 };
        let at = generator.random_range(0..end);
        damaged[at] = generator.random();
        std::fs::write(&path, &damaged).unwrap();
        errors += usize::from(load_and_score(&path, &samples).is_err());
    }
    assert!(errors > 100, "{errors} of 400");
}

/// Each field of the header is replaced by each of these values. A field of another type, or one that decides a
/// size, has to be refused.
#[test]
fn fields_of_the_header() {
    let folder = tempfile::tempdir().unwrap();
    let (path, samples) = saved(folder.path());
    let (all, text) = tensors::read(&path).unwrap();
    let header: Value = serde_json::from_str(&text).unwrap();
    let mut found = vec![];
    places(&header, "", &mut found);
    let huge = [json!(u64::MAX), json!(1u64 << 62), json!(1u64 << 32)];
    let others = [json!(0), json!(-1), json!(1e300), json!(null), json!([]), json!({}), json!("x")];
    let mut tried = 0;
    for place in &found {
        for value in huge.iter().chain(&others) {
            let mut changed = header.clone();
            let field = changed.pointer_mut(place).unwrap();
            if field == value {
                continue;
            }
            let is_number = field.is_number() == value.is_number();
            field.clone_from(value);
            tensors::write(&path, &all, &changed.to_string()).unwrap();
            tried += 1;
            let what = format!("{place} = {value}");
            let decides_a_size = ["hidden", "code", "start", "end", "width", "detector"]
                .iter()
                .any(|name| place.ends_with(&format!("/{name}")))
                || place.starts_with("/counts") && !place.ends_with("trimmed");
            // A text may be any text; a list may be empty by chance, as that of a column's categories.
            if decides_a_size
                || !is_number
                    && (value.is_null() || *value == json!({}))
                    && place != "/columns/schema"
            {
                refused(&path, &samples, &what);
            } else {
                let _ = load_and_score(&path, &samples);
            }
        }
        // And without it.
        let mut changed = header.clone();
        if let Some((parent, name)) = place.rsplit_once('/')
            && let Some(Value::Object(fields)) = changed.pointer_mut(parent)
        {
            fields.remove(name);
            tensors::write(&path, &all, &changed.to_string()).unwrap();
            let _ = load_and_score(&path, &samples);
        }
    }
    assert!(tried > 400, "{tried}");
    // An image of a size that no memory has.
    let mut changed = header.clone();
    changed["columns"]["shape"] =
        json!({ "image": { "channels": 3, "height": 1u64 << 62, "width": 1u64 << 62 } });
    tensors::write(&path, &all, &changed.to_string()).unwrap();
    refused(&path, &samples, "a huge image");
    // Features beyond any memory, by cells and schema alike.
    let mut changed = header;
    changed["cells"] =
        json!([{ "features": { "start": 0, "end": 1u64 << 62 }, "kind": "category", "hide": 0.3 }]);
    changed["columns"]["schema"] = json!(null);
    changed["columns"]["shape"] =
        json!({ "image": { "channels": 1, "height": 1u64 << 31, "width": 1u64 << 31 } });
    tensors::write(&path, &all, &changed.to_string()).unwrap();
    refused(&path, &samples, "huge features");
}

/// Each tensor is absent, too short, of another shape, not finite.
#[test]
fn tensors_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, samples) = saved(folder.path());
    let (all, text) = tensors::read(&path).unwrap();
    let try_with = |what: &str, change: &dyn Fn(&mut Tensors)| {
        let mut changed = all.clone();
        change(&mut changed);
        tensors::write(&path, &changed, &text).unwrap();
        refused(&path, &samples, what);
    };
    for (name, data) in &all {
        let values: Vec<f64> = data.iter::<f64>().collect();
        let put = |what: &str, values: Vec<f64>, shape: Vec<usize>| {
            try_with(&format!("{name}: {what}"), &|all: &mut Tensors| {
                all.insert(name.clone(), TensorData::new(values.clone(), shape.clone()));
            });
        };
        try_with(&format!("{name}: absent"), &|all: &mut Tensors| {
            all.remove(name);
        });
        put("one number", vec![1.0], vec![1]);
        put("nothing", vec![], vec![0]);
        put("one number less", values[1..].to_vec(), vec![values.len() - 1]);
        put("one number more", [&values[..], &[1.0]].concat(), vec![values.len() + 1]);
        for wrong in [f64::NAN, f64::INFINITY, -f64::INFINITY] {
            let mut values = values.clone();
            values[0] = wrong;
            put(&format!("{wrong}"), values, data.shape().to_vec());
        }
        if name.ends_with("variance") {
            for wrong in [0.0, -1.0, 1e-320] {
                let mut values = values.clone();
                values[0] = wrong;
                put(&format!("{wrong}"), values, data.shape().to_vec());
            }
        }
    }
    try_with("one more", &|all| {
        all.insert("more".to_owned(), TensorData::new(vec![1.0f32], [1]));
    });
    try_with("a covariance without scores", &|all| {
        all.retain(|name, _| name != "calibration.residual");
    });
    try_with("scores without a covariance", &|all| {
        all.retain(|name, _| !name.starts_with("residual."));
    });
}

#[test]
fn a_model_is_no_detector() {
    let folder = tempfile::tempdir().unwrap();
    let model = ae_models::DenseConfig::new([6, 2]).init(0, &Device::flex()).unwrap();
    let other = folder.path().join("model.safetensors");
    ae_models::save(&other, &model, &ae_models::Metadata::default()).unwrap();
    let message = Detector::load(&other, &Device::flex()).unwrap_err().to_string();
    assert!(message.contains("expected a detector, got another safetensors file"), "{message}");
}
