//! Training on tables with missing cells: known cells are hidden and predicted from the others.

use std::ops::Range;

use ae_data::Samples;
use ae_data::table::Role;
use ae_kernels::log_sigmoid;
use burn::tensor::activation::{log_softmax, sigmoid, softmax};
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;

use crate::batches::halves;
use crate::reconstruction::per_sample;
use crate::{Corrupted, CorruptionMask, Error, NoiseKey, Probability, Result};

/// The largest share of a column's cells that is hidden.
const MOST: f64 = 0.9;

/// The most features of a row. Columns can come from a file, and a row with its marks is twice as many numbers.
const MOST_FEATURES: usize = 1 << 24;

/// The weight of visible cells where nothing else is said.
const VISIBLE: f64 = 0.25;

/// What a column of a table holds, which decides its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellKind {
    /// A number: one feature, with half its squared error, `(z - x)^2 / 2`.
    Number,
    /// No or yes: one feature that is 0 or 1, with its cross-entropy, `-x log s(z) - (1 - x) log(1 - s(z))`.
    Boolean,
    /// A category: a block of features of which one is 1, with the cross-entropy of its softmax,
    /// `-sum_k x_k log softmax(z)_k`.
    Category,
}

/// A column of a table: its features, and how often it is hidden.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MaskedColumn {
    /// Its features.
    pub features: Range<usize>,
    /// What it holds.
    pub kind: CellKind,
    /// The share of its known cells that a step hides, on average.
    pub hide: Probability,
}

impl MaskedColumn {
    /// The probability that a cell is hidden in a row with the factor `t`, which is uniform in \[0, 2).
    fn hidden_at(&self, t: f64) -> f64 {
        let p = self.hide.value();
        if p <= 0.5 { p * t } else { 1.0 - (1.0 - p) * (2.0 - t) }
    }
}

/// Training on rows with missing cells. Each step hides some of the cells that are known. The model sees
/// the rest, and which cells these are; the loss is that of the cells that are known.
///
/// A row is `d` values and `d` marks of what is known, as [`ae_data::Masked`] reads it. With the known
/// cells `o`, the hidden ones `h` of them and the visible ones `v = o - h`, the model gets the `2 d`
/// numbers `[x v, v]`: a cell that it does not see is 0, the mean of a standardised column, and marked so.
/// The first `d` logits `z` of its reconstruction are the predictions. The loss is
///
/// `L = sum_j (h_j + b v_j) l_j(z_j, x_j)`,
///
/// averaged over rows, with the loss `l_j` of the [kind](CellKind) of column `j` and the weight `b` of
/// visible cells. A column weighs the same whether it is one feature or a block of many, and its
/// features are hidden together. The terms are `numbers` and `categories`.
///
/// A cell of column `j` is hidden with probability `p_j t`, where `t` is uniform in \[0, 2) and the same for
/// a row, so that rows with few and with many hidden cells are trained on (proportional masking:
/// arXiv 2412.19152). With `p_j` above 1/2, where `p_j t` can be above 1, it is visible with probability
/// `(1 - p_j) (2 - t)` instead. Either way the share of hidden cells is `p_j`.
///
/// ```
/// use ae_data::{Masked, Samples, Shape};
/// use ae_models::{Activation, DenseConfig};
/// use ae_train::{MaskedTable, Objective, Training};
/// use burn::tensor::Device;
///
/// let cells = (0..200).flat_map(|i| [(i as f32).sin(), (i as f32).sin() * 2.0, 1.0]).collect();
/// let samples = Samples::from_floats(cells, Shape::table(3))?;
/// let objective = Objective::masked(MaskedTable::of(&samples, 0.3)?);
/// // Values and marks: 6 numbers.
/// let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([6, 16, 16]) };
/// let model = config.init(0, &Device::flex())?;
/// let fitted = Training::new(model, &objective).epochs(3).fit(Masked::from(samples))?;
/// assert_eq!(fitted.epochs[0].training[0].0, "numbers");
/// # Ok::<(), ae_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct MaskedTable {
    columns: Vec<MaskedColumn>,
    visible: f64,
}

