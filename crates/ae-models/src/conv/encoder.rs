//! The encoder of a convolutional autoencoder.

use ae_kernels::{conv_transpose2d, conv2d, flatten, unflatten};
use burn::module::Module;
use burn::tensor::{
    Bool, IndexingUpdateOp, Int, Tensor,
    module::{max_pool2d, max_pool2d_with_indices},
    ops::MaxPoolOptions,
};

use super::{ConvConfig, Stage, norm, normalized, shape};
use crate::layers::{Affine, Kernel, Normalization, NormalizationSlope};
use crate::linear_path::LinearPath;
use crate::summary::{Summary, print_as_summary};
use crate::tangent::scale;
use crate::top_k::{apply_top_k, dropped_units};
use crate::{
    Activation, DifferentiableEncoder, Downsample, Encoder, Pca, initializer::Initializer,
};

/// The encoding half of a [`Conv`](crate::Conv) autoencoder.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvEncoder {
    pub(super) stages: Vec<Stage>,
    pub(super) dense: Vec<Affine>,
    pub(super) linear: Option<LinearPath>,
    #[module(skip)]
    pub(super) config: ConvConfig,
}

impl ConvEncoder {
    pub(crate) fn init(config: &ConvConfig, initializer: &mut Initializer) -> Self {
        let mut stages = Vec::new();
        for (index, pair) in config.chain().windows(2).enumerate() {
            let convolution = match config.tied {
                true => {
                    Kernel::init_tied([pair[0], pair[1]], config.kernel, config.up, initializer)
                }
                false => {
                    let gain = config.encoder_activation(index).gain();
                    Kernel::init([pair[0], pair[1]], config.kernel, gain, initializer)
                }
            };
            let groups = config.norm.groups();
            let norm = groups.map(|groups| Normalization::init(pair[1], groups, initializer));
            stages.push(Stage { convolution, norm });
        }
        let mut dense = Vec::new();
        for (index, pair) in config.widths().windows(2).enumerate() {
            let (from_to, stages) = ([pair[0], pair[1]], stages.len());
            dense.push(match config.tied {
                true => Affine {
                    weight: initializer.symmetric_weight(from_to),
                    bias: initializer.constant(pair[1], 0.0),
                },
                false => {
                    let gain = config.encoder_activation(stages + index).gain();
                    Affine::init(from_to, gain, initializer)
                }
            });
        }
        let path = |count| LinearPath::init([config.features(), count], config.output, initializer);
        let linear = config.linear_path.map(path).map(LinearPath::fixed);
        Self { stages, dense, linear, config: config.clone() }
    }

    /// The configuration of the model.
    pub fn config(&self) -> &ConvConfig {
        &self.config
    }
}

/// What the derivative of a stage needs.
struct StageSlope {
    norm: Option<NormalizationSlope>,
    activation: Tensor<4>,
    /// Positions of the maxima in the flattened map before pooling, `[batch, channels, height * width]`.
    pooled: Option<Tensor<3, Int>>,
}

/// What the derivative of the encoder needs.
struct Slopes {
    stages: Vec<StageSlope>,
    dense: Vec<Tensor<2>>,
    /// A mask of the units of the code that are not kept.
    dropped: Option<Tensor<2, Bool>>,
}

impl ConvEncoder {
    fn image(&self, rows: Tensor<2>) -> Tensor<4> {
        unflatten(rows, self.config.input)
    }

    fn stride(&self) -> usize {
        match self.config.down {
            Downsample::Stride => 2,
            Downsample::MaxPool => 1,
        }
    }

    pub(super) fn encode_hooked(
        &self,
        input: Tensor<2>,
        mut hook: Option<&mut dyn FnMut(Tensor<2>) -> Tensor<2>>,
    ) -> Tensor<2> {
        let config = &self.config;
        let last = config.encoder_layers() - 1;
        let mut map = self.image(input.clone());
        for (index, stage) in self.stages.iter().enumerate() {
            map = normalized(&stage.norm, config.encoder_activation(index), |after| {
                stage.convolution.forward(map, self.stride(), after)
            });
            if config.down == Downsample::MaxPool {
                map = max_pool2d(map, squares());
            }
            if let (Some(hook), true) = (&mut hook, index < last) {
                let shape = map.dims();
                map = hook(map.flatten(1, 3)).reshape(shape);
            }
        }
        let layers = self.dense.iter().enumerate();
        let code = layers.fold(flatten(map), |x, (index, layer)| {
            let index = self.stages.len() + index;
            let y = layer.forward(x, config.encoder_activation(index));
            match &mut hook {
                Some(hook) if index < last => hook(y),
                _ => y,
            }
        });
        match &self.linear {
            Some(linear) => linear.encode(input, code),
            None => code,
        }
    }

