use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;

mod damaged;

/// Rows of six columns that follow from two numbers, with some noise.
fn rows(count: usize, seed: u64) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut row = || {
        let [a, b] = [(); 2].map(|()| generator.random_range(-1.0f32..1.0));
        [a, b, a + b, a - b, a * b, a.powi(2)]
            .map(|x| x + 0.05 * generator.random_range(-1.0f32..1.0))
    };
    (0..count).flat_map(|_| row()).collect()
}

fn samples(rows: Vec<f32>) -> Samples {
    Samples::from_floats(rows, Shape::table(6)).unwrap()
}

fn quick() -> DetectorSettings {
    DetectorSettings { steps: 600, hidden: 48, code: 12, ..DetectorSettings::default() }
}

fn detector() -> Detector {
    Detector::fit(&quick(), &samples(rows(600, 0)), &Device::flex()).unwrap()
}

/// One cell of each row is moved by 5 standard deviations: nearly all rows are flagged, and the cell is named.
#[test]
fn a_moved_cell_is_found_and_named() {
    let detector = detector();
    let mut moved = rows(200, 1);
    for (at, row) in moved.chunks_exact_mut(6).enumerate() {
        row[at % 6] += 3.0;
    }
    let scores = detector.score(&samples(moved)).unwrap();
    let flagged = scores.p.iter().filter(|p| **p <= 0.01).count();
    assert!(flagged >= 190, "{flagged} of 200");
    let largest = |row: &[f32]| (0..6).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
    let named = scores.per_feature.iter().enumerate().filter(|(at, row)| largest(row) == at % 6);
    assert!(named.clone().count() >= 190, "{} of 200", named.count());
}

/// 4 detectors with 120 calibration rows each, 500 fresh rows each: the counts of false alarms of 8 kinds of score
/// are within the interval in which 95 % of counts are. Those of one detector have their rows in common, so that
/// one unlucky draw of calibration rows can take several kinds out of it; 4 x 8 counts may have 3 outside.
#[test]
fn fresh_normal_rows_are_flagged_as_often_as_asked() {
    let mut outside = vec![];
    for seed in 0..4 {
        let settings = DetectorSettings { seed, steps: 200, ..quick() };
        let detector =
            Detector::fit(&settings, &samples(rows(600, 10 + seed)), &Device::flex()).unwrap();
        let scores = detector.score(&samples(rows(500, 50 + seed))).unwrap();
        assert_eq!(scores.kinds.len(), 8);
        for (kind, scores) in &scores.kinds {
            let threshold = detector.calibration(*kind).unwrap().threshold(0.05).unwrap();
            let alarms = scores.iter().filter(|score| **score > threshold.score).count();
            let [low, high] = threshold.alarms(500);
            if !(low..=high).contains(&alarms) {
                outside.push((seed, *kind, alarms, low, high));
            }
        }
    }
    assert!(outside.len() <= 3, "{outside:?}");
}

#[test]
fn the_same_settings_give_the_same_scores_also_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.detector");
    let (detector, fresh) = (detector(), samples(rows(50, 3)));
    detector.save(&path).unwrap();
    let loaded = Detector::load(&path, &Device::flex()).unwrap();
    let scores = detector.score(&fresh).unwrap();
    assert_eq!(loaded.score(&fresh).unwrap(), scores);
    assert_eq!(loaded.counts(), detector.counts());
    let again = Detector::fit(&quick(), &samples(rows(600, 0)), &Device::flex()).unwrap();
    assert_eq!(again.score(&fresh).unwrap(), scores);
    for kind in RivalKind::KINDS {
        let prepared = detector.prepare(&fresh).unwrap();
        let of = |detector: &Detector| detector.rival(kind).unwrap().score(&prepared);
        assert_eq!(of(&detector), of(&loaded));
    }
}

