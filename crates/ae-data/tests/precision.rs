//! Columns far from zero keep their variation until preprocessing.

use std::fs;

use ae_data::{Method, Options, Preprocessing, Samples, Shape, npy, open, table};

fn written(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn table_of(text: &str) -> Samples {
    let (_folder, path) = written("table.csv", text);
    table::read(&path, None).unwrap()
}

/// The largest difference between a preprocessed column and the same computed in f64.
fn distance(samples: &Samples, column: usize, method: Method, exact: &[f64]) -> f64 {
    let fitted = Preprocessing::fit(method, samples).unwrap();
    let samples = samples.clone().with_preprocessing(fitted.clone()).unwrap();
    let count = exact.len() as f64;
    let mean = exact.iter().sum::<f64>() / count;
    let (offset, scale) = match method {
        Method::MinMax => {
            let low = exact.iter().copied().fold(f64::INFINITY, f64::min);
            (low, exact.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low)
        }
        _ => {
            let squares = exact.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            (mean, (squares / count).sqrt())
        }
    };
    let far =
        |row: usize| (f64::from(samples.row(row)[column]) - (exact[row] - offset) / scale).abs();
    // The inverse gives the original values.
    for (row, value) in exact.iter().enumerate() {
        let back = fitted.invert_exact(&samples.row(row))[column];
        assert!((back - value).abs() <= 1e-5 * scale, "{back} {value}");
    }
    (0..samples.len()).map(far).fold(0.0, f64::max)
}

#[test]
fn columns_far_from_zero_keep_their_variation() {
    for (what, start, step) in [
        ("seconds since 1970", 1.7e9, 1.0),
        ("milliseconds since 1970", 1.7e12, 1.0),
        ("days since 1900 with a time of day", 45_000.25, 1.0 / 1024.0),
        ("pressure in pascal", 101_325.0, 0.002),
        ("a coordinate", 52.52, 1e-6),
        ("identifiers", 9_007_199_254_000_000.0, 1.0),
        ("a price in cents", 123_456_789.0, 1.0),
        ("a frequency in hertz", 5.0e14, 1e6),
        ("below zero", -1.7e9, 0.5),
    ] {
        let exact: Vec<f64> = (0..50).map(|k| start + step * f64::from(7 * k % 50)).collect();
        let text: String = exact.iter().map(|value| format!("{value:?},1\n")).collect();
        let samples = table_of(&("t,b\n".to_owned() + &text));
        for method in [Method::Standardize, Method::MinMax] {
            let far = distance(&samples, 0, method, &exact);
            // The rounding of f64 for large numbers, and of f32 for the results.
            let allowed = 1e-6 + 4.0 * f64::EPSILON * start.abs() / step / 14.0;
            assert!(far <= allowed, "{what}, {method:?}: {far} above {allowed}");
        }
    }
}

/// `t` runs from 1,700,000,000 in steps of 1, which f32 would round to two distinct values.
#[test]
fn times_are_scaled_by_their_spread() {
    let text: String = (0..100)
        .map(|i| format!("{},{:.4}\n", 1_700_000_000 + i, (f64::from(i) / 9.0).sin()))
        .collect();
    let samples = table_of(&("t,a\n".to_owned() + &text));
    let fitted = Preprocessing::fit(Method::Standardize, &samples).unwrap();
    let json = serde_json::to_value(&fitted).unwrap();
    let scale = json["scale"][0].as_f64().unwrap();
    assert!((scale - (9999.0f64 / 12.0).sqrt()).abs() < 1e-4, "{scale}"); // variance (n^2 - 1) / 12
    let again: Preprocessing = serde_json::from_value(json).unwrap();
    assert_eq!(again, fitted);
    let samples = samples.with_preprocessing(again).unwrap();
    let mut different: Vec<u32> = (0..100).map(|row| samples.row(row)[0].to_bits()).collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 100);
}

/// A row is read the same whether its file has other rows or not.
#[test]
fn single_row_is_read_as_among_others() {
    let line = |k: u32| {
        format!(
            "{},{},{}\n",
            1_700_000_000 + k,
            101_325.0 + 0.002 * f64::from(k),
            0.1 * f64::from(k)
        )
    };
    let all = table_of(&("t,p,x\n".to_owned() + &(0..40).map(line).collect::<String>()));
    let fitted = Preprocessing::fit(Method::Standardize, &all).unwrap();
    let all = all.with_preprocessing(fitted.clone()).unwrap();
    for k in [0, 7, 39] {
        let one = table_of(&("t,p,x\n".to_owned() + &line(k)));
        assert_eq!(one.with_preprocessing(fitted.clone()).unwrap().row(0), all.row(k as usize));
    }
}

