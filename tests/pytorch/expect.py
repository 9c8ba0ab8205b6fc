"""Writes what PyTorch makes of the models in this folder: codes, logits, losses and gradients.

    AE_WRITE_MODELS=1 cargo test --test backends
    python tests/pytorch/expect.py

The first command writes each model and its inputs, clean and corrupted; the objectives are written
here a second time, from their papers. All are averaged over the batch.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

folder = Path(__file__).parent
sys.path.append(str(folder.parents[1] / "assets" / "pytorch"))
from ae_pytorch import load  # noqa: E402


def cross_entropy(model, clean, corrupted):
    logits = model.decode_logits(model.encode(corrupted))
    return F.binary_cross_entropy_with_logits(logits, clean, reduction="sum") / len(clean)


def kl_sparse(model, clean, corrupted, target=0.05, weight=3.0):
    """Ng 2011: KL(target || mean activation), summed over units."""
    mean = torch.distributions.Bernoulli(model.encode(corrupted).mean(0))
    wanted = torch.distributions.Bernoulli(torch.full_like(mean.probs, target))
    divergence = torch.distributions.kl_divergence(wanted, mean).sum()
    return cross_entropy(model, clean, corrupted) + weight * divergence


def contractive(model, clean, corrupted, weight=0.5):
    """Rifai et al. 2011: the squared Frobenius norm of the encoder's Jacobian."""
    norm = 0
    for x in clean:
        encode = lambda x: model.encode(x[None])[0]  # noqa: E731
        norm += torch.autograd.functional.jacobian(encode, x, create_graph=True).square().sum()
    return cross_entropy(model, clean, corrupted) + weight * norm / len(clean)


objectives = {"kl-sparse": kl_sparse, "contractive": contractive, "contractive-conv": contractive}

for path in sorted(folder.glob("*.model.safetensors")):
    name = path.name.split(".")[0]
    model = load(path)
    inputs = load_file(folder / f"{name}.inputs.safetensors")
    clean, corrupted = inputs["clean"], inputs["corrupted"]
    loss = objectives.get(name, cross_entropy)(model, clean, corrupted)
    loss.backward()
    code = model.encode(corrupted)
    expected = {"code": code.detach(), "logits": model.decode_logits(code).detach()}
    expected["loss"] = loss.detach().reshape(1)
    for parameter, value in model.named_parameters():
        if value.requires_grad:
            expected[f"gradient.{parameter}"] = value.grad
    expected = {name: tensor.contiguous() for name, tensor in expected.items()}
    save_file(expected, folder / f"{name}.expected.safetensors")
    print(f"{name}: loss {loss.item():.6f}, PyTorch {torch.__version__}")
