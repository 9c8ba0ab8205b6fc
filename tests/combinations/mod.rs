//! Every term of an objective and every kind of model, for `gradients.rs`, which compares their gradients with central
//! differences, and for `backends.rs`, which compares them with other back ends.

use std::collections::BTreeSet;

use autoencoders::burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use autoencoders::burn::tensor::{Gradients, Tensor};
use autoencoders::models::tensors::{self, ParamPath, Tensors};
use autoencoders::models::{
    Activation, Architecture, ConvConfig, DenseConfig, Downsample, Model, Norm, PcaConfig, Upsample,
};
use autoencoders::train::{
    CellKind, Contraction, Corruption, Curvature, Hoyer, KlSparsity, L1, Losses, MaskedColumn,
    MaskedTable, NoiseKey, Objective, Penalty, PenaltyState, Phase, Probability, Reconstruction,
    TopKSchedule, WeightDecay,
};

/// The features of every model's input.
pub const FEATURES: usize = 30;
pub const KEY: NoiseKey = NoiseKey { seed: 4, phase: Phase::Train(0), step: 0 };

/// All kinds of models, with smooth activations: a central difference across the kink of a rectifier is no derivative.
pub fn models() -> Vec<(&'static str, Architecture)> {
    let dense = DenseConfig { activation: Activation::Tanh, ..DenseConfig::new([FEATURES, 8, 5]) };
    let sigmoid = DenseConfig {
        activation: Activation::Sigmoid,
        code_activation: Activation::Sigmoid,
        ..dense.clone()
    };
    let conv = ConvConfig {
        channels: vec![2, 4],
        activation: Activation::Silu,
        ..ConvConfig::new([1, 6, 5], 4)
    };
    let maps = ConvConfig {
        activation: Activation::Tanh,
        code_activation: Activation::Sigmoid,
        ..ConvConfig::maps([1, 6, 5], [2, 3])
    };
    let one_layer =
        |config: &DenseConfig, code| DenseConfig { widths: vec![FEATURES, code], ..config.clone() };
    vec![
        ("dense", Architecture::Dense(dense.clone())),
        ("dense tied, sigmoid", {
            Architecture::Dense(DenseConfig { tied: true, ..sigmoid.clone() })
        }),
        ("dense, gelu code", {
            let code_activation = Activation::Gelu;
            Architecture::Dense(DenseConfig { code_activation, ..sigmoid.clone() })
        }),
        ("one layer, overcomplete", Architecture::Dense(one_layer(&sigmoid, 36))),
        ("one layer, k-sparse, tied", {
            let config = DenseConfig { tied: true, top_k: Some(6), ..one_layer(&dense, 12) };
            Architecture::Dense(config)
        }),
        ("linear", {
            let output = Activation::Identity;
            Architecture::Dense(DenseConfig { output, ..one_layer(&dense, 5) })
        }),
        ("dense, silu, linear output", {
            let output = Activation::Identity;
            let activation = Activation::Silu;
            Architecture::Dense(DenseConfig { activation, output, ..dense.clone() })
        }),
        ("dense, linear path", {
            Architecture::Dense(DenseConfig { linear_path: Some(5), ..dense.clone() })
        }),
        ("one layer, linear path", {
            let output = Activation::Identity;
            let linear_path = Some(3);
            Architecture::Dense(DenseConfig { output, linear_path, ..one_layer(&dense, 5) })
        }),
        ("pca", Architecture::Pca(PcaConfig { features: FEATURES, components: 4 })),
        ("stack, sigmoid", Architecture::Dense(sigmoid).stacked()),
        ("conv", Architecture::Conv(conv.clone())),
        ("conv tied", Architecture::Conv(ConvConfig { tied: true, ..conv.clone() })),
        ("conv upsampled, norm", {
            let norm = Norm::Group(2);
            Architecture::Conv(ConvConfig { up: Upsample::Nearest, norm, ..conv.clone() })
        }),
        ("conv max-pooled, sigmoid", {
            Architecture::Conv(ConvConfig {
                down: Downsample::MaxPool,
                norm: Norm::Layer,
                hidden: vec![6],
                code_activation: Activation::Sigmoid,
                ..conv.clone()
            })
        }),
        ("conv, norm, linear path", {
            let linear_path = Some(3);
            Architecture::Conv(ConvConfig { linear_path, norm: Norm::Layer, ..conv.clone() })
        }),
        ("conv, map as code", Architecture::Conv(maps.clone())),
        ("conv stack, tied", { Architecture::Conv(ConvConfig { tied: true, ..maps }).stacked() }),
    ]
}

/// Numbers, booleans and categories, which with their marks are all features.
fn masked_table() -> MaskedTable {
    let kinds = [(CellKind::Number, 1); 6].into_iter().chain([(CellKind::Boolean, 1); 2]);
    let mut end = 0;
    let columns = kinds.chain([(CellKind::Category, 3), (CellKind::Category, 4)]);
    let columns = columns.map(|(kind, count)| {
        let features = end..end + count;
        end += count;
        MaskedColumn { features, kind, hide: Probability::new(0.4).unwrap() }
    });
    MaskedTable::new(columns.collect()).unwrap()
}

