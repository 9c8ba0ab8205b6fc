"""Steps of training in PyTorch or JAX, as `benches/peers.rs` asks for them.

    python peers.py SIDE CASE SIZE DEVICE PRECISION

SIDE is eager, fused, compile or graphs (`in_torch.py`) or jax (`in_jax.py`), CASE one of `cases.py`, SIZE that of a
batch or the side of a product, DEVICE cpu or gpu, PRECISION full, f16 or bf16 (autocast, not in JAX). The data (rows in [0, 1], resident, shuffled each epoch), the noise, the losses, Adam and its constants are those of the
Rust side. Warms up and says `ready VERSION PARAMETERS BYTES`, BYTES being the memory in use before there was a
net; for each line `SECONDS` on the input it takes steps for that long and answers `STEPS SECONDS PEAK_BYTES`.

    python peers.py SIDE CASE --check WEIGHTS ROWS STEPS

starts from the weights and has the batch of those files, leaves noise out, and prints the loss of each step.
"""

import sys
import time

import numpy as np

from cases import CASES, ROWS, draw, features, read

# Steps, and seconds, before anything is measured.
WARM_STEPS = 10
WARM_SECONDS = 0.5


def memory(name):
    """A line of the system's account of this process, in bytes; 0 where there is none."""
    try:
        with open("/proc/self/status") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith(name))
    except OSError:
        return 0


def version(side):
    if side == "jax":
        import jax

        return f"jax-{jax.__version__}"
    import torch

    return f"torch-{torch.__version__}"


def steps(side, case, size, weights, rows, device, precision):
    """A function that takes a step and gives its loss, perhaps before it is computed."""
    if side == "jax":
        import jax

        import in_jax

        if (jax.default_backend() == "gpu") != (device == "gpu"):
            sys.exit(f"device: expected {device}, JAX has {jax.default_backend()}")
        if precision != "full":
            sys.exit("precision: JAX's side has full alone")
        if in_jax.IS_LIMITED:
            in_jax.limit()
        if case["kind"] == "product":
            return in_jax.product(size)
        return in_jax.net(case, size, weights, rows, np.random.default_rng(1))
    import torch

    import in_torch

    torch.manual_seed(1)
    if device == "gpu" and not torch.cuda.is_available():
        sys.exit("device: expected gpu, PyTorch has none")
    device = torch.device("cuda" if device == "gpu" else "cpu")
    if case["kind"] == "product":
        return in_torch.product(size, device, precision)
    return in_torch.net(case, side, size, weights, rows, device, precision)


def wait(value):
    """Reads a number of it, before which it must be there."""
    return float(value[(0,) * value.ndim])


def measure(step, seconds):
    start = time.perf_counter()
    # The loss is waited for four times a second, as often as the Rust side reads it.
    check = start + 0.25
    count = 0
    while True:
        value = step()
        count += 1
        now = time.perf_counter()
        if now > check or now - start > seconds:
            wait(value)
            now = time.perf_counter()
            check = now + 0.25
        if now - start > seconds:
            return count, now - start


def main():
    side, name = sys.argv[1:3]
    case = CASES[name]
    if sys.argv[3] == "--check":
        weights, rows = read(sys.argv[4]), np.fromfile(sys.argv[5], np.float32).reshape(-1, features(case))
        step = steps(side, {**case, "masking": None}, len(rows), weights, rows, "cpu", "full")
        for _ in range(int(sys.argv[6])):
            print(wait(step()))
        return
    size, device, precision = int(sys.argv[3]), *sys.argv[4:6]
    rng = np.random.default_rng(0)
    weights = rows = None
    if case["kind"] != "product":
        weights, rows = draw(case, rng), rng.random((ROWS, features(case)), dtype=np.float32)
    count = sum(value.size for value in weights.values()) if weights else 0
    release, before = version(side), memory("VmRSS")
    step = steps(side, case, size, weights, rows, device, precision)
    for _ in range(WARM_STEPS):
        wait(step())
    measure(step, WARM_SECONDS)
    print("ready", release, count, before, flush=True)
    for line in sys.stdin:
        count, elapsed = measure(step, float(line))
        print(count, elapsed, memory("VmHWM"), flush=True)


main()