    /// The same with the components of a PCA in parallel. Its last layer, which is dense, is set to 0.
    pub(super) fn with_linear_path(mut self, pca: &Pca, config: &ConvConfig) -> Self {
        if let Some(last) = self.dense.last_mut() {
            let device = last.weight.val().device().without_autodiff();
            self.linear = Some(LinearPath::of(pca, &device).fixed());
            *last = last.at_zero();
        }
        Self { config: config.clone(), ..self }
    }

    fn slopes(&self, input: Tensor<2>) -> (Tensor<2>, Slopes) {
        let config = &self.config;
        let (mut map, mut stages) = (self.image(input.clone()), Vec::new());
        for (index, stage) in self.stages.iter().enumerate() {
            map = stage.convolution.forward(map, self.stride(), Activation::Identity);
            let norm = stage.norm.as_ref().map(|norm| {
                let (normal, slope) = norm.forward_with_slope(map.clone());
                map = normal;
                slope
            });
            let [value, activation] = config.encoder_activation(index).with_slope(map);
            let pooled;
            (map, pooled) = match config.down {
                Downsample::Stride => (value, None),
                Downsample::MaxPool => {
                    let (pooled, indices) = max_pool2d_with_indices(value, squares());
                    (pooled, Some(indices.flatten(2, 3)))
                }
            };
            stages.push(StageSlope { norm, activation, pooled });
        }
        let (mut x, mut dense) = (flatten(map), Vec::new());
        for (index, layer) in self.dense.iter().enumerate() {
            let activation = config.encoder_activation(self.stages.len() + index);
            let [value, slope] = activation.with_slope(layer.forward(x, Activation::Identity));
            dense.push(slope);
            x = value;
        }
        let dropped = config.top_k.and_then(|k| dropped_units(x.clone(), k));
        let mut code = drop_units(x, &dropped);
        if let Some(linear) = &self.linear {
            code = linear.encode(input, code);
        }
        (code, Slopes { stages, dense, dropped })
    }
}

fn squares() -> MaxPoolOptions<2> {
    MaxPoolOptions::new([2; 2]).with_stride([2; 2]).with_ceil_mode(true)
}

/// Zeroes the dropped units of codes, or of several directions per sample: `[n * batch, code]`.
fn drop_units(codes: Tensor<2>, dropped: &Option<Tensor<2, Bool>>) -> Tensor<2> {
    match dropped {
        Some(dropped) => {
            let [rows, _] = codes.dims();
            let times = rows / dropped.dims()[0];
            codes.mask_fill(dropped.clone().repeat(&[times, 1]), 0.0)
        }
        None => codes,
    }
}

/// The positions of the maxima for several directions per sample.
fn repeated(indices: &Tensor<3, Int>, rows: usize) -> Tensor<3, Int> {
    indices.clone().repeat(&[rows / indices.dims()[0], 1, 1])
}

impl Encoder for ConvEncoder {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        apply_top_k(self.encode_dense(input), self.config.top_k)
    }

    fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
        self.encode_hooked(input, None)
    }

    fn top_k(&self) -> Option<usize> {
        self.config.top_k
    }

    fn learning_rate(&self) -> f64 {
        ConvConfig::LEARNING_RATE
    }

    fn features(&self) -> usize {
        self.config.features()
    }

    fn code_size(&self) -> usize {
        self.config.code_size()
    }

    fn code_activation(&self) -> Activation {
        self.config.code_activation
    }

    fn settings(&self) -> serde_json::Value {
        crate::FromArchitecture::architecture(self).settings()
    }
}

