//! Writes the checkpoints of a run, and resumes from them.

use std::collections::BTreeMap;
use std::time::Instant;

use ae_models::tensors::{self, Tensors};
use burn::module::{DisplaySettings, Module, ModuleDisplay};
use burn::tensor::Tensor;

use super::identity;
use super::run::Run;
use super::task::Task;
use crate::checkpoint::{self, BEST, Checkpoints, MODEL, State};
use crate::{Error, Event, Flow, Observer, Result};

const OPTIMIZER: &str = "optimizer.";
// The name in the files of all versions.
const PENALTY_STATE: &str = "memory.";

impl<M: Module + ModuleDisplay, T: Task<M>> Run<'_, M, T> {
    pub(super) fn write_checkpoint_if_due(
        &mut self,
        written: &mut Instant,
        observer: &mut dyn Observer,
    ) -> Result<Flow> {
        let is_due = self.checkpoints.is_some_and(|checkpoints| {
            let steps = checkpoints.every_steps;
            steps.is_some_and(|steps| self.state.done.is_multiple_of(steps))
                || checkpoints.every.is_some_and(|every| written.elapsed() >= every)
        });
        if !is_due {
            return Ok(Flow::Continue);
        }
        let flow = self.read_losses(observer)?;
        self.write_checkpoint(observer)?;
        *written = Instant::now();
        Ok(flow)
    }

    pub(super) fn write_checkpoint(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let Some(checkpoints) = self.checkpoints else { return Ok(()) };
        let _span = tracing::debug_span!("checkpoint", step = self.state.done).entered();
        let weights = self.check_weights()?;
        let (moments, numbers) = self.optimizer.save();
        self.state.optimizer = numbers;
        self.state.sums = self.sums.iter().map(|sum| sum.to_bits()).collect();
        let mut all = Tensors::new();
        checkpoint::insert_prefixed(&mut all, MODEL, weights);
        checkpoint::insert_prefixed(&mut all, OPTIMIZER, moments);
        let penalty_state =
            self.penalty_state.iter().map(|(name, value)| (name.clone(), value.to_data()));
        checkpoint::insert_prefixed(&mut all, PENALTY_STATE, penalty_state.collect());
        if let Some(best) = &self.best {
            checkpoint::insert_prefixed(&mut all, BEST, tensors::collect(best));
        }
        let path = checkpoints.write(&self.state, &all)?;
        observer.observe(&Event::Checkpoint { path: &path, done: self.state.done });
        Ok(())
    }

    /// The weights, checked to be finite. The loss of a step does not show what the step did to them.
    pub(super) fn check_weights(&self) -> Result<Tensors> {
        let weights = tensors::collect(self.model());
        for (name, weight) in &weights {
            if let Some(value) = weight.iter::<f64>().find(|value| !value.is_finite()) {
                let step = self.state.done.saturating_sub(1);
                return Err(self.not_finite(step, &format!("weights {name}"), value));
            }
        }
        Ok(weights)
    }

    pub(super) fn resume(&mut self, checkpoints: &Checkpoints) -> Result<()> {
        let Some((path, state, mut all)) = checkpoints.newest()? else { return Ok(()) };
        let other = |expected: &str, got: &str| Error::Checkpoint {
            path: path.clone(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        };
        if let Some([mine, its]) = self.difference(&state)? {
            return Err(other(&format!("a checkpoint of this run, with {mine}"), &its));
        }
        let model = checkpoint::take_prefixed(&mut all, MODEL);
        self.replace_model(|old| Ok(tensors::replace(old, model)?))?;
        let best = checkpoint::take_prefixed(&mut all, BEST);
        if !best.is_empty() {
            self.best = Some(tensors::replace(self.model().valid(), best)?);
        }
        let penalty_state = checkpoint::take_prefixed(&mut all, PENALTY_STATE).into_iter();
        let on_device = |(name, value)| (name, Tensor::from_data(value, &self.device));
        self.penalty_state = penalty_state.map(on_device).collect();
        let moments = checkpoint::take_prefixed(&mut all, OPTIMIZER);
        self.optimizer
            .restore(moments, &state.optimizer, &self.device)
            .map_err(|problem| other("the state of its optimiser", &problem))?;
        if state.sums.len() != self.sums.len() {
            let (expected, got) = (self.sums.len(), state.sums.len());
            return Err(other(&format!("{expected} terms"), &format!("{got}")));
        }
        self.sums = state.sums.iter().map(|bits| f64::from_bits(*bits)).collect();
        let identity = self.state.identity.take();
        self.state = State { identity, text: BTreeMap::new(), ..state };
        Ok(())
    }

    /// The first difference between this run and that of a checkpoint: what each has.
    fn difference(&self, other: &State) -> Result<Option<[String; 2]>> {
        if let (Some(mine), Some(its)) = (&self.state.identity, &other.identity) {
            return Ok(identity::difference(mine, its));
        }
        let mut text = vec![
            ("model", self.model().format(DisplaySettings::new())),
            ("schedule", self.schedule.text()),
            ("training set", self.training.fingerprint()?),
        ];
        text.extend(self.task.text());
        if let Some(validation) = &self.validation {
            text.push(("validation set", validation.fingerprint()?));
        }
        // The first checkpoints say `part` instead of `set`.
        let its = |what: &str| {
            let its = other.text.get(what);
            its.or_else(|| other.text.get(&what.replace(" set", " part"))).map(String::as_str)
        };
        let unlike = text.into_iter().find(|(what, mine)| its(what) != Some(mine));
        Ok(unlike.map(|(what, mine)| {
            let its = its(what).unwrap_or("none");
            [format!("the {what} `{mine}`"), format!("`{its}`")]
        }))
    }
}