impl MaskedTable {
    /// These columns, one after another, which together are all features. Visible cells weigh 0.25.
    ///
    /// # Errors
    /// If there are none, a column has no feature, does not begin where the one before it ends, or is not
    /// one feature though it holds a number or a boolean, or there are more than 2^24 features.
    pub fn new(columns: Vec<MaskedColumn>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::setting("columns", "at least one", "none"));
        }
        let mut end = 0;
        for (at, column) in columns.iter().enumerate() {
            let Range { start, end: its } = column.features;
            let fits = match (column.kind, its.checked_sub(start)) {
                (_, None | Some(0)) => false,
                (CellKind::Category, Some(_)) => true,
                (CellKind::Number | CellKind::Boolean, Some(count)) => count == 1,
            };
            if start != end || !fits {
                return Err(Error::Objective(format!(
                    "columns: expected features of column {at} from {end}, one unless it is a \
                     category, got {start}..{its}"
                )));
            }
            end = its;
        }
        if end > MOST_FEATURES {
            return Err(Error::setting("features", "2^24 at most", end));
        }
        Ok(Self { columns, visible: VISIBLE })
    }

    /// The columns of samples, by the schema of their table if there is one; each is hidden as often as its
    /// cells are missing, but at least at the rate `at_least`.
    ///
    /// # Errors
    /// If `at_least` is not in \[0, 1\], there are no samples, or they cannot be read.
    pub fn of(samples: &Samples, at_least: f64) -> Result<Self> {
        Probability::new(at_least)?;
        if samples.is_empty() {
            return Err(Error::setting("samples", "at least one", 0));
        }
        let mut missing = vec![0usize; samples.width()];
        for row in 0..samples.len() {
            for (count, is_missing) in missing.iter_mut().zip(samples.try_missing_in(row)?) {
                *count += usize::from(is_missing);
            }
        }
        let roles: Vec<(CellKind, usize)> = match samples.table() {
            Some(table) => {
                let roles = table.schema.columns.iter().map(|column| &column.role);
                let roles = roles.filter(|role| role.features() > 0);
                roles.map(|role| (kind(role), role.features())).collect()
            }
            None => vec![(CellKind::Number, 1); samples.width()],
        };
        let mut start = 0;
        let columns = roles.into_iter().map(|(kind, count)| {
            let features = start..start + count;
            let rate = missing[start] as f64 / samples.len() as f64;
            start += count;
            let hide = Probability::new(rate.max(at_least).min(MOST))?;
            Ok(MaskedColumn { features, kind, hide })
        });
        Self::new(columns.collect::<Result<_>>()?)
    }

    /// The weight of visible cells; that of hidden ones is 1.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn visible(mut self, weight: f64) -> Result<Self> {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::setting("weight of visible cells", "a number from 0", weight));
        }
        self.visible = weight;
        Ok(self)
    }

    /// The columns.
    pub fn columns(&self) -> &[MaskedColumn] {
        &self.columns
    }

    /// The features of a row, `d`, half of what a model gets.
    pub fn features(&self) -> usize {
        self.columns.last().map_or(0, |column| column.features.end)
    }

    /// The terms: that of numbers and that of booleans and categories, if there are such columns.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let has = |wanted: &dyn Fn(CellKind) -> bool| self.columns.iter().any(|it| wanted(it.kind));
        let numbers = has(&|kind| kind == CellKind::Number).then_some("numbers");
        let categories = has(&|kind| kind != CellKind::Number).then_some("categories");
        numbers.into_iter().chain(categories).collect()
    }

    /// Hides cells of rows with their marks, `[batch, 2 d]` as the input of a model.
    pub(crate) fn hide(&self, input: Tensor<2>, key: NoiseKey) -> Corrupted {
        let ([batch, _], d) = (input.dims(), self.features());
        let mut generator = key.generator("hidden cells");
        let mut kept = vec![1.0f32; batch * d];
        for row in kept.chunks_exact_mut(d) {
            let t = 2.0 * generator.random::<f64>();
            for column in &self.columns {
                if generator.random::<f64>() < column.hidden_at(t) {
                    row[column.features.clone()].fill(0.0);
                }
            }
        }
        let kept = Tensor::from_data(TensorData::new(kept, [batch, d]), &input.device());
        let [values, known] = halves(input);
        let visible = known * kept.clone();
        let values = Tensor::cat(vec![values * visible.clone(), visible], 1);
        let touched = Tensor::cat(vec![kept.clone(), kept], 1).lower_elem(0.5);
        Corrupted { values, mask: CorruptionMask::Components(touched.into()) }
    }

    /// The terms for logits, of which the first `d` count, rows with their marks, and the same rows with
    /// some cells hidden, in the order of [`names`](Self::names).
    ///
    /// # Shapes
    /// - logits: `[batch, d]` or more columns
    /// - input and corrupted: `[batch, 2 d]`
    pub(crate) fn terms(
        &self,
        logits: Tensor<2>,
        input: Tensor<2>,
        corrupted: Tensor<2>,
    ) -> Vec<Tensor<1>> {
        let ([batch, _], d) = (logits.dims(), self.features());
        let logits = logits.narrow(1, 0, d);
        let [values, known] = halves(input);
        let [_, visible] = halves(corrupted);
        // h + b v = o - (1 - b) v
        let weights = known - visible * (1.0 - self.visible);
        let mut terms = vec![];
        if let Some(of_kind) = self.marks(CellKind::Number, &weights) {
            let errors = (logits.clone() - values.clone()).square() * weights.clone();
            terms.push(per_sample((errors * of_kind).sum() * 0.5, batch));
        }
        let booleans = self.marks(CellKind::Boolean, &weights).map(|of_kind| {
            let losses = (-values.clone() + 1.0) * logits.clone() - log_sigmoid(logits.clone());
            (losses * weights.clone() * of_kind).sum()
        });
        let blocks = self.blocks().map(|block| {
            let of = |tensor: &Tensor<2>| tensor.clone().narrow(1, block.start, block.len());
            let losses = -(log_softmax(of(&logits), 1) * of(&values) * of(&weights));
            losses.sum()
        });
        let categories = booleans.into_iter().chain(blocks).reduce(|sum, loss| sum + loss);
        terms.extend(categories.map(|sum| per_sample(sum, batch)));
        terms
    }

    /// The predictions of logits, of which the first `d` count: numbers unchanged, the probability of yes
    /// for booleans, those of each category for blocks. `[batch, d]`.
    pub fn predictions(&self, logits: Tensor<2>) -> Tensor<2> {
        let parts = self.columns.iter().map(|column| {
            let Range { start, end } = column.features;
            let logits = logits.clone().narrow(1, start, end - start);
            match column.kind {
                CellKind::Number => logits,
                CellKind::Boolean => sigmoid(logits),
                CellKind::Category => softmax(logits, 1),
            }
        });
        Tensor::cat(parts.collect(), 1)
    }

    /// Values and predictions for an evaluation, in which what is unknown has no error.
    pub(crate) fn known(&self, input: Tensor<2>, logits: Tensor<2>) -> [Tensor<2>; 2] {
        let [values, known] = halves(input);
        let predictions = (self.predictions(logits) - values.clone()) * known + values.clone();
        [values, predictions]
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let categories = self.columns.iter().filter(|column| column.kind == CellKind::Category);
        categories.map(|column| column.features.clone())
    }

    /// 1 for the features of this kind, `[1, d]`, if there are any.
    fn marks(&self, kind: CellKind, like: &Tensor<2>) -> Option<Tensor<2>> {
        let mut marks = vec![0.0f32; self.features()];
        let columns = self.columns.iter().filter(|column| column.kind == kind);
        columns.for_each(|column| marks[column.features.clone()].fill(1.0));
        let any = marks.contains(&1.0);
        let shape = [1, marks.len()];
        any.then(|| Tensor::from_data(TensorData::new(marks, shape), &like.device()))
    }
}

