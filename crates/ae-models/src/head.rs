//! Heads: affine layers from features or codes to a score for each class.

use ae_kernels::{Activation, Weight, linear};
use burn::module::{DisplaySettings, Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use crate::count::{Count, check_count};
use crate::summary::{Summary, print_as_summary, thousands};
use crate::{Encoder, Error, Result, initializer::Initializer};

/// A model that gives every input a score for each class. It predicts the class with the highest score.
///
/// As an autoencoder it is deterministic and has no loss. The meaning of the scores (logits of
/// probabilities, distances from a plane) depends on the loss it was trained with.
pub trait Classify: Module + ModuleDisplay {
    /// Computes the score of each input for each class.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, classes]`
    fn scores(&self, input: Tensor<2>) -> Tensor<2>;

    /// The number of features of an input.
    fn features(&self) -> usize;

    /// The last layer, which computes the scores. Weight decay applies to it.
    fn head(&self) -> &Head;

    /// The number of classes.
    fn classes(&self) -> usize {
        self.head().classes()
    }

    /// The peak learning rate of Adam that training uses unless it is given another: 1e-3.
    fn learning_rate(&self) -> f64 {
        crate::DenseConfig::LEARNING_RATE
    }

    /// Everything that determines what the classifier computes, except for its parameters; of a
    /// [`Classifier`] the [settings](Encoder::settings) of its encoder. A checkpoint of other settings is refused.
    fn settings(&self) -> Value {
        Value::Null
    }
}

/// The configuration of a [`Head`].
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `features` | (required) | from 1 | units of its input, a code or features |
/// | `classes` | (required) | from 2 | the number of classes, which each have a score |
///
/// ```
/// use ae_models::{Classify, HeadConfig};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let head = HeadConfig::new(30, 10).init(&device)?;
/// assert_eq!(head.scores(Tensor::ones([2, 30], &device)).dims(), [2, 10]);
/// # Ok::<(), ae_models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Units of its input.
    pub features: usize,
    /// The number of classes.
    pub classes: usize,
}

impl HeadConfig {
    /// The configuration for these numbers of features and classes.
    pub fn new(features: usize, classes: usize) -> Self {
        Self { features, classes }
    }

    /// Builds a head whose weights and biases are all 0. Nothing is random, so there is no seed.
    ///
    /// The usual losses are convex in the weights of a head, so a head alone reaches the same minimum
    /// from any start. From 0 it starts with equal scores (a cross-entropy of `ln classes`). On a
    /// pretrained encoder, a random head would first push codes in random directions, which damages them
    /// (Kumar et al. 2022, arXiv 2202.10054). A head of zeros does not change the encoder until it has
    /// learned something.
    ///
    /// # Errors
    /// If there are no features, or fewer than two classes.
    pub fn init(&self, device: &Device) -> Result<Head> {
        self.check()?;
        let shape = [self.features, self.classes];
        let weight = TensorData::new(vec![0.0f32; self.features * self.classes], shape);
        Ok(Head {
            weight: Param::from_data(weight, device),
            bias: Initializer::new(0, device).constant(self.classes, 0.0),
            config: self.clone(),
        })
    }

    fn check(&self) -> Result<()> {
        if self.features == 0 {
            return Err(Error::config("features", "at least one", self.features));
        }
        if self.classes < 2 {
            return Err(Error::config("classes", "at least two", self.classes));
        }
        check_count(
            Count::default().add(&[self.features, self.classes]).add(&[self.classes]).total(),
        )
    }
}

/// One affine layer, `s = h W + b`, `W: [features, classes]`: the scores are linear in the input.
///
/// Trained with softmax cross-entropy it is multinomial logistic regression, with a squared hinge loss
/// a linear support vector machine per class.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Head {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    config: HeadConfig,
}

impl Head {
    /// The configuration of the head.
    pub fn config(&self) -> &HeadConfig {
        &self.config
    }

    /// The weight `W`, `[features, classes]`, tracked by autodiff if the head is in training.
    pub fn weight(&self) -> Tensor<2> {
        self.weight.val()
    }

    /// The bias `b`, `[classes]`.
    pub fn bias(&self) -> Tensor<1> {
        self.bias.val()
    }
}

impl Classify for Head {
    fn scores(&self, input: Tensor<2>) -> Tensor<2> {
        linear(input, Weight::Plain(self.weight.val()), self.bias.val(), Activation::Identity)
    }

    fn features(&self) -> usize {
        self.config.features
    }

    fn head(&self) -> &Head {
        self
    }

    fn classes(&self) -> usize {
        self.config.classes
    }

    /// 1e-2: the loss of a head alone is convex.
    fn learning_rate(&self) -> f64 {
        1e-2
    }
}

print_as_summary!(Head);

impl Head {
    fn summary(&self) -> Summary {
        let HeadConfig { features, classes } = self.config;
        let mut summary = Summary::new(format!("Head {features} -> {classes}"));
        summary.row("head", "affine", classes.to_string(), features * classes + classes);
        summary
    }
}

/// A head on an encoder's codes, `scores(x) = head(encode(x))`: the scores of an input are those of its
/// code.
///
/// ```
/// use ae_models::{Classifier, Classify, DenseConfig, HeadConfig};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let autoencoder = DenseConfig::new([784, 100, 30]).init(0, &device)?;
/// let head = HeadConfig::new(30, 10).init(&device)?;
/// let classifier = Classifier::new(autoencoder.encoder().clone(), head)?;
/// assert_eq!(classifier.scores(Tensor::zeros([2, 784], &device)).dims(), [2, 10]);
/// # Ok::<(), ae_models::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Classifier<E: Encoder> {
    encoder: E,
    head: Head,
}

