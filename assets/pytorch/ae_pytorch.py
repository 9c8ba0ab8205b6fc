"""Models saved by this project, in PyTorch.

    from ae_pytorch import load
    model = load("model.safetensors")
    code = model.encode(x)               # [batch, features] -> [batch, code]
    reconstruction = model.decode(code)  # [batch, code] -> [batch, features]

Needs torch and safetensors. A model trained further goes back with
`safetensors.torch.save_file(model.state_dict(), "model.safetensors")` beside its `model.json`.
"""

import json
import math
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky-relu": lambda x: F.leaky_relu(x, 0.01),
    "gelu": F.gelu,
    "silu": F.silu,
}


class Autoencoder(nn.Module):
    def decode(self, code):
        return ACTIVATIONS[self.config["output"]](self.decode_logits(code))

    def forward(self, x):
        return self.decode(self.encode(x))

    def activations(self, count, last):
        return [ACTIVATIONS[self.config["activation"]]] * (count - 1) + [ACTIVATIONS[last]]


def keep(code, config):
    """All but the largest units to 0, where the model keeps only so many."""
    k = config.get("kept")
    if k is None or k >= code.shape[1]:
        return code
    last = code.topk(k, dim=1).values[:, -1:]
    return code * (code >= last)


class LinearPath(nn.Module):
    """Principal components beside the layers."""

    def __init__(self, features, components):
        super().__init__()
        self.components = nn.Parameter(torch.zeros(components, features))
        self.mean = nn.Parameter(torch.zeros(features))

    def encode(self, x, code):
        path = F.linear(x - self.mean, self.components)
        return F.pad(path, (0, code.shape[1] - path.shape[1])) + code

    def decode(self, code, logits, output):
        path = code[:, : len(self.components)] @ self.components + self.mean
        if output == "sigmoid":
            path = torch.logit(path.clamp(1 / 512, 511 / 512))
        return path + logits


def add_linear_path(model, features, is_trained):
    components = model.config.get("linear_path")
    for half in (model.encoder, model.decoder):
        half.linear = None if components is None else LinearPath(features, components)
        if half.linear is not None:
            half.linear.requires_grad_(is_trained)


class Bias(nn.Module):
    """A decoder layer that has its encoder layer's weight, transposed."""

    def __init__(self, width):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))


class Dense(Autoencoder):
    def __init__(self, config):
        super().__init__()
        self.config = config
        widths = config["widths"]
        pairs = list(zip(widths, widths[1:]))
        back = [(b, a) for a, b in reversed(pairs)]
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)
        self.decoder = nn.Module()
        layer = (lambda a, b: Bias(b)) if config["tied"] else nn.Linear
        self.decoder.layers = nn.ModuleList(layer(a, b) for a, b in back)
        add_linear_path(self, widths[0], is_trained=True)

    def encode(self, given):
        x, layers = given, self.encoder.layers
        for layer, s in zip(layers, self.activations(len(layers), self.config["code_activation"])):
            x = s(layer(x))
        if self.encoder.linear is not None:
            x = self.encoder.linear.encode(given, x)
        return keep(x, self.config)

    def decode_logits(self, code):
        x, layers = code, self.decoder.layers
        for i, (layer, s) in enumerate(zip(layers, self.activations(len(layers), "identity"))):
            tied = self.encoder.layers[len(layers) - 1 - i].weight.T
            x = s(F.linear(x, tied if self.config["tied"] else layer.weight, layer.bias))
        if self.decoder.linear is not None:
            x = self.decoder.linear.decode(code, x, self.config["output"])
        return x


