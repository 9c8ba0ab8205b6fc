"""A step in PyTorch: Adam as it comes (eager), with fused=True (fused), that with torch.compile around loss
and gradient (compile), and so with CUDA graphs (graphs)."""

import torch
import torch.nn.functional as F

from cases import RATE

# The same arithmetic as the others on a GPU too.
torch.backends.cudnn.allow_tf32 = False


HALVES = {"f16": torch.float16, "bf16": torch.bfloat16}


def product(size, device, precision):
    a, b = (torch.rand(size, size, device=device, dtype=HALVES.get(precision)) for _ in range(2))
    return lambda: torch.mm(a, b)


def net(case, side, batch, weights, rows, device, precision):
    def parameter(value):
        value = torch.from_numpy(value).to(device)
        if value.dim() == 2:
            value = value.t().contiguous()
        elif value.dim() == 4:
            # Quicker here than with the channels first.
            value = value.to(memory_format=torch.channels_last)
        return torch.nn.Parameter(value)

    p = {name: parameter(value) for name, value in weights.items()}
    rows = torch.from_numpy(rows).to(device)

    def affine(x, name):
        return torch.addmm(p[f"{name}.bias"], x, p[f"{name}.weight"])

    def dense(x):
        y, depth = x, len(case["widths"]) - 1
        for half in ("encoder", "decoder"):
            for i in range(depth):
                y = affine(y, f"{half}.layers.{i}")
                y = torch.relu(y) if i < depth - 1 else y
        return (y - x).square().sum() / batch

    def tied(x):
        noisy = x * (torch.rand_like(x) >= case["masking"]) if case.get("masking") else x
        w = p["encoder.layers.0.weight"]
        h = torch.sigmoid(torch.addmm(p["encoder.layers.0.bias"], noisy, w))
        z = torch.addmm(p["decoder.layers.0.bias"], h, w.t())
        value = F.binary_cross_entropy_with_logits(z, x, reduction="sum") / batch
        if "contraction" in case:
            slopes = (h * (1 - h)).square()
            value = value + case["contraction"] * (slopes @ w.square().sum(0)).mean()
        return value

    def conv(x):
        depth = len(case["channels"])
        image = x.view(batch, *case["image"]).contiguous(memory_format=torch.channels_last)
        y = image
        for i in range(depth):
            name = f"encoder.stages.{i}.convolution"
            y = F.conv2d(y, p[f"{name}.weight"], p[f"{name}.bias"], stride=2, padding=1)
            y = torch.relu(y) if case["code"] or i < depth - 1 else y
        if case["code"]:
            shape = y.shape
            code = affine(y.flatten(1), "encoder.dense.0")
            y = torch.relu(affine(code, "decoder.dense.0")).view(shape)
            y = y.contiguous(memory_format=torch.channels_last)
        for i in range(depth):
            name = f"decoder.stages.{i}.convolution"
            y = F.conv_transpose2d(
                y, p[f"{name}.weight"], p[f"{name}.bias"], stride=2, padding=1, output_padding=1
            )
            y = torch.relu(y) if i < depth - 1 else y
        return (y - image).square().sum() / batch

    loss = dict(dense=dense, tied=tied, conv=conv)[case["kind"]]
    if side in ("compile", "graphs"):
        loss = torch.compile(loss, dynamic=False, mode="reduce-overhead" if side == "graphs" else None)
    optimizer = torch.optim.Adam(p.values(), lr=RATE, fused=True if side != "eager" else None)

    def orders():
        while True:
            yield from torch.randperm(len(rows), device=device)[: len(rows) // batch * batch].split(batch)

    order = orders()

    def step():
        if side == "graphs":
            torch.compiler.cudagraph_mark_step_begin()
        optimizer.zero_grad()
        value = loss(rows.index_select(0, next(order)))
        value.backward()
        optimizer.step()
        return value.detach()

    if precision == "full":
        return step
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "f16")

    def step_in_half():
        if side == "graphs":
            torch.compiler.cudagraph_mark_step_begin()
        optimizer.zero_grad()
        with torch.autocast(device.type, HALVES[precision]):
            value = loss(rows.index_select(0, next(order)))
        scaler.scale(value).backward()
        scaler.step(optimizer)
        scaler.update()
        return value.detach()

    return step_in_half
