//! A training run: its steps, its epochs, and its events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ae_data::Source;
use burn::module::{Module, ModuleDisplay};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, Transaction};

use super::task::Task;
use super::{Data, End, Fitted, identity};
use crate::checkpoint::{Checkpoints, State};
use crate::optimizer::{OptimizerState, clip, multiply};
use crate::prefetch::{Prefetcher, indices};
use crate::{
    Batches, EpochReport, Error, Event, Flow, NoiseKey, Observer, PenaltyState, Phase, Result,
    Schedule, Validation, Warning,
};

/// The number of steps and of seconds after which losses are read back.
const READ_STEPS: usize = 64;
const READ_SECONDS: f64 = 0.25;

pub(super) struct Run<'a, M: Module, T: Task<M>> {
    /// `None` only during a step, so that its parameters have no other owner and are updated in place.
    model: Option<M>,
    pub(super) task: &'a T,
    pub(super) schedule: &'a Schedule,
    pub(super) checkpoints: Option<&'a Checkpoints>,
    pub(super) training: Batches,
    pub(super) validation: Option<Batches>,
    pub(super) device: Device,
    pub(super) optimizer: OptimizerState,
    pub(super) batch: usize,
    pub(super) steps_per_epoch: u64,
    pub(super) state: State,
    /// The weights of the best epoch.
    pub(super) best: Option<M>,
    /// What penalties carry from step to step.
    pub(super) penalty_state: PenaltyState,
    pub(super) unread: Unread,
    /// The sum of each term over the steps of this epoch that were read.
    pub(super) sums: Vec<f64>,
}

/// Who looks at the model after each epoch.
pub(crate) type Watcher<'a, M> = &'a mut dyn FnMut(usize, &M) -> Flow;

/// Steps whose losses are still on the device.
pub(super) struct Unread {
    /// The terms, step by step.
    pub(super) terms: Vec<Tensor<1>>,
    pub(super) steps: usize,
    pub(super) since: Instant,
}

impl<'a, M: Module + ModuleDisplay, T: Task<M>> Run<'a, M, T> {
    pub(super) fn new(
        model: M,
        task: &'a T,
        data: &Data,
        schedule: &'a Schedule,
        checkpoints: Option<&'a Checkpoints>,
    ) -> Result<Self> {
        schedule.check()?;
        task.check(&model)?;
        let device = match model.devices().first() {
            Some(device) => device.clone().without_autodiff(),
            None => return Err(Error::no_parameters()),
        };
        schedule.precision.check(&device)?;
        let on_device = |source: &Arc<dyn Source>, range| {
            if task.needs_masks() && !source.is_masked() {
                return Err(Error::Objective(
                    "loss of known values: expected samples with masks, got samples alone; wrap them in \
                     `Masked`"
                        .into(),
                ));
            }
            if source.width() != task.features(&model) {
                return Err(Error::other_width(task.features(&model), source.width()));
            }
            Batches::new(source.clone(), &device, schedule.resident_limit, range)
        };
        let training = on_device(&data.training, task.target_range())?;
        // The range holds for the training set; scaled by it, other data may be a little outside.
        let validation = data.validation.as_ref().map(|source| on_device(source, None));
        let validation = validation.transpose()?;
        if schedule.patience.is_some() && validation.is_none() {
            let message =
                "patience: needs a validation set; set Data::validation, or remove the patience";
            return Err(Error::Objective(message.into()));
        }
        if u32::try_from(training.len()).is_err() {
            return Err(Error::setting("samples", "at most 4294967295", training.len()));
        }
        let batch = schedule.batch.min(training.len());
        let identity = identity::of(&model, task, schedule, &training, validation.as_ref())?;
        let state = State {
            identity: Some(identity),
            text: BTreeMap::new(),
            done: 0,
            sums: Vec::new(),
            initial: None,
            epochs: Vec::new(),
            best: None,
            optimizer: BTreeMap::new(),
        };
        let mut run = Self {
            model: Some(model.train()),
            task,
            schedule,
            checkpoints,
            steps_per_epoch: (training.len() / batch) as u64,
            training,
            validation,
            device,
            optimizer: OptimizerState::new(&schedule.optimizer),
            batch,
            state,
            best: None,
            penalty_state: PenaltyState::new(),
            unread: Unread { terms: Vec::new(), steps: 0, since: Instant::now() },
            sums: vec![0.0; task.names().len()],
        };
        if let Some(checkpoints) = checkpoints {
            run.resume(checkpoints)?;
        }
        Ok(run)
    }