class Conv(Autoencoder):
    def __init__(self, config):
        super().__init__()
        self.config = config
        kernel, (channels, height, width) = config["kernel"], config["input"]
        chain = [channels] + config["channels"]
        self.sizes = [(height, width)]
        for _ in config["channels"]:
            self.sizes.append(tuple(math.ceil(size / 2) for size in self.sizes[-1]))
        self.innermost = (chain[-1], *self.sizes[-1])
        code = [] if config["code"] is None else [config["code"]]
        widths = [math.prod(self.innermost), *config["hidden"], *code]
        self.tied = config.get("tied", False)
        stride = 2 if config["down"] == "stride" else 1

        def stage(convolution, channels, has_norm):
            stage = nn.Module()
            stage.convolution = convolution
            norm = config["norm"]
            groups = norm["group"] if isinstance(norm, dict) else {"none": 0, "layer": 1}[norm]
            stage.norm = nn.GroupNorm(groups, channels) if has_norm and groups else nn.Identity()
            return stage

        def up(a, b):
            if self.tied:
                return Bias(b)
            if config["up"] == "transposed":
                return nn.ConvTranspose2d(a, b, kernel, stride=2, padding=kernel // 2)
            return nn.Conv2d(a, b, kernel, padding=kernel // 2)

        self.encoder = nn.Module()
        self.encoder.stages = nn.ModuleList(
            stage(nn.Conv2d(a, b, kernel, stride=stride, padding=kernel // 2), b, True)
            for a, b in zip(chain, chain[1:])
        )
        self.encoder.dense = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.decoder = nn.Module()
        self.decoder.dense = nn.ModuleList(
            (Bias(a) if self.tied else nn.Linear(b, a))
            for a, b in reversed(list(zip(widths, widths[1:])))
        )
        self.decoder.stages = nn.ModuleList(
            stage(up(chain[i + 1], chain[i]), chain[i], i > 0)
            for i in reversed(range(len(chain) - 1))
        )
        add_linear_path(self, channels * height * width, is_trained=False)

    def encode(self, given):
        stages, dense = self.encoder.stages, self.encoder.dense
        all = self.activations(len(stages) + len(dense), self.config["code_activation"])
        x = given.reshape(-1, *self.config["input"])
        for stage, s in zip(stages, all):
            x = s(stage.norm(stage.convolution(x)))
            if self.config["down"] == "max-pool":
                x = F.max_pool2d(x, 2, ceil_mode=True)
        x = x.flatten(1)
        for layer, s in zip(dense, all[len(stages) :]):
            x = s(layer(x))
        if self.encoder.linear is not None:
            x = self.encoder.linear.encode(given, x)
        return keep(x, self.config)

    def up(self, x, stage, i):
        """To the map of stage i, through the decoder's convolution or the encoder's transposed."""
        height, width = self.sizes[i]
        is_transposed = self.config["up"] == "transposed"
        if not is_transposed:
            x = F.interpolate(x, size=self.sizes[i], mode="nearest")
        if not self.tied:
            return stage.convolution(x, output_size=self.sizes[i]) if is_transposed else stage.convolution(x)
        stride, padding = 2 if is_transposed else 1, self.config["kernel"] // 2
        lacking = ((height - 1) % stride, (width - 1) % stride)
        weight = self.encoder.stages[i].convolution.weight
        return F.conv_transpose2d(x, weight, stage.convolution.bias, stride, padding, lacking)

    def decode_logits(self, code):
        x, s = code, ACTIVATIONS[self.config["activation"]]
        for layer, mirror in zip(self.decoder.dense, reversed(self.encoder.dense)):
            x = s(F.linear(x, mirror.weight.T, layer.bias) if self.tied else layer(x))
        x = x.reshape(-1, *self.innermost)
        for i, stage in reversed(list(enumerate(reversed(self.decoder.stages)))):
            x = self.up(x, stage, i)
            if i > 0:
                x = s(stage.norm(x))
        x = x.flatten(1)
        if self.decoder.linear is not None:
            x = self.decoder.linear.decode(code, x, self.config["output"])
        return x


class Stack(Autoencoder):
    def __init__(self, config):
        super().__init__()
        self.layers = nn.ModuleList(build(layer) for layer in config["layers"])
        self.config = self.layers[0].config

    def encode(self, x):
        for layer in self.layers:
            x = layer.encode(x)
        return x

    def decode_logits(self, x):
        for layer in reversed(self.layers[1:]):
            x = layer.decode(x)
        return self.layers[0].decode_logits(x)


class Pca(Autoencoder):
    def __init__(self, config):
        super().__init__()
        self.config = {"output": "identity", **config}
        self.mean = nn.Parameter(torch.zeros(config["features"]))
        self.components = nn.Parameter(torch.zeros(config["components"], config["features"]))

    def encode(self, x):
        return F.linear(x - self.mean, self.components)

    def decode_logits(self, x):
        return x @ self.components + self.mean


def build(config):
    return {"dense": Dense, "conv": Conv, "stack": Stack, "pca": Pca}[config["kind"]](config)


def load(path):
    """A whole autoencoder from `path`, in evaluation mode."""
    with safe_open(path, framework="pt") as file:
        description = (file.metadata() or {}).get("ae")
        weights = {name: file.get_tensor(name) for name in file.keys()}
    if description is None:  # weights that PyTorch wrote: the description lies beside them
        description = Path(path).with_suffix(".json").read_text()
    description = json.loads(description)
    if description["part"] != "whole":
        raise ValueError(f"{path}: expected a whole autoencoder, got the {description['part']}")
    model = build(description["architecture"])
    model.load_state_dict(weights)
    return model.eval()
