"""A support vector machine with a Gaussian kernel, by scikit-learn.

svm_rbf.py DATA SUMMARY: DATA is a folder as `ae data export --validation` writes it; SUMMARY a JSON file
to write. C and gamma of exp(-gamma |a - b|^2) are chosen on the validation part: over a coarse grid that grows as
long as its best lies at an edge, then over a finer one around that. Of equals the smallest C, then the smallest
gamma, is taken. The machine that is tested was fitted to the training part alone.
"""

import json
import pathlib
import sys
import time

import numpy as np
import sklearn
from sklearn.svm import SVC

COARSE_C = [1, 10, 100]
COARSE_GAMMA = [0.001, 0.003, 0.01, 0.03, 0.1]
FINER_C = [0.3, 1, 3]
FINER_GAMMA = [0.6, 1, 1.7]
CHUNK = 2000
# Points after which the coarse grid grows no more.
MOST = 60


def part(folder, name):
    samples = np.load(folder / f"{name}.npy")
    return samples.reshape(len(samples), -1), np.load(folder / f"{name}-labels.npy")


def squared_distances(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    distances = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * (a @ b.T)
    return np.maximum(distances, 0)


def main(folder, summary):
    began = time.monotonic()
    train, train_classes = part(folder, "training")
    validation, validation_classes = part(folder, "validation")
    between, across = squared_distances(train, train), squared_distances(validation, train)
    tried = {}

    def fit(c, gamma):
        return SVC(C=c, kernel="precomputed", cache_size=500).fit(np.exp(-gamma * between), train_classes)

    def error(c, gamma):
        if (c, gamma) not in tried:
            guess = fit(c, gamma).predict(np.exp(-gamma * across))
            tried[c, gamma] = float((guess != validation_classes).mean())
            print(f"C {c:g}, gamma {gamma:g}: {tried[c, gamma]:.4f} of the validation part wrong", flush=True)
        return tried[c, gamma]

    def best(cs, gammas):
        return min((error(c, gamma), c, gamma) for c in cs for gamma in gammas)[1:]

    # Scaled by the mean squared distance, the grid suits any data.
    scale = 50 / between.mean()
    cs, gammas = COARSE_C, [gamma * scale for gamma in COARSE_GAMMA]
    while True:
        c, gamma = best(cs, gammas)
        wider_c = [cs[0] / 10, *cs] if c == cs[0] else [*cs, cs[-1] * 10] if c == cs[-1] else cs
        edges = gammas[0], gammas[-1]
        wider_gamma = (
            [edges[0] / 3, *gammas] if gamma == edges[0] else [*gammas, edges[1] * 3] if gamma == edges[1] else gammas
        )
        if (wider_c, wider_gamma) == (cs, gammas) or len(tried) > MOST:
            break
        cs, gammas = wider_c, wider_gamma
    c, gamma = best([c * factor for factor in FINER_C], [gamma * factor for factor in FINER_GAMMA])

    machine = fit(c, gamma)
    test, test_classes = part(folder, "test")
    wrong = 0
    for start in range(0, len(test), CHUNK):
        rows = slice(start, start + CHUNK)
        guess = machine.predict(np.exp(-gamma * squared_distances(test[rows], train)))
        wrong += int((guess != test_classes[rows]).sum())
    made = {
        "program": f"scikit-learn {sklearn.__version__}",
        "c": c,
        "gamma": gamma,
        "searched": len(tried),
        "support_vectors": int(machine.n_support_.sum()),
        "validation": {"samples": len(validation), "error": tried[c, gamma]},
        "test": {"samples": len(test), "correct": len(test) - wrong},
        "error": wrong / len(test),
        "seconds": time.monotonic() - began,
    }
    pathlib.Path(summary).write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("expected svm_rbf.py DATA SUMMARY")
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