/// A tenth of the rows are anomalies. They are most of what trimming leaves out, and score higher than without.
#[test]
fn trimming_leaves_anomalies_out() {
    let mut mixed = rows(540, 0);
    let mut generator = ChaCha8Rng::seed_from_u64(9);
    // The last column of a normal row, moved by the same amount: a cluster.
    let mut odd = rows(60, 8);
    odd.chunks_exact_mut(6)
        .for_each(|row| row[5] += 0.4 + 0.02 * generator.random_range(-1.0f32..1.0));
    mixed.extend(odd);
    let area = |trim: f64| {
        let settings = DetectorSettings { trim, ..quick() };
        let detector = Detector::fit(&settings, &samples(mixed.clone()), &Device::flex()).unwrap();
        if trim > 0.0 {
            assert_eq!(detector.counts().trimmed, 39 + 9);
        }
        let mut test = rows(300, 5);
        test.extend(&mixed[540 * 6..]);
        let is_anomaly: Vec<bool> = (0..360).map(|row| row >= 300).collect();
        let scores = detector.score_by(ScoreKind::Masked, &samples(test)).unwrap();
        let scores: Vec<f32> = scores.score.iter().map(|score| *score as f32).collect();
        ae_train::roc_auc(&scores, &is_anomaly).unwrap()
    };
    let (plain, trimmed) = (area(0.0), area(0.1));
    assert!(trimmed > plain && trimmed > 0.95, "{plain} {trimmed}");
}

/// The seed is the largest there is, and each round of trimming takes the next one.
#[test]
fn any_seed_trains() {
    let settings = DetectorSettings { seed: u64::MAX, trim: 0.1, steps: 8, ..quick() };
    let samples = samples(rows(60, 0));
    let planned = settings.counts(&samples).unwrap();
    let detector = Detector::fit(&settings, &samples, &Device::flex()).unwrap();
    assert_eq!(detector.counts(), planned);
    assert_eq!(planned, Counts { training: 36, scale: 9, calibration: 12, trimmed: 3 });
}

/// Two detectors, one of rows that are noisier. Of the tenth of their normal rows with the largest scores, nearly
/// all are rows of this one; by the significances, about half are.
#[test]
fn scores_of_two_detectors_are_compared_by_their_significances() {
    let noisy = |noise: f32, mut rows: Vec<f32>| {
        let mut generator = ChaCha8Rng::seed_from_u64(6);
        rows.iter_mut().for_each(|x| *x += noise * generator.random_range(-1.0f32..1.0));
        samples(rows)
    };
    let (mut raw, mut common) = (vec![], vec![]);
    for (seed, noise) in [0.0, 0.5].into_iter().enumerate() {
        let seed = seed as u64;
        let training = noisy(noise, rows(1000, seed));
        let detector = Detector::fit(&quick(), &training, &Device::flex()).unwrap();
        let fresh = noisy(noise, rows(400, 20 + seed));
        let scores = detector.score_by(ScoreKind::Rows, &fresh).unwrap();
        let calibration = detector.calibration(ScoreKind::Rows).unwrap();
        let significances = calibration.significances(&scores.score);
        for (p, significance) in scores.p.iter().zip(&significances) {
            // Where p has many calibration scores above it, it is -ln p.
            assert!(*p < 0.25 || (significance + p.ln()).abs() < 0.05, "{p} {significance}");
        }
        raw.extend(scores.score);
        common.extend(significances);
    }
    let of_second = |scores: &[f64]| {
        let threshold = contamination(scores, 0.1).unwrap();
        scores[400..].iter().filter(|score| **score > threshold).count()
    };
    assert!(of_second(&raw) >= 75, "{}", of_second(&raw));
    assert!((25..=55).contains(&of_second(&common)), "{}", of_second(&common));
}

/// What would be refused after a training is refused before.
#[test]
fn counts_say_before_the_training_what_cannot_be_done() {
    let few = samples(rows(100, 0));
    let settings = DetectorSettings { score: ScoreKind::Residual, ..quick() };
    let expected = "score residual: expected at most 500 features, and more than 5 scale rows for each of them, got \
                    6 features, 15 scale rows; take another score";
    assert_eq!(settings.counts(&few).unwrap_err().to_string(), expected);
    let mut trainings = 0;
    let mut observer = |_: &ae_train::Event<'_>| {
        trainings += 1;
        ae_train::Flow::Continue
    };
    let error =
        Detector::fit_observed(&settings, &few, &Device::flex(), &mut observer).unwrap_err();
    assert_eq!((error.to_string().as_str(), trainings), (expected, 0));
    assert!(settings.counts(&samples(rows(300, 0))).is_ok());
    let message = check_alike(&few, &Samples::from_floats(vec![0.0; 4], Shape::table(4)).unwrap());
    assert!(message.unwrap_err().to_string().starts_with("expected samples of 6 columns"));
}

