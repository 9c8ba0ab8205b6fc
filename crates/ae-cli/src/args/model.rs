//! Arguments of the model section.

use ae_models::Activation;
use clap::Args;
use toml::{Table, Value};

use super::values::{flag, name, norm, number, numbers, put, text, widths};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// conv, dense or pca [default: conv for images, dense for tables; pretrain: dense]
    #[arg(short, long, value_name = "KIND")]
    pub model: Option<String>,
    /// Widths of the hidden dense layers, or none [default: conv none, dense 1000,500,250, tables 4 times
    /// the number of columns, from 128 to 512]
    #[arg(long, value_name = "N,N,..|none", value_parser = widths)]
    pub hidden: Option<Value>,
    /// Channels after each convolution (conv) [default: 32,64]
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    pub channels: Option<Vec<usize>>,
    /// Kernel size of the convolutions, odd (conv) [default: 3]
    #[arg(long, value_name = "N")]
    pub kernel: Option<usize>,
    /// Downsampling in the encoder: stride or max-pool (conv) [default: stride]
    #[arg(long, value_name = "HOW")]
    pub down: Option<String>,
    /// Upsampling in the decoder: transposed or upsample (conv) [default: transposed]
    #[arg(long, value_name = "HOW")]
    pub up: Option<String>,
    /// Normalization: none, layer or group:N (conv) [default: none]
    #[arg(long, value_name = "NORM", value_parser = norm)]
    pub norm: Option<Value>,
    /// Activation of hidden layers: identity, sigmoid, tanh, relu, leaky-relu, gelu or silu [default:
    /// relu, tables silu; pretrain: sigmoid for dense]
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Activation>,
    /// Activation of the code [default: identity; with --kl sigmoid]
    #[arg(long, value_name = "NAME")]
    pub code_activation: Option<Activation>,
    /// Activation of the output [default: sigmoid for images and after min-max, else identity]
    #[arg(long, value_name = "NAME")]
    pub output: Option<Activation>,
    /// Tie the decoder's weights to the encoder's, transposed (conv, dense)
    #[arg(long)]
    pub tied: bool,
    /// Keep only the N largest units of each code after training and set the others to 0 [default: all;
    /// with --train-top-k twice its K]
    #[arg(long, alias = "kept", value_name = "N")]
    pub top_k: Option<usize>,
    /// Add the principal components to the layers, so that training starts as PCA and improves on it: auto, on or
    /// off [default: auto, on if the model can have them and nothing is penalized; with --recipe off]
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "on", "off"])]
    pub linear_path: Option<String>,
}

impl ModelArgs {
    /// The model section of a recipe, with this code.
    pub fn section(&self, code: &Option<Value>) -> Table {
        let list = |list: &Option<Vec<usize>>| list.as_deref().map(numbers);
        let mut section = Table::new();
        put(&mut section, "kind", text(&self.model));
        put(&mut section, "code", code.clone());
        put(&mut section, "hidden", self.hidden.clone());
        put(&mut section, "channels", list(&self.channels));
        put(&mut section, "kernel", self.kernel.map(number));
        put(&mut section, "down", text(&self.down));
        put(&mut section, "up", text(&self.up));
        put(&mut section, "norm", self.norm.clone());
        put(&mut section, "activation", name(self.activation));
        put(&mut section, "code_activation", name(self.code_activation));
        put(&mut section, "output", name(self.output));
        put(&mut section, "tied", flag(self.tied));
        put(&mut section, "kept", self.top_k.map(number));
        put(&mut section, "linear_path", text(&self.linear_path));
        section
    }
}