impl DifferentiableEncoder for ConvEncoder {
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        let (code, slopes) = self.slopes(input);
        let sizes = self.config.sizes();
        let mut v = self.image(directions.clone());
        for (index, (stage, slope)) in self.stages.iter().zip(&slopes.stages).enumerate() {
            let weight = stage.convolution.weight.val();
            v = conv2d(v, weight, None, self.stride(), Activation::Identity);
            if let (Some(norm), Some(slope)) = (&stage.norm, &slope.norm) {
                v = norm.tangent(v, slope);
            }
            v = scale(v, slope.activation.clone());
            if let Some(indices) = &slope.pooled {
                let ([rows, channels, ..], [height, width]) = (v.dims(), sizes[index + 1]);
                let selected = v.flatten::<3>(2, 3).gather(2, repeated(indices, rows));
                v = selected.reshape([rows, channels, height, width]);
            }
        }
        let layers = self.dense.iter().zip(slopes.dense);
        let tangent = layers
            .fold(v.flatten(1, 3), |v, (layer, slope)| scale(v.matmul(layer.weight.val()), slope));
        let tangent = drop_units(tangent, &slopes.dropped);
        match &self.linear {
            Some(linear) => [code, linear.tangent(directions, tangent)],
            None => [code, tangent],
        }
    }

    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        let (code, slopes) = self.slopes(input);
        let (sizes, chain) = (self.config.sizes(), self.config.chain());
        let layers = self.dense.iter().zip(slopes.dense).rev();
        let u = layers
            .fold(drop_units(directions.clone(), &slopes.dropped), |u, (layer, slope)| {
                scale(u, slope).matmul(layer.weight.val().transpose())
            });
        let [rows, _] = u.dims();
        let [channels, height, width] = self.config.innermost();
        let mut u = u.reshape([rows, channels, height, width]);
        for (index, (stage, slope)) in self.stages.iter().zip(slopes.stages).enumerate().rev() {
            let [height, width] = sizes[index];
            if let Some(indices) = &slope.pooled {
                let channels = chain[index + 1];
                let empty = Tensor::zeros([rows, channels, height * width], &u.device());
                let indices = repeated(indices, rows);
                let spread = empty.scatter(2, indices, u.flatten(2, 3), IndexingUpdateOp::Add);
                u = spread.reshape([rows, channels, height, width]);
            }
            u = scale(u, slope.activation);
            if let (Some(norm), Some(slope)) = (&stage.norm, &slope.norm) {
                u = norm.cotangent(u, slope);
            }
            let weight = stage.convolution.weight.val();
            let (stride, size) = (self.stride(), [height, width]);
            u = conv_transpose2d(u, weight, None, stride, size, Activation::Identity);
        }
        match &self.linear {
            Some(linear) => [code, linear.cotangent(directions, u.flatten(1, 3))],
            None => [code, u.flatten(1, 3)],
        }
    }
}

print_as_summary!(ConvEncoder);

impl ConvEncoder {
    fn summary(&self) -> Summary {
        let (input, code) = (shape(self.config.input), self.code_size());
        let title = format!("Convolutional encoder {input} -> {code}");
        let mut summary = Summary::new(title);
        self.summarize(&mut summary);
        summary
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        let config = &self.config;
        let kernel = config.kernel;
        let (channels, sizes) = (config.chain(), config.sizes());
        let down = match config.down {
            Downsample::Stride => "stride 2",
            Downsample::MaxPool => "max-pool 2",
        };
        for (index, stage) in self.stages.iter().enumerate() {
            let [height, width] = sizes[index + 1];
            let activation = config.encoder_activation(index);
            summary.row(
                "encoder",
                format!("convolution {kernel}x{kernel}, {down}, {}{activation}", norm(config)),
                shape([channels[index + 1], height, width]),
                stage.num_params(),
            );
        }
        for (index, layer) in self.dense.iter().enumerate() {
            let activation = config.encoder_activation(self.stages.len() + index);
            let width = layer.bias.dims()[0];
            summary.row(
                "encoder",
                format!("dense, {activation}"),
                width.to_string(),
                layer.num_params(),
            );
        }
        if let Some(linear) = &self.linear {
            linear.summarize("encoder", summary);
        }
    }
}
