#!/usr/bin/env bash
# One visit to a machine with a GPU: what the kernels make of it, and beside them PyTorch and JAX on the same card, in
# nine minutes. benches/README.md says what the tables hold.
#
#     benches/gpu.sh [--minutes M]
#     benches/gpu.sh --full [MNIST]     whole trainings besides, and all that `--bench peers` can compare: an hour
#     benches/gpu.sh --toy [--full]     a trial of this script, for which a software driver will do
#
# What is built is built before the minutes begin.
set -euo pipefail
toy=
full=
minutes=9
mnist=
gpu=gpu
while [ $# -gt 0 ]; do
    case $1 in
    --toy)
        toy=yes
        gpu=gpu:0 # whatever it is
        ;;
    --full) full=yes ;;
    --minutes)
        minutes=${2:?--minutes: expected a number}
        shift
        ;;
    -*)
        echo "expected --toy, --full, --minutes or the folder of MNIST's files, got $1" >&2
        exit 2
        ;;
    *) mnist=$(realpath "$1") ;;
    esac
    shift
done
if ! [[ $minutes =~ ^[1-9][0-9]*$ ]]; then
    echo "--minutes: expected a whole number from 1 on, got $minutes" >&2
    exit 2
fi
if [ -n "$mnist" ] && [ -z "$full" ]; then
    echo "the folder of MNIST's files needs --full" >&2
    exit 2
fi
cd "$(dirname "$0")/.."
profile=${PROFILE:-release}
features=gpu,atlas${FEATURES:+,$FEATURES}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/atlas
mkdir -p "$out"
bench() { # NAME ARGUMENTS: one build for all of them
    local name=$1
    shift
    cargo bench --quiet -p autoencoders --profile "$profile" --features "$features" --bench "$name" -- "$@"
}
cargo bench -p autoencoders --profile "$profile" --features "$features" --bench atlas --bench peers --no-run
began=$SECONDS
left() { echo $((60 * minutes - (SECONDS - began))); }

# Nearly half of the time for ours alone: who is beside it compiles for long.
failed=
share=$(awk "BEGIN { print 0.45 * $minutes }")
bench atlas --minutes "$share" --out "$out" ${toy:+--toy} || failed+=" atlas"

printf '\n== ours beside PyTorch and JAX (%d s)\n' $((SECONDS - began))
echo "net,batch,side,samples_per_s,state" >"$out/peers.csv"
: >"$out/peers.md"
rows() { # of what the comparison says as it goes
    local line
    while IFS= read -r line; do
        printf '%s\n' "$line"
        if [[ $line =~ ^([a-z-]+)\ ([0-9]+)\ ([a-z]+):\ ([0-9]+)\ samples/s$ ]]; then
            printf '%s,%s,%s,%s,ok\n' "${BASH_REMATCH[@]:1:4}" >>"$out/peers.csv"
        elif [[ $line =~ ^([a-z-]+)\ ([0-9]+)\ ([a-z]+):\ left\ out,\ (.*)$ ]]; then
            printf '%s,%s,%s,,"%s"\n' "${BASH_REMATCH[@]:1:3}" "${BASH_REMATCH[4]//\"/\"\"}" >>"$out/peers.csv"
        fi
    done
}
beside() { # BATCHES: a comparison, in the time that is left
    local seconds how=(--cases conv,dense-deep --rounds 2 --seconds 0.3)
    seconds=$(left)
    if [ -n "$toy" ]; then how=(--cases conv,dense-deep --rounds 1 --seconds 0.2 --product 64); fi
    if [ "$seconds" -lt 30 ]; then
        echo "stopped in time: batches of $1 were not compared"
        return
    fi
    {
        AE_REQUIRE=${toy:+wgpu} timeout --kill-after 5 "$seconds" \
            cargo bench --quiet -p autoencoders --profile "$profile" --features "$features" --bench peers -- \
            --device gpu --batches "$1" --sides ours,eager,compile,graphs,jax "${how[@]}" \
            2>&1 >>"$out/peers.md" | rows
    } || case $? in
    124 | 137) echo "stopped in time: not all batches of $1 were compared" ;;
    *) failed+=" peers" ;;
    esac
}
if [ -n "$toy" ]; then
    beside 8
else
    beside 128,1024
    beside 4096,8192
fi
cat "$out/peers.md"
printf '\n== done after %d s; tables in %s\n' $((SECONDS - began)) "$out"
if [ -n "$failed" ]; then
    echo "failed:$failed" >&2
    exit 1
fi
if [ -z "$full" ]; then exit; fi

cargo build --profile "$profile" --workspace --bin ae --features "gpu${FEATURES:+,$FEATURES}"
ae=$target/${profile/#dev/debug}/ae
"$ae" devices
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

echo "from the start to the first step:"
few="--digits 1280,100 --batch 128"
if [ -n "$toy" ]; then few="--digits 64,16 --batch 16"; fi
python3 - "$ae" "$gpu" "$runs" "$few" <<'PY'
import pathlib, subprocess, sys, time

ae, gpu, runs, few = *sys.argv[1:3], pathlib.Path(sys.argv[3]), sys.argv[4]
for model in ("conv", "dense"):
    out = runs / f"start-{model}"
    command = [ae, "train", "--device", gpu, *few.split(), "--epochs", "1", "--model", model, "--out", out]
    began = time.perf_counter()
    with open(runs / "log", "w") as log:
        process = subprocess.Popen(command, cwd=runs, stdout=log, stderr=log)
    while process.poll() is None and not ((out / "metrics.jsonl").exists() and (out / "metrics.jsonl").stat().st_size):
        time.sleep(0.001)
    seconds = time.perf_counter() - began
    if process.wait() != 0:
        sys.exit((runs / "log").read_text())
    print(f"{model:12} {seconds:.1f} s", flush=True)
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
bench steps $parts
failed=
for precision in full f16 bf16; do
    if [[ "$lacking" == *" $precision"* ]]; then continue; fi
    # shellcheck disable=SC2086
    bench peers --device gpu --precision "$precision" $how || failed+=" $precision"
done
if [ -n "$failed" ]; then
    echo "steps beside PyTorch and JAX: failed in$failed" >&2
    exit 1
fi