    pub(super) fn model(&self) -> &M {
        self.model.as_ref().expect("a model between steps")
    }

    pub(super) fn replace_model(&mut self, change: impl FnOnce(M) -> Result<M>) -> Result<()> {
        let model = self.model.take().expect("a model between steps");
        self.model = Some(change(model)?);
        Ok(())
    }

    fn steps(&self) -> u64 {
        self.steps_per_epoch * self.schedule.epochs as u64
    }

    pub(super) fn train(
        mut self,
        observer: &mut dyn Observer,
        mut watcher: Option<Watcher<'_, M>>,
    ) -> Result<Fitted<M>> {
        let start = Event::Start {
            done: self.state.done,
            steps: self.steps(),
            steps_per_epoch: self.steps_per_epoch,
            batch: self.batch,
            resident: self.training.is_resident(),
        };
        let mut flow = observer.observe(&start);
        flow = either(flow, self.begin(observer)?);
        if self.state.done == 0 {
            flow = either(flow, self.show(&mut watcher));
        }
        let mut written = Instant::now();
        let end = loop {
            if self.state.epochs.len() == self.schedule.epochs {
                break End::Complete;
            }
            if self.is_out_of_patience() {
                break End::Patience;
            }
            if flow == Flow::Stop {
                break End::Stopped;
            }
            let before = self.state.epochs.len();
            flow = self.epoch(&mut written, observer)?;
            if self.state.epochs.len() > before {
                flow = either(flow, self.show(&mut watcher));
            }
            flow = either(flow, self.write_checkpoint_if_due(&mut written, observer)?);
        };
        self.read_losses(observer)?;
        self.check_weights()?;
        self.write_checkpoint(observer)?;
        let model = match self.best {
            Some(best) => best,
            None => self.model().valid(),
        };
        Ok(Fitted {
            model,
            initial: self.state.initial,
            best: self.state.best,
            epochs: self.state.epochs,
            done: self.state.done,
            end,
        })
    }

    /// Shows the present weights to the watcher, as a copy without gradients.
    fn show(&self, watcher: &mut Option<Watcher<'_, M>>) -> Flow {
        match watcher {
            Some(watcher) => watcher(self.state.epochs.len(), &self.model().valid()),
            None => Flow::Continue,
        }
    }

    /// Validates what it begins with, which is the best so far.
    fn begin(&mut self, observer: &mut dyn Observer) -> Result<Flow> {
        if self.state.done > 0 || self.state.initial.is_some() || !self.task.keeps_initial() {
            return Ok(Flow::Continue);
        }
        // One that is not finite is no candidate; if it is the data's fault, the first epoch will tell.
        let is_finite = |it: &Validation| it.numbers().all(|(_, value)| value.is_finite());
        let Some(validation) = self.measure()?.filter(is_finite) else {
            return Ok(Flow::Continue);
        };
        self.state.best = Some(0);
        self.best = Some(self.model().valid());
        let validation = self.state.initial.insert(validation);
        Ok(observer.observe(&Event::Initial(validation)))
    }

    fn is_out_of_patience(&self) -> bool {
        let waited = |best| self.state.epochs.len() - best;
        self.schedule.patience.is_some_and(|patience| {
            self.state.best.map(waited).is_some_and(|waited| waited >= patience)
        })
    }

