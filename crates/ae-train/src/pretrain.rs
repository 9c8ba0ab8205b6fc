//! Greedy layer-wise pretraining.

use std::sync::Arc;

use ae_models::{Autoencoder, Encoder, Stack};

use crate::{
    Checkpoints, Data, End, EpochReport, Event, Flow, Objective, Observer, Result, Schedule,
    encode_dataset, fit, fit_with_checkpoints,
};

/// A pretrained stack, with the reports of its layers.
#[derive(Clone, Debug)]
pub struct Pretrained<A: Autoencoder> {
    /// The stack, to be fitted as a whole or to get a head on its encoder.
    pub stack: Stack<A>,
    /// The epochs of each trained layer, from the input to the code.
    pub layers: Vec<Vec<EpochReport>>,
    /// Why it ended: [`End::Stopped`] if an observer stopped it before the last layer was done.
    pub end: End,
}

/// Pretrains a stack layer by layer, from the input to the code (Hinton & Salakhutdinov 2006; Vincent et
/// al. 2010, JMLR 11:3371). Each layer is trained as an autoencoder of the clean codes of the layers below,
/// which are not changed. The codes are computed once per layer and stored on the host. The corruption of
/// an objective applies to these codes.
///
/// `objective` gives the objective of layer `index`, from 0. The seed of the schedule is increased by 1
/// for each layer. Afterwards, [`fit`](fit()) trains the whole stack, or a
/// [`Classifier`](ae_models::Classifier) fine-tunes its encoder.
///
/// ```
/// use std::sync::Arc;
/// use ae_data::digits;
/// use ae_models::{Activation, DenseConfig, Stack};
/// use ae_train::{Corruption, Data, Objective, Reconstruction, Schedule, pretrain};
/// use burn::tensor::Device;
///
/// let config = DenseConfig {
///     activation: Activation::Sigmoid,
///     code_activation: Activation::Sigmoid,
///     ..DenseConfig::new([784, 32, 16])
/// };
/// let layers = config.layers().into_iter().map(|layer| layer.init(0, &Device::flex()));
/// let stack = Stack::new(layers.collect::<Result<_, _>>()?)?;
/// let data = Data { training: Arc::new(digits::generate(128, 0)), validation: None };
/// let schedule = Schedule { epochs: 2, batch: 32, ..Schedule::default() };
/// let masking = Corruption::masking(0.25)?;
/// let objective =
///     |_, _: &_| Ok(Objective::new(Reconstruction::CrossEntropy).corrupt(masking));
/// let pretrained = pretrain(stack, &objective, &data, &schedule, &mut ())?;
/// assert_eq!(pretrained.layers.len(), 2);
/// # Ok::<(), ae_train::Error>(())
/// ```
///
/// # Errors
/// As [`fit`](fit()), for each layer.
pub fn pretrain<A: Autoencoder>(
    stack: Stack<A>,
    objective: &LayerObjective<A>,
    data: &Data,
    schedule: &Schedule,
    observer: &mut dyn Observer,
) -> Result<Pretrained<A>> {
    pretrain_layers(stack, objective, data, schedule, None, observer)
}

/// As [`pretrain`], with checkpoints of layer `n`, from 1, in the folder `layer-n`. It resumes from the
/// newest one as [`fit_with_checkpoints`] does.
///
/// # Errors
/// As [`fit_with_checkpoints`], for each layer.
pub fn pretrain_with_checkpoints<A: Autoencoder>(
    stack: Stack<A>,
    objective: &LayerObjective<A>,
    data: &Data,
    schedule: &Schedule,
    checkpoints: &Checkpoints,
    observer: &mut dyn Observer,
) -> Result<Pretrained<A>> {
    pretrain_layers(stack, objective, data, schedule, Some(checkpoints), observer)
}

/// The objective of a layer, given its index from 0 and the layer.
pub type LayerObjective<'a, A> = dyn Fn(usize, &A) -> Result<Objective<A>> + 'a;

fn pretrain_layers<A: Autoencoder>(
    mut stack: Stack<A>,
    objective: &LayerObjective<A>,
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
    let (mut data, mut layers) = (data.clone(), Vec::new());
    for (index, objective) in objectives.iter().enumerate() {
        let seed = schedule.seed.wrapping_add(index as u64);
        let schedule = Schedule { seed, ..schedule.clone() };
        let span = tracing::debug_span!("layer", number = index + 1).entered();
        if observer.observe(&Event::Layer { number: index + 1, of: count }) == Flow::Stop {
            return Ok(Pretrained { stack, layers, end: End::Stopped });
        }
        let mut end = End::Complete;
        stack = stack.replace(index, |layer| {
            let fitted = match checkpoints {
                None => fit(layer, objective, &data, &schedule, observer)?,
                Some(checkpoints) => {
                    let folder = checkpoints.folder.join(format!("layer-{}", index + 1));
                    let checkpoints = Checkpoints { folder, ..checkpoints.clone() };
                    fit_with_checkpoints(
                        layer,
                        objective,
                        &data,
                        &schedule,
                        &checkpoints,
                        observer,
                    )?
                }
            };
            layers.push(fitted.epochs);
            end = fitted.end;
            Ok::<_, crate::Error>(fitted.model)
        })?;
        drop(span);
        if end == End::Stopped {
            return Ok(Pretrained { stack, layers, end });
        }
        if index + 1 < count {
            data = codes(&stack.layers()[index], &data, schedule.batch)?;
        }
    }
    Ok(Pretrained { stack, layers, end: End::Complete })
}

fn codes(layer: &impl Encoder, data: &Data, batch: usize) -> Result<Data> {
    let training = Arc::new(encode_dataset(layer, data.training.clone(), batch)?);
    let validation = match &data.validation {
        Some(set) => Some(Arc::new(encode_dataset(layer, set.clone(), batch)?) as _),
        None => None,
    };
    Ok(Data { training, validation })
}
