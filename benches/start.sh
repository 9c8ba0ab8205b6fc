#!/usr/bin/env bash
# From the program's start to its first step, and its size: benches/README.md. Arguments are cargo's.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -p ae-cli "$@"
mkdir -p benches/results
python3 - "${CARGO_TARGET_DIR:-target}/release/ae" "${*:-default features}" <<'PY'
import datetime, pathlib, statistics, subprocess, sys, tempfile, time

ROUNDS = 15
program, features = sys.argv[1:]
# One step an epoch: the first line of metrics.jsonl is that of the first step.
train = [program, "train", "--device", "cpu", "--digits", "100,20", "--batch", "100", "--epochs", "1"]
commands = {
    "`ae --version`": [program, "--version"],
    "first step, `--model conv`": train + ["--model", "conv"],
    "first step, `--model dense`": train + ["--model", "dense"],
}


def seconds(command, out):
    metrics = out / "metrics.jsonl"
    trains = command[1] == "train"
    began = time.perf_counter()
    process = subprocess.Popen(
        command + (["--out", str(out)] if trains else []),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    first = None
    while trains and first is None and process.poll() is None:
        if metrics.exists() and metrics.stat().st_size > 0:
            first = time.perf_counter() - began
        time.sleep(0.0005)
    _, errors = process.communicate()
    whole = time.perf_counter() - began
    if process.returncode != 0 or (trains and first is None):
        sys.exit(f"{' '.join(command)}: no first step was seen\n{errors.decode()}")
    return first or whole, whole


def answer(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


times = {name: [] for name in commands}
with tempfile.TemporaryDirectory() as folder:
    for number in range(ROUNDS):
        for at, (name, command) in enumerate(commands.items()):
            times[name].append(seconds(command, pathlib.Path(folder) / f"{number}-{at}"))

body = f"The program as `cargo build --release -p ae-cli` makes it ({features}), on 100 generated digits of " \
    f"which one batch is made; median and quickest of {ROUNDS} runs in turn, with warm file caches. The " \
    "whole includes the test, PCA and the report.\n\n| | median, ms | quickest, ms | whole, ms |\n|---|---|---|---|\n"
for name, both in times.items():
    firsts, wholes = zip(*both)
    whole = f"{1000 * statistics.median(wholes):.1f}"
    body += f"| {name} | {1000 * statistics.median(firsts):.1f} | {1000 * min(firsts):.1f} | {whole} |\n"
size = pathlib.Path(program).stat().st_size / 2**20
body += f"\nThe program is {size:.1f} MiB.\n"
print(body)

model = next(
    (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown"
)
commit = answer("git", "rev-parse", "--short=12", "HEAD")
if answer("git", "status", "--porcelain", "--", ".", ":!benches/results", ":!benches/RESULTS.md"):
    commit += " with changes"
date = datetime.datetime.now(datetime.timezone.utc).date()
cores = answer("nproc")
text = f"## Start\n\nMeasured on {date}, commit {commit}, {model}, {cores} cores.\n\n{body}"
# The next benchmark that records puts it into RESULTS.md.
results = pathlib.Path("benches/results")
(results / "start.new").write_text(text)
(results / "start.new").rename(results / "start.md")
PY