    /// Runs the rest of the current epoch, and ends it unless it is stopped.
    fn epoch(&mut self, written: &mut Instant, observer: &mut dyn Observer) -> Result<Flow> {
        let epoch = self.state.epochs.len();
        let _span = tracing::debug_span!("epoch", number = epoch + 1).entered();
        let key = NoiseKey { seed: self.schedule.seed, phase: Phase::Train(epoch as u32), step: 0 };
        let order = Arc::new(key.order(self.training.len() as u32));
        let first = self.state.done - epoch as u64 * self.steps_per_epoch;
        let began = Instant::now();
        let mut inputs =
            Prefetcher::new(&self.training, &order, first as usize * self.batch, self.batch);
        for step in first..self.steps_per_epoch {
            let rows = indices(&order[step as usize * self.batch..][..self.batch]);
            let input = inputs.next(&rows)?;
            self.step(NoiseKey { step: step as u32, ..key }, &rows, input)?;
            let mut flow =
                observer.observe(&Event::Step { done: self.state.done, epoch: epoch + 1 });
            if self.unread.steps >= READ_STEPS
                || self.unread.since.elapsed().as_secs_f64() >= READ_SECONDS
            {
                flow = either(flow, self.read_losses(observer)?);
            }
            // After the last step the checkpoint is written at the end of the epoch. Otherwise a
            // resumed run would report that epoch again.
            if step + 1 < self.steps_per_epoch {
                flow = either(flow, self.write_checkpoint_if_due(written, observer)?);
            }
            if flow == Flow::Stop {
                return Ok(flow);
            }
        }
        let flow = self.read_losses(observer)?;
        let seconds = began.elapsed().as_secs_f64();
        let samples = (self.steps_per_epoch - first) * self.batch as u64;
        let report = EpochReport {
            epoch: epoch + 1,
            done: self.state.done,
            training: self.means(),
            validation: self.validate()?,
            rate: self.rate_before(self.state.done),
            seconds,
            samples_per_second: samples as f64 / seconds.max(f64::MIN_POSITIVE),
        };
        Ok(either(flow, self.end_epoch(report, observer)))
    }

    /// The learning rate of the last of `done` steps.
    fn rate_before(&self, done: u64) -> f64 {
        self.schedule.rate.at(done - 1, self.steps(), self.steps_per_epoch)
    }

    /// Takes one step.
    fn step(&mut self, key: NoiseKey, rows: &[usize], input: Tensor<2>) -> Result<()> {
        let rate = self.rate_before(self.state.done + 1);
        let input = input.autodiff();
        let model = self.model.take().expect("a model between steps");
        let (task, penalty_state, optimizer, schedule) =
            (self.task, &self.penalty_state, &mut self.optimizer, self.schedule);
        let (scale, device) = (schedule.precision.scale(self.training.width()), &self.device);
        let update = move || {
            let copy = schedule.precision.copy(&model);
            let computing = copy.as_ref().unwrap_or(&model);
            let losses = task.losses(&model, computing, input, rows, key, penalty_state);
            let total = losses.total();
            let total = scale.map_or(total.clone(), |scale| total * scale);
            drop(copy);
            let mut gradients = GradientsParams::from_grads(total.backward(), &model);
            if let Some(scale) = scale {
                let inverse = Tensor::full([1], 1.0 / scale, device);
                gradients = multiply(&model, gradients, inverse);
            }
            if let Some(limit) = schedule.clip {
                gradients = clip(&model, gradients, limit);
            }
            let terms: Vec<Tensor<1>> = losses.each().collect();
            let model = task.constrained(optimizer.apply(rate, model, gradients), key);
            (model, terms, losses.penalty_state().clone())
        };
        let (model, terms, penalty_state) = match ae_kernels::uses_threads(&self.device) {
            true => ae_kernels::run_in_pool(update),
            false => update(),
        };
        self.model = Some(model);
        self.unread.terms.extend(terms);
        self.unread.steps += 1;
        self.penalty_state = penalty_state;
        self.state.done += 1;
        Ok(())
    }