#[test]
fn what_cannot_be_used_is_refused_with_a_sentence() {
    let device = Device::flex();
    let refused =
        |samples: &Samples| Detector::fit(&quick(), samples, &device).unwrap_err().to_string();
    assert_eq!(
        refused(&samples(rows(12, 0))),
        "12 rows are too few to train on, to scale by and to calibrate on; expected at least 20"
    );
    assert_eq!(
        refused(&samples(vec![3.0; 600])),
        "no column varies in the training rows, so every other row is unusual; expected at least one column \
         with different values"
    );
    let folder = tempfile::tempdir().unwrap();
    let table = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        ae_data::table::read(&path, None).unwrap()
    };
    let body = |row: usize| format!("{},{}\n", (row as f32).sin(), (row as f32).cos());
    let text: String = (0..80).map(body).collect();
    let holes = table("holes.csv", &format!("length,width\n{text}1.5,?\n2,?\n"));
    assert_eq!(
        refused(&holes),
        "2 cells are missing (the first is `width` of row 80), and anomaly detection needs all; fill them with \
         `ae impute`"
    );
    let settings = DetectorSettings { steps: 20, ..quick() };
    let normal = table("normal.csv", &format!("length,width\n{text}"));
    let detector = Detector::fit(&settings, &normal, &device).unwrap();
    let of_other =
        |name: &str, text: &str| detector.score(&table(name, text)).unwrap_err().to_string();
    assert_eq!(
        of_other("other.csv", "length,height\n1,2\n3,4\n"),
        "columns: expected those that the detector was trained on (length, width), got without `width`, with \
         `height`"
    );
    assert!(
        of_other("more.csv", "length,width,height\n1,2,3\n3,4,5\n")
            .ends_with("got with `height` as well")
    );
    assert!(
        of_other("swapped.csv", "width,length\n1,2\n3,4\n")
            .ends_with("the same ones in another order")
    );
    let message = detector.score(&samples(rows(2, 0))).unwrap_err().to_string();
    assert!(message.starts_with("expected samples of"), "{message}");
    let few =
        detector.calibration(ScoreKind::All).unwrap().threshold(0.01).unwrap_err().to_string();
    assert!(
        few.starts_with("1 false alarm in 100 needs 99 normal rows to calibrate on, got 16"),
        "{few}"
    );
    // Reconstructions that are 0.5 for every row.
    let rows = [0.0, 1.0, 2.0, 3.0];
    let collapsed = refuse_collapsed(&rows, &rows.map(|x| x - 0.5), 1).unwrap_err().to_string();
    assert!(collapsed.starts_with("the model gives every row nearly the same reconstruction"));
    assert!(refuse_collapsed(&rows, &[0.1, -0.1, 0.1, -0.1], 1).is_ok());
}

/// A constant column, copies of rows, a column with a heavy tail, categories: finite scores, and a row that
/// leaves the constant is unusual.
#[test]
fn awkward_columns_give_finite_scores() {
    let mut generator = ChaCha8Rng::seed_from_u64(2);
    let mut row = || {
        let x: f32 = generator.random_range(-1.0..1.0);
        let tail = generator.random_range(1e-4f32..1.0);
        [x, 7.0, x * x, 1.0 / tail, f32::from(u8::from(x > 0.0)), 0.0]
    };
    let mut all: Vec<f32> = (0..200).flat_map(|_| row()).collect();
    all.extend(all.clone());
    let detector = Detector::fit(&quick(), &samples(all.clone()), &Device::flex()).unwrap();
    let mut odd = all[..6].to_vec();
    odd[1] = 8.0;
    let scores = detector.score(&samples([&all[..60], &odd].concat())).unwrap();
    let kinds = scores.kinds.iter().flat_map(|(_, scores)| scores);
    assert!(kinds.clone().all(|score| score.is_finite()), "{:?}", scores.kinds);
    assert!(scores.per_feature.iter().flatten().all(|value| value.is_finite()));
    assert!(scores.p[10] < 0.02, "{:?}", scores.p);
}
