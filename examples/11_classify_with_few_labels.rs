//! Few labels, many images: an encoder that was pretrained without labels (stacked denoising, Vincent et
//! al. 2010, JMLR 11:3371) gives a classifier features of all images; a classifier from scratch has only
//! the labelled ones.
//!
//!     cargo run --release --example 11_classify_with_few_labels [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{
    Activation, Classifier, Dense, DenseConfig, DenseEncoder, HeadConfig, Stack,
};
use autoencoders::train::{
    Corruption, HeadLoss, Labelled, LabelledData, Layerwise, Objective, Reconstruction, Supervised,
    Training, classify,
};
use setting::{Result, Setting, at_most};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 1000))?;
    let device = Device::flex();
    let widths = setting.pick(vec![784, 200, 100], vec![784, 1000, 500]);
    let config = DenseConfig {
        activation: Activation::Sigmoid,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new(widths)
    };
    let layers = config.layers();
    let layers = layers.iter().map(|layer| layer.init(setting.seed, &device));
    let stack = Stack::new(layers.collect::<std::result::Result<Vec<Dense>, _>>()?)?;
    let masking = Corruption::masking(0.25)?;
    let of_layer = |_, _: &_| Ok(Objective::new(Reconstruction::CrossEntropy).corrupt(masking));
    let schedule = setting.schedule((15, 50, 5e-3), (8, 128, 1e-3));
    let pretrained = Training::new(stack.clone(), &Layerwise(&of_layer))
        .schedule(&schedule)
        .fit(setting.data())?
        .stack;

    let labels = setting.pick(100, 1000);
    let few = Labelled::from_samples(setting.training.take(labels))?;
    let data = LabelledData { training: few, validation: None };
    let test = Labelled::from_samples(setting.test.clone())?;
    let schedule = setting.schedule((200, 50, 5e-3), (60, 50, 1e-3));
    let supervised = Supervised::new(HeadLoss::Softmax, 0.0)?;
    let mut errors = Vec::new();
    for (name, stack) in [("from scratch", stack), ("pretrained", pretrained)] {
        let encoders: Vec<DenseEncoder> =
            stack.layers().iter().map(|layer| layer.encoder().clone()).collect();
        let head = HeadConfig::new(setting.pick(100, 500), 10).init(&device)?;
        let classifier = Classifier::new(Stack::new(encoders)?, head)?;
        let fitted = Training::new(classifier, &supervised).schedule(&schedule).fit(&data)?;
        let answers = classify(&fitted.model, supervised.loss(), &test, 500)?.classification;
        println!("{labels} labels, {name}: {:.2} % of the test wrong", 100.0 * answers.error());
        errors.push(answers.error());
    }
    at_most(
        "errors over those from scratch",
        errors[1] / errors[0],
        setting.pick((0.9, "0.68 to 0.81, 3 seeds"), (0.9, "0.75, 1 seed")),
    )
}
