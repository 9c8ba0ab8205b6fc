#!/usr/bin/env bash
# All that is to be measured on a GPU, beside the CPU of the same machine: benches/README.md.
#
#     benches/gpu.sh [MNIST]
#     benches/gpu.sh --toy
#
# --toy: a trial of the script itself, for which a software driver will do; it records nothing.
set -euo pipefail
toy=
gpu=gpu
mnist=
case ${1:-} in
--toy)
    toy=yes
    gpu=gpu:0 # whatever it is
    ;;
-*)
    echo "expected --toy or the folder of MNIST's files, got $1" >&2
    exit 2
    ;;
?*) mnist=$(realpath "$1") ;;
esac
cd "$(dirname "$0")/.."
profile=${PROFILE:-release}
features=gpu${FEATURES:+,$FEATURES}
cargo build --profile "$profile" --workspace --bin ae --features "$features"
target=$(realpath "${CARGO_TARGET_DIR:-target}")
ae=$target/${profile/#dev/debug}/ae
"$ae" devices
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

echo "from the start to the first step, with an empty cache of tuned kernels and with a full one:"
few="--digits 1280,100 --batch 128"
if [ -n "$toy" ]; then few="--digits 64,16 --batch 16"; fi
python3 - "$ae" "$gpu" "$runs" "$few" <<'PY'
import os, pathlib, subprocess, sys, time

ae, gpu, runs, few = *sys.argv[1:3], pathlib.Path(sys.argv[3]), sys.argv[4]
# Outside of a Cargo folder tuned kernels are kept in the user's cache.
for model in ("conv", "dense"):
    environment = os.environ | {"XDG_CACHE_HOME": str(runs / f"cache-{model}"), "HOME": str(runs / f"home-{model}")}
    for start in ("first", "later"):
        out = runs / f"{start}-{model}"
        command = [ae, "train", "--device", gpu, *few.split(), "--epochs", "1", "--model", model, "--out", out]
        began = time.perf_counter()
        with open(runs / "log", "w") as log:
            process = subprocess.Popen(command, cwd=runs, env=environment, stdout=log, stderr=log)
        while process.poll() is None and not ((out / "metrics.jsonl").exists() and (out / "metrics.jsonl").stat().st_size):
            time.sleep(0.001)
        seconds = time.perf_counter() - began
        if process.wait() != 0:
            sys.exit((runs / "log").read_text())
        print(f"{model:12} {start} {seconds:.1f} s", flush=True)
PY

names=(digits)
if [ -n "$mnist" ]; then names+=(mnist mnist-dense); fi
options() { # of a run, into the array of that name
    case $1 in
    digits) options=(${toy:+--digits 160,50 --epochs 2 --batch 16}) ;;
    mnist) options=(--data mnist --data-dir "$mnist") ;;
    mnist-dense) options=(--data mnist --data-dir "$mnist" --model dense --epochs 20) ;;
    esac
}
lacking=
printf '%-12s %-4s %-4s %s\n' run on in "device; time; error"
for name in "${names[@]}"; do
    options "$name"
    # The CPU first: the others are held against it.
    for side in cpu-full gpu-full gpu-f16 gpu-bf16; do
        read -r device precision <<<"${side/-/ }"
        if ! "$ae" train "${options[@]}" --device "${device/gpu/$gpu}" --precision "$precision" \
            --out "$runs/$name-$side" >"$runs/log" 2>&1; then
            if [ "$precision" != full ] && grep 'precision: expected' "$runs/log"; then
                lacking+=" $precision"
                continue
            fi
            cat "$runs/log"
            exit 1
        fi
        python3 - "$runs" "$name" "$device" "$precision" <<'PY'
import json, pathlib, sys

runs, name, device, precision = sys.argv[1:]
read = lambda side: json.loads((pathlib.Path(runs) / f"{name}-{side}" / "summary.json").read_text())
summary = read(f"{device}-{precision}")
seconds = sum(epoch["seconds"] for epoch in summary["epochs"])
samples = sum(epoch["seconds"] * epoch["samples_per_second"] for epoch in summary["epochs"])
error = summary["test"]["squared_error"]
print(f"{name:12} {device:4} {precision:4} {summary['device']}; {seconds:.1f} s of {summary['seconds']:.1f} s in "
      f"steps, {samples / seconds:,.0f} samples/s; squared error {error:.3f}", flush=True)
ratio = error / read("cpu-full")["test"]["squared_error"]
if not 0.9 < ratio < 1.1:
    sys.exit(f"the error is {ratio:.3f} times that on the CPU in full precision: expected 0.9 to 1.1")
PY
    done
done

how=--record
parts="step:: batch corruption"
if [ -n "$toy" ]; then
    parts="batch::resident corruption::masking"
    export AE_REQUIRE=wgpu # though it be a software driver
    how="--cases dense-tied,conv --batches 32 --rounds 1 --seconds 0.5 --product 64"
fi
echo "what a step is made of: real data, shuffled (batch) and corrupted, should take a twentieth of it at most"
# shellcheck disable=SC2086
cargo bench --profile "$profile" --features "$features" --bench steps -- $parts
failed=
for precision in full f16 bf16; do
    if [[ "$lacking" == *" $precision"* ]]; then continue; fi
    # shellcheck disable=SC2086
    cargo bench --profile "$profile" --features "$features" --bench peers -- \
        --device gpu --precision "$precision" $how || failed+=" $precision"
done
if [ -n "$failed" ]; then
    echo "steps beside PyTorch and JAX: failed in$failed" >&2
    exit 1
fi