    /// Reads the losses of the steps since the last reading from the device, all at once.
    pub(super) fn read_losses(&mut self, observer: &mut dyn Observer) -> Result<Flow> {
        self.unread.since = Instant::now();
        let steps = std::mem::take(&mut self.unread.steps);
        if steps == 0 {
            return Ok(Flow::Continue);
        }
        let terms = std::mem::take(&mut self.unread.terms);
        let values = terms.into_iter().fold(Transaction::default(), Transaction::register);
        let values = values.try_execute().map_err(|error| Error::Device(error.to_string()))?;
        let values: Vec<f64> = values.iter().flat_map(|term| term.iter::<f64>()).collect();
        let names = self.task.names();
        let first = self.state.done - steps as u64;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(self.not_finite(
                first + (at / names.len()) as u64,
                &names[at % names.len()],
                values[at],
            ));
        }
        let mut terms: Vec<(String, f64)> = names.into_iter().map(|name| (name, 0.0)).collect();
        for step in values.chunks_exact(terms.len()) {
            for ((value, sum), (_, mean)) in step.iter().zip(&mut self.sums).zip(&mut terms) {
                *sum += value;
                *mean += value / steps as f64;
            }
        }
        Ok(observer.observe(&Event::Losses {
            done: self.state.done,
            epoch: self.state.epochs.len() + 1,
            terms: &terms,
            rate: self.rate_before(self.state.done),
        }))
    }

    pub(super) fn not_finite(&self, step: u64, term: &str, value: f64) -> Error {
        Error::NotFinite {
            step: step + 1,
            epoch: self.state.epochs.len() + 1,
            term: term.to_owned(),
            value,
            rate: self.rate_before(step + 1),
            precision: self.schedule.precision,
        }
    }

    /// The means over the epoch. Resets the sums.
    fn means(&mut self) -> Vec<(String, f64)> {
        let steps = self.steps_per_epoch as f64;
        let sums = self.sums.iter_mut().map(std::mem::take);
        self.task.names().into_iter().zip(sums.map(|sum| sum / steps)).collect()
    }

    fn measure(&self) -> Result<Option<Validation>> {
        let Some(data) = &self.validation else { return Ok(None) };
        let _span = tracing::debug_span!("validation").entered();
        // The noise on validation samples is the same in every epoch.
        let (model, key) = (self.model().valid(), NoiseKey::validation(self.schedule.seed));
        self.task.validate(&model, data, self.batch, key, &self.penalty_state).map(Some)
    }

    fn validate(&self) -> Result<Option<Validation>> {
        let Some(validation) = self.measure()? else { return Ok(None) };
        if let Some((term, value)) = validation.numbers().find(|(_, value)| !value.is_finite()) {
            let term = format!("{term} of the validation set");
            return Err(self.not_finite(self.state.done - 1, &term, value));
        }
        Ok(Some(validation))
    }

    fn end_epoch(&mut self, report: EpochReport, observer: &mut dyn Observer) -> Flow {
        let mut flow = Flow::Continue;
        if let Some(validation) = &report.validation {
            let best = self.state.best_validation();
            if best.is_none_or(|best| validation.is_better_than(best)) {
                self.state.best = Some(report.epoch);
                self.best = Some(self.model().valid());
            }
            let before = self.state.epochs.last().and_then(|epoch| epoch.validation.as_ref());
            let before = before.map(|before| Warning::of(report.epoch, before));
            for warning in Warning::of(report.epoch, validation) {
                // A warning is not repeated in the next epoch.
                if !before.iter().flatten().any(|before| before.is_like(&warning)) {
                    flow = either(flow, observer.observe(&Event::Warning(&warning)));
                }
            }
        }
        flow = either(flow, observer.observe(&Event::Epoch(&report)));
        self.state.epochs.push(report);
        flow
    }
}

pub(super) fn either(left: Flow, right: Flow) -> Flow {
    if left == Flow::Stop { left } else { right }
}
