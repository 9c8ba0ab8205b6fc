//! The schedule of a training run.

use serde_json::{Value, json};

use crate::{Error, LearningRate, Optimizer, Precision, RESIDENT_LIMIT, Result};

/// The settings of a training run.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `epochs` | 10 | from 0 | passes over the training set; with 0 the model is unchanged |
/// | `batch` | 128 | from 1 | samples per step; an epoch leaves out the samples of its last, incomplete batch |
/// | `optimizer` | Adam | | the update rule |
/// | `rate` | 1e-3, cosine | | learning rate over the run |
/// | `precision` | full | | the number [type](Precision) of the layers |
/// | `clip` | none | above 0 | the largest total norm of all gradients |
/// | `patience` | none | from 1 | epochs without a [better](crate::Validation::is_better_than) validation after which training stops |
/// | `seed` | 0 | any | the seed of the order of samples and of all noise |
/// | `resident_limit` | 1 GiB | any | the most bytes that the training set may take on the device; a larger one is streamed |
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    /// The update rule.
    pub optimizer: Optimizer,
    /// Learning rate over the run.
    pub rate: LearningRate,
    /// The number type of the layers.
    #[serde(default, skip_serializing_if = "Precision::is_full")]
    pub precision: Precision,
    /// The largest total norm of all gradients.
    pub clip: Option<f64>,
    /// Epochs without a better validation after which training stops.
    pub patience: Option<usize>,
    /// The seed of the order of samples and of all noise.
    pub seed: u64,
    /// The most bytes that the training set may take on the device.
    pub resident_limit: usize,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 128,
            optimizer: Optimizer::default(),
            rate: LearningRate::default(),
            precision: Precision::default(),
            clip: None,
            patience: None,
            seed: 0,
            resident_limit: RESIDENT_LIMIT,
        }
    }
}

impl From<&Schedule> for Schedule {
    fn from(schedule: &Schedule) -> Self {
        schedule.clone()
    }
}

/// Steps of an epoch at least, where a batch can be made small enough.
const STEPS_OF_EPOCH: usize = 100;

/// Samples of a step at least, where the batch is chosen by the number of samples.
const SMALLEST_BATCH: usize = 16;

/// Steps of a training at least.
const STEPS: usize = 1000;

/// Steps of warm-up at least.
const WARM_UP_STEPS: f64 = 20.0;

impl Schedule {
    /// The schedule for so many training samples where nothing else is said: few samples get smaller
    /// batches (from 16) and more epochs, since some dozens of steps teach nothing; at least 10 epochs and
    /// 1000 steps, with a [warm-up](Self::warm_up) and then a cosine.
    ///
    /// ```
    /// use ae_train::Schedule;
    /// let plan = |samples| {
    ///     let schedule = Schedule::for_samples(samples);
    ///     (schedule.batch, schedule.epochs)
    /// };
    /// assert_eq!([plan(54_000), plan(4_500), plan(540)], [(128, 10), (32, 10), (16, 31)]);
    /// ```
    pub fn for_samples(samples: usize) -> Self {
        Self::for_batches(samples, None)
    }

    /// As [`for_samples`](Self::for_samples), with a batch that is given.
    pub fn for_batches(samples: usize, batch: Option<usize>) -> Self {
        let usual = Self::default();
        let batch = batch.unwrap_or_else(|| {
            let mut batch = usual.batch;
            while batch > SMALLEST_BATCH && samples / batch < STEPS_OF_EPOCH {
                batch /= 2;
            }
            batch
        });
        let steps = (samples / batch.max(1)).max(1);
        let epochs = usual.epochs.max(STEPS.div_ceil(steps));
        let warm_up = Self::warm_up(samples, batch, epochs);
        Self { epochs, batch, rate: LearningRate { warm_up, ..LearningRate::default() }, ..usual }
    }

    /// The epochs of warm-up: half an epoch, or 20 steps if that is longer, but at most a tenth of the training. The
    /// first steps of Adam at the peak rate can destroy the initial weights: 12 images of 576x576, one step per epoch, had
    /// a loss of 8,969 after the first epoch and 52,140 after the second.
    pub fn warm_up(samples: usize, batch: usize, epochs: usize) -> f64 {
        let steps = (samples / batch.max(1)).max(1);
        (WARM_UP_STEPS / steps as f64).min(epochs as f64 / 10.0).max(0.5)
    }

    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// Names the first one that is not.
    pub fn check(&self) -> Result<()> {
        let at_least_one = |what, value: usize| match value {
            0 => Err(Error::setting(what, "at least 1", 0)),
            _ => Ok(()),
        };
        if self.epochs >= u32::MAX as usize {
            return Err(Error::setting("epochs", "a number below 4294967295", self.epochs));
        }
        at_least_one("batch size", self.batch)?;
        at_least_one("patience", self.patience.unwrap_or(1))?;
        if let Some(clip) = self.clip
            && !(clip.is_finite() && clip > 0.0)
        {
            return Err(Error::setting("gradient norm to clip at", "a number above 0", clip));
        }
        self.optimizer.check()?;
        self.rate.check()
    }

    /// Everything of the schedule that determines the results of a run. The place of the data in memory does not.
    pub(crate) fn identity(&self) -> Value {
        let Self {
            epochs,
            batch,
            optimizer,
            rate,
            precision,
            clip,
            patience,
            seed,
            resident_limit: _,
        } = self;
        json!({
            "epochs": epochs,
            "batch": batch,
            "optimizer": optimizer,
            "rate": rate,
            "precision": precision,
            "clip": clip,
            "patience": patience,
            "seed": seed,
        })
    }

    /// The text by which a checkpoint of an earlier version recognises the schedule. It has no precision where it
    /// is full, and calls the learning rate `Rate`.
    pub(crate) fn text(&self) -> String {
        let text = format!("{self:?}").replace("precision: Full, ", "");
        text.replace("rate: LearningRate {", "rate: Rate {")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 540 / 16 = 33 steps an epoch: 20 of them are 0.6 epochs. One step an epoch: 20 epochs, a tenth of 30 at most.
    #[test]
    fn warm_up_has_20_steps() {
        assert_eq!(Schedule::warm_up(54_000, 128, 10), 0.5);
        assert!((Schedule::warm_up(540, 16, 31) - 20.0 / 33.0).abs() < 1e-12);
        assert_eq!(Schedule::warm_up(12, 16, 1000), 20.0);
        assert_eq!(Schedule::warm_up(12, 16, 30), 3.0);
        assert_eq!(Schedule::for_samples(12).rate.warm_up, 20.0);
    }

    #[test]
    fn text_is_that_of_earlier_versions() {
        let text = |precision| Schedule { precision, ..Schedule::default() }.text();
        assert!(!text(Precision::Full).contains("precision"));
        assert!(text(Precision::F16).contains("precision: F16, clip: None"));
        assert!(text(Precision::Full).contains("rate: Rate { peak: 0.001"));
    }
}
