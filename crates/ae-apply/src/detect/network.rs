//! The autoencoder of a detector: it predicts hidden cells of a row from the others.

use ae_data::{Masked, Samples, Shape};
use ae_models::{Activation, Decoder, Dense, DenseConfig, Encoder};
use ae_train::{End, LearningRate, MaskedTable, Objective, Observer, Schedule, Training};
use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;

use super::DetectorSettings;
use crate::{Error, Result};

/// Into how many groups columns are split to be hidden, one group at a time.
const GROUPS: usize = 8;

/// How often columns are split: each is hidden so often.
const ROUNDS: usize = 2;

/// Rows that the model sees at a time.
const BATCH: usize = 1024;

/// The model, and what it says of rows.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) model: Dense,
    pub(crate) table: MaskedTable,
    pub(crate) seed: u64,
}

/// What the model says of rows.
pub(crate) struct Outputs {
    /// The codes of whole rows, `[rows, code]`.
    pub(crate) codes: Vec<f32>,
    /// The row less the reconstruction of the whole row, `[rows, features]`.
    pub(crate) residuals: Vec<f32>,
    /// The squared error of each feature when it is hidden, the mean over rounds, `[rows, features]`.
    pub(crate) hidden: Vec<f32>,
    /// For each feature, the error that the visible ones are left with when it is hidden, the mean over rounds,
    /// `[rows, features]`; empty where it was not asked for.
    pub(crate) left: Vec<f32>,
}

impl Network {
    /// The configuration of the model: values and marks to a code and back.
    pub(crate) fn config(features: usize, settings: &DetectorSettings) -> DenseConfig {
        DenseConfig {
            activation: Activation::Silu,
            output: Activation::Identity,
            ..DenseConfig::new([2 * features, settings.hidden, settings.code])
        }
    }

    /// A model before training.
    pub(crate) fn new(
        table: MaskedTable,
        settings: &DetectorSettings,
        device: &Device,
    ) -> Result<Self> {
        let config = Self::config(table.features(), settings);
        let model = config.init(settings.seed, device)?;
        Ok(Self { model, table, seed: settings.seed })
    }

    /// Trains it on rows for a number of steps.
    pub(crate) fn train(
        self,
        rows: Vec<f32>,
        steps: usize,
        settings: &DetectorSettings,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let width = self.table.features();
        let count = rows.len() / width;
        let batch = settings.batch.min((count / 4).max(1));
        let epochs = steps.div_ceil(count / batch).max(1);
        let rate = LearningRate {
            peak: settings.rate,
            warm_up: Schedule::warm_up(count, batch, epochs),
            ..LearningRate::default()
        };
        let schedule = Schedule {
            epochs,
            batch,
            rate,
            clip: Some(1.0),
            seed: settings.seed,
            ..Schedule::default()
        };
        let objective = Objective::masked(self.table.clone());
        let samples = Samples::from_floats(rows, Shape::table(width))?;
        let training = Training::new(self.model, &objective).schedule(schedule).validate(0.0);
        let fitted = training.observe(observer).fit(Masked::from(samples))?;
        match fitted.end {
            End::Stopped => Err(Error::Stopped),
            _ => Ok(Self { model: fitted.model, ..self }),
        }
    }

    /// The groups of features that are hidden together: random columns, whole.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        let mut columns: Vec<_> = self.table.columns().iter().collect();
        let size = columns.len().div_ceil(GROUPS);
        let mut groups = vec![];
        for _ in 0..ROUNDS {
            columns.shuffle(&mut generator);
            let of_round = columns.chunks(size);
            groups.extend(of_round.map(|group| {
                group.iter().flat_map(|column| column.features.clone()).collect::<Vec<usize>>()
            }));
        }
        groups
    }

    /// What the model says of rows, on its device; with the usual squared residual of each feature also what is
    /// left of the error.
    pub(crate) fn outputs(
        &self,
        rows: &[f32],
        variance: Option<&[f64]>,
        device: &Device,
    ) -> Outputs {
        let (width, groups) = (self.table.features(), self.groups());
        let marks = |group: &Vec<usize>| {
            let mut marks = vec![0.0f32; width];
            group.iter().for_each(|feature| marks[*feature] = 1.0);
            Tensor::<2>::from_data(TensorData::new(marks, [1, width]), device)
        };
        let groups: Vec<Tensor<2>> = groups.iter().map(marks).collect();
        let mut outputs =
            Outputs { codes: vec![], residuals: vec![], hidden: vec![], left: vec![] };
        let weights = variance.map(|variance| {
            let weights = variance.iter().map(|v| v.recip() as f32).collect();
            Tensor::<2>::from_data(TensorData::new::<f32, _>(weights, [1, width]), device)
        });
        for chunk in rows.chunks(BATCH * width) {
            let count = chunk.len() / width;
            let values =
                Tensor::<2>::from_data(TensorData::new(chunk.to_vec(), [count, width]), device);
            let ones = Tensor::<2>::ones([count, width], device);
            let (code, residual) = self.residual(&values, ones.clone());
            let mut hidden = Tensor::<2>::zeros([count, width], device);
            let mut left = Tensor::<2>::zeros([count, width], device);
            for group in &groups {
                let visible = ones.clone() - group.clone();
                let (_, residual) = self.residual(&values, visible.clone());
                if let Some(weights) = &weights {
                    let error = (residual.clone().square() * weights.clone() * visible).sum_dim(1);
                    left = left + error * group.clone();
                }
                hidden = hidden + residual.square() * group.clone();
            }
            outputs.codes.extend(code.into_data().iter::<f32>());
            outputs.residuals.extend(residual.into_data().iter::<f32>());
            if weights.is_some() {
                outputs.left.extend((left / ROUNDS as f64).into_data().iter::<f32>());
            }
            outputs.hidden.extend((hidden / ROUNDS as f64).into_data().iter::<f32>());
        }
        outputs
    }

    /// The code of rows of which some cells are visible, and the rows less their predictions.
    fn residual(&self, values: &Tensor<2>, visible: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let input = Tensor::cat(vec![values.clone() * visible.clone(), visible], 1);
        let code = self.model.encode(input);
        let logits = self.model.decode_logits(code.clone());
        let width = self.table.features();
        let predictions = self.table.predictions(logits.narrow(1, 0, width));
        (code, values.clone() - predictions)
    }
}