impl std::fmt::Display for MaskedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mean = self.columns.iter().map(|column| column.hide.value()).sum::<f64>();
        let percent = 100.0 * mean / self.columns.len() as f64;
        write!(f, "masked cells, {percent:.0} % hidden")
    }
}

fn kind(role: &Role) -> CellKind {
    match role {
        Role::Categorical { .. } => CellKind::Category,
        Role::Boolean => CellKind::Boolean,
        _ => CellKind::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Objective, Phase, Training};
    use ae_data::{Masked, Shape, table};
    use ae_models::{Activation, Dense, DenseConfig};
    use burn::tensor::Device;
    use proptest::prelude::*;

    fn column(features: Range<usize>, kind: CellKind, hide: f64) -> MaskedColumn {
        MaskedColumn { features, kind, hide: Probability::new(hide).unwrap() }
    }

    /// A number, a boolean and a category of three.
    fn mixed(hide: f64) -> MaskedTable {
        let columns = vec![
            column(0..1, CellKind::Number, hide),
            column(1..2, CellKind::Boolean, hide),
            column(2..5, CellKind::Category, hide),
        ];
        MaskedTable::new(columns).unwrap()
    }

    fn tensor<const R: usize, const C: usize>(rows: [[f32; C]; R]) -> Tensor<2> {
        Tensor::from_floats(rows, &Device::flex())
    }

    fn key(step: u32) -> NoiseKey {
        NoiseKey { seed: 3, phase: Phase::Train(1), step }
    }

    /// Two rows, logits z = (1, 0; 0, log 2, 0) and the same again. Row 1 knows all; its number is hidden,
    /// the rest visible (weight 1/4). Row 2 knows the boolean alone, which is hidden.
    /// Number: (1 - 3)^2 / 2 = 2, hidden: 2; over 2 rows 1.
    /// Boolean 1 at z = 0: log 2 = 0.693147, visible in row 1, hidden in row 2: (0.25 + 1) 0.693147 = 0.866434.
    /// Category 2 of softmax (1/4, 1/2, 1/4): log 2, visible in row 1: 0.173287.
    /// Categories: (0.866434 + 0.173287) / 2 = 0.519860.
    #[test]
    fn terms_by_hand() {
        let log2 = 2f32.ln();
        let logits = tensor([[1.0, 0.0, 0.0, log2, 0.0], [1.0, 0.0, 0.0, log2, 0.0]]);
        let input = tensor([
            [3.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            [9.0, 1.0, 0.4, 0.3, 0.3, 0.0, 1.0, 0.0, 0.0, 0.0],
        ]);
        let corrupted = tensor([
            [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        ]);
        let table = mixed(0.5);
        assert_eq!(table.names(), ["numbers", "categories"]);
        let terms = table.terms(logits.clone(), input.clone(), corrupted);
        let terms: Vec<f32> = terms.into_iter().map(Tensor::into_scalar).collect();
        assert!((terms[0] - 1.0).abs() < 1e-6, "{terms:?}");
        assert!((terms[1] - 0.519_860).abs() < 1e-6, "{terms:?}");
        let predictions: Vec<f32> = table.predictions(logits).into_data().iter().collect();
        for (value, expected) in predictions.iter().zip([1.0, 0.5, 0.25, 0.5, 0.25]) {
            assert!((value - expected).abs() < 1e-6, "{predictions:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// A visible cell keeps its bits, one that is not is 0, a block is hidden as a whole, and what is
        /// unknown is never visible.
        #[test]
        fn hides_whole_cells_and_keeps_the_bits_of_the_rest(
            cells in prop::collection::vec((-3.0f32..3.0, any::<bool>()), 30),
            hide in 0.0f64..=1.0,
            step: u32,
        ) {
            let mut rows = vec![];
            for row in cells.chunks_exact(5) {
                rows.extend(row.iter().map(|cell| cell.0));
                // The features of a category are known together.
                let known = row.iter().enumerate().map(|(at, _)| row[at.min(2)].1);
                rows.extend(known.map(|known| f32::from(u8::from(known))));
            }
            let input = Tensor::from_data(TensorData::new(rows.clone(), [6, 10]), &Device::flex());
            let hidden = mixed(hide).hide(input, key(step)).values;
            let hidden: Vec<f32> = hidden.into_data().iter().collect();
            for (before, after) in rows.chunks_exact(10).zip(hidden.chunks_exact(10)) {
                for at in 0..5 {
                    prop_assert!(after[at + 5] <= before[at + 5]);
                    let expected = if after[at + 5] == 1.0 { before[at] } else { 0.0 };
                    prop_assert_eq!(after[at].abs().to_bits(), expected.abs().to_bits());
                }
                prop_assert!(after[7] == after[8] && after[8] == after[9]);
            }
        }
    }

    /// Each of 20,000 rows hides the cell of a column with probability `p`, whatever `p` is: a binomial
    /// distribution, since rows are independent. Rows with few and with many hidden cells both occur.
    #[test]
    fn hides_its_share() {
        let shares = [0.05, 0.3, 0.5, 0.6, 0.75, 0.9, 0.99];
        let columns = shares.iter().enumerate();
        let columns = columns.map(|(at, p)| column(at..at + 1, CellKind::Number, *p)).collect();
        let table = MaskedTable::new(columns).unwrap();
        let (rows, d) = (20_000, shares.len());
        let hidden = table.hide(Tensor::ones([rows, 2 * d], &Device::flex()), key(0)).values;
        let visible: Vec<f32> = hidden.narrow(1, d, d).into_data().iter().collect();
        for (at, p) in shares.into_iter().enumerate() {
            let hidden = visible.iter().skip(at).step_by(d).filter(|it| **it == 0.0).count() as f64;
            let (expected, deviation) = (rows as f64 * p, (rows as f64 * p * (1.0 - p)).sqrt());
            assert!((hidden - expected).abs() < 4.5 * deviation, "{p}: {hidden}");
        }
        let per_row = |row: &[f32]| row.iter().filter(|it| **it == 0.0).count();
        let counts: Vec<usize> = visible.chunks_exact(d).map(per_row).collect();
        assert!(counts.contains(&2) && counts.contains(&d), "by rows");
    }

    /// By hand: p t up to 1/2, beyond it 1 - (1 - p) (2 - t), which is 0.8 to 1 for 0.9.
    #[test]
    fn the_probability_of_a_row_is_never_above_one() {
        let at = |p, t| column(0..1, CellKind::Number, p).hidden_at(t);
        assert_eq!([at(0.3, 0.0), at(0.3, 1.5), at(0.5, 2.0)], [0.0, 0.3 * 1.5, 1.0]);
        for (t, expected) in [(0.0, 0.8), (1.0, 0.9), (2.0, 1.0)] {
            assert!((at(0.9, t) - expected).abs() < 1e-12);
        }
        assert_eq!(at(1.0, 0.0), 1.0);
    }

    #[test]
    fn columns_of_a_table_are_hidden_as_often_as_they_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let rows = "1,red,yes\n2,?,no\n,red,yes\n,blue,no\n5,blue,\n";
        std::fs::write(&path, format!("size,colour,big\n{rows}")).unwrap();
        let table = MaskedTable::of(&table::read(&path, None).unwrap(), 0.25).unwrap();
        let expected = vec![
            column(0..1, CellKind::Number, 0.4),
            column(1..3, CellKind::Category, 0.25),
            column(3..4, CellKind::Boolean, 0.25),
        ];
        assert_eq!(table.columns(), expected);
        assert_eq!(Objective::<Dense>::masked(table).to_string(), "masked cells, 30 % hidden");
    }

    /// Three columns that are multiples of one number; a third of the cells are missing.
    fn samples() -> ae_data::Samples {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut text = "a,b,c\n".to_owned();
        for row in 0..240 {
            let x = (f64::from(row) * 0.7).sin();
            let cell = |at: i32, value: f64| match (row + at) % 3 {
                0 => String::new(),
                _ => value.to_string(),
            };
            text += &format!("{},{},{}\n", cell(0, x), cell(1, -x), cell(2, 2.0 * x));
        }
        std::fs::write(&path, text).unwrap();
        let samples = table::read(&path, None).unwrap();
        let standard = ae_data::Preprocessing::fit(ae_data::Method::Standardize, &samples).unwrap();
        samples.with_preprocessing(standard).unwrap()
    }

    fn model(features: usize, output: Activation) -> Dense {
        let config = DenseConfig { output, ..DenseConfig::new([features, 24, 24]) };
        config.init(1, &Device::flex()).unwrap()
    }

    /// What is hidden follows from what is not, so the error of hidden cells falls far below that of the mean.
    #[test]
    fn learns_to_predict_hidden_cells() {
        let samples = samples();
        let objective = Objective::masked(MaskedTable::of(&samples, 0.1).unwrap());
        let training = Training::new(model(6, Activation::Identity), &objective);
        let fitted = training.epochs(60).batch(16).fit(Masked::from(samples)).unwrap();
        let loss = |validation: &crate::Validation| validation.loss();
        let first = fitted.initial.as_ref().map(loss).unwrap();
        let best = &fitted.epochs[fitted.best.unwrap() - 1];
        let last = best.validation.as_ref().map(loss).unwrap();
        assert!(last < 0.3 * first, "{first} to {last}");
    }

    #[test]
    fn a_resumed_training_has_the_same_bits() {
        let samples = samples();
        let objective = Objective::masked(MaskedTable::of(&samples, 0.1).unwrap());
        let train = |folder: Option<&std::path::Path>, stop_after: u64| {
            let mut observer = |event: &crate::Event<'_>| match event {
                crate::Event::Step { done, .. } if *done == stop_after => crate::Flow::Stop,
                _ => crate::Flow::Continue,
            };
            let training = Training::new(model(6, Activation::Identity), &objective);
            let training = training.epochs(3).batch(32).observe(&mut observer);
            let training = match folder {
                Some(folder) => training.checkpoints(folder),
                None => training,
            };
            let fitted = training.fit(Masked::from(samples.clone())).unwrap();
            ae_models::tensors::collect(&fitted.model)
        };
        let folder = tempfile::tempdir().unwrap();
        train(Some(folder.path()), 9);
        assert!(train(Some(folder.path()), u64::MAX) == train(None, u64::MAX));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let samples = samples();
        let objective = || Objective::masked(MaskedTable::of(&samples, 0.1).unwrap());
        let refused = |objective: Objective<Dense>, features, output| {
            objective.check(&model(features, output)).unwrap_err().to_string()
        };
        assert_eq!(
            refused(objective(), 3, Activation::Identity),
            "masked cells: expected a model of 6 features, values and marks of 3, got 3"
        );
        assert_eq!(
            refused(objective(), 6, Activation::Sigmoid),
            "masked cells: expected a model without an output activation, got sigmoid; give it \
             identity, each column gets its own"
        );
        let noisy = objective().corrupt(crate::Corruption::masking(0.1).unwrap());
        assert_eq!(
            refused(noisy, 6, Activation::Identity),
            "masked cells: hide cells themselves, got masking 0.1 as well; leave the corruption out"
        );
        let message = |columns| MaskedTable::new(columns).unwrap_err().to_string();
        assert_eq!(message(vec![]), "columns: expected at least one, got none");
        for (features, kind) in [
            (usize::MAX..usize::MAX, CellKind::Number),
            (Range { start: usize::MAX, end: 0 }, CellKind::Category),
            (0..0, CellKind::Category),
            (0..2, CellKind::Boolean),
        ] {
            let hide = Probability::new(0.1).unwrap();
            let column = MaskedColumn { features: features.clone(), kind, hide };
            assert!(message(vec![column]).contains("column 0 from 0"), "{features:?}");
        }
        assert_eq!(
            message(vec![column(0..2, CellKind::Number, 0.1)]),
            "columns: expected features of column 0 from 0, one unless it is a category, got 0..2"
        );
        assert_eq!(
            message(vec![column(1..2, CellKind::Number, 0.1)]),
            "columns: expected features of column 0 from 0, one unless it is a category, got 1..2"
        );
        // As a file may have them.
        assert_eq!(
            message(vec![column(usize::MAX..usize::MAX, CellKind::Category, 0.1)]),
            format!(
                "columns: expected features of column 0 from 0, one unless it is a category, got \
                 {0}..{0}",
                usize::MAX
            )
        );
        assert_eq!(
            message(vec![column(0..usize::MAX, CellKind::Category, 0.1)]),
            format!("features: expected 2^24 at most, got {}", usize::MAX)
        );
        let none = ae_data::Samples::from_floats(vec![], Shape::table(2)).unwrap();
        assert_eq!(
            MaskedTable::of(&none, 0.1).unwrap_err().to_string(),
            "samples: expected at least one, got 0"
        );
    }
}
