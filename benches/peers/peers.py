"""One training step per call, in PyTorch or JAX, as `benches/peers.rs` drives it.

    python peers.py SIDE CASE BATCH

SIDE is eager, fused, compile (PyTorch: Adam as it comes, Adam with fused=True, torch.compile around loss and
gradient with fused Adam) or jax (jit around the whole step). The nets, the data (rows in [0, 1], resident), the
noise, the losses, Adam and its constants are those of the Rust side. Says `ready`; for each line `SECONDS` on the
input it takes steps for that long and answers `STEPS SECONDS PEAK_BYTES`.
"""

import math
import resource
import sys
import time

import numpy as np

SIDE, CASE, BATCH = sys.argv[1], sys.argv[2], int(sys.argv[3])
ROWS = 8192
RATE = 1e-3

# Widths from the input to the code (dense), or channels of the stages (convolutional).
CASES = {
    "dense-deep": dict(kind="dense", widths=[784, 1000, 500, 250, 30]),
    "dense-tied": dict(kind="tied", widths=[784, 500], masking=0.25),
    "contractive": dict(kind="tied", widths=[784, 500], contraction=0.1),
    "conv": dict(kind="conv", image=[1, 28, 28], channels=[32, 64], code=None),
    "conv-deep": dict(kind="conv", image=[3, 32, 32], channels=[32, 64, 128], code=128),
}
case = CASES[CASE]
features = math.prod(case["image"]) if case["kind"] == "conv" else case["widths"][0]
rng = np.random.default_rng(0)
data = rng.random((ROWS, features), dtype=np.float32)


def normal(shape, fan_in, gain):
    return (rng.standard_normal(shape) * math.sqrt(gain / fan_in)).astype(np.float32)


def parameters():
    """Weights by name, in [in, out] for dense layers and PyTorch's layout for kernels."""
    p = {}
    if case["kind"] == "dense":
        widths = case["widths"] + case["widths"][-2::-1]
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            p[f"w{i}"], p[f"b{i}"] = normal((a, b), a, 2.0), np.zeros(b, np.float32)
    elif case["kind"] == "tied":
        a, b = case["widths"]
        p["w"] = normal((a, b), (a + b) / 2, 1.0)
        p["b"], p["c"] = np.zeros(b, np.float32), np.zeros(a, np.float32)
    else:
        chain = [case["image"][0]] + case["channels"]
        for i, (a, b) in enumerate(zip(chain, chain[1:])):
            p[f"down{i}"], p[f"down_bias{i}"] = normal((b, a, 3, 3), a * 9, 2.0), np.zeros(b, np.float32)
            p[f"up{i}"], p[f"up_bias{i}"] = normal((b, a, 3, 3), b * 9 / 4, 2.0), np.zeros(a, np.float32)
        if case["code"]:
            side = case["image"][1] // 2 ** len(case["channels"])
            flat = chain[-1] * side * side
            p["to"], p["to_bias"] = normal((flat, case["code"]), flat, 1.0), np.zeros(case["code"], np.float32)
            p["from"], p["from_bias"] = normal((case["code"], flat), case["code"], 2.0), np.zeros(flat, np.float32)
    return p