impl<E: Encoder> Classifier<E> {
    /// Puts a head on an encoder. The encoder can be a whole autoencoder, but its decoder is then not
    /// trained.
    ///
    /// # Errors
    /// If the features of the head are not the units of the code.
    pub fn new(encoder: E, head: Head) -> Result<Self> {
        if head.features() != encoder.code_size() {
            let expected = format!("{}, the units of the code", encoder.code_size());
            return Err(Error::config("features of the head", expected, head.features()));
        }
        Ok(Self { encoder, head })
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The encoder and the head.
    pub fn into_parts(self) -> (E, Head) {
        (self.encoder, self.head)
    }
}

impl<E: Encoder> Classify for Classifier<E> {
    fn scores(&self, input: Tensor<2>) -> Tensor<2> {
        self.head.scores(self.encoder.encode(input))
    }

    fn features(&self) -> usize {
        self.encoder.features()
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn settings(&self) -> Value {
        self.encoder.settings()
    }
}

impl<E: Encoder> ModuleDisplay for Classifier<E> {
    fn format(&self, settings: DisplaySettings) -> String {
        let title = format!("Classifier {} -> {}", self.features(), self.classes());
        let mut text = format!("{title}, {} parameters", thousands(self.num_params()));
        for part in [self.encoder.format(settings.clone()), self.head.format(settings)] {
            text += "\n  ";
            text += &part.replace('\n', "\n  ");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DenseConfig, tensors};

    /// h = (1, 2), W = [[1, 0, -1], [2, 1, 0.5]], b = (0, 1, -1):
    /// h W + b = (1 + 4, 2 + 1, -1 + 1 - 1) = (5, 3, -1).
    #[test]
    fn scores_by_hand() {
        let device = Device::flex();
        let head = HeadConfig::new(2, 3).init(&device).unwrap();
        let mut weights = tensors::collect(&head);
        assert_eq!(weights.keys().collect::<Vec<_>>(), ["bias", "weight"]);
        weights.insert("weight".into(), TensorData::from([[1.0f32, 2.0], [0.0, 1.0], [-1.0, 0.5]]));
        weights.insert("bias".into(), TensorData::from([0.0f32, 1.0, -1.0]));
        let head = tensors::replace(head, weights).unwrap();
        let scores = head.scores(Tensor::from_floats([[1.0, 2.0]], &device));
        scores.into_data().assert_eq(&TensorData::from([[5.0f32, 3.0, -1.0]]), true);
    }

    #[test]
    fn scores_are_those_of_the_head_on_the_codes() {
        let device = Device::flex();
        let autoencoder = DenseConfig::new([4, 3]).init(1, &device).unwrap();
        let head = HeadConfig::new(3, 2).init(&device).unwrap();
        let mut weights = tensors::collect(&head);
        let rows = TensorData::from([[1.0f32, -1.0, 0.5], [0.25, 2.0, 1.0]]);
        weights.insert("weight".into(), rows);
        let head = tensors::replace(head, weights).unwrap();
        let classifier = Classifier::new(autoencoder.encoder().clone(), head.clone()).unwrap();
        let input = Tensor::from_floats([[0.5, -1.0, 2.0, 0.25]], &device);
        let expected = head.scores(autoencoder.encode(input.clone())).into_data();
        assert_eq!(classifier.scores(input).into_data(), expected);
        assert_eq!((classifier.features(), classifier.classes()), (4, 2));
        let (encoder, head) = classifier.into_parts();
        assert_eq!(tensors::collect(&encoder), tensors::collect(autoencoder.encoder()));
        assert_eq!(head.config(), &HeadConfig::new(3, 2));
    }

    #[test]
    fn display_has_encoder_and_head() {
        let device = Device::flex();
        let autoencoder = DenseConfig::new([784, 500, 30]).init(0, &device).unwrap();
        let head = HeadConfig::new(30, 10).init(&device).unwrap();
        let classifier = Classifier::new(autoencoder.encoder().clone(), head).unwrap();
        assert_eq!(
            classifier.to_string(),
            "Classifier 784 -> 10, 407,840 parameters\n  \
               Dense encoder 784 -> 30, 407,530 parameters\n    \
                 encoder  dense, relu      500      392,500\n    \
                 encoder  dense, identity   30       15,030\n  \
               Head 30 -> 10, 310 parameters\n    \
                 head     affine  10          310"
        );
    }

    #[test]
    fn invalid_heads_are_refused() {
        let device = Device::flex();
        let refuse = |features, classes| {
            HeadConfig::new(features, classes).init(&device).unwrap_err().to_string()
        };
        assert_eq!(refuse(0, 10), "features: expected at least one, got 0");
        assert_eq!(refuse(30, 1), "classes: expected at least two, got 1");
        let autoencoder = DenseConfig::new([4, 3]).init(0, &device).unwrap();
        let head = HeadConfig::new(2, 2).init(&device).unwrap();
        assert_eq!(
            Classifier::new(autoencoder, head).unwrap_err().to_string(),
            "features of the head: expected 3, the units of the code, got 2"
        );
    }
}
