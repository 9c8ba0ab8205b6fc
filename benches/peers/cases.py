"""The nets that are compared, and their weights, named as the Rust side names them in its files."""

import json
import math

import numpy as np

ROWS = 8192
RATE = 1e-3

# Widths from the input to the code (dense), or channels of the stages (convolutional) and the order of the
# dimensions that was quicker in JAX.
CASES = {
    "dense-deep": dict(kind="dense", widths=[784, 1000, 500, 250, 30]),
    "dense-tied": dict(kind="tied", widths=[784, 500], masking=0.25),
    "contractive": dict(kind="tied", widths=[784, 500], contraction=0.1),
    "conv": dict(kind="conv", image=[1, 28, 28], channels=[32, 64], code=None, jax="NHWC"),
    "conv-deep": dict(kind="conv", image=[3, 32, 32], channels=[32, 64, 128], code=128, jax="NCHW"),
    # Not a net but the square product that says what the machine can do.
    "product": dict(kind="product"),
}


def features(case):
    return math.prod(case["image"]) if case["kind"] == "conv" else case["widths"][0]


def draw(case, rng):
    """Random weights: `[out, in]` of a dense layer, `[out, in, 3, 3]` of a convolution, and of a transposed one
    `[in, out, 3, 3]`, as PyTorch has them; biases of 0."""
    weights = {}

    def add(name, shape, outputs, fan_in, gain):
        values = rng.standard_normal(shape) * math.sqrt(gain / fan_in)
        weights[f"{name}.weight"] = values.astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(outputs, np.float32)

    if case["kind"] == "dense":
        for half, widths in (("encoder", case["widths"]), ("decoder", case["widths"][::-1])):
            for i, (a, b) in enumerate(zip(widths, widths[1:])):
                add(f"{half}.layers.{i}", (b, a), b, a, 2)
    elif case["kind"] == "tied":
        a, b = case["widths"]
        add("encoder.layers.0", (b, a), b, (a + b) / 2, 1)
        weights["decoder.layers.0.bias"] = np.zeros(a, np.float32)
    else:
        chain = [case["image"][0]] + case["channels"]
        depth = len(chain) - 1
        for i, (a, b) in enumerate(zip(chain, chain[1:])):
            add(f"encoder.stages.{i}.convolution", (b, a, 3, 3), b, a * 9, 2)
            add(f"decoder.stages.{depth - 1 - i}.convolution", (b, a, 3, 3), a, b * 9 / 4, 2)
        if case["code"]:
            flat = chain[-1] * math.prod(side >> depth for side in case["image"][1:])
            add("encoder.dense.0", (case["code"], flat), case["code"], flat, 1)
            add("decoder.dense.0", (flat, case["code"]), flat, case["code"], 2)
    return weights


def read(path):
    """The weights in a file of the Rust side (safetensors: a length, names and places in JSON, numbers)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        numbers = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(numbers[slice(*at["data_offsets"])], np.float32).reshape(at["shape"]).copy()
        for name, at in header.items()
    }
