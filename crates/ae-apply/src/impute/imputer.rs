//! The imputation of a table's missing cells, and of new rows.

use ae_data::fnv1a;
use ae_data::table::Schema;
use ae_train::Observer;
use burn::tensor::Device;
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::check::{Check, held_back};
use super::donors::Donors;
use super::ensemble::Ensemble;
use super::{Cells, Column, Kind, Settings};
use crate::{Error, Result};

/// The fewest rows that models are fitted to.
const FEWEST_ROWS: usize = 10;

/// The most cells of a column whose errors are kept.
const MOST_DONORS: usize = 2000;

/// Fills missing cells by models that were fitted to a table's known cells.
///
/// Each of the models is fitted to a bootstrap sample of the rows. It begins as a normal distribution,
/// which predicts a missing cell by regression on all known ones of its row, and its layers learn the error
/// of that by hiding known cells and predicting them ([`ae_train::MaskedTable`]). A tenth of the known
/// cells is held back: no model is fitted to them, and [`check`](Self::check) has the errors there, next
/// to those of mean and mode, nearest neighbours and chained ridge regressions.
///
/// [`impute`](Self::impute) gives the most probable table, [`draws`](Self::draws) several, whose
/// spread is the uncertainty, for estimates that [`Pooled`](super::Pooled) pools. New rows need no new
/// fit.
///
/// ```
/// use ae_apply::impute::{Cells, Imputer, Settings};
/// use burn::tensor::Device;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("sizes.csv");
/// let rows = (0..60).map(|i| match i % 5 {
///     0 => format!("{i},?\n"),
///     _ => format!("{i},{}\n", 2 * i + 1),
/// });
/// std::fs::write(&path, format!("length,width\n{}", rows.collect::<String>()))?;
/// let cells = Cells::of(&ae_data::table::read(&path, None)?)?;
/// let settings = Settings { models: 2, epochs: Some(5), ..Settings::default() };
/// let imputer = Imputer::fit(&settings, &cells, &Device::flex())?;
/// let complete = imputer.impute(&cells)?;
/// assert!((complete.at(20, 1) - 41.0).abs() < 8.0);
/// assert_eq!(complete.at(1, 1), 3.0); // a known cell keeps its bits
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Imputer {
    pub(super) settings: Settings,
    pub(super) columns: Vec<Column>,
    /// The least and the largest known value of each column.
    pub(super) bounds: Vec<[f64; 2]>,
    pub(super) ensemble: Ensemble,
    /// Of each column; empty for categories.
    pub(super) donors: Vec<Donors>,
    pub(super) check: Check,
    pub(super) schema: Option<Schema>,
}

impl Imputer {
    /// Fits the models to the known cells of a table.
    ///
    /// # Errors
    /// If a setting is out of its range, there are fewer than 10 rows or 2 columns, a column has no known
    /// cell, or a training fails.
    pub fn fit(settings: &Settings, cells: &Cells, device: &Device) -> Result<Self> {
        Self::fit_observed(settings, cells, device, &mut ())
    }

    /// As [`fit`](Self::fit), with an observer that sees the training of one model after another, each
    /// from step 0, and may stop.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and [`Stopped`](Error::Stopped).
    pub fn fit_observed(
        settings: &Settings,
        cells: &Cells,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        settings.check()?;
        if cells.len() < FEWEST_ROWS {
            return Err(Error::setting("rows", format!("at least {FEWEST_ROWS}"), cells.len()));
        }
        if cells.width() < 2 {
            let expected = "at least 2, to predict one from another";
            return Err(Error::setting("columns", expected, cells.width()));
        }
        let held_back = held_back(cells, settings)?;
        let visible = cells.hidden(&held_back);
        for (column, missing) in cells.columns().iter().zip(visible.missing_by_column()) {
            if missing == cells.len() {
                return Err(Error::Column {
                    column: column.name.clone(),
                    expected: "at least one known cell to learn from; leave the column out".into(),
                    got: format!("none in {} rows", cells.len()),
                });
            }
        }
        let ensemble = Ensemble::fit(settings, &visible, device, observer)?;
        // The check has the bounds of what it sees; those that were held back count for other cells.
        let mut imputer = Self {
            settings: settings.clone(),
            columns: cells.columns().to_vec(),
            bounds: bounds(&visible),
            ensemble,
            donors: vec![],
            check: Check::default(),
            schema: None,
        };
        let predictions = imputer.predictions(&visible)?;
        imputer.donors = imputer.donors_of(cells, &held_back, &predictions);
        let ours = imputer.fill(&visible, &predictions);
        imputer.check = Check::of(cells, &visible, &held_back, &ours, &imputer.donors);
        imputer.bounds = bounds(cells);
        Ok(imputer)
    }

