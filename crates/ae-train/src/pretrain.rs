//! Greedy layer-wise pretraining.

use std::sync::Arc;

use ae_models::{Autoencoder, Encoder, Stack};

use crate::{
    Checkpoints, Data, End, EpochReport, Event, Flow, Objective, Observer, Result, Schedule,
    encode_dataset, fit,
};

/// A pretrained stack, with the reports of its layers.
#[derive(Clone, Debug)]
pub struct Pretrained<A: Autoencoder> {
    /// The stack, to be fitted as a whole or to get a head on its encoder.
    pub stack: Stack<A>,
    /// The epochs of each trained layer, from the input to the code.
    pub layers: Vec<Vec<EpochReport>>,
    /// The epoch of the weights of each layer ([`Fitted::best`](crate::Fitted::best)).
    pub best: Vec<Option<usize>>,
    /// Why it ended: [`End::Stopped`] if an observer stopped it before the last layer was done.
    pub end: End,
}

/// The goal of greedy layer-wise pretraining of a [`Stack`], for [`Training`](crate::Training): a function
/// that gives the objective of a layer, from its index (0 is next to the input) and the layer.
///
/// Afterwards, [`fit`](crate::fit()) trains the whole stack, or a [`Classifier`](ae_models::Classifier)
/// fine-tunes its encoder.
///
/// ```
/// use ae_data::digits;
/// use ae_models::{Activation, DenseConfig, Stack};
/// use ae_train::{Corruption, Layerwise, Objective, Reconstruction, Training};
/// use burn::tensor::Device;
///
/// let config = DenseConfig {
///     activation: Activation::Sigmoid,
///     code_activation: Activation::Sigmoid,
///     ..DenseConfig::new([784, 32, 16])
/// };
/// let layers = config.layers().into_iter().map(|layer| layer.init(0, &Device::flex()));
/// let stack = Stack::new(layers.collect::<Result<_, _>>()?)?;
/// let masking = Corruption::masking(0.25)?;
/// let objective =
///     Layerwise(|_, _: &_| Ok(Objective::new(Reconstruction::CrossEntropy).corrupt(masking)));
/// let pretrained =
///     Training::new(stack, &objective).epochs(2).fit(digits::generate(128, 0))?;
/// assert_eq!(pretrained.layers.len(), 2);
/// # Ok::<(), ae_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Layerwise<F>(pub F);

/// Pretrains a stack.
pub(crate) fn pretrain_layers<A: Autoencoder>(
    mut stack: Stack<A>,
    objective: &dyn Fn(usize, &A) -> Result<Objective<A>>,
    data: &Data,
    schedule: &Schedule,
    checkpoints: Option<&Checkpoints>,
    observer: &mut dyn Observer,
) -> Result<Pretrained<A>> {
    schedule.check()?;
    let count = stack.layers().len();
    // All objectives are checked before the first layer is trained, which may take hours.
    let objectives = stack.layers().iter().enumerate().map(|(index, layer)| {
        let objective = objective(index, layer)?;
        objective.check(layer).map(|()| objective)
    });
    let objectives = objectives.collect::<Result<Vec<_>>>()?;
    let (mut data, mut layers, mut best) = (data.clone(), Vec::new(), Vec::new());
    for (index, objective) in objectives.iter().enumerate() {
        let seed = schedule.seed.wrapping_add(index as u64);
        let schedule = Schedule { seed, ..schedule.clone() };
        let span = tracing::debug_span!("layer", number = index + 1).entered();
        if observer.observe(&Event::Layer { number: index + 1, of: count }) == Flow::Stop {
            return Ok(Pretrained { stack, layers, best, end: End::Stopped });
        }
        let mut end = End::Complete;
        stack = stack.replace(index, |layer| {
            let checkpoints = checkpoints.map(|checkpoints| {
                let folder = checkpoints.folder.join(format!("layer-{}", index + 1));
                Checkpoints { folder, ..checkpoints.clone() }
            });
            let checkpoints = checkpoints.as_ref();
            let fitted =
                fit::autoencoder(layer, objective, &data, &schedule, checkpoints, observer, None)?;
            layers.push(fitted.epochs);
            best.push(fitted.best);
            end = fitted.end;
            Ok::<_, crate::Error>(fitted.model)
        })?;
        drop(span);
        if end == End::Stopped {
            return Ok(Pretrained { stack, layers, best, end });
        }
        if index + 1 < count {
            data = codes(&stack.layers()[index], &data, schedule.batch)?;
        }
    }
    Ok(Pretrained { stack, layers, best, end: End::Complete })
}

fn codes(layer: &impl Encoder, data: &Data, batch: usize) -> Result<Data> {
    let training = Arc::new(encode_dataset(layer, data.training.clone(), batch)?);
    let validation = match &data.validation {
        Some(set) => Some(Arc::new(encode_dataset(layer, set.clone(), batch)?) as _),
        None => None,
    };
    Ok(Data { training, validation })
}
