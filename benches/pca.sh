#!/usr/bin/env bash
# The errors of `ae train` with its defaults, of PCA and of the mean: benches/README.md.
#
#     benches/pca.sh DATA...          # tables, folders of images or names of data sets; `--` before options of `ae train`
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -p ae-cli --quiet
exec python3 - "${CARGO_TARGET_DIR:-target}/release/ae" "$@" <<'PY'
import json, pathlib, statistics, subprocess, sys, tempfile

SEEDS = range(3)
program, *rest = sys.argv[1:]
options = rest[rest.index("--") + 1 :] if "--" in rest else []
sources = rest[: rest.index("--")] if "--" in rest else rest


def run(source, seed, folder, variant):
    out = pathlib.Path(folder, f"{seed}-{len(list(pathlib.Path(folder).iterdir()))}")
    command = [program, "train", "--data", source, "--out", str(out), "--device", "cpu"]
    command += ["--seed", str(seed), "--data-seed", str(seed), *variant, *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads((out / "summary.json").read_text())


def text(values):
    spread = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4g}{spread}"


print(f"`ae train --data DATA --seed S --data-seed S {' '.join(options)}`".replace(" `", "`"))
print(f"\nSquared error of the test part, mean and standard deviation of seeds {', '.join(map(str, SEEDS))}.\n")
print("| data | samples to train on | code | with its defaults | without a linear path | PCA | mean |")
print("|---|--:|--:|--:|--:|--:|--:|")
for source in sources:
    with tempfile.TemporaryDirectory() as folder:
        ours = [run(source, seed, folder, []) for seed in SEEDS]
        off = [run(source, seed, folder, ["--linear-path", "off"]) for seed in SEEDS]
    error = lambda summaries: text([summary["test"]["squared_error"] for summary in summaries])
    pca = text([summary["pca"]["squared_error"] for summary in ours])
    mean = text([summary["mean_error"] for summary in ours])
    name = pathlib.Path(source).name.split(".")[0]
    samples, code = ours[0]["samples"][0], ours[0]["code"]
    print(f"| {name} | {samples} | {code} | {error(ours)} | {error(off)} | {pca} | {mean} |", flush=True)
PY