    /// The same with the schema of the file whose cells it was fitted to, by which other files are read.
    pub fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The schema, if it was given one.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How good it is on the cells that were held back.
    pub fn check(&self) -> &Check {
        &self.check
    }

    /// Fills missing cells with what is expected of numbers and the most probable category. Integers are
    /// rounded, and numbers stay between the least and the largest known one of their column. Known cells
    /// keep their bits. With a [tilt](Settings::tilt) numbers are shifted by what it changes in the mean error of held
    /// back cells with near predictions.
    ///
    /// # Errors
    /// If the columns are others than those it was fitted to, or a prediction is not a finite number, as those
    /// of a damaged imputer may be.
    pub fn impute(&self, cells: &Cells) -> Result<Cells> {
        self.check_columns(cells)?;
        let predictions = self.predictions(cells)?;
        let mut filled = self.fill(cells, &predictions);
        if self.settings.tilt == 0.0 {
            return Ok(filled);
        }
        for_each_missing(cells, |row, column| {
            if self.columns[column].categories().is_none() {
                let own = self.own(&predictions[row * self.ensemble.layout.width()..], column);
                let prediction = self.ensemble.layout.invert(column, own[0].into());
                let shift = self.donors[column].shift(prediction);
                filled.set(row, column, self.bounded(column, prediction + shift));
            }
        });
        Ok(filled)
    }

    /// Fills missing cells `count` times, each time by other random numbers: by one of the models after the
    /// other, which differ as much as the parameters are unknown, with one of the ten held back cells whose
    /// predictions are nearest (predictive mean matching), so that numbers are real ones, and with a
    /// category by its probability.
    ///
    /// # Errors
    /// As [`impute`](Self::impute).
    pub fn draws(&self, cells: &Cells, count: usize, seed: u64) -> Result<Vec<Cells>> {
        self.check_columns(cells)?;
        let each = self.ensemble.predict_each(&self.ensemble.layout.encode(cells));
        each.iter().try_for_each(|predictions| finite(predictions))?;
        let d = self.ensemble.layout.width();
        let draw = |number: usize| {
            let predictions = &each[number % each.len()];
            let mut generator = ChaCha8Rng::seed_from_u64(fnv1a([seed, number as u64]));
            let mut filled = cells.clone();
            for_each_missing(cells, |row, column| {
                let own = self.own(&predictions[row * d..], column);
                let value = match self.columns[column].categories() {
                    Some(_) => sample(own, &mut generator) as f64,
                    None => {
                        let prediction = self.ensemble.layout.invert(column, own[0].into());
                        self.bounded(column, self.donors[column].draw(prediction, &mut generator))
                    }
                };
                filled.set(row, column, value);
            });
            filled
        };
        Ok((0..count).map(draw).collect())
    }

    /// Intervals of the missing numbers that have the true one with a probability of `level`, as far as
    /// missing cells are like those held back: row, column, least and largest number. They come from the
    /// errors of held back cells with near predictions.
    ///
    /// # Errors
    /// As [`impute`](Self::impute).
    pub fn intervals(&self, cells: &Cells, level: f64) -> Result<Vec<(usize, usize, [f64; 2])>> {
        self.check_columns(cells)?;
        let predictions = self.predictions(cells)?;
        let d = self.ensemble.layout.width();
        let mut intervals = vec![];
        for_each_missing(cells, |row, column| {
            if self.columns[column].categories().is_none() {
                let own = self.own(&predictions[row * d..], column);
                let prediction = self.ensemble.layout.invert(column, own[0].into());
                let found = self.donors[column].interval(prediction, level, None);
                intervals.extend(found.map(|interval| (row, column, interval)));
            }
        });
        Ok(intervals)
    }

