#!/usr/bin/env bash
# Trains the README's models on the GPU and on the CPU of this machine: benches/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
mnist=${1:-}
cargo build --release ${FEATURES:+--features "$FEATURES"}
ae=${CARGO_TARGET_DIR:-target}/release/ae
"$ae" devices
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

declare -A commands=([digits]="")
if [ -n "$mnist" ]; then
    commands[mnist]="--data mnist --data-dir $mnist"
    commands[mnist-dense]="--data mnist --data-dir $mnist --model dense --epochs 20"
fi
printf '%-12s %-4s %s\n' run on "device; time; error"
for name in "${!commands[@]}"; do
    for device in gpu cpu; do
        # shellcheck disable=SC2086
        "$ae" train ${commands[$name]} --device "$device" --out "$runs/$name-$device" \
            >"$runs/$name-$device.log" 2>&1 || { cat "$runs/$name-$device.log"; exit 1; }
        python3 - "$runs" "$name" "$device" <<'PY'
import json, pathlib, sys

runs, name, device = sys.argv[1:]
read = lambda device: json.loads((pathlib.Path(runs) / f"{name}-{device}" / "summary.json").read_text())
summary = read(device)
seconds = sum(epoch["seconds"] for epoch in summary["epochs"])
samples = sum(epoch["seconds"] * epoch["samples_per_second"] for epoch in summary["epochs"])
error = summary["test"]["squared_error"]
print(f"{name:12} {device:4} {summary['device']}; {seconds:.1f} s of {summary['seconds']:.1f} s in "
      f"steps, {samples / seconds:,.0f} samples/s; squared error {error:.3f}")
if device == "cpu":
    ratio = read("gpu")["test"]["squared_error"] / error
    if not 0.9 < ratio < 1.1:
        sys.exit(f"the GPU's error is {ratio:.3f} times the CPU's: expected 0.9 to 1.1")
PY
    done
done
