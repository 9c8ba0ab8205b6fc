"""A step in JAX: one jit around noise, loss, gradient and Adam, its state donated."""

import ctypes
import math
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
from jax import lax

from cases import RATE

# The same arithmetic as the others on a GPU too.
jax.config.update("jax_default_matmul_precision", "highest")

IS_LIMITED = "xla_cpu_max_isa" in os.environ.get("XLA_FLAGS", "")


def limit():
    """Takes from XLA's library of products (YNNPACK) all that is wider than AVX2: it asks the processor and heeds no
    flag. It keeps what it found in a variable, which this changes once it is there; the last bit of AVX2's is the
    eighth."""
    library = next(line for line in open("/proc/self/maps") if "libjax_common.so" in line).split()
    start = int(library[0].split("-")[0], 16) - int(library[2], 16)
    name = "_ZZN3ynn24get_supported_arch_flagsEvE5flags"
    # Line by line: all of them at once would be the most memory this process ever has.
    with subprocess.Popen(["nm", library[-1]], stdout=subprocess.PIPE, text=True) as symbols:
        lines = [line for line in symbols.stdout if line.split()[-1] == name]
    if not lines:
        sys.exit(f"isa: expected {name} in {library[-1]}; this JAX cannot be limited")
    address = int(lines[0].split()[0], 16)
    jax.jit(jnp.matmul)(jnp.ones((64, 64)), jnp.ones((64, 64))).block_until_ready()
    flags = ctypes.c_uint64.from_address(start + address)
    if not flags.value & 0x80:
        sys.exit(f"isa: expected AVX2 among what XLA's library uses, got {flags.value:x}")
    flags.value &= 0xFF


def product(size):
    a, b = (jax.random.uniform(jax.random.key(seed), (size, size)) for seed in range(2))
    multiply = jax.jit(jnp.matmul)
    return lambda: multiply(a, b)


def net(case, batch, weights, rows, rng):
    def parameter(name, value):
        if value.ndim == 2:
            return jnp.asarray(value.T)
        if value.ndim == 4 and name.startswith("encoder"):
            return jnp.asarray(value.transpose(2, 3, 1, 0))
        if value.ndim == 4:
            # As the kernel of the convolution over a map with zeros between: the other way round.
            return jnp.asarray(value.transpose(2, 3, 0, 1)[::-1, ::-1])
        return jnp.asarray(value)

    p = {name: parameter(name, value) for name, value in weights.items()}
    count, rows = len(rows), jnp.asarray(rows)

    def affine(p, x, name):
        return x @ p[f"{name}.weight"] + p[f"{name}.bias"]

    def dense(p, x, _):
        y, depth = x, len(case["widths"]) - 1
        for half in ("encoder", "decoder"):
            for i in range(depth):
                y = affine(p, y, f"{half}.layers.{i}")
                y = jax.nn.relu(y) if i < depth - 1 else y
        return jnp.square(y - x).sum() / batch

    def tied(p, x, key):
        noisy = x * (jax.random.uniform(key, x.shape) >= case["masking"]) if case.get("masking") else x
        w = p["encoder.layers.0.weight"]
        h = jax.nn.sigmoid(affine(p, noisy, "encoder.layers.0"))
        z = h @ w.T + p["decoder.layers.0.bias"]
        value = ((1 - x) * z - jax.nn.log_sigmoid(z)).sum() / batch
        if "contraction" in case:
            slopes = jnp.square(h * (1 - h))
            value = value + case["contraction"] * (slopes @ jnp.square(w).sum(0)).mean()
        return value

    def conv(p, x, _):
        depth, maps = len(case["channels"]), case["jax"]
        is_last = maps == "NHWC"

        def bias(name):
            return p[f"{name}.bias"] if is_last else p[f"{name}.bias"][:, None, None]

        image = x.reshape(batch, *case["image"])
        image = image.transpose(0, 2, 3, 1) if is_last else image
        y = image
        for i in range(depth):
            name = f"encoder.stages.{i}.convolution"
            kernel, padding = p[f"{name}.weight"], ((1, 1), (1, 1))
            y = lax.conv_general_dilated(y, kernel, (2, 2), padding, dimension_numbers=(maps, "HWIO", maps))
            y = y + bias(name)
            y = jax.nn.relu(y) if case["code"] or i < depth - 1 else y
        if case["code"]:
            y = y.transpose(0, 3, 1, 2) if is_last else y
            shape = y.shape
            code = affine(p, y.reshape(batch, -1), "encoder.dense.0")
            y = jax.nn.relu(affine(p, code, "decoder.dense.0")).reshape(shape)
            y = y.transpose(0, 2, 3, 1) if is_last else y
        for i in range(depth):
            name = f"decoder.stages.{i}.convolution"
            kernel, padding = p[f"{name}.weight"], ((1, 2), (1, 2))
            y = lax.conv_general_dilated(
                y, kernel, (1, 1), padding, lhs_dilation=(2, 2), dimension_numbers=(maps, "HWIO", maps)
            )
            y = y + bias(name)
            y = jax.nn.relu(y) if i < depth - 1 else y
        return jnp.square(y - image).sum() / batch

    loss = dict(dense=dense, tied=tied, conv=conv)[case["kind"]]
    tree = jax.tree_util.tree_map

    def update(state, rows, chosen):
        p, m, v, t, key = state
        key, noise = jax.random.split(key)
        value, g = jax.value_and_grad(loss)(p, rows[chosen], noise)
        t = t + 1
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        # In single precision 1 - 0.999^t would be wrong in the fifth digit.
        c1, c2 = (-jnp.expm1(t * math.log(beta)) for beta in (0.9, 0.999))
        p = tree(lambda p, m, v: p - RATE * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), p, m, v)
        return (p, m, v, t, key), value

    update = jax.jit(update, donate_argnums=0)
    state = (p, tree(jnp.zeros_like, p), tree(jnp.zeros_like, p), jnp.float32(0), jax.random.key(0))

    def orders():
        while True:
            order = rng.permutation(count).astype("int32")[: count // batch * batch]
            yield from order.reshape(-1, batch)

    order = orders()

    def step():
        nonlocal state
        state, value = update(state, rows, next(order))
        return value

    return step