    /// Predictions and values of the held back cells of a column, in ascending order of predictions, 2,000
    /// at most; none for categories.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn held_back(&self, column: usize) -> impl ExactSizeIterator<Item = (f64, f64)> {
        let Donors { predictions, values, .. } = &self.donors[column];
        predictions.iter().copied().zip(values.iter().copied())
    }

    /// An interval as those of [`intervals`](Self::intervals), for any prediction of a column; `None` for
    /// categories, and where too few cells were held back.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn interval_at(&self, column: usize, prediction: f64, level: f64) -> Option<[f64; 2]> {
        self.donors[column].interval(prediction, level, None)
    }

    /// The mean of the predictions of all models.
    pub(super) fn predictions(&self, cells: &Cells) -> Result<Vec<f32>> {
        let predictions = self.ensemble.predict(&self.ensemble.layout.encode(cells));
        finite(&predictions)?;
        Ok(predictions)
    }

    /// The features of a column among those of a row.
    fn own<'a>(&self, row: &'a [f32], column: usize) -> &'a [f32] {
        &row[self.ensemble.layout.features[column].clone()]
    }

    fn bounded(&self, column: usize, value: f64) -> f64 {
        let [low, high] = self.bounds[column];
        let value = value.clamp(low, high);
        match self.columns[column].kind {
            Kind::Number { integer: true } => value.round().clamp(low, high),
            _ => value,
        }
    }

    /// Missing cells by predictions.
    fn fill(&self, cells: &Cells, predictions: &[f32]) -> Cells {
        let d = self.ensemble.layout.width();
        let mut filled = cells.clone();
        for_each_missing(cells, |row, column| {
            let own = self.own(&predictions[row * d..], column);
            let value = match self.columns[column].categories() {
                Some(_) => largest(own) as f64,
                None => self.bounded(column, self.ensemble.layout.invert(column, own[0].into())),
            };
            filled.set(row, column, value);
        });
        filled
    }

    /// Predictions and values of the cells that were held back.
    fn donors_of(&self, cells: &Cells, held_back: &[bool], predictions: &[f32]) -> Vec<Donors> {
        let (d, width) = (self.ensemble.layout.width(), cells.width());
        let of = |column: usize| {
            if cells.columns()[column].categories().is_some() {
                return Donors::default();
            }
            let rows = (0..cells.len()).filter(|row| held_back[row * width + column]);
            let rows: Vec<usize> = rows.collect();
            let step = rows.len().div_ceil(MOST_DONORS).max(1);
            let pairs = rows.into_iter().step_by(step).map(|row| {
                let own = self.own(&predictions[row * d..], column);
                let prediction = self.ensemble.layout.invert(column, own[0].into());
                (prediction, cells.at(row, column))
            });
            Donors::of(pairs.collect(), self.settings.tilt)
        };
        (0..width).map(of).collect()
    }

    fn check_columns(&self, cells: &Cells) -> Result<()> {
        if cells.columns() == self.columns {
            return Ok(());
        }
        let names = |columns: &[Column]| {
            columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (expected, got) = (names(&self.columns), names(cells.columns()));
        let got = if expected == got { format!("{got} of other kinds") } else { got };
        Err(Error::setting("columns", format!("{expected}, as it was fitted to"), got))
    }
}

pub(super) fn for_each_missing(cells: &Cells, mut visit: impl FnMut(usize, usize)) {
    for (row, values) in cells.rows().enumerate() {
        for column in (0..values.len()).filter(|at| values[*at].is_nan()) {
            visit(row, column);
        }
    }
}

