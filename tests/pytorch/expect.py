"""Writes what PyTorch makes of the models in this folder: codes, logits, loss and gradients.

    AE_WRITE_MODELS=1 cargo test --test backends
    python tests/pytorch/expect.py

The loss is cross-entropy from logits, summed over features and averaged over the batch.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

folder = Path(__file__).parent
sys.path.append(str(folder.parents[1] / "assets" / "pytorch"))
from ae_pytorch import load  # noqa: E402

for path in sorted(folder.glob("*.model.safetensors")):
    model = load(path)
    generator = torch.Generator().manual_seed(1)
    features = model.encoder.layers[0].in_features if hasattr(model.encoder, "layers") else None
    features = features or torch.tensor(model.config["input"]).prod().item()
    x = torch.rand(3, features, generator=generator)
    code = model.encode(x)
    logits = model.decode_logits(code)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 3
    loss.backward()
    expected = {"input": x, "code": code.detach(), "logits": logits.detach()}
    expected["loss"] = loss.detach().reshape(1)
    for name, parameter in model.named_parameters():
        expected[f"gradient.{name}"] = parameter.grad.contiguous()
    expected = {name: tensor.contiguous() for name, tensor in expected.items()}
    save_file(expected, str(path).replace(".model.", ".expected."))
    print(path.name, f"loss {loss.item():.6f}", f"PyTorch {torch.__version__}")