def torch_step():
    import torch
    import torch.nn.functional as F

    torch.manual_seed(0)
    p = {name: torch.nn.Parameter(torch.from_numpy(value)) for name, value in parameters().items()}
    rows = torch.from_numpy(data)

    def loss(p, x):
        if case["kind"] == "dense":
            layers, y = 2 * (len(case["widths"]) - 1), x
            for i in range(layers):
                y = torch.addmm(p[f"b{i}"], y, p[f"w{i}"])
                if i not in (layers // 2 - 1, layers - 1):
                    y = torch.relu(y)
            return (y - x).square().sum() / BATCH
        if case["kind"] == "tied":
            noisy = x
            if "masking" in case:
                noisy = x * (torch.rand_like(x) >= case["masking"])
            h = torch.sigmoid(torch.addmm(p["b"], noisy, p["w"]))
            z = torch.addmm(p["c"], h, p["w"].t())
            value = F.binary_cross_entropy_with_logits(z, x, reduction="sum") / BATCH
            if "contraction" in case:
                slopes = (h * (1 - h)).square()
                value = value + case["contraction"] * (slopes @ p["w"].square().sum(0)).mean()
            return value
        depth = len(case["channels"])
        y = x.view(BATCH, *case["image"])
        for i in range(depth):
            y = torch.relu(F.conv2d(y, p[f"down{i}"], p[f"down_bias{i}"], stride=2, padding=1))
        if case["code"]:
            shape = y.shape
            code = torch.addmm(p["to_bias"], y.flatten(1), p["to"])
            y = torch.relu(torch.addmm(p["from_bias"], code, p["from"])).view(shape)
        for i in reversed(range(depth)):
            y = F.conv_transpose2d(y, p[f"up{i}"], p[f"up_bias{i}"], stride=2, padding=1, output_padding=1)
            if i > 0:
                y = torch.relu(y)
        return (y.flatten(1) - x).square().sum() / BATCH

    optimizer = torch.optim.Adam(p.values(), lr=RATE, fused=SIDE != "eager" or None)

    def forward_backward(x):
        value = loss(p, x)
        value.backward()
        return value.detach()

    def loss_of(x):
        return loss(p, x)

    compiled = torch.compile(loss_of, dynamic=False) if SIDE == "compile" else loss_of
    state = dict(order=torch.randperm(ROWS), at=0)

    def step():
        if state["at"] + BATCH > ROWS:
            state["order"], state["at"] = torch.randperm(ROWS), 0
        x = rows[state["order"][state["at"] : state["at"] + BATCH]]
        state["at"] += BATCH
        optimizer.zero_grad()
        value = compiled(x)
        value.backward()
        optimizer.step()
        return value.detach()

    return step, lambda value: float(value)


def jax_step():
    import jax
    import jax.numpy as jnp
    from jax import lax

    p = {name: jnp.asarray(value) for name, value in parameters().items()}
    rows = jnp.asarray(data)

    def loss(p, x, key):
        if case["kind"] == "dense":
            layers, y = 2 * (len(case["widths"]) - 1), x
            for i in range(layers):
                y = y @ p[f"w{i}"] + p[f"b{i}"]
                if i not in (layers // 2 - 1, layers - 1):
                    y = jax.nn.relu(y)
            return jnp.square(y - x).sum() / BATCH
        if case["kind"] == "tied":
            noisy = x
            if "masking" in case:
                noisy = x * (jax.random.uniform(key, x.shape) >= case["masking"])
            h = jax.nn.sigmoid(noisy @ p["w"] + p["b"])
            z = h @ p["w"].T + p["c"]
            value = ((1 - x) * z - jax.nn.log_sigmoid(z)).sum() / BATCH
            if "contraction" in case:
                slopes = jnp.square(h * (1 - h))
                value = value + case["contraction"] * (slopes @ jnp.square(p["w"]).sum(0)).mean()
            return value
        depth = len(case["channels"])
        y = x.reshape(BATCH, *case["image"])
        layout = ("NCHW", "OIHW", "NCHW")
        for i in range(depth):
            y = lax.conv_general_dilated(y, p[f"down{i}"], (2, 2), ((1, 1), (1, 1)), dimension_numbers=layout)
            y = jax.nn.relu(y + p[f"down_bias{i}"][:, None, None])
        if case["code"]:
            shape = y.shape
            code = y.reshape(BATCH, -1) @ p["to"] + p["to_bias"]
            y = jax.nn.relu(code @ p["from"] + p["from_bias"]).reshape(shape)
        for i in reversed(range(depth)):
            kernel = jnp.flip(p[f"up{i}"], (2, 3)).swapaxes(0, 1)
            y = lax.conv_general_dilated(
                y, kernel, (1, 1), ((1, 2), (1, 2)), lhs_dilation=(2, 2), dimension_numbers=layout
            )
            y = y + p[f"up_bias{i}"][:, None, None]
            if i > 0:
                y = jax.nn.relu(y)
        return jnp.square(y.reshape(BATCH, -1) - x).sum() / BATCH

    def update(state, rows, chosen):
        p, m, v, t, key = state
        key, noise = jax.random.split(key)
        value, g = jax.value_and_grad(loss)(p, rows[chosen], noise)
        t = t + 1
        tree = jax.tree_util.tree_map
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        p = tree(lambda p, m, v: p - RATE * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), p, m, v)
        return (p, m, v, t, key), value

    update = jax.jit(update, donate_argnums=0)
    zeros = jax.tree_util.tree_map(jnp.zeros_like, p)
    run = dict(
        state=(p, zeros, jax.tree_util.tree_map(jnp.zeros_like, p), jnp.float32(0), jax.random.PRNGKey(0)),
        order=rng.permutation(ROWS).astype(np.int32),
        at=0,
    )

    def step():
        if run["at"] + BATCH > ROWS:
            run["order"], run["at"] = rng.permutation(ROWS).astype(np.int32), 0
        chosen = run["order"][run["at"] : run["at"] + BATCH]
        run["at"] += BATCH
        run["state"], value = update(run["state"], rows, chosen)
        return value

    return step, lambda value: float(value)


def ceiling():
    """Sum of multiply-adds per second of the larger of two square products."""
    import torch

    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    torch.mm(a, b)
    start = time.perf_counter()
    for _ in range(3):
        torch.mm(a, b)
    return 3 * 2 * 2048**3 / (time.perf_counter() - start)


def main():
    step, wait = jax_step() if SIDE == "jax" else torch_step()
    first = wait(step())
    for _ in range(10):
        value = wait(step())
    print(f"ready {first:.4f} {value:.4f}", flush=True)
    for line in sys.stdin:
        seconds = float(line)
        start = time.perf_counter()
        steps = 0
        # The loss is waited for four times in such a slice, as ours are read a few times a second.
        check = start + seconds / 4
        while True:
            value = step()
            steps += 1
            now = time.perf_counter()
            if now > check:
                wait(value)
                now = time.perf_counter()
                check = now + seconds / 4
            if now - start > seconds:
                break
        wait(value)
        elapsed = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(steps, elapsed, peak, flush=True)


main()