/// The least and the largest known value of each column; columns without one have none.
fn bounds(cells: &Cells) -> Vec<[f64; 2]> {
    let mut bounds = vec![[f64::INFINITY, f64::NEG_INFINITY]; cells.width()];
    for row in cells.rows() {
        for ([low, high], value) in bounds.iter_mut().zip(row).filter(|(_, it)| !it.is_nan()) {
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
    bounds
}

fn finite(predictions: &[f32]) -> Result<()> {
    match predictions.iter().all(|it| it.is_finite()) {
        true => Ok(()),
        false => Err(Error::Unsuitable(
            "the imputer predicts numbers that are not finite; fit it to the table again".into(),
        )),
    }
}

/// The place of the largest value, the first of those.
fn largest(values: &[f32]) -> usize {
    (0..values.len()).rev().max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
}

/// A place by its probability.
fn sample(probabilities: &[f32], generator: &mut ChaCha8Rng) -> usize {
    let mut rest = generator.random::<f32>() * probabilities.iter().sum::<f32>();
    for (at, probability) in probabilities.iter().enumerate() {
        rest -= probability;
        if rest < 0.0 {
            return at;
        }
    }
    largest(probabilities)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::impute::cells::tests::numbers;
    use ae_train::{Event, Flow};
    use proptest::prelude::*;
    use std::sync::OnceLock;

    /// A number, twice it, an integer, and a category that follows from its sign; a fifth of the cells missing.
    pub(in crate::impute) fn mixed() -> Cells {
        let categories = ["minus", "plus"].map(String::from).into();
        let columns = [
            ("x", Kind::Number { integer: false }),
            ("y", Kind::Number { integer: false }),
            ("count", Kind::Number { integer: true }),
            ("sign", Kind::Category { categories }),
        ];
        let columns = columns.map(|(name, kind)| Column { name: name.into(), kind });
        let mut values = vec![];
        for row in 0..120 {
            let x = (f64::from(row) * 0.7).sin();
            let whole = [x, 2.0 * x + 1.0, (10.0 * x).round(), f64::from(u8::from(x > 0.0))];
            values.extend(whole.iter().enumerate().map(|(at, value)| {
                if (row * 7 + at as i32 * 3) % 5 == 0 { f64::NAN } else { *value }
            }));
        }
        Cells::new(columns.into(), values).unwrap()
    }

    pub(in crate::impute) fn quick() -> Settings {
        Settings { models: 2, epochs: Some(30), width: Some(32), ..Settings::default() }
    }

    fn imputer() -> &'static Imputer {
        static FITTED: OnceLock<Imputer> = OnceLock::new();
        FITTED.get_or_init(|| Imputer::fit(&quick(), &mixed(), &Device::flex()).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever is missing: a known cell keeps its bits, none stays missing, numbers are within the
        /// bounds, integers are integers, and a category is one.
        #[test]
        fn known_cells_come_back_bit_equal(
            cells in prop::collection::vec((-9.0f64..9.0, any::<bool>()), 4 * 6),
            seed: u64,
        ) {
            let mut values = vec![];
            for row in cells.chunks_exact(4) {
                let known = [row[0].0, row[1].0, row[2].0.round(), f64::from(u8::from(row[3].0 > 0.0))];
                let cell = |at: usize| if row[at].1 { f64::NAN } else { known[at] };
                values.extend((0..4).map(cell));
            }
            let cells = Cells::new(mixed().columns().to_vec(), values).unwrap();
            let imputer = imputer();
            let mut all = imputer.draws(&cells, 3, seed).unwrap();
            all.push(imputer.impute(&cells).unwrap());
            for filled in all {
                for row in 0..cells.len() {
                    for column in 0..4 {
                        let (before, after) = (cells.at(row, column), filled.at(row, column));
                        if !before.is_nan() {
                            prop_assert_eq!(before.to_bits(), after.to_bits());
                            continue;
                        }
                        let [low, high] = imputer.bounds[column];
                        prop_assert!((low..=high).contains(&after));
                        prop_assert!(column < 2 || after.fract() == 0.0);
                    }
                }
            }
        }
    }

    #[test]
    fn what_follows_is_found() {
        let (cells, imputer) = (mixed(), imputer());
        let errors = imputer.check().ours().unwrap();
        assert!(errors.nrmse.unwrap() < 0.4, "{errors:?}");
        assert!(errors.pfc.unwrap() < 0.25, "{errors:?}");
        let methods = &imputer.check().methods;
        let names: Vec<&str> = methods.iter().map(|it| it.method.as_str()).collect();
        assert_eq!(names, ["autoencoder", "mean/mode", "kNN", "chained ridge"]);
        // By definition about 1; the others know that one column follows from another.
        let [ours, mean, knn, ridge] = [0, 1, 2, 3].map(|at| methods[at].nrmse.unwrap());
        assert!((0.8..1.3).contains(&mean) && ours < 0.5 * mean, "{methods:?}");
        assert!(knn < 0.5 * mean && ridge < 0.5 * mean, "{methods:?}");
        assert!(imputer.check().cells > 30);
        let filled = imputer.impute(&cells).unwrap();
        assert_eq!(filled.missing(), 0);
        // The same again, and by another process of fitting.
        let again = Imputer::fit(&quick(), &cells, &Device::flex()).unwrap();
        assert_eq!(again.impute(&cells).unwrap(), filled);
    }

    /// A row is imputed by itself: which rows are around it changes nothing.
    #[test]
    fn new_rows_need_no_fit_and_no_company() {
        let (cells, imputer) = (mixed(), imputer());
        let filled = imputer.impute(&cells).unwrap();
        for row in [0, 5, 77] {
            let alone = imputer.impute(&cells.subset(&[row])).unwrap();
            for (one, other) in alone.row(0).iter().zip(filled.row(row)) {
                assert!((one - other).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn draws_differ_by_seed_and_number_and_are_values_that_were_held_back() {
        let (cells, imputer) = (mixed(), imputer());
        let draws = imputer.draws(&cells, 3, 1).unwrap();
        assert_eq!(draws, imputer.draws(&cells, 3, 1).unwrap());
        assert!(draws[0] != draws[1] && draws[0] != draws[2]);
        assert_ne!(draws[0], imputer.draws(&cells, 1, 2).unwrap()[0]);
        for column in 0..3 {
            let known: Vec<f64> = imputer.held_back(column).map(|(_, value)| value).collect();
            assert!(known.len() > 5);
            for row in (0..cells.len()).filter(|row| cells.at(*row, column).is_nan()) {
                assert!(draws.iter().all(|draw| known.contains(&draw.at(row, column))));
            }
        }
    }

    /// One interval for each missing number, none for categories; each has the prediction of a table whose
    /// errors have both signs, and one of a higher level contains it.
    #[test]
    fn intervals_are_of_missing_numbers_and_grow_with_the_level() {
        let (cells, imputer) = (mixed(), imputer());
        let narrow = imputer.intervals(&cells, 0.3).unwrap();
        let wide = imputer.intervals(&cells, 0.6).unwrap();
        let missing: usize = cells.missing_by_column()[..3].iter().sum();
        assert_eq!([narrow.len(), wide.len()], [missing; 2]);
        for (narrow, wide) in narrow.iter().zip(&wide) {
            let ((row, column, [low, high]), (_, _, [least, most])) = (*narrow, *wide);
            assert!(cells.at(row, column).is_nan() && column < 3);
            assert!(least <= low && low < high && high <= most, "{narrow:?} {wide:?}");
        }
    }

    /// The one large value of 60 is held back: the check must not know it. A column that follows from the other
    /// would be filled in with 1,000 there if the bounds had it, and with 59 at most if not.
    #[test]
    fn the_check_has_no_bounds_of_cells_that_are_held_back() {
        let settings = Settings { epochs: Some(0), models: 1, ..quick() };
        let table = |at: usize| {
            let x = |row: usize| if row == at { 1000.0 } else { row as f64 };
            numbers(2, &(0..60).flat_map(|row| [x(row); 2]).collect::<Vec<f64>>())
        };
        // Which cells are held back does not depend on their values.
        let held_back = held_back(&table(0), &settings).unwrap();
        let row = (1..60).find(|row| held_back[2 * row + 1] && !held_back[2 * row]).unwrap();
        let imputer = Imputer::fit(&settings, &table(row), &Device::flex()).unwrap();
        assert_eq!(imputer.bounds[1], [0.0, 1000.0]);
        // The error of that cell alone is at least (1000 - 59) / deviation, over the cells held back of the column.
        let cells: Vec<f64> = table(row).column(1).collect();
        let mean = cells.iter().sum::<f64>() / 60.0;
        let deviation = (cells.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / 60.0).sqrt();
        let count = held_back.iter().skip(1).step_by(2).filter(|it| **it).count() as f64;
        let least = (1000.0 - 59.0) / deviation / count.sqrt();
        let error = imputer.check().ours().unwrap().columns[1].unwrap();
        assert!(error >= least * 0.999, "{error} {least}");
    }

    /// Columns with one known cell, with one value, with one category, and rows with nothing known: all are filled
    /// in, with what there is.
    #[test]
    fn columns_with_hardly_anything_known_are_filled_in() {
        let kinds = [
            Kind::Number { integer: false },
            Kind::Number { integer: false },
            Kind::Number { integer: true },
            Kind::Category { categories: vec!["only".into()] },
        ];
        let columns = ["x", "one", "constant", "category"].into_iter().zip(kinds);
        let columns: Vec<Column> =
            columns.map(|(name, kind)| Column { name: name.into(), kind }).collect();
        let nan = f64::NAN;
        let values = (0..40).flat_map(|row| match row {
            3 | 17 => [nan; 4],
            _ => [
                f64::from(row),
                if row == 8 { 5.5 } else { nan },
                if row % 2 == 0 { 7.0 } else { nan },
                if row % 3 == 0 { 0.0 } else { nan },
            ],
        });
        let cells = Cells::new(columns, values.collect()).unwrap();
        // Whatever the seed hides, the one cell is there to learn from.
        for seed in 0..12 {
            let settings = Settings { seed, epochs: Some(1), ..quick() };
            let imputer = Imputer::fit(&settings, &cells, &Device::flex()).unwrap();
            let mut all = imputer.draws(&cells, 2, 1).unwrap();
            all.push(imputer.impute(&cells).unwrap());
            for filled in all {
                assert_eq!(filled.missing(), 0);
                for (column, value) in [(1, 5.5), (2, 7.0), (3, 0.0)] {
                    assert!(filled.column(column).all(|it| it == value), "column {column}");
                }
                assert!((0.0..=39.0).contains(&filled.at(3, 0)));
            }
            assert_eq!(imputer.check().ours().unwrap().columns[2], None, "nothing varies");
        }
    }

    /// No row is complete, and all are: neither is needed.
    #[test]
    fn complete_rows_are_not_needed_and_do_no_harm() {
        let values: Vec<f64> = (0..60).flat_map(|i| [f64::from(i); 2]).collect();
        let mut holes = values.clone();
        (0..60).for_each(|row| holes[2 * row + row % 2] = f64::NAN);
        let settings = Settings { epochs: Some(0), ..quick() };
        for values in [&values, &holes] {
            let cells = numbers(2, values);
            let imputer = Imputer::fit(&settings, &cells, &Device::flex()).unwrap();
            assert_eq!(imputer.impute(&cells).unwrap().missing(), 0);
        }
        let complete = numbers(2, &values);
        let imputer = Imputer::fit(&settings, &complete, &Device::flex()).unwrap();
        assert_eq!(imputer.impute(&complete).unwrap(), complete);
        let found = imputer.impute(&numbers(2, &[20.0, f64::NAN])).unwrap().at(0, 1);
        assert!((found - 20.0).abs() < 2.0, "{found}");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let message = |cells: &Cells| {
            let refused = Imputer::fit(&quick(), cells, &Device::flex());
            refused.err().unwrap().to_string()
        };
        for rows in [1, 2, 9] {
            assert_eq!(
                message(&numbers(2, &vec![1.0; 2 * rows])),
                format!("rows: expected at least 10, got {rows}")
            );
        }
        assert_eq!(
            message(&numbers(1, &[1.0; 20])),
            "columns: expected at least 2, to predict one from another, got 1"
        );
        let empty: Vec<f64> = (0..20).flat_map(|i| [f64::from(i), f64::NAN]).collect();
        assert_eq!(
            message(&numbers(2, &empty)),
            "column `b`: expected at least one known cell to learn from; leave the column out, got none in \
             20 rows"
        );
        let other = imputer().impute(&numbers(2, &[1.0, 2.0])).unwrap_err().to_string();
        assert_eq!(other, "columns: expected x, y, count, sign, as it was fitted to, got a, b");
    }

    #[test]
    fn an_observer_stops_it() {
        let mut stop = |_: &Event<'_>| Flow::Stop;
        let stopped = Imputer::fit_observed(&quick(), &mixed(), &Device::flex(), &mut stop);
        assert_eq!(stopped.err().unwrap().to_string(), "stopped before it was done");
    }
}