fn npy_file(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

#[test]
fn arrays_keep_their_variation_too() {
    let exact: Vec<f64> = (0..50).map(|k| 1.7e9 + f64::from(7 * k % 50)).collect();
    let doubles: Vec<u8> = exact.iter().flat_map(|value| value.to_le_bytes()).collect();
    let whole: Vec<u8> = exact.iter().flat_map(|value| (*value as i64).to_le_bytes()).collect();
    for (descr, bytes) in [("<f8", doubles), ("<i8", whole)] {
        let (_folder, path) = written("array.npy", npy_file(descr, "(50, 1)", &bytes));
        let samples = npy::read(&path, None).unwrap();
        let far = distance(&samples, 0, Method::Standardize, &exact);
        assert!(far < 1e-6, "{descr}: {far}");
    }
}

#[test]
fn constant_columns_become_zero() {
    for constant in ["7", "0.1", "1700000001", "101325.002", "0"] {
        let text: String = (0..10).map(|row| format!("{constant},{row}\n")).collect();
        let samples = table_of(&("c,x\n".to_owned() + &text));
        for method in [Method::Standardize, Method::MinMax, Method::Robust] {
            let fitted = Preprocessing::fit(method, &samples).unwrap();
            let samples = samples.clone().with_preprocessing(fitted).unwrap();
            assert_eq!(samples.row(3)[0], 0.0, "{constant} {method:?}");
        }
    }
    // Numbers that differ by rounding of f64 count as equal.
    let samples = table_of("c,x\n0.3,1\n0.30000000000000004,2\n0.3,3\n");
    let fitted = Preprocessing::fit(Method::Standardize, &samples).unwrap();
    assert!(samples.with_preprocessing(fitted).unwrap().row(1)[0].abs() < 1e-6);
}

/// Of 0, 1, ..., 8 and a million the median is 4.5 and the quartiles are 2.25 and 6.75.
#[test]
fn robust_scaling_ignores_outliers() {
    let mut values: Vec<f32> = (0..9).map(|value| value as f32).collect();
    values.push(1e6);
    let samples = Samples::from_floats(values, Shape::table(1)).unwrap();
    let fitted = Preprocessing::fit(Method::Robust, &samples).unwrap();
    let samples = samples.with_preprocessing(fitted).unwrap();
    assert_eq!(samples.row(0), [-1.0]);
    assert_eq!(samples.row(8), [3.5 / 4.5]);
    // If the quartiles are equal, the standard deviation is used.
    let samples = Samples::from_floats(vec![0.0, 0.0, 0.0, 0.0, 5.0], Shape::table(1)).unwrap();
    let fitted = Preprocessing::fit(Method::Robust, &samples).unwrap();
    assert_eq!(samples.with_preprocessing(fitted).unwrap().row(4), [2.5]);
}

#[test]
fn missing_values_are_the_mean_of_the_training_set() {
    let text: String = (0..40)
        .map(|row| if row % 4 == 0 { format!("?,{row}\n") } else { format!("{row},{row}\n") })
        .collect();
    let (_folder, path) = written("table.csv", "a,b\n".to_owned() + &text);
    let mut options = Options::default();
    options.table.missing = table::Missing::Mean;
    let splits = open(path.to_str().unwrap(), &options, &mut |_| ()).unwrap().splits;
    let present: Vec<f64> = (0..splits.training.len())
        .filter(|row| !splits.training.missing_in(*row)[0])
        .map(|row| f64::from(splits.training.row(row)[0]))
        .collect();
    let mean = present.iter().sum::<f64>() / present.len() as f64;
    for method in [Method::None, Method::Standardize, Method::MinMax, Method::Robust] {
        let fitted = Preprocessing::fit(method, &splits.training).unwrap();
        let json = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<Preprocessing>(&json).unwrap(), fitted);
        for set in [&splits.training, &splits.test] {
            let read = set.clone().with_preprocessing(fitted.clone()).unwrap();
            for row in (0..set.len()).filter(|row| set.missing_in(*row)[0]) {
                assert!((f64::from(set.row(row)[0]) - mean).abs() < 1e-5);
                let back = fitted.invert_exact(&read.row(row))[0];
                assert!((back - mean).abs() < 1e-4, "{method:?}: {back} {mean}");
            }
        }
    }
    assert!(splits.training.missing() > 0);
}