/// All terms. The weights of penalties are large enough to show next to the reconstruction.
pub fn terms() -> Vec<(&'static str, Objective<Model>)> {
    let squared = || Objective::new(Reconstruction::SquaredError);
    let masked = || squared().corrupt(Corruption::masking(0.3).unwrap());
    let with = |weight, penalty: Box<dyn Penalty<Model>>| {
        squared().penalize(weight, Boxed(penalty)).unwrap()
    };
    let salted = Corruption::salt_and_pepper(0.4).unwrap();
    vec![
        ("squared error", squared()),
        ("cross-entropy", Objective::new(Reconstruction::CrossEntropy)),
        ("masking", masked()),
        ("salt-and-pepper", squared().corrupt(salted)),
        ("gaussian", squared().corrupt(Corruption::gaussian(0.2).unwrap())),
        ("deform", squared().corrupt(Corruption::deform(1.0, [1, 5, 6]).unwrap())),
        ("emphasis 1 to 0.3", masked().emphasize(1.0, 0.3).unwrap()),
        ("full emphasis", masked().emphasize(1.0, 0.0).unwrap()),
        ("known values", masked().of_known().emphasize(1.0, 0.3).unwrap()),
        ("masked cells", Objective::masked(masked_table())),
        ("masked, dropout, l1", {
            let objective = Objective::masked(masked_table().visible(0.0).unwrap());
            objective.dropout(0.3).unwrap().penalize(2.0, L1).unwrap()
        }),
        ("k-sparse", squared().train_top_k(TopKSchedule::annealed(4, 2, 3).unwrap())),
        ("dropout", squared().dropout(0.3).unwrap()),
        ("l1", with(2.0, Box::new(L1))),
        ("hoyer", with(2.0, Box::new(Hoyer))),
        ("kl, batch mean", with(5.0, Box::new(KlSparsity::toward(0.1).unwrap()))),
        ("kl, running mean", with(5.0, Box::new(KlSparsity::running(0.1, 0.6).unwrap()))),
        ("contraction, exact", with(3.0, Box::new(Contraction::exact()))),
        ("contraction, probes", with(3.0, Box::new(Contraction::probes(2).unwrap()))),
        ("curvature, exact", with(9.0, Box::new(Curvature::exact(0.5, 1).unwrap()))),
        ("curvature, probes", with(9.0, Box::new(Curvature::probes(0.5, 2, 2).unwrap()))),
        ("weight decay", with(1.0, Box::new(WeightDecay))),
        ("all of them", {
            let objective = masked().emphasize(1.0, 0.3).unwrap().dropout(0.2).unwrap();
            let objective = objective.penalize(0.5, L1).unwrap();
            let objective = objective.penalize(2.0, KlSparsity::running(0.1, 0.6).unwrap());
            let objective = objective.unwrap().penalize(2.0, Contraction::exact()).unwrap();
            let objective = objective.penalize(2.0, Curvature::probes(0.5, 1, 2).unwrap());
            objective.unwrap().penalize(0.1, WeightDecay).unwrap()
        }),
    ]
}

/// The names of parameters that training moves: not those of a convolutional model's linear path.
pub fn trained<M: Module>(model: &M) -> BTreeSet<String> {
    struct Trained(ParamPath, BTreeSet<String>);
    impl ModuleVisitor for Trained {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.1.insert(self.0.name());
            }
        }

        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter(name, container);
        }

        fn exit_module(&mut self, _: &str, container: &str) {
            self.0.exit(container);
        }
    }
    let mut trained = Trained(ParamPath::default(), BTreeSet::new());
    model.visit(&mut trained);
    trained.1
}

/// The gradients of a loss by the names of the parameters that are trained, in the layout of `collect`.
pub fn gradients<M: Module>(model: &M, gradients: Gradients) -> Tensors {
    struct Take(Gradients);
    impl ModuleMapper for Take {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let gradient = param.val().grad(&self.0);
            assert_eq!(gradient.is_some(), param.is_require_grad(), "what is trained takes part");
            param.map(|value| gradient.unwrap_or(value))
        }
    }
    let trained = trained(model);
    let mut all = tensors::collect(&model.clone().map(&mut Take(gradients)));
    all.retain(|name, _| trained.contains(name));
    all
}

/// The terms of an objective for [`KEY`], with a state for the penalties that have one.
pub fn losses(objective: &Objective<Model>, model: &Model, input: Tensor<2>) -> Losses {
    let units = autoencoders::models::Encoder::code_size(model);
    let past = Tensor::<1>::ones([units], &input.device().without_autodiff()) * 0.3;
    let penalty_state = PenaltyState::from([("kl-sparsity".to_owned(), past)]);
    let input = match objective.is_of_known() {
        // Two thirds are known.
        true => Tensor::cat(vec![input.clone(), input.greater_elem(0.35).float()], 1),
        false => input,
    };
    objective.losses(&objective.pass_with(model, input, KEY, penalty_state))
}

struct Boxed(Box<dyn Penalty<Model>>);

impl Penalty<Model> for Boxed {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn value(&self, pass: &autoencoders::train::Pass<'_, Model>) -> Tensor<1> {
        self.0.value(pass)
    }

    fn update_state(&self, pass: &autoencoders::train::Pass<'_, Model>) -> Option<Tensor<1>> {
        self.0.update_state(pass)
    }

    fn check(&self, model: &Model) -> autoencoders::train::Result<()> {
        self.0.check(model)
    }
}
