//! What the model is made of.

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
    /// Widths of hidden dense layers, or none [default: conv none, dense 1000,500,250, tables 4 times
    /// their columns]
    #[arg(long, value_name = "N,N,..|none", value_parser = widths)]
    pub hidden: Option<Value>,
    /// Channels after each convolution (conv) [default: 32,64]
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    pub channels: Option<Vec<usize>>,
    /// Size of convolution kernels, odd (conv) [default: 3]
    #[arg(long, value_name = "N")]
    pub kernel: Option<usize>,
    /// How the encoder halves: stride or max-pool (conv) [default: stride]
    #[arg(long, value_name = "HOW")]
    pub down: Option<String>,
    /// How the decoder doubles: transposed or upsample (conv) [default: transposed]
    #[arg(long, value_name = "HOW")]
    pub up: Option<String>,
    /// none, layer or group:N (conv) [default: none]
    #[arg(long, value_name = "NORM", value_parser = norm)]
    pub norm: Option<Value>,
    /// identity, sigmoid, tanh, relu, leaky-relu, gelu or silu [default: relu; pretrain: sigmoid for
    /// dense]
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Activation>,
    /// Activation of the code [default: identity; with --kl sigmoid]
    #[arg(long, value_name = "NAME")]
    pub code_activation: Option<Activation>,
    /// Activation of the output [default: sigmoid for images and after min-max, else identity]
    #[arg(long, value_name = "NAME")]
    pub output: Option<Activation>,
    /// Let the decoder use the encoder's weights, transposed (conv, dense)
    #[arg(long)]
    pub tied: bool,
    /// Units of a code that the model keeps in use, the largest; the others are 0 [default: all; with
    /// --k-sparse twice its K]
    #[arg(long, value_name = "N")]
    pub kept: Option<usize>,
}

impl ModelArgs {
    /// The options as the section of a recipe, with such a code.
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
        put(&mut section, "kept", self.kept.map(number));
        section
    }
}
